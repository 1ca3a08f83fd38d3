//! Moments in the spellings of clients, webhooks and databases.
//!
//! | spelling | as in |
//! |---|---|
//! | RFC 3339 and 9557, with any offset | `2026-03-01T09:30:00.000Z`, `2026-03-01T10:30:00+01:00[Europe/Rome]` |
//! | SQL, with or without a zone | `2026-03-01 09:30:00`, `2026-03-01 09:30:00.123+00`, `2026-03-01 09:30:00 UTC` |
//! | a date alone, or without separators | `2026-03-01`, `20260301`, `20260301093000`, `20260301T093000Z` |
//! | seconds, milliseconds, microseconds or nanoseconds since 1970, by their size; as a number or as text, with or without a fraction | `1772357400`, `1772357400.5`, `"1772357400000"` |
//! | RFC 2822, RFC 850, `asctime`, `date`, access logs | `Sun, 01 Mar 2026 09:30:00 +0000`, `Sunday, 01-Mar-26 09:30:00 GMT`, `Sun Mar  1 09:30:00 UTC 2026`, `01/Mar/2026:09:30:00 +0000` |
//! | what languages print | `Sun Mar 01 2026 10:30:00 GMT+0100 (CET)`, `2026-03-01 09:30:00 +0000 UTC m=+0.1`, `March 1, 2026 9:30 AM` |
//! | .NET's and MongoDB's JSON, protocol buffers, Jackson's arrays | `/Date(1772357400000)/`, `{"$date": …}`, `{"seconds": …, "nanos": …}`, `[2026, 3, 1, 9, 30]` |
//!
//! Without a zone it is UTC. A month in figures is read only behind the year: what `03/04/2026` means depends on who wrote it, so it is
//! no moment here. Pure and total.

mod written;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::Value;

/// No spelling of a moment is longer.
const MAX_BYTES: usize = 120;
/// No moment of ours is a smaller number: in seconds, it is of March 1973.
const SMALLEST: i128 = 100_000_000;
const NANOS: i128 = 1_000_000_000;

/// The moment that `text` spells; `None` where it spells none.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '"');
    if text.len() > MAX_BYTES {
        return None;
    }
    let iso = || text.parse::<Timestamp>().ok();
    iso().or_else(|| of_number(text)).or_else(|| of_dot_net(text)).or_else(|| written::parse(text))
}

/// The moment that a JSON value spells; `None` where it spells none.
pub fn of_json(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => of_number(&number.to_string()),
        Value::Object(object) => {
            if let Some(inner) = ["$date", "$numberLong"].iter().find_map(|name| object.get(*name)) {
                // One level of each: `{"$date": {"$numberLong": "…"}}`.
                return match inner {
                    Value::Object(long) => of_json(long.get("$numberLong").filter(|long| !long.is_object())?),
                    inner => of_json(inner),
                };
            }
            let part = |names: [&str; 2]| names.iter().find_map(|name| object.get(*name));
            let seconds = whole(part(["seconds", "_seconds"])?)?;
            let nanos = part(["nanos", "_nanoseconds"]).map_or(Some(0), whole)?;
            Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()
        }
        Value::Array(parts) if (3..=7).contains(&parts.len()) => {
            let at = |index: usize| parts.get(index).map_or(Some(0), Value::as_i64);
            let small = |index: usize| at(index).and_then(|part| i8::try_from(part).ok());
            let (year, nanos) = (i16::try_from(at(0)?).ok()?, i32::try_from(at(6)?).ok()?);
            let at = DateTime::new(year, small(1)?, small(2)?, small(3)?, small(4)?, small(5)?, nanos).ok()?;
            in_utc(at)
        }
        _ => None,
    }
}

/// The moment that a decimal number is: seconds since 1970 below 10^11, milliseconds below 10^14, microseconds below 10^17, else
/// nanoseconds. Seconds reach the first bound in 5138; milliseconds passed it in 1973.
fn of_number(text: &str) -> Option<Timestamp> {
    if text.contains(['e', 'E']) && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let number: f64 = text.parse().ok().filter(|number: &f64| number.abs() < 1e19)?;
        return of_number(&format!("{number:.6}"));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    if digits == text
        && let Some(at) = of_digits(text)
    {
        return Some(at);
    }
    let whole: i128 = whole.parse().ok()?;
    if whole < SMALLEST {
        return None;
    }
    let nanos_of_one = [(100_000_000_000, NANOS), (100_000_000_000_000, 1_000_000), (100_000_000_000_000_000, 1_000)]
        .into_iter()
        .find_map(|(beyond, nanos)| (whole < beyond).then_some(nanos))
        .unwrap_or(1);
    let fraction: i128 = format!("{:0<9}", &fraction[..fraction.len().min(9)]).parse().ok()?;
    let nanos = whole * nanos_of_one + fraction * nanos_of_one / NANOS;
    Timestamp::from_nanosecond(if negative { -nanos } else { nanos }).ok()
}

/// `YYYYMMDD` or `YYYYMMDDhhmmss`. As a number either would lie before 1971 or after 2600.
fn of_digits(text: &str) -> Option<Timestamp> {
    if !matches!(text.len(), 8 | 14) || !(text.starts_with("19") || text.starts_with("20")) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let date = Date::new(text[..4].parse().ok()?, part(4, 6)?, part(6, 8)?).ok()?;
    in_utc(date.at(0, 0, 0, 0).with().hour(part(8, 10)?).minute(part(10, 12)?).second(part(12, 14)?).build().ok()?)
}

/// `/Date(1772357400000)/` and `/Date(1772357400000+0100)/`, whose offset only says where it is shown.
fn of_dot_net(text: &str) -> Option<Timestamp> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(inner.len(), |(at, _)| at);
    Timestamp::from_millisecond(inner[..end].parse().ok()?).ok()
}

fn in_utc(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

#[cfg(test)]
mod tests;
