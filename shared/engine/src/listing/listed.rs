//! The data of a profile that the lists have.

use super::entry::ListEntry;
use super::scale::{Bands, Scale};
use perennial_domain::Stage;
use std::collections::BTreeSet;

/// The data of a profile that its entries in lists follow from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The stage.
    pub stage: Stage,
    /// Names of the personas.
    pub personas: Vec<String>,
    /// Names of the segments.
    pub segments: Vec<String>,
    /// The key of the owner's name, see [`owner_key`].
    pub owner: Option<u64>,
    /// The bands of the scores.
    pub bands: Bands,
    /// The words of its names.
    pub words: BTreeSet<String>,
}

impl Listed {
    /// Returns the entry in each list.
    pub fn entries(&self) -> BTreeSet<ListEntry> {
        let bands = Scale::all().filter_map(|scale| Some(ListEntry::of_band(scale.as_str(), self.bands.get(scale)?)));
        let personas = self.personas.iter().map(|name| ListEntry::of_persona(name));
        let segments = self.segments.iter().map(|name| ListEntry::of_segment(name));
        let owner = self.owner.map(ListEntry::of_owner);
        let words = self.words.iter().map(|word| ListEntry::of_word(word));
        bands
            .chain(personas)
            .chain(segments)
            .chain(owner)
            .chain(words)
            .chain([ListEntry::of_stage(self.stage)])
            .collect()
    }
}
