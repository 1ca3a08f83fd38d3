//! The limits of a profile's data, so that it always fits into an item of the table and can be read again.
//!
//! | of | limit | what is dropped first |
//! |---|---|---|
//! | one identity's traits: names, and the longest value that each ever had, [`SHORT_VALUE`] at least | [`TRAIT_BYTES`] | the trait that is last by [`place`](perennial_domain::traits::place): facts such as the mail address stay, then the first names in alphabetical order |
//! | one identity's traits to be set once, with two such values each | [`ONCE_BYTES`] | the same |
//! | names of one identity's events | [`NAME_BYTES`] | the last name of the alphabet that no condition asks about; its events are counted together with others |
//! | names of traits that were not kept | [`DROPPED_BYTES`] | the last name of the alphabet |
//! | currencies of one identity's payments | [`MAX_CURRENCIES`] | the last code of the alphabet |
//! | one account's traits: names, and as much as a value may have | [`ACCOUNT_TRAIT_BYTES`] | the trait of the last place |
//! | events that one write of a profile processes | `a_write` of `shed` | none: the rest comes with the next write |
//!
//! These limits depend on the data and not on its order. The bytes of a name never become fewer, even if a later value
//! is shorter: a dropped name could otherwise have stayed in another order of the same events.
//!
//! If all of a profile's identities together are still too large for an item, `shed` drops more, step by step:
//!
//! 1. The limits above are halved for every identity, up to [`Room::NONE`].
//! 2. Subscriptions, single payments and all accounts but the last one are dropped: for the identity of the profile's
//!    id last.
//! 3. Links that a limit rejected, and notes.
//! 4. Messages in the outbox, the latest decisions first.
//!
//! An identity keeps its reduced limits. So beyond the size of an item, and only there, the result depends on how large
//! a profile had been before. Data that was dropped from an identity returns when all history is recounted.

use perennial_domain::EventName;
use perennial_domain::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bytes of one identity's traits, where each value counts as [`SHORT_VALUE`] at least: more than one call can hold.
pub const TRAIT_BYTES: usize = 48 * 1024;
/// The most bytes of one identity's traits that are to be set once.
pub const ONCE_BYTES: usize = 48 * 1024;
/// The bytes that a shorter value counts as. So hardly any profile has to remember how long its values were.
pub const SHORT_VALUE: usize = 200;
/// The most bytes of the names of one identity's events.
pub const NAME_BYTES: usize = 16 * 1024;
/// The most bytes of the names of dropped traits.
pub const DROPPED_BYTES: usize = 16 * 1024;
/// The most names of dropped traits that are shown.
pub const MAX_DROPPED: usize = 10;
/// The most currencies in which payments of one identity are summed up.
pub const MAX_CURRENCIES: usize = 64;
/// The most stored bytes of one account's traits, with the longest possible values.
pub const ACCOUNT_TRAIT_BYTES: usize = 180 * 1024;
/// The most accounts that may name the same company domain for the first of them to have its people: what more of them name is nobody's own.
pub const SHARED_CLAIMS: usize = 20;
/// The stored bytes of an account's trait besides its name and value: the time and id of its call, which has 256 bytes
/// and may double as JSON.
const CALL_BYTES: usize = 640;
/// The most events in one write of a profile: each adds 8 bytes to the recent ids.
pub const MAX_EVENTS: usize = 1_000;
/// About the most bytes that the events of one write add to the outbox.
pub const OUTBOX_BYTES: usize = 96 * 1024;
/// About what an event adds to the outbox besides traits: its report about an account's subscription, or its claims.
pub(crate) const TOLD_BYTES: usize = 1024;
/// About what a journey that an event starts adds to the outbox.
pub(crate) const STARTED_BYTES: usize = 3 * 1024;

/// The number of times that the limits of an identity were halved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Room(u8);

impl Room {
    /// All of the limits.
    pub const FULL: Self = Self(0);
    /// No room for any trait or event name.
    pub const NONE: Self = Self(8);

    /// Returns the rest of a limit.
    pub(crate) fn of(self, bytes: usize) -> usize {
        bytes >> self.0.min(Self::NONE.0)
    }

    /// Returns whether the identity has less room than others.
    pub fn is_reduced(self) -> bool {
        self != Self::FULL
    }

    pub(crate) fn halved(self) -> Self {
        Self(self.0.saturating_add(1).min(Self::NONE.0))
    }
}

/// The longest JSON values that traits ever had, in bytes, by name; only if that is more than the current value and
/// [`SHORT_VALUE`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Longest(pub BTreeMap<String, u16>);

impl Longest {
    /// Returns the bytes that a value of `name`, which has `now` bytes, counts as.
    pub(crate) fn of(&self, name: &str, now: usize) -> usize {
        let longest = self.0.get(name).map_or(0, |longest| usize::from(*longest));
        longest.max(now).max(SHORT_VALUE)
    }

    /// Records that a value of `name` had `bytes`, while the current one has `now`.
    pub(crate) fn note(&mut self, name: &str, bytes: usize, now: usize) {
        if bytes > now.max(SHORT_VALUE) {
            // A value has MAX_TRAIT_BYTES at most.
            self.0.insert(name.to_owned(), u16::try_from(bytes).unwrap_or(u16::MAX));
        } else if !self.0.is_empty() {
            self.0.remove(name);
        }
    }
}

/// The bytes that one trait may take at most.
pub(crate) const LARGEST_TRAIT: usize = MAX_TRAIT_NAME_BYTES + MAX_TRAIT_BYTES;
/// The bytes that one trait to be set once may take at most.
pub(crate) const LARGEST_ONCE: usize = MAX_TRAIT_NAME_BYTES + 2 * MAX_TRAIT_BYTES;
/// The longest name of an event, in bytes.
pub(crate) const LARGEST_NAME: usize = EventName::MAX_BYTES;

/// Returns whether the last of several has no room: those before it, which take `before` bytes, and its largest
/// possible size exceed `room`. Its actual size does not matter, as that depends on which of its values is known.
pub(crate) fn is_beyond(before: usize, largest: usize, room: usize) -> bool {
    before + largest > room
}

/// Returns the bytes of an account's trait with the longest possible value.
pub(crate) fn account_trait_bytes(name: &str) -> usize {
    serde_json::to_string(name).map_or(name.len(), |json| json.len()) + MAX_TRAIT_BYTES + CALL_BYTES
}

#[cfg(test)]
mod tests;
