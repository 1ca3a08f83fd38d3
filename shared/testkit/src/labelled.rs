//! Sentences labelled as positive or negative: the *Sentiment Labelled Sentences* of Kotzias et al. (KDD 2015; UCI data
//! set 331, CC BY 4.0), a thousand each about phones, films and restaurants, half of them positive. They are not part
//! of the project: they are beside it in `shared/data/sentiment`, one sentence a line with a tab and 0 or 1 after it.

use std::path::Path;

/// The subjects of the sentences, and their files.
const FILES: [(&str, &str); 3] = [
    ("phones", "uci_amazon_cells_labelled.txt"),
    ("films", "uci_imdb_labelled.txt"),
    ("restaurants", "uci_yelp_labelled.txt"),
];

/// A sentence, and whether it is labelled positive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The sentence.
    pub text: String,
    /// 1 in the file.
    pub kind: bool,
}

/// Returns the sentences by subject; `None` if the data is not beside the project.
pub fn sentences() -> Option<Vec<(&'static str, Vec<Labelled>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sentiment");
    let read = |(subject, file): &(&'static str, &str)| {
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        Some((*subject, text.split('\n').filter_map(labelled).collect()))
    };
    FILES.iter().map(read).collect()
}

/// Parses one line. Sentences may contain other kinds of line ends, so lines end only at `
/// `.
fn labelled(line: &str) -> Option<Labelled> {
    let (text, label) = line.trim_end().rsplit_once('\t')?;
    let kind = match label.trim() {
        "1" => true,
        "0" => false,
        _ => return None,
    };
    Some(Labelled { text: text.trim().to_owned(), kind })
}

/// The agreement of a classifier with the labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Sentences.
    pub all: u32,
    /// The number of sentences that the classifier rates above 0 exactly if they are labelled positive.
    pub right: u32,
    /// Those that the judge puts at 0, and so with the unkind.
    pub neutral: u32,
}

impl Accuracy {
    /// Evaluates `judge`, which returns more than 0 for positive sentences.
    pub fn of(sentences: &[Labelled], judge: impl Fn(&str) -> f64) -> Self {
        sentences.iter().fold(Self::default(), |sum, sentence| {
            let verdict = judge(&sentence.text);
            Self {
                all: sum.all + 1,
                right: sum.right + u32::from((verdict > 0.0) == sentence.kind),
                neutral: sum.neutral + u32::from(verdict == 0.0),
            }
        })
    }

    /// Adds the counts of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { all: self.all + other.all, right: self.right + other.right, neutral: self.neutral + other.neutral }
    }

    /// Returns the share of right results, in percent.
    pub fn percent(self) -> f64 {
        f64::from(self.right) / f64::from(self.all.max(1)) * 100.0
    }

    /// Returns the share of neutral results, in percent.
    pub fn neutral_percent(self) -> f64 {
        f64::from(self.neutral) / f64::from(self.all.max(1)) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_sentence_and_its_label() {
        let of = |line| labelled(line).map(|labelled| (labelled.text, labelled.kind));
        assert_eq!(of("Good case.\t1\r"), Some(("Good case.".to_owned(), true)));
        assert_eq!(of("A tab\tinside \t0"), Some(("A tab\tinside".to_owned(), false)));
        assert_eq!(of("no label"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn neutral_counts_as_unkind() {
        let sentence = |kind| Labelled { text: String::new(), kind };
        let accuracy = Accuracy::of(&[sentence(true), sentence(false), sentence(false)], |_| 0.0);
        assert_eq!(accuracy, Accuracy { all: 3, right: 2, neutral: 3 });
        assert_eq!(accuracy.and(accuracy).percent().round(), 67.0);
    }
}
