//! Groups events by profile.

use crate::deps::Deps;
use crate::timers::{RecordIndex, Timers};
use perennial_domain::{Entry, Event, PersonId};
use perennial_store::{Loaded, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// One profile's share of a batch.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// The events, in the batch's order.
    pub(crate) events: Vec<Event>,
    /// The record that brought each event.
    pub(crate) brought_by: Vec<RecordIndex>,
    /// The owners of the ids in the events and entries.
    pub(crate) owners: BTreeSet<PersonId>,
    /// The records that bring a timer.
    pub(crate) ticks: Vec<RecordIndex>,
    /// Journey entries because of the profile's account, with their records.
    pub(crate) entries: Vec<(RecordIndex, Arc<Entry>)>,
    /// `true` if the account has changed, so that the profile is evaluated at any hour.
    pub(crate) woken: bool,
    /// The item under the profile id, as read a moment ago.
    pub(crate) loaded: Option<Loaded>,
}

impl Work {
    /// A person to evaluate again, since their account has changed meanwhile.
    pub(crate) fn again() -> Self {
        Self { woken: true, ..Self::default() }
    }

    pub(crate) fn has_tick(&self) -> bool {
        self.woken || !self.ticks.is_empty()
    }

    pub(crate) fn push(&mut self, record: RecordIndex, event: Event) {
        self.events.push(event);
        self.brought_by.push(record);
    }

    /// Removes and returns the events after the first `most`, with everything that is not an event; `None` if there are
    /// no more.
    pub(crate) fn split_beyond(&mut self, most: usize) -> Option<Self> {
        if self.events.len() <= most {
            return None;
        }
        Some(Self {
            events: self.events.split_off(most),
            brought_by: self.brought_by.split_off(most),
            owners: self.owners.clone(),
            ticks: std::mem::take(&mut self.ticks),
            entries: std::mem::take(&mut self.entries),
            woken: std::mem::take(&mut self.woken),
            loaded: None,
        })
    }

    /// The records that this comes from.
    pub(crate) fn records(&self) -> BTreeSet<RecordIndex> {
        let entries = self.entries.iter().map(|(record, _)| record);
        self.brought_by.iter().chain(&self.ticks).chain(entries).copied().collect()
    }

    /// Removes and returns the events that are not `kept`.
    pub(crate) fn drain_unless(&mut self, kept: impl Fn(&Event) -> bool) -> Vec<(RecordIndex, Event)> {
        if self.events.iter().all(&kept) {
            return Vec::new();
        }
        let (events, brought_by) = (std::mem::take(&mut self.events), std::mem::take(&mut self.brought_by));
        let mut drained = Vec::new();
        for (record, event) in brought_by.into_iter().zip(events) {
            if kept(&event) {
                self.push(record, event);
            } else {
                drained.push((record, event));
            }
        }
        drained
    }
}

/// The profiles that were read, by their own ids.
pub(crate) type People = HashMap<PersonId, Result<Loaded, StoreError>>;

/// A batch by profile.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(crate) people: BTreeMap<PersonId, Work>,
    /// Records of profiles that could not be read.
    pub(crate) failed: BTreeSet<RecordIndex>,
}

/// Returns the profile ids of the identities in events and timers.
pub(crate) fn named(events: &[(RecordIndex, Event)], timers: &Timers) -> HashSet<PersonId> {
    let owners = events.iter().filter_map(|(_, event)| event.identity()).map(|identity| identity.person_id());
    owners.chain(timers.people()).collect()
}

/// Reads the profiles that `people` were merged into.
pub(crate) async fn follow(deps: &Deps, people: &mut People) -> Result<(), StoreError> {
    let pointed = people.values().filter_map(|loaded| match loaded {
        Ok(Loaded::Moved(moved)) => Some(moved.to),
        _ => None,
    });
    let further: HashSet<PersonId> = pointed.filter(|person| !people.contains_key(person)).collect();
    if !further.is_empty() {
        people.extend(deps.store.load_many(&further).await?);
    }
    Ok(())
}

/// Returns the profile with the identity state of `owner`, as far as was read.
pub(crate) fn holder(people: &People, owner: PersonId) -> PersonId {
    match people.get(&owner) {
        Some(Ok(Loaded::Moved(moved))) => moved.to,
        _ => owner,
    }
}

/// Assigns each event, timer and entry to its profile: that of a merged identity to the merged profile. `people`
/// contains the profiles read so far; those they point to are read here.
pub(crate) async fn group(
    deps: &Deps,
    events: Vec<(RecordIndex, Event)>,
    timers: Timers,
    mut people: People,
) -> Result<Groups, StoreError> {
    follow(deps, &mut people).await?;
    let mut groups = Groups::default();
    for (record, event) in events {
        let Some(owner) = event.identity().map(|identity| identity.person_id()) else { continue };
        let person = holder(&people, owner);
        let work = groups.people.entry(person).or_default();
        work.owners.insert(owner);
        work.push(record, event);
    }
    for (record, person, _) in timers.ticks {
        groups.people.entry(person).or_default().ticks.push(record);
    }
    for (record, person) in timers.woken {
        let work = groups.people.entry(person).or_default();
        work.ticks.push(record);
        work.woken = true;
    }
    for (record, owner, entry) in timers.entries {
        // The account may still list the id of a merged profile.
        let work = groups.people.entry(holder(&people, owner)).or_default();
        work.owners.insert(owner);
        work.entries.push((record, entry));
    }
    let mut unread = Vec::new();
    for (person, work) in &mut groups.people {
        match people.remove(person) {
            Some(Ok(loaded)) => work.loaded = Some(loaded),
            Some(Err(error)) => {
                tracing::error!(%person, %error, "failed to read a person");
                groups.failed.extend(work.records());
                unread.push(*person);
            }
            None => {}
        }
    }
    for person in unread {
        groups.people.remove(&person);
    }
    Ok(groups)
}
