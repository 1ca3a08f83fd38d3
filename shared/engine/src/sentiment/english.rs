//! English, with VADER (Hutto and Gilbert: *VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
//! Media Text*, ICWSM 2014), a lexicon of words with rules for negation, degree, capitals and punctuation.
//!
//! The result is part of a profile's state, so it must be the same in every process: crate `vader-parity` returns what
//! the authors' own program does, to the fourth decimal.

use std::sync::LazyLock;
use vader_parity::SentimentIntensityAnalyzer;

/// Read with the first text: some milliseconds, which a function that never sees one does not spend.
static ANALYZER: LazyLock<SentimentIntensityAnalyzer> = LazyLock::new(SentimentIntensityAnalyzer::new);

/// Returns VADER's compound score of `text`: -1 (angry) to 1 (delighted), in whole ten-thousandths; 0 if nothing in it
/// is either.
pub(super) fn score(text: &str) -> f64 {
    ANALYZER.polarity_scores(text).compound
}

#[cfg(test)]
mod tests {
    use super::super::{MOST, bounded};
    use super::{SentimentIntensityAnalyzer, score};
    use proptest::prelude::*;

    #[test]
    fn praise_is_kinder_than_anger() {
        assert!(score("I love this product, it is great!") > 0.5);
        assert!(score("Terrible. It crashes all the time and support is useless.") < -0.3);
        assert!(score("The invoice is attached.").abs() < 0.2);
        assert_eq!(score(""), 0.0);
    }

    /// The results of the authors' program (vaderSentiment 3.3.2 for Python): its published examples, and sentences
    /// that ports are known to get wrong.
    #[test]
    fn the_scores_are_those_of_the_authors() {
        for (text, compound) in [
            ("VADER is smart, handsome, and funny.", 0.8316),
            ("VADER is smart, handsome, and funny!", 0.8439),
            ("VADER is not smart, handsome, nor funny.", -0.7424),
            ("The book was good.", 0.4404),
            ("At least it isn't a horrible book.", 0.431),
            ("Today only kinda sux! But I'll get by, lol", 0.5249),
            ("he is at least smart", 0.4019),
            ("these are the shittiest of times", -0.6597),
        ] {
            assert_eq!(score(text), compound, "{text}");
        }
    }

    #[test]
    fn negation_and_degree_are_understood() {
        assert!(score("The editor is not good.") < 0.0);
        assert!(score("The editor is extremely good!!!") > score("The editor is good."));
        assert!(score("It was good, but now it is horrible.") < 0.0);
    }

    #[test]
    fn of_a_long_text_the_beginning_counts() {
        let long = format!("I love it. {}", "This is awful. ".repeat(100_000));
        let read: String = long.chars().take(MOST).collect();
        assert_eq!(score(bounded(&long)), score(&read));
        let late = format!("{} wonderful", "x".repeat(MOST));
        assert_eq!(score(bounded(&late)), 0.0);
    }

    /// Pieces that the lexicon and the rules look for, in any order, with anything between them.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            ".{0,20}",
            proptest::sample::select(vec![
                "but",
                "at least",
                "very",
                "never so",
                "without doubt",
                "kind of",
                "the bomb",
                "isn't",
                "GOOD",
                "bad",
                "!!!!",
                "???",
                "😀",
                "👩‍👩‍👧‍👦",
                ":-)",
                "\u{0}",
                "\u{202e}",
                "\u{85}",
                "İ",
                "ß",
                "Σ",
                "n't",
                "'",
                "\t\n",
                "\u{1f1e9}\u{1f1ea}",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec((piece, prop_oneof![Just(" "), Just(""), Just("-")]), 0..60)
            .prop_map(|pieces| pieces.into_iter().flat_map(|(piece, gap)| [piece, gap.to_owned()]).collect())
    }

    proptest! {
        #[test]
        fn any_text_has_a_score_within_bounds(text in prop_oneof![any::<String>(), hostile()]) {
            let compound = score(&text);
            prop_assert!((-1.0..=1.0).contains(&compound), "{compound}");
            prop_assert_eq!((compound * 10_000.0).round() / 10_000.0, compound);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        /// Another process has other hash seeds, as another analyzer does.
        #[test]
        fn every_process_gives_the_same_score(text in hostile()) {
            let other = SentimentIntensityAnalyzer::new().polarity_scores(&text).compound;
            prop_assert_eq!(score(&text).to_bits(), other.to_bits());
        }
    }
}
