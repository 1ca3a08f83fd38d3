//! Conditions clause by clause, with the values that decide them.

use crate::person::Person;
use perennial_config::cel::{Program, Value};
use perennial_config::vocabulary::PersonSlot;
use perennial_domain::text::cut;
use serde::{Deserialize, Serialize};

/// The most characters of a value that are shown.
const MOST: usize = 120;

/// A clause of a condition, with its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClauseValue {
    /// Its source.
    pub condition: String,
    /// `true` if it holds.
    pub holds: bool,
    /// The expressions that decide it, each with its value in words.
    pub values: Vec<(String, String)>,
}

impl Person<'_> {
    /// Returns the clauses of one of the configuration's conditions, with their values for this person.
    pub(super) fn clause_values(&self, condition: &Program<PersonSlot>) -> Vec<ClauseValue> {
        let clauses = self.moment.config.clauses(condition);
        let value = |(source, program): &(String, Program<PersonSlot>)| {
            let value = program.eval(self).map_or_else(|_| "unknown".to_owned(), |value| shown(&value));
            (source.clone(), value)
        };
        clauses
            .iter()
            .map(|clause| ClauseValue {
                condition: clause.source.clone(),
                holds: clause.holds.is_true(self),
                values: clause.operands.iter().map(value).collect(),
            })
            .collect()
    }
}

/// Returns a value in words.
fn shown(value: &Value<'_>) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => format!("{:.2}", number).trim_end_matches('0').trim_end_matches('.').to_owned(),
        Value::Text(text) => format!("\"{text}\""),
        Value::List(list) => list.iter().map(|one| shown(&one)).collect::<Vec<_>>().join(", "),
        Value::Map(_) => "an object".to_owned(),
    };
    cut(&text, MOST)
}
