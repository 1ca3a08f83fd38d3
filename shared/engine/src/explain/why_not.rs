//! Why a journey did not reach a person: each rule that the engine applies, in its order, with the values now.
//!
//! The checks repeat no rule: they ask the functions that decide.

mod triggers;
mod values;

use crate::candidates::candidates;
use crate::evaluate::look;
use crate::facts::{Entered, always_key, holdout_key};
use crate::instant::moment as at;
use crate::limits::time_zone;
use crate::moment::Moment;
use crate::play::words::waits;
use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::situation::Situation;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_config::journeys::{GoalBy, Journey, Reentry};
use perennial_domain::Channel;
use perennial_domain::time::plus_days;
use serde::{Deserialize, Serialize};

pub use values::ClauseValue;

/// The checks of a journey for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyNot {
    /// The journey's id.
    pub journey: String,
    /// The main reason, or what happens next, in a sentence.
    pub verdict: String,
    /// The rules, in the order in which they are applied.
    pub checks: Vec<Check>,
    /// The time that this is of.
    pub now: Timestamp,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The rule's name, such as `stage`.
    pub rule: Rule,
    /// Its outcome.
    pub outcome: Outcome,
    /// The outcome in words, without a capital or a full stop.
    pub told: String,
    /// The clauses of its condition with their values; empty for a rule without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<ClauseValue>,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Something of the person other than an id in another system is known.
    Identity,
    /// The trigger.
    Trigger,
    /// No run is in progress, and they may enter again.
    Reentry,
    /// The journey's stages.
    Stage,
    /// The journey's `when`.
    When,
    /// The journey's `exit`.
    Exit,
    /// The journey's goal.
    Goal,
    /// Holdout groups.
    Holdout,
    /// Caps.
    Cap,
    /// Quiet hours.
    QuietHours,
    /// The turn among other messages.
    Turn,
    /// A mail address, and consent to mails.
    Consent,
    /// The journey is not paused.
    Pause,
}

impl Rule {
    /// Returns the name for readers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Trigger => "trigger",
            Self::Reentry => "re-entry",
            Self::Stage => "stage",
            Self::When => "condition",
            Self::Exit => "exit",
            Self::Goal => "goal",
            Self::Holdout => "holdout",
            Self::Cap => "caps",
            Self::QuietHours => "quiet hours",
            Self::Turn => "turn",
            Self::Consent => "consent",
            Self::Pause => "pause",
        }
    }
}

/// The outcome of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It keeps nothing from the person.
    Passes,
    /// It keeps the journey or its messages from the person.
    Blocks,
    /// It delays, or decides at the next occasion.
    Waits,
}

impl Check {
    /// Returns a check without a condition.
    #[must_use]
    pub fn new(rule: Rule, outcome: Outcome, told: impl Into<String>) -> Self {
        Self { rule, outcome, told: told.into(), clauses: Vec::new() }
    }

    fn passes(rule: Rule, told: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Passes, told)
    }

    fn blocks(rule: Rule, told: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Blocks, told)
    }

    fn waits(rule: Rule, told: impl Into<String>) -> Self {
        Self::new(rule, Outcome::Waits, told)
    }
}

impl WhyNot {
    /// Returns it with other checks behind its own: such as whether the person wants mails, which no profile knows.
    #[must_use]
    pub fn with(mut self, checks: Vec<Check>) -> Self {
        self.checks.extend(checks);
        self.verdict = verdict(&self.checks);
        self
    }
}

/// Returns every rule of `journey` for the person, as of the moment.
#[must_use]
pub fn why_not(moment: &Moment<'_>, profile: &Profile, journey: &Journey) -> WhyNot {
    let moment = &moment.of(profile.id);
    let view = profile.view();
    let person = look(moment, &view);
    let mut copy = profile.clone();
    let situation = Situation::new(&person, &mut copy);
    let zone = time_zone(moment.config, &view);
    let mut checks = vec![
        situation.identity_check(),
        situation.trigger_check(journey, &zone),
        situation.reentry_check(journey, &zone),
        situation.stage_check(journey),
    ];
    checks.extend(situation.condition_checks(journey));
    checks.extend(situation.holdout_check(journey));
    checks.extend(situation.message_checks(journey, &zone));
    WhyNot { journey: journey.id.clone(), verdict: verdict(&checks), checks, now: moment.now }
}

/// Returns the first rule that blocks, else the first that delays.
fn verdict(checks: &[Check]) -> String {
    let first = |outcome| checks.iter().find(|check| check.outcome == outcome);
    match (first(Outcome::Blocks), first(Outcome::Waits)) {
        (Some(check), _) | (None, Some(check)) => format!("{}: {}", check.rule.as_str(), check.told),
        (None, None) => "nothing keeps it from them".to_owned(),
    }
}

/// "Thu 5 Mar 2026 10:00" in the person's zone.
fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %Y %H:%M").to_string()
}

impl Situation<'_, '_> {
    fn identity_check(&self) -> Check {
        if self.profile.is_external() {
            return Check::blocks(Rule::Identity, Refusal::External.to_string());
        }
        Check::passes(Rule::Identity, "they are known by an id of the product")
    }

    fn reentry_check(&self, journey: &Journey, zone: &TimeZone) -> Check {
        if let Some(run) = self.facts.runs.get(&journey.key) {
            let since = clock(at(run.entered), zone);
            return Check::waits(
                Rule::Reentry,
                format!("they entered it on {since}, and are in progress: it does not start again meanwhile"),
            );
        }
        let Some(before) = self.facts.entered.get(&journey.key) else {
            return Check::passes(Rule::Reentry, "they have never entered it");
        };
        let entered = entered_words(before, zone);
        match journey.reentry {
            Reentry::Always => Check::passes(Rule::Reentry, format!("{entered}; re-entry is \"always\"")),
            Reentry::Once => Check::blocks(Rule::Reentry, format!("{entered}; re-entry is \"once\"")),
            Reentry::AfterDays(days) => {
                let again = plus_days(at(before.last), i64::from(days));
                let told = format!("{entered}; re-entry asks for {days} days between");
                if self.now() < again {
                    Check::blocks(Rule::Reentry, format!("{told}, so not before {}", clock(again, zone)))
                } else {
                    Check::passes(Rule::Reentry, format!("{told}, which have passed"))
                }
            }
        }
    }

    fn stage_check(&self, journey: &Journey) -> Check {
        let stage = self.person.stage;
        if journey.stages.is_empty() {
            return Check::passes(Rule::Stage, format!("it is for every stage; theirs is {stage}"));
        }
        let allowed: Vec<&str> = journey.stages.iter().map(|stage| stage.as_str()).collect();
        let told = format!("their stage is {stage}, and it is for {}", allowed.join(", "));
        if journey.is_for(stage) { Check::passes(Rule::Stage, told) } else { Check::blocks(Rule::Stage, told) }
    }

    /// The journey's `when`, `exit` and goal, as far as it has them.
    fn condition_checks(&self, journey: &Journey) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(when) = &journey.when {
            let clauses = self.person.clause_values(when);
            let check = if when.is_true(self.person) {
                Check::passes(Rule::When, "its condition holds for them")
            } else {
                Check::blocks(Rule::When, "its condition does not hold for them")
            };
            checks.push(Check { clauses, ..check });
        }
        if let Some(exit) = &journey.exit {
            let clauses = self.person.clause_values(exit);
            let check = if exit.is_true(self.person) {
                Check::blocks(Rule::Exit, "they would leave it at once: its exit holds for them")
            } else {
                Check::passes(Rule::Exit, "its exit does not hold for them")
            };
            checks.push(Check { clauses, ..check });
        }
        match journey.goal.as_ref().map(|goal| &goal.by) {
            Some(GoalBy::State(when)) => {
                let clauses = self.person.clause_values(when);
                let check = if when.is_true(self.person) {
                    Check::blocks(Rule::Goal, "they have reached its goal already")
                } else {
                    Check::passes(Rule::Goal, "they have not reached its goal")
                };
                checks.push(Check { clauses, ..check });
            }
            Some(GoalBy::Event { event, .. }) => {
                let reached = self.facts.entered.get(&journey.key).and_then(|entered| entered.reached).is_some();
                let told =
                    if reached { "they reached its goal in their last run" } else { "they have not reached its goal" };
                checks.push(Check::passes(Rule::Goal, format!("{told}: \"{event}\"")));
            }
            None => {}
        }
        checks
    }

    fn holdout_check(&self, journey: &Journey) -> Option<Check> {
        let always = self.config().limits.holdout.as_ref();
        if journey.essential || (always.is_none() && journey.holdout == 0) {
            return None;
        }
        let is_in = |key: u32| self.facts.assigned.contains_key(&key);
        let told = match always {
            Some(always) if is_in(always_key(&always.name)) => {
                format!(
                    "they are in the holdout of everything, {}: nothing is sent to them, to measure what it changes",
                    always.name
                )
            }
            _ if journey.holdout > 0 && is_in(holdout_key(&journey.id)) => {
                format!(
                    "they are among the {} % who are held out of this journey, to measure what it changes",
                    journey.holdout
                )
            }
            _ => return Some(Check::passes(Rule::Holdout, "they are in no holdout group so far")),
        };
        Some(Check::blocks(Rule::Holdout, told))
    }

    /// The limits of its messages: caps, quiet hours and the turn. None for a journey that sends nothing.
    fn message_checks(&self, journey: &Journey, zone: &TimeZone) -> Vec<Check> {
        let mut checks = Vec::new();
        let Some(message) = journey.messages().next() else { return checks };
        if self.is_essential(journey, message) {
            checks.push(Check::passes(Rule::Cap, "its messages are essential: neither caps nor quiet hours apply"));
            return checks;
        }
        let mut channels: Vec<Channel> = journey.messages().map(|message| message.channel).collect();
        channels.sort_unstable();
        channels.dedup();
        let over = channels.iter().filter_map(|channel| Some((*channel, self.over_caps_until(*channel)?)));
        match over.max_by_key(|(_, until)| *until) {
            Some((channel, until)) => {
                let until = crate::instant::second(until);
                checks.push(Check::waits(
                    Rule::Cap,
                    format!(
                        "they have had as many {} messages as limits.toml allows, until {}",
                        channel.as_str(),
                        clock(until, zone)
                    ),
                ));
            }
            None => checks.push(Check::passes(
                Rule::Cap,
                format!("the caps have room: {} counted lately", counted(self.facts.sent.len())),
            )),
        }
        match journey.messages().filter_map(|message| self.quiet_until(journey, message)).max() {
            Some(until) => {
                let until = crate::instant::second(until);
                checks.push(Check::waits(
                    Rule::QuietHours,
                    format!("it is night for them: messages wait until {}", clock(until, zone)),
                ));
            }
            None => checks.push(Check::passes(Rule::QuietHours, "it is no quiet hour for them now")),
        }
        let candidates = candidates(self.config(), self.profile);
        let own = candidates.iter().find(|candidate| candidate.journey == journey.id);
        match own {
            Some(own) => {
                checks.push(Check::waits(Rule::Turn, format!("its message {} {}", own.template, waits(own, zone))))
            }
            None if candidates.is_empty() => checks.push(Check::passes(Rule::Turn, "no message waits for its turn")),
            None => {
                let first = candidates.first().map_or("", |first| first.journey.as_str());
                checks.push(Check::passes(
                    Rule::Turn,
                    format!(
                        "none of its messages waits; {} of other journeys do, the next one of {first}",
                        candidates.len()
                    ),
                ));
            }
        }
        checks
    }
}

fn counted(messages: usize) -> String {
    if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") }
}

fn entered_words(entered: &Entered, zone: &TimeZone) -> String {
    let last = clock(at(entered.last), zone);
    match entered.times {
        1 => format!("they entered it once, on {last}"),
        times => format!("they entered it {times} times, last on {last}"),
    }
}

#[cfg(test)]
mod tests;
