//! Sentences that people have called kind or unkind: the *Sentiment Labelled Sentences* of Kotzias et al. (KDD 2015; UCI
//! data set 331, CC BY 4.0), a thousand each about phones, films and restaurants, half of them kind. They are not part of the project:
//! they lie beside it in `shared/data/sentiment`, one sentence a line with a tab and 0 or 1 after it.

use std::path::Path;

/// What the sentences are about, and their file.
const FILES: [(&str, &str); 3] = [
    ("phones", "uci_amazon_cells_labelled.txt"),
    ("films", "uci_imdb_labelled.txt"),
    ("restaurants", "uci_yelp_labelled.txt"),
];

/// A sentence, and whether a reader called it kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The sentence.
    pub text: String,
    /// 1 in the file.
    pub kind: bool,
}

/// The sentences by what they are about; `None` where the data is not beside the project.
pub fn sentences() -> Option<Vec<(&'static str, Vec<Labelled>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sentiment");
    let read = |(subject, file): &(&'static str, &str)| {
        let text = std::fs::read_to_string(folder.join(file)).ok()?;
        Some((*subject, text.split('\n').filter_map(labelled).collect()))
    };
    FILES.iter().map(read).collect()
}

/// One line. Sentences may hold line ends of other kinds, so lines are told by `\n` alone.
fn labelled(line: &str) -> Option<Labelled> {
    let (text, label) = line.trim_end().rsplit_once('\t')?;
    let kind = match label.trim() {
        "1" => true,
        "0" => false,
        _ => return None,
    };
    Some(Labelled { text: text.trim().to_owned(), kind })
}

/// How often a judge of sentences agrees with their readers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// Sentences.
    pub all: u32,
    /// Those that the judge puts above 0 just where readers call them kind.
    pub right: u32,
    /// Those that the judge puts at 0, and so with the unkind.
    pub neutral: u32,
}

impl Accuracy {
    /// Judges `sentences` by `judge`, which gives more than 0 for kind ones.
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

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { all: self.all + other.all, right: self.right + other.right, neutral: self.neutral + other.neutral }
    }

    /// The part that is right, in percent.
    pub fn percent(self) -> f64 {
        f64::from(self.right) / f64::from(self.all.max(1)) * 100.0
    }

    /// The part that is called neutral, in percent.
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
