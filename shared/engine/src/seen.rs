//! Which events were counted already: a window of recent ids in the profile, and a ledger of older ones beside it.

use jiff::Timestamp;
use perennial_domain::{Event, PersonId};
use serde::{Deserialize, Serialize};

/// Ids of one ledger block.
pub const BLOCK: usize = 24;
/// A window that was stored with at least this many ids gives its oldest [`BLOCK`] to the ledger at the next write.
pub const ROLL_AT: usize = 32;

/// The ids of one part of a profile, as 64-bit hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenIds {
    /// In the order in which they were counted.
    recent: Vec<Hash>,
    /// How many blocks the ledger holds.
    pub blocks: u32,
    /// The newest client timestamp counted so far, in milliseconds since 1970.
    newest: Option<i64>,
    /// [`Self::newest`] when the last block rolled: no event with a later client timestamp can be in the ledger, because a
    /// retry keeps its timestamp.
    horizon: Option<i64>,
}

/// Eight bytes as they are: a hash gains nothing from a variable-length integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Hash([u8; 8]);

/// Ids that leave the window for block `number` of the ledger of the part that began as `owner`. Writing the same block
/// twice writes the same ids: it is made of what was stored, not of what is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolledBlock {
    /// The part's own person id, which the ledger is keyed by.
    pub owner: PersonId,
    /// From 0.
    pub number: u32,
    /// [`BLOCK`] hashes.
    pub ids: Vec<u64>,
}

impl SeenIds {
    /// Whether the window holds the id.
    pub fn contains(&self, id: u64) -> bool {
        self.recent.contains(&Hash(id.to_be_bytes()))
    }

    /// Whether the event could be in the ledger, so that the ledger has to be read: there is one, the window does not hold
    /// the event, and its client timestamp is not later than the horizon or was never said.
    pub fn may_be_in_ledger(&self, event: &Event) -> bool {
        self.may_have_left(event.seen_id(), event.original_timestamp)
    }

    /// Whether an id that comes with that client timestamp at every repetition could be in the ledger.
    pub fn may_have_left(&self, id: u64, at: Option<Timestamp>) -> bool {
        self.blocks > 0
            && !self.contains(id)
            && match (at, self.horizon) {
                (Some(at), Some(horizon)) => at.as_millisecond() <= horizon,
                _ => true,
            }
    }

    /// Records that the event was counted.
    pub(crate) fn record(&mut self, event: &Event) {
        self.note(event.seen_id(), event.original_timestamp);
    }

    /// Records an id that comes with that client timestamp at every repetition.
    pub(crate) fn note(&mut self, id: u64, at: Option<Timestamp>) {
        self.recent.push(Hash(id.to_be_bytes()));
        self.newest = self.newest.max(at.map(Timestamp::as_millisecond));
    }

    /// Takes the blocks that are due out of the window. To be called on a part as it was stored, before anything new is
    /// recorded: two writers that read the same version then write the same blocks.
    pub(crate) fn roll(&mut self, owner: PersonId) -> Vec<RolledBlock> {
        let mut rolled = Vec::new();
        while self.recent.len() >= ROLL_AT {
            let ids = self.recent.drain(..BLOCK).map(|hash| u64::from_be_bytes(hash.0)).collect();
            rolled.push(RolledBlock { owner, number: self.blocks, ids });
            self.blocks += 1;
            self.horizon = self.newest;
        }
        rolled
    }

    /// Ids in the window.
    pub fn recent(&self) -> impl Iterator<Item = u64> {
        self.recent.iter().map(|hash| u64::from_be_bytes(hash.0))
    }
}
