//! The request: the person, the period, and simulated events.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use perennial_config::Bundle;
use perennial_domain::{Properties, Stage};
use perennial_engine::play::Supposed;
use serde::{Deserialize, Serialize};

/// The default number of days.
const DAYS: u16 = 30;
/// The most days of one play.
const MAX_DAYS: u16 = 366;
/// The most supposed events.
const MAX_EVENTS: usize = 100;
/// The default user id of an invented person.
const SAMPLE: &str = "sample";
/// The time of a date without one: within working hours, and not in quiet hours.
const MORNING: Time = Time::constant(10, 0, 0, 0);

/// The body of `POST /api/journeys/{name}/test`. All fields are optional.
///
/// Times are RFC 3339 (`2026-03-02T09:00:00Z`), a local time of the person (`2026-03-02T10:00`), a day (`2026-03-02`,
/// which means 10:00 there), or, for events, an offset from `from` (`3d`, `2d 12h`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// The person: any identity; default: an invented person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The invented person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<SampleRequest>,
    /// When the trigger happens; default: now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The number of days to simulate, 1 to 366; default: 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// The properties of the triggering event.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
    /// Simulated events; at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventRequest>,
    /// Ignores earlier entries of the person.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anew: bool,
    /// The configuration, as it would be pushed; default: the active one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Bundle>,
}

/// An invented person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleRequest {
    /// Their user id; another id gets other variants of splits and holdouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Their stage; default: the journey's first stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Their traits.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub traits: Properties,
}

/// An event that is supposed to happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRequest {
    /// Its name, as counted.
    pub event: String,
    /// When.
    pub at: String,
    /// Its properties.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

/// An error in a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongRequest {
    /// A moment that cannot be read.
    #[error(
        "`{0}` is not a time: use 2026-03-02, 2026-03-02T10:00, 2026-03-02T09:00:00Z, or for an event 3d or 2d 12h"
    )]
    Moment(String),
    /// Too few or too many days.
    #[error("days is a whole number from 1 to {MAX_DAYS}")]
    Days,
    /// Too many events.
    #[error("at most {MAX_EVENTS} events are allowed")]
    Events,
    /// Both a person and an invented one.
    #[error("`person` and `sample` cannot be combined: use one of them")]
    Both,
}

/// When it is played.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Times {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) supposed: Vec<Supposed>,
}

impl Request {
    /// Returns the user id of the invented person.
    pub(super) fn sample_id(&self) -> &str {
        self.sample.as_ref().and_then(|sample| sample.id.as_deref()).unwrap_or(SAMPLE)
    }

    /// Returns all times, for a person in `zone`.
    pub(super) fn times(&self, zone: &TimeZone, now: Timestamp) -> Result<Times, WrongRequest> {
        if self.person.is_some() && self.sample.is_some() {
            return Err(WrongRequest::Both);
        }
        if self.events.len() > MAX_EVENTS {
            return Err(WrongRequest::Events);
        }
        let days = self.days.unwrap_or(DAYS);
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(WrongRequest::Days);
        }
        let from = match &self.from {
            None => now,
            Some(text) => moment(text, zone).ok_or_else(|| WrongRequest::Moment(text.clone()))?,
        };
        let event = |event: &EventRequest| {
            let at = moment(&event.at, zone).or_else(|| later(&event.at, from, zone));
            let at = at.ok_or_else(|| WrongRequest::Moment(event.at.clone()))?;
            Ok(Supposed { at, event: event.event.clone(), properties: event.properties.clone() })
        };
        let supposed = self.events.iter().map(event).collect::<Result<_, _>>()?;
        Ok(Times { from, until: perennial_domain::time::plus_days(from, days.into()), supposed })
    }
}

fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let there = match text.parse::<Date>() {
        // A date may be read from a date and time, too.
        Ok(day) if !text.contains(['T', 't', ' ', ':']) => day.to_datetime(MORNING),
        _ => text.parse::<DateTime>().ok()?,
    };
    Some(there.to_zoned(zone.clone()).ok()?.timestamp())
}

fn later(text: &str, from: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let span: Span = text.trim().trim_start_matches('+').parse().ok()?;
    let at = from.to_zoned(zone.clone()).checked_add(span).ok()?.timestamp();
    (at >= from).then_some(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn times(request: &Request) -> Result<Times, WrongRequest> {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        request.times(&berlin, "2026-03-01T00:00:00Z".parse().unwrap())
    }

    fn event(at: &str) -> Request {
        let event = EventRequest { event: "Login".into(), at: at.into(), properties: Properties::new() };
        Request { from: Some("2026-03-27".into()), events: vec![event], ..Request::default() }
    }

    #[test]
    fn moments_are_of_the_persons_day() {
        let from =
            |text: &str| times(&Request { from: Some(text.into()), ..Request::default() }).unwrap().from.to_string();
        assert_eq!(from("2026-03-02"), "2026-03-02T09:00:00Z");
        assert_eq!(from("2026-03-02T18:30"), "2026-03-02T17:30:00Z");
        assert_eq!(from("2026-07-02 18:30"), "2026-07-02T16:30:00Z");
        assert_eq!(from("2026-03-02T18:30:00Z"), "2026-03-02T18:30:00Z");
        let at = |text: &str| times(&event(text)).unwrap().supposed[0].at.to_string();
        // Summer time begins on the 29th: three days later the clock shows the same.
        assert_eq!(at("3d"), "2026-03-30T08:00:00Z");
        assert_eq!(at("+1d 2h"), "2026-03-28T11:00:00Z");
        assert_eq!(at("2026-04-01"), "2026-04-01T08:00:00Z");
    }

    #[test]
    fn thirty_days_from_now_on_are_played_where_nothing_is_said() {
        let plain = times(&Request::default()).unwrap();
        assert_eq!(
            (plain.from.to_string(), plain.until.to_string()),
            ("2026-03-01T00:00:00Z".into(), "2026-03-31T00:00:00Z".into())
        );
    }

    #[test]
    fn what_cannot_be_played_is_refused() {
        for text in ["soon", "-1d", "", "2026-13-01"] {
            assert_eq!(times(&event(text)), Err(WrongRequest::Moment(text.into())));
        }
        for days in [0, 367] {
            assert_eq!(times(&Request { days: Some(days), ..Request::default() }), Err(WrongRequest::Days));
        }
        let both = Request { person: Some("ada".into()), sample: Some(SampleRequest::default()), ..Request::default() };
        assert_eq!(times(&both), Err(WrongRequest::Both));
        let mut many = event("1d");
        many.events = vec![many.events[0].clone(); MAX_EVENTS + 1];
        assert_eq!(times(&many), Err(WrongRequest::Events));
    }
}
