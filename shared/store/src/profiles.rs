//! Profiles: loads them, writes them under the condition that nobody else did, and merges them.

use crate::accounts::tombstone;
use crate::codec::{decode, encode, encode_pointer};
use crate::error::StoreError;
use crate::item::{Item, Read, needed};
use crate::keys;
use crate::reads::Consistency;
use crate::store::{Condition, Store};
use crate::stored::{Loaded, Moved, Stored, Summary};
use jiff::Timestamp;
use perennial_domain::{AccountId, PersonId};
use perennial_engine::Profile;
use perennial_engine::shed::shed;
use std::collections::{HashMap, HashSet};

/// The most pointers that are followed from one identity: merges lead straight to the owner, so more than one or two
/// are a race or a loop.
pub(crate) const HOPS: usize = 4;

/// A merge or unmerge of profiles. All of it is applied, or nothing.
#[derive(Debug, Default)]
pub struct Reshape<'a> {
    /// The profiles to write, each at its version and one more. If a pointer is stored under a profile's id, the
    /// version is the pointer's.
    pub profiles: Vec<&'a Stored>,
    /// Identities that now belong to another profile, with the pointer that replaces the stored item, at the version
    /// after it.
    pub pointers: Vec<(PersonId, Moved)>,
    /// Profiles that leave accounts, with the version at which their entry may be replaced.
    pub leaves: Vec<(AccountId, PersonId, u64)>,
}

/// The most items of one transaction.
pub const MAX_RESHAPED: usize = 100;

impl Store {
    /// Returns the item under `person`'s own id. Pointers are not followed.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails or the item cannot be read.
    pub async fn load(&self, person: PersonId, consistency: Consistency) -> Result<Loaded, StoreError> {
        let key = keys::key(keys::person(person), keys::PROFILE);
        match self.get("load", key, consistency == Consistency::Strong).await? {
            None => Ok(Loaded::Absent),
            Some(item) => decode(&item),
        }
    }

    /// Returns several profiles with eventually consistent reads, a hundred a call; a missing one is
    /// [`Loaded::Absent`].
    ///
    /// # Errors
    /// [`StoreError`] if a read fails. An unreadable item is an error of its own profile only.
    pub async fn load_many(
        &self,
        people: &HashSet<PersonId>,
    ) -> Result<HashMap<PersonId, Result<Loaded, StoreError>>, StoreError> {
        let mut loaded: HashMap<_, _> = people.iter().map(|person| (*person, Ok(Loaded::Absent))).collect();
        let keys = people.iter().map(|person| keys::key(keys::person(*person), keys::PROFILE)).collect();
        for item in self.get_many("load_many", keys, Consistency::Eventual).await? {
            let pk = needed(keys::PK, item.text(keys::PK)?)?;
            let person = keys::person_of(pk).ok_or_else(|| StoreError::corrupt("no person's key"))?;
            loaded.insert(person, decode(&item));
        }
        Ok(loaded)
    }

    /// Returns the profile that `person` is or was merged into; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn follow(&self, person: PersonId, consistency: Consistency) -> Result<Option<Stored>, StoreError> {
        let mut at = person;
        for _ in 0..HOPS {
            match self.load(at, consistency).await? {
                Loaded::Absent => return Ok(None),
                Loaded::Profile(stored) => return Ok(Some(stored)),
                Loaded::Moved(moved) => at = moved.to,
            }
        }
        Err(StoreError::corrupt("pointers lead in a circle"))
    }

    /// Writes the profile in one call, if nobody wrote it since it was loaded, and increments its version. Data that
    /// does not fit into an item is removed from the profile before, see [`perennial_engine::bounds`]. If the call's
    /// response was lost, the next load shows whether it was applied: then everything that it counted is there.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it was written by someone else: load consistently and retry.
    /// [`StoreError::TooLarge`] if it does not fit although everything removable was removed.
    pub async fn save(&self, stored: &mut Stored) -> Result<(), StoreError> {
        let version = stored.version + 1;
        let item = fitted(&mut stored.profile, &stored.summary, version)?;
        self.put("save", item, Some(Condition::version(stored.version))).await?;
        stored.version = version;
        Ok(())
    }

    /// Merges or unmerges profiles, in one transaction of at most [`MAX_RESHAPED`] items: nothing is written if one of
    /// them changed meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if something changed: load consistently and retry.
    pub async fn reshape(&self, reshape: &Reshape<'_>, now: Timestamp) -> Result<(), StoreError> {
        let mut writes = Vec::new();
        for stored in &reshape.profiles {
            let version = stored.version + 1;
            let item = match encode(&stored.profile, &stored.summary, version) {
                Err(StoreError::TooLarge { .. }) => fitted(&mut stored.profile.clone(), &stored.summary, version)?,
                item => item?,
            };
            writes.push(self.putting(item, Some(Condition::version(stored.version)))?);
        }
        for (person, moved) in &reshape.pointers {
            let before = moved.version.saturating_sub(1);
            writes.push(self.putting(encode_pointer(*person, moved), Some(Condition::version(before)))?);
        }
        for (account, person, version) in &reshape.leaves {
            let item = tombstone(account, *person, *version, now);
            writes.push(self.putting(item, Some(Condition::newer(*version)))?);
        }
        if writes.is_empty() {
            return Ok(());
        }
        if writes.len() > MAX_RESHAPED {
            return Err(StoreError::Unstorable(format!("{} items are too many for one transaction", writes.len())));
        }
        self.transact("reshape", writes).await
    }
}

/// Returns the item of a profile, from which data that does not fit is removed.
fn fitted(profile: &mut Profile, summary: &Summary, version: u64) -> Result<Item, StoreError> {
    let mut is_told = false;
    loop {
        match encode(profile, summary, version) {
            Err(StoreError::TooLarge { bytes, .. }) if shed(profile) => {
                if !is_told {
                    tracing::warn!(person = %profile.id, bytes, "a profile is too large; the limits of its identities are reduced");
                }
                is_told = true;
            }
            item => return item,
        }
    }
}
