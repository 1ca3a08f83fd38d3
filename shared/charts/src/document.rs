//! A report as one SVG file that needs nothing beside it: its own style, fonts of the system, and the colours of the reader's theme.

use crate::chart::Drawing;
use crate::table::{Kind, drawing, kind, level, measure, shown};
use maud::{Markup, html};
use perennial_domain::text::cut;
use perennial_reports::{Report, Table};
use perennial_views::words::{capital, counted, plain};

/// The width of the file, in pixels.
const WIDTH: f64 = 720.0;
/// The space around everything.
const MARGIN: f64 = 24.0;
/// The height of a heading.
const HEADING: f64 = 34.0;
/// The height of a heat map's row.
const ROW: f64 = 26.0;
/// The most rows of a heat map: the newest.
const MOST_ROWS: usize = 24;
/// The most columns of a heat map, besides its names.
const MOST_COLUMNS: usize = 13;
/// The most characters of a note in a line.
const LINE: usize = 110;

const STYLE: &str = "\
text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; fill: #1d2321 } \
.title { font-size: 20px; font-weight: 600 } .heading { font-size: 15px; font-weight: 600 } \
.axis { font-size: 11px; fill: #5d6763 } .ground { fill: #fff } .grid { stroke: #dde2df } \
.line { fill: none; stroke-width: 2; stroke-linejoin: round } \
.s0 { stroke: #1f6f54 } .s1 { stroke: #b3631b } .s2 { stroke: #3f5fb0 } .s3 { stroke: #8a3f86 } \
.key { stroke-width: 3 } .bar-fill { fill: #1f6f54 } .bar-fill.bad { fill: #b3631b } .heat { fill: #1f6f54 } \
@media (prefers-color-scheme: dark) { text { fill: #e7ece9 } .axis { fill: #9aa5a0 } .ground { fill: #151917 } \
.grid { stroke: #2c3330 } .s0 { stroke: #63c39f } .s1 { stroke: #e29a56 } .s2 { stroke: #8da6ee } .s3 { stroke: #d08acb } \
.bar-fill { fill: #63c39f } .bar-fill.bad { fill: #e29a56 } .heat { fill: #63c39f } }";

/// A part of the document, from its own top.
struct Part {
    height: f64,
    marks: Markup,
}

/// Returns the picture of `report`: each of its tables that says more as a chart, under its name. `None` if none does.
#[must_use]
pub fn svg(report: &Report) -> Option<String> {
    let parts: Vec<Part> = report.tables.iter().filter_map(part).collect();
    if parts.is_empty() {
        return None;
    }
    let title = capital(&plain(report.name.as_str()));
    let about = format!(
        "{} to {} · {} · made {:.0}",
        report.from,
        report.to,
        counted(report.people, "person", "people"),
        report.at
    );
    let mut tops = Vec::new();
    let mut y = MARGIN + 56.0;
    for part in &parts {
        tops.push(y);
        y += part.height + 16.0;
    }
    let notes = y;
    let height = y + 16.0 * report.notes.len() as f64 + MARGIN - 16.0;
    let picture = html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(WIDTH) height=(height) viewBox=(format!("0 0 {WIDTH} {height}"))
            role="img" {
            title { (title) ": " (report.name.description()) }
            style { (STYLE) }
            rect.ground width="100%" height="100%" {}
            text.title x=(MARGIN) y=(MARGIN + 16.0) { (title) }
            text.axis x=(MARGIN) y=(MARGIN + 36.0) { (about) }
            @for (part, top) in parts.iter().zip(&tops) { g transform=(format!("translate({MARGIN} {top})")) { (part.marks) } }
            @for (nth, note) in report.notes.iter().enumerate() {
                text.axis x=(MARGIN) y=(notes + 16.0 * nth as f64) { (cut(note, LINE)) }
            }
        }
    };
    Some(format!("{}\n", picture.into_string()))
}

/// Returns the part of a table; `None` if it is best read as a table.
fn part(table: &Table) -> Option<Part> {
    let (height, marks) = match kind(table) {
        Kind::Plain => return None,
        Kind::Heat => heat(table),
        kind @ (Kind::Lines | Kind::Bars) => chart(table, &drawing(table, kind)?),
    };
    let title = capital(&plain(&table.name));
    let marks = html! {
        text.heading x="0" y="14" { (title) }
        g transform=(format!("translate(0 {HEADING})")) { (marks) }
    };
    Some(Part { height: height + HEADING, marks })
}

fn chart(table: &Table, drawing: &Drawing) -> (f64, Markup) {
    const KEY: f64 = 150.0;
    let Drawing { width, height, marks, legend } = drawing;
    let is_bars = legend.is_empty();
    let above = if is_bars { 14.0 } else { 0.0 };
    let below = if is_bars { 0.0 } else { 22.0 };
    let marks = html! {
        @if is_bars && let Some(measure) = measure(table) { text.axis x="0" y="4" { (measure) } }
        svg y=(above) width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) { (marks) }
        @for (nth, name) in legend.iter().enumerate() {
            @let x = KEY * nth as f64;
            line class={ "key s" (nth) } x1=(x) x2=(x + 14.0) y1=(height + 14.0) y2=(height + 14.0) {}
            text.axis x=(x + 20.0) y=(height + 18.0) { (cut(name, 20)) }
        }
    };
    (height + above + below, marks)
}

/// Draws a heat map: a row of cells for each row of the table, darker the larger their share.
fn heat(table: &Table) -> (f64, Markup) {
    let columns = table.columns.len().min(MOST_COLUMNS + 1);
    let cell = (WIDTH - 2.0 * MARGIN) / columns as f64;
    let skipped = table.rows.len().saturating_sub(MOST_ROWS);
    let rows = &table.rows[skipped..];
    let room = (cell / 7.0) as usize;
    let marks = html! {
        @for (nth, column) in table.columns.iter().take(columns).enumerate() {
            text.axis x=(cell * nth as f64 + 4.0) y="8" { (cut(&plain(&column.name), room)) }
        }
        @for (at, row) in rows.iter().enumerate() {
            @let y = 16.0 + ROW * at as f64;
            @for (nth, value) in row.iter().take(columns).enumerate() {
                @let x = cell * nth as f64;
                @if let Some(level) = level(value) {
                    rect.heat x=(x) y=(y) width=(cell - 2.0) height=(ROW - 2.0) rx="3" fill-opacity=(opacity(level)) {}
                }
                text x=(x + 4.0) y=(y + 16.0) { (cut(&shown(value), room)) }
            }
        }
    };
    (16.0 + ROW * rows.len() as f64, marks)
}

/// How much of the colour a level shows: text stays legible on the darkest.
fn opacity(level: i64) -> String {
    format!("{:.2}", 0.04 + 0.04 * level as f64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_reports::{Cell, Name, Unit};

    fn report(tables: Vec<Table>) -> Report {
        Report {
            name: Name::Cohorts,
            at: "2026-03-01T00:00:00Z".parse().unwrap(),
            config: perennial_testkit::ConfigBuilder::least().load().version,
            from: "2026-01-01".parse().unwrap(),
            to: "2026-03-01".parse().unwrap(),
            people: 1_234,
            unreadable: 0,
            notes: vec!["a <note> & more".to_owned()],
            tables,
        }
    }

    fn features(names: &[&str]) -> Table {
        let mut table = Table::new("most_used", &[("feature", Unit::Text), ("people", Unit::Count)]);
        for (nth, name) in names.iter().enumerate() {
            table.row([Cell::text(*name), Cell::Count(nth as u64 + 1)]);
        }
        table
    }

    #[test]
    fn report_without_a_chart_is_no_picture() {
        assert_eq!(svg(&report(vec![features(&["one"])])), None);
        assert_eq!(svg(&report(Vec::new())), None);
    }

    #[test]
    fn names_and_notes_are_escaped_and_the_style_is_the_documents_own() {
        let picture = svg(&report(vec![features(&["<script>", "b&c"])])).unwrap();
        assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{picture}");
        assert!(picture.contains("&lt;script&gt;") && picture.contains("b&amp;c") && !picture.contains("<script"));
        assert!(picture.contains("a &lt;note&gt; &amp; more") && picture.contains("1,234 people"));
        for foreign in ["href", "url(", "@import"] {
            assert!(!picture.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn heat_map_is_darker_the_larger_the_share_and_empty_without_one() {
        let columns =
            [("cohort", Unit::Text), ("0", Unit::Share), ("1", Unit::Share), ("2", Unit::Share), ("3", Unit::Share)];
        let mut cohorts = Table::new("kept", &columns);
        cohorts.row([Cell::text("2026-01"), Cell::share(4, 4), Cell::share(2, 4), Cell::share(0, 4), Cell::NOTHING]);
        let picture = svg(&report(vec![cohorts])).unwrap();
        let opacities: Vec<&str> =
            picture.split("fill-opacity=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(opacities, ["0.44", "0.24", "0.04"]);
        assert!(picture.contains(">100.0 %<") && picture.contains(">50.0 %<"), "{picture}");
    }

    #[test]
    fn parts_are_below_each_other_and_the_document_holds_all() {
        let one = svg(&report(vec![features(&["a", "b"])])).unwrap();
        let two = svg(&report(vec![features(&["a", "b"]), features(&["c", "d", "e"])])).unwrap();
        let height = |picture: &str| -> f64 {
            picture.split("height=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().parse().unwrap()
        };
        assert_eq!(two.matches("translate(24 ").count(), 2);
        // Another heading, three bars with what they show above them, and the space between two parts.
        assert_eq!(height(&two) - height(&one), HEADING + 3.0 * 26.0 + 14.0 + 16.0);
    }
}
