//! Surveys, and how their answers are read.

use perennial_domain::scalar;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A survey that the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SurveyKind {
    /// How likely a person is to recommend the product: 0 to 10, or 1 to 10.
    Nps,
    /// How satisfied a person is, on a scale that begins with 1.
    Csat,
}

/// A survey: the event that brings an answer, and the scale of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Which of the surveys.
    pub kind: SurveyKind,
    /// The event that brings an answer, as counted.
    pub event: String,
    /// The property with the answer.
    pub property: String,
    /// The lowest answer.
    pub lowest: u8,
    /// The highest answer.
    pub highest: u8,
}

impl Survey {
    /// Reads an answer: a whole number of the scale, or its text, also with the scale or with a label as survey tools
    /// export them: `7/10`, `7 out of 10`, `10 - Extremely likely` (forms), `Extremely likely - 10` (SurveyMonkey).
    /// Anything else is not an answer, such as a number out of range, one of another scale, or a label alone.
    ///
    /// Classes, points, triggers and conditions all read answers with this function.
    pub fn read(&self, value: &Value) -> Option<u8> {
        match value {
            Value::Number(number) => self.points(number.as_f64()?),
            Value::String(text) => self.read_text(text),
            _ => None,
        }
    }

    /// Returns whether `value` is something that [`Self::read`] cannot read. `null` and empty text are absent, not
    /// unreadable.
    pub fn is_unreadable(&self, value: &Value) -> bool {
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        !is_empty && self.read(value).is_none()
    }

    fn points(&self, points: f64) -> Option<u8> {
        let scale = f64::from(self.lowest)..=f64::from(self.highest);
        (points.fract() == 0.0 && scale.contains(&points)).then_some(points as u8)
    }

    fn read_text(&self, text: &str) -> Option<u8> {
        if let Some(points) = scalar::number(text) {
            return self.points(points);
        }
        if let Some((points, of)) = SCALES.iter().find_map(|word| text.split_once(word)) {
            // `4/5` of a scale to 10 may be 4 or 8: only the survey's own scale can be read.
            let is_own = scalar::number(of)? == f64::from(self.highest);
            return self.points(scalar::number(points)?).filter(|_| is_own);
        }
        self.points(scalar::number(without_label(text)?)?)
    }
}

/// The separators between an answer and the highest one.
const SCALES: [&str; 3] = ["/", " out of ", " of "];

/// Returns the number of `9 - very likely`, `very likely - 9`, `9: very likely` and `9 (very likely)`. `None` if the
/// label has digits, as in `0 - 6`, which may be a range.
fn without_label(text: &str) -> Option<&str> {
    let is_label = |text: &str| {
        let text = text.trim().trim_end_matches(')');
        text.starts_with(char::is_alphabetic) && !text.contains(|c: char| c.is_numeric())
    };
    let separators = [" - ", " – ", " — ", "–", "—", ":", "("];
    let (one, other) = separators.iter().find_map(|separator| text.split_once(separator))?;
    if is_label(other) { Some(one) } else { Some(other).filter(|_| is_label(one)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const fn survey(kind: SurveyKind, lowest: u8, highest: u8) -> Survey {
        Survey { kind, event: String::new(), property: String::new(), lowest, highest }
    }

    #[test]
    fn an_answer_is_a_whole_number_of_the_scale_or_its_text() {
        let nps = survey(SurveyKind::Nps, 0, 10);
        for (value, points) in
            [(json!(3), 3), (json!("3"), 3), (json!("0"), 0), (json!(10.0), 10), (json!(" 7 "), 7), (json!("9.0"), 9)]
        {
            assert_eq!(nps.read(&value), Some(points), "{value}");
        }
        for value in [
            json!(-1),
            json!("-1"),
            json!(11),
            json!("85"),
            json!(85),
            json!(7.5),
            json!("7.5"),
            json!(""),
            json!(" "),
            json!("ten"),
            json!("nan"),
            json!("inf"),
            json!(null),
            json!(true),
            json!("very likely"),
            json!("8/5"),
            json!("4/5"),
            json!("11/10"),
            json!("7/"),
            json!("/10"),
            json!("7.5/10"),
            json!("7/10/2026"),
            json!("70%"),
            json!("85/100"),
            json!("0 - 6"),
            json!("9 - 10"),
            json!("9-10 - promoter"),
            json!("9 - was 10 before"),
            json!("11 - very likely"),
            json!("9 very likely"),
            json!("I said 9 of 10 times"),
            json!([9]),
            json!({"score": 9}),
        ] {
            assert_eq!(nps.read(&value), None, "{value}");
        }
    }

    #[test]
    fn an_answer_with_its_scale_or_label_is_read() {
        let (nps, csat) = (survey(SurveyKind::Nps, 0, 10), survey(SurveyKind::Csat, 1, 5));
        for (text, points) in [
            ("7/10", 7),
            (" 0 / 10 ", 0),
            ("10/10", 10),
            ("9 out of 10", 9),
            ("9 of 10", 9),
            ("9 - very likely", 9),
            ("10 - Extremely likely", 10),
            ("Extremely likely - 10", 10),
            ("Not at all likely - 0", 0),
            ("10 – sehr wahrscheinlich", 10),
            ("10—extremely likely", 10),
            ("9: very likely", 9),
            ("9 (very likely)", 9),
        ] {
            assert_eq!(nps.read(&json!(text)), Some(points), "{text}");
        }
        assert_eq!(
            (csat.read(&json!("4/5")), csat.read(&json!("4/10")), csat.read(&json!("0/5"))),
            (Some(4), None, None)
        );
    }

    #[test]
    fn what_holds_nothing_is_not_unreadable() {
        let nps = survey(SurveyKind::Nps, 0, 10);
        for value in [json!(null), json!(""), json!("  "), json!(7), json!("7/10")] {
            assert!(!nps.is_unreadable(&value), "{value}");
        }
        for value in [json!(85), json!("very likely"), json!(true), json!([9]), json!("4/5")] {
            assert!(nps.is_unreadable(&value), "{value}");
        }
    }

    #[test]
    fn what_is_out_of_the_configured_scale_is_no_answer() {
        let (nps, csat) = (survey(SurveyKind::Nps, 1, 10), survey(SurveyKind::Csat, 1, 5));
        assert_eq!((nps.read(&json!(0)), nps.read(&json!(1)), nps.read(&json!("10"))), (None, Some(1), Some(10)));
        assert_eq!((csat.read(&json!("5")), csat.read(&json!(6)), csat.read(&json!(0))), (Some(5), None, None));
    }
}
