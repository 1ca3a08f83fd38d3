//! `limits.toml`: caps, quiet hours and holdout groups.

use crate::error::Reporter;
use crate::spanned::Spanned;
use jiff::SignedDuration;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use perennial_domain::Channel;
use perennial_domain::time::DAY_SECONDS;
use serde::{Deserialize, Serialize};

/// The longest period of a cap, in days: sent messages are kept on the profile for that long.
const MAX_CAP_DAYS: u16 = 90;
/// Hours between two messages that wait for their turn, if `gap_hours` is omitted.
const GAP_HOURS: u16 = 24;
/// The most hours between two messages.
const MAX_GAP_HOURS: u16 = 720;
/// Days after which a message is no longer sent, by default.
pub(crate) const USUAL_AGE_DAYS: u16 = 3;
/// The longest age limit of messages, in days.
pub(crate) const MAX_AGE_DAYS: u16 = 90;
/// The greatest share that a holdout may have, in percent: with more the product would hardly be in use.
pub(crate) const MAX_HOLDOUT: u8 = 50;

/// The limits of all journeys that are not essential.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limits {
    /// The time zone of people without a known one.
    #[serde(with = "crate::stored::time_zone")]
    pub time_zone: TimeZone,
    /// The hours in which nothing is sent.
    pub quiet_hours: Option<QuietHours>,
    /// The hours between two messages of which the later one was not triggered by an event, 0 to 720. With 0 no message
    /// waits for another.
    pub gap_hours: u16,
    /// The age limit of messages in days, 1 to 90, for journeys without their own.
    pub max_age_days: u16,
    /// The most messages in a period.
    pub caps: Vec<Cap>,
    /// The holdout group.
    pub holdout: Option<Holdout>,
}

impl Default for Limits {
    /// No quiet hours, caps or holdout, in UTC, and a day between two messages.
    fn default() -> Self {
        Self {
            time_zone: TimeZone::UTC,
            quiet_hours: None,
            gap_hours: GAP_HOURS,
            max_age_days: USUAL_AGE_DAYS,
            caps: Vec::new(),
            holdout: None,
        }
    }
}

/// Hours of the day at which messages wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// Their start, in the person's local time.
    pub from: Time,
    /// Their end, in the person's local time: on the next day unless it is after [`Self::from`].
    pub to: Time,
    /// The channels that they hold for.
    pub channels: Vec<Channel>,
}

impl QuietHours {
    /// Returns whether `time` is within them.
    pub fn hold_at(&self, time: Time) -> bool {
        if self.from < self.to { (self.from..self.to).contains(&time) } else { time >= self.from || time < self.to }
    }
}

/// The most messages in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// The number of messages, 1 or more.
    pub messages: u16,
    /// In how many days, 1 to 90.
    pub within_days: u16,
    /// The channels whose messages are counted together.
    pub channels: Vec<Channel>,
}

/// A share of all people who receive nothing from any journey that is not essential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdout {
    /// The name that selects the people: another name selects others.
    pub name: String,
    /// The percentage, 1 to 50.
    pub percent: u8,
}

impl Limits {
    /// Returns the number of seconds for which sent messages have to be kept; 0 if nothing needs them.
    pub fn remembered(&self) -> i64 {
        let caps = self.caps.iter().map(|cap| i64::from(cap.within_days) * DAY_SECONDS);
        caps.chain([self.gap_seconds()]).max().unwrap_or(0)
    }

    /// [`Self::max_age_days`] as a duration.
    pub fn max_age(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.max_age_days))
    }

    /// [`Self::gap_hours`] in seconds.
    pub fn gap_seconds(&self) -> i64 {
        i64::from(self.gap_hours) * 3600
    }
}

/// Caps, quiet hours and the holdout group. Journeys and topics that are `essential` are exempt from all of them, and
/// tasks and webhooks from caps and quiet hours.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The time zone of people for whom neither a trait nor a call's context contains one, by its IANA name such as
    /// "Europe/Berlin"; default: UTC.
    time_zone: Option<Spanned<String>>,
    /// Hours of the person's day in which messages wait for the next morning.
    quiet_hours: Option<Spanned<RawQuietHours>>,
    /// The hours between two messages to one person, mails and in-app messages together, 0 to 720; default: 24. Of
    /// several due messages one is sent: the one with the highest `priority` of journeys.toml, then the highest
    /// `worth`, then the one that waits longest. The others wait, at most `max_age_days` of their journey. A message
    /// that an event triggers is sent at once, and others wait for `gap_hours` after it. Essential messages, tasks and
    /// webhooks neither wait nor let others wait. With 0, no message waits for another.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 720)))]
    gap_hours: Option<Spanned<u16>>,
    /// The age limit of messages, in days since they were decided, 1 to 90; default: 3. A message that has waited
    /// longer, for whatever reason, is not sent and is recorded as expired. A journey, or a step, can set its own with
    /// `max_age_days`.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 90)))]
    max_age_days: Option<Spanned<u16>>,
    /// The most messages in a number of days; several caps all apply. A message over a cap waits, and its journey with
    /// it, at most `max_age_days` of the journey; then it is recorded as capped, and the journey continues.
    #[serde(default)]
    cap: Vec<Spanned<RawCap>>,
    /// A share of all people who never receive anything, as a control group for the effect of all messages.
    holdout: Option<RawHoldout>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawQuietHours {
    /// Their start, such as "21:00".
    from: Spanned<String>,
    /// Their end, such as "08:00": on the next day if it is not later than `from`.
    to: Spanned<String>,
    /// The channels that they apply to, of "mail" and "in_app"; default: ["mail"].
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<crate::schema::ChannelName>>"))]
    channels: Option<Spanned<Vec<Channel>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawCap {
    /// The most messages, 1 or more.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    messages: Spanned<u16>,
    /// The period in days, 1 to 90.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 90)))]
    within_days: Spanned<u16>,
    /// The channels whose messages are counted together, of "mail" and "in_app"; default: both.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<crate::schema::ChannelName>>"))]
    channels: Option<Spanned<Vec<Channel>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawHoldout {
    /// The percentage of people, 1 to 50. Raising it later keeps those who are in it already.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 50)))]
    percent: Spanned<u8>,
    /// A name of your own that selects the people: another one selects others, such as for a new year; default:
    /// "always".
    name: Option<Spanned<String>>,
}

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Limits {
    let Some(file) = report.parse::<File>() else { return Limits::default() };
    let time_zone = file.time_zone.and_then(|name| {
        // The time zone database is used only for other zones: it costs a function's start more than the rest of the
        // file.
        let zone = if name.get_ref() == "UTC" { Ok(TimeZone::UTC) } else { TimeZone::get(name.get_ref()) };
        if zone.is_err() {
            let message = format!(
                "`{}` is no time zone: take an IANA name, such as \"Europe/Berlin\" or \"UTC\"",
                name.get_ref()
            );
            report.at(name.span(), message);
        }
        zone.ok()
    });
    let gap_hours = file.gap_hours.map_or(GAP_HOURS, |hours| {
        if *hours.get_ref() > MAX_GAP_HOURS {
            report.at(hours.span(), format!("gap_hours must be from 0 to {MAX_GAP_HOURS}"));
        }
        hours.into_inner()
    });
    let max_age_days = file.max_age_days.map_or(USUAL_AGE_DAYS, |days| {
        if !(1..=MAX_AGE_DAYS).contains(days.get_ref()) {
            report.at(days.span(), format!("max_age_days must be from 1 to {MAX_AGE_DAYS}"));
        }
        days.into_inner()
    });
    let quiet_hours = file.quiet_hours.and_then(|hours| quiet_hours(report, hours));
    let caps = file.cap.into_iter().map(|raw| cap(report, raw.into_inner())).collect();
    let holdout = file.holdout.map(|raw| {
        let name = raw.name.map_or_else(
            || "always".to_owned(),
            |name| {
                report.name("a holdout", &name);
                name.into_inner()
            },
        );
        Holdout { name, percent: percent(report, &raw.percent) }
    });
    Limits { time_zone: time_zone.unwrap_or(TimeZone::UTC), quiet_hours, gap_hours, max_age_days, caps, holdout }
}

/// The share of a holdout.
pub(crate) fn percent(report: &mut Reporter<'_>, percent: &Spanned<u8>) -> u8 {
    if !(1..=MAX_HOLDOUT).contains(percent.get_ref()) {
        report.at(percent.span(), format!("a holdout takes from 1 to {MAX_HOLDOUT} of a hundred"));
    }
    *percent.get_ref()
}

fn quiet_hours(report: &mut Reporter<'_>, raw: Spanned<RawQuietHours>) -> Option<QuietHours> {
    let span = raw.span();
    let raw = raw.into_inner();
    let mut time = |text: &Spanned<String>| {
        let time = Time::strptime("%H:%M", text.get_ref());
        if time.is_err() {
            report.at(text.span(), "a time of day goes from \"00:00\" to \"23:59\"");
        }
        time.ok()
    };
    let (from, to) = (time(&raw.from), time(&raw.to));
    let channels = channels(report, raw.channels, &[Channel::Mail]);
    let (from, to) = (from?, to?);
    if from == to {
        report.at(span, "quiet hours that end when they begin would never end");
    }
    Some(QuietHours { from, to, channels })
}

fn cap(report: &mut Reporter<'_>, raw: RawCap) -> Cap {
    if *raw.messages.get_ref() == 0 {
        report.at(raw.messages.span(), "messages must be 1 or more");
    }
    if !(1..=MAX_CAP_DAYS).contains(raw.within_days.get_ref()) {
        report.at(raw.within_days.span(), format!("within_days must be from 1 to {MAX_CAP_DAYS}"));
    }
    Cap {
        messages: raw.messages.into_inner(),
        within_days: raw.within_days.into_inner(),
        channels: channels(report, raw.channels, &[Channel::Mail, Channel::InApp]),
    }
}

fn channels(report: &mut Reporter<'_>, raw: Option<Spanned<Vec<Channel>>>, usual: &[Channel]) -> Vec<Channel> {
    let Some(raw) = raw else { return usual.to_vec() };
    if raw.get_ref().is_empty() || raw.get_ref().contains(&Channel::Webhook) {
        report.at(raw.span(), "channels names \"mail\", \"in_app\" or both: a webhook reaches a system or a colleague");
    }
    raw.into_inner()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::ConfigError;

    fn read(text: &str) -> (Limits, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let limits = load(&mut Reporter::new("limits.toml", text, &mut errors));
        (limits, errors)
    }

    #[test]
    fn quiet_hours_may_go_through_the_night_or_lie_within_a_day() {
        let (limits, errors) = read("[quiet_hours]\nfrom = \"21:00\"\nto = \"08:00\"\n");
        assert_eq!(errors, []);
        let night = limits.quiet_hours.unwrap();
        let at = |hour| Time::constant(hour, 0, 0, 0);
        assert_eq!([21, 23, 0, 7].map(|hour| night.hold_at(at(hour))), [true; 4]);
        assert_eq!([8, 12, 20].map(|hour| night.hold_at(at(hour))), [false; 3]);
        assert_eq!(night.channels, [Channel::Mail]);
        let noon = QuietHours { from: at(12), to: at(14), channels: Vec::new() };
        assert_eq!([11, 12, 13, 14].map(|hour| noon.hold_at(at(hour))), [false, true, true, false]);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = r#"
time_zone = "Berlin"
gap_hours = 721
max_age_days = 91
[quiet_hours]
from = "9 pm"
to = "08:00"
channels = ["webhook"]
[[cap]]
messages = 0
within_days = 91
[holdout]
percent = 51
"#;
        let (_, errors) = read(text);
        let found: Vec<(usize, &str)> = errors.iter().map(|error| (error.line, error.message.as_str())).collect();
        assert_eq!(
            found,
            [
                (2, "`Berlin` is no time zone: take an IANA name, such as \"Europe/Berlin\" or \"UTC\""),
                (3, "gap_hours must be from 0 to 720"),
                (4, "max_age_days must be from 1 to 90"),
                (6, "a time of day goes from \"00:00\" to \"23:59\""),
                (8, "channels names \"mail\", \"in_app\" or both: a webhook reaches a system or a colleague"),
                (10, "messages must be 1 or more"),
                (11, "within_days must be from 1 to 90"),
                (13, "a holdout takes from 1 to 50 of a hundred"),
            ]
        );
    }

    #[test]
    fn a_file_that_says_nothing_sets_a_day_between_messages_and_no_other_limit() {
        let (limits, errors) = read("");
        assert_eq!(errors, []);
        assert_eq!((limits.caps.len(), limits.quiet_hours.is_none(), limits.holdout.is_none()), (0, true, true));
        assert_eq!((limits.gap_hours, limits.remembered()), (24, 24 * 3600));
        let (off, _) = read("gap_hours = 0\n");
        assert_eq!((off.gap_hours, off.remembered()), (0, 0));
    }
}
