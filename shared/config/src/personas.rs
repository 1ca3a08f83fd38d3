//! `personas.toml`: people's roles at work, from a trait or by rule.

use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::history::History;
use crate::spanned::Spanned;
use crate::spelling::plain;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use perennial_domain::title::{Kind, OtherWords, Pattern, Title};
use serde::{Deserialize, Serialize};

/// The most job titles: a profile stores its titles as a set of bits.
pub const MAX_TITLES: usize = 32;
/// The most personas: a profile stores its personas as a set of bits.
pub const MAX_PERSONAS: usize = 32;

/// People's roles at work, from a trait or by rule. At most 32 personas.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The trait of `identify` calls that contains a persona, or a list of them; default: "persona".
    #[serde(default = "default_trait")]
    r#trait: String,
    /// The traits that may contain a job title; default: `["title", "job_title", "jobTitle"]`.
    #[serde(default = "default_title_traits")]
    title_traits: Vec<String>,
    /// Words before a job title that make it another person's, besides the built-in ones, such as assistant, deputy and
    /// former.
    #[serde(default)]
    not_after: Vec<String>,
    /// Words after a job title that make it another person's, besides the built-in ones, such as office and assistant.
    #[serde(default)]
    not_before: Vec<String>,
    /// A job title, for conditions (`title("NAME")`). At most 32.
    #[serde(default)]
    title: Vec<Spanned<RawTitle>>,
    /// A persona. A person may have several.
    #[serde(default)]
    persona: Vec<Spanned<RawPersona>>,
}

fn default_title_traits() -> Vec<String> {
    ["title", "job_title", "jobTitle"].map(str::to_owned).to_vec()
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawTitle {
    /// Its name, for conditions (`title("NAME")`): letters, digits, `_` and `-`; unique.
    name: Spanned<String>,
    /// Positions: sequences of words such as `cfo`. `*` stands for one to three words, and at the end of a word for any
    /// ending.
    #[serde(default)]
    positions: Vec<Spanned<String>>,
    /// Fields of work: who heads one has the title, and who works in it, as with `security`. Written as positions are.
    #[serde(default)]
    fields: Vec<Spanned<String>>,
    /// Fields of work of which only the head has the title: `finance` is that of the "VP, Finance", "Finance Director" and "Head of Group Finance". Written as
    /// positions are.
    #[serde(default)]
    heads: Vec<Spanned<String>>,
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
    /// A condition on the person that uses only facts: no scores, segments or personas. A person who meets it has the
    /// persona, whatever the trait says.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    when: Option<Spanned<String>>,
    /// A description, for readers.
    #[serde(default)]
    description: String,
}

/// A persona.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Persona {
    /// Its name in conditions.
    pub name: String,
    /// The rule; `None` if only the trait assigns it.
    pub when: Option<Program<PersonSlot>>,
    /// A description, for readers.
    pub description: String,
}

impl Persona {
    /// Returns whether the value of a trait names it: as its name is spelled or in any other spelling, such as
    /// "Executive Sponsor" for `executive_sponsor`.
    pub fn is_called(&self, text: &str) -> bool {
        plain(&self.name) == plain(text)
    }
}

/// A job title that conditions ask for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobTitle {
    /// Its name in conditions.
    pub name: String,
    patterns: Vec<(Kind, Pattern)>,
}

/// All job titles, in the file's order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct JobTitles {
    /// The traits that may hold one.
    pub traits: Vec<String>,
    /// All of them.
    pub all: Vec<JobTitle>,
    others: OtherWords,
}

impl JobTitles {
    /// Returns which of the titles a text is, a bit each.
    pub fn of(&self, text: &str) -> u32 {
        let title = Title::parse(text);
        let holds =
            |job: &JobTitle| job.patterns.iter().any(|(kind, pattern)| title.holds(pattern, *kind, &self.others));
        let held = self.all.iter().enumerate().filter(|(_, job)| holds(job));
        held.fold(0, |bits, (at, _)| bits | 1 << at)
    }

    /// Returns the names, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|job| job.name.clone()).collect()
    }
}

/// All personas, in the file's order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Personas {
    /// Job titles that conditions ask for.
    pub titles: JobTitles,
    /// The trait whose value, or one of whose values, assigns a persona by its name.
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
        let titles = JobTitles::load(report, file.title_traits, file.not_after, file.not_before, file.title);
        let names = titles.names();
        let vocabulary = &PersonVocabulary { titles: &names, ..*vocabulary };
        let mut out = Self { titles, r#trait: file.r#trait, all: Vec::new() };
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

    /// Returns the names, in the file's order.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|persona| persona.name.clone()).collect()
    }
}

impl JobTitles {
    fn load(
        report: &mut Reporter<'_>,
        traits: Vec<String>,
        before: Vec<String>,
        after: Vec<String>,
        raw: Vec<Spanned<RawTitle>>,
    ) -> Self {
        let lower = |words: Vec<String>| words.iter().map(|word| word.trim().to_lowercase()).collect();
        let others = OtherWords { before: lower(before), after: lower(after) };
        let mut out = Self { traits, all: Vec::new(), others };
        let mut used = Used::default();
        if let Some(over) = raw.get(MAX_TITLES) {
            report.at(over.span(), format!("there are more than {MAX_TITLES} titles"));
        }
        for raw in raw.into_iter().take(MAX_TITLES) {
            let span = raw.span();
            let raw = raw.into_inner();
            report.unique(&mut used, "a title", "name", &raw.name);
            let name = raw.name.into_inner();
            let kinds = [(Kind::Position, raw.positions), (Kind::Field, raw.fields), (Kind::Head, raw.heads)];
            let mut patterns = Vec::new();
            for (kind, texts) in kinds {
                for text in texts {
                    match Pattern::parse(text.get_ref()) {
                        Some(pattern) => patterns.push((kind, pattern)),
                        None => report.at(
                            text.span(),
                            format!(
                                "`{}` is no title: write words such as `chief * officer`, with a word at both ends",
                                text.get_ref()
                            ),
                        ),
                    }
                }
            }
            if patterns.is_empty() {
                report.at(span, format!("title `{name}` needs `positions`, `fields` or `heads`"));
            }
            out.all.push(JobTitle { name, patterns });
        }
        out
    }
}
