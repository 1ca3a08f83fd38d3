//! What was decided: recorded fact, not derived from events.

use crate::candidates::Candidate;
use perennial_domain::hash::hash32;
use perennial_domain::{Cause, Channel, PersonId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What was decided because of one part of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Journeys entered, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub entered: BTreeMap<u32, Entered>,
    /// Journeys that the person is on the way through, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub runs: BTreeMap<u32, Run>,
    /// Journeys that are set off by a threshold or a condition, and whose threshold the person is over or condition holds now, by
    /// the journey's key.
    #[serde(with = "crate::keyed::set")]
    pub above: BTreeSet<u32>,
    /// Segments that the person is in, by the segment's key: since when, in milliseconds since 1970.
    #[serde(with = "crate::keyed")]
    pub segments: BTreeMap<u32, i64>,
    /// Messages that were decided lately and that caps or the gap between messages count, in the order of time.
    pub sent: Vec<Sent>,
    /// Of these, essential ones: nothing waits after them. Stored apart, see `perennial_store`'s codec.
    #[serde(skip)]
    pub exempt: Vec<Sent>,
    /// Journeys whose trigger held before it could be acted on, by the journey's key: when they start, in seconds since 1970. Stored apart, see
    /// `perennial_store`'s codec.
    #[serde(skip)]
    pub starts: BTreeMap<u32, i64>,
    /// When events of long ago were last counted for someone who was not known before them, in seconds since 1970; for a day, what their state would
    /// set off waits as [`Self::starts`]. Stored apart, see `perennial_store`'s codec.
    #[serde(skip)]
    pub imported: Option<i64>,
    /// Since when the configuration was active under which thresholds and segments were last noted to have changed, in milliseconds since 1970; known for
    /// some minutes after a push, see `pushes.rs`. Stored apart, see `perennial_store`'s codec.
    #[serde(skip)]
    pub noted_under: Option<i64>,
    /// Ways of splits that were taken, and holdouts that the person is in, by [`split_key`],
    /// [`holdout_key`] and [`always_key`].
    #[serde(with = "crate::keyed")]
    pub assigned: BTreeMap<u32, Assigned>,
    /// All nine scores at the beginning of the newest weeks, by the week's number: see [`crate::trend`].
    #[serde(with = "crate::trend::packed")]
    pub trend: BTreeMap<i32, [u8; 9]>,
}

/// A message that counts towards caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sent {
    /// When it was decided, in seconds since 1970.
    pub at: i64,
    /// How it goes out.
    pub channel: Channel,
}

/// What someone was assigned to in an experiment. It stays, whatever becomes of shares and of the person's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assigned {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The hash of the way's name; 0 for a holdout.
    #[serde(with = "crate::keyed::fixed")]
    pub way: u32,
}

impl Assigned {
    /// Whether it was assigned no later than they entered. Who entered before they were held out got what others get.
    pub(crate) fn covers(&self, entered: &Entered) -> bool {
        entered.last.div_euclid(1000) >= self.at
    }
}

/// The key of a split's assignments.
pub fn split_key(journey: &str, step: &str) -> u32 {
    hash32(&format!("split {journey} {step}"))
}

/// The key of being held out of one journey.
pub fn holdout_key(journey: &str) -> u32 {
    hash32(&format!("holdout {journey}"))
}

/// The key of being held out of everything, by the holdout's name.
pub fn always_key(name: &str) -> u32 {
    hash32(&format!("always {name}"))
}

/// How often and when last someone entered a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// 1 or more.
    pub times: u32,
    /// Milliseconds since 1970.
    pub last: i64,
    /// When the journey's goal was reached after that, in milliseconds since 1970.
    pub reached: Option<i64>,
}

/// Where someone waits within a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When they entered, in milliseconds since 1970.
    pub entered: i64,
    /// The key of the step at which they wait.
    pub step: u32,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// When they go on, whatever happens: in seconds since 1970.
    pub due: i64,
    /// What set it off.
    pub cause: Cause,
    /// A hash of what set it off, which the ids of its decisions are derived from.
    pub cause_key: u64,
    /// The version of the journey that they entered.
    #[serde(with = "crate::keyed::fixed")]
    pub version: u32,
    /// The part whose way through the journey the person went instead, while both were one. As soon as they are not any more, this
    /// one goes on.
    pub aside_for: Option<PersonId>,
    /// The message of the step, where it waits for its turn. Stored apart, see `perennial_store`'s codec.
    #[serde(skip)]
    pub candidate: Option<Candidate>,
}

impl Run {
    /// Whether both are the same way through a journey, be it at another step.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        (self.entered, self.cause_key) == (other.entered, other.cause_key)
    }

    /// Whether this one goes on where both are someone's.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        (self.entered, self.cause_key) < (other.entered, other.cause_key)
    }
}

impl Facts {
    /// When the last message was sent that others wait after, in seconds since 1970; `None` where none is remembered.
    pub(crate) fn last_turn(&self) -> Option<i64> {
        let counted = |sent: &Sent, all: &[Sent]| all.iter().filter(|other| *other == sent).count();
        let takes_turn = |sent: &&Sent| counted(sent, &self.sent) > counted(sent, &self.exempt);
        self.sent.iter().rev().find(takes_turn).map(|sent| sent.at)
    }

    /// Adds all of `other`, but for where someone waits: of that only all parts together can tell, see
    /// [`crate::Profile::facts`].
    pub fn merge(&mut self, other: &Self) {
        for (key, entered) in &other.entered {
            let mine = self.entered.entry(*key).or_insert(Entered { times: 0, ..*entered });
            mine.times = mine.times.saturating_add(entered.times);
            if entered.last > mine.last {
                (mine.last, mine.reached) = (entered.last, entered.reached);
            } else if entered.last == mine.last {
                mine.reached = mine.reached.or(entered.reached);
            }
        }
        self.sent.extend(&other.sent);
        self.sent.sort_unstable();
        self.exempt.extend(&other.exempt);
        self.exempt.sort_unstable();
        for (key, assigned) in &other.assigned {
            // Who was assigned twice, as two people, stays where they were first.
            self.assigned.entry(*key).and_modify(|mine| *mine = (*mine).min(*assigned)).or_insert(*assigned);
        }
        self.above.extend(&other.above);
        for (key, due) in &other.starts {
            self.starts.entry(*key).and_modify(|mine| *mine = (*mine).min(*due)).or_insert(*due);
        }
        self.imported = self.imported.max(other.imported);
        self.noted_under = self.noted_under.max(other.noted_under);
        for (key, since) in &other.segments {
            self.segments.entry(*key).and_modify(|mine| *mine = (*mine).min(*since)).or_insert(*since);
        }
        for (week, scores) in &other.trend {
            self.trend.entry(*week).or_insert(*scores);
        }
    }
}
