//! The schedules of the config, run on the stack's own clock.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use perennial_config::schedules::Schedule;
use std::str::FromStr;

/// When something is due next.
#[derive(Debug, Clone)]
enum Rhythm {
    Every(SignedDuration),
    Cron(Box<Cron>, TimeZone),
    Once(Timestamp),
}

/// Why a schedule cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schedule `{id}`: `{expression}` {why}")]
pub struct InvalidSchedule {
    id: String,
    expression: String,
    why: String,
}

/// A schedule with its next moment.
#[derive(Debug, Clone)]
struct Timer {
    function: String,
    rhythm: Rhythm,
    next: Option<Timestamp>,
}

/// All schedules. Moments that were missed while the clock was not looked at are made up for by one call, not by many.
#[derive(Debug, Clone)]
pub struct Schedules {
    timers: Vec<Timer>,
}

impl Schedules {
    /// Reads the schedules' expressions; the first moments lie after `now`.
    ///
    /// # Errors
    /// An expression that EventBridge Scheduler would refuse.
    pub fn new(schedules: &[Schedule], now: Timestamp) -> Result<Self, InvalidSchedule> {
        let timers = schedules.iter().map(|schedule| {
            let rhythm = rhythm(schedule)?;
            let next = rhythm.after(now);
            Ok(Timer { function: schedule.function.clone(), rhythm, next })
        });
        Ok(Self { timers: timers.collect::<Result<_, _>>()? })
    }

    /// The functions that are due at `now`, each once; their next moments lie after it.
    pub fn due(&mut self, now: Timestamp) -> Vec<String> {
        let mut due = Vec::new();
        for timer in &mut self.timers {
            if timer.next.is_some_and(|next| next <= now) {
                timer.next = timer.rhythm.after(now);
                if !due.contains(&timer.function) {
                    due.push(timer.function.clone());
                }
            }
        }
        due
    }
}

impl Rhythm {
    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(period) => now.checked_add(*period).ok(),
            Self::Cron(cron, zone) => {
                cron.find_next_occurrence(&now.to_zoned(zone.clone()), false).ok().map(|at| at.timestamp())
            }
            Self::Once(at) => Some(*at).filter(|at| *at > now),
        }
    }
}

fn rhythm(schedule: &Schedule) -> Result<Rhythm, InvalidSchedule> {
    let invalid = |why: &str| InvalidSchedule {
        id: schedule.id.clone(),
        expression: schedule.expression.clone(),
        why: why.to_owned(),
    };
    let (kind, body) = schedule
        .expression
        .strip_suffix(')')
        .and_then(|text| text.split_once('('))
        .ok_or_else(|| invalid("has no (…)"))?;
    let zone = TimeZone::get(&schedule.time_zone).map_err(|_| invalid("is in no known time zone"))?;
    match kind {
        "rate" => schedule
            .every()
            .map(Rhythm::Every)
            .ok_or_else(|| invalid("must be a whole number above 0 and minutes, hours or days, like rate(5 minutes)")),
        "cron" => {
            // EventBridge: minutes hours day-of-month month day-of-week year, with weekdays from 1 = Sunday.
            let parser = CronParser::builder()
                .seconds(Seconds::Required)
                .year(Year::Optional)
                .alternative_weekdays(true)
                .build();
            let cron = parser
                .parse(&format!("0 {body}"))
                .map_err(|error| invalid(&format!("is no cron expression: {error}")))?;
            Ok(Rhythm::Cron(Box::new(cron), zone))
        }
        "at" => {
            let local =
                jiff::civil::DateTime::from_str(body).map_err(|_| invalid("must be like at(2027-01-31T06:00:00)"))?;
            Ok(Rhythm::Once(zone.to_timestamp(local).map_err(|_| invalid("names no moment of its time zone"))?))
        }
        _ => Err(invalid("must be rate(…), cron(…) or at(…)")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn schedules(expression: &str, zone: &str, now: &str) -> Result<Schedules, InvalidSchedule> {
        let schedule = Schedule {
            id: "s".into(),
            function: "sweep".into(),
            expression: expression.into(),
            time_zone: zone.into(),
        };
        Schedules::new(&[schedule], now.parse().unwrap())
    }

    #[test]
    fn a_rate_comes_round_and_missed_rounds_are_one() {
        let mut s = schedules("rate(5 minutes)", "UTC", "2026-01-01T00:00:00Z").unwrap();
        assert!(s.due("2026-01-01T00:04:59Z".parse().unwrap()).is_empty());
        assert_eq!(s.due("2026-01-01T00:05:00Z".parse().unwrap()), ["sweep"]);
        assert_eq!(s.due("2026-01-01T09:00:00Z".parse().unwrap()), ["sweep"]);
        assert!(s.due("2026-01-01T09:01:00Z".parse().unwrap()).is_empty());
    }

    #[test]
    fn cron_is_read_in_its_time_zone_with_sunday_as_1() {
        // Monday to Friday at 06:00 in Berlin; 2026-01-03 is a Saturday.
        let mut s = schedules("cron(0 6 ? * 2-6 *)", "Europe/Berlin", "2026-01-02T06:00:00Z").unwrap();
        assert!(s.due("2026-01-05T04:59:59Z".parse().unwrap()).is_empty());
        assert_eq!(s.due("2026-01-05T05:00:00Z".parse().unwrap()), ["sweep"]);
    }

    #[test]
    fn once_is_once() {
        let mut s = schedules("at(2026-02-01T06:00:00)", "UTC", "2026-01-01T00:00:00Z").unwrap();
        assert_eq!(s.due("2026-02-02T00:00:00Z".parse().unwrap()), ["sweep"]);
        assert!(s.due("2027-02-02T00:00:00Z".parse().unwrap()).is_empty());
    }

    #[test]
    fn what_the_scheduler_would_refuse_is_refused() {
        for expression in ["rate(0 minutes)", "rate(5 weeks)", "cron(x)", "at(noon)", "every(1 hour)", "rate 5"] {
            assert!(schedules(expression, "UTC", "2026-01-01T00:00:00Z").is_err(), "{expression}");
        }
    }
}
