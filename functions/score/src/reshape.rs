//! Merges and unmerges profiles: everything affected is read consistently, the engine decides the new profiles, and all
//! of it is written in one transaction, or repeated after a write conflict.

use crate::accounts::Around;
use crate::contention::{TRIES, pause};
use crate::deps::Deps;
use crate::error::PersonError;
use crate::outgoing::evaluate_again;
use crate::performed;
use crate::planned::Planned;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_contracts::queue::Unmerge;
use perennial_domain::{AccountId, Identity, PersonId};
use perennial_engine::joins::Limit;
use perennial_engine::listing::Listed;
use perennial_engine::membership::memberships;
use perennial_engine::merge::{Change, People};
use perennial_engine::{Action, Evaluation, Moment, Part, Profile, evaluate, look_again};
use perennial_store::profiles::Reshape;
use perennial_store::{Consistency, Loaded, Moved, Store, StoreError, Stored, Summary};
use std::collections::{BTreeMap, BTreeSet};

/// A requested change.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) change: Change,
    /// Other profiles that it affects.
    pub(crate) also: BTreeSet<PersonId>,
    pub(crate) look: Look,
    /// A manual unmerge, which is archived before it is executed, if it changes anything: it is recorded nowhere else.
    pub(crate) unmerge: Option<Unmerge>,
}

/// How changed profiles are evaluated.
#[derive(Debug)]
pub(crate) enum Look {
    /// With decisions. Unless `speak`, thresholds are recorded as passed and no messages are triggered.
    Now { speak: bool },
    /// The profile of this identity has events that are yet to be counted, and is evaluated then.
    Later(Identity),
}

/// The result of the change.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The profiles whose items were written.
    pub(crate) written: BTreeSet<PersonId>,
    /// The resulting actions.
    pub(crate) planned: Vec<Planned>,
    /// The limit that stopped it.
    pub(crate) refused: Option<Limit>,
}

/// Executes the change.
pub(crate) async fn reshape(
    deps: &Deps,
    config: &Config,
    asked: &Asked,
    now: Timestamp,
) -> Result<Outcome, PersonError> {
    let about = asked.change.identities().first().map(Identity::person_id).or(asked.also.first().copied());
    for attempt in 0..TRIES {
        match try_reshape(deps, config, asked, now).await {
            Err(PersonError::Store(error)) if error.is_conflict() => {
                if let Some(about) = about {
                    pause(attempt, about).await;
                }
            }
            Ok(outcome) => {
                if let (Some(limit), false, Some(person)) = (outcome.refused, outcome.written.is_empty(), about) {
                    tracing::warn!(%person, ?limit, "a limit prevented a merge; both profiles have a note");
                }
                return Ok(outcome);
            }
            Err(error) => return Err(error),
        }
    }
    Err(PersonError::Contended)
}

async fn try_reshape(deps: &Deps, config: &Config, asked: &Asked, now: Timestamp) -> Result<Outcome, PersonError> {
    let mut there = There::default();
    for identity in asked.change.identities() {
        there.read(&deps.store, identity.person_id(), Some(identity)).await?;
    }
    for person in &asked.also {
        there.read(&deps.store, *person, None).await?;
    }
    let reshaped = loop {
        match asked.change.make(&config.identity, &there.people()) {
            Ok(reshaped) => break reshaped,
            Err(missing) => {
                for user in missing {
                    let user = Identity::User(user);
                    there.read(&deps.store, user.person_id(), Some(user)).await?;
                }
            }
        }
    };
    if reshaped.people == there.people() {
        return Ok(Outcome { refused: reshaped.refused, ..Outcome::default() });
    }
    if let Some(unmerge) = &asked.unmerge {
        deps.archive.write_unmerge(unmerge, now).await?;
    }
    let mut plan = there.plan(deps, reshaped.people).await?;
    let mut planned = Vec::new();
    let mut used = Vec::new();
    for (stored, from) in &mut plan.profiles {
        let known = stored.profile.outbox.get(..*from).unwrap_or_default().to_vec();
        used.push((stored.profile.id, look(deps, config, asked, stored, now).await?));
        let (person, version) = (stored.profile.id, stored.version + 1);
        // Earlier actions are executed by their writer; a mail that waited for an address and has one now is new.
        let new = stored.profile.outbox.iter().filter(|action| !action.is_held() && !known.contains(action)).cloned();
        planned.extend(new.map(|action| Planned { person, version, action, _ticket: None }));
    }
    let write = Reshape {
        profiles: plan.profiles.iter().map(|(stored, _)| stored).collect(),
        pointers: plan.pointers,
        leaves: plan.leaves.into_iter().map(|((account, person), version)| (account, person, version)).collect(),
    };
    deps.store.reshape(&write, now).await?;
    for (person, around) in &used {
        if let Some(changed) = deps.known.outdated(around) {
            evaluate_again(&*deps.events, changed, vec![*person]).await;
        }
    }
    let profiles = write.profiles.iter().map(|stored| stored.profile.id);
    let written = profiles.chain(write.pointers.iter().map(|(person, _)| *person)).collect();
    Ok(Outcome { written, planned, refused: reshaped.refused })
}

/// Evaluates a changed profile, as requested; returns the accounts that were used.
async fn look(
    deps: &Deps,
    config: &Config,
    asked: &Asked,
    stored: &mut Stored,
    now: Timestamp,
) -> Result<Around, StoreError> {
    let view = stored.profile.view();
    let around = deps.known.asked(&deps.store, config, || memberships(config, &view), now).await?;
    let moment = Moment::new(config, now).with_account(&around);
    let evaluation: Evaluation = match &asked.look {
        Look::Later(identity) if stored.profile.part(identity).is_some() => evaluate(&moment, &view),
        Look::Later(_) => look_again(&moment, &mut stored.profile, true).evaluation,
        Look::Now { speak } => {
            // Merging the history of a long inactive person triggers no messages.
            let lately = now.as_second() - i64::from(config.channels.max_event_age_hours) * 3600;
            let recent = view.seen.is_some_and(|seen| seen.last_at().as_second() >= lately);
            look_again(&moment, &mut stored.profile, *speak && recent).evaluation
        }
    };
    stored.summary = Summary::of(&stored.profile, &evaluation, config);
    Ok(around)
}

/// The profiles that were read.
#[derive(Debug, Default)]
struct There {
    people: BTreeMap<PersonId, Stored>,
    /// Versions under ids that are not profiles: pointers, or 0 for nothing.
    versions: BTreeMap<PersonId, u64>,
    /// The targets of pointers.
    pointers: BTreeMap<PersonId, PersonId>,
    /// Identities without stored data.
    new: BTreeMap<PersonId, Part>,
}

/// The planned writes.
#[derive(Debug, Default)]
struct Plan {
    /// Profiles, and the position from which their outbox is new.
    profiles: Vec<(Stored, usize)>,
    pointers: Vec<(PersonId, Moved)>,
    leaves: BTreeMap<(AccountId, PersonId), u64>,
}

const MOVED_ON: StoreError = StoreError::Conflict { operation: "reshape" };

impl There {
    fn holds(&self, person: PersonId) -> bool {
        let has = |stored: &Stored| stored.profile.parts.iter().any(|part| part.owner() == person);
        self.people.values().any(has) || self.new.contains_key(&person)
    }

    /// Reads the profile with the identity state of `person`; creates one of `identity` if there is none.
    async fn read(&mut self, store: &Store, person: PersonId, identity: Option<Identity>) -> Result<(), StoreError> {
        if self.holds(person) {
            return Ok(());
        }
        match store.load(person, Consistency::Strong).await? {
            Loaded::Absent => {
                self.versions.insert(person, 0);
                self.new.extend(identity.map(|identity| (person, Part::new(identity))));
            }
            Loaded::Profile(stored) => self.take(stored)?,
            Loaded::Moved(moved) => {
                self.versions.insert(person, moved.version);
                self.pointers.insert(person, moved.to);
                match store.load(moved.to, Consistency::Strong).await? {
                    Loaded::Profile(stored) => self.take(stored)?,
                    Loaded::Absent | Loaded::Moved(_) => return Err(MOVED_ON),
                }
                if !self.holds(person) {
                    return Err(MOVED_ON);
                }
            }
        }
        Ok(())
    }

    /// Adds a profile that was read. An identity read before may have moved to it since: then it is in two places, and
    /// everything has to be read again.
    fn take(&mut self, stored: Stored) -> Result<(), StoreError> {
        let id = stored.profile.id;
        self.people.remove(&id);
        if stored.profile.parts.iter().any(|part| self.holds(part.owner())) {
            return Err(MOVED_ON);
        }
        self.people.insert(id, stored);
        Ok(())
    }

    fn people(&self) -> People {
        let stored = self.people.iter().map(|(id, stored)| (*id, stored.profile.parts.clone()));
        stored.chain(self.new.iter().map(|(id, part)| (*id, vec![part.clone()]))).collect()
    }

    /// The version of what lies under an id now.
    async fn version(&mut self, store: &Store, person: PersonId) -> Result<u64, StoreError> {
        if let Some(stored) = self.people.get(&person) {
            return Ok(stored.version);
        }
        if let Some(version) = self.versions.get(&person) {
            return Ok(*version);
        }
        match store.load(person, Consistency::Strong).await? {
            Loaded::Absent => Ok(0),
            Loaded::Moved(moved) => Ok(moved.version),
            // It was a pointer a moment ago.
            Loaded::Profile(_) => Err(MOVED_ON),
        }
    }

    /// Plans the writes for `people`.
    async fn plan(&mut self, deps: &Deps, people: People) -> Result<Plan, StoreError> {
        let mut after: BTreeMap<PersonId, (Stored, usize)> = BTreeMap::new();
        for (id, parts) in people {
            let is_nobody = matches!(parts.as_slice(), [only] if self.new.get(&id) == Some(only));
            if is_nobody {
                continue;
            }
            let mut stored = match self.people.get(&id) {
                Some(stored) => stored.clone(),
                None => {
                    let profile = Profile {
                        id,
                        parts: Vec::new(),
                        outbox: Vec::new(),
                        published: None,
                        elsewhere: BTreeMap::new(),
                        listed: None,
                        written: None,
                        due_at: None,
                    };
                    Stored { version: self.version(&deps.store, id).await?, ..Stored::new(profile) }
                }
            };
            stored.profile.parts = parts;
            let version = stored.version;
            stored.profile.outbox.retain(|action| !deps.performed.contains(performed::key(id, version, action)));
            let from = stored.profile.outbox.len();
            after.insert(id, (stored, from));
        }
        let mut plan = Plan::default();
        for (id, gone) in &self.people {
            if after.contains_key(id) {
                continue;
            }
            let home =
                after.values_mut().find(|(stored, _)| stored.profile.parts.iter().any(|part| part.owner() == *id));
            if let Some((home, _)) = home {
                plan.move_out(deps, gone, &mut home.profile.outbox);
                if gone.profile.written.is_some() {
                    home.profile.rewrite_contact();
                }
            }
        }
        for (id, (mut stored, from)) in after {
            let is_here = |part: &Part| stored.profile.part(&part.identity).is_some();
            if self.people.get(&id).is_some_and(|before| !before.profile.parts.iter().all(is_here)) {
                stored.profile.rewrite_contact();
            }
            for part in &stored.profile.parts {
                let own = part.owner();
                let stayed =
                    || self.people.get(&id).is_some_and(|before| before.profile.part(&part.identity).is_some());
                let is_right =
                    own == id || self.pointers.get(&own) == Some(&id) || (!self.people.contains_key(&own) && stayed());
                if !is_right {
                    let version = self.version(&deps.store, own).await? + 1;
                    plan.pointers.push((own, Moved { to: id, version }));
                }
            }
            let before = self.people.get(&id);
            if before
                .is_none_or(|before| before.profile.parts != stored.profile.parts || stored.profile.outbox.len() > from)
            {
                plan.profiles.push((stored, from));
            }
        }
        Ok(plan)
    }
}

impl Plan {
    /// Handles what a merged profile leaves behind: its pending actions move along, and its entry in an account is
    /// removed.
    fn move_out(&mut self, deps: &Deps, gone: &Stored, outbox: &mut Vec<Action>) {
        let (id, version) = (gone.profile.id, gone.version + 1);
        let mut left: BTreeSet<AccountId> = gone.profile.published.iter().map(|(account, _)| account.clone()).collect();
        // Eight each would be too many for the transaction: these are taken back after it.
        let others: BTreeSet<AccountId> = gone.profile.elsewhere.keys().cloned().collect();
        let mut entries = gone.profile.listed.as_ref().map(Listed::entries).unwrap_or_default();
        for action in &gone.profile.outbox {
            match action {
                // Those that are yet to be removed, too.
                Action::List(change) => entries.extend(change.add.iter().chain(&change.remove).cloned()),
                _ if deps.performed.contains(performed::key(id, gone.version, action)) => {}
                // The entry goes with the profile.
                Action::PublishMember { .. } | Action::Join { .. } => {}
                Action::LeaveAccount { account, person, .. } if *person == id => drop(left.insert(account.clone())),
                action => outbox.push(action.clone()),
            }
        }
        for account in left {
            outbox.push(Action::LeaveAccount { account: account.clone(), person: id, version: None });
            self.leaves.insert((account, id), version);
        }
        if !entries.is_empty() {
            outbox.push(Action::Unlist { person: id, version, entries });
        }
        let take_back = |account| Action::LeaveAccount { account, person: id, version: Some(version) };
        outbox.extend(others.into_iter().map(take_back));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::{AnonymousId, UserId};

    fn anonymous() -> Identity {
        Identity::Anonymous(AnonymousId::parse("browser-1").unwrap())
    }

    fn user(id: &str, also: &[Identity]) -> Stored {
        let mut profile = Profile::new(Identity::User(UserId::parse(id).unwrap()));
        for identity in also {
            profile.part_mut(identity);
        }
        Stored::new(profile)
    }

    #[test]
    fn a_part_that_moved_between_two_reads_is_never_in_two_places() {
        let own = anonymous().person_id();
        // It did not exist when it was read; then another worker linked it to the user.
        let mut there = There::default();
        there.new.insert(own, Part::new(anonymous()));
        assert!(there.take(user("u-1", &[anonymous()])).unwrap_err().is_conflict());
        // It was one user's, and is another's now.
        let mut there = There::default();
        there.take(user("u-1", &[anonymous()])).unwrap();
        assert!(there.take(user("u-2", &[anonymous()])).unwrap_err().is_conflict());
        there.take(user("u-3", &[])).unwrap();
        assert_eq!(there.people().values().flatten().filter(|part| part.owner() == own).count(), 1);
    }
}
