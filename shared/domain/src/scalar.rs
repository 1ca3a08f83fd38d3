//! Numbers and truth values that come as text: from forms, CSV files, spreadsheets and languages that print `True`.

/// The number that `text` spells as JSON would, a plus sign and white space around it allowed; `None` where it spells none. `NaN`,
/// `inf` and digits in groups (`1,234`) are none.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if is_decimal { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// The truth value in JSON: true and false, their [texts](truth), or 1 and 0.
pub fn truth_of(value: &serde_json::Value) -> Option<bool> {
    match value {
        serde_json::Value::Bool(value) => Some(*value),
        serde_json::Value::String(text) => truth(text),
        serde_json::Value::Number(number) => truth(&number.to_string()),
        _ => None,
    }
}

/// The truth value that `text` spells, in any case and with white space around it: `true` and `false`, and what databases, forms and spreadsheets
/// write for them, `1`, `yes`, `y`, `t` and `on`, `0`, `no`, `n`, `f` and `off`.
pub fn truth(text: &str) -> Option<bool> {
    const TRUE: [&str; 6] = ["true", "1", "yes", "t", "y", "on"];
    const FALSE: [&str; 6] = ["false", "0", "no", "f", "n", "off"];
    let is_any = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
    if is_any(&TRUE) {
        Some(true)
    } else if is_any(&FALSE) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_text_and_nothing_else_is() {
        for (text, value) in
            [("3", 3.0), (" 0 ", 0.0), ("-1", -1.0), ("+7.50", 7.5), (".5", 0.5), ("1e3", 1000.0), ("007", 7.0)]
        {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", " ", "-", ".", "NaN", "inf", "-Infinity", "1,234", "12%", "0x10", "1e999", "three", "1 2"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn truth_values_are_read_in_any_case() {
        assert_eq!((truth("true"), truth(" False "), truth("TRUE")), (Some(true), Some(false), Some(true)));
        for (yes, no) in [("1", "0"), ("yes", "no"), ("Y", "N"), ("t", "f"), ("On", "off"), (" YES ", " No ")] {
            assert_eq!((truth(yes), truth(no)), (Some(true), Some(false)), "{yes} {no}");
        }
        for text in ["", " ", "2", "-1", "1.0", "maybe", "null", "oui"] {
            assert_eq!(truth(text), None, "{text}");
        }
    }
}
