//! The sentiment of sentences is what their readers say, as often as it was when it was last measured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use perennial_engine::sentiment::sentiment;
use perennial_testkit::labelled::{Accuracy, sentences};

/// Percent of right signs as measured.
const MEASURED: [(&str, f64); 3] = [("phones", 84.4), ("films", 79.1), ("restaurants", 81.6)];
/// The tolerated decrease, in points.
const SLACK: f64 = 1.0;

#[test]
fn four_of_five_sentences_are_judged_as_their_readers_judge_them() {
    let Some(subjects) = sentences() else {
        println!("SKIPPED: shared/data/sentiment is not beside the project");
        return;
    };
    let mut overall = Accuracy::default();
    for ((subject, sentences), (name, measured)) in subjects.iter().zip(MEASURED) {
        assert_eq!((*subject, sentences.len()), (name, 1000));
        let accuracy = Accuracy::of(sentences, sentiment);
        let percent = accuracy.percent();
        assert!(percent >= measured - SLACK, "{subject}: {percent:.1} % after {measured} %");
        // If the lexicon has no word of a sentence, the sign is a guess.
        assert!(accuracy.neutral_percent() <= 25.0, "{subject}: {accuracy:?}");
        overall = overall.and(accuracy);
    }
    assert!(overall.percent() >= 81.7 - SLACK, "{overall:?}");
}
