//! Rows: the goal, the measurement, and whether it is met.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};

/// The goal of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// No goal; the number is only stated.
    Stated,
}

/// The result for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    Stated,
    NotMeasured,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    what: String,
    goal: Goal,
    unit: &'static str,
    measured: Result<f64, String>,
    note: String,
}

impl Row {
    /// Returns a row for `what`, in `unit` (appended to its numbers), with a measurement or the reason why there is
    /// none.
    pub(crate) fn new(
        what: impl Into<String>,
        goal: Goal,
        unit: &'static str,
        measured: Result<f64, impl std::fmt::Display>,
    ) -> Self {
        Self { what: what.into(), goal, unit, measured: measured.map_err(|why| why.to_string()), note: String::new() }
    }

    /// Adds what helps to read the number.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn verdict(&self) -> Verdict {
        match (&self.measured, self.goal) {
            (Err(_), _) => Verdict::NotMeasured,
            (Ok(_), Goal::Stated) => Verdict::Stated,
            (Ok(n), Goal::AtMost(limit)) if *n <= limit => Verdict::Met,
            (Ok(n), Goal::AtLeast(limit)) if *n >= limit => Verdict::Met,
            (Ok(_), _) => Verdict::Missed,
        }
    }

    fn cells(&self) -> [Cell; 5] {
        let goal = match self.goal {
            Goal::AtMost(limit) => format!("<= {}{}", number(limit), self.unit),
            Goal::AtLeast(limit) => format!(">= {}{}", number(limit), self.unit),
            Goal::Stated => String::new(),
        };
        let measured = match &self.measured {
            Ok(n) => format!("{}{}", number(*n), self.unit),
            Err(why) => why.clone(),
        };
        let verdict = match self.verdict() {
            Verdict::Met => Cell::new("met").fg(Color::Green),
            Verdict::Missed => Cell::new("MISSED").fg(Color::Red).add_attribute(Attribute::Bold),
            Verdict::Stated => Cell::new(""),
            Verdict::NotMeasured => Cell::new("not measured").fg(Color::Yellow),
        };
        [Cell::new(&self.what), Cell::new(goal), Cell::new(measured), verdict, Cell::new(&self.note)]
    }
}

/// Formats about three significant digits, with thousands separators.
fn number(n: f64) -> String {
    let magnitude = n.abs();
    if magnitude >= 1000.0 {
        let whole = format!("{n:.0}");
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) && !grouped.ends_with('-') {
                grouped.push(' ');
            }
            grouped.push(digit);
        }
        return grouped;
    }
    let text = match magnitude {
        m if m >= 100.0 => format!("{n:.0}"),
        m if m >= 10.0 => format!("{n:.1}"),
        m if m >= 1.0 => format!("{n:.2}"),
        _ => format!("{n:.3}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Renders all rows as one table and counts the verdicts below it.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["what", "goal", "measured", "verdict", "how"]);
    for row in rows {
        table.add_row(row.cells());
    }
    let count = |verdict| rows.iter().filter(|row| row.verdict() == verdict).count();
    format!(
        "{table}\n{} met, {} MISSED, {} not measured, {} stated",
        count(Verdict::Met),
        count(Verdict::Missed),
        count(Verdict::NotMeasured),
        count(Verdict::Stated),
    )
}

/// The middle of the numbers (the upper of two), or `None` if there are none.
pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    percentile(numbers, 50)
}

/// The number that `percent` of them do not exceed.
pub(crate) fn percentile(numbers: impl IntoIterator<Item = f64>, percent: usize) -> Option<f64> {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
}
