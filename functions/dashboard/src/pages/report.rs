//! A report: each of its tables, with a chart where one says more.

use crate::answer::{self, Failure, Shown};
use crate::chart::{Bar, Series, bars, lines};
use crate::deps::Deps;
use crate::pages::list::Chosen;
use crate::read::Read;
use crate::shell::{Page, Section};
use crate::ui::{self, Tone};
use crate::url;
use crate::words;
use maud::{Markup, html};
use perennial_reports::shown::{csv, text};
use perennial_reports::{Cell, Name, Report, Table, Unit};
use perennial_views::reports;

/// Rows of a table that are shown at first.
const SHOWN: usize = 31;
/// The most bars of a chart.
const MOST_BARS: usize = 16;

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
                    Kind::Lines => { (time_lines(&title, table)) (rows(report, &title, table, true)) },
                    Kind::Bars => { (row_bars(&title, table)) (rows(report, &title, table, false)) },
                    Kind::Plain => (rows(report, &title, table, false)),
                }
            }
        }
    }
}

/// How a table is shown best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As lines over days or months.
    Lines,
    /// As a table whose cells are coloured by their share.
    Heat,
    /// As a bar for each row.
    Bars,
    /// As a table only.
    Plain,
}

/// Returns how a table is shown best, by its columns.
fn kind(table: &Table) -> Kind {
    let shares = table.columns.iter().filter(|column| column.unit == Unit::Share).count();
    let is_of_time = table.rows.iter().all(|row| matches!(row.first(), Some(Cell::Text(text)) if is_time(text)));
    if shares >= 4 {
        Kind::Heat
    } else if is_of_time && table.rows.len() > 1 && measured(table).is_some() {
        Kind::Lines
    } else if table.rows.len() > 1 && measured(table).is_some() && is_by_name(table) {
        Kind::Bars
    } else {
        Kind::Plain
    }
}

/// Returns whether each row has a name of its own in the first column.
fn is_by_name(table: &Table) -> bool {
    let mut names: Vec<String> = table.rows.iter().filter_map(|row| row.first()).map(text).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() == all && all <= MOST_BARS
}

/// Returns whether a text is a day or a month.
fn is_time(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let has_form = matches!((text.len(), digits), (10, 8) | (7, 6));
    has_form && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Returns the column that a chart shows: the first one with numbers.
fn measured(table: &Table) -> Option<usize> {
    table
        .columns
        .iter()
        .position(|column| matches!(column.unit, Unit::Count | Unit::Number | Unit::Money | Unit::Share))
}

/// Returns a cell's number; `None` without one.
fn number_of(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Share { of: 0, .. } | Cell::Text(_) | Cell::Nothing(()) => None,
        Cell::Share { part, of } => Some(*part as f64 / *of as f64 * 100.0),
        Cell::Money { minor, currency } => {
            Some(*minor as f64 / 10_f64.powi(i32::try_from(currency.exponent()).unwrap_or(2)))
        }
        Cell::Count(count) => Some(*count as f64),
        Cell::Number(number) => Some(*number),
    }
}

fn time_lines(title: &str, table: &Table) -> Markup {
    let Some(first) = measured(table) else { return html! {} };
    let unit = table.columns[first].unit;
    let of_unit = table.columns.iter().enumerate().skip(first).filter(|(_, column)| column.unit == unit).take(4);
    // Several currencies would be on one axis: their rows share a month, so lines would jump.
    if unit == Unit::Money
        && table.columns.iter().any(|column| column.name == "currency")
        && !is_by_name_of_any_length(table)
    {
        return html! {};
    }
    let series: Vec<Series> = of_unit
        .map(|(at, column)| Series {
            name: words::plain(&column.name),
            values: table.rows.iter().map(|row| row.get(at).and_then(number_of)).collect(),
        })
        .collect();
    let labels: Vec<String> = table.rows.iter().map(|row| row.first().map(text).unwrap_or_default()).collect();
    let shown = |value: f64| match unit {
        Unit::Share => format!("{value:.0} %"),
        _ if value >= 10.0 || value.fract() == 0.0 => words::number(value.round() as u64),
        _ => format!("{value:.1}"),
    };
    lines(title, &labels, &series, &shown)
}

fn is_by_name_of_any_length(table: &Table) -> bool {
    let mut names: Vec<String> = table.rows.iter().filter_map(|row| row.first()).map(text).collect();
    let all = names.len();
    names.dedup();
    names.len() == all
}

fn row_bars(title: &str, table: &Table) -> Markup {
    let Some(at) = measured(table) else { return html! {} };
    let bar = |row: &Vec<Cell>| Bar {
        label: row.first().map(|cell| words::plain(&text(cell))).unwrap_or_default(),
        value: row.get(at).and_then(number_of).unwrap_or(0.0).max(0.0),
        shown: row.get(at).map(shown).unwrap_or_default(),
        is_bad: false,
    };
    let all: Vec<Bar> = table.rows.iter().map(bar).collect();
    html! { p.mute.small { (words::capital(&words::plain(&table.columns[at].name))) } (bars(title, &all)) }
}

/// Returns a cell for readers.
fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => words::number(*count),
        Cell::Money { minor, currency } => words::money(*minor, *currency),
        cell => text(cell),
    }
}

fn header(table: &Table) -> Markup {
    html! { thead { tr { @for column in &table.columns {
    th.n[column.unit != Unit::Text] scope="col" { (words::capital(&words::plain(&column.name))) } } } } }
}

fn row(table: &Table, cells: &[Cell], is_heat: bool) -> Markup {
    html! {
        tr { @for (column, cell) in table.columns.iter().zip(cells) {
            @match cell {
                Cell::Share { part, of } if is_heat && *of > 0 => {
                    @let level = (10 * part.clamp(&0, of)) / of;
                    td class={ "n heat h" (level) } { (shown(cell)) }
                },
                cell => td.n[column.unit != Unit::Text] { (ui::foreign(&shown(cell))) },
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

/// Returns a row; the users of a report that names people are links.
fn person_row(report: &Report, table: &Table, cells: &[Cell]) -> Markup {
    match cells {
        [Cell::Text(user), rest @ ..] if report.name.names_people() => html! {
            tr { td { (ui::person(user, user)) }
                @for (column, cell) in table.columns.iter().skip(1).zip(rest) {
                td.n[column.unit != Unit::Text] { (ui::foreign(&shown(cell))) } } }
        },
        cells => row(table, cells, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_days_are_lines_and_cohorts_are_heat_maps() {
        let mut days = Table::new("days", &[("day", Unit::Text), ("dau", Unit::Count)]);
        days.row([Cell::text("2026-01-01"), Cell::Count(1)]);
        assert_eq!(kind(&days), Kind::Plain, "one day is no line");
        days.row([Cell::text("2026-01-02"), Cell::Count(2)]);
        assert_eq!(kind(&days), Kind::Lines);
        let shares =
            [("cohort", Unit::Text), ("a", Unit::Share), ("b", Unit::Share), ("c", Unit::Share), ("d", Unit::Share)];
        let mut cohorts = Table::new("cohorts", &shares);
        cohorts.row([Cell::text("2026-01")]);
        assert_eq!(kind(&cohorts), Kind::Heat);
        let mut features = Table::new("features", &[("feature", Unit::Text), ("people", Unit::Count)]);
        features.row([Cell::text("exports"), Cell::Count(1)]);
        features.row([Cell::text("boards"), Cell::Count(2)]);
        assert_eq!(kind(&features), Kind::Bars);
        features.row([Cell::text("boards"), Cell::Count(2)]);
        assert_eq!(kind(&features), Kind::Plain, "rows of the same name do not compare");
    }

    #[test]
    fn only_days_and_months_are_times() {
        assert!(is_time("2026-01-31") && is_time("2026-01"));
        for other in ["2026", "trial", "20260131", "2026-1-31", "", "1234567890"] {
            assert!(!is_time(other), "{other}");
        }
    }
}
