//! Measures in words: those of the vocabulary as phrases, any other as its source.

use super::{counted, plain, rounded};
use crate::explain::Measured;

/// A measure of which there are words.
enum Known<'a> {
    Idle,
    Active { days: &'a str },
    Used { feature: &'a str, days: &'a str },
    HighValueShare { days: &'a str },
    Activity { days: &'a str },
    Sentiment,
    Tenure,
    Customer,
    People,
    Score { name: &'a str },
    Times { event: &'a str, days: Option<&'a str> },
}

fn known(expression: &str) -> Option<Known<'_>> {
    let expression = expression.trim();
    Some(match expression {
        "idle_days" => Known::Idle,
        "sentiment" => Known::Sentiment,
        "tenure_days" => Known::Tenure,
        "customer_days" => Known::Customer,
        "account.people" => Known::People,
        _ => {
            if let Some(name) = expression.strip_prefix("scores.").filter(|name| is_name(name)) {
                return Some(Known::Score { name });
            }
            let (function, arguments) = expression.strip_suffix(')')?.split_once('(')?;
            // The rest of a longer expression is not an argument.
            let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
            let days = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
            match (function, arguments.as_slice()) {
                ("active_days", [of]) if days(of) => Known::Active { days: of },
                ("high_value_share", [of]) if days(of) => Known::HighValueShare { days: of },
                ("activity_change", [of]) if days(of) => Known::Activity { days: of },
                ("used_days", [feature, of]) if days(of) => Known::Used { feature: quoted(feature)?, days: of },
                ("count", [event]) => Known::Times { event: quoted(event)?, days: None },
                ("count", [event, of]) if days(of) => Known::Times { event: quoted(event)?, days: Some(of) },
                _ => return None,
            }
        }
    })
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn quoted(text: &str) -> Option<&str> {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner: &&str| !inner.contains(quote));
    inner('"').or_else(|| inner('\''))
}

/// Describes a signal's measure: "17 days without activity, of 25 that count in full".
pub(super) fn told(measured: &Measured) -> String {
    let Measured { expression, value, from, to } = measured;
    if let Some(condition) = condition(expression) {
        return if value == to { String::new() } else { format!("as `{condition}` does not hold") };
    }
    let full = if to > from { value >= to } else { value <= to };
    let known = known(expression);
    let state =
        known.as_ref().map_or_else(|| format!("`{expression}` is {}", rounded(*value)), |known| state(known, *value));
    match known {
        _ if full => format!("{state}, which counts in full"),
        Some(Known::Idle | Known::Tenure | Known::Customer) => {
            format!("{state}, of {} that count in full", rounded(*to))
        }
        Some(Known::HighValueShare { .. }) => format!("{state}; {} would count in full", share(*to)),
        Some(Known::Activity { .. }) => format!("{state}; {} would count in full", change(*to)),
        _ => format!("{state}; {} would count in full", rounded(*to)),
    }
}

/// A state that may come about: "being active on 16 of 28 days".
pub(super) fn being(expression: &str, reaches: f64) -> String {
    if let Some(condition) = condition(expression) {
        let lost = reaches == 0.0;
        return match personas(condition) {
            Some(personas) if lost => format!("no longer being {personas}"),
            Some(personas) => format!("becoming {personas}"),
            None => format!("`{condition}` {}", if lost { "no longer holding" } else { "holding" }),
        };
    }
    match known(expression) {
        Some(Known::Active { days }) => format!("being active on {} of {days} days", rounded(reaches)),
        Some(Known::Used { feature, days }) => {
            format!("using {} on {} of {days} days", plain(feature), rounded(reaches))
        }
        Some(Known::HighValueShare { days }) => {
            format!("using {} of the high-value features within {days} days", share(reaches))
        }
        Some(Known::Activity { days }) => {
            format!("activity {} the {days} days before", change(reaches))
        }
        Some(Known::Sentiment) => format!("texts with a tone of {reaches:+.1}"),
        Some(Known::People) => format!("an account of {} people", rounded(reaches)),
        Some(Known::Score { name }) => format!("a {} score of {}", plain(name), rounded(reaches)),
        Some(known @ (Known::Idle | Known::Tenure | Known::Customer | Known::Times { .. })) => state(&known, reaches),
        None => format!("`{expression}` at {}", rounded(reaches)),
    }
}

fn state(known: &Known<'_>, value: f64) -> String {
    let days = |n: f64| counted(n as i64, "day");
    match known {
        Known::Idle => format!("{} without activity", days(value)),
        Known::Active { days } => format!("active on {} of the last {days} days", rounded(value)),
        Known::Used { feature, days } => {
            format!("used {} on {} of the last {days} days", plain(feature), rounded(value))
        }
        Known::HighValueShare { days } => {
            format!("{} of the high-value features used within {days} days", share(value))
        }
        Known::Activity { days } => format!("activity {} the {days} days before", change(value)),
        Known::Sentiment => format!("texts have a tone of {value:+.2}"),
        Known::Tenure => format!("{} since the first activity", days(value)),
        Known::Customer => format!("{} since the first payment", days(value)),
        Known::People => format!("{} people in the account", rounded(value)),
        Known::Score { name } => format!("{} is {}", plain(name), rounded(value)),
        Known::Times { event, days: None } => times(event, value),
        Known::Times { event, days: Some(days) } => format!("{} within {days} days", times(event, value)),
    }
}

fn times(event: &str, value: f64) -> String {
    match value as i64 {
        0 => format!("no \"{event}\""),
        1 => format!("\"{event}\" once"),
        n => format!("\"{event}\" {n} times"),
    }
}

/// The condition of `CONDITION ? 1 : 0`.
fn condition(expression: &str) -> Option<&str> {
    let (condition, rest) = expression.rsplit_once('?')?;
    (rest.replace(' ', "") == "1:0").then(|| condition.trim())
}

/// Describes a condition that only tests personas: "administrator or executive sponsor".
fn personas(condition: &str) -> Option<String> {
    let name = |text: &str| quoted(text.trim().strip_prefix("persona(")?.strip_suffix(')')?).map(plain);
    let names: Option<Vec<String>> = condition.split("||").map(name).collect();
    names.map(|names| names.join(" or "))
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 100.0).round())
}

fn share(share: f64) -> String {
    match percent(share).as_str() {
        "0%" => "none".to_owned(),
        "100%" => "all".to_owned(),
        percent => percent.to_owned(),
    }
}

/// "40% below", of a change of -0.4.
fn change(change: f64) -> String {
    let by = format!("{}%", (change.abs() * 100.0).round());
    if by == "0%" { "level with".to_owned() } else { format!("{by} {}", if change < 0.0 { "below" } else { "above" }) }
}
