//! `personas.toml`: who someone is at work, said by a trait or worked out by rule.

use crate::cel::Program;
use crate::condition;
use crate::error::Reporter;
use crate::history::History;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use serde::Deserialize;
use toml::Spanned;

/// The most personas: those of a person are a set of bits.
pub const MAX_PERSONAS: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default = "default_trait")]
    r#trait: String,
    #[serde(default)]
    persona: Vec<Spanned<RawPersona>>,
}

fn default_trait() -> String {
    "persona".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPersona {
    name: Spanned<String>,
    when: Option<Spanned<String>>,
    /// What the persona is, for readers.
    #[serde(default)]
    description: String,
}

/// A persona.
#[derive(Debug, Clone)]
pub struct Persona {
    /// Its name in conditions.
    pub name: String,
    /// Who has it by rule; only those of whom the trait says so where `None`.
    pub when: Option<Program<PersonSlot>>,
    /// What it is, for readers.
    pub description: String,
}

/// All personas, in the file's order.
#[derive(Debug, Clone, Default)]
pub struct Personas {
    /// The trait whose value, or one of whose values, gives a persona by its name.
    pub r#trait: String,
    /// All of them.
    pub all: Vec<Persona>,
}

impl Personas {
    /// Checks and compiles the file. `vocabulary` is of [`crate::vocabulary::Level::Persona`].
    pub(crate) fn load(report: &mut Reporter<'_>, vocabulary: &PersonVocabulary<'_>, history: &mut History) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let mut out = Self { r#trait: file.r#trait, all: Vec::new() };
        if let Some(over) = file.persona.get(MAX_PERSONAS) {
            report.at(over.span(), format!("there are more than {MAX_PERSONAS} personas"));
        }
        for raw in file.persona.into_iter().take(MAX_PERSONAS) {
            let raw = raw.into_inner();
            let name = raw.name.get_ref();
            if name.trim().is_empty() {
                report.at(raw.name.span(), "a persona needs a name that is not empty");
            }
            if out.all.iter().any(|persona| persona.name == *name) {
                report.at(raw.name.span(), format!("two personas cannot share the name `{name}`"));
            }
            let when = raw.when.as_ref().and_then(|when| condition::on_person(report, when, vocabulary));
            if let Some(when) = &when {
                history.ask(when.slots());
            }
            out.all.push(Persona { name: raw.name.into_inner(), when, description: raw.description });
        }
        out
    }

    /// The names, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|persona| persona.name.clone()).collect()
    }
}
