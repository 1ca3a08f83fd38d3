//! The experiments: what splits and holdouts have shown.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::words;
use maud::{Markup, html};
use perennial_engine::experiment::report::{Experiment, Group, Report};
use perennial_engine::experiment::{Estimate, Verdict};
use perennial_views::experiments;
use perennial_views::experiments::words::{difference, points, verdict};

/// Returns the page.
pub(crate) async fn page(deps: &Deps) -> Result<Page, Failure> {
    let view = experiments::show(&deps.views, None, None).await?;
    let (started, waiting): (Vec<_>, Vec<_>) = view
        .journeys
        .iter()
        .flat_map(|report| report.experiments.iter().map(move |experiment| (report, experiment)))
        .partition(|(_, experiment)| experiment.others > 0 || experiment.groups.iter().any(|group| group.people > 0));
    let body = html! {
        @if view.journeys.is_empty() {
            (ui::empty("There are no experiments", &html! { "A journey with a split or a holdout is one. "
                code { "REFERENCE.md" } " tells how to write them." }))
        }
        @for (report, experiment) in &started { (one(report, experiment)) }
        @if !waiting.is_empty() {
            section.card { h2 { "Nobody has come to these yet" }
                ul.plain { @for (report, experiment) in &waiting {
                    li { (ui::journey(&report.journey)) ", " (experiment.of) } } }
            }
        }
        p.mute.small { "Rates and differences have intervals of 95 %. Those of differences, and verdicts, hold however often one looks (asymptotic confidence sequences)." }
    };
    let beside = html! { span.mute { "Counted " (ui::ago(Some(view.counted_at), view.now)) " over "
    (words::counted(view.people, "person", "people")) } };
    Ok(Page::new(Section::Experiments, "Experiments", view.now, body).beside(beside))
}

fn one(report: &Report, experiment: &Experiment) -> Markup {
    let control = experiment.groups.first().map_or("", |group| group.name.as_str());
    let waiting: u64 = experiment.groups.iter().map(|group| group.waiting).sum();
    let is_open = |group: &Group| group.comparison.is_some_and(|found| found.verdict == Verdict::NoDifferenceYet);
    html! {
        section.card {
            h2 { (ui::journey(&report.journey)) ", " (experiment.of) " "
                @match report.goal_days { Some(days) => span.mute { "goal within " (days) " days" },
                    None => span.mute { "no goal: nothing is compared" } }
            }
            @if experiment.mismatch {
                (ui::note(Tone::Bad, &html! { b { "The groups do not compare: " } "they are not as large as their shares say. Were shares changed on the way, or are people lost in one of them?" }))
            }
            (ui::table(&format!("{}, {}", report.journey, experiment.of), &html! {
                thead { tr { th scope="col" { "Group" } th.n scope="col" { "People" } th.n scope="col" { "Reached" }
                    th.n scope="col" { "Rate" } th.n scope="col" { "Difference in points" }
                    th scope="col" { "Verdict" } } }
                tbody { @for (at, group) in experiment.groups.iter().enumerate() {
                    tr {
                        th scope="row" { (ui::foreign(&group.name)) @if at == 0 { " " span.mute { "control" } } }
                        td.n { (words::number(group.people)) }
                        td.n { @if let Some(reached) = group.reached { (words::number(reached)) " of "
                            (words::number(group.judged)) } }
                        td.n { @if let Some(rate) = &group.rate { (rate_of(rate)) } }
                        td.n { @if at > 0 { (difference(experiment, group)) } }
                        td { @if let Some(comparison) = &group.comparison {
                            (ui::tag(tone(comparison.verdict), short(comparison.verdict))) br;
                            span.mute.small { (words::sentence(&verdict(comparison, control, experiment, group))) } } }
                    }
                } }
            }))
            @if waiting > 0 { p.mute.small { (words::number(waiting))
                " of them still have time for the goal, and do not count for it yet." } }
            @if experiment.others > 0 { p.mute.small { (words::number(experiment.others))
                " people were assigned to ways that the split does not have any more." } }
            @if let Some(more @ 1..) = experiment.needed.filter(|_| experiment.groups.iter().any(is_open)) {
                p.mute.small { "To find a difference of " (points(report.effect))
                    " points with 80 % certainty, the smallest group needs at most " (words::number(more))
                    " people more." }
            }
        }
    }
}

fn rate_of(rate: &Estimate) -> Markup {
    html! { (format!("{:.1} %", rate.value * 100.0)) br;
    span.mute.small { (format!("{:.1} to {:.1}", rate.interval.low * 100.0, rate.interval.high * 100.0)) } }
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Leading => Tone::Good,
        Verdict::Worse | Verdict::Void => Tone::Bad,
        Verdict::NoDifferenceYet => Tone::Plain,
    }
}

fn short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Leading => "leads",
        Verdict::Worse => "worse",
        Verdict::Void => "void",
        Verdict::NoDifferenceYet => "open",
    }
}
