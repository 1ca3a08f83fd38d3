//! The options that lists of people and of accounts share: words of names, and a range of a score.

use super::params::Params;
use perennial_domain::search;
use perennial_engine::listing::{ListEntry, bands_of};
use perennial_store::lists::{Kind, Range};
use std::collections::BTreeSet;

/// The beginnings of words that a search asks for, folded.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn read(params: &Params) -> Self {
        Self(params.get("search").map(search::asked).unwrap_or_default())
    }

    /// Returns whether nothing is searched.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns those that the index can find: shorter words are not indexed, and an initial says little.
    fn indexed(&self) -> impl Iterator<Item = &String> {
        self.0.iter().filter(|word| word.len() >= search::MIN_WORD_BYTES)
    }

    /// Returns whether the index can find any of them.
    pub(super) fn are_indexed(&self) -> bool {
        self.indexed().next().is_some()
    }

    /// Returns the one whose index is walked: the longest.
    fn longest(&self) -> Option<&String> {
        self.indexed().max_by_key(|word| word.len())
    }

    /// Returns the index of the longest of them; `None` if it can find none.
    pub(super) fn range(&self, kind: Kind) -> Option<Range> {
        Some(Range::beginning(kind, &ListEntry::of_word(self.longest()?)))
    }

    /// Returns whether a row with these words is shown by its entry of `word`: several of its words may begin alike, and the
    /// first of them shows it.
    pub(super) fn show_by(&self, word: &str, words: &BTreeSet<String>) -> bool {
        let first = self.longest().and_then(|asked| words.iter().find(|word| word.starts_with(asked)));
        first.is_some_and(|first| first == word)
    }

    /// Returns whether each of them begins one of `words`.
    pub(super) fn are_in(&self, words: &BTreeSet<String>) -> bool {
        self.indexed().all(|asked| words.iter().any(|word| word.starts_with(asked)))
    }
}

/// Returns the index of one entry.
pub(super) fn whole(kind: Kind, entry: &ListEntry) -> Range {
    Range::new(kind, entry, entry)
}

/// Returns the index of the scores from `min` to `max` of a scale, the highest first unless `is_rising`.
pub(super) fn bands(kind: Kind, scale: &str, (min, max): (u8, u8), is_rising: Option<bool>) -> Range {
    let (first, last) = bands_of(min, max);
    let of = |band| ListEntry::of_band(scale, band);
    let range = Range::new(kind, &of(first), &of(last));
    if is_rising == Some(true) { range } else { range.descending() }
}
