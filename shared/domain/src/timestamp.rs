//! Moments in the spellings of clients, webhooks and databases.
//!
//! | spelling | as in |
//! |---|---|
//! | RFC 3339 and 9557, with any offset | `2026-03-01T09:30:00.000Z`, `2026-03-01T10:30:00+01:00[Europe/Rome]` |
//! | SQL, with or without a zone | `2026-03-01 09:30:00`, `2026-03-01 09:30:00.123+00`, `2026-03-01 09:30:00 UTC` |
//! | a date alone, or without separators | `2026-03-01`, `20260301`, `20260301093000`, `20260301093000.0Z`, `20260301T093000Z` |
//! | seconds, milliseconds, microseconds or nanoseconds since 1970, by their size; as a number or as text, with or without a fraction | `1772357400`, `1772357400.5`, `"1772357400000"`, `@1772357400` |
//! | .NET's ticks: tenths of microseconds since the year 1 | `639079542000000000` |
//! | DB2 and Oracle | `2026-03-01-09.30.00.000000`, `01-MAR-26 09.30.00.000000 AM` |
//! | RFC 2822, RFC 850, `asctime`, `date`, access logs | `Sun, 01 Mar 2026 09:30:00 +0000`, `Sunday, 01-Mar-26 09:30:00 GMT`, `Sun Mar  1 09:30:00 UTC 2026`, `01/Mar/2026:09:30:00 +0000` |
//! | what languages print | `Sun Mar 01 2026 10:30:00 GMT+0100 (CET)`, `2026-03-01 09:30:00 +0000 UTC m=+0.1`, `March 1, 2026 9:30 AM` |
//! | ISO 8601's weeks and days of the year | `2026-W09-7T09:30:00Z`, `2026-060` |
//! | SQL Server, EXIF | `Mar  1 2026  9:30:00:000AM`, `2026:03:01 09:30:00` |
//! | .NET's, MongoDB's and DynamoDB's JSON, protocol buffers, Jackson's arrays and objects | `/Date(1772357400000)/`, `ISODate("…")`, `{"$date": …}`, `{"$timestamp": …}`, `{"N": …}`, `{"seconds": …, "nanos": …}`, `[2026, 3, 1, 9, 30]`, `{"epochSecond": …}` |
//! | PHP's, Parse's, BigQuery's, Google Calendar's and Microsoft Graph's objects | `{"date": …, "timezone_type": 3, "timezone": "UTC"}`, `{"__type": "Date", "iso": …}`, `{"value": …}`, `{"dateTime": …, "timeZone": …}` |
//!
//! Without a zone it is UTC. A month in figures is read only behind the year: what `03/04/2026` means depends on who wrote it, so it is
//! no moment here. Pure and total.

mod written;

use crate::hygiene::Zone;
use crate::hygiene::text::trimmed;
use crate::identity::is_placeholder;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// No spelling of a moment is longer.
const MAX_BYTES: usize = 120;
/// No moment of ours is a smaller number: in seconds, it is of March 1973.
const SMALLEST: i128 = 100_000_000;
const NANOS: i128 = 1_000_000_000;
/// .NET's ticks of 1970 and 2101. As nanoseconds these would be in 1989 and 1990, from which no nanosecond data exists.
const TICKS: std::ops::Range<i128> = 621_355_968_000_000_000..662_695_992_000_000_000;
const NANOS_OF_A_TICK: i128 = 100;

/// The moment that `text` spells; `None` where it spells none.
pub fn parse(text: &str) -> Option<Timestamp> {
    parse_in(text, &TimeZone::UTC)
}

/// The moment that `text` spells, in `zone` if it names none; `None` where it spells none. A time that the clock skips is the
/// one that far after the change, and of one that it shows twice it is the first.
pub fn parse_in(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = trimmed(trimmed(text).trim_matches(['"', '\'']));
    if text.len() > MAX_BYTES {
        return None;
    }
    let iso = || text.parse::<Timestamp>().ok();
    let number = || of_number(text.strip_prefix('@').unwrap_or(text), zone);
    iso().or_else(number).or_else(|| of_constructor(text)).or_else(|| written::parse(text, zone))
}

/// Returns whether `text` is a placeholder for no time: a word such as `null` or `Invalid Date`, only zeros, or the
/// first day of the year 1, which is the zero time of Go and .NET.
pub fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 4] = ["invalid date", "invalid datetime", "not a time", "nat"];
    const ZEROS: [&str; 5] = ["0000-00-00", "0001-01-01", "1/1/0001", "01/01/0001", "01-01-0001"];
    // The same first day as seconds since 1970, and as a smaller unit.
    const FIRST_DAY: &str = "-62135596800";
    let lower = text.trim().trim_matches('"').to_ascii_lowercase();
    let is_first_day =
        || lower.strip_prefix(FIRST_DAY).is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'0' | b'.')));
    is_placeholder(&lower)
        || WORDS.contains(&lower.as_str())
        || ZEROS.iter().any(|zero| lower.starts_with(zero))
        || is_first_day()
}

/// The moment that a JSON value spells; `None` where it spells none.
pub fn of_json(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => of_number(&number.to_string(), &TimeZone::UTC),
        Value::Object(object) => of_object(object),
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

/// The moment in an object of one of the kinds that libraries and databases are known to write.
fn of_object(object: &Map<String, Value>) -> Option<Timestamp> {
    if let Some(inside) =
        object.get("$timestamp").and_then(|inside| inside.get("t")).filter(|inside| inside.is_number())
    {
        return of_json(inside);
    }
    let only =
        ["N", "S"].iter().find_map(|name| object.get(*name)).filter(|inner| inner.is_string() && object.len() == 1);
    let inner = ["$date", "$numberLong"].iter().find_map(|name| object.get(*name)).or(only);
    let inner = inner.or_else(|| object.get("iso").filter(|_| object.get("__type").is_some_and(|kind| kind == "Date")));
    if let Some(inner) = inner.or_else(|| object.get("value").filter(|_| object.len() == 1)) {
        // One level of each: `{"$date": {"$numberLong": "…"}}`.
        return match inner {
            Value::Object(long) => of_json(long.get("$numberLong").filter(|long| !long.is_object())?),
            inner => of_json(inner),
        };
    }
    for (date, zone) in [("date", "timezone"), ("dateTime", "timeZone")] {
        if let (Some(Value::String(date)), Some(Value::String(zone))) = (object.get(date), object.get(zone)) {
            return in_zone(date, zone);
        }
    }
    let part = |names: [&str; 4]| names.iter().find_map(|name| object.get(*name));
    let seconds = whole(part(["seconds", "_seconds", "epochSecond", "epoch_second"])?)?;
    let nanos = part(["nanos", "_nanoseconds", "nanoseconds", "nano"]).map_or(Some(0), whole)?;
    Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()
}

/// Parses a date and a time in a zone of any spelling; a text with its own offset needs no zone.
fn in_zone(date: &str, zone: &str) -> Option<Timestamp> {
    if let Ok(at) = date.parse::<Timestamp>() {
        return Some(at);
    }
    let (at, zone) = (date.parse::<DateTime>().ok()?, Zone::parse(zone).ok()?);
    at.to_zoned(zone.time_zone().clone()).ok().map(|zoned| zoned.timestamp())
}

/// The moment that a decimal number is: seconds since 1970 below 10^11, milliseconds below 10^14, microseconds below 10^17, else
/// nanoseconds, or ticks where those would be of 1990. Seconds reach the first bound in 5138; milliseconds passed it in 1973.
fn of_number(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if text.contains(['e', 'E']) && text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let number: f64 = text.parse().ok().filter(|number: &f64| number.abs() < 1e19)?;
        return of_number(&format!("{number:.6}"), zone);
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
    let nanos_of = |fraction: &str| format!("{:0<9}", &fraction[..fraction.len().min(9)]).parse::<i64>().ok();
    if digits == text
        && let Some(at) = of_digits(whole, zone)
    {
        return at.checked_add(SignedDuration::from_nanos(nanos_of(fraction)?)).ok();
    }
    let whole: i128 = whole.parse().ok()?;
    if TICKS.contains(&whole) && !negative {
        return Timestamp::from_nanosecond((whole - TICKS.start) * NANOS_OF_A_TICK).ok();
    }
    if whole < SMALLEST {
        return None;
    }
    let nanos_of_one = [(100_000_000_000, NANOS), (100_000_000_000_000, 1_000_000), (100_000_000_000_000_000, 1_000)]
        .into_iter()
        .find_map(|(beyond, nanos)| (whole < beyond).then_some(nanos))
        .unwrap_or(1);
    let fraction = i128::from(nanos_of(fraction)?);
    let nanos = whole * nanos_of_one + fraction * nanos_of_one / NANOS;
    Timestamp::from_nanosecond(if negative { -nanos } else { nanos }).ok()
}

/// `YYYYMMDD` or `YYYYMMDDhhmmss`. As a number either would lie before 1971 or after 2600.
fn of_digits(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if !matches!(text.len(), 8 | 14) || !(text.starts_with("19") || text.starts_with("20")) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let date = Date::new(text[..4].parse().ok()?, part(4, 6)?, part(6, 8)?).ok()?;
    let at = date.at(0, 0, 0, 0).with().hour(part(8, 10)?).minute(part(10, 12)?).second(part(12, 14)?).build().ok()?;
    at.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
}

/// Parses `/Date(1772357400000)/` and `/Date(1772357400000+0100)/`, whose offset affects only its display, with or
/// without the slashes and their escapes; and MongoDB's `ISODate("2026-03-01T09:30:00Z")`.
fn of_constructor(text: &str) -> Option<Timestamp> {
    let text = text.trim_matches(['/', '\\']);
    let text = text.strip_prefix("new ").unwrap_or(text).strip_suffix(')')?;
    if let Some(inner) = text.strip_prefix("ISODate(") {
        return inner.trim_matches(['"', '\'']).parse().ok();
    }
    let inner = text.strip_prefix("Date(")?;
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
