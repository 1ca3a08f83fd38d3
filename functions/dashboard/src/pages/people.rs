//! The list of people.

use super::list::{self, Chosen, Place, choice, plain_options};
use crate::answer::{Failure, Shown};
use crate::deps::Deps;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::words;
use http::StatusCode;
use jiff::Timestamp;
use maud::{Markup, html};
use perennial_config::Config;
use perennial_domain::{Likelihood, Stage};
use perennial_engine::NpsClass;
use perennial_engine::listing::Scale;
use perennial_views::lists::{self, PEOPLE, PersonRow};

/// The parameters of the form, in its order.
const FILTERS: [&str; 9] = ["search", "stage", "segment", "persona", "owner", "score", "min", "max", "sort"];

/// Answers with a page of people, or with a file of them.
pub(crate) async fn answer(deps: &Deps, query: &str) -> Result<Shown<Page>, Failure> {
    let chosen = Chosen::read(query, &FILTERS);
    let place = Place::read(query);
    let page = lists::people(&deps.views, &place.query(&chosen)).await;
    if place.is_file {
        let rows = page?.rows;
        let file = list::file("people", &PEOPLE, &rows)?;
        return Ok(Shown::File(file, Some(read(&chosen, true, &rows))));
    }
    let (config, now) = (deps.views.config.current().await, deps.views.clock.now());
    let (found, status, read) = match page.map_err(Failure::from) {
        Ok(page) => {
            let read = Some(read(&chosen, false, &page.rows));
            let found = found(&chosen, &page.rows, page.next.as_deref(), place.is_later(), now);
            (html! { (ui::unreadable(page.unreadable, "profile", "profiles")) (found) }, StatusCode::OK, read)
        }
        // The form stays, with what was asked for in it.
        Err(Failure::Wrong(why)) => {
            (ui::note(Tone::Warn, &html! { (words::sentence(&why)) }), StatusCode::BAD_REQUEST, None)
        }
        Err(other) => return Err(other),
    };
    let body = html! { (filters(&chosen, &config)) (found) };
    let beside = html! { a.btn href=(chosen.url("/people", &[("format", "csv")])) { "Download CSV" } };
    let page = Page { read, ..Page::new(Section::People, "People", now, body) };
    Ok(Shown::Page(page.beside(beside).status(status)))
}

/// Returns what a list or a file of people shows.
fn read(chosen: &Chosen, is_file: bool, rows: &[PersonRow]) -> Read {
    Read::of(chosen.noted("/people", is_file), rows.iter().map(|row| row.id))
}

fn filters(chosen: &Chosen, config: &Config) -> Markup {
    let stages = plain_options(Stage::ALL.map(Stage::as_str));
    let segments = plain_options(config.segments.all.iter().map(|segment| segment.name.as_str()));
    let personas = plain_options(config.personas.all.iter().map(|persona| persona.name.as_str()));
    let scores = plain_options(Scale::all().map(Scale::as_str));
    html! {
        form.filters action="/people" {
            label.wide { span { "Search" }
                input type="search" name="search" value=(chosen.get("search"))
                placeholder="Name, company, mail or id"; }
            (choice("stage", "Stage", "any stage", chosen.get("stage"), &stages))
            (choice("segment", "Segment", "any segment", chosen.get("segment"), &segments))
            (choice("persona", "Persona", "any persona", chosen.get("persona"), &personas))
            (list::owner_and_score(chosen, "/people", &scores))
        }
    }
}

fn found(chosen: &Chosen, rows: &[PersonRow], next: Option<&str>, is_later: bool, now: Timestamp) -> Markup {
    let next_page = next.map(|cursor| chosen.url("/people", &[("cursor", cursor)]));
    let first_page = is_later.then(|| chosen.url("/people", &[]));
    html! {
        @if rows.is_empty() && next.is_none() {
            @if chosen.any() {
                (ui::empty("Nobody matches", &html! { "Loosen a filter, or " a href="/people" { "show everyone" }
                    "." }))
            } @else {
                (ui::empty("Nobody is here yet", &html! {
                    "People appear with their first event. The README shows how to send one with " code { "curl" }
                    "." }))
            }
        } @else {
            (rows_table("People", rows, chosen.get("score"), now))
            @if rows.is_empty() { p.mute { "Nobody on this page matches; the next one may have some." } }
        }
        (ui::pager(first_page.as_deref(), next_page.as_deref()))
    }
}

/// Returns a table of people. `score` is the one that was asked for, which gets a column if it is not shown anyway.
pub(super) fn rows_table(label: &str, rows: &[PersonRow], score: &str, now: Timestamp) -> Markup {
    let shown = [Likelihood::Churn, Likelihood::Success];
    let extra =
        Scale::parse(score).filter(|scale| !shown.iter().any(|own| Scale::Score(*own).as_str() == scale.as_str()));
    ui::table(
        label,
        &html! {
            thead { tr {
                th scope="col" { "Person" } th scope="col" { "Account" } th scope="col" { "Stage" }
                @if let Some(scale) = extra { th.n scope="col" { (words::capital(&words::plain(scale.as_str()))) } }
                th.n scope="col" { "Churn" } th.n scope="col" { "Success" } th scope="col" { "Survey" }
                    th scope="col" { "Last seen" } th scope="col" { "Owner" }
            } }
            tbody {
                @for row in rows {
                    tr {
                        td { (name_of(row)) }
                        td { @if let Some(account) = &row.account {
                            (ui::account(account.as_str(), row.company.as_deref())) } }
                        td { (ui::stage(row.stage)) }
                        @if let Some(scale) = extra {
                            td.n { (ui::score(match scale { Scale::Score(one) => row.scores.get(one),
                                Scale::Engagement => Some(row.engagement) }, false)) }
                        }
                        td.n { (ui::score(row.scores.get(Likelihood::Churn), true)) }
                        td.n { (ui::score(row.scores.get(Likelihood::Success), false)) }
                        td { (survey(row.nps)) }
                        td { (ui::ago(row.last_seen, now)) }
                        td { @if let Some(owner) = &row.owner { (ui::foreign(owner)) } }
                    }
                }
            }
        },
    )
}

fn name_of(row: &PersonRow) -> Markup {
    let id = row.id.to_string();
    let identity = row.identity.as_deref().unwrap_or(&id);
    let name = row.name.as_deref().or(row.email.as_deref()).unwrap_or(identity);
    let below = row.email.as_deref().filter(|email| *email != name).unwrap_or(identity);
    html! {
        (ui::person(&id, name))
        @if below != name { br; span.mute.small { (ui::foreign(below)) } }
    }
}

/// Returns the class of the latest survey answer.
pub(super) fn survey(class: NpsClass) -> Markup {
    match class {
        NpsClass::Promoter => ui::tag(Tone::Good, "promoter"),
        NpsClass::Passive => ui::tag(Tone::Plain, "passive"),
        NpsClass::Detractor => ui::tag(Tone::Bad, "detractor"),
        NpsClass::None => html! { span.mute { "–" } },
    }
}
