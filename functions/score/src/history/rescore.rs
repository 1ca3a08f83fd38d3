//! Recounts all history under the active configuration.
//!
//! Events continue to arrive meanwhile, and none may be lost or counted twice. An event is archived before it is
//! counted, so a profile that was read before the archive has counted nothing that the archive lacks. If both then
//! agree on the number of events, they are the same events, and the profile is written under the condition that nobody
//! wrote it since. Otherwise (an event arrived in between, or an archived one is not counted yet) the profile is read
//! again with the ids that it has counted, and exactly those events of the archive are recounted. Further rounds read only
//! what was archived since, so that people who are active all the time are done as well.

mod tally;

use super::{HistoryError, Phase, Progress, TELL_EVERY, Tell};
use crate::accounts::Accounts;
use crate::deps::Deps;
use crate::outbox;
use crate::outgoing::evaluate_again;
use crate::planned::Planned;
use futures::TryStreamExt;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Identity, PersonId};
use perennial_engine::Action;
use perennial_engine::membership::memberships;
use perennial_engine::rescore::Rebuild;
use perennial_store::archive::{AlreadyRead, undamaged};
use perennial_store::{Consistency, Loaded, StoreError, Stored, Summary};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use tally::{Example, Moved, Outcome, StageMoved};

/// Rounds in which unfinished profiles are processed again. Each but the first takes a moment.
const ROUNDS: u32 = 25;
/// The number of profiles loaded at once.
const CHUNK: usize = 100;
/// The pause before another round, in which work in progress is written.
const PAUSE: Duration = Duration::from_millis(200);

/// Rescores everyone, or with `dry_run` only reports what would change. No messages are triggered; accounts are
/// notified of their people, and aggregated as always. It uses the configuration that is active when it starts;
/// functions of a deployed stack that still use the previous one, for a minute after a push, count new events with
/// that. An interrupted run, or one with unfinished people, can be repeated: what is correct already is not written
/// again.
///
/// Costs half a read unit for each 4 KB of the table twice, and a write for each profile that changes. Uses memory for
/// all states, see [`Rebuild`].
///
/// # Errors
/// [`HistoryError`] if the table or the archive fails.
pub async fn run(deps: &Deps, dry_run: bool, tell: Tell<'_>) -> Result<Outcome, HistoryError> {
    let config = deps.config.in_force().await?;
    let old = counted_under(deps, &config).await?;
    let old = old.as_ref().unwrap_or(&config);
    let run = Run { deps, known: Accounts::new(), config: &config, now: deps.clock.now(), dry_run, tell };
    let mut outcome = Outcome::new(&config, old, dry_run);
    let versions = run.everyone(&mut outcome.unreadable).await?;
    outcome.people = versions.len() as u64;
    let mut rebuild = Rebuild::new(&config, run.now).against(old);
    (outcome.events, outcome.damaged) = run.read(&mut rebuild, &mut AlreadyRead::default()).await?;
    let mut left = run.apply(&rebuild, versions, &mut outcome).await?;
    let mut read = AlreadyRead::default();
    for _ in 0..ROUNDS {
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let (versions, counted) = run.look_again(left, &mut outcome.unreadable).await?;
        if !rebuild.widen(counted.clone()) {
            rebuild = Rebuild::only(&config, run.now, counted).against(old);
            read = AlreadyRead::default();
        }
        run.read(&mut rebuild, &mut read).await?;
        left = run.apply(&rebuild, versions, &mut outcome).await?;
    }
    outcome.not_done = left;
    outcome.finish();
    if !dry_run && outcome.not_done.is_empty() {
        deps.store.note_rescored(&config.version, run.now).await?;
    }
    Ok(outcome)
}

/// The rules that profiles were counted under: those of the last rescoring, else those before the active ones. `None` where they are the
/// active ones, or cannot be read any more.
async fn counted_under(deps: &Deps, active: &Config) -> Result<Option<Config>, HistoryError> {
    let version = match deps.store.rescored_config().await? {
        Some(version) => Some(version),
        None => deps.store.current_config().await?.and_then(|current| current.previous),
    };
    let Some(version) = version.filter(|version| *version != active.version) else { return Ok(None) };
    Ok(super::earlier_config(deps, &version).await)
}

/// The version stored under each profile id.
type Versions = HashMap<PersonId, u64>;
/// The hashes of the ids of the events that were counted.
type Counted = HashMap<Identity, HashSet<u64>>;

struct Run<'a> {
    deps: &'a Deps,
    /// Accounts as they are now: what the process remembers of them may be a minute old.
    known: Accounts,
    config: &'a Config,
    now: Timestamp,
    dry_run: bool,
    tell: Tell<'a>,
}

/// The result for one profile.
enum Share {
    /// Rescored; the profile before and the change.
    Done(Box<(Stored, tally::Change)>),
    /// To be processed again.
    Again(PersonId),
    /// Merged into another, which is then processed again.
    Gone,
    /// Cannot be read any more.
    Unreadable,
}

impl Run<'_> {
    async fn everyone(&self, unreadable: &mut u64) -> Result<Versions, HistoryError> {
        let mut versions = Versions::new();
        let mut from = None;
        loop {
            let page = self.deps.store.people(from).await?;
            versions.extend(page.people.into_iter().map(|stored| (stored.profile.id, stored.version)));
            *unreadable += page.unreadable;
            (self.tell)(Progress { phase: Phase::People, done: versions.len() as u64, of: 0 });
            from = page.next;
            if from.is_none() {
                return Ok(versions);
            }
        }
    }

    /// Reads the archive, except what was read before; gives how many events that has, and how many objects and lines are
    /// damaged. Who lacks an event for that is not rescored.
    async fn read(&self, rebuild: &mut Rebuild<'_>, before: &mut AlreadyRead) -> Result<(u64, u64), HistoryError> {
        let damaged = AtomicU64::new(0);
        let mut events = std::pin::pin!(undamaged(self.deps.archive.read_new(before).await?, &damaged));
        let mut count = 0;
        while let Some(event) = events.try_next().await? {
            rebuild.count(&event);
            count += 1;
            if count % TELL_EVERY == 0 {
                (self.tell)(Progress { phase: Phase::Events, done: count, of: 0 });
                // A long run lets others of its thread have their turn.
                tokio::task::yield_now().await;
            }
        }
        Ok((count, damaged.load(Ordering::Relaxed)))
    }

    /// Reads profiles with the ids that they have counted.
    async fn look_again(
        &self,
        people: Vec<PersonId>,
        unreadable: &mut u64,
    ) -> Result<(Versions, Counted), HistoryError> {
        let (mut versions, mut counted) = (Versions::new(), Counted::new());
        for person in people {
            let stored = match self.deps.store.load(person, Consistency::Strong).await {
                Ok(Loaded::Profile(stored)) => stored,
                Ok(Loaded::Moved(_) | Loaded::Absent) => continue,
                Err(error) if error.is_unreadable() => {
                    *unreadable += 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            versions.insert(person, stored.version);
            for part in stored.profile.parts {
                let mut ids: HashSet<u64> = part.seen.recent().collect();
                if part.seen.blocks > 0 {
                    ids.extend(self.deps.store.read_ledger(part.owner(), part.seen.blocks).await?);
                }
                counted.insert(part.identity, ids);
            }
        }
        Ok((versions, counted))
    }

    /// Rescores those that are still at their version and whose counted events are in the archive; returns the others.
    async fn apply(
        &self,
        rebuild: &Rebuild<'_>,
        versions: Versions,
        outcome: &mut Outcome,
    ) -> Result<Vec<PersonId>, HistoryError> {
        let (of, mut done, mut left) = (versions.len() as u64, 0, Vec::new());
        let versions: Vec<(PersonId, u64)> = versions.into_iter().collect();
        for chunk in versions.chunks(CHUNK) {
            let mut loaded = self.deps.store.load_many(&chunk.iter().map(|(person, _)| *person).collect()).await?;
            let people = chunk.iter().filter_map(|(person, version)| Some((*person, *version, loaded.remove(person)?)));
            let people: Vec<_> = people.collect();
            let shares =
                stream::iter(people).map(|(person, version, loaded)| self.share(rebuild, person, version, loaded));
            let shares: Vec<Share> = shares.buffer_unordered(self.deps.concurrency).try_collect().await?;
            for share in shares {
                match share {
                    Share::Done(done) => outcome.add(&done.0, &done.1),
                    Share::Again(person) => left.push(person),
                    Share::Gone => {}
                    Share::Unreadable => outcome.unreadable += 1,
                }
            }
            done += chunk.len() as u64;
            (self.tell)(Progress { phase: Phase::Scores, done, of });
        }
        Ok(left)
    }

    async fn share(
        &self,
        rebuild: &Rebuild<'_>,
        person: PersonId,
        version: u64,
        loaded: Result<Loaded, StoreError>,
    ) -> Result<Share, HistoryError> {
        let mut stored = match loaded {
            Ok(Loaded::Profile(stored)) if stored.version == version && rebuild.is_whole(&stored.profile) => stored,
            Ok(Loaded::Profile(_)) => return Ok(Share::Again(person)),
            Ok(Loaded::Absent | Loaded::Moved(_)) => return Ok(Share::Gone),
            Err(error) if error.is_unreadable() => return Ok(Share::Unreadable),
            Err(error) => return Err(error.into()),
        };
        if !self.dry_run {
            // An action of an earlier write must not be lost with its outbox.
            if let Err(error) = outbox::perform_leftover(self.deps, self.config, &stored, self.now).await {
                tracing::warn!(%person, %error, "failed to execute a profile's outbox; it will be retried");
                return Ok(Share::Again(person));
            }
            stored.profile.outbox.retain(Action::is_held);
        }
        let ids = || memberships(self.config, &stored.profile.view());
        let around = self.known.asked(&self.deps.store, self.config, ids, self.now).await?;
        let held = stored.summary.clone();
        let rescored = rebuild.rescore(&mut stored.profile, &around);
        stored.summary = Summary::of(&stored.profile, &rescored.evaluation, self.config);
        let is_stale = rescored.differs || stored.summary != held;
        let change = tally::Change { was: Summary::of(&stored.profile, &rescored.was, rebuild.old()), rescored };
        if is_stale && !self.dry_run {
            if !self.write(&mut stored).await? {
                return Ok(Share::Again(person));
            }
            if let Some(changed) = self.known.outdated_in_table(&self.deps.store, &around, self.now).await? {
                evaluate_again(&*self.deps.events, changed, vec![person]).await;
            }
        }
        Ok(Share::Done(Box::new((stored, change))))
    }

    /// Writes and executes; returns whether nobody else wrote meanwhile.
    async fn write(&self, stored: &mut Stored) -> Result<bool, HistoryError> {
        match self.deps.store.save(stored).await {
            Ok(()) => {}
            Err(error) if error.is_conflict() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        let (person, version) = (stored.profile.id, stored.version);
        let asked = stored.profile.outbox.iter().filter(|action| !action.is_held());
        let planned: Vec<Planned> =
            asked.map(|action| Planned { person, version, action: action.clone(), _ticket: None }).collect();
        // An action that cannot be executed stays in the outbox, and is executed at the next load.
        if !planned.is_empty() && !outbox::perform(self.deps, self.config, &planned, self.now).await.failed.is_empty() {
            tracing::warn!(%person, "failed to notify the account of a rescored profile; it is notified later");
        }
        Ok(true)
    }
}
