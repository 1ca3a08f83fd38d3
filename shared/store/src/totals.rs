//! The whole table in numbers, by the plain attributes of its items: exact while nothing is under way; a scan sees what is written meanwhile, or not.

use crate::error::StoreError;
use crate::item::{Item, Read};
use crate::keys;
use perennial_domain::{Likelihood, Stage};
use perennial_engine::NpsClass;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The best-effort counter of events that had been counted before.
pub const DUPLICATES: &str = "duplicates";

/// The attributes that an item is counted by, beside its keys.
pub(crate) const ATTRIBUTES: [&str; 12] =
    ["n", "to", "ext", "stage", "scores", "nps", "unread", "pers", "segs", "ch", "status", "journey"];

/// The totals of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Events counted, over all profiles.
    pub accepted: u64,
    /// Events that had been counted before, as far as was noted.
    pub duplicates: u64,
    /// Events rejected and still kept.
    pub rejected: u64,
    /// People, without merged profiles.
    pub profiles: u64,
    /// Profiles that consist only of ids in other systems. They are not counted as people until they are linked to one.
    pub external: u64,
    /// Accounts.
    pub accounts: u64,
    /// Items that could not be read, and are in none of the numbers.
    pub unreadable: u64,
    /// Claimed messages to people, and tasks about them.
    pub messages: u64,
    /// Claimed updates of the CRM's account records.
    pub crm_updates: u64,
    /// People by stage.
    pub stages: BTreeMap<Stage, u64>,
    /// People by score as last written, in five bands: 0, 1-24, 25-49, 50-74, 75-100.
    pub bands: BTreeMap<Likelihood, [u64; 5]>,
    /// People by the class of their latest survey answer, without those who did not answer.
    pub nps: Answers,
    /// Texts of the last three months in unsupported languages, as of each profile's last write.
    pub unread_texts: u64,
    /// People by persona.
    pub personas: BTreeMap<String, u64>,
    /// Segments by name.
    pub segments: BTreeMap<String, SegmentTotals>,
    /// Messages by channel and state, such as `mail` and `sent`.
    pub channels: BTreeMap<String, BTreeMap<String, u64>>,
    /// The same for each journey, by its id.
    pub journeys: BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>,
}

/// People by what their latest survey answer made of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    /// Answered 9 or 10, and use the product.
    pub promoters: u64,
    /// Answered 7 or 8, or 9 or 10 without using the product.
    pub passives: u64,
    /// Answered 6 or less.
    pub detractors: u64,
}

impl Answers {
    /// Returns the net promoter score, -100 to 100: the percentage of promoters minus that of detractors, of those who
    /// answered; `None` without answers.
    pub fn score(self) -> Option<f64> {
        let all = self.promoters + self.passives + self.detractors;
        (all > 0).then(|| (self.promoters as f64 - self.detractors as f64) / all as f64 * 100.0)
    }

    fn count(&mut self, class: NpsClass) {
        match class {
            NpsClass::Promoter => self.promoters += 1,
            NpsClass::Passive => self.passives += 1,
            NpsClass::Detractor => self.detractors += 1,
            NpsClass::None => {}
        }
    }

    fn add(&mut self, other: Self) {
        self.promoters += other.promoters;
        self.passives += other.passives;
        self.detractors += other.detractors;
    }
}

/// A segment in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentTotals {
    /// The number of its people.
    pub people: u64,
    /// Their answers to the survey.
    pub nps: Answers,
}

/// The band of [`Totals::bands`] that a score falls into.
fn band(score: u8) -> usize {
    match score {
        0 => 0,
        1..25 => 1,
        25..50 => 2,
        50..75 => 3,
        _ => 4,
    }
}

impl Totals {
    pub(crate) fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicates += other.duplicates;
        self.rejected += other.rejected;
        self.profiles += other.profiles;
        self.external += other.external;
        self.accounts += other.accounts;
        self.unreadable += other.unreadable;
        self.messages += other.messages;
        self.crm_updates += other.crm_updates;
        for (stage, people) in other.stages {
            *self.stages.entry(stage).or_default() += people;
        }
        for (likelihood, bands) in other.bands {
            let mine = self.bands.entry(likelihood).or_default();
            for (sum, people) in mine.iter_mut().zip(bands) {
                *sum += people;
            }
        }
        self.nps.add(other.nps);
        self.unread_texts += other.unread_texts;
        for (persona, people) in other.personas {
            *self.personas.entry(persona).or_default() += people;
        }
        for (segment, totals) in other.segments {
            let mine = self.segments.entry(segment).or_default();
            mine.people += totals.people;
            mine.nps.add(totals.nps);
        }
        add_channels(&mut self.channels, other.channels);
        for (journey, channels) in other.journeys {
            add_channels(self.journeys.entry(journey).or_default(), channels);
        }
    }

    /// Counts an item by its plain attributes, of which [`ATTRIBUTES`] are needed.
    pub(crate) fn count(&mut self, item: &Item) -> Result<(), StoreError> {
        let (pk, sk) = (item.text(keys::PK)?.unwrap_or_default(), item.text(keys::SK)?.unwrap_or_default());
        if sk == keys::PROFILE {
            // A pointer counts no events: those moved with the identity.
            if let Some(events) = item.number::<u64>("n")? {
                self.accepted += events;
                if item.number::<u64>("ext")?.is_some() {
                    self.external += 1;
                    return Ok(());
                }
                self.profiles += 1;
                let stage = crate::codec::stage(item.text("stage")?.unwrap_or_default())?;
                *self.stages.entry(stage).or_default() += 1;
                let class = crate::codec::nps_class(item.text("nps")?.unwrap_or(NpsClass::None.as_str()))?;
                self.nps.count(class);
                self.unread_texts += item.number::<u64>("unread")?.unwrap_or_default();
                for persona in crate::codec::names(item.text("pers")?) {
                    *self.personas.entry(persona).or_default() += 1;
                }
                for segment in crate::codec::names(item.text("segs")?) {
                    let totals = self.segments.entry(segment).or_default();
                    totals.people += 1;
                    totals.nps.count(class);
                }
                let scores = crate::codec::long_scores(item.text("scores")?.unwrap_or_default())?;
                // A person to whom a score does not apply is in none of its bands.
                for (likelihood, score) in scores {
                    self.bands.entry(likelihood).or_default()[band(score.get())] += 1;
                }
            }
        } else if sk == keys::ACCOUNT {
            // The account of a domain that another account claims has no people of its own.
            self.accounts += u64::from(item.text("to")?.is_none());
        } else if sk.starts_with(keys::UPDATE) || (sk.starts_with(keys::MESSAGE) && keys::is_account(pk)) {
            self.crm_updates += 1;
        } else if sk.starts_with(keys::MESSAGE) {
            self.messages += 1;
            let channel = item.text("ch")?.unwrap_or_default().to_owned();
            let state = item.text("status")?.unwrap_or_default().to_owned();
            let journey = item.text("journey")?.unwrap_or_default().to_owned();
            let of_journey = self.journeys.entry(journey).or_default();
            *of_journey.entry(channel.clone()).or_default().entry(state.clone()).or_default() += 1;
            *self.channels.entry(channel).or_default().entry(state).or_default() += 1;
        } else if pk.starts_with("R#") {
            self.rejected += 1;
        } else if pk == keys::STAT && sk == DUPLICATES {
            self.duplicates += item.number::<u64>("n")?.unwrap_or_default();
        }
        Ok(())
    }
}

/// Adds messages by channel and state.
fn add_channels(sums: &mut BTreeMap<String, BTreeMap<String, u64>>, more: BTreeMap<String, BTreeMap<String, u64>>) {
    for (channel, states) in more {
        let mine = sums.entry(channel).or_default();
        for (state, messages) in states {
            *mine.entry(state).or_default() += messages;
        }
    }
}
