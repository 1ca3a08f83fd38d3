//! Reports as text: cells in words, and tables as CSV.

use crate::report::{Cell, Report, Table};
use perennial_domain::Currency;
use perennial_domain::spreadsheet::harmless;
use std::fmt::Write as _;

/// Returns a cell for readers: `12.3 %`, `1,234.50 USD`; empty without a value.
pub fn text(cell: &Cell) -> String {
    match cell {
        Cell::Share { of: 0, .. } | Cell::Nothing(()) => String::new(),
        Cell::Share { part, of } => format!("{:.1} %", *part as f64 / *of as f64 * 100.0),
        Cell::Money { minor, currency } => format!("{} {currency}", major(*minor, *currency)),
        Cell::Count(count) => count.to_string(),
        Cell::Number(number) => format!("{number:.1}"),
        Cell::Text(text) => text.clone(),
    }
}

/// Returns an amount in major units, with all decimals of its currency.
pub fn major(minor: i64, currency: Currency) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let (units, decimals) = (minor.unsigned_abs(), currency.exponent());
    match 10_u64.checked_pow(decimals) {
        Some(by) if by > 1 => {
            let width = usize::try_from(decimals).unwrap_or(0);
            format!("{sign}{}.{:0width$}", units / by, units % by)
        }
        _ => format!("{sign}{units}"),
    }
}

/// Returns all tables of a report as CSV (RFC 4180), with an empty line between two. Shares are numbers from 0 to 1, and
/// amounts are in major units. Texts that a spreadsheet would take for formulas have a `'` before them.
pub fn csv(report: &Report) -> String {
    let tables: Vec<String> = report.tables.iter().map(table).collect();
    tables.join("\r\n")
}

fn table(table: &Table) -> String {
    let header: Vec<String> = table.columns.iter().map(|column| field(&harmless(&column.name))).collect();
    let mut out = header.join(",") + "\r\n";
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| field(&value(cell))).collect();
        let _infallible = write!(out, "{}\r\n", cells.join(","));
    }
    out
}

fn value(cell: &Cell) -> String {
    match cell {
        Cell::Share { of: 0, .. } => String::new(),
        Cell::Share { part, of } => format!("{:.4}", *part as f64 / *of as f64),
        Cell::Money { minor, currency } => major(*minor, *currency),
        Cell::Text(text) => harmless(text).into_owned(),
        cell => text(cell),
    }
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::name::Name;
    use crate::report::Unit;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        let of = |minor, code| major(minor, Currency::parse(code).unwrap());
        assert_eq!(of(123_456, "USD"), "1234.56");
        assert_eq!(of(-5, "EUR"), "-0.05");
        assert_eq!(of(1200, "JPY"), "1200");
        assert_eq!(of(-1_005, "KWD"), "-1.005");
        assert_eq!(of(i64::MIN, "KWD"), "-9223372036854775.808");
    }

    #[test]
    fn formulas_quotes_and_line_breaks_are_harmless_in_csv() {
        let mut table = Table::new("t", &[("user", Unit::Text), ("share", Unit::Share), ("mrr", Unit::Money)]);
        let eur = Currency::parse("EUR").unwrap();
        for (text, share, minor) in
            [("=HYPERLINK(\"x\",1)", Cell::share(1, 3), -50), ("@a\nb", Cell::share(0, 0), 7), ("-1", Cell::NOTHING, 0)]
        {
            table.row([Cell::text(text), share, Cell::Money { minor, currency: eur }]);
        }
        let report = Report {
            name: Name::People,
            at: "2026-03-01T00:00:00Z".parse().unwrap(),
            config: perennial_testkit::ConfigBuilder::least().load().version,
            from: "2026-03-01".parse().unwrap(),
            to: "2026-03-01".parse().unwrap(),
            people: 0,
            unreadable: 0,
            notes: Vec::new(),
            tables: vec![table.clone(), Table { rows: Vec::new(), ..table }],
        };
        let expected = "user,share,mrr\r\n\"'=HYPERLINK(\"\"x\"\",1)\",0.3333,-0.50\r\n\"'@a\nb\",,0.07\r\n'-1,,0.00\r\n\r\n\
            user,share,mrr\r\n";
        assert_eq!(csv(&report), expected);
        assert_eq!(serde_json::from_str::<Report>(&serde_json::to_string(&report).unwrap()).unwrap(), report);
    }
}
