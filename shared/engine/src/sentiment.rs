//! How kind a text is: VADER (Hutto and Gilbert, 2014), a lexicon with rules for negation, degree, capitals and punctuation.

use std::sync::LazyLock;
use vader_sentiment::SentimentIntensityAnalyzer;

/// The most characters of a text that are read: feedback says what it means early.
const MOST: usize = 2_000;

static ANALYZER: LazyLock<SentimentIntensityAnalyzer<'static>> = LazyLock::new(SentimentIntensityAnalyzer::new);

/// The compound score of `text`, -1 (angry) to 1 (delighted); 0 where nothing in it says either.
pub fn sentiment(text: &str) -> f64 {
    let end = text.char_indices().nth(MOST).map_or(text.len(), |(at, _)| at);
    let scores = ANALYZER.polarity_scores(&text[..end]);
    scores.get("compound").copied().filter(|compound| compound.is_finite()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::sentiment;

    #[test]
    fn praise_is_kinder_than_anger() {
        assert!(sentiment("I love this product, it is great!") > 0.5);
        assert!(sentiment("Terrible. It crashes all the time and support is useless.") < -0.3);
        assert!(sentiment("The invoice is attached.").abs() < 0.2);
        assert_eq!(sentiment(""), 0.0);
    }
}
