//! Times of day in a person's zone.

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Days that are searched for an allowed weekday: a week, and the first day of the next one.
const DAYS_AHEAD: i32 = 8;

/// The first whole second that is not before `at`.
pub(crate) fn whole_second(at: Timestamp) -> i64 {
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

/// The first moment from `now` on at which the clock shows `time` in `zone` on one of `weekdays`, in seconds since 1970. Where the clock is
/// set back, it shows a time twice; a time that it leaves out is the one that far after the change.
pub(crate) fn next_time(now: Timestamp, zone: &TimeZone, time: Time, weekdays: &[Weekday]) -> i64 {
    let today = now.to_zoned(zone.clone()).date();
    let days = (0..DAYS_AHEAD).filter_map(|day| today.checked_add(jiff::Span::new().days(day)).ok());
    let allowed = days.filter(|day| weekdays.is_empty() || weekdays.contains(&day.weekday()));
    let moments = allowed.flat_map(|day| {
        let shown = zone.to_ambiguous_timestamp(day.to_datetime(time));
        let is_twice = matches!(shown.offset(), AmbiguousOffset::Fold { .. });
        [shown.compatible().ok(), is_twice.then(|| shown.later().ok()).flatten()]
    });
    let first = whole_second(now);
    moments.flatten().map(Timestamp::as_second).filter(|second| *second >= first).min().unwrap_or(first)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn seconds(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    #[test]
    fn a_time_of_day_is_the_persons_own_through_changes_of_the_clock() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let nine = Time::constant(9, 0, 0, 0);
        let next = |now: &str, weekdays: &[Weekday]| next_time(now.parse().unwrap(), &berlin, nine, weekdays);
        assert_eq!(next("2026-01-15T07:59:59.5Z", &[]), seconds("2026-01-15T08:00:00Z"));
        assert_eq!(next("2026-01-15T08:00:00Z", &[]), seconds("2026-01-15T08:00:00Z"));
        assert_eq!(next("2026-01-15T08:00:01Z", &[]), seconds("2026-01-16T08:00:00Z"));
        // Summer time begins in the night to 29 March.
        assert_eq!(next("2026-03-28T12:00:00Z", &[]), seconds("2026-03-29T07:00:00Z"));
        // 16 January is a Friday.
        assert_eq!(next("2026-01-16T12:00:00Z", &[Weekday::Monday, Weekday::Friday]), seconds("2026-01-19T08:00:00Z"));
        // A time that the clock leaves out is the first one after it.
        let half_past_two = Time::constant(2, 30, 0, 0);
        assert_eq!(
            next_time("2026-03-28T20:00:00Z".parse().unwrap(), &berlin, half_past_two, &[]),
            seconds("2026-03-29T01:30:00Z")
        );
        // In the night to 25 October it is half past two at 00:30Z and, after the clock was set back, at 01:30Z.
        let autumn = |now: &str| next_time(now.parse().unwrap(), &berlin, half_past_two, &[]);
        assert_eq!(autumn("2026-10-24T23:00:00Z"), seconds("2026-10-25T00:30:00Z"));
        assert_eq!(autumn("2026-10-25T01:10:00Z"), seconds("2026-10-25T01:30:00Z"));
        assert_eq!(autumn("2026-10-25T01:30:01Z"), seconds("2026-10-26T01:30:00Z"));
    }
}
