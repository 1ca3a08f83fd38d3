//! `features.toml`: the product's features, which of the product's events are their use, which of them matter most, and what teaches
//! their use.

use crate::cel::{self, Program, Wanted};
use crate::condition;
use crate::error::{Reporter, Used};
use crate::history::{History, education_key, errors_key, feature_key};
use crate::spanned::Spanned;
use crate::vocabulary::{EventSlot, EventVocabulary};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The most features: a profile's use of each is a bitmap of up to 24 bytes.
pub const MAX_FEATURES: usize = 64;

/// The most kinds of education: for each, the report keeps some thousand counts.
pub const MAX_EDUCATION: usize = 8;

/// The number of past days for which errors are counted, by day.
pub const ERROR_DAYS: u16 = 28;

/// The product's features, the events that are their use, which features matter most (at most 64), and the education of which the report
/// `education` shows the effect (at most 8).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// A feature: the event that is its use, and whether it is one of the most important.
    #[serde(default)]
    feature: Vec<Spanned<RawFeature>>,
    /// The event of an error that a person met, by feature. Without it errors are not counted by feature.
    errors: Option<RawErrors>,
    /// A webinar, course or other education, whose attendees the report `education` compares with similar people.
    #[serde(default)]
    education: Vec<Spanned<RawEducation>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawEducation {
    /// A name of your own, for the report: letters, digits, `_` and `-`; unique.
    name: Spanned<String>,
    /// The event of attending it, exactly as it is sent.
    event: Spanned<String>,
    /// A condition on the event, where one event stands for several.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    filter: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawErrors {
    /// The event of an error, by its exact name.
    event: Spanned<String>,
    /// The event's property that contains the feature's `name`.
    property: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawFeature {
    /// A name of your own, for conditions (used_days("NAME", 28)): letters, digits, `_` and `-`; unique.
    name: Spanned<String>,
    /// The event that is its use, exactly as it is sent.
    event: Spanned<String>,
    /// A condition on the event, for products that send one event for all features.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    filter: Option<Spanned<String>>,
    /// `true` if its use improves retention.
    #[serde(default)]
    high_value: bool,
    /// Its release date, such as "2026-03-01", for released_days("NAME").
    released: Option<Spanned<String>>,
}

/// A feature of the product.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Feature {
    /// Its name in conditions.
    pub name: String,
    /// The key of its history.
    pub key: u32,
    /// The key of the history of its errors.
    pub errors_key: u32,
    /// The event that is its use.
    pub event: String,
    /// Which of those events; all where `None`.
    pub filter: Option<Program<EventSlot>>,
    /// `true` if its use improves retention.
    pub high_value: bool,
    /// The day of its release, counted from 1970-01-01.
    pub released: Option<i32>,
}

/// A webinar, course or other education.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Education {
    /// Its name in the report.
    pub name: String,
    /// The key of its history: the first and last time that a person attended it.
    pub key: u32,
    /// The event of attending it.
    pub event: String,
}

/// All features, in the file's order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Features {
    /// All of them.
    pub all: Vec<Feature>,
    /// `true` if errors are counted by feature, for the last [`ERROR_DAYS`] days.
    pub has_errors: bool,
    /// The webinars and courses, in the file's order.
    pub education: Vec<Education>,
}

impl Features {
    /// Returns the feature of that name.
    pub fn get(&self, name: &str) -> Option<&Feature> {
        self.all.iter().find(|feature| feature.name == name)
    }

    /// Returns the features whose use improves retention.
    pub fn high_value(&self) -> impl Iterator<Item = &Feature> {
        self.all.iter().filter(|feature| feature.high_value)
    }

    /// Checks and compiles the file.
    pub(crate) fn load(report: &mut Reporter<'_>, history: &mut History) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let errors = file.errors.and_then(|errors| errors.checked(report));
        let education = RawEducation::load(file.education, report, history);
        let mut out = Self { all: Vec::new(), has_errors: errors.is_some(), education };
        if let Some(over) = file.feature.get(MAX_FEATURES) {
            report.at(over.span(), format!("there are more than {MAX_FEATURES} features; keep those that matter"));
        }
        let mut names = Used::default();
        for raw in file.feature.into_iter().take(MAX_FEATURES) {
            let raw = raw.into_inner();
            report.unique(&mut names, "a feature", "name", &raw.name);
            let name = raw.name.get_ref();
            report.event(&raw.event);
            let filter = raw.filter.as_ref().and_then(|filter| condition::on_event(report, filter));
            let released = raw.released.and_then(|released| match released.get_ref().parse::<Date>() {
                Ok(date) => Some(perennial_domain::time::day_of_date(date)),
                Err(_) => {
                    let message = format!("feature `{name}`: released has to be a day such as \"2026-03-01\"");
                    report.at(released.span(), message);
                    None
                }
            });
            let (name, event) = (raw.name.into_inner(), raw.event.into_inner());
            history.follow_feature(&name, &event, filter.clone());
            if let Some(errors) = &errors
                && let Some(filter) = errors.of(&name)
            {
                history.follow_errors(&name, errors.event.get_ref(), filter, ERROR_DAYS);
            }
            out.all.push(Feature {
                key: feature_key(&name),
                errors_key: errors_key(&name),
                name,
                event,
                filter,
                high_value: raw.high_value,
                released,
            });
        }
        out
    }
}

impl RawEducation {
    fn load(all: Vec<Spanned<Self>>, report: &mut Reporter<'_>, history: &mut History) -> Vec<Education> {
        if let Some(over) = all.get(MAX_EDUCATION) {
            let message = format!("there are more than {MAX_EDUCATION} kinds of education; keep those that matter");
            report.at(over.span(), message);
        }
        let mut names = Used::default();
        let mut out = Vec::new();
        for raw in all.into_iter().take(MAX_EDUCATION).map(Spanned::into_inner) {
            report.unique(&mut names, "an education", "name", &raw.name);
            report.event(&raw.event);
            let filter = raw.filter.as_ref().and_then(|filter| condition::on_event(report, filter));
            let (name, event) = (raw.name.into_inner(), raw.event.into_inner());
            history.follow_education(&name, &event, filter);
            out.push(Education { key: education_key(&name), name, event });
        }
        out
    }
}

impl RawErrors {
    /// Checks them.
    fn checked(self, report: &mut Reporter<'_>) -> Option<Self> {
        report.event(&self.event);
        if self.property.get_ref().is_empty() || self.of("name").is_none() {
            let message = "property has to be the name of a property of the event, such as \"feature\"";
            report.at(self.property.span(), message);
            return None;
        }
        Some(self)
    }

    /// Returns the condition that an error event is about the feature of that name.
    fn of(&self, feature: &str) -> Option<Program<EventSlot>> {
        // Texts of JSON are texts of CEL.
        let [property, feature] = [self.property.get_ref(), feature].map(serde_json::Value::from);
        cel::compile(&format!("properties[{property}] == {feature}"), &EventVocabulary, Wanted::Condition).ok()
    }
}
