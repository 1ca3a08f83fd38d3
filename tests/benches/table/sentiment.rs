//! How often the sentiment of a sentence has the sign of its label.

use perennial_engine::sentiment::sentiment;
use perennial_testkit::labelled::{Accuracy, sentences};

use crate::progress::Progress;
use crate::report::{Goal, Row};

/// Returns the rows of this part.
pub(crate) fn rows(progress: &mut Progress) -> Vec<Row> {
    let Some(subjects) = sentences() else {
        return vec![Row::new("sentiment accuracy", Goal::Stated, " %", Err("skipped: shared data absent"))];
    };
    progress.begin("sentiment", subjects.len());
    let mut rows = Vec::new();
    let mut overall = Accuracy::default();
    for (subject, sentences) in &subjects {
        progress.step(subject);
        let accuracy = Accuracy::of(sentences, sentiment);
        overall = overall.and(accuracy);
        rows.push(row(format!("sentiment accuracy: {subject}"), accuracy));
    }
    rows.push(row("sentiment accuracy: all".to_owned(), overall));
    rows
}

fn row(what: String, accuracy: Accuracy) -> Row {
    Row::new(what, Goal::Stated, " %", Ok::<_, String>(accuracy.percent())).note(format!(
        "{} sentences; {:.1} % of them have none and count as unkind",
        accuracy.all,
        accuracy.neutral_percent()
    ))
}
