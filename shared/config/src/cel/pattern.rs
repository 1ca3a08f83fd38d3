//! Patterns of `.matches("…")`: checked when a condition is compiled, and built when they are first used after that.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::OnceLock;

/// The largest compiled pattern, in bytes.
const MOST_BYTES: usize = 1 << 18;
/// The largest cache of a pattern's states at run time, in bytes.
const MOST_CACHE_BYTES: usize = 1 << 19;
/// The deepest nesting of a pattern.
const MOST_NESTING: u32 = 32;

/// A regular expression, kept as text in a stored configuration: building one costs more than all else of a condition.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub(super) struct Pattern {
    text: String,
    /// `None` inside if the text cannot be built, which only damaged bytes can cause.
    built: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Builds a pattern.
    ///
    /// # Errors
    /// The reason, and the allowed patterns.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let regex = build(text).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("the pattern gets larger than {MOST_BYTES} bytes: make it simpler")
            }
            // The last line contains the error; the lines before show its position.
            other => {
                let told = other.to_string();
                let last = told.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("this is no pattern: {last}")
            }
        })?;
        Ok(Self { text: text.to_owned(), built: OnceLock::from(Some(regex)) })
    }

    /// Returns whether it is found anywhere in `text`; `None` if it is no pattern.
    pub(super) fn is_match(&self, text: &str) -> Option<bool> {
        let built = self.built.get_or_init(|| build(&self.text).ok());
        built.as_ref().map(|regex| regex.is_match(text))
    }
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(MOST_BYTES).dfa_size_limit(MOST_CACHE_BYTES).nest_limit(MOST_NESTING).build()
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, built: OnceLock::new() }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl fmt::Debug for Pattern {
    /// The text, whether it is built or not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pattern_that_was_stored_matches_as_before() {
        let parsed = Pattern::parse("^a+$").unwrap();
        let stored = Pattern::from(String::from(parsed.clone()));
        assert!(stored.built.get().is_none(), "it is not built before its first use");
        for text in ["", "aaa", "ab"] {
            assert_eq!(stored.is_match(text), parsed.is_match(text));
        }
        assert_eq!(format!("{stored:?}"), format!("{parsed:?}"));
        assert_eq!(Pattern::from("(".to_owned()).is_match("("), None);
    }
}
