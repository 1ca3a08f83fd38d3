//! A bounded map that keeps the newest keys, for data that a process may forget: caches, and records of completed work.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keeps the values of the newest keys. Beyond the bound the oldest keys are forgotten.
#[derive(Debug)]
pub struct Recent<K, V> {
    bound: usize,
    held: Mutex<Held<K, V>>,
}

#[derive(Debug)]
struct Held<K, V> {
    values: HashMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, V: Clone> Recent<K, V> {
    /// Creates a map for `bound` keys.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { bound, held: Mutex::new(Held { values: HashMap::new(), order: VecDeque::new() }) }
    }

    /// The value of `key`, where it is remembered.
    pub fn get(&self, key: &K) -> Option<V> {
        self.held().values.get(key).cloned()
    }

    /// Stores `value` for `key`, in place of an earlier one.
    pub fn put(&self, key: K, value: V) {
        self.held().put(key, value, self.bound);
    }

    /// Returns the value of `key` if it is present and `is_good`; else that of `make`, which is stored. Of several
    /// simultaneous callers, one makes it for all; `make` must not use this map itself.
    pub fn get_or(&self, key: &K, is_good: impl FnOnce(&V) -> bool, make: impl FnOnce() -> V) -> V {
        let mut held = self.held();
        if let Some(value) = held.values.get(key).filter(|value| is_good(value)) {
            return value.clone();
        }
        let value = make();
        held.put(key.clone(), value.clone(), self.bound);
        value
    }

    fn held(&self) -> MutexGuard<'_, Held<K, V>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V> Held<K, V> {
    fn put(&mut self, key: K, value: V, bound: usize) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
            if self.order.len() > bound
                && let Some(oldest) = self.order.pop_front()
            {
                self.values.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_keys_are_remembered_with_their_last_value() {
        let recent = Recent::new(2);
        for (key, value) in [(1, 'a'), (2, 'b'), (2, 'c'), (3, 'd')] {
            recent.put(key, value);
        }
        assert_eq!([1, 2, 3].map(|key| recent.get(&key)), [None, Some('c'), Some('d')]);
    }

    #[test]
    fn what_is_no_longer_good_is_made_anew() {
        let recent = Recent::new(2);
        assert_eq!(recent.get_or(&1, |_| true, || 'a'), 'a');
        assert_eq!(recent.get_or(&1, |_| true, || 'b'), 'a');
        assert_eq!(recent.get_or(&1, |_| false, || 'b'), 'b');
        assert_eq!(recent.get(&1), Some('b'));
    }
}
