//! One entry of a list: the list, and the place in it.

use perennial_domain::{Stage, hash, search};
use serde::{Deserialize, Serialize};

/// The list of all words that profiles are found by.
const WORDS: &str = "word";

/// A list, and the order of an entry in it, as `list#order`. Entries of one list and order are in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListEntry(String);

impl ListEntry {
    fn new(list: impl std::fmt::Display, order: impl std::fmt::Display) -> Self {
        Self(format!("{list}#{order}"))
    }

    /// Returns the entry in a stage's list.
    pub fn of_stage(stage: Stage) -> Self {
        Self::new(format_args!("stage:{stage}"), "")
    }

    /// Returns the entry in a segment's list.
    pub fn of_segment(name: &str) -> Self {
        Self::new(format_args!("segment:{name}"), "")
    }

    /// Returns the entry in a persona's list.
    pub fn of_persona(name: &str) -> Self {
        Self::new(format_args!("persona:{name}"), "")
    }

    /// Returns the entry in the list of an owner with this key, see [`owner_key`].
    pub fn of_owner(key: u64) -> Self {
        Self::new(format_args!("owner:{key:016x}"), "")
    }

    /// Returns the entry in the list of a touch model.
    pub fn of_touch(name: &str) -> Self {
        Self::new(format_args!("touch:{name}"), "")
    }

    /// Returns the entry of a band, 0 to 9, in the list of a scale with this name.
    pub fn of_band(scale: &str, band: u8) -> Self {
        Self::new(format_args!("score:{scale}"), band)
    }

    /// Returns the entry of a word, or of the beginning of words, in the list of all of them.
    pub fn of_word(word: &str) -> Self {
        Self::new(WORDS, word)
    }

    /// Returns the entry of a text that [`Self::as_str`] returned.
    pub fn parse(text: &str) -> Option<Self> {
        text.contains('#').then(|| Self(text.to_owned()))
    }

    /// Returns the entry as `list#order`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the list.
    pub fn list(&self) -> &str {
        self.0.split_once('#').map_or(&self.0, |(list, _)| list)
    }

    /// Returns the order within the list: a band, a word, or nothing.
    pub fn order(&self) -> &str {
        self.0.split_once('#').map_or("", |(_, order)| order)
    }
}

/// Returns the key of an owner's name. Names that differ in case, accents or outer spaces only are one owner.
pub fn owner_key(name: &str) -> u64 {
    hash::hash64(&[search::fold(name.trim()).as_bytes()])
}
