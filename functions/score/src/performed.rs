//! Which outbox entries this process performed already.

use perennial_domain::{PersonId, hash};
use perennial_engine::Action;
use perennial_lambda_kit::recent::Recent;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often execution by this process is checked, which takes a second in all.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);

/// Records the newest executed actions up to a bound. A forgotten action is executed again, which is harmless.
#[derive(Debug)]
pub(crate) struct Performed {
    done: Recent<u64, ()>,
    under_way: Arc<Mutex<HashMap<PersonId, usize>>>,
}

/// Marks that this process is about to execute a profile's actions, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    person: PersonId,
    under_way: Arc<Mutex<HashMap<PersonId, usize>>>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut number) = under_way.entry(self.person) {
            *number.get_mut() -= 1;
            if *number.get() == 0 {
                number.remove();
            }
        }
    }
}

impl Performed {
    pub(crate) fn new(bound: usize) -> Self {
        Self { done: Recent::new(bound), under_way: Arc::default() }
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.done.get(&key).is_some()
    }

    pub(crate) fn remember(&self, key: u64) {
        self.done.put(key, ());
    }

    /// Marks that a profile's actions are about to be written, and executed thereafter.
    pub(crate) fn begin(&self, person: PersonId) -> Arc<Ticket> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        *under_way.entry(person).or_default() += 1;
        Arc::new(Ticket { person, under_way: Arc::clone(&self.under_way) })
    }

    /// Waits while this process executes the profile's actions, a second at most: another invocation would execute them
    /// a second time.
    pub(crate) async fn settled(&self, person: PersonId) {
        for _ in 0..LOOKS {
            if !self.under_way.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&person) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }
}

/// Returns the key of an outbox action as the write with that version left it: a later write may contain the same
/// action again.
pub(crate) fn key(person: PersonId, version: u64, action: &Action) -> u64 {
    // An action that could not be written as JSON could not have been in an outbox.
    hash::hash64(&[person.as_bytes(), &version.to_be_bytes(), &serde_json::to_vec(action).unwrap_or_default()])
}
