//! Unsupported languages, recognized by their common words: so that a text is not taken for one of a supported language
//! that happens to share a word with it, and read as neutral.

use super::lexicon::{Token, folded, plain};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A line a language: its code, then words of it.
static WORDS: LazyLock<HashMap<String, Vec<&'static str>>> = LazyLock::new(|| {
    let mut words: HashMap<String, Vec<&'static str>> = HashMap::new();
    for line in include_str!("lexicons/others.txt").lines() {
        let Some((code, all)) = line.split_once(' ') else { continue };
        let spellings: HashSet<String> = all.split(' ').map(folded).flat_map(|word| [plain(&word), word]).collect();
        spellings.into_iter().for_each(|word| words.entry(word).or_default().push(code));
    }
    words
});

/// Malay, which shares most words with Indonesian: Indonesian evidence counts for it as well.
const MALAY: &str = "ms";

/// Returns the number of a text's words in the best matching of these languages. `indonesian` is the evidence of that
/// language.
pub(super) fn evidence(tokens: &[Token], indonesian: f64) -> f64 {
    let mut counts: HashMap<&str, f64> = HashMap::new();
    for code in tokens.iter().filter_map(|token| WORDS.get(token.word())).flatten() {
        *counts.entry(code).or_default() += 1.0;
    }
    if let Some(malay) = counts.get_mut(MALAY) {
        *malay += indonesian;
    }
    counts.into_values().fold(0.0, f64::max)
}
