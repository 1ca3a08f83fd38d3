//! Whole days and months of UTC, as the numbers that state is kept in.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// Seconds of a day.
pub const DAY_SECONDS: i64 = 86_400;

/// Days since 1970-01-01, UTC.
pub fn day_of(at: Timestamp) -> i32 {
    // jiff's range of years, -9999 to 9999, keeps this far inside an i32.
    at.as_second().div_euclid(DAY_SECONDS) as i32
}

/// Hours since 1970-01-01, UTC.
pub fn hour_of(at: Timestamp) -> i32 {
    // jiff's range of years, -9999 to 9999, keeps this inside an i32.
    at.as_second().div_euclid(3600) as i32
}

/// The week of `at`: weeks begin on Monday, 00:00 UTC, and are counted from that of 1970-01-01.
pub fn week_of(at: Timestamp) -> i32 {
    week_of_day(day_of(at))
}

/// The week of a day, counted from 1970-01-01, as [`week_of`] counts them.
pub fn week_of_day(day: i32) -> i32 {
    // Day 0 was a Thursday.
    (day + 3).div_euclid(7)
}

/// Monday, 00:00 UTC, of a week as [`week_of`] counts them; the end of jiff's range where that is beyond it.
pub fn beginning_of_week(week: i32) -> Timestamp {
    first_second(i64::from(week) * 7 - 3)
}

/// 00:00 UTC of a day, counted from 1970-01-01; the end of jiff's range where that is beyond it.
pub fn beginning_of_day(day: i32) -> Timestamp {
    first_second(day.into())
}

fn first_second(day: i64) -> Timestamp {
    let out_of_range = if day < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_second(day * DAY_SECONDS).unwrap_or(out_of_range)
}

/// Months since January 1970, UTC.
pub fn month_of(at: Timestamp) -> i32 {
    let date = at.to_zoned(TimeZone::UTC).date();
    (i32::from(date.year()) - 1970) * 12 + i32::from(date.month()) - 1
}

/// Returns the calendar date of `day`, counted from 1970-01-01; out of range, the nearest that jiff supports.
pub fn date_of(day: i32) -> Date {
    let second = i64::from(day).saturating_mul(DAY_SECONDS);
    let at = Timestamp::from_second(second).unwrap_or(if day < 0 { Timestamp::MIN } else { Timestamp::MAX });
    at.to_zoned(TimeZone::UTC).date()
}

/// Whole days from `earlier` to `later`; 0 where `later` is not later.
pub fn days_between(earlier: Timestamp, later: Timestamp) -> i64 {
    (later.as_second() - earlier.as_second()).max(0) / DAY_SECONDS
}

/// `at` moved by `days`; the end of jiff's range where that is beyond it.
pub fn plus_days(at: Timestamp, days: i64) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_add(days.saturating_mul(DAY_SECONDS))).unwrap_or(Timestamp::MAX)
}

/// `at` moved by `hours`; the end of jiff's range where that is beyond it.
pub fn plus_hours(at: Timestamp, hours: i64) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_add(hours.saturating_mul(3600))).unwrap_or(Timestamp::MAX)
}

/// Days from 1970-01-01 to `date`.
pub fn day_of_date(date: Date) -> i32 {
    date.to_zoned(TimeZone::UTC).map_or(0, |midnight| day_of(midnight.timestamp()))
}
