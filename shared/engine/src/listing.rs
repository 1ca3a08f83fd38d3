//! The lists that a profile is in: by stage, segment, persona, owner, score band, and the words of its name.
//!
//! A list is an index in the table. A profile keeps what the lists have of it ([`Listed`]), so that a write knows the
//! difference, which its outbox then carries ([`crate::Action::List`]). Anonymous visitors are in no list: see
//! [`crate::relist`].
//!
//! Scores are listed by bands of ten points. An entry is rewritten when the score is more than [`SLACK`] points outside of
//! its band as the profile is evaluated for another reason, and by a timer when silence alone takes it [`DRIFT`] points
//! outside. So a reader who looks [`REACH`] points beyond a band misses nobody, and a score that varies around the limit of
//! two bands is not written each time.

mod entry;

pub use entry::{ListEntry, owner_key};

use crate::evaluate::Evaluation;
use crate::moment::Moment;
use crate::state::State;
use perennial_domain::traits::Fact;
use perennial_domain::{Likelihood, Score, Stage, search};
use std::collections::BTreeSet;

/// The number of bands: 0 to 9, 10 to 19, and so on, and 90 to 100.
pub const BANDS: u8 = 10;
/// Points that a score may be outside of its band before an evaluation moves its entry.
pub const SLACK: u8 = 6;
/// Points that silence may take a score outside of its band before a timer moves its entry.
pub const DRIFT: u8 = 8;
/// Points beyond a band within which a reader finds all of its profiles: more than [`DRIFT`], as timers fire within a day.
pub const REACH: u8 = 10;

/// A number from 0 to 100 by which people are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// One of the nine scores.
    Score(Likelihood),
    /// Frequency and amount of activity.
    Engagement,
}

impl Scale {
    /// Returns all of them: the nine scores, then engagement.
    pub fn all() -> impl Iterator<Item = Self> {
        Likelihood::ALL.into_iter().map(Self::Score).chain([Self::Engagement])
    }

    /// Returns the name in queries, such as `churn` or `engagement`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Score(likelihood) => likelihood.as_str(),
            Self::Engagement => "engagement",
        }
    }

    /// Returns the scale with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|scale| scale.as_str() == name)
    }

    /// Returns the value of an evaluation; `None` if the score does not apply.
    pub fn of(self, evaluation: &Evaluation) -> Option<Score> {
        match self {
            Self::Score(likelihood) => evaluation.scores.get(likelihood),
            Self::Engagement => Some(evaluation.engagement),
        }
    }

    fn index(self) -> usize {
        match self {
            Self::Score(likelihood) => likelihood as usize,
            Self::Engagement => Likelihood::ALL.len(),
        }
    }
}

/// Returns the band of a score, 0 to 9.
pub fn band(score: Score) -> u8 {
    (score.get() / 10).min(BANDS - 1)
}

/// Returns the lowest and the highest score within `slack` points of a band.
pub fn around(band: u8, slack: u8) -> (u8, u8) {
    let highest = if band + 1 >= BANDS { 100 } else { band * 10 + 9 };
    ((band * 10).saturating_sub(slack), highest.saturating_add(slack).min(100))
}

/// Returns the bands in which a reader finds every score from `min` to `max`, as the first and the last.
pub fn bands_of(min: u8, max: u8) -> (u8, u8) {
    (band(Score::from(min.saturating_sub(REACH))), band(Score::from(max.saturating_add(REACH))))
}

/// The band of each scale; a score that does not apply has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bands([Option<u8>; 10]);

impl Bands {
    /// Returns the bands of `value`, which stay as in `before` where the value is within [`SLACK`] points.
    pub fn new(before: Option<&Self>, value: impl Fn(Scale) -> Option<Score>) -> Self {
        let mut bands = Self::default();
        for scale in Scale::all() {
            let kept = |score: Score| {
                let band = before.and_then(|before| before.get(scale))?;
                is_within(band, SLACK, score).then_some(band)
            };
            bands.0[scale.index()] = value(scale).map(|score| kept(score).unwrap_or_else(|| band(score)));
        }
        bands
    }

    /// Returns the band of a scale.
    pub fn get(&self, scale: Scale) -> Option<u8> {
        self.0[scale.index()]
    }

    /// Returns whether a value is [`DRIFT`] points outside of its band, or applies now and did not, or the reverse.
    pub(crate) fn is_left_by(&self, value: impl Fn(Scale) -> Option<Score>) -> bool {
        Scale::all().any(|scale| match (self.get(scale), value(scale)) {
            (Some(band), Some(score)) => !is_within(band, DRIFT, score),
            (None, None) => false,
            _ => true,
        })
    }

    /// Returns the bands in 5 bytes, half a byte each.
    pub fn to_bytes(self) -> [u8; 5] {
        let mut bytes = [0; 5];
        for (byte, pair) in bytes.iter_mut().zip(self.0.chunks(2)) {
            let half = |at: usize| pair.get(at).copied().flatten().unwrap_or(0xf);
            *byte = half(0) << 4 | half(1);
        }
        bytes
    }

    /// Returns the bands of [`Self::to_bytes`].
    pub fn from_bytes(bytes: [u8; 5]) -> Self {
        let mut bands = Self::default();
        for (pair, byte) in bands.0.chunks_mut(2).zip(bytes) {
            for (band, half) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                *band = (half < BANDS).then_some(half);
            }
        }
        bands
    }
}

/// Returns whether a score is within `slack` points of a band.
pub fn is_within(band: u8, slack: u8, score: Score) -> bool {
    let (low, high) = around(band, slack);
    (low..=high).contains(&score.get())
}

/// The data of a profile that its entries in lists follow from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The stage.
    pub stage: Stage,
    /// Names of the personas.
    pub personas: Vec<String>,
    /// Names of the segments.
    pub segments: Vec<String>,
    /// The key of the owner's name, see [`owner_key`].
    pub owner: Option<u64>,
    /// The bands of the scores.
    pub bands: Bands,
    /// The words of its names.
    pub words: BTreeSet<String>,
}

impl Listed {
    /// Returns what the lists should have of a profile. `before` is what they have.
    pub fn of(moment: &Moment<'_>, view: &State, evaluation: &Evaluation, before: Option<&Self>) -> Self {
        let config = moment.config;
        Self {
            stage: evaluation.stage,
            personas: evaluation.personas(config).map(str::to_owned).collect(),
            segments: evaluation.segments(config).map(str::to_owned).collect(),
            owner: evaluation.owner(config, moment.account).map(owner_key),
            bands: Bands::new(before.map(|before| &before.bands), |scale| scale.of(evaluation)),
            words: words(view),
        }
    }

    /// Returns the entry in each list.
    pub fn entries(&self) -> BTreeSet<ListEntry> {
        let bands = Scale::all().filter_map(|scale| Some(ListEntry::of_band(scale.as_str(), self.bands.get(scale)?)));
        let personas = self.personas.iter().map(|name| ListEntry::of_persona(name));
        let segments = self.segments.iter().map(|name| ListEntry::of_segment(name));
        let owner = self.owner.map(ListEntry::of_owner);
        let words = self.words.iter().map(|word| ListEntry::of_word(word));
        bands
            .chain(personas)
            .chain(segments)
            .chain(owner)
            .chain(words)
            .chain([ListEntry::of_stage(self.stage)])
            .collect()
    }
}

/// Returns the words that a person is found by: of the name, the company, and the parts of the name.
pub fn words(view: &State) -> BTreeSet<String> {
    let names = [Fact::Name, Fact::FirstName, Fact::LastName, Fact::Company];
    let names: Vec<String> = names.into_iter().filter_map(|fact| view.text_trait(fact.as_str())).collect();
    search::words(names.iter().map(String::as_str))
}

/// A change of the entries of one profile or account. Applying it again changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListChange {
    /// Entries to write.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub add: BTreeSet<ListEntry>,
    /// Entries to remove.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remove: BTreeSet<ListEntry>,
}

impl ListChange {
    /// Returns the difference between two sets of entries.
    pub fn between(old: &BTreeSet<ListEntry>, new: &BTreeSet<ListEntry>) -> Self {
        Self { add: new.difference(old).cloned().collect(), remove: old.difference(new).cloned().collect() }
    }

    /// Includes an earlier change that may not have been applied. No entry is then both added and removed, so that the two
    /// need no order: `new` are the entries that there should be.
    pub fn include(&mut self, earlier: &Self, new: &BTreeSet<ListEntry>) {
        for entry in earlier.add.iter().chain(&earlier.remove) {
            let into = if new.contains(entry) { &mut self.add } else { &mut self.remove };
            into.insert(entry.clone());
        }
    }

    /// Returns whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

#[cfg(test)]
mod tests;
