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

    /// Forgets the value of `key`.
    pub fn forget(&self, key: &K) {
        let mut held = self.held();
        if held.values.remove(key).is_some() {
            held.order.retain(|known| known != key);
        }
    }

    /// Returns the value of `key` if it is present and `is_good`; else that of `make`, which receives the value in its place, if any, and
    /// is stored. Of several simultaneous callers, one makes it for all; `make` must not use this map itself.
    pub fn get_or(&self, key: &K, is_good: impl FnOnce(&V) -> bool, make: impl FnOnce(Option<&V>) -> V) -> V {
        let mut held = self.held();
        let old = held.values.get(key);
        if let Some(value) = old.filter(|value| is_good(value)) {
            return value.clone();
        }
        let value = make(old);
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
    fn a_forgotten_key_makes_room_for_another() {
        let recent = Recent::new(2);
        recent.put(1, 'a');
        recent.put(2, 'b');
        recent.forget(&1);
        recent.put(3, 'c');
        recent.put(1, 'd');
        assert_eq!([1, 2, 3].map(|key| recent.get(&key)), [Some('d'), None, Some('c')]);
    }

    #[test]
    fn what_is_no_longer_good_is_made_anew() {
        let recent = Recent::new(2);
        assert_eq!(recent.get_or(&1, |_| true, |old| old.map_or('a', |_| 'z')), 'a');
        assert_eq!(recent.get_or(&1, |_| true, |_| 'b'), 'a');
        assert_eq!(recent.get_or(&1, |_| false, |old| if old == Some(&'a') { 'b' } else { 'z' }), 'b');
        assert_eq!(recent.get(&1), Some('b'));
    }
}
