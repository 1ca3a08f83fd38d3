//! Finds texts that a name never has: `stage == "trail"`.

use super::Remarks;
use super::cases::CALLS;
use super::conditions::{Condition, on_events, on_persons};
use crate::cel::compared_texts;
use crate::config::Config;
use crate::spelling::nearest;
use perennial_domain::Stage;

/// The values of `kind`.
const KINDS: [&str; 6] = ["track", CALLS[0], CALLS[1], CALLS[2], CALLS[3], CALLS[4]];

/// The possible values of names that have few.
struct Known<'a> {
    stages: Vec<&'a str>,
    sources: Vec<&'a str>,
}

impl<'a> Known<'a> {
    /// Returns the word for a value of this name in a condition on a person, and all its values.
    fn of_person(&self, name: &str) -> Option<(&'static str, &[&'a str])> {
        Some(match name {
            "stage" | "account.stage" => ("stage", self.stages.as_slice()),
            "nps_class" => ("class of the survey", ["promoter", "passive", "detractor", "none"].as_slice()),
            "account.touch" => ("touch model", ["high", "low", "none"].as_slice()),
            _ => return None,
        })
    }

    /// The same of a condition on an event.
    fn of_event(&self, name: &str) -> Option<(&'static str, &[&'a str])> {
        Some(match name {
            "kind" => ("kind of call", KINDS.as_slice()),
            "source" => ("source of sources.toml", self.sources.as_slice()),
            _ => return None,
        })
    }
}

/// Remarks on every text in a condition that its name never has. If the condition never holds because of it, both are
/// one remark.
pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    let imports = config.imports.iter().map(|import| import.id.as_str());
    let sources = config.sources.iter().map(|source| source.id.as_str()).chain(imports);
    let known = Known {
        stages: Stage::ALL.iter().map(|stage| stage.as_str()).collect(),
        sources: sources.chain([perennial_domain::event::JOURNEYS]).collect(),
    };
    for condition in on_persons(config) {
        texts(&condition, |name| known.of_person(name), remarks);
    }
    for condition in on_events(config) {
        texts(&condition, |name| known.of_event(name), remarks);
    }
}

fn texts<'k, S>(
    condition: &Condition<'_, S>,
    known: impl Fn(&str) -> Option<(&'static str, &'k [&'k str])>,
    remarks: &mut Remarks<'_>,
) {
    let mut told: Vec<String> = Vec::new();
    for compared in compared_texts(condition.program.source()) {
        let Some((what, known)) = known(&compared.name) else { continue };
        let text = compared.text.as_str();
        if known.contains(&text) {
            continue;
        }
        let near = nearest(text, known.iter().copied());
        let near = near.map_or_else(|| ".".to_owned(), |near| format!("; did you mean `{near}`?"));
        let message = format!("`{text}` is not a {what}{near} Known: {}", known.join(", "));
        if !told.contains(&message) {
            remarks.with(condition.file, &condition.path, &message);
            told.push(message);
        }
    }
}
