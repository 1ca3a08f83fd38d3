//! Applies new journeys and segments to quiet profiles.
//!
//! A profile is evaluated when it has an event or is due. A quiet profile has a due time that was computed under the
//! earlier rules, or none, so a journey that is pushed later and triggered by a state would never reach it, and a new
//! segment would not include it. This pass evaluates every profile once, plans the starts of those for which a new
//! journey's trigger already holds ([`perennial_engine::meet`]), records who is in a new segment, and writes only what
//! changes. Nothing is sent.

use super::{HistoryError, Phase, Progress, Tell};
use crate::accounts::Accounts;
use crate::deps::Deps;
use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_engine::membership::memberships;
use perennial_engine::{Action, Moment, meet};
use perennial_store::lists::Listee;
use perennial_store::{Consistency, Loaded, Store, Stored, Summary};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

/// The most evaluations of a profile that is written meanwhile.
const TRIES: u32 = 3;
/// Profiles that are evaluated at once to be counted.
const COUNTED_AT_ONCE: usize = 16;

/// The outcome of a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The active configuration.
    pub config: String,
    /// The journeys that are new and triggered by a state.
    pub journeys: Vec<String>,
    /// The number of people in each segment that is new or has a changed condition.
    pub segments: BTreeMap<String, u64>,
    /// Profiles that were looked at.
    pub people: u64,
    /// Profiles that changed, or would with `dry_run`: each costs one write unit for each KB.
    pub changed: u64,
    /// The number of people who start each journey within the next 14 days, if its trigger still holds on their day.
    pub starts: BTreeMap<String, u64>,
    /// Profiles that were written by others on every try. Their own events bring them to the new journeys.
    pub not_done: u64,
    /// Profiles that cannot be read, and were passed over.
    #[serde(default)]
    pub unreadable: u64,
    /// `true` if nothing was written.
    pub dry_run: bool,
}

/// Evaluates everyone under the active configuration, for the journeys and segments that the previous one lacked; with
/// `dry_run` writes nothing. Writes at most `writes_a_second` profiles a second (1 or more). An interrupted run can be
/// repeated: it writes only what is missing.
///
/// Costs half a read unit for each 4 KB of the table, nothing if no journey or segment is new, and a write for each
/// profile that changes.
///
/// # Errors
/// [`HistoryError`] if the table fails.
pub async fn run(deps: &Deps, dry_run: bool, writes_a_second: u32, tell: Tell<'_>) -> Result<Outcome, HistoryError> {
    let config = deps.config.in_force().await?;
    let before = before(deps).await?;
    let how = How { dry_run, writes_a_second, concurrency: deps.concurrency };
    everyone(&deps.store, &config, before.as_ref(), &how, deps.clock.now(), tell).await
}

/// Evaluates everyone under `config`, which is to replace `before`, for the journeys and segments that `before` lacks.
/// Nothing is written.
///
/// Costs half a read unit for each 4 KB of the table, and nothing if no journey or segment is new.
///
/// # Errors
/// [`HistoryError`] if the table fails.
pub async fn count(
    store: &Store,
    config: &Config,
    before: Option<&Config>,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Outcome, HistoryError> {
    let how = How { dry_run: true, writes_a_second: 1, concurrency: COUNTED_AT_ONCE };
    everyone(store, config, before, &how, now, tell).await
}

/// The options of a pass.
struct How {
    dry_run: bool,
    writes_a_second: u32,
    /// Profiles that are evaluated at once.
    concurrency: usize,
}

async fn everyone(
    store: &Store,
    config: &Config,
    before: Option<&Config>,
    how: &How,
    now: Timestamp,
    tell: Tell<'_>,
) -> Result<Outcome, HistoryError> {
    let How { dry_run, writes_a_second, concurrency } = *how;
    let new = config.journeys.unknown_to(before.map(|before| &before.journeys));
    let new: HashSet<u32> = new.map(|journey| journey.key).collect();
    let segments = config.segments.unknown_to(before.map(|before| &before.segments));
    let segments: BTreeMap<String, u64> = segments.map(|segment| (segment.name.clone(), 0)).collect();
    let names = |journey: &Journey| new.contains(&journey.key).then(|| journey.id.clone());
    let mut outcome = Outcome {
        config: config.version.to_string(),
        journeys: config.journeys.all.iter().filter_map(names).collect(),
        segments,
        people: 0,
        changed: 0,
        starts: BTreeMap::new(),
        not_done: 0,
        unreadable: 0,
        dry_run,
    };
    if new.is_empty() && outcome.segments.is_empty() {
        return Ok(outcome);
    }
    let counts = !outcome.segments.is_empty();
    let pass = Pass { store, config, known: Accounts::new(), new, counts, now, dry_run };
    let mut from = None;
    loop {
        let (page, began) = (store.people(from).await?, Instant::now());
        outcome.people += page.people.len() as u64;
        outcome.unreadable += page.unreadable;
        let shares = stream::iter(page.people).map(|stored| pass.share(stored));
        let shares: Vec<Share> = shares.buffer_unordered(concurrency).try_collect().await?;
        let changed = outcome.changed;
        shares.into_iter().for_each(|share| outcome.add(config, share));
        tell(Progress { phase: Phase::Scores, done: outcome.people, of: 0 });
        if !dry_run {
            let least = (outcome.changed - changed) as f64 / f64::from(writes_a_second.max(1));
            tokio::time::sleep(Duration::from_secs_f64(least).saturating_sub(began.elapsed())).await;
        }
        from = page.next;
        if from.is_none() {
            return Ok(outcome);
        }
    }
}

/// The configuration before the active one; `None` where that one cannot be read any more, or there was none.
async fn before(deps: &Deps) -> Result<Option<Config>, HistoryError> {
    Ok(match deps.store.current_config().await?.and_then(|current| current.previous) {
        Some(version) => super::earlier_config(deps, &version).await,
        None => None,
    })
}

struct Pass<'a> {
    store: &'a Store,
    config: &'a Config,
    known: Accounts,
    new: HashSet<u32>,
    /// `true` if a segment is new.
    counts: bool,
    now: Timestamp,
    dry_run: bool,
}

/// The result for one profile.
#[derive(Default)]
struct Share {
    /// `true` if it changed.
    changed: bool,
    /// `true` if every attempt had a write conflict.
    missed: bool,
    /// The journeys that it starts.
    starts: Vec<u32>,
    /// The segments that it is in.
    segments: Vec<String>,
}

impl Pass<'_> {
    async fn share(&self, mut stored: Stored) -> Result<Share, HistoryError> {
        for _ in 0..TRIES {
            let person = stored.profile.id;
            let ids = || memberships(self.config, &stored.profile.view());
            let around = self.known.asked(self.store, self.config, ids, self.now).await?;
            let before = stored.profile.facts().starts;
            let moment = Moment::new(self.config, self.now).with_account(&around);
            let met = meet(&moment, &mut stored.profile, &self.new);
            let summary = Summary::of(&stored.profile, &met.evaluation, self.config);
            let moves = self.counts && summary.segments != stored.summary.segments;
            let starts = stored.profile.facts().starts.into_keys().filter(|key| !before.contains_key(key)).collect();
            let segments = if summary.external { Vec::new() } else { summary.segments.clone() };
            let share = Share { changed: met.changed || moves, missed: false, starts, segments };
            if !share.changed || self.dry_run {
                return Ok(share);
            }
            stored.summary = summary;
            match self.store.save(&mut stored).await {
                Ok(()) => {
                    self.list(&stored).await;
                    return Ok(share);
                }
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error.into()),
            }
            match self.store.load(person, Consistency::Strong).await? {
                Loaded::Profile(again) => stored = again,
                Loaded::Absent | Loaded::Moved(_) => return Ok(Share::default()),
            }
        }
        Ok(Share { missed: true, ..Share::default() })
    }

    /// Changes the profile's entries in lists. What fails stays in its outbox, and is repeated at the next load.
    async fn list(&self, stored: &Stored) {
        for action in &stored.profile.outbox {
            let Action::List(change) = action else { continue };
            let listee = Listee::Person(stored.profile.id);
            if let Err(error) = self.store.change_lists(listee, change, stored.version, self.now).await {
                tracing::warn!(person = %stored.profile.id, %error, "failed to list a profile; it is listed with its next event");
            }
        }
    }
}

impl Outcome {
    fn add(&mut self, config: &Config, share: Share) {
        self.changed += u64::from(share.changed);
        self.not_done += u64::from(share.missed);
        for journey in share.starts.into_iter().filter_map(|key| config.journeys.get(key)) {
            *self.starts.entry(journey.id.clone()).or_default() += 1;
        }
        for name in share.segments {
            if let Some(people) = self.segments.get_mut(&name) {
                *people += 1;
            }
        }
    }
}
