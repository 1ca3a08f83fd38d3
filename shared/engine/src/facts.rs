//! Decisions: recorded facts, which are not derived from events.

use crate::activity::Months;
use crate::candidate::Candidate;
use perennial_domain::hash::hash32;
use perennial_domain::{Cause, Channel, PersonId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The decisions because of one identity of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Journeys entered, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub entered: BTreeMap<u32, Entered>,
    /// The runs in progress, by the journey's key.
    #[serde(with = "crate::keyed")]
    pub runs: BTreeMap<u32, Run>,
    /// Journeys with a trigger by threshold or condition that holds now, by the journey's key.
    #[serde(with = "crate::keyed::set")]
    pub above: BTreeSet<u32>,
    /// Segments of the person, by the segment's key: since when, in milliseconds since 1970.
    #[serde(with = "crate::keyed")]
    pub segments: BTreeMap<u32, i64>,
    /// Messages that were decided lately and that caps or the gap between messages count, in the order of time.
    pub sent: Vec<Sent>,
    /// The essential ones among these: nothing waits after them. Stored separately, see `perennial_store`'s codec.
    #[serde(skip)]
    pub exempt: Vec<Sent>,
    /// Planned starts of journeys whose trigger already held, by the journey's key: when they start, in seconds since
    /// 1970. Stored separately, see `perennial_store`'s codec.
    #[serde(skip)]
    pub starts: BTreeMap<u32, i64>,
    /// When old events were last counted for a person who was not known before them, in seconds since 1970; for a day,
    /// whatever their state would trigger waits as [`Self::starts`]. Stored separately, see `perennial_store`'s codec.
    #[serde(skip)]
    pub imported: Option<i64>,
    /// Since when the configuration was active under which thresholds and segments were last noted to have changed, in milliseconds since 1970; known for
    /// some minutes after a push, see `pushes.rs`. Stored apart, see `perennial_store`'s codec.
    #[serde(skip)]
    pub noted_under: Option<i64>,
    /// Months in which the person was in a segment with a retention target that they have left since, by the segment's
    /// key. Stored separately, see `perennial_store`'s codec.
    #[serde(skip)]
    pub stayed: BTreeMap<u32, Months>,
    /// Ways of splits that were taken, and holdouts that the person is in, by [`split_key`],
    /// [`holdout_key`] and [`always_key`].
    #[serde(with = "crate::keyed")]
    pub assigned: BTreeMap<u32, Assigned>,
    /// All nine scores at the beginning of the newest weeks, by the week's number: see [`crate::trend`].
    #[serde(with = "crate::packed_trend")]
    pub trend: BTreeMap<i32, [u8; 9]>,
}

/// A message that counts towards caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sent {
    /// When it was decided, in seconds since 1970.
    pub at: i64,
    /// The channel.
    pub channel: Channel,
}

/// An assignment in an experiment. It stays, even if shares or the profile id change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assigned {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The hash of the variant's name; 0 for a holdout.
    #[serde(with = "crate::keyed::fixed")]
    pub way: u32,
}

impl Assigned {
    /// Returns whether it was assigned no later than the entry. A person who entered before they were held out received
    /// what others do.
    pub(crate) fn covers(&self, entered: &Entered) -> bool {
        entered.last.div_euclid(1000) >= self.at
    }
}

/// The key of a split's assignments.
pub fn split_key(journey: &str, step: &str) -> u32 {
    hash32(&format!("split {journey} {step}"))
}

/// Returns the key of a journey's holdout.
pub fn holdout_key(journey: &str) -> u32 {
    hash32(&format!("holdout {journey}"))
}

/// Returns the key of the holdout of everything, by its name.
pub fn always_key(name: &str) -> u32 {
    hash32(&format!("always {name}"))
}

/// The number of entries of a journey, and the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// 1 or more.
    pub times: u32,
    /// Milliseconds since 1970.
    pub last: i64,
    /// When the journey's goal was reached after that, in milliseconds since 1970.
    pub reached: Option<i64>,
}

/// A waiting run of a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When they entered, in milliseconds since 1970.
    pub entered: i64,
    /// The key of the step at which they wait.
    pub step: u32,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// When it resumes at the latest, in seconds since 1970.
    pub due: i64,
    /// Its trigger.
    pub cause: Cause,
    /// A hash of what set it off, which the ids of its decisions are derived from.
    pub cause_key: u64,
    /// The version of the journey that they entered.
    #[serde(with = "crate::keyed::fixed")]
    pub version: u32,
    /// The identity whose run continues in place of this one while both are merged. When they are unmerged, this one
    /// continues.
    pub aside_for: Option<PersonId>,
    /// The message of the step, if it waits for its turn. Stored separately, see `perennial_store`'s codec.
    #[serde(skip)]
    pub candidate: Option<Candidate>,
}

impl Run {
    /// Returns whether both are the same run, possibly at different steps.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        (self.entered, self.cause_key) == (other.entered, other.cause_key)
    }

    /// Returns whether this one continues if a profile has both.
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

    /// Adds all of `other`, except for waiting runs, which only all identities together decide, see
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
            // A person who was assigned twice, as two profiles, keeps the first assignment.
            self.assigned.entry(*key).and_modify(|mine| *mine = (*mine).min(*assigned)).or_insert(*assigned);
        }
        self.above.extend(&other.above);
        for (key, due) in &other.starts {
            self.starts.entry(*key).and_modify(|mine| *mine = (*mine).min(*due)).or_insert(*due);
        }
        self.imported = self.imported.max(other.imported);
        self.noted_under = self.noted_under.max(other.noted_under);
        for (key, months) in &other.stayed {
            self.stayed.entry(*key).or_default().merge(months);
        }
        for (key, since) in &other.segments {
            self.segments.entry(*key).and_modify(|mine| *mine = (*mine).min(*since)).or_insert(*since);
        }
        for (week, scores) in &other.trend {
            self.trend.entry(*week).or_insert(*scores);
        }
    }
}
