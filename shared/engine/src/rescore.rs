//! Recounts history: computes the profiles that would exist had the current rules always applied.
//!
//! A profile keeps what its rules needed when each event arrived, so a new or changed rule lacks past events. The
//! archive has them. Only data derived from events is replaced; the counted event ids, merges, decisions and sent
//! messages are kept.

use crate::apply::apply;
use crate::evaluate::{Evaluation, look};
use crate::moment::{Accounts, Moment};
use crate::person::Person;
use crate::process::reschedule;
use crate::profile::{Part, Profile};
use crate::publish::publish;
use crate::relist::list;
use crate::situation::Situation;
use crate::state::State;
use crate::trend;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_domain::time::week_of;
use perennial_domain::{Event, Identity};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Returns the journeys with a score or condition whose threshold a person has reached, by id.
fn over(person: &Person<'_>) -> BTreeSet<String> {
    let is_over = |journey: &&Journey| person.is_over(&journey.trigger) == Some(true);
    let journeys = person.moment.config.journeys.all.iter();
    journeys.filter(is_over).map(|journey| journey.id.clone()).collect()
}

/// Returns a person's segments, by name.
fn segments(person: &Person<'_>) -> BTreeSet<String> {
    Evaluation::of(person).segments(person.moment.config).map(str::to_owned).collect()
}

/// Returns what only the first has.
fn only(these: &BTreeSet<String>, those: &BTreeSet<String>) -> Vec<String> {
    these.difference(those).cloned().collect()
}

/// States as the archive's events make them under one config. Takes about twice the memory of all states, and 8 bytes an event.
#[derive(Debug)]
pub struct Rebuild<'c> {
    config: &'c Config,
    /// The rules for comparison with the stored profile.
    old: &'c Config,
    now: Timestamp,
    /// Which events of which identities count, by the hashes of their ids; all of everyone where `None`.
    only: Option<HashMap<Identity, HashSet<u64>>>,
    /// Events of these identities that do not count: they may later, see [`Self::widen`].
    others: Vec<Event>,
    parts: HashMap<Identity, Rebuilt>,
}

/// One identity's share.
#[derive(Debug, Default)]
struct Rebuilt {
    seen: HashSet<u64>,
    state: State,
    /// The state from the events before the oldest week of the trend, and from each week since: the scores at the
    /// beginning of a week are those of everything before it. The state itself is not composed of these, because a sum
    /// of counts by day drops old days by the newest day of its own.
    before: State,
    weeks: BTreeMap<i32, State>,
}

/// The effect of rescoring on a profile. Old and new are compared at the same moment, so that time alone changes
/// nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    /// The evaluation of the stored profile under the old rules.
    pub was: Evaluation,
    /// The evaluation of the rebuilt profile under the new rules.
    pub evaluation: Evaluation,
    /// Journeys with a score or condition whose threshold is reached under the new rules only, by id; none was entered.
    pub rose: Vec<String>,
    /// Those whose threshold is reached under the old rules only.
    pub fell: Vec<String>,
    /// Segments under the new rules only, by name; nothing was triggered.
    pub entered: Vec<String>,
    /// Segments under the old rules only.
    pub left: Vec<String>,
    /// `true` if the profile differs from the stored one, so that it has to be written.
    pub differs: bool,
}

impl<'c> Rebuild<'c> {
    /// Begins with no events; everything that comes counts.
    pub fn new(config: &'c Config, now: Timestamp) -> Self {
        Self { config, old: config, now, only: None, others: Vec::new(), parts: HashMap::new() }
    }

    /// Compares the stored profile under the rules of `old`: those that it was counted under.
    #[must_use]
    pub fn against(self, old: &'c Config) -> Self {
        Self { old, ..self }
    }

    /// The same for a few identities, of which exactly the events in `only` count, by [`perennial_domain::MessageId::hash64`].
    pub fn only(config: &'c Config, now: Timestamp, only: HashMap<Identity, HashSet<u64>>) -> Self {
        Self { only: Some(only), ..Self::new(config, now) }
    }

    /// Has further events of the same identities count: those that were passed over count now, and no event needs to be
    /// read again. Returns `false`, and changes nothing, if `only` has an identity that this was not begun with.
    pub fn widen(&mut self, only: HashMap<Identity, HashSet<u64>>) -> bool {
        let Some(known) = self.only.as_mut().filter(|known| only.keys().all(|identity| known.contains_key(identity)))
        else {
            return false;
        };
        for (identity, ids) in only {
            known.entry(identity).or_default().extend(ids);
        }
        for event in std::mem::take(&mut self.others) {
            self.count(&event);
        }
        true
    }

    /// The config that states are computed under.
    pub fn config(&self) -> &'c Config {
        self.config
    }

    /// Returns the configuration for comparison with the stored profile.
    pub fn old(&self) -> &'c Config {
        self.old
    }

    /// Counts an event of the archive, where it may stand more than once. The order does not matter.
    pub fn count(&mut self, event: &Event) {
        let Some(identity) = event.identity() else { return };
        let id = event.seen_id();
        if let Some(only) = &self.only {
            match only.get(&identity) {
                Some(ids) if ids.contains(&id) => {}
                Some(_) => return self.others.push(event.clone()),
                None => return,
            }
        }
        let oldest = self.oldest_week();
        let part = self.parts.entry(identity).or_default();
        if !part.seen.insert(id) {
            return;
        }
        apply(self.config, &mut part.state, event);
        let week = week_of(event.timestamp);
        let share = if week < oldest { &mut part.before } else { part.weeks.entry(week).or_default() };
        apply(self.config, share, event);
    }

    /// Returns whether the number of events found equals the number that the profile has counted, for each of its
    /// identities. As events are archived before they are counted, they are the same events, if the archive was read
    /// after the profile.
    pub fn is_whole(&self, profile: &Profile) -> bool {
        profile.parts.iter().all(|part| {
            let found = self.parts.get(&part.identity).map_or(0, |rebuilt| rebuilt.state.counts.total());
            found == part.state.counts.total()
        })
    }

    /// Replaces the states of the profile with the rebuilt ones and recomputes what follows from them: stage, scores,
    /// segments, trend, the account's entry and the due time. No messages are triggered: thresholds that are reached
    /// are recorded, and no journey is entered. New outbox actions concern only the account.
    pub fn rescore<'a>(&self, profile: &mut Profile, accounts: impl Into<Accounts<'a>>) -> Rescored {
        let accounts = accounts.into();
        let before = profile.clone();
        let (was, over_before, in_before) = {
            let moment = Moment::new(self.old, self.now).with_account(accounts).of(profile.id);
            let view = profile.view();
            let person = look(&moment, &view);
            (Evaluation::of(&person), over(&person), segments(&person))
        };
        for part in &mut profile.parts {
            part.state = self.parts.get(&part.identity).map_or_else(State::default, |rebuilt| rebuilt.state.clone());
        }
        let moment = Moment::new(self.config, self.now).with_account(accounts).of(profile.id);
        self.rewrite_trend(&moment, profile);
        let view = profile.view();
        let person = look(&moment, &view);
        let evaluation = Evaluation::of(&person);
        let (over_now, in_now) = (over(&person), segments(&person));
        Situation::new(&person, profile).note();
        publish(&moment, profile, &view, &evaluation);
        list(&moment, profile, &view, &evaluation);
        profile.due_at = None;
        reschedule(profile, &person);
        Rescored {
            was,
            evaluation,
            rose: only(&over_now, &over_before),
            fell: only(&over_before, &over_now),
            entered: only(&in_now, &in_before),
            left: only(&in_before, &in_now),
            differs: *profile != before,
        }
    }

    /// Writes the scores at the beginnings of the newest weeks down as they would have been: up to the week of the newest event,
    /// as [`trend`] does it.
    fn rewrite_trend(&self, moment: &Moment<'_>, profile: &mut Profile) {
        let mine: Vec<&Rebuilt> = profile.parts.iter().filter_map(|part| self.parts.get(&part.identity)).collect();
        let newest = mine.iter().filter_map(|rebuilt| rebuilt.weeks.keys().next_back()).max().copied();
        let newest = newest.map(|week| week.min(week_of(self.now)));
        let mut view = State::default();
        mine.iter().for_each(|rebuilt| view.merge(&rebuilt.before));
        let mut noted = BTreeMap::new();
        for week in self.oldest_week()..=newest.unwrap_or(i32::MIN) {
            if view.seen.is_some() {
                noted.insert(week, trend::scores_at(moment, &view, week));
            }
            let of_week = mine.iter().filter_map(|rebuilt| rebuilt.weeks.get(&week));
            of_week.for_each(|share| view.merge(share));
        }
        profile.parts.iter_mut().for_each(|part: &mut Part| part.facts.trend.clear());
        if let Some(part) = profile.primary_mut() {
            part.facts.trend = noted;
        }
    }

    fn oldest_week(&self) -> i32 {
        week_of(self.now) - trend::WEEKS + 1
    }
}
