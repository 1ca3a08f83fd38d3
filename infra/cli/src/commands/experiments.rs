//! `perennial experiments`

use super::client::{Target, segment};
use super::tables::{counted_at, number, numbers, unreadable, wrapped};
use perennial_engine::experiment::report::{ALPHA, EFFECT, Experiment, Group, POWER, Report};
use perennial_engine::experiment::{Estimate, Verdict};
use perennial_views::experiments::Experiments;
use perennial_views::experiments::words::{difference, points, verdict};
use std::process::ExitCode;

/// The columns of a terminal.
const WIDTH: usize = 80;

/// Which journey, and what matters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The first way of a split in the alphabet is the control, or the one that is called `control`. Holdouts are compared with \
    those who entered since they began; who is in one is in no way of a split. Everyone else who was assigned is one of their group, and \
    counts for the goal once their time for it is over: \"42 of 169\" are those who reached it, of those whose time is over.\n\n\
    Verdicts are by asymptotic confidence sequences (Waudby-Smith et al. 2024): they hold however often one looks, so that an experiment \
    may be stopped as soon as there is one.\n\n\
    Examples:\n  \
    perennial experiments                            every split and holdout\n  \
    perennial experiments trial_rescue               those of one journey\n  \
    perennial experiments trial_rescue --effect 0.02 planned to find a difference of 2 points"
)]
pub(super) struct Args {
    /// The journey, by its id in journeys.toml; default: all.
    journey: Option<String>,
    /// The smallest difference of rates that matters, over 0 and below 1: 0.05 for 15 % instead of 10 %.
    #[arg(long, value_name = "SHARE", default_value_t = EFFECT)]
    effect: f64,
    /// Print what the api answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let journey = args.journey.as_deref().map(|name| format!("/{}", segment(name))).unwrap_or_default();
    let answer = args.target.get(&format!("/api/experiments{journey}?effect={}", args.effect)).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", shown(&serde_json::from_value(answer)?, args.journey.is_some()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Renders all experiments; those without people are only listed, unless one journey is selected.
fn shown(answer: &Experiments, all: bool) -> String {
    if answer.journeys.is_empty() {
        return "No journey has a split or a holdout. REFERENCE.md tells how to write one.\n".to_owned();
    }
    let (mut out, mut empty) = (String::new(), Vec::new());
    for report in &answer.journeys {
        for experiment in &report.experiments {
            if all || experiment.others > 0 || experiment.groups.iter().any(|group| group.people > 0) {
                out += &format!("{}\n", one(report, experiment));
            } else {
                empty.push(format!("{} ({})", report.journey, experiment.of));
            }
        }
    }
    let mut paragraph = |text: &str| wrapped(text, WIDTH).iter().for_each(|line| out += &format!("{line}\n"));
    if !empty.is_empty() {
        paragraph(&format!("Nobody has come to these yet: {}.", empty.join(", ")));
    }
    paragraph(&format!(
        "Rates and differences have intervals of {:.0} %. Those of differences, and verdicts, hold however often one looks \
         (asymptotic confidence sequences).",
        (1.0 - ALPHA) * 100.0
    ));
    paragraph(&format!("People looked at: {}; config {}.", number(answer.people), answer.config));
    out += &counted_at(answer.counted_at, answer.now);
    out += &unreadable(answer.unreadable);
    out
}

fn one(report: &Report, experiment: &Experiment) -> String {
    let goal = match report.goal_days {
        Some(days) => format!("goal within {days} days"),
        None => "no goal: nothing is compared".to_owned(),
    };
    let mut out = format!("{}, {}; {goal}\n", report.journey, experiment.of);
    let mut table = numbers(&["group", "people", "reached", "rate, %", "difference, points"]);
    for (at, group) in experiment.groups.iter().enumerate() {
        let difference = if at == 0 { "control".to_owned() } else { difference(experiment, group) };
        table.add_row(row(group, difference));
    }
    out += &format!("{table}\n");
    let control = experiment.groups.first().map_or("", |group| group.name.as_str());
    for group in &experiment.groups {
        if let Some(comparison) = &group.comparison {
            let verdict = format!("{}: {}.", group.name, verdict(comparison, control, experiment, group));
            wrapped(&verdict, WIDTH).iter().for_each(|line| out += &format!("{line}\n"));
        }
    }
    let waiting: u64 = experiment.groups.iter().map(|group| group.waiting).sum();
    if waiting > 0 {
        out += &format!("{} of them still have time for the goal, and do not count for it yet.\n", number(waiting));
    }
    if experiment.mismatch {
        out += "GROUPS DO NOT COMPARE: they are not as large as their shares say. Were shares\n\
                changed on the way, or are people lost in one of them?\n";
    }
    if experiment.others > 0 {
        let others = number(experiment.others);
        out += &format!("{others} people were assigned to ways that the split does not have any more.\n");
    }
    let is_open = |group: &Group| group.comparison.is_some_and(|found| found.verdict == Verdict::NoDifferenceYet);
    if let Some(more @ 1..) = experiment.needed.filter(|_| experiment.groups.iter().any(is_open)) {
        out += &format!(
            "To find a difference of {} points with {:.0} % certainty, the smallest group needs\nat most {} people more.\n",
            points(report.effect),
            POWER * 100.0,
            number(more)
        );
    }
    out
}

fn row(group: &Group, difference: String) -> [String; 5] {
    let percent = |x: f64| format!("{:.1}", x * 100.0);
    let rate = |rate: &Estimate| {
        format!("{} ({} to {})", percent(rate.value), percent(rate.interval.low), percent(rate.interval.high))
    };
    [
        group.name.clone(),
        number(group.people),
        group.reached.map(|reached| format!("{}/{}", number(reached), number(group.judged))).unwrap_or_default(),
        group.rate.as_ref().map(rate).unwrap_or_default(),
        difference,
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use jiff::Timestamp;
    use perennial_domain::hash::hash32;
    use perennial_domain::time::plus_days;
    use perennial_engine::experiment::{Tally, reports};
    use perennial_engine::facts::{Assigned, Entered, Facts, holdout_key, split_key};
    use perennial_testkit::ConfigBuilder;

    const JOURNEYS: &str = r#"
        [[journey]]
        id = "trial_rescue"
        trigger = { event = "Login" }
        goal = { event = "Report Shared", within_days = 10 }
        holdout = 10
        [[journey.step]]
        id = "which"
        split = { call = 30, mail = 30, nothing = 40 }
        [[journey.step]]
        id = "mail"
        wait = { days = 1 }
        then = "end"
        [[journey.step]]
        id = "call"
        wait = { days = 1 }
        then = "end"
        [[journey.step]]
        id = "nothing"
        wait = { days = 1 }
    "#;

    fn now() -> Timestamp {
        "2026-03-31T00:00:00Z".parse().unwrap()
    }

    fn answer(people: &[(Option<&str>, u64, u64, i64)]) -> Experiments {
        let config = ConfigBuilder::least().with(&[("journeys.toml", JOURNEYS)]).load();
        let mut tally = Tally::new(&config, now());
        for (way, all, reached, days) in people {
            let at = plus_days(now(), -days);
            for number in 0..*all {
                let mut facts = Facts::default();
                let reached = (number < *reached).then(|| at.as_millisecond());
                facts.entered.insert(hash32("trial_rescue"), Entered { times: 1, last: at.as_millisecond(), reached });
                let (key, way) = match way {
                    Some(way) => (split_key("trial_rescue", "which"), hash32(way)),
                    None => (holdout_key("trial_rescue"), 0),
                };
                facts.assigned.insert(key, Assigned { at: at.as_second(), way });
                tally.add(&config, &facts);
            }
        }
        let all = people.iter().map(|(_, all, ..)| all).sum();
        let journeys = reports(&config, &tally, EFFECT).unwrap();
        let config = "v1".to_owned();
        Experiments { journeys, people: all, unreadable: 0, config, counted_at: now(), now: now() }
    }

    #[test]
    fn what_leads_is_told_with_its_interval_and_how_many_more_are_needed() {
        let people = [
            (Some("call"), 1_204, 120, 20),
            (Some("mail"), 1_190, 230, 20),
            (Some("nothing"), 1_611, 150, 20),
            (Some("nothing"), 12, 1, 3),
            (Some("gone"), 7, 1, 20),
            (None, 450, 32, 20),
        ];
        let text = shown(&answer(&people), false);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn while_few_can_be_judged_the_verdict_says_how_many() {
        let people = [(Some("call"), 264, 3, 2), (Some("mail"), 261, 0, 2), (Some("nothing"), 330, 0, 2)];
        let text = shown(&answer(&people), false).replace('\n', " ");
        assert!(text.contains("mail: too early to say anything: 0 of its 261 people can be judged by now"), "{text}");
        assert!(text.contains("it takes 50 of each."), "{text}");
    }

    #[test]
    fn groups_that_do_not_compare_are_told() {
        insta::assert_snapshot!(shown(&answer(&[(Some("call"), 900, 120, 20), (Some("mail"), 200, 80, 20)]), false));
    }

    #[test]
    fn without_experiments_nothing_is_compared() {
        let (journeys, config) = (Vec::new(), "v1".to_owned());
        let none = Experiments { journeys, people: 3, unreadable: 0, config, counted_at: now(), now: now() };
        assert!(shown(&none, false).starts_with("No journey has a split"));
    }
}
