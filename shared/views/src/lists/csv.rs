//! Rows as CSV (RFC 4180), which spreadsheets open without running what somebody wrote into a name.
//!
//! A cell that a spreadsheet would take for a formula is preceded by an apostrophe ([`harmless`]), every cell is in quotes,
//! and quotes are doubled.

use perennial_domain::spreadsheet::harmless;
use serde_json::Value;

/// The columns of a table: the header of each, and the path of its value in a row.
pub type Columns = [(&'static str, &'static [&'static str])];

/// The columns of people.
pub const PEOPLE: [(&str, &[&str]); 23] = [
    ("id", &["id"]),
    ("identity", &["identity"]),
    ("name", &["name"]),
    ("email", &["email"]),
    ("company", &["company"]),
    ("account", &["account"]),
    ("owner", &["owner"]),
    ("stage", &["stage"]),
    ("segments", &["segments"]),
    ("personas", &["personas"]),
    ("engagement", &["engagement"]),
    ("purchase", &["scores", "purchase"]),
    ("conversion", &["scores", "conversion"]),
    ("trial_success", &["scores", "trial_success"]),
    ("upgrade", &["scores", "upgrade"]),
    ("success", &["scores", "success"]),
    ("churn", &["scores", "churn"]),
    ("recommendation", &["scores", "recommendation"]),
    ("influence_inside", &["scores", "influence_inside"]),
    ("influence_outside", &["scores", "influence_outside"]),
    ("nps", &["nps"]),
    ("last_seen", &["last_seen"]),
    ("idle_days", &["idle_days"]),
];

/// The columns of accounts.
pub const ACCOUNTS: [(&str, &[&str]); 12] = [
    ("id", &["id"]),
    ("name", &["name"]),
    ("owner", &["owner"]),
    ("touch", &["touch"]),
    ("stage", &["stage"]),
    ("people", &["people"]),
    ("readiness", &["readiness"]),
    ("health", &["health"]),
    ("value", &["value"]),
    ("currency", &["currency"]),
    ("renews_at", &["renews_at"]),
    ("last_seen", &["last_seen"]),
];

/// Returns a table with a header, one line for each row.
pub fn table(columns: &Columns, rows: &[Value]) -> String {
    let mut text = String::new();
    line(&mut text, columns.iter().map(|(name, _)| (*name).to_owned()));
    for row in rows {
        line(
            &mut text,
            columns.iter().map(|(_, path)| shown(path.iter().try_fold(row, |value, name| value.get(name)))),
        );
    }
    text
}

fn line(text: &mut String, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

/// Returns a value as a cell. Numbers are no text, and need no protection.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text).into_owned(),
        Some(Value::Array(all)) => {
            let all: Vec<String> = all.iter().map(|one| shown(Some(one))).collect();
            all.join(" ")
        }
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn formulas_are_defused_and_quotes_doubled() {
        let columns: &Columns = &[("name", &["name"]), ("n", &["n"]), ("all", &["all"])];
        let rows = [
            json!({ "name": "=cmd|' /C calc'!A0", "n": -5, "all": ["a", "b"] }),
            json!({ "name": "say \"hi\",\r\nbye", "n": null }),
            json!({ "name": " \u{ff1d}1+1", "n": 7, "all": [] }),
        ];
        let expected = "\"name\",\"n\",\"all\"\r\n\"'=cmd|' /C calc'!A0\",\"-5\",\"a b\"\r\n\
            \"say \"\"hi\"\",\r\nbye\",\"\",\"\"\r\n\"' \u{ff1d}1+1\",\"7\",\"\"\r\n";
        assert_eq!(table(columns, &rows), expected);
    }
}
