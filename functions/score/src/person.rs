//! Processes one profile's share of a batch: loads, counts, decides and writes.

use crate::contention::{TRIES, pause};
use crate::deps::Deps;
use crate::error::PersonError;
use crate::group::Work;
use crate::links::{self, Claim};
use crate::outbox;
use crate::planned::Planned;
use crate::timers::RecordIndex;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{Entry, Event, PersonId};
use perennial_engine::membership::memberships_after;
use perennial_engine::shed::a_write;
use perennial_engine::{
    Action, Mode, Moment, Profile, enter, entry_id, process, since_when_entered, since_when_in_ledger, tick,
};
use perennial_store::{Consistency, Loaded, StoreError, Stored, Summary};
use std::collections::{BTreeSet, HashSet};

/// The rules and inputs of a batch.
pub(crate) struct Rules<'a> {
    pub(crate) config: &'a Config,
    /// The links that hold, found or created before events were assigned to profiles.
    pub(crate) held: &'a BTreeSet<Claim>,
}

/// The result for a profile's share.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) counted: u32,
    pub(crate) duplicates: u32,
    pub(crate) conflicts: u32,
    pub(crate) written: bool,
    /// The actions to execute after the write.
    pub(crate) planned: Vec<Planned>,
    /// Events whose identity turned out to be another profile's.
    pub(crate) strays: Vec<(RecordIndex, Event)>,
    /// `true` if an account that the evaluation used has changed before it was written.
    is_outdated: bool,
}

impl Done {
    fn add(&mut self, other: Self) {
        self.counted += other.counted;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.written |= other.written;
        self.planned.extend(other.planned);
        self.strays.extend(other.strays);
        self.is_outdated = other.is_outdated;
    }
}

/// Processes `work` of `person`: in one write, or in several if the profile or its outbox would otherwise grow too
/// large.
pub(crate) async fn work_on(
    deps: &Deps,
    rules: &Rules<'_>,
    person: PersonId,
    mut work: Work,
    now: Timestamp,
) -> Result<Done, PersonError> {
    let mut done = Done::default();
    let mut again = 0;
    loop {
        let rest = work.split_beyond(a_write(rules.config, &work.events));
        done.add(write_share(deps, rules, person, work, rest.is_none(), now).await?);
        match rest {
            Some(rest) => work = rest,
            None if done.is_outdated && again == TRIES => return Err(PersonError::Contended),
            None if done.is_outdated => {
                again += 1;
                work = Work::again();
            }
            None => return Ok(done),
        }
    }
}

/// Processes the share of one write. Its actions are executed by the next one, unless it is the last.
async fn write_share(
    deps: &Deps,
    rules: &Rules<'_>,
    person: PersonId,
    mut work: Work,
    is_last: bool,
    now: Timestamp,
) -> Result<Done, PersonError> {
    let mut done = Done::default();
    let mut first = work.loaded.take();
    for attempt in 0..TRIES {
        let loaded = match first.take() {
            Some(loaded) => loaded,
            None => deps.store.load(person, Consistency::Strong).await?,
        };
        let mut stored = match (loaded, begin(person, &work)) {
            (Loaded::Profile(stored), _) => stored,
            (Loaded::Absent, Some(profile)) => Stored::new(profile),
            (Loaded::Moved(_), _) if !work.entries.is_empty() => return Err(PersonError::Moved),
            // A person in an account exists: an eventually consistent read may not see them yet.
            (Loaded::Absent, None) if !work.entries.is_empty() && attempt == 0 => continue,
            // A timer of a merged profile, whose own timer fires in the merged one; or events that moved along.
            (Loaded::Moved(_) | Loaded::Absent, _) => {
                done.strays.extend(work.drain_unless(|_| false));
                return Ok(done);
            }
        };
        done.strays.extend(work.drain_unless(|event| belongs(&stored.profile, event)));
        match attempt_once(deps, rules, &mut stored, &work, &mut done, attempt > 0, now).await {
            Ok(asked) => {
                done.planned.extend(asked.into_iter().filter(|_| is_last && !done.is_outdated));
                return Ok(done);
            }
            Err(PersonError::Store(error)) if error.is_conflict() => {
                done.conflicts += 1;
                pause(attempt, person).await;
            }
            Err(error) => return Err(error),
        }
    }
    Err(PersonError::Contended)
}

/// Returns the profile for the first event of an unknown person; `None` if no event is the person's own.
fn begin(person: PersonId, work: &Work) -> Option<Profile> {
    let mut identities = work.events.iter().filter_map(Event::identity);
    identities.find(|identity| identity.person_id() == person).map(Profile::new)
}

/// Returns whether the event's identity is this profile's own or merged into it.
fn belongs(profile: &Profile, event: &Event) -> bool {
    event.identity().is_some_and(|identity| identity.person_id() == profile.id || profile.part(&identity).is_some())
}

/// Counts, decides and writes; returns the actions of the write.
async fn attempt_once(
    deps: &Deps,
    rules: &Rules<'_>,
    stored: &mut Stored,
    work: &Work,
    done: &mut Done,
    again: bool,
    now: Timestamp,
) -> Result<Vec<Planned>, PersonError> {
    let config = rules.config;
    let mut tightened = false;
    for claim in work.events.iter().filter_map(|event| Claim::of(config, event)) {
        if stored.profile.part(&claim.linked).is_some() {
            tightened |= links::tighten(&mut stored.profile, &claim);
        } else if again || rules.held.contains(&claim) {
            // Another worker moved the identity meanwhile: the link is settled again, and the result is read.
            let settled = links::settle(deps, config, &claim.linked, vec![claim.link], now).await?;
            done.planned.extend(settled.planned);
            if settled.written.contains(&stored.profile.id) {
                return Err(StoreError::Conflict { operation: "settle" }.into());
            }
        }
    }
    let performed = outbox::perform_leftover(deps, config, stored, now).await?;
    stored.profile.outbox.retain(Action::is_held);
    let ledger = ledger(deps, &stored.profile, work).await?;
    let ids = || memberships_after(config, &stored.profile.view(), &work.events);
    let around = deps.known.asked(&deps.store, config, ids, now).await?;
    let moment = Moment::new(config, now).with_account(&around);
    let mut processed = process(&moment, &mut stored.profile, &work.events, &ledger, Mode::Live);
    let due = work.woken || stored.profile.due_at.is_some_and(|due| due <= now);
    let mut ticked = false;
    if processed.counted == 0 && work.has_tick() && due {
        let looked = tick(&moment, &mut stored.profile);
        ticked = looked.changed;
        processed.evaluation = looked.evaluation;
    }
    if !work.entries.is_empty() {
        let entries: Vec<Entry> = work.entries.iter().map(|(_, entry)| Entry::clone(entry)).collect();
        enter(&moment, &mut stored.profile, &entries, &ledger, &mut processed);
    }
    done.counted = processed.counted;
    done.duplicates = processed.duplicates;
    // Executed actions are written as executed, or each instance that loads the profile would repeat them.
    if !(processed.changed || ticked || tightened || performed) {
        return Ok(Vec::new());
    }
    stored.summary = Summary::of(&stored.profile, &processed.evaluation, config);
    deps.store.put_blocks(&processed.rolled).await?;
    let ticket =
        stored.profile.outbox.iter().any(|action| !action.is_held()).then(|| deps.performed.begin(stored.profile.id));
    deps.store.save(stored).await?;
    done.written = true;
    done.is_outdated = deps.known.outdated(&around).is_some();
    let (person, version) = (stored.profile.id, stored.version);
    let asked = stored.profile.outbox.drain(..).filter(|action| !action.is_held());
    Ok(asked.map(|action| Planned { person, version, action, _ticket: ticket.clone() }).collect())
}

/// Returns the events and entries that the ledger contains, among those that could be in it.
async fn ledger(deps: &Deps, profile: &Profile, work: &Work) -> Result<HashSet<(PersonId, u64)>, StoreError> {
    let mut known = HashSet::new();
    for part in &profile.parts {
        let asks =
            |event: &&Event| event.identity().as_ref() == Some(&part.identity) && part.seen.may_be_in_ledger(event);
        let events = work.events.iter().filter(asks).map(|event| (event.seen_id(), since_when_in_ledger(event)));
        let entries = work.entries.iter().map(|(_, entry)| (entry_id(entry), entry.at));
        let entries = entries.filter(|(id, at)| part.seen.may_have_left(*id, Some(*at)));
        let asked: Vec<(u64, Option<Timestamp>)> =
            events.chain(entries.map(|(id, at)| (id, Some(since_when_entered(at))))).collect();
        // The earliest of them all; without one, where any block can hold one of them.
        let Some(since) = asked.iter().map(|(_, since)| *since).min() else { continue };
        let ids = deps.store.read_ledger_since(part.owner(), part.seen.blocks, since).await?;
        known.extend(asked.iter().filter(|(id, _)| ids.contains(id)).map(|(id, _)| (part.owner(), *id)));
    }
    Ok(known)
}
