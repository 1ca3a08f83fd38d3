//! Parses written-out times word by word: dates that begin with the year, or name the month.

use jiff::Timestamp;
use jiff::civil::{Date, ISOWeekDate, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use std::borrow::Cow;

/// The fields found so far.
#[derive(Default)]
struct Found {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<Time>,
    /// Midnight at the end of the day.
    ends_day: bool,
    /// `Some(true)` for PM.
    afternoon: Option<bool>,
    offset: Option<Offset>,
    zone: Option<TimeZone>,
}

/// Parses a time, in `zone` if it names none; `None` if a word is unknown or the date is incomplete.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let mut found = Found::default();
    let mut in_brackets = false;
    for word in text.split_whitespace() {
        // JavaScript prints `(Coordinated Universal Time)` after the offset.
        in_brackets |= word.starts_with('(');
        if in_brackets {
            in_brackets = !word.ends_with(')');
            continue;
        }
        let word = word.trim_end_matches(',');
        // Go's monotonic clock.
        if !word.is_empty() && !word.starts_with("m=") {
            found.word(word)?;
        }
    }
    found.moment(zone)
}

impl Found {
    fn word(&mut self, word: &str) -> Option<()> {
        let first = *word.as_bytes().first()?;
        if first.is_ascii_alphabetic() {
            return self.name(word);
        }
        if matches!(first, b'+' | b'-') {
            self.offset = Some(offset(word)?);
            return Some(());
        }
        if !first.is_ascii_digit() {
            return None;
        }
        // `01/Mar/2026:09:30:00`
        let names_month = |date: &str| date.split('/').nth(1).is_some_and(|month| month.len() == 3);
        if let Some((date, time)) = word.split_once(':').filter(|(date, _)| names_month(date)) {
            self.date(date)?;
            return self.time(time);
        }
        if let Some((date, time)) = joined(word) {
            self.date(date)?;
            return self.time(&time);
        }
        let is_joined = |at: usize| word.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
        if let Some(at) = word.find(['T', 't']).filter(|at| *at >= 7 && is_joined(*at)) {
            self.date(&word[..at])?;
            return self.time(&word[at + 1..]);
        }
        // EXIF's date.
        if let [_, _, _, _, b':', _, _, b':', _, _] = word.as_bytes() {
            return self.date(&word.replace(':', "-"));
        }
        if word.contains(':') {
            return self.time(word);
        }
        // Oracle's `09.30.00.000000`: after a complete date it can only be a time.
        if let Some(time) = dotted(word).filter(|_| self.day.is_some()) {
            return self.time(&time);
        }
        if word.contains(['-', '/', '.']) {
            return self.date(word);
        }
        self.figure(word)
    }

    /// Reads a month, a weekday, AM or PM, a zone, or a filler word.
    fn name(&mut self, word: &str) -> Option<()> {
        let word = word.trim_end_matches('.');
        if let Some(month) = month(word) {
            return set(&mut self.month, month);
        }
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "am" | "a.m" => return set(&mut self.afternoon, false),
            "pm" | "p.m" => return set(&mut self.afternoon, true),
            "at" => return Some(()),
            _ if is_weekday(&lower) => return Some(()),
            _ => {}
        }
        for name in ["gmt", "utc"] {
            if let Some(rest) = lower.strip_prefix(name).filter(|rest| rest.starts_with(['+', '-'])) {
                self.offset = Some(offset(rest)?);
                return Some(());
            }
        }
        if let Some(hours) = named_offset(&lower) {
            // Go prints `+0100 CET`: the figures say it.
            self.offset = self.offset.or(Some(Offset::constant(hours)));
            return Some(());
        }
        if word.contains('/') {
            return set(&mut self.zone, TimeZone::get(word).ok()?);
        }
        None
    }

    /// `2026-03-01`, `2026/3/1`, `2026.03.01`, `01-Mar-26`, `1/Mar/2026`, `20260301`, `2026-W09-7` or `2026-060`.
    fn date(&mut self, text: &str) -> Option<()> {
        if let Some(date) = of_week(text).or_else(|| of_day_of_year(text)) {
            return self.set_date(date.year(), date.month(), date.day());
        }
        let mut parts = text.split(['-', '/', '.']);
        let (first, second, third) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        match (second, third) {
            (None, _) if first.len() == 8 => {
                let date: Date = first.parse().ok()?;
                self.set_date(date.year(), date.month(), date.day())
            }
            (Some(second), Some(third)) if first.len() == 4 => {
                self.set_date(figures(first, 4)?, figures(second, 2)?, figures(third, 2)?)
            }
            (Some(second), Some(third)) => {
                let (day, month) = (figures(first, 2)?, month(second)?);
                self.set_date(year(third)?, month, day)
            }
            _ => None,
        }
    }

    fn set_date(&mut self, year: i16, month: i8, day: i8) -> Option<()> {
        set(&mut self.year, year)?;
        set(&mut self.month, month)?;
        set(&mut self.day, day)
    }

    /// A day of the month (`1`, `01`, `1st`) or a year.
    fn figure(&mut self, word: &str) -> Option<()> {
        let bare = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let is_ordinal = matches!(&word[bare.len()..], "" | "st" | "nd" | "rd" | "th");
        match bare.len() {
            1 | 2 if is_ordinal && self.day.is_none() => set(&mut self.day, figures(bare, 2)?),
            2 | 4 if bare == word => set(&mut self.year, year(word)?),
            7 | 8 if bare == word => self.date(word),
            _ => None,
        }
    }

    /// `9:30`, `09:30:00`, `09:30:00.123456`, with or without AM or PM and a zone behind it.
    fn time(&mut self, text: &str) -> Option<()> {
        let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ',')).unwrap_or(text.len());
        let (clock, rest) = text.split_at(end);
        let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, ""));
        // SQL Server's milliseconds stand behind a colon.
        let (clock, fraction) = match clock.rsplit_once(':') {
            Some((clock, millis)) if clock.matches(':').count() == 2 && fraction.is_empty() => (clock, millis),
            _ => (clock, fraction),
        };
        let mut parts = clock.split(':');
        let (hour, minute, second) = match (parts.next()?, parts.next(), parts.next()) {
            (basic, None, _) if matches!(basic.len(), 4 | 6) => (
                figures(&basic[..2], 2)?,
                figures(&basic[2..4], 2)?,
                figures(basic.get(4..).unwrap_or("0"), 2).unwrap_or(0),
            ),
            (hour, Some(minute), second) => {
                (figures(hour, 2)?, figures(minute, 2)?, figures(second.unwrap_or("0"), 2)?)
            }
            _ => return None,
        };
        if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nanos: i32 = format!("{:0<9}", &fraction[..fraction.len().min(9)]).parse().ok()?;
        self.ends_day = (hour, minute, second, nanos) == (24, 0, 0, 0);
        let hour: i8 = if self.ends_day { 0 } else { hour };
        // A leap second is the last of its minute.
        set(&mut self.time, Time::new(hour, minute, if second == 60 { 59 } else { second }, nanos).ok()?)?;
        let (rest, zone) = rest.split_once('[').map_or((rest, None), |(rest, zone)| (rest, zone.strip_suffix(']')));
        if let Some(zone) = zone {
            set(&mut self.zone, TimeZone::get(zone).ok()?)?;
        }
        if rest.is_empty() { Some(()) } else { self.suffix(rest) }
    }

    fn suffix(&mut self, rest: &str) -> Option<()> {
        if rest.starts_with(['+', '-']) {
            self.offset = Some(offset(rest)?);
            return Some(());
        }
        self.name(rest)
    }

    fn moment(self, local: &TimeZone) -> Option<Timestamp> {
        let date = Date::new(self.year?, self.month?, self.day?).ok()?;
        let date = if self.ends_day { date.tomorrow().ok()? } else { date };
        let mut time = self.time.unwrap_or_else(Time::midnight);
        if let Some(afternoon) = self.afternoon {
            let hour = match (time.hour(), afternoon) {
                (12, false) => 0,
                (12, true) => 12,
                (hour @ 1..=11, afternoon) => hour + if afternoon { 12 } else { 0 },
                _ => return None,
            };
            time = time.with().hour(hour).build().ok()?;
        }
        let zone = self.offset.map(Offset::to_time_zone).or(self.zone).unwrap_or_else(|| local.clone());
        date.to_datetime(time).to_zoned(zone).ok().map(|zoned| zoned.timestamp())
    }
}

/// ISO 8601's `2026-W09-7` and `2026W097`.
fn of_week(text: &str) -> Option<Date> {
    let (year, rest) = text.split_at_checked(4)?;
    let rest = rest.strip_prefix('-').unwrap_or(rest).strip_prefix(['W', 'w'])?;
    let (week, day) = rest.split_at_checked(2)?;
    let day = figures(day.strip_prefix('-').unwrap_or(day), 1)?;
    let day = Weekday::from_monday_one_offset(day).ok()?;
    ISOWeekDate::new(figures(year, 4)?, figures(week, 2)?, day).ok().map(ISOWeekDate::date)
}

/// ISO 8601's `2026-060` and `2026060`.
fn of_day_of_year(text: &str) -> Option<Date> {
    let (year, rest) = text.split_at_checked(4)?;
    let day = rest.strip_prefix('-').unwrap_or(rest);
    // Without a hyphen any number of seven figures would be a day.
    let is_likely = day.len() < rest.len() || year.starts_with("19") || year.starts_with("20");
    if day.len() != 3 || !is_likely {
        return None;
    }
    let first = Date::new(figures(year, 4)?, 1, 1).ok()?;
    first.with().day_of_year(figures(day, 3)?).build().ok()
}

/// The date and the time of `20260301093000Z` (LDAP) and of `2026-03-01-09.30.00.000000` (DB2).
fn joined(word: &str) -> Option<(&str, Cow<'_, str>)> {
    let (date, rest) = word.split_at_checked(8)?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits(date) && rest.get(..6).is_some_and(are_digits) && rest.len() > 6 {
        return Some((date, Cow::Borrowed(rest)));
    }
    let (date, rest) = word.split_at_checked(10)?;
    let time = dotted(rest.strip_prefix('-')?)?;
    (date.bytes().filter(|byte| *byte == b'-').count() == 2).then_some((date, Cow::Owned(time)))
}

/// Converts a time with dots between hours, minutes and seconds to colons.
fn dotted(word: &str) -> Option<String> {
    let mut parts = word.splitn(3, '.');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let is_pair = |text: &str| figures::<u8>(text, 2).is_some();
    let begins = second.get(..2).is_some_and(is_pair);
    (is_pair(hour) && is_pair(minute) && begins).then(|| format!("{hour}:{minute}:{second}"))
}

/// Sets a field that is not set yet.
fn set<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.is_none().then(|| *slot = Some(value))
}

/// A whole number of at most `most` figures.
fn figures<T: std::str::FromStr>(text: &str, most: usize) -> Option<T> {
    let is_number = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// A year of four figures, or of two as RFC 2822 reads it: 00 to 49 are of this century.
fn year(text: &str) -> Option<i16> {
    let year: i16 = figures(text, 4)?;
    match (text.len(), year) {
        (4, year) => Some(year),
        (2, 0..50) => Some(2000 + year),
        (2, year) => Some(1900 + year),
        _ => None,
    }
}

/// `+01`, `+0100`, `+01:00` or `-08:00:00`.
fn offset(text: &str) -> Option<Offset> {
    let negative = text.starts_with('-');
    let digits: String = text.strip_prefix(['+', '-'])?.split(':').collect();
    if !matches!(digits.len(), 1 | 2 | 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| digits.get(from..from + 2).map_or(Some(0), |part| part.parse::<i32>().ok());
    let hours = if digits.len() == 1 { digits.parse().ok()? } else { part(0)? };
    let (minutes, seconds) = (part(2)?, part(4)?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let all = hours * 3600 + minutes * 60 + seconds;
    Offset::from_seconds(if negative { -all } else { all }).ok()
}

fn month(text: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let lower = text.trim_end_matches('.').to_ascii_lowercase();
    let lower = if lower == "sept" { "sep" } else { &lower };
    let at = NAMES.iter().position(|name| lower == *name || (lower.len() == 3 && name.starts_with(lower)))?;
    i8::try_from(at + 1).ok()
}

fn is_weekday(lower: &str) -> bool {
    const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    NAMES.iter().any(|name| lower == *name || ((3..=5).contains(&lower.len()) && name.starts_with(lower)))
}

/// Returns the offset from UTC in hours of the zones that RFC 2822 names, and of Central, Western and Eastern Europe.
/// Other abbreviations are ambiguous.
fn named_offset(lower: &str) -> Option<i8> {
    Some(match lower {
        "z" | "utc" | "gmt" | "ut" | "wet" => 0,
        "cet" | "west" => 1,
        "cest" | "eet" => 2,
        "eest" => 3,
        "edt" => -4,
        "est" | "cdt" => -5,
        "cst" | "mdt" => -6,
        "mst" | "pdt" => -7,
        "pst" => -8,
        _ => return None,
    })
}
