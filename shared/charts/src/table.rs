//! The chart that says most about a table of a report.

use crate::chart::{Bar, Drawing, Series, bars, lines};
use perennial_reports::shown::text;
use perennial_reports::{Cell, Table, Unit};
use perennial_views::words::{capital, money, number, plain};

/// The most bars of a chart.
const MOST_BARS: usize = 16;

/// How a table is shown best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As lines over days or months.
    Lines,
    /// As cells that are coloured by their share.
    Heat,
    /// As a bar for each row.
    Bars,
    /// As a table only.
    Plain,
}

/// Returns how a table is shown best, by its columns.
#[must_use]
pub fn kind(table: &Table) -> Kind {
    let shares = table.columns.iter().filter(|column| column.unit == Unit::Share).count();
    let is_of_time = table.rows.iter().all(|row| matches!(row.first(), Some(Cell::Text(text)) if is_time(text)));
    if table.rows.is_empty() {
        Kind::Plain
    } else if shares >= 4 {
        Kind::Heat
    } else if is_of_time && table.rows.len() > 1 && measured(table).is_some() && is_one_line_each(table) {
        Kind::Lines
    } else if table.rows.len() > 1 && measured(table).is_some() && is_by_name(table) && table.rows.len() <= MOST_BARS {
        Kind::Bars
    } else {
        Kind::Plain
    }
}

/// Returns the chart of a table that is shown as lines or bars, which its [`kind`] says.
#[must_use]
pub fn drawing(table: &Table, kind: Kind) -> Option<Drawing> {
    match kind {
        Kind::Lines => time_lines(table),
        Kind::Bars => row_bars(table),
        Kind::Heat | Kind::Plain => None,
    }
}

/// Returns the name of the column whose numbers bars show.
#[must_use]
pub fn measure(table: &Table) -> Option<String> {
    measured(table).map(|at| capital(&plain(&table.columns[at].name)))
}

/// Returns a cell for readers: counts with commas, amounts in whole units.
#[must_use]
pub fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Count(count) => number(*count),
        Cell::Money { minor, currency } => money(*minor, *currency),
        cell => text(cell),
    }
}

/// Returns how dark a share of a heat map is, from 0 to 10; `None` for a cell that is no share of anything.
#[must_use]
pub fn level(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Share { part, of } if *of > 0 => Some((10 * part.clamp(&0, of)) / of),
        _ => None,
    }
}

/// Returns whether each row has a name of its own in the first column.
fn is_by_name(table: &Table) -> bool {
    let mut names: Vec<String> = table.rows.iter().filter_map(|row| row.first()).map(text).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    names.len() == all
}

/// Returns whether each day or month has one row. Rows of several currencies share a month, and would be on one axis: the lines would jump.
fn is_one_line_each(table: &Table) -> bool {
    !table.columns.iter().any(|column| column.name == "currency") || is_by_name(table)
}

/// Returns whether a text is a day or a month.
fn is_time(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let has_form = matches!((text.len(), digits), (10, 8) | (7, 6));
    has_form && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Returns the column that a chart shows: the first one with numbers.
fn measured(table: &Table) -> Option<usize> {
    let is_number = |unit| matches!(unit, Unit::Count | Unit::Number | Unit::Money | Unit::Share);
    table.columns.iter().position(|column| is_number(column.unit))
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

fn time_lines(table: &Table) -> Option<Drawing> {
    let first = measured(table)?;
    let unit = table.columns[first].unit;
    let of_unit = table.columns.iter().enumerate().skip(first).filter(|(_, column)| column.unit == unit).take(4);
    let series: Vec<Series> = of_unit
        .map(|(at, column)| Series {
            name: plain(&column.name),
            values: table.rows.iter().map(|row| row.get(at).and_then(number_of)).collect(),
        })
        .collect();
    let labels: Vec<String> = table.rows.iter().map(|row| row.first().map(text).unwrap_or_default()).collect();
    let shown = |value: f64| match unit {
        Unit::Share => format!("{value:.0} %"),
        _ if value >= 10.0 || value.fract() == 0.0 => number(value.round() as u64),
        _ => format!("{value:.1}"),
    };
    lines(&labels, &series, &shown)
}

fn row_bars(table: &Table) -> Option<Drawing> {
    let at = measured(table)?;
    let bar = |row: &Vec<Cell>| Bar {
        label: row.first().map(|cell| plain(&text(cell))).unwrap_or_default(),
        value: row.get(at).and_then(number_of).unwrap_or(0.0).max(0.0),
        shown: row.get(at).map(shown).unwrap_or_default(),
        is_bad: false,
    };
    bars(&table.rows.iter().map(bar).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_days_are_lines_and_cohorts_are_heat_maps() {
        let mut days = Table::new("days", &[("day", Unit::Text), ("dau", Unit::Count)]);
        assert_eq!(kind(&days), Kind::Plain, "nothing to show");
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
    fn months_of_two_currencies_are_no_line() {
        let mut months = Table::new("months", &[("month", Unit::Text), ("currency", Unit::Text), ("mrr", Unit::Count)]);
        for month in ["2026-01", "2026-02"] {
            months.row([Cell::text(month), Cell::text("EUR"), Cell::Count(1)]);
        }
        assert_eq!(kind(&months), Kind::Lines);
        months.row([Cell::text("2026-02"), Cell::text("USD"), Cell::Count(9)]);
        assert_eq!(kind(&months), Kind::Plain);
    }

    #[test]
    fn only_days_and_months_are_times() {
        assert!(is_time("2026-01-31") && is_time("2026-01"));
        for other in ["2026", "trial", "20260131", "2026-1-31", "", "1234567890"] {
            assert!(!is_time(other), "{other}");
        }
    }
}
