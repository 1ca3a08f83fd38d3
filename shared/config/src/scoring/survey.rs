//! Surveys, and how their answers are read.

use perennial_domain::scalar;
use serde_json::Value;

/// A survey that the engine knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SurveyKind {
    /// How likely someone is to recommend the product: 0 to 10, or 1 to 10.
    Nps,
    /// How satisfied someone is, on a scale that begins with 1.
    Csat,
}

/// A survey: the event that brings an answer, and the scale of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Which of the surveys.
    pub kind: SurveyKind,
    /// The event that brings an answer, as counted.
    pub event: String,
    /// The property that holds it.
    pub property: String,
    /// The lowest answer.
    pub lowest: u8,
    /// The highest answer.
    pub highest: u8,
}

impl Survey {
    /// Reads an answer: a whole number of the scale, or its text. Anything else, such as a number out of range, is no answer.
    ///
    /// This is the only reading of an answer: classes, points, triggers and conditions all use it.
    pub fn read(&self, value: &Value) -> Option<u8> {
        let points = match value {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => scalar::number(text)?,
            _ => return None,
        };
        let scale = f64::from(self.lowest)..=f64::from(self.highest);
        (points.fract() == 0.0 && scale.contains(&points)).then_some(points as u8)
    }
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
            json!([9]),
            json!({"score": 9}),
        ] {
            assert_eq!(nps.read(&value), None, "{value}");
        }
    }

    #[test]
    fn what_is_out_of_the_configured_scale_is_no_answer() {
        let (nps, csat) = (survey(SurveyKind::Nps, 1, 10), survey(SurveyKind::Csat, 1, 5));
        assert_eq!((nps.read(&json!(0)), nps.read(&json!(1)), nps.read(&json!("10"))), (None, Some(1), Some(10)));
        assert_eq!((csat.read(&json!("5")), csat.read(&json!(6)), csat.read(&json!(0))), (Some(5), None, None));
    }
}
