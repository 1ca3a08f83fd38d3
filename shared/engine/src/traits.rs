//! A person's traits: the latest value of each, and values that are set only if absent.
//!
//! | reported | kept |
//! |---|---|
//! | a value | the latest; at the same time, the greater |
//! | `null` | the same: the trait is removed until a later value |
//! | a value, by a public source | as [`crate::unverified`] describes: it counts if no other source reported any |
//! | a value to be set once | the first and the last one; the first of them that is later than the removal counts, and none while a value is set |
//! | a value of more than [`MAX_TRAIT_BYTES`] | its name, in [`State::dropped`]; an older value stays |
//! | more than [`MAX_TRAITS`] names, or one of more than [`MAX_TRAIT_NAME_BYTES`] | facts such as the mail address and the first names in alphabetical order, and some of the others in [`State::dropped`] |
//! | more bytes of names and values than [`TRAIT_BYTES`](crate::bounds::TRAIT_BYTES) | the same |
//! | removed traits | they do not count toward [`MAX_TRAITS`], up to [`MAX_REMOVED`] of them |
//!
//! Traits of public sources never displace those of others: they are dropped first, whatever their names. All of it is
//! a merge: the order of events does not matter, except for which of the values of public sources remain if there is
//! room for only some of them. A value to be set once that came between the first, a removal and the last is not kept;
//! then the last counts.

use crate::bounds::{
    DROPPED_BYTES, LARGEST_ONCE, LARGEST_TRAIT, Longest, MAX_DROPPED, ONCE_BYTES, TRAIT_BYTES, is_beyond,
};
use crate::register::Register;
use crate::set_once::Once;
use crate::state::State;
use crate::unverified::{is_unverified, place as place_in_time, place_once};
use perennial_domain::event::{MAX_TRAIT_BYTES, MAX_TRAIT_NAME_BYTES, MAX_TRAITS};
use perennial_domain::traits::place;
use perennial_domain::{Event, EventKind};
use std::collections::{BTreeMap, BTreeSet};

/// The most names of dropped traits that are recorded, so that they can be counted.
pub const MAX_COUNTED: usize = 100;
/// The number of names that are kept besides [`MAX_TRAITS`], for removed traits. Which ones are kept depends on the
/// names alone and not on which of them were removed first, so that the order of events does not matter; of the traits
/// that are not removed the first [`MAX_TRAITS`] count.
pub const MAX_REMOVED: usize = 50;
/// The value of a register for a removed trait.
const REMOVED: &str = "null";

impl State {
    /// Writes the person's traits in `event`, of those that `wanted` selects.
    pub(crate) fn write_traits(&mut self, event: &Event, wanted: impl Fn(&str) -> bool) {
        if event.kind != EventKind::Identify {
            return;
        }
        for (name, value) in event.traits.iter().filter(|(name, _)| wanted(name)) {
            self.write_trait(name, Register { at: place_in_time(event, name), value: value.to_string() });
        }
        let at = place_once(event);
        for (name, value) in event.traits_once.iter().filter(|(name, value)| wanted(name) && !value.is_null()) {
            let once = Once::new(Register { at, value: value.to_string() });
            let length = once.length();
            self.merge_once(name, once, length);
        }
    }

    pub(crate) fn merge_traits(&mut self, other: &Self) {
        for (name, register) in &other.traits {
            self.merge_trait(name, register.clone(), other.longest.of(name, register.value.len()));
        }
        for (name, once) in &other.once {
            self.merge_once(name, once.clone(), other.longest_once.of(name, once.length()));
        }
        for (name, at) in &other.dropped {
            self.note_dropped(name, *at);
        }
    }

    pub(crate) fn write_trait(&mut self, name: &str, register: Register) {
        let length = register.value.len();
        self.merge_trait(name, register, length);
    }

    /// Writes a trait of which the longest value so far had `length` bytes.
    fn merge_trait(&mut self, name: &str, register: Register, length: usize) {
        if name.len() > MAX_TRAIT_NAME_BYTES || register.value.len() > MAX_TRAIT_BYTES {
            return self.note_dropped(name, register.at);
        }
        let (length, now) = match self.traits.get_mut(name) {
            // An unverified value neither changes a verified one nor adds to it.
            Some(current) if is_unverified(register.at) && !is_unverified(current.at) => return,
            Some(current) if is_unverified(current.at) && !is_unverified(register.at) => {
                *current = register;
                (length, current.value.len())
            }
            Some(current) => {
                let longest = self.longest.of(name, current.value.len()).max(length);
                current.merge(register);
                (longest, current.value.len())
            }
            None => {
                let now = register.value.len();
                self.traits.insert(name.to_owned(), register);
                (length, now)
            }
        };
        self.longest.note(name, length, now);
        self.bound_traits();
    }

    /// Drops the traits for which there is no room.
    pub(crate) fn bound_traits(&mut self) {
        let charge = |name: &str, held: &Register, longest: &Longest| longest.of(name, held.value.len());
        let room = self.room.of(TRAIT_BYTES);
        let said = |held: &Register| held.at;
        for (name, held) in
            beyond(&mut self.traits, &mut self.longest, MAX_TRAITS + MAX_REMOVED, LARGEST_TRAIT, room, charge, said)
        {
            self.note_dropped(&name, held.at);
        }
    }

    /// Writes a trait to be set once, of which the longest value so far had `length` bytes.
    fn merge_once(&mut self, name: &str, once: Once, length: usize) {
        if name.len() > MAX_TRAIT_NAME_BYTES || once.first.value.len() > MAX_TRAIT_BYTES {
            return self.note_dropped(name, once.first.at);
        }
        let (length, now) = match self.once.get_mut(name) {
            Some(current) if is_unverified(once.first.at) && !is_unverified(current.first.at) => return,
            Some(current) if is_unverified(current.first.at) && !is_unverified(once.first.at) => {
                *current = once;
                (length, current.length())
            }
            Some(current) => {
                let longest = self.longest_once.of(name, current.length()).max(length);
                current.merge(once);
                (longest, current.length())
            }
            None => {
                let now = once.length();
                self.once.insert(name.to_owned(), once);
                (length, now)
            }
        };
        self.longest_once.note(name, length, now);
        self.bound_once();
    }

    /// Drops the traits to be set once for which there is no room.
    pub(crate) fn bound_once(&mut self) {
        let charge = |name: &str, held: &Once, longest: &Longest| 2 * longest.of(name, held.length());
        let room = self.room.of(ONCE_BYTES);
        let said = |held: &Once| held.first.at;
        for (name, held) in beyond(&mut self.once, &mut self.longest_once, MAX_TRAITS, LARGEST_ONCE, room, charge, said)
        {
            self.note_dropped(&name, held.latest().at);
        }
    }

    /// Records that a value of a trait was dropped; a name that is too long is truncated.
    fn note_dropped(&mut self, name: &str, at: i64) {
        let shown = &name[..name.floor_char_boundary(MAX_TRAIT_NAME_BYTES)];
        match self.dropped.get_mut(shown) {
            Some(last) => *last = at.max(*last),
            None => {
                self.dropped.insert(shown.to_owned(), at);
                self.bound_dropped();
            }
        }
    }

    /// Removes the last names of dropped traits, if there is not room for all.
    pub(crate) fn bound_dropped(&mut self) {
        while self.dropped.len() > MAX_COUNTED {
            self.dropped.pop_last();
        }
        let room = self.room.of(DROPPED_BYTES);
        let mut bytes: usize = self.dropped.keys().map(String::len).sum();
        while let Some((last, _)) = self.dropped.last_key_value() {
            bytes -= last.len();
            if !is_beyond(bytes, MAX_TRAIT_NAME_BYTES, room) {
                return;
            }
            self.dropped.pop_last();
        }
    }

    /// Returns a trait's value as JSON text; `None` if there is none, or it was removed or dropped.
    pub fn trait_json(&self, name: &str) -> Option<&str> {
        let value = self.value_of(name)?;
        (self.traits.len() <= MAX_TRAITS || !self.hidden().contains(name)).then_some(value)
    }

    /// Returns the traits that the person has, with their values as JSON text.
    pub fn present_traits(&self) -> impl Iterator<Item = (&str, &str)> {
        let hidden = self.hidden();
        let only_once = self.once.keys().filter(|name| !self.traits.contains_key(*name));
        let all = self.traits.keys().chain(only_once).filter(move |name| !hidden.contains(name.as_str()));
        all.filter_map(|name| Some((name.as_str(), self.value_of(name)?)))
    }

    /// Returns the value that a trusted source was to set once, if only a public one wrote the trait.
    pub(crate) fn vouched_once(&self, name: &str) -> Option<&Once> {
        self.traits.get(name).filter(|written| is_unverified(written.at))?;
        self.once.get(name).filter(|once| !is_unverified(once.first.at))
    }

    fn value_of(&self, name: &str) -> Option<&str> {
        let written = self.traits.get(name);
        if let Some(once) = self.vouched_once(name) {
            return Some(&once.first.value);
        }
        match written.map(|register| register.value.as_str()) {
            None | Some(REMOVED) => {
                // A trusted source that removed a trait has said something of it, which no public one changes.
                let is_settled = written.is_some_and(|register| !is_unverified(register.at));
                let once = self.once.get(name).filter(|once| !is_settled || !is_unverified(once.first.at))?;
                once.after(written.map(|register| register.at))
            }
            value => value,
        }
    }

    /// Returns the traits beyond the first [`MAX_TRAITS`] of those that were not removed: there is room for them only
    /// as long as others are removed.
    fn hidden(&self) -> BTreeSet<&str> {
        if self.traits.len() <= MAX_TRAITS {
            return BTreeSet::new();
        }
        let live = self.traits.iter().filter(|(_, register)| register.value != REMOVED);
        let mut live: Vec<(bool, &str)> = live.map(|(name, held)| (is_unverified(held.at), name.as_str())).collect();
        live.sort_unstable_by_key(|(unverified, name)| (*unverified, place(name)));
        live.into_iter().skip(MAX_TRAITS).map(|(_, name)| name).collect()
    }

    /// Returns the names of traits of which a value was dropped for its size since they were last written, as far as
    /// they are recorded.
    fn not_kept(&self) -> BTreeSet<&str> {
        let is_newest = |(name, at): &(&String, &i64)| self.traits.get(*name).is_none_or(|held| held.at < **at);
        let remembered = self.dropped.iter().filter(is_newest).map(|(name, _)| name.as_str());
        remembered.chain(self.hidden()).collect()
    }

    /// Returns the first [`MAX_DROPPED`] names of traits of which a value was dropped for its size since they were last
    /// written.
    pub fn dropped_traits(&self) -> impl Iterator<Item = &str> {
        self.not_kept().into_iter().take(MAX_DROPPED)
    }

    /// Returns the number of such traits; beyond [`MAX_COUNTED`] it is a lower bound.
    pub fn dropped_traits_count(&self) -> usize {
        self.not_kept().len()
    }
}

/// Removes the names beyond the first `most` from `map`, the last ones by [`place`] first, and those for which there is
/// no room: a name takes its own bytes plus `charge`, and at most `largest`.
fn beyond<V>(
    map: &mut BTreeMap<String, V>,
    longest: &mut Longest,
    most: usize,
    largest: usize,
    room: usize,
    charge: impl Fn(&str, &V, &Longest) -> usize,
    said: impl Fn(&V) -> i64,
) -> Vec<(String, V)> {
    // Most profiles are so small that nothing has to be added up, and most others so small that nothing is dropped.
    if map.len() <= most && map.len() * largest <= room {
        return Vec::new();
    }
    let bytes = |name: &String, held: &V| name.len() + charge(name, held, longest);
    let mut total: usize = map.iter().map(|(name, held)| bytes(name, held)).sum();
    if map.len() <= most && !is_beyond(total, largest, room) {
        return Vec::new();
    }
    let each = map.iter().map(|(name, held)| (name.clone(), bytes(name, held), is_unverified(said(held))));
    let mut names: Vec<(String, usize, bool)> = each.collect();
    names.sort_unstable_by(|(one, _, a), (other, _, b)| (a, place(one)).cmp(&(b, place(other))));
    let mut beyond = Vec::new();
    while let Some((name, bytes, _)) = names.pop() {
        total -= bytes;
        if names.len() < most && !is_beyond(total, largest, room) {
            break;
        }
        longest.0.remove(&name);
        beyond.extend(map.remove_entry(&name));
    }
    beyond
}

#[cfg(test)]
mod tests;
