//! `journeys.toml` as it is written.

use crate::spanned::Spanned;
use perennial_domain::{Channel, Likelihood, Stage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Journeys: what triggers them, who enters, and their steps.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// A journey: its trigger, who may enter, and its steps.
    #[serde(default)]
    pub(super) journey: Vec<Spanned<RawJourney>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawJourney {
    /// A name of your own: letters, digits, `_` and `-`; unique. Renaming it makes it a new journey, which everyone may
    /// enter again.
    pub(super) id: Spanned<String>,
    /// Its purpose, for readers: shown in tables and on pages beside the id.
    #[serde(default)]
    pub(super) description: String,
    /// Its trigger: one of { event, where, times, within_days, to }, { idle_days }, { score, above }, { segment, change
    /// } and { becomes }.
    pub(super) trigger: Spanned<RawTrigger>,
    /// A condition on the person that must hold to enter.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
    /// The stages in which a person may enter and continue; default: all. This keeps prospect campaigns from customers.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    pub(super) stages: Vec<Stage>,
    /// Specifies whether the same person may enter again: "once" (default), "always", or { after_days = 30 }.
    #[serde(default)]
    pub(super) reentry: RawReentry,
    /// The percentage of entering people, 1 to 50, in a holdout group that receives nothing, for comparison.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 50)))]
    pub(super) holdout: Option<Spanned<u8>>,
    /// `true` if it is exempt from limits.toml: only for messages that a person must receive.
    #[serde(default)]
    pub(super) essential: bool,
    /// `true` if its messages are sent in quiet hours too: for direct responses to what the reader has just done.
    #[serde(default)]
    pub(super) any_hour: bool,
    /// `true` for a crisis: when a person enters, messages that are due for them and wait are dropped, and recorded as displaced. Those that are essential
    /// are not.
    #[serde(default)]
    pub(super) replaces_due: bool,
    /// How important its messages are, 0 to 100; 50 if omitted. Of several messages that are due for one person the one with the
    /// highest priority is sent; the others wait for `gap_hours` of limits.toml.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100)))]
    pub(super) priority: Option<Spanned<u8>>,
    /// The worth of one of its messages, 0 to 1000000, in a unit of your own; 0 if omitted. It decides between messages
    /// of the same priority.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1_000_000)))]
    pub(super) worth: Option<Spanned<u32>>,
    /// The age limit of its messages, in days, 1 to 90; default: `max_age_days` of limits.toml, which is 3. A message that has waited longer,
    /// for its turn, a cap, quiet hours, the rate of the mail service or a receiver that is down, is not sent. It is recorded as expired on
    /// the person, and the journey continues.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 90)))]
    pub(super) max_age_days: Option<Spanned<u16>>,
    /// The handling of runs in progress when a push changes the journey: they "finish" in the version they started in
    /// (default), or "move" to the new version, at the step of the same id.
    #[serde(default)]
    pub(super) on_change: RawOnChange,
    /// The handling of people for whom a state trigger (`becomes`, `score`, `segment`, `idle_days`) already holds when
    /// the journey becomes active, or who are imported: "spread" their starts over 14 days (default), as long as it
    /// holds, or "skip" them.
    pub(super) on_start: Option<Spanned<RawOnStart>>,
    /// Its goal: an event, or a condition on the person. A person who reaches it exits.
    pub(super) goal: Option<Spanned<RawGoal>>,
    /// A condition on the person at which they exit.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) exit: Option<Spanned<String>>,
    /// Its steps in order; at least one. Steps without a wait between them run together.
    pub(super) step: Spanned<Vec<Spanned<RawStep>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrigger {
    /// The event that sets it off, exactly as it is sent.
    pub(super) event: Option<Spanned<String>>,
    /// With `event`: a condition on the event. Cannot be combined with `times`.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// With `event`: how often it must happen, 1 or more: 3 triggers on the third time; default: 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) times: Option<Spanned<u16>>,
    /// With `times`: within how many days, 1 to 31, the current day included; default: 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31)))]
    pub(super) within_days: Option<Spanned<u16>>,
    /// With `event`: personas, for an event of an account. Everyone of the account enters who has the first of them
    /// that anyone there has; if nobody has any, the person in the event enters. The account is the event's groupId,
    /// else that of its person.
    pub(super) to: Option<Spanned<Vec<Spanned<String>>>>,
    /// The person was inactive for this many days, 1 or more, after earlier activity.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) idle_days: Option<Spanned<u16>>,
    /// The score that rose to `above` or over it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::ScoreName>"))]
    pub(super) score: Option<Likelihood>,
    /// With `score`: 1 to 100.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub(super) above: Option<Spanned<u8>>,
    /// A segment of segments.toml that the person entered or left.
    pub(super) segment: Option<Spanned<String>>,
    /// With `segment`: whether entering or leaving triggers.
    pub(super) change: Option<RawChange>,
    /// A condition on the person that started to hold, through an event or through time alone.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) becomes: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RawChange {
    Entered,
    Left,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum RawReentry {
    /// Never.
    #[default]
    Once,
    /// At each cause.
    Always,
    /// Not within this many days of the last time.
    AfterDays(u16),
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawGoal {
    /// The event that is the aim, exactly as it is sent.
    pub(super) event: Option<Spanned<String>>,
    /// With `event`: a condition on the event.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// Instead of `event`: a condition on the person.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
    /// The number of days after entry in which it counts as reached by the journey, 1 to 366; default: 30.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 366)))]
    pub(super) within_days: Option<Spanned<u16>>,
}

/// One step: a message (`channel`, `template`), or one of `wait`, `branch`, `split`, `event` and `traits`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    /// A name, unique in the journey, for other steps to refer to; default: its number, from 1.
    pub(super) id: Option<Spanned<String>>,
    /// A message: how it goes out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::ChannelName>"))]
    pub(super) channel: Option<Channel>,
    /// With `channel`: the template, a file of the folder templates/, without ".toml".
    pub(super) template: Option<Spanned<String>>,
    /// For a webhook only: an endpoint of channels.toml.
    pub(super) endpoint: Option<Spanned<String>>,
    /// Continues later: { days, hours, minutes }, { until = "09:00", weekdays = ["mon"] } in the person's time zone, or
    /// { event or events, where, days, hours, from, timeout }: when the event happens, or after that time.
    pub(super) wait: Option<Spanned<RawWait>>,
    /// Continues at another step if the condition holds: { when, go_to }; otherwise with the next step.
    pub(super) branch: Option<Spanned<RawBranch>>,
    /// Continues at one of several steps: their ids, each with its share, whole numbers that add up to 100. The same
    /// person always gets the same variant.
    pub(super) split: Option<Spanned<BTreeMap<Spanned<String>, u16>>>,
    /// Records an event for the person, which scores, segments and other journeys can read.
    pub(super) event: Option<Spanned<String>>,
    /// Sets traits of the person.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Traits>"))]
    pub(super) traits: Option<Spanned<toml::Table>>,
    /// For a mail or an in-app message: its priority, 0 to 100; the journey's if omitted.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100)))]
    pub(super) priority: Option<Spanned<u8>>,
    /// For a mail or an in-app message: what it is worth, 0 to 1000000; the journey's if omitted.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1_000_000)))]
    pub(super) worth: Option<Spanned<u32>>,
    /// For a mail or an in-app message: its age limit in days, 1 to 90; default: the journey's.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 90)))]
    pub(super) max_age_days: Option<Spanned<u16>>,
    /// The step to continue with: the id of a later step, or "end"; default: the next step.
    pub(super) then: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawWait {
    /// Days to wait.
    pub(super) days: Option<u16>,
    /// Hours to wait, besides the days.
    pub(super) hours: Option<u16>,
    /// Minutes to wait, besides those.
    pub(super) minutes: Option<u16>,
    /// Until this time of day in the person's time zone: "09:00".
    pub(super) until: Option<Spanned<String>>,
    /// With `until`: only on these days, "mon" to "sun"; default: any.
    pub(super) weekdays: Option<Spanned<Vec<RawWeekday>>>,
    /// Until this event happens, exactly as it is sent; `days`, `hours` and `minutes` then say for how long at most.
    pub(super) event: Option<Spanned<String>>,
    /// Instead of `event`: several events, of which the first that happens counts.
    pub(super) events: Option<Spanned<Vec<Spanned<String>>>>,
    /// With `event` or `events`: a condition on the event.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// With `event` or `events`: the property of the event that triggered the journey from whose time on `days`, `hours` and `minutes` are counted, such as
    /// the start of a webinar that was registered for; a date, a time, or seconds or milliseconds since 1970. Default, and if it has no time: from the
    /// beginning of the wait.
    pub(super) from: Option<Spanned<String>>,
    /// With `event`: the step to continue with if the event does not happen in time, the id of a later step or "end";
    /// default: the next step.
    pub(super) timeout: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RawWeekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawBranch {
    /// A condition on the person.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::PersonCondition"))]
    pub(super) when: Spanned<String>,
    /// The step to continue with if it holds: the id of a later step, or "end".
    pub(super) go_to: Spanned<String>,
}

/// The handling of people for whom the trigger already holds when a journey becomes active.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOnStart {
    /// Each starts at a time in the next 14 days, derived from the profile's id.
    Spread,
    /// Nobody starts until the trigger has ceased to hold and holds again.
    Skip,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOnChange {
    /// They finish in the version they started in.
    #[default]
    Finish,
    /// They continue in the new version, at the step of the same id; if it no longer exists, they exit.
    Move,
}
