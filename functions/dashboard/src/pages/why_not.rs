//! Why a journey did not reach a person: rule by rule, with the values now.

use crate::answer::Failure;
use crate::deps::Deps;
use crate::pages::list::Chosen;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui;
use crate::url;
use crate::words;
use maud::{Markup, html};
use perennial_engine::explain::why_not::{Check, Outcome, WhyNot};
use perennial_views::person::{Found, display_name};
use perennial_views::why_not;

/// Returns the page of the person with this identity, and the journey that the query names.
pub(crate) async fn page(deps: &Deps, identity: &str, query: &str) -> Result<Page, Failure> {
    let chosen = Chosen::read(query, &["journey"]);
    let found = Found::look_up(&deps.views, identity).await?;
    let journey = chosen.get("journey");
    if journey.is_empty() {
        return Err(Failure::Wrong("choose a journey on the person's page".to_owned()));
    }
    let view = why_not::view(&deps.views, &found, journey).await?;
    let name = display_name(&found.profile, &found.state);
    let body = html! {
        p.lead { (ui::person(&found.profile.id.to_string(), &name)) " and the journey " (ui::journey(journey)) }
        div.card.verdict { (verdict(&view)) }
        section.card { h2 { "Each rule, in the order in which it is applied" } (checks(&view)) }
        section.card { h2 { "Another journey" } (others(&found, journey)) }
    };
    let title = format!("Why not {}?", words::plain(journey));
    let page = url::path(&["people", &found.profile.id.to_string(), "why-not"]);
    let read = Read::of(url::query(&page, &[("journey", journey)]), [found.profile.id]);
    Ok(Page::new(Section::People, title, view.now, body).reads(read))
}

fn verdict(view: &WhyNot) -> Markup {
    html! { b { (words::capital(&view.verdict)) "." } }
}

fn checks(view: &WhyNot) -> Markup {
    html! { ul.checks { @for check in &view.checks { (one(check)) } } }
}

fn one(check: &Check) -> Markup {
    let (class, mark, said) = match check.outcome {
        Outcome::Passes => ("yes", "✓", "passes"),
        Outcome::Blocks => ("no", "✕", "blocks"),
        Outcome::Waits => ("open", "…", "waits"),
    };
    html! {
        li class={ "check " (class) } {
            i aria-hidden="true" { (mark) }
            div {
                b { (words::capital(check.rule.as_str())) } span.hidden { ", " (said) } ": " (ui::foreign(&check.told))
                @if !check.clauses.is_empty() {
                    ul.clauses { @for clause in &check.clauses {
                        li class=(if clause.holds { "yes" } else { "no" }) {
                            code { (ui::foreign(&clause.condition)) }
                                " " span.mute { @if clause.holds { "holds" } @else { "does not hold" } }
                            @for (what, value) in &clause.values { br;
                                span.small { code { (ui::foreign(what)) } " is " b { (ui::foreign(value)) } } }
                        }
                    } }
                }
            }
        }
    }
}

fn others(found: &Found, journey: &str) -> Markup {
    let path = url::path(&["people", &found.profile.id.to_string(), "why-not"]);
    html! {
        ul.choices { @for other in found.config.journeys.all.iter().filter(|other| other.id != journey) {
            li { a href=(url::query(&path, &[("journey", &other.id)])) { (words::plain(&other.id)) } }
        } }
    }
}
