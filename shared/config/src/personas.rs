//! `personas.toml`: who someone is at work, said by a trait or worked out by rule.

use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::history::History;
use crate::spanned::Spanned;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use serde::Deserialize;

/// The most personas: those of a person are a set of bits.
pub const MAX_PERSONAS: usize = 32;

/// Who someone is at work, said by a trait or worked out by rule. At most 32 personas.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The trait of `identify` calls that names a persona, or a list of them; "persona" where nothing is written.
    #[serde(default = "default_trait")]
    r#trait: String,
    /// A persona. Someone may have several.
    #[serde(default)]
    persona: Vec<Spanned<RawPersona>>,
}

fn default_trait() -> String {
    "persona".to_owned()
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawPersona {
    /// Its name, for the trait and for conditions (persona("NAME")): letters, digits, `_` and `-`; unique.
    name: Spanned<String>,
    /// A condition on the person, from facts alone: neither scores nor segments nor personas. Who meets it has the persona,
    /// whatever the trait says.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
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
        let mut names = Used::default();
        for raw in file.persona.into_iter().take(MAX_PERSONAS) {
            let raw = raw.into_inner();
            report.unique(&mut names, "a persona", "name", &raw.name);
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
