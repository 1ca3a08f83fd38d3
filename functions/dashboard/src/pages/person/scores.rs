//! The nine scores, each with its receipt.

use crate::ui;
use crate::words;
use maud::{Markup, html};
use perennial_charts::chart::spark;
use perennial_domain::Likelihood;
use perennial_views::explain::{ExplainView, ScoreView};
use perennial_views::profile::ProfileView;

/// Returns all scores that apply, then those that do not.
pub(super) fn shown(explained: &ExplainView<'_>, view: &ProfileView<'_>) -> Markup {
    html! {
        @for likelihood in Likelihood::ALL {
            @if let Some(score) = explained.scores.get(&likelihood) { (one(likelihood, score)) }
        }
        p.scoreline { span { "Engagement" } (ui::bar(view.engagement.get(), false)) b { (view.engagement.get()) } }
        @if !explained.absent.is_empty() {
            details { summary { "Scores that do not apply" }
                ul.plain { @for (likelihood, why) in &explained.absent { li { b { (words::score(*likelihood)) }
                    ": " (why) } } }
            }
        }
    }
}

fn one(likelihood: Likelihood, score: &ScoreView) -> Markup {
    let is_bad = likelihood == Likelihood::Churn;
    let value = score.explanation.value.get();
    let trend: Vec<u8> = score.explanation.trend.iter().map(|point| point.value.get()).chain([value]).collect();
    html! {
        details.score {
            summary {
                span.name { (words::score(likelihood)) }
                (ui::bar(value, is_bad))
                b { (value) }
                span.moved { (score.glance.moved) }
                (spark(&trend, is_bad))
            }
            p.mute { (score.told.title) }
            (ui::table(&format!("Why {} is {value}", words::score(likelihood)), &html! {
                thead { tr { th scope="col" { "Because of" } th.n scope="col" { "Points" } } }
                tbody {
                    @for row in &score.told.rows {
                        tr { td { (ui::foreign(&row.why))
                            @if !row.how.is_empty() { br; span.mute.small { (ui::foreign(&row.how)) } } }
                            td.n { (row.points) } }
                    }
                }
                tfoot { tr { th scope="row" { "In all" } td.n { b { (score.told.total) } } } }
            }))
            @if !score.told.changes.is_empty() {
                p.small { b { "What would change it" } }
                ul.small { @for change in &score.told.changes { li { (ui::foreign(change)) } } }
            }
        }
    }
}
