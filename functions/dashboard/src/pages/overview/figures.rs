//! The four figures at the top, from the stored reports: equal to what the reports' pages show.

use crate::answer::Failure;
use crate::ui;
use crate::words;
use futures::future::try_join_all;
use maud::{Markup, html};
use perennial_reports::{Cell, Name, Report, Table};
use perennial_views::Views;

/// The group of all people in reports.
const EVERYONE: &str = "everyone";

/// Reads the reports and returns the figures: one read each.
pub(super) async fn load(views: &Views) -> Result<Vec<Markup>, Failure> {
    let names = [Name::Activity, Name::Retention, Name::Risk, Name::Funnel];
    let read = names.map(|name| async move { views.store.report::<Report>(name.as_str(), None).await });
    let reports = try_join_all(read).await?;
    let [activity, retention, risk, funnel] = reports.as_slice() else { return Ok(Vec::new()) };
    Ok(vec![
        active(activity.as_ref()),
        retained(retention.as_ref()),
        at_risk(risk.as_ref()),
        converted(funnel.as_ref()),
    ])
}

fn table<'a>(report: Option<&'a Report>, name: &str) -> Option<&'a Table> {
    report?.tables.iter().find(|table| table.name == name)
}

/// Returns the cell of a row in the column of this name.
fn cell<'a>(table: &'a Table, row: &'a [Cell], column: &str) -> Option<&'a Cell> {
    row.get(table.columns.iter().position(|own| own.name == column)?)
}

fn count(table: &Table, row: &[Cell], column: &str) -> Option<u64> {
    match cell(table, row, column)? {
        Cell::Count(count) => Some(*count),
        _ => None,
    }
}

/// Returns a figure that links to its report, or says that there is none yet.
fn figure(label: &str, report: Name, found: Option<(String, Markup)>) -> Markup {
    let path = crate::url::path(&["reports", report.as_str()]);
    let label_link = html! { a href=(path) { (label) } };
    match found {
        Some((value, below)) => {
            html! { div.card.figure { span.mute { (label_link) } strong { (value) } span.below { (below) } } }
        }
        None => ui::figure(label, "–", &html! { span.mute { "no report yet: they are made once a day" } }),
    }
}

fn active(report: Option<&Report>) -> Markup {
    let found = || {
        let table = table(report, "days")?;
        let last = table.rows.last()?;
        let now = count(table, last, "wau")?;
        let before = table.rows.iter().rev().nth(7).and_then(|row| count(table, row, "wau"));
        let below = match before.filter(|before| *before > 0) {
            None => html! { span.mute { "people in seven days" } },
            Some(before) => {
                let change = (now as f64 / before as f64 - 1.0) * 100.0;
                let (class, arrow) = if change >= 0.0 { ("up", "▲") } else { ("down", "▼") };
                html! { span class=(class) { (arrow) " " (format!("{:.1}", change.abs())) " %" }
                span.mute { " against a week before" } }
            }
        };
        Some((words::number(now), below))
    };
    figure("Active this week", Name::Activity, found())
}

fn retained(report: Option<&Report>) -> Markup {
    let found = || {
        let table = table(report, "segments")?;
        // The first segment with a target, else everyone: what somebody set a target for is what is looked at.
        let with_target =
            table.rows.iter().find(|row| matches!(cell(table, row, "target"), Some(Cell::Share { of: 1.., .. })));
        let row = with_target.or_else(|| table.rows.first())?;
        let Some(Cell::Share { part, of }) = cell(table, row, "retention") else { return None };
        let name = match row.first() {
            Some(Cell::Text(name)) => words::plain(name),
            _ => String::new(),
        };
        let days = count(table, row, "days").unwrap_or_default();
        let below = match cell(table, row, "target") {
            Some(Cell::Share { part: goal, of: whole }) if *whole > 0 => {
                let is_met = part.saturating_mul(*whole) >= goal.saturating_mul(*of);
                html! { span class=(if is_met { "up" } else { "down" }) { "target " (words::percent(*goal, *whole)) }
                span.mute { " · " (name) ", " (days) " days" } }
            }
            _ => html! { span.mute { (name) ", " (days) " days" } },
        };
        Some((words::percent(*part, *of), below))
    };
    figure("Retention", Name::Retention, found())
}

fn at_risk(report: Option<&Report>) -> Markup {
    let found = || {
        let table = table(report, "segments")?;
        // The currency with the most revenue stands for all.
        let rows = table.rows.iter().filter(|row| matches!(row.first(), Some(Cell::Text(group)) if group == EVERYONE));
        let money = |row: &[Cell], column: &str| match cell(table, row, column) {
            Some(Cell::Money { minor, currency }) => Some((*minor, *currency)),
            _ => None,
        };
        let mut all: Vec<_> = rows.filter_map(|row| Some((money(row, "mrr at risk")?, money(row, "mrr")?))).collect();
        all.sort_by_key(|(_, (mrr, _))| std::cmp::Reverse(*mrr));
        let ((risk, currency), (mrr, _)) = *all.first()?;
        if mrr == 0 {
            return Some(("–".to_owned(), html! { span.mute { "no subscription has a price" } }));
        }
        let others = all.len() - 1;
        let below = html! {
            span.mute { "of " (words::money(mrr, currency)) " a month"
                @if others > 0 { ", and " (words::counted(others as u64, "other currency", "other currencies")) } }
        };
        Some((words::money(risk, currency), below))
    };
    figure("Revenue at risk", Name::Risk, found())
}

fn converted(report: Option<&Report>) -> Markup {
    let found = || {
        let table = table(report, "conversions")?;
        let is_it =
            |row: &&Vec<Cell>| row.first() == Some(&Cell::text("trial")) && row.get(1) == Some(&Cell::text("customer"));
        let row = table.rows.iter().find(is_it)?;
        let Some(Cell::Share { part, of }) = cell(table, row, "converted") else { return None };
        let below =
            html! { span.mute { (words::number(part.unsigned_abs())) " of " (words::number(of.unsigned_abs())) } };
        Some((words::percent(*part, *of), below))
    };
    figure("Trial to paid", Name::Funnel, found())
}
