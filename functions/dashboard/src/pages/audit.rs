//! The audit log of a day: who read what, who changed what.

use super::list::{self, Chosen};
use crate::answer::{Failure, Shown};
use crate::deps::Deps;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::visitor::Visitor;
use crate::words;
use jiff::Timestamp;
use jiff::civil::Date;
use maud::{Markup, html};
use perennial_domain::time;
use perennial_store::audit::{AuditEntry, AuditKind, AuditPage};
use perennial_views::lists::Columns;

/// Entries of a page.
const ENTRIES: usize = 50;
/// Entries of a file.
const ENTRIES_OF_FILE: usize = 1_000;
/// Profiles of an entry that are shown at first.
const SHOWN: usize = 3;
/// The most bytes of the place in a day.
const MAX_PLACE: usize = 64;

/// The columns of a file.
const COLUMNS: [(&str, &[&str]); 10] = [
    ("at", &["at"]),
    ("subject", &["subject"]),
    ("name", &["name"]),
    ("role", &["role"]),
    ("kind", &["kind"]),
    ("what", &["what"]),
    ("rows", &["rows"]),
    ("people", &["people"]),
    ("before", &["before"]),
    ("after", &["after"]),
];

/// Answers with a page of a day's entries, or with a file of them.
pub(crate) async fn answer(deps: &Deps, visitor: &Visitor, query: &str) -> Result<Shown<Page>, Failure> {
    if !visitor.role.may_audit() {
        return Err(Failure::Role("only admins may see the audit log"));
    }
    let (chosen, now) = (Chosen::read(query, &["day", "after", "format"]), deps.views.clock.now());
    let (day, after) = (day(chosen.get("day"), now)?, chosen.get("after"));
    if after.len() > MAX_PLACE {
        return Err(Failure::Wrong("after must be the place that the page before links to".to_owned()));
    }
    let is_file = chosen.get("format") == "csv";
    let limit = if is_file { ENTRIES_OF_FILE } else { ENTRIES };
    let page = deps.views.store.audit(day, limit, Some(after).filter(|after| !after.is_empty())).await?;
    let here = url::query("/audit", &[("day", &day.to_string()), ("format", chosen.get("format"))]);
    let read = Read::rows(here, page.entries.len());
    if is_file {
        let file = list::file("audit", &COLUMNS as &Columns, &page.entries)?;
        return Ok(Shown::File(file, Some(read)));
    }
    let body = html! {
        p.lead.mute { "Who was shown personal data in this dashboard, and who changed what. A day is one of UTC." }
        (ui::unreadable(page.unreadable, "entry", "entries"))
        (entries(&page, day, !after.is_empty(), now))
    };
    let beside = html! {
        form.line action="/audit" {
            label { span.hidden { "Day" } input type="date" name="day" value=(day); }
            button.btn { "Show day" }
        }
        a.btn href=(url::query("/audit", &[("day", &day.to_string()), ("format", "csv")])) { "Download CSV" }
    };
    Ok(Shown::Page(Page::new(Section::Audit, "Audit log", now, body).beside(beside).reads(read)))
}

/// Returns the day of a query; today without one.
fn day(text: &str, now: Timestamp) -> Result<Date, Failure> {
    if text.is_empty() {
        return Ok(time::date_of(time::day_of(now)));
    }
    text.parse().map_err(|_| Failure::Wrong("day must be a date such as 2026-01-31".to_owned()))
}

fn entries(page: &AuditPage, day: Date, is_later: bool, now: Timestamp) -> Markup {
    let of_day = url::query("/audit", &[("day", &day.to_string())]);
    let next = page.next.as_deref().map(|after| url::query(&of_day, &[("after", after)]));
    html! {
        @if page.entries.is_empty() && !is_later {
            (ui::empty("Nothing was noted on this day", &html! {
                "On a system of this machine only acts are noted: whoever can open these pages there can read the table itself." }))
        } @else {
            (ui::table("Audit log", &html! {
                thead { tr { th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" }
                    th.n scope="col" { "Rows" } th scope="col" { "Profiles" } th scope="col" { "Before and after" } } }
                tbody { @for entry in &page.entries { (row(entry, now)) } }
            }))
        }
        (ui::pager(is_later.then_some(of_day.as_str()), next.as_deref()))
    }
}

fn row(entry: &AuditEntry, now: Timestamp) -> Markup {
    let is_act = entry.kind == AuditKind::Act;
    html! {
        tr {
            td { (ui::time(entry.at, now)) }
            td {
                (ui::foreign(&entry.actor.name)) br;
                span.mute.small { (ui::foreign(&entry.actor.role)) " · " (ui::foreign(&entry.actor.subject)) }
            }
            td {
                (ui::tag(if is_act { Tone::Warn } else { Tone::Plain }, if is_act { "changed" } else { "read" })) " "
                (ui::foreign(&entry.what))
            }
            td.n { @if entry.rows > 0 { (words::number(entry.rows)) } @else { span.mute { "–" } } }
            td.small { (people(entry)) }
            td.small {
                @if let Some(before) = &entry.before {
                    (ui::foreign(before)) " → "
                    @match &entry.after {
                        Some(after) => (ui::foreign(after)),
                        None => (ui::tag(Tone::Bad, "result unknown")),
                    }
                }
            }
        }
    }
}

fn people(entry: &AuditEntry) -> Markup {
    let (first, rest) = entry.people.split_at(SHOWN.min(entry.people.len()));
    let link = |id: &perennial_domain::PersonId| {
        let id = id.to_string();
        html! { a.mono href=(url::path(&["people", &id])) title=(id) { (id.get(..8).unwrap_or(&id)) "…" } " " }
    };
    html! {
        @for id in first { (link(id)) }
        @if !rest.is_empty() {
            details { summary { (rest.len()) " more" } @for id in rest { (link(id)) } }
        }
    }
}
