//! Which outbox entries this process performed already.

use perennial_domain::{PersonId, hash};
use perennial_engine::Action;
use perennial_lambda_kit::recent::Recent;

/// Remembers the newest entries up to a bound. What it has forgotten is performed again, which does no harm.
#[derive(Debug)]
pub(crate) struct Performed(Recent<u64, ()>);

impl Performed {
    pub(crate) fn new(bound: usize) -> Self {
        Self(Recent::new(bound))
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.0.get(&key).is_some()
    }

    pub(crate) fn remember(&self, key: u64) {
        self.0.put(key, ());
    }
}

/// What an entry of a person's outbox is remembered by, as the write with that version left it: a later write may ask for the same once more.
pub(crate) fn key(person: PersonId, version: u64, action: &Action) -> u64 {
    // An action that could not be written as JSON could not have been in an outbox.
    hash::hash64(&[person.as_bytes(), &version.to_be_bytes(), &serde_json::to_vec(action).unwrap_or_default()])
}
