//! How kind a text is, in one of seventeen languages: a number from -1 (angry) to 1 (delighted), or nothing where the language is not known.
//!
//! The language is told by the script, and within a script by the words that its texts are made of ([`language`]). English is read by VADER,
//! every other language by a lexicon of its own ([`lexicon`]): a few hundred words with a weight, words that turn them round, and words that
//! make them more or less. A text that has more words of another language ([`others`]) is not understood. Each is read with the first text of its language. How often each is right stands in the crate's README.

mod english;
mod language;
mod lexicon;
mod others;

pub use language::{Language, language};

/// The most characters of a text that are read: feedback says what it means early, and the work of a text is bounded.
pub const MOST: usize = 2_000;

/// Returns how kind the first [`MOST`] characters of `text` are, -1 to 1 in whole ten-thousandths; `None` where they are in no language that is
/// known and show no face, so that nothing can be said.
pub fn read(text: &str) -> Option<f64> {
    let text = bounded(text);
    match language(text) {
        Some(Language::English) => Some(english::score(text)),
        Some(other) => Some(lexicon::of(other).score(text)),
        None => lexicon::faces(text),
    }
}

/// Returns how kind a text is, as [`read`] does; 0 where its language is not known.
pub fn sentiment(text: &str) -> f64 {
    read(text).unwrap_or(0.0)
}

/// The beginning of a text that is read.
fn bounded(text: &str) -> &str {
    let end = text.char_indices().nth(MOST).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

#[cfg(test)]
mod tests;
