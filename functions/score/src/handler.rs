//! Handles a batch of the events queue.

use crate::account_messages;
use crate::deps::Deps;
use crate::erased;
use crate::error::PersonError;
use crate::group::{self, Work};
use crate::intake::Intake;
use crate::joins;
use crate::links::{self, Claim};
use crate::outbox;
use crate::person::{Done, Rules, work_on};
use crate::planned::Planned;
use crate::reshape::Outcome;
use crate::timers::{RecordIndex, Timers};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_contracts::queue::Unmerge;
use perennial_domain::{Event, Identity, PersonId, hash};
use perennial_lambda_kit::batch::{Batch, BatchError, Panicked, Record, catch};
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_lambda_kit::queue::Delay;
use perennial_store::archive::ArchiveError;
use perennial_store::totals::DUPLICATES;
use perennial_store::{Consistency, Loaded, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rounds of assigning events to profiles: more than one if identities move while the batch is processed.
const ROUNDS: usize = 4;

/// Archives, counts and decides; returns the records to retry.
///
/// # Errors
/// [`BatchError`] if a record has no id, so that partial failures cannot be reported.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse, BatchError> {
    let (mut batch, records) = Batch::open(event)?;
    let now = deps.clock.now();
    let config = deps.config.current().await;
    let mut run = Run {
        deps,
        config: &config,
        now,
        records: &records,
        failed: BTreeSet::new(),
        archived: BTreeSet::new(),
        planned: Vec::new(),
        held: BTreeSet::new(),
        counts: Counts::default(),
    };
    let mut intake = Intake::read(&records);
    let unmerges = std::mem::take(&mut intake.unmerges);
    run.work(intake).await;
    run.finish().await;
    if !unmerges.is_empty() {
        run.part(unmerges).await;
        run.finish().await;
    }
    run.note_duplicates().await;
    for (index, record) in run.failed.iter().filter_map(|index| Some((index, records.get(*index)?))) {
        batch.fail(&record.message_id);
        if run.archived.contains(index) {
            deps.archived.put(identity_of(record), ());
        }
    }
    run.counts.emit(deps.config.take_compiled(), now);
    Ok(batch.into_response())
}

#[derive(Debug, Default)]
struct Counts {
    counted: u64,
    duplicates: u64,
    written: u64,
    people_failed: u64,
    performed: u64,
    conflicts: u64,
    reshaped: u64,
    refused: u64,
}

impl Counts {
    fn add(&mut self, done: &Done) {
        self.counted += u64::from(done.counted);
        self.written += u64::from(done.written);
        self.conflicts += u64::from(done.conflicts);
    }

    fn reshaped(&mut self, outcome: &Outcome) {
        self.reshaped += u64::from(!outcome.written.is_empty());
        self.refused += u64::from(outcome.refused.is_some() && !outcome.written.is_empty());
    }

    fn emit(&self, configs_compiled: u64, now: Timestamp) {
        let metrics = Metrics::new("Perennial", "score")
            .count("EventsCounted", self.counted)
            .count("EventsDuplicate", self.duplicates)
            .count("PeopleWritten", self.written)
            .count("PeopleFailed", self.people_failed)
            .count("ActionsPerformed", self.performed)
            .count("Conflicts", self.conflicts)
            .count("PeopleReshaped", self.reshaped)
            .count("MergesRefused", self.refused)
            .count(CONFIGS_COMPILED, configs_compiled);
        metrics.emit(now);
    }
}

/// One batch in progress.
struct Run<'a> {
    deps: &'a Deps,
    config: &'a Config,
    now: Timestamp,
    records: &'a [Record],
    failed: BTreeSet<RecordIndex>,
    /// Records whose events are in the archive.
    archived: BTreeSet<RecordIndex>,
    /// The planned actions, and the records that request them.
    planned: Vec<(Planned, BTreeSet<RecordIndex>)>,
    /// The links that hold.
    held: BTreeSet<Claim>,
    counts: Counts,
}

impl Run<'_> {
    async fn work(&mut self, intake: Intake) {
        let Intake { mut events, timers, changed, unmerges: _, unreadable, apart } = intake;
        self.failed.extend(unreadable);
        self.set_apart(apart).await;
        for (account, version) in changed {
            self.deps.known.changed(&account, version, self.now);
        }
        if let Err(error) = erased::leave_out(&self.deps.store, &mut events).await {
            tracing::error!(%error, "failed to read who was erased; the batch's history will be retried");
            self.failed
                .extend(events.extract_if(.., |(_, event)| erased::may_be_before(event)).map(|(record, _)| record));
        }
        if let Err(error) = self.archive(&events).await {
            tracing::error!(%error, events = events.len(), "failed to archive the batch; its events will be retried");
            let archived = std::mem::take(&mut self.archived);
            self.failed
                .extend(events.extract_if(.., |(record, _)| !archived.contains(record)).map(|(record, _)| record));
            self.archived = archived;
        }
        let (events, of_accounts) = events.into_iter().partition::<Vec<_>, _>(|(_, event)| event.identity().is_some());
        self.failed.append(&mut account_messages::forward(self.deps, &of_accounts).await);
        let records: BTreeSet<RecordIndex> = events.iter().map(|(record, _)| *record).chain(timers.records()).collect();
        if let Err(error) = self.share_out(events, timers).await {
            tracing::error!(%error, "failed to read profiles; their records will be retried");
            self.failed.extend(records);
        }
    }

    /// Archives the events, in one object for each day of receipt. Events of a redelivered record that this process has
    /// archived are skipped: they would be stored in a second object.
    async fn archive(&mut self, events: &[(RecordIndex, Event)]) -> Result<(), ArchiveError> {
        let comes_again = |index: &RecordIndex| self.records.get(*index).filter(|record| record.receive_count > 1);
        let is_there = |index: &RecordIndex| {
            comes_again(index).is_some_and(|record| self.deps.archived.get(&identity_of(record)).is_some())
        };
        let records: BTreeSet<RecordIndex> = events.iter().map(|(record, _)| *record).collect();
        let (there, new) = records.into_iter().partition::<BTreeSet<_>, _>(is_there);
        self.archived.extend(there);
        if !new.is_empty() {
            let events = events.iter().filter(|(record, _)| new.contains(record)).map(|(_, event)| event);
            self.deps.archive.write(events).await?;
            self.archived.extend(new);
        }
        Ok(())
    }

    /// Sends payloads that were moved out of their records. A record whose payload cannot be sent is retried.
    async fn set_apart(&mut self, apart: Vec<(RecordIndex, String)>) {
        if apart.is_empty() {
            return;
        }
        let (records, bodies): (Vec<RecordIndex>, Vec<String>) = apart.into_iter().unzip();
        let report = self.deps.events.send(bodies, Delay::NONE).await;
        self.failed.extend(report.unsent.iter().filter_map(|unsent| records.get(unsent.index)));
    }

    /// Assigns everything to its profile and processes it.
    async fn share_out(&mut self, events: Vec<(RecordIndex, Event)>, timers: Timers) -> Result<(), StoreError> {
        let mut people = self.deps.store.load_many(&group::named(&events, &timers)).await?;
        let events = self.settle_links(events, &mut people).await?;
        let mut groups = group::group(self.deps, events, timers, people).await?;
        for _ in 0..ROUNDS {
            self.failed.append(&mut groups.failed);
            let strays = self.each_person(std::mem::take(&mut groups.people)).await;
            if strays.is_empty() {
                return Ok(());
            }
            let mut people = HashMap::new();
            for person in group::named(&strays, &Timers::default()) {
                let loaded = self.deps.store.load(person, Consistency::Strong).await?;
                if let Loaded::Moved(moved) = &loaded {
                    people.insert(moved.to, self.deps.store.load(moved.to, Consistency::Strong).await);
                }
                people.insert(person, Ok(loaded));
            }
            groups = group::group(self.deps, strays, Timers::default(), people).await?;
        }
        for work in groups.people.values() {
            tracing::warn!("failed to follow moving identities; their records will be retried");
            self.failed.extend(work.records());
        }
        Ok(())
    }

    /// Links ids to the users in the batch, before events are assigned to profiles. Returns the events without those of
    /// failed links.
    async fn settle_links(
        &mut self,
        mut events: Vec<(RecordIndex, Event)>,
        people: &mut group::People,
    ) -> Result<Vec<(RecordIndex, Event)>, StoreError> {
        let mut uses: BTreeMap<Identity, BTreeMap<Claim, BTreeSet<RecordIndex>>> = BTreeMap::new();
        for (record, event) in &events {
            if let Some(claim) = Claim::of(self.config, event) {
                uses.entry(claim.linked.clone()).or_default().entry(claim).or_default().insert(*record);
            }
        }
        if uses.is_empty() {
            return Ok(events);
        }
        group::follow(self.deps, people).await?;
        for (linked, claims) in uses {
            let is_there = |claim: &Claim| {
                let holder = group::holder(people, claim.user());
                matches!(people.get(&holder), Some(Ok(Loaded::Profile(stored))) if stored.profile.part(&claim.linked).is_some())
            };
            if claims.keys().all(is_there) {
                self.held.extend(claims.into_keys());
                continue;
            }
            let records: BTreeSet<RecordIndex> = claims.values().flatten().copied().collect();
            let links = claims.keys().map(|claim| claim.link.clone()).collect();
            let origin = linked.person_id();
            match catch(links::settle(self.deps, self.config, &linked, links, self.now)).await {
                Ok(Ok(settled)) => {
                    self.counts.reshaped(&settled);
                    self.planned.extend(settled.planned.into_iter().map(|planned| (planned, records.clone())));
                    // The profiles read before are outdated: pointers are read again below, profiles when they are
                    // processed.
                    for person in settled.written {
                        people.remove(&person);
                    }
                    if let Ok(loaded) = self.deps.store.load(origin, Consistency::Strong).await {
                        people.insert(origin, Ok(loaded));
                    }
                    let holder = group::holder(people, origin);
                    self.held.extend(claims.into_keys().filter(|claim| group::holder(people, claim.user()) == holder));
                }
                outcome => {
                    tracing::error!(person = %origin, error = %reason(&outcome), "failed to link an id to its user");
                    self.counts.people_failed += 1;
                    events.retain(|(record, _)| !records.contains(record));
                    self.failed.extend(records);
                }
            }
        }
        Ok(events)
    }

    /// Unmerges identities on request, after everything in the batch's events.
    async fn part(&mut self, unmerges: Vec<(RecordIndex, Unmerge)>) {
        for (record, unmerge) in unmerges {
            let person = unmerge.identity.person_id();
            match catch(joins::part(self.deps, self.config, &unmerge, self.now)).await {
                Ok(Ok(parted)) => {
                    tracing::info!(%person, changed = !parted.written.is_empty(), "unmerged an identity");
                    self.counts.reshaped(&parted);
                    let records = BTreeSet::from([record]);
                    self.planned.extend(parted.planned.into_iter().map(|planned| (planned, records.clone())));
                }
                outcome => {
                    tracing::error!(%person, error = %reason(&outcome), "failed to unmerge an identity; the record will be retried");
                    self.counts.people_failed += 1;
                    self.failed.insert(record);
                }
            }
        }
    }

    /// Processes all profiles, several at once; returns the events that turned out to be another profile's.
    async fn each_person(&mut self, people: BTreeMap<PersonId, Work>) -> Vec<(RecordIndex, Event)> {
        let (deps, now) = (self.deps, self.now);
        let rules = &Rules { config: self.config, held: &self.held };
        let bodies = self.records;
        let work = people.into_iter().map(|(person, work)| async move {
            let (records, owners) = (work.records(), work.owners.clone());
            let outcome = catch(work_on(deps, rules, person, work, now)).await;
            if outcome.is_ok() || records.len() == 1 {
                return vec![(person, records, outcome)];
            }
            // A panic must not affect the events of other records, so the profile is processed again record by record.
            let mut outcomes = Vec::new();
            for record in records {
                let share = share_of(bodies, record, person, &owners);
                outcomes.push((
                    person,
                    BTreeSet::from([record]),
                    catch(work_on(deps, rules, person, share, now)).await,
                ));
            }
            outcomes
        });
        let outcomes: Vec<_> = stream::iter(work).buffer_unordered(deps.concurrency).collect().await;
        let mut strays = Vec::new();
        for (person, records, outcome) in outcomes.into_iter().flatten() {
            match outcome {
                Ok(Ok(mut done)) => {
                    self.counts.add(&done);
                    // A redelivery by SQS is not a duplicate of the client.
                    if records
                        .iter()
                        .all(|index| self.records.get(*index).is_some_and(|record| record.receive_count <= 1))
                    {
                        self.counts.duplicates += u64::from(done.duplicates);
                    }
                    strays.append(&mut done.strays);
                    self.planned.extend(done.planned.into_iter().map(|planned| (planned, records.clone())));
                }
                outcome => {
                    tracing::error!(%person, error = %reason(&outcome), "failed to process profile; records will be retried");
                    self.counts.people_failed += 1;
                    self.failed.extend(records);
                }
            }
        }
        strays
    }

    /// Performs what the writes ask for.
    async fn finish(&mut self) {
        let (planned, records): (Vec<Planned>, Vec<_>) = std::mem::take(&mut self.planned).into_iter().unzip();
        if !planned.is_empty() {
            let outbox::Report { failed, reshaped, refused } =
                outbox::perform(self.deps, self.config, &planned, self.now).await;
            self.counts.reshaped += reshaped;
            self.counts.refused += refused;
            for (planned, records) in planned.iter().zip(records) {
                if failed.contains(&planned.person) {
                    self.failed.extend(records);
                } else {
                    self.counts.performed += 1;
                }
            }
        }
    }

    /// Records duplicates, best effort.
    async fn note_duplicates(&self) {
        if self.counts.duplicates > 0
            && let Err(error) = self.deps.store.count(DUPLICATES, self.counts.duplicates).await
        {
            tracing::debug!(%error, "failed to record duplicates");
        }
    }
}

/// Returns the hash that identifies a redelivered record.
fn identity_of(record: &Record) -> u64 {
    hash::hash64(&[record.message_id.as_bytes(), record.body.as_bytes()])
}

/// Returns the work of one record, parsed again, for a person whose events carry the ids of `owners`.
fn share_of(records: &[Record], record: RecordIndex, person: PersonId, owners: &BTreeSet<PersonId>) -> Work {
    let intake = Intake::read(records.get(record).map(std::slice::from_ref).unwrap_or_default());
    let mut work = Work { owners: owners.clone(), ..Work::default() };
    for (_, event) in intake.events {
        if event.identity().is_some_and(|identity| owners.contains(&identity.person_id())) {
            work.push(record, event);
        }
    }
    work.ticks.extend(intake.timers.ticks.iter().filter(|(_, of, _)| *of == person).map(|_| record));
    let entries = intake.timers.entries.into_iter().filter(|(_, of, _)| owners.contains(of));
    work.entries.extend(entries.map(|(_, _, entry)| (record, entry)));
    if intake.timers.woken.iter().any(|(_, of)| *of == person) {
        work.ticks.push(record);
        work.woken = true;
    }
    work
}

fn reason<T>(outcome: &Result<Result<T, PersonError>, Panicked>) -> String {
    match outcome {
        Ok(Ok(_)) => String::new(),
        Ok(Err(error)) => error.to_string(),
        Err(panicked) => panicked.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_contracts::queue::EventsPayload;
    use perennial_testkit::EventBuilder;

    #[test]
    fn a_record_read_once_more_brings_only_what_is_the_persons() {
        let owner = |event: &Event| event.identity().unwrap().person_id();
        let (mine, linked, other) = (
            EventBuilder::track("a", "u", "x").build(),
            EventBuilder::page("b", "anon").build(),
            EventBuilder::track("c", "v", "x").build(),
        );
        let owners = BTreeSet::from([owner(&mine), owner(&linked)]);
        let person = owner(&mine);
        let events = vec![mine.clone(), other, linked.clone()];
        let tick = EventsPayload::Tick { person, due_at: Timestamp::UNIX_EPOCH };
        let record = |body: &EventsPayload| Record {
            message_id: "r".to_owned(),
            body: serde_json::to_string(body).unwrap(),
            receive_count: 1,
            receipt_handle: String::new(),
        };
        let records = [record(&tick), record(&EventsPayload::Events { events })];
        let share = share_of(&records, 1, person, &owners);
        assert_eq!((share.events, share.brought_by, share.ticks), (vec![mine, linked], vec![1, 1], vec![]));
        assert_eq!(share_of(&records, 0, person, &owners).ticks, [0]);
        assert!(share_of(&records, 7, person, &owners).events.is_empty());
    }
}
