//! `journeys.toml` as it is written.

use crate::spanned::Spanned;
use perennial_domain::{Channel, Likelihood, Stage};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What sets a message off, for whom, and how it goes on from there.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// What sets a way through messages, waits and branches off, who may enter, and what is done.
    #[serde(default)]
    pub(super) journey: Vec<Spanned<RawJourney>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawJourney {
    /// A name of your own: letters, digits, `_` and `-`; unique. Renaming it makes it a new journey, which everyone may enter again.
    pub(super) id: Spanned<String>,
    /// What it is for, for readers: it stands in tables and on pages beside the id.
    #[serde(default)]
    pub(super) description: String,
    /// What sets it off: one of { event, where, times, within_days, to }, { idle_days }, { score, above }, { segment, change } and
    /// { becomes }.
    pub(super) trigger: Spanned<RawTrigger>,
    /// A condition on the person: only for whom it holds may enter.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) when: Option<Spanned<String>>,
    /// The stages in which someone may enter, and go on; all where nothing is written. This keeps prospect campaigns from customers.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    pub(super) stages: Vec<Stage>,
    /// Whether the same person may enter again: "once" (never again; what is meant where nothing is written), "always", or
    /// { after_days = 30 }.
    #[serde(default)]
    pub(super) reentry: RawReentry,
    /// How many of a hundred people who would enter get nothing of it, 1 to 50, so that those who do can be compared with them.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 50)))]
    pub(super) holdout: Option<Spanned<u8>>,
    /// Whether limits.toml does not hold for it: only for what someone must know.
    #[serde(default)]
    pub(super) essential: bool,
    /// Whether its messages go out in quiet hours too: for what answers to what the reader has just done.
    #[serde(default)]
    pub(super) any_hour: bool,
    /// How important its messages are, 0 to 100; 50 if omitted. Of several messages that are due for one person the one with the
    /// highest priority is sent; the others wait for `gap_hours` of limits.toml.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 100)))]
    pub(super) priority: Option<Spanned<u8>>,
    /// What one of its messages is worth, 0 to 1000000, in a unit of your own; 0 if omitted. It decides between messages of the same
    /// priority.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1_000_000)))]
    pub(super) worth: Option<Spanned<u32>>,
    /// The age limit of its messages, in days, 1 to 90; default: `max_age_days` of limits.toml, which is 3. A message that has waited longer,
    /// for its turn, a cap, quiet hours, the rate of the mail service or a receiver that is down, is not sent. It is recorded as expired on
    /// the person, and the journey continues.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 90)))]
    pub(super) max_age_days: Option<Spanned<u16>>,
    /// What becomes of those who are on the way when a push changes the journey: "finish" it as it began (what is meant where
    /// nothing is written), or "move" on in the new version, at the step of the same id.
    #[serde(default)]
    pub(super) on_change: RawOnChange,
    /// What becomes of those for whom a trigger by a state (`becomes`, `score`, `segment`, `idle_days`) holds before the journey could act on it, such
    /// as those who are imported: "spread" their starts over 14 days (default), for as long as it holds, or "skip" them.
    pub(super) on_start: Option<Spanned<RawOnStart>>,
    /// What it is for: the event, or the condition on the person, by which it has reached its aim. Who reaches it leaves.
    pub(super) goal: Option<Spanned<RawGoal>>,
    /// A condition on the person: for whom it comes to hold on the way, leaves.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    pub(super) exit: Option<Spanned<String>>,
    /// What is done, one step after another; at least one. Steps between which nothing waits happen together.
    pub(super) step: Spanned<Vec<Spanned<RawStep>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrigger {
    /// The event that sets it off, exactly as it is sent.
    pub(super) event: Option<Spanned<String>>,
    /// With `event`: a condition on the event. Not together with `times`.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// With `event`: from which time on it sets the journey off, 1 or more: 3 is the third time; 1 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) times: Option<Spanned<u16>>,
    /// With `times`: in how many days, 1 to 31, the day itself included; 1 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31)))]
    pub(super) within_days: Option<Spanned<u16>>,
    /// With `event`: personas, where the event is about an account. Everyone of the account enters who has the first of them that
    /// anybody there has; where nobody has any, whom the event names. The account is that of the event's groupId, or else of whom
    /// it names.
    pub(super) to: Option<Spanned<Vec<Spanned<String>>>>,
    /// Nothing happened for so many days, 1 or more, after something had.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub(super) idle_days: Option<Spanned<u16>>,
    /// The score that rose to `above` or over it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::ScoreName>"))]
    pub(super) score: Option<Likelihood>,
    /// With `score`: 1 to 100.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub(super) above: Option<Spanned<u8>>,
    /// A segment of segments.toml that someone entered or left.
    pub(super) segment: Option<Spanned<String>>,
    /// With `segment`: which of the two.
    pub(super) change: Option<RawChange>,
    /// A condition on the person that came to hold, by something that happened or by time alone.
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
    /// Not within so many days of the last time.
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
    /// For how many days after someone entered it counts as reached by the journey, 1 to 366; 30 where nothing is written.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 366)))]
    pub(super) within_days: Option<Spanned<u16>>,
}

/// One step: a message (`channel`, `template`), or one of `wait`, `branch`, `split`, `event` and `traits`.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    /// A name, unique in the journey, by which other steps lead to it; its number, from 1, where nothing is written.
    pub(super) id: Option<Spanned<String>>,
    /// A message: how it goes out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::ChannelName>"))]
    pub(super) channel: Option<Channel>,
    /// With `channel`: what it says, a file of the folder templates/, without ".toml".
    pub(super) template: Option<Spanned<String>>,
    /// For a webhook only: where to, an endpoint of channels.toml.
    pub(super) endpoint: Option<Spanned<String>>,
    /// Goes on later: { days, hours, minutes }, { until = "09:00", weekdays = ["mon"] } in the person's time zone, or
    /// { event, where, days, hours, timeout }: when the event happens, or that time has passed.
    pub(super) wait: Option<Spanned<RawWait>>,
    /// Goes on elsewhere for whom the condition holds: { when, go_to }. For all others with the next step.
    pub(super) branch: Option<Spanned<RawBranch>>,
    /// Goes on at one of several steps: their ids, each with its share, whole numbers that add up to 100. The same person always
    /// takes the same way.
    pub(super) split: Option<Spanned<BTreeMap<Spanned<String>, u16>>>,
    /// Counts an event for the person, which scores, segments and other journeys can see.
    pub(super) event: Option<Spanned<String>>,
    /// Writes traits of the person.
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
    /// Where it goes on: the id of a later step, or "end"; with the next step where nothing is written.
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
    /// Until the clock shows this, in the person's time zone: "09:00".
    pub(super) until: Option<Spanned<String>>,
    /// With `until`: only on these days, "mon" to "sun"; on any where nothing is written.
    pub(super) weekdays: Option<Spanned<Vec<RawWeekday>>>,
    /// Until this event happens, exactly as it is sent; `days`, `hours` and `minutes` then say for how long at most.
    pub(super) event: Option<Spanned<String>>,
    /// With `event`: a condition on the event.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    pub(super) filter: Option<Spanned<String>>,
    /// With `event`: where it goes on where the time has passed without it, the id of a later step or "end"; with the next step
    /// where nothing is written.
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
    /// Where it goes on for whom it holds: the id of a later step, or "end".
    pub(super) go_to: Spanned<String>,
}

/// What becomes of those who are on the way when a journey changes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOnStart {
    /// Each starts at a moment of the next 14 days that follows from the profile's id.
    Spread,
    /// Nobody starts until the trigger has ceased to hold and holds again.
    Skip,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOnChange {
    /// They finish it as it began.
    #[default]
    Finish,
    /// They go on in the new version, at the step of the same id; where there is none any more, they leave.
    Move,
}
