//! Which outbox entries this process performed already.

use perennial_domain::{PersonId, hash};
use perennial_engine::Action;
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Remembers the newest entries up to a bound. What it has forgotten is performed again, which does no harm.
#[derive(Debug)]
pub(crate) struct Performed {
    bound: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    keys: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Performed {
    pub(crate) fn new(bound: usize) -> Self {
        Self { bound, held: Mutex::default() }
    }

    pub(crate) fn contains(&self, key: u64) -> bool {
        self.held().keys.contains(&key)
    }

    pub(crate) fn remember(&self, key: u64) {
        let mut held = self.held();
        if held.keys.insert(key) {
            held.order.push_back(key);
            if held.order.len() > self.bound
                && let Some(oldest) = held.order.pop_front()
            {
                held.keys.remove(&oldest);
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an entry of a person's outbox, as some write left it, is remembered by.
pub(crate) fn key(person: PersonId, action: &Action) -> u64 {
    // An action that could not be written as JSON could not have been in an outbox.
    hash::hash64(&[person.as_bytes(), &serde_json::to_vec(action).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let performed = Performed::new(2);
        for key in [1, 2, 2, 3] {
            performed.remember(key);
        }
        assert_eq!([1, 2, 3].map(|key| performed.contains(key)), [false, true, true]);
    }
}
