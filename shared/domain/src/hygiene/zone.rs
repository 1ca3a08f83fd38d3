//! Time zones as clients write them.
//!
//! | written | normal form |
//! |---|---|
//! | IANA's name in any case, with spaces or escapes: `America/Los Angeles`, `us/pacific`, `Etc/GMT+7` | as IANA writes it |
//! | a name of Windows, .NET, Rails, a browser or Java, see `data/time_zones.txt`: `Pacific Standard Time`, `Eastern Time (US & Canada)`, `Mitteleuropäische Zeit` | the IANA zone |
//! | such a name or an offset around the other: `(UTC-08:00) Pacific Time (US & Canada)`, `GMT+0200 (Central European Summer Time)` | the named zone |
//! | a city of IANA's: `Berlin`, `Buenos Aires` | the IANA zone |
//! | an offset: `UTC-07:00`, `GMT+2`, `+0530`, `GMT 2` (a form made a space of the plus); a number of hours (-14 to 14), minutes (30 or more) or seconds east of UTC: `-7`, `330`, `-25200` | `-07:00`; UTC is `UTC` |
//!
//! `Etc/GMT+7` is west of Greenwich, as IANA defines it, and `GMT+7` east of it, as people mean it.

use super::text::{is_absent, trimmed};
use crate::traits::Fact;
use jiff::tz::{Offset, TimeZone};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// The facts that can contain a person's time zone, in order of preference: what a client reports comes before a guess
/// from its network address.
pub const FACTS: [Fact; 4] = [Fact::TimeZone, Fact::UtcOffset, Fact::TimeZoneOffset, Fact::GuessedTimeZone];
/// The largest value of JavaScript's `Date.getTimezoneOffset`, in minutes, in either direction.
const MOST_MINUTES: f64 = 840.0;
/// Numbers up to this are hours.
const MOST_HOURS: f64 = 14.0;
/// The longest text that is looked at.
const MAX_BYTES: usize = 128;
/// Offsets lie within these, in seconds east of UTC, and are whole quarters of an hour.
const OFFSETS: std::ops::RangeInclusive<i32> = -12 * HOUR..=14 * HOUR;
const HOUR: i32 = 3600;
const QUARTER: i32 = 900;

static TABLE: &str = include_str!("data/time_zones.txt");
/// Read with the first name that is not IANA's.
static NAMES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| lines().collect());
/// IANA's names by their last part, in lower case with spaces; `None` if it is ambiguous.
static CITIES: LazyLock<HashMap<String, Option<String>>> = LazyLock::new(cities);

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Why a text is no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InvalidZone {
    /// Empty, or a word for no value.
    #[error("stands for nothing")]
    Absent,
    /// Not a known name or offset.
    #[error("no time zone has this name; use an IANA name such as Europe/Berlin, or an offset such as +05:30")]
    Unknown,
    /// An offset that no clock has.
    #[error(
        "an offset from UTC is -12:00 to +14:00 in quarters of an hour; a number up to 14 is hours, from 30 on minutes, from 3600 on seconds"
    )]
    Offset,
}

impl Zone {
    /// Parses a time zone in any of the spellings above.
    ///
    /// # Errors
    /// [`InvalidZone`] if it is not a time zone.
    pub fn parse(text: &str) -> Result<Self, InvalidZone> {
        if text.len() > MAX_BYTES {
            return Err(InvalidZone::Unknown);
        }
        // Documented values take the fast path.
        if let Some(zone) = iana(text) {
            return Ok(zone);
        }
        let text = plain(text);
        let text = text.as_str();
        if is_absent(text) {
            return Err(InvalidZone::Absent);
        }
        if let Some(zone) = named(text) {
            return Ok(zone);
        }
        let own = offset(text);
        match own {
            Err(InvalidZone::Unknown) => around(text).or_else(|| city(text)).ok_or(InvalidZone::Unknown),
            known => known,
        }
    }

    /// Parses the value of a trait with `fact`. [`Fact::TimeZoneOffset`] has the name of JavaScript's
    /// `Date.getTimezoneOffset`, whose minutes count west of UTC: 420 is Los Angeles. Numbers that it cannot return,
    /// hours or seconds, and offsets with an explicit sign count east as usual.
    ///
    /// # Errors
    /// [`InvalidZone`] if it is not a time zone.
    pub fn parse_fact(fact: Fact, text: &str) -> Result<Self, InvalidZone> {
        let number = trimmed(text).parse::<f64>().ok().filter(|_| !trimmed(text).starts_with('+'));
        match number.filter(|number| (MOST_HOURS..=MOST_MINUTES).contains(&number.abs())) {
            Some(west) if fact == Fact::TimeZoneOffset => Self::parse(&(-west).to_string()),
            _ => Self::parse(text),
        }
    }

    /// Returns the name in the normal form.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn fixed(seconds: i32) -> Result<Self, InvalidZone> {
        if seconds == 0 {
            return Ok(Self { name: "UTC".to_owned(), zone: TimeZone::UTC });
        }
        let offset =
            Offset::from_seconds(seconds).ok().filter(|_| OFFSETS.contains(&seconds) && seconds % QUARTER == 0);
        let offset = offset.ok_or(InvalidZone::Offset)?;
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        Ok(Self { name: format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60), zone: TimeZone::fixed(offset) })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Returns the name of a zone in the normal form: IANA's, or its fixed offset.
pub fn name_of(zone: &TimeZone) -> String {
    let offset = || zone.to_fixed_offset().ok().and_then(|offset| Zone::fixed(offset.seconds()).ok());
    zone.iana_name().map(str::to_owned).or_else(|| offset().map(|zone| zone.name)).unwrap_or_else(|| "UTC".to_owned())
}

/// Without quotes, escapes and superfluous white space.
fn plain(text: &str) -> String {
    let text = trimmed(text).trim_matches(['"', '\'', '`', ':']);
    let text = text.replace("\\/", "/").replace("%2F", "/").replace("%2f", "/").replace("_slash_", "/");
    let text = text
        .replace("&amp;", "&")
        .replace(['\u{2212}', '\u{2013}', '\u{2011}', '\u{2010}'], "-")
        .replace('\u{b1}', "+")
        .replace('\u{2019}', "'")
        .replace("_dstoff", "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the zone of an IANA name, in any case.
fn iana(name: &str) -> Option<Zone> {
    // The database also contains names for the machine's own zone, and for none.
    const NONE: [&str; 5] = ["factory", "localtime", "local", "posixrules", "etc/unknown"];
    if NONE.iter().any(|none| none.eq_ignore_ascii_case(name)) {
        return None;
    }
    let zone = TimeZone::get(name).ok()?;
    let name = zone.iana_name()?.to_owned();
    if matches!(
        name.as_str(),
        "Z" | "Etc/UTC" | "Etc/UCT" | "UCT" | "Etc/Universal" | "Universal" | "Etc/Zulu" | "Zulu"
    ) {
        return Zone::fixed(0).ok();
    }
    Some(Zone { name, zone })
}

/// Returns the zone of a name, IANA's or another.
fn named(text: &str) -> Option<Zone> {
    let joined = text.replace(' ', "_");
    let bare = ["posix/", "right/"].iter().find_map(|front| joined.strip_prefix(front)).unwrap_or(&joined);
    if let Some(zone) = iana(bare.trim_matches('/')) {
        return Some(zone);
    }
    let lower = text.to_lowercase().replace(" and ", " & ");
    let lower = lower.replace("turks & caicos", "turks and caicos");
    let standard = || lower.replace(" daylight time", " standard time").replace(" summer time", " standard time");
    let found = NAMES.get(lower.as_str()).or_else(|| NAMES.get(standard().as_str()))?;
    iana(found)
}

/// Returns the zone of a text with a name and an offset, or with a name and more.
fn around(text: &str) -> Option<Zone> {
    // `(UTC-08:00) Pacific Time (US & Canada)`
    if let Some((inside, after)) = text.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let after = after.trim();
        return of_any(after).or_else(|| offset(inside.trim()).ok()).or_else(|| of_any(inside.trim()));
    }
    // `Pacific Time (US & Canada)`, `GMT+0200 (Central European Summer Time)`, `Europe/Berlin (CEST) offset 7200`
    if let Some((before, rest)) = text.split_once('(') {
        let (before, inside) = (before.trim(), rest.split(')').next().unwrap_or_default().trim());
        let found = named(before).or_else(|| named(inside)).or_else(|| offset(before).ok());
        return found.or_else(|| city(before)).or_else(|| offset(inside).ok());
    }
    // `Europe/Berlin - CEST`, `GMT-08:00 Pacific Time`
    let first = text.split([' ', ',', ';']).next().unwrap_or_default();
    if first.len() == text.len() {
        return None;
    }
    let rest = text.get(first.len()..).unwrap_or_default().trim_matches([' ', ',', ';', '-']);
    if first.contains('/') {
        return iana(first);
    }
    // `Eastern Time - New York`, as Google Calendar writes it.
    if let Some((name, place)) = text.split_once(" - ")
        && let Some(zone) = named(place).or_else(|| city(place)).or_else(|| named(name))
    {
        return Some(zone);
    }
    let fixed = offset(first).ok();
    // `GMT Mars` has an unknown zone; `GMT+2 Mars` has an offset.
    let says_offset = first.contains(|c: char| c.is_ascii_digit());
    fixed.and_then(|fixed| named(rest).or_else(|| says_offset.then_some(fixed)))
}

fn of_any(text: &str) -> Option<Zone> {
    if text.is_empty() {
        return None;
    }
    named(text).or_else(|| around(text)).or_else(|| city(text))
}

/// The zone of the first of several cities: `Amsterdam, Berlin, Bern`.
fn city(text: &str) -> Option<Zone> {
    let first = text.split([',', ';']).next().unwrap_or_default().trim().to_lowercase().replace('_', " ");
    let found = NAMES.get(first.as_str()).copied().map(str::to_owned);
    iana(&found.or_else(|| CITIES.get(&first).cloned().flatten())?)
}

/// Returns the fixed offset in a text.
fn offset(text: &str) -> Result<Zone, InvalidZone> {
    let lower: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    let front = ["utc/gmt", "gmt/utc", "utc", "gmt", "z"].into_iter().find(|front| lower.starts_with(front));
    let rest = front.and_then(|front| lower.strip_prefix(front));
    let is_named = rest.is_some();
    // A form or a query makes a space of a plus.
    let lost_plus = front.is_some_and(|front| text.get(front.len()..).is_some_and(|rest| rest.starts_with(' ')));
    let rest = rest.unwrap_or(&lower);
    if rest.is_empty() && is_named {
        return Zone::fixed(0);
    }
    let (sign, digits) = match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(digits), _) => (-1, digits),
        (_, Some(digits)) => (1, digits),
        // `UTC05:30` is no offset, `05:30` and `330` are.
        _ if is_named && !lost_plus => return Err(InvalidZone::Unknown),
        _ => (1, rest),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(InvalidZone::Unknown);
    }
    Zone::fixed(sign * seconds(digits, is_named)?)
}

/// The seconds that an offset's digits mean.
fn seconds(digits: &str, is_named: bool) -> Result<i32, InvalidZone> {
    let number = |text: &str| text.parse::<i32>().map_err(|_| InvalidZone::Unknown);
    let hours_and_minutes = |hours: i32, minutes: i32| {
        if hours <= 14 && minutes < 60 { Ok(hours * HOUR + minutes * 60) } else { Err(InvalidZone::Offset) }
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b',' | b'h'))
        || digits.len() > 8
    {
        return Err(InvalidZone::Unknown);
    }
    if let Some((hours, minutes)) = digits.split_once([':', 'h']) {
        let minutes = minutes.split(':').next().unwrap_or_default();
        return hours_and_minutes(number(hours)?, if minutes.is_empty() { 0 } else { number(minutes)? });
    }
    if let Some((hours, fraction)) = digits.split_once(['.', ',']) {
        // `5.5` is half past five, `5.30` as well, and `-420.0` is a number of minutes.
        let minutes = match fraction {
            "5" | "50" => 30,
            "25" => 15,
            "75" => 45,
            _ => number(fraction)?,
        };
        if minutes == 0 && number(hours)? > 14 {
            return seconds(hours, is_named);
        }
        return hours_and_minutes(number(hours)?, minutes);
    }
    let whole = number(digits)?;
    match digits.len() {
        1 | 2 if whole <= 14 => Ok(whole * HOUR),
        2 if !is_named && whole >= 30 && whole % 15 == 0 => Ok(whole * 60),
        3 if is_named => hours_and_minutes(whole / 100, whole % 100),
        3 => Ok(whole * 60),
        4 if whole / 100 <= 14 && whole % 100 < 60 => hours_and_minutes(whole / 100, whole % 100),
        _ if whole >= HOUR => Ok(whole),
        _ => Err(InvalidZone::Offset),
    }
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "))
}

fn cities() -> HashMap<String, Option<String>> {
    const AREAS: [&str; 10] =
        ["Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"];
    let mut cities: HashMap<String, Option<String>> = HashMap::new();
    for name in jiff::tz::db().available() {
        let name = name.as_str();
        let Some((area, rest)) = name.split_once('/').filter(|(area, _)| AREAS.contains(area)) else { continue };
        let _ = area;
        let city = rest.rsplit('/').next().unwrap_or(rest).to_lowercase().replace('_', " ");
        cities.entry(city).and_modify(|known| *known = None).or_insert_with(|| Some(name.to_owned()));
    }
    cities
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(text: &str) -> String {
        Zone::parse(text).map_or_else(|error| format!("{error:?}"), |zone| zone.name().to_owned())
    }

    #[test]
    fn every_name_of_the_table_is_of_a_zone_and_in_lower_case() {
        assert!(lines().count() > 250);
        for (from, to) in lines() {
            assert!(iana(to).is_some(), "{from}: {to}");
            assert_eq!(from, from.to_lowercase());
            assert_eq!(name(from), iana(to).unwrap().name(), "{from}");
            assert_eq!(name(&from.to_uppercase()), iana(to).unwrap().name(), "{from}");
        }
    }

    #[test]
    fn iana_names_are_read_in_every_spelling() {
        for text in [
            "America/Los_Angeles",
            "america/los_angeles",
            "AMERICA/LOS_ANGELES",
            " America/Los_Angeles ",
            "America/Los Angeles",
            "\"America/Los_Angeles\"",
            "America\\/Los_Angeles",
            "America%2FLos_Angeles",
            ":America/Los_Angeles",
            "posix/America/Los_Angeles",
            "america_slash_los_angeles",
            "America/Los_Angeles (PDT)",
            "America/Los_Angeles (PDT) offset -25200 (Daylight)",
            "America/Los_Angeles\u{200b}",
            "America/Los_Angeles - PDT",
            "Los Angeles",
        ] {
            assert_eq!(name(text), "America/Los_Angeles", "{text:?}");
        }
        for (text, expected) in [
            ("US/Pacific", "US/Pacific"),
            ("Asia/Calcutta", "Asia/Calcutta"),
            ("Europe/Kiev", "Europe/Kiev"),
            ("GB", "GB"),
            ("Etc/GMT+7", "Etc/GMT+7"),
            ("America/Argentina/Buenos Aires", "America/Argentina/Buenos_Aires"),
            ("Etc/UTC", "UTC"),
            ("utc", "UTC"),
            ("Z", "UTC"),
            ("Zulu", "UTC"),
            ("EST5EDT", "EST5EDT"),
            ("US/Pacific-New", "America/Los_Angeles"),
        ] {
            assert_eq!(name(text), expected, "{text:?}");
        }
    }

    #[test]
    fn names_of_windows_rails_and_browsers_are_read() {
        for (text, expected) in [
            ("Pacific Standard Time", "America/Los_Angeles"),
            ("Pacific Daylight Time", "America/Los_Angeles"),
            ("pacific standard time", "America/Los_Angeles"),
            ("(UTC-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("(GMT-08:00) Pacific Time (US &amp; Canada)", "America/Los_Angeles"),
            ("Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("Pacific Time (US and Canada)", "America/Los_Angeles"),
            ("GMT-0700 (Pacific Daylight Time)", "America/Los_Angeles"),
            ("GMT+0200 (Central European Summer Time)", "Europe/Paris"),
            ("Pacific Standard Time_dstoff", "America/Los_Angeles"),
            ("Pacific Standard Time (Mexico)", "America/Tijuana"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
            ("India Standard Time", "Asia/Kolkata"),
            ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
            ("New Delhi", "Asia/Kolkata"),
            ("Berlin", "Europe/Berlin"),
            ("Buenos Aires", "America/Argentina/Buenos_Aires"),
            ("Mexico City", "America/Mexico_City"),
            ("(GMT+01:00) Madrid", "Europe/Madrid"),
            ("Eastern Time (US & Canada)", "America/New_York"),
            ("Indiana (East)", "America/Indiana/Indianapolis"),
            ("Turks and Caicos Standard Time", "America/Grand_Turk"),
            ("PST", "America/Los_Angeles"),
            ("CEST", "Europe/Paris"),
            ("British Summer Time", "Europe/London"),
            ("AST", "America/Halifax"),
            ("ADT", "America/Halifax"),
            ("NST", "America/St_Johns"),
            ("GST", "Asia/Dubai"),
            ("WAT", "Africa/Lagos"),
            ("Coordinated Universal Time", "UTC"),
            ("Mitteleuropäische Zeit", "Europe/Berlin"),
            ("GMT+0200 (Mitteleuropäische Sommerzeit)", "Europe/Berlin"),
            ("GMT+0100 (heure normale d’Europe centrale)", "Europe/Paris"),
            ("GMT-0300 (Horário Padrão de Brasília)", "America/Sao_Paulo"),
            ("GMT+0900 (日本標準時)", "Asia/Tokyo"),
            ("British Columbia Standard Time", "America/Vancouver"),
            ("Eastern", "America/New_York"),
            ("(GMT-05:00) Eastern Time - New York", "America/New_York"),
            ("(GMT-08:00) Pacific Time - Los Angeles", "America/Los_Angeles"),
            ("UTC±00:00", "UTC"),
        ] {
            assert_eq!(name(text), expected, "{text:?}");
        }
    }

    #[test]
    fn offsets_are_read_east_of_greenwich() {
        for (text, expected) in [
            ("UTC-07:00", "-07:00"),
            ("UTC-7", "-07:00"),
            ("UTC−07:00", "-07:00"),
            ("utc -07:00", "-07:00"),
            ("GMT-0700", "-07:00"),
            ("-07:00", "-07:00"),
            ("-0700", "-07:00"),
            ("-7", "-07:00"),
            ("-420", "-07:00"),
            ("-420.0", "-07:00"),
            ("-25200", "-07:00"),
            ("GMT+2", "+02:00"),
            ("GMT+02:00", "+02:00"),
            ("+05:30", "+05:30"),
            ("+0530", "+05:30"),
            ("5.5", "+05:30"),
            ("330", "+05:30"),
            ("19800", "+05:30"),
            ("UTC+5:45", "+05:45"),
            ("UTC+545", "+05:45"),
            ("(UTC+05:45)", "+05:45"),
            ("GMT+7", "+07:00"),
            ("UTC+14", "+14:00"),
            ("-12:00", "-12:00"),
            ("UTC/GMT+3", "+03:00"),
            ("UTC+0", "UTC"),
            ("+00:00", "UTC"),
            ("0", "UTC"),
            ("GMT+0", "GMT+0"),
            ("05:30", "+05:30"),
            ("+05:30:00", "+05:30"),
            ("GMT 2", "+02:00"),
            ("UTC 05:30", "+05:30"),
            ("GMT 5:30", "+05:30"),
            ("UTC 5", "+05:00"),
            ("GMT 0530", "+05:30"),
            ("(UTC 05:45)", "+05:45"),
            ("GMT+2 Mars", "+02:00"),
            ("60", "+01:00"),
            ("-60", "-01:00"),
            ("-60.0", "-01:00"),
            ("30", "+00:30"),
            ("45", "+00:45"),
            ("90", "+01:30"),
            ("120", "+02:00"),
            ("-480", "-08:00"),
        ] {
            assert_eq!(name(text), expected, "{text:?}");
        }
        for text in ["+15:00", "UTC-13", "+07:07", "99", "15", "UTC 25", "UTC+60", "-1234567", "UTC+25"] {
            assert_eq!(Zone::parse(text), Err(InvalidZone::Offset), "{text:?}");
        }
    }

    #[test]
    fn offset_counts_in_the_direction_that_its_name_means() {
        for (fact, text, expected) in [
            (Fact::TimeZoneOffset, "420", "-07:00"),
            (Fact::TimeZoneOffset, "-330", "+05:30"),
            (Fact::TimeZoneOffset, "-60", "+01:00"),
            (Fact::TimeZoneOffset, "420.0", "-07:00"),
            (Fact::TimeZoneOffset, "0", "UTC"),
            (Fact::TimeZoneOffset, "-25200", "-07:00"),
            (Fact::TimeZoneOffset, "-7", "-07:00"),
            (Fact::TimeZoneOffset, "+02:00", "+02:00"),
            (Fact::TimeZoneOffset, "-07:00", "-07:00"),
            (Fact::UtcOffset, "-420", "-07:00"),
            (Fact::UtcOffset, "-25200", "-07:00"),
            (Fact::UtcOffset, "60", "+01:00"),
            (Fact::TimeZone, "-420", "-07:00"),
        ] {
            let zone = Zone::parse_fact(fact, text).unwrap();
            assert_eq!(zone.name(), expected, "{fact:?} {text}");
            assert_eq!(Zone::parse_fact(fact, zone.name()).unwrap().name(), expected, "a normal form is its own");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in [
            "Mars",
            "Europe/Berln",
            "local",
            "Factory",
            "localtime",
            "America",
            "somewhere (else)",
            "UTC05:30",
            "GMT+x",
            "Etc/Unknown",
            "7h5x",
            "GMT2",
            "GMT Mars",
            "UTC somewhere",
            "UTC 5 o'clock",
        ] {
            assert_eq!(Zone::parse(text), Err(InvalidZone::Unknown), "{text:?}");
        }
        for text in ["", " ", "null", "undefined", "N/A"] {
            assert_eq!(Zone::parse(text), Err(InvalidZone::Absent), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_a_normal_form_is_its_own(text in proptest::prop_oneof![".{0,40}", "[-+0-9:. UTCGM()]{0,12}", "[A-Za-z ]{0,20}"]) {
            if let Ok(zone) = Zone::parse(&text) {
                proptest::prop_assert_eq!(Zone::parse(zone.name()), Ok(zone.clone()));
            }
        }
    }
}
