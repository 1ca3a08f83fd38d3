//! The sentiment of a text, in one of seventeen languages: a number from -1 (angry) to 1 (delighted), or none for an
//! unsupported language.
//!
//! The language is detected by the script, and within a script by its common words ([`language`]). English is read by
//! VADER, every other language by a lexicon of its own ([`lexicon`]): a few hundred words with a weight, negations, and
//! words that strengthen or weaken others. A text with more words of another language ([`others`]) is not understood.
//! Each lexicon is loaded with the first text of its language. The accuracy of each is in the crate's README.

mod detect;
mod english;
mod language;
mod lexicon;
mod others;

pub use detect::language;
pub use language::Language;

/// The longest prefix of a text that is read, in characters: feedback makes its point early, and the work is limited.
pub const MOST: usize = 2_000;

/// Returns the sentiment of the first [`MOST`] characters of `text`, -1 to 1 in whole ten-thousandths; `None` for an
/// unsupported language without emoticons.
pub fn read(text: &str) -> Option<f64> {
    let text = bounded(text);
    match language(text) {
        Some(Language::English) => Some(english::score(text)),
        Some(other) => Some(lexicon::of(other).score(text)),
        None => lexicon::faces(text),
    }
}

/// Returns the sentiment of a text, like [`read`]; 0 for an unsupported language.
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
