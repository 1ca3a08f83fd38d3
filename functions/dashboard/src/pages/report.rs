//! A report: each of its tables, with a chart where one says more.

use crate::answer::{self, Failure, Shown};
use crate::deps::Deps;
use crate::pages::list::Chosen;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use maud::{Markup, html};
use perennial_charts::table::{Kind, drawing, kind, level, measure, shown};
use perennial_reports::shown::csv;
use perennial_reports::{Cell, Name, Report, Table, Unit};
use perennial_views::reports;

/// Rows of a table that are shown at first.
const SHOWN: usize = 31;

/// Answers with a report, or with it as a file.
pub(crate) async fn answer(deps: &Deps, name: &str, query: &str) -> Result<Shown<Page>, Failure> {
    let chosen = Chosen::read(query, &["day", "format"]);
    let day = Some(chosen.get("day")).filter(|day| !day.is_empty());
    let report = match reports::show(&deps.views, name, day).await.map_err(Failure::from) {
        Ok(report) => report,
        Err(failure @ (Failure::NotFound(_) | Failure::Wrong(_))) if Name::parse(name).is_some() => {
            return Ok(Shown::Page(missing(deps, name, &chosen, &failure)));
        }
        Err(failure) => return Err(failure),
    };
    if chosen.get("format") == "csv" {
        return Ok(Shown::File(answer::csv(report.name.as_str(), csv(&report)), read(&report, true)));
    }
    let body = html! {
        p.lead { (words::sentence(report.name.description())) }
        @for note in &report.notes { (ui::note(Tone::Plain, &html! { (words::sentence(note)) })) }
        @if report.unreadable > 0 { (ui::note(Tone::Warn, &html! {
            (words::counted(report.unreadable, "profile, event or object", "profiles, events or objects"))
            " cannot be read, and are not counted." })) }
        @for table in &report.tables { (one(&report, table)) }
    };
    let beside = html! {
        span.mute { (report.from) " to " (report.to) " · " (words::counted(report.people, "person", "people"))
            " · made " (ui::time(report.at, deps.views.clock.now())) }
        (days(name, &chosen))
        a.btn href=(chosen.url(&url::path(&["reports", name]), &[("format", "csv")])) { "Download CSV" }
    };
    let title = words::capital(&words::plain(report.name.as_str()));
    let page = Page::new(Section::Reports, title, deps.views.clock.now(), body).beside(beside);
    Ok(Shown::Page(Page { read: read(&report, false), ..page }))
}

/// Returns the personal data of a report: only some name people.
fn read(report: &Report, is_file: bool) -> Option<Read> {
    let page = url::path(&["reports", report.name.as_str()]);
    let page = url::query(&page, &[("format", if is_file { "csv" } else { "" })]);
    let rows = report.tables.iter().map(|table| table.rows.len()).sum();
    report.name.names_people().then(|| Read::rows(page, rows))
}

/// Returns the page of a report that was not made, or not on that day.
fn missing(deps: &Deps, name: &str, chosen: &Chosen, failure: &Failure) -> Page {
    let body = ui::empty("There is nothing to show", &html! { (failure.words()) });
    let page = Page::new(Section::Reports, words::capital(&words::plain(name)), deps.views.clock.now(), body);
    page.beside(days(name, chosen)).status(failure.status())
}

/// Returns the form that chooses a day; nothing for a report without history.
fn days(name: &str, chosen: &Chosen) -> Markup {
    html! {
        @if Name::parse(name).is_some_and(|name| !name.names_people()) {
            form.line action=(url::path(&["reports", name])) {
                label { span.hidden { "Day" } input type="date" name="day" value=(chosen.get("day")); }
                button.btn { "Show day" }
            }
        }
    }
}

fn one(report: &Report, table: &Table) -> Markup {
    let title = words::capital(&words::plain(&table.name));
    html! {
        section.card {
            h2 { (title) }
            @if table.rows.is_empty() { p.mute { "There is nothing to count yet." } } @else {
                @match kind(table) {
                    Kind::Heat => (heat(&title, table)),
                    kind => { (chart(&title, table, kind)) (rows(report, &title, table, kind == Kind::Lines)) },
                }
            }
        }
    }
}

/// Returns the chart of a table; nothing if it has none.
fn chart(title: &str, table: &Table, kind: Kind) -> Markup {
    html! {
        @if let Some(drawing) = drawing(table, kind) {
            @if kind == Kind::Bars { p.mute.small { (measure(table).unwrap_or_default()) } }
            (drawing.figure(title))
        }
    }
}

fn header(table: &Table) -> Markup {
    html! { thead { tr { @for column in &table.columns {
    th.n[column.unit != Unit::Text] scope="col" { (words::capital(&words::plain(&column.name))) } } } } }
}

fn row(table: &Table, cells: &[Cell], is_heat: bool) -> Markup {
    html! {
        tr { @for (column, cell) in table.columns.iter().zip(cells) {
            @match level(cell).filter(|_| is_heat) {
                Some(level) => td class={ "n heat h" (level) } { (shown(cell)) },
                None => td.n[column.unit != Unit::Text] { (ui::foreign(&shown(cell))) },
            }
        } }
    }
}

fn heat(title: &str, table: &Table) -> Markup {
    ui::table(title, &html! { (header(table)) tbody { @for cells in &table.rows { (row(table, cells, true)) } } })
}

/// Returns a table; of a long one the newest rows, the others to be opened. `is_of_time` shows the newest first.
fn rows(report: &Report, title: &str, table: &Table, is_of_time: bool) -> Markup {
    let all: Vec<&Vec<Cell>> = if is_of_time { table.rows.iter().rev().collect() } else { table.rows.iter().collect() };
    let (first, rest) = all.split_at(SHOWN.min(all.len()));
    let body = |label: &str, rows: &[&Vec<Cell>]| {
        ui::table(label, &html! { (header(table)) tbody { @for cells in rows { (person_row(report, table, cells)) } } })
    };
    html! {
        (body(title, first))
        @if !rest.is_empty() { details { summary { (words::number(rest.len() as u64)) " more rows" }
            (body(&format!("{title}, continued"), rest)) } }
    }
}

/// Returns whether each row is about the person in its first column.
fn is_of_people(table: &Table) -> bool {
    table.columns.first().is_some_and(|column| column.name == "user")
}

/// Returns a row; the users of a report that names people are links.
fn person_row(report: &Report, table: &Table, cells: &[Cell]) -> Markup {
    match cells {
        [Cell::Text(user), rest @ ..] if report.name.names_people() && is_of_people(table) => html! {
            tr { td { (ui::person(user, user)) }
                @for (column, cell) in table.columns.iter().skip(1).zip(rest) {
                td.n[column.unit != Unit::Text] { (ui::foreign(&shown(cell))) } } }
        },
        cells => row(table, cells, false),
    }
}
