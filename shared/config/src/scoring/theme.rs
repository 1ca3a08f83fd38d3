//! Themes of what people write, by their words.

use serde::{Deserialize, Serialize};

/// A theme: texts with one of its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// Its name in the report.
    pub name: String,
    /// Words or phrases, or their beginnings, in lower case.
    pub words: Vec<String>,
}

impl Theme {
    /// Returns whether a text, in lower case, has one of the words. A word begins where a word of the text begins; in scripts that are written
    /// without spaces, anywhere.
    pub fn is_of(&self, text: &str) -> bool {
        self.words.iter().any(|word| has(text, word))
    }
}

fn has(text: &str, word: &str) -> bool {
    let begins = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| !before.is_alphanumeric() || is_without_spaces(before))
    };
    text.match_indices(word).any(|(at, _)| begins(at))
}

/// Returns whether a letter is of a script without spaces between words: Chinese, Japanese and Thai.
fn is_without_spaces(letter: char) -> bool {
    matches!(letter, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_begins_where_a_word_of_the_text_begins() {
        let theme = |words: &[&str]| Theme {
            name: "t".to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let price = theme(&["pric", "too much", "価格"]);
        for text in ["the price rose", "(pricing)", "it costs too much.", "この価格は", "prices"] {
            assert!(price.is_of(text), "{text}");
        }
        for text in ["caprice", "too  much", "", "much too"] {
            assert!(!price.is_of(text), "{text}");
        }
    }
}
