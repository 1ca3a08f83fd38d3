//! Converts values as a mapping defines.

use perennial_config::mapping::{Convert, Other, Target, TimeForm};
use perennial_domain::{scalar, timestamp};
use serde_json::Value;

/// Returns `found` converted; `None` if it cannot be, or if a table of values drops it.
pub(super) fn converted(convert: &Convert, found: Value) -> Option<Value> {
    let listed = if convert.values.is_empty() { None } else { convert.values.get(plain(&found)?.trim()) };
    let value = match (listed, convert.other) {
        (Some(listed), _) => listed.clone(),
        (None, Other::Drop) if !convert.values.is_empty() => return None,
        (None, _) => found,
    };
    match &convert.to {
        Target::Same => Some(value),
        Target::Text => plain(&value).map(Value::from),
        Target::Number { decimal } => match value {
            Value::Number(_) => Some(value),
            Value::Bool(truth) => Some(u8::from(truth).into()),
            other => number(other.as_str()?, *decimal),
        },
        Target::Boolean => match value {
            Value::Bool(_) => Some(value),
            other => scalar::truth(&plain(&other)?).map(Value::from),
        },
        Target::Time(form) => time(form, &value).or_else(|| Some(timestamp::of_json(&value)?.to_string().into())),
        Target::List { separator } => match value {
            Value::Array(_) => Some(value),
            other => {
                let text = plain(&other)?;
                let items = text.split(separator.as_str()).map(str::trim).filter(|item| !item.is_empty());
                Some(items.map(Value::from).collect::<Vec<_>>().into())
            }
        },
        Target::Json => match value {
            Value::String(text) => serde_json::from_str(&text).ok(),
            other => Some(other),
        },
    }
}

/// Returns the time that `value` spells in `form`, in the form that every reader knows; `None` if the value is to be
/// read unchanged.
pub(super) fn time(form: &TimeForm, value: &Value) -> Option<Value> {
    if *form == TimeForm::default() {
        return None;
    }
    let text = plain(value)?;
    match form.read(&text) {
        Some(at) => Some(at.to_string().into()),
        // A text in another form than the one that was stated is no time; the validation of the call says so.
        None if form.format.is_some() && !timestamp::is_nothing(&text) => {
            Some(format!("not in the form: {text}").into())
        }
        None => None,
    }
}

/// The text of a text, a number or a truth value.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// Returns the number in a text such as `1,234.50`, `1.234,50`, `1 234`, `$12.00`, `(12)` or `15 %`.
fn number(text: &str, decimal: char) -> Option<Value> {
    let text = text.trim();
    let (text, is_negative) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let is_grouping = |c: char| c != decimal && matches!(c, '.' | ',' | '\'' | '’' | '_') || c.is_whitespace();
    let bare = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '$' | '€' | '£' | '¥' | '%'));
    let (whole, fraction) = bare.split_once(decimal).unwrap_or((bare, ""));
    if !is_grouped(whole, is_grouping) || fraction.contains(is_grouping) {
        return None;
    }
    let digits: String =
        bare.chars().filter(|c| !is_grouping(*c)).map(|c| if c == decimal { '.' } else { c }).collect();
    scalar::number(&digits)?;
    let sign = if is_negative { "-" } else { "" };
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let (negative, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let digits = digits.trim_start_matches('0');
    let digits =
        if digits.starts_with(|c: char| c.is_ascii_digit()) { digits.to_owned() } else { format!("0{digits}") };
    serde_json::from_str(&format!("{sign}{negative}{}", digits.trim_end_matches('.'))).ok()
}

/// Returns whether the marks in a whole number group its digits: by threes, or as in India by twos before the last three. In `19,00` the
/// comma does not, and the number would be a hundred times as much without it.
fn is_grouped(whole: &str, is_mark: impl Fn(char) -> bool) -> bool {
    let mut groups = whole.rsplit(is_mark);
    let last = groups.next().unwrap_or_default();
    let Some(mut group) = groups.next() else { return true };
    if last.len() != 3 {
        return false;
    }
    for before in groups {
        if !matches!(group.len(), 2 | 3) {
            return false;
        }
        group = before;
    }
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_in_the_spellings_of_spreadsheets() {
        for (text, decimal, expected) in [
            ("1,234.50", '.', json!(1234.50)),
            ("1.234,50", ',', json!(1234.50)),
            ("1 234", '.', json!(1234)),
            ("1'234.5", '.', json!(1234.5)),
            ("$12.00", '.', json!(12.00)),
            ("(12)", '.', json!(-12)),
            ("-0.5", '.', json!(-0.5)),
            (",5", ',', json!(0.5)),
            ("007", '.', json!(7)),
            ("0", '.', json!(0)),
            ("15 %", '.', json!(15)),
            ("1e3", '.', json!(1e3)),
        ] {
            assert_eq!(number(text, decimal), Some(expected), "{text}");
        }
        for text in ["", "-", "n/a", "1-2", "12 apples", "19,00", "1,5", "1,2,345", "1.000,50", "1.5,00", "1,234,5"] {
            assert_eq!(number(text, '.'), None, "{text}");
        }
        for text in ["19.00", "1.5", "1,000.50", "1.2.345"] {
            assert_eq!(number(text, ','), None, "{text}");
        }
        for text in ["12,345,678", "1,23,45,678"] {
            assert!(number(text, '.').is_some(), "{text}");
        }
    }

    #[test]
    fn value_tables_replace_keep_and_drop() {
        let table = |other| Convert {
            from: Vec::new(),
            values: [("1".to_owned(), json!("basic")), ("true".to_owned(), json!(7))].into(),
            other,
            to: Target::Same,
        };
        assert_eq!(converted(&table(Other::Keep), json!(1)), Some(json!("basic")));
        assert_eq!(converted(&table(Other::Keep), json!(true)), Some(json!(7)));
        assert_eq!(converted(&table(Other::Keep), json!("3")), Some(json!("3")));
        assert_eq!(converted(&table(Other::Drop), json!("3")), None);
    }

    #[test]
    fn values_become_what_is_wanted_or_nothing() {
        let to = |to: Target, value: Value| {
            converted(&Convert { from: Vec::new(), values: Default::default(), other: Other::Keep, to }, value)
        };
        assert_eq!(to(Target::Text, json!(5)), Some(json!("5")));
        assert_eq!(to(Target::Boolean, json!("Yes")), Some(json!(true)));
        assert_eq!(to(Target::Boolean, json!("perhaps")), None);
        let list = |separator: &str| Target::List { separator: separator.to_owned() };
        assert_eq!(to(list(";"), json!("a; b;;c")), Some(json!(["a", "b", "c"])));
        assert_eq!(to(Target::Json, json!("{\"a\":[1]}")), Some(json!({"a": [1]})));
        assert_eq!(to(Target::Json, json!("{a")), None);
        let rome = TimeForm { format: None, zone: jiff::tz::TimeZone::get("Europe/Rome").ok() };
        assert_eq!(to(Target::Time(rome), json!("2026-07-24 14:30")), Some(json!("2026-07-24T12:30:00Z")));
        assert_eq!(to(Target::Time(TimeForm::default()), json!(1_772_357_400)), Some(json!("2026-03-01T09:30:00Z")));
        assert_eq!(to(Target::Time(TimeForm::default()), json!("soon")), None);
    }
}
