//! Counting history anew: what profiles would be, had the present rules held from the start.
//!
//! A profile keeps what its rules asked for when each event came, so a rule that is new, or counts other events than before,
//! knows nothing of the past. The archive does. Only what is derived from events is replaced; which events were counted,
//! who was joined to whom, and what was decided and sent stay as they are.

use crate::apply::apply;
use crate::decide::Situation;
use crate::evaluate::{Evaluation, look};
use crate::moment::Moment;
use crate::process::{publish, reschedule};
use crate::profile::{Part, Profile};
use crate::state::State;
use crate::trend;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, Event, Identity};
use std::collections::{BTreeMap, HashMap, HashSet};

/// States as the archive's events make them under one config. Takes about twice the memory of all states, and 8 bytes an event.
#[derive(Debug)]
pub struct Rebuild<'c> {
    config: &'c Config,
    now: Timestamp,
    /// Which events of which identities count, by the hashes of their ids; all of everyone where `None`.
    only: Option<HashMap<Identity, HashSet<u64>>>,
    parts: HashMap<Identity, Rebuilt>,
}

/// One identity's share.
#[derive(Debug, Default)]
struct Rebuilt {
    seen: HashSet<u64>,
    state: State,
    /// Of the events before the oldest week of the trend, and of each week since: the scores at the beginning of a week are
    /// those of all that lies before it. The state itself is not put together from these, because a sum of counts by day
    /// forgets by the newest day of its own.
    before: State,
    weeks: BTreeMap<i32, State>,
}

/// What rescoring did to a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescored {
    /// What the profile means now.
    pub evaluation: Evaluation,
    /// Score journeys whose threshold the person is over now and was not before, by id; none was entered.
    pub rose: Vec<String>,
    /// Score journeys whose threshold the person was over and is not any more.
    pub fell: Vec<String>,
    /// Segments that the person is in now and was not before, by name; nothing was set off.
    pub entered: Vec<String>,
    /// Segments that the person was in and is not any more.
    pub left: Vec<String>,
    /// Whether anything in the profile is other than before.
    pub changed: bool,
}

impl<'c> Rebuild<'c> {
    /// Begins with no events; everything that comes counts.
    pub fn new(config: &'c Config, now: Timestamp) -> Self {
        Self { config, now, only: None, parts: HashMap::new() }
    }

    /// The same for a few identities, of which exactly the events in `only` count, by [`perennial_domain::MessageId::hash64`].
    pub fn only(config: &'c Config, now: Timestamp, only: HashMap<Identity, HashSet<u64>>) -> Self {
        Self { config, now, only: Some(only), parts: HashMap::new() }
    }

    /// The config that states are worked out under.
    pub fn config(&self) -> &'c Config {
        self.config
    }

    /// Counts an event of the archive, where it may stand more than once. The order does not matter.
    pub fn count(&mut self, event: &Event) {
        let Some(identity) = event.identity() else { return };
        let id = event.message_id.hash64();
        if let Some(only) = &self.only
            && !only.get(&identity).is_some_and(|ids| ids.contains(&id))
        {
            return;
        }
        let oldest = self.oldest_week();
        let part = self.parts.entry(identity).or_default();
        if !part.seen.insert(id) {
            return;
        }
        apply(self.config, &mut part.state, event);
        let week = trend::week_of(event.timestamp);
        let share = if week < oldest { &mut part.before } else { part.weeks.entry(week).or_default() };
        apply(self.config, share, event);
    }

    /// Whether exactly as many events of each of the profile's identities were found as the profile has counted. As events are
    /// archived before they are counted, they are the same events, if the archive was read after the profile.
    pub fn is_whole(&self, profile: &Profile) -> bool {
        profile.parts.iter().all(|part| {
            let found = self.parts.get(&part.identity).map_or(0, |rebuilt| rebuilt.state.counts.total());
            found == part.state.counts.total()
        })
    }

    /// Puts the rebuilt states into the profile and works out anew what follows from them: stage, scores, segments, trend, the
    /// account's entry and the due time. Nobody is written to: thresholds that are passed are noted, and no journey is entered.
    /// What the outbox gains concerns the account only.
    pub fn rescore(&self, profile: &mut Profile, account: Option<&AccountFacts>) -> Rescored {
        let before = profile.clone();
        for part in &mut profile.parts {
            part.state = self.parts.get(&part.identity).map_or_else(State::default, |rebuilt| rebuilt.state.clone());
        }
        let moment = Moment::new(self.config, self.now).with_account(account).of(profile.id);
        self.rewrite_trend(&moment, profile);
        let view = profile.view();
        let person = look(&moment, &view);
        let evaluation = Evaluation::of(&person);
        let (was, mut situation) = (before.facts(), Situation::new(&person, profile));
        situation.note();
        let is = situation.facts;
        publish(self.config, profile, &view, &evaluation);
        profile.due_at = None;
        reschedule(&moment, profile, &view);
        let journeys = self
            .config
            .journeys
            .all
            .iter()
            .filter(|journey| was.above.contains(&journey.key) != is.above.contains(&journey.key));
        let (rose, fell) = journeys.partition::<Vec<_>, _>(|journey| is.above.contains(&journey.key));
        let segments = self.config.segments.all.iter();
        let moved = segments.filter(|of| was.segments.contains_key(&of.key) != is.segments.contains_key(&of.key));
        let (entered, left) = moved.partition::<Vec<_>, _>(|segment| is.segments.contains_key(&segment.key));
        Rescored {
            evaluation,
            rose: rose.into_iter().map(|journey| journey.id.clone()).collect(),
            fell: fell.into_iter().map(|journey| journey.id.clone()).collect(),
            entered: entered.into_iter().map(|segment| segment.name.clone()).collect(),
            left: left.into_iter().map(|segment| segment.name.clone()).collect(),
            changed: *profile != before,
        }
    }

    /// Writes the scores at the beginnings of the newest weeks down as they would have been: up to the week of the newest event,
    /// as [`trend`] does it.
    fn rewrite_trend(&self, moment: &Moment<'_>, profile: &mut Profile) {
        let mine: Vec<&Rebuilt> = profile.parts.iter().filter_map(|part| self.parts.get(&part.identity)).collect();
        let newest = mine.iter().filter_map(|rebuilt| rebuilt.weeks.keys().next_back()).max().copied();
        let newest = newest.map(|week| week.min(trend::week_of(self.now)));
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
        trend::week_of(self.now) - trend::WEEKS + 1
    }
}
