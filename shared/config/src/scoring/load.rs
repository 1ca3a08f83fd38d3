//! The file as it is written, checked and compiled.

use super::{Category, MAX_CATEGORIES, Nps, Rule, Scoring, Signal, TallyRule};
use crate::condition;
use crate::error::{Reporter, unknown};
use crate::features::Features;
use crate::history::History;
use crate::vocabulary::{Level, PersonVocabulary};
use perennial_domain::{Likelihood, Stage, hash::hash32};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    base: BTreeMap<Likelihood, Spanned<f64>>,
    #[serde(default)]
    category: Vec<Spanned<RawCategory>>,
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    #[serde(default)]
    signal: Vec<Spanned<RawSignal>>,
    #[serde(default)]
    tally: Vec<Spanned<RawTally>>,
    nps: Option<RawNps>,
    #[serde(default)]
    sentiment: RawSentiment,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCategory {
    name: String,
    score: Likelihood,
    cap: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    score: Likelihood,
    event: String,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    points: f64,
    half_life_days: Option<f64>,
    cap: Option<f64>,
    category: Option<Spanned<String>>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignal {
    id: String,
    score: Likelihood,
    measure: Spanned<String>,
    from: f64,
    to: f64,
    points: f64,
    when: Option<Spanned<String>>,
    #[serde(default)]
    stages: Vec<Stage>,
    category: Option<Spanned<String>>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTally {
    name: String,
    events: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNps {
    event: Spanned<String>,
    property: String,
    #[serde(default)]
    promoter_min_engagement: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSentiment {
    #[serde(default)]
    properties: Vec<String>,
}

/// Checks and compiles the file.
pub(crate) fn load(
    report: &mut Reporter<'_>,
    features: &Features,
    personas: &[String],
    history: &mut History,
) -> Scoring {
    let Some(file) = report.parse::<File>() else {
        return Scoring::default();
    };
    let mut loader = Loader { report, out: Scoring::default(), keys: HashMap::new() };
    loader.base(file.base);
    loader.tallies(file.tally);
    loader.categories(file.category);
    for raw in file.rule {
        loader.rule(raw);
    }
    let tallies = loader.out.tally_names();
    let vocabulary = PersonVocabulary { level: Level::Score, features, tallies: &tallies, personas, segments: &[] };
    for raw in file.signal {
        loader.signal(raw, &vocabulary, history);
    }
    loader.nps(file.nps);
    loader.out.texts = file.sentiment.properties;
    loader.out
}

struct Loader<'a, 'r> {
    report: &'a mut Reporter<'r>,
    out: Scoring,
    /// Names of rules and signals by their hash.
    keys: HashMap<u32, String>,
}

impl Loader<'_, '_> {
    fn base(&mut self, base: BTreeMap<Likelihood, Spanned<f64>>) {
        for (score, points) in base {
            if !(0.0..=100.0).contains(points.get_ref()) {
                self.report.at(points.span(), format!("base.{} must be between 0 and 100", score.as_str()));
            }
            self.out.scores[score as usize].base = points.into_inner();
        }
    }

    fn tallies(&mut self, tallies: Vec<Spanned<RawTally>>) {
        for raw in tallies {
            let span = raw.span();
            let raw = raw.into_inner();
            if self.out.tally_rules.iter().any(|tally| tally.name == raw.name) {
                let message = format!("two tallies cannot share the name `{}`: put all its events into one", raw.name);
                self.report.at(span.clone(), message);
            }
            if raw.events.is_empty() {
                self.report.at(span, format!("tally `{}` needs at least one event", raw.name));
            }
            for event in &raw.events {
                self.out.tallies.entry(event.clone()).or_default().push(raw.name.clone());
            }
            self.out.tally_rules.push(TallyRule { name: raw.name, events: raw.events });
        }
    }

    fn categories(&mut self, categories: Vec<Spanned<RawCategory>>) {
        for raw in categories {
            let span = raw.span();
            let raw = raw.into_inner();
            if !(raw.cap.is_finite() && raw.cap > 0.0) {
                self.report.at(span.clone(), format!("category `{}`: cap must be above 0", raw.name));
            }
            let of_score = &mut self.out.scores[raw.score as usize].categories;
            if of_score.iter().any(|category| category.name == raw.name) {
                let message = format!("{} has two categories `{}`", raw.score.as_str(), raw.name);
                self.report.at(span.clone(), message);
            }
            if of_score.len() == MAX_CATEGORIES {
                let message = format!("{} has more than {MAX_CATEGORIES} categories", raw.score.as_str());
                self.report.at(span, message);
                continue;
            }
            of_score.push(Category { name: raw.name, cap: raw.cap });
        }
    }

    fn rule(&mut self, raw: Spanned<RawRule>) {
        let span = raw.span();
        let raw = raw.into_inner();
        let key = self.name(&raw.id, span.clone());
        if raw.event.trim().is_empty() {
            self.report.at(span.clone(), format!("rule `{}`: event is empty; page calls are \"$page\"", raw.id));
        }
        if !raw.points.is_finite() || raw.points == 0.0 || raw.points.abs() > 100.0 {
            self.report.at(span.clone(), format!("rule `{}`: points must be between -100 and 100, and not 0", raw.id));
        }
        if raw.half_life_days.is_some_and(|days| !(days.is_finite() && (0.1..=3650.0).contains(&days))) {
            self.report.at(span.clone(), format!("rule `{}`: half_life_days must be between 0.1 and 3650", raw.id));
        }
        if raw.cap.is_some_and(|cap| !(cap.is_finite() && cap > 0.0)) {
            self.report.at(span.clone(), format!("rule `{}`: cap must be above 0", raw.id));
        }
        let filter = raw.filter.as_ref().and_then(|filter| condition::on_event(self.report, filter));
        let category = self.category(raw.score, raw.category.as_ref());
        let index = self.out.rules.len();
        self.out.by_event.entry(raw.event.clone()).or_default().push(index);
        self.out.scores[raw.score as usize].rules.push(index);
        let reason = raw.reason.unwrap_or_else(|| raw.id.clone());
        self.out.rules.push(Rule {
            key,
            score: raw.score,
            event: raw.event,
            filter,
            points: raw.points,
            half_life_days: raw.half_life_days,
            cap: raw.cap,
            category,
            id: raw.id,
            reason,
        });
    }

    fn signal(&mut self, raw: Spanned<RawSignal>, vocabulary: &PersonVocabulary<'_>, history: &mut History) {
        let span = raw.span();
        let raw = raw.into_inner();
        self.name(&raw.id, span.clone());
        if raw.from == raw.to || !raw.from.is_finite() || !raw.to.is_finite() {
            self.report.at(span.clone(), format!("signal `{}`: from and to must differ", raw.id));
        }
        if !raw.points.is_finite() || raw.points == 0.0 || raw.points.abs() > 100.0 {
            let message = format!("signal `{}`: points must be between -100 and 100, and not 0", raw.id);
            self.report.at(span, message);
        }
        let measure = condition::measure(self.report, &raw.measure, vocabulary);
        let when = raw.when.as_ref().and_then(|when| condition::on_person(self.report, when, vocabulary));
        let category = self.category(raw.score, raw.category.as_ref());
        let Some(measure) = measure else { return };
        history.ask(measure.slots());
        if let Some(when) = &when {
            history.ask(when.slots());
        }
        self.out.scores[raw.score as usize].signals.push(self.out.signals.len());
        let reason = raw.reason.unwrap_or_else(|| raw.id.clone());
        self.out.signals.push(Signal {
            id: raw.id,
            score: raw.score,
            measure,
            from: raw.from,
            to: raw.to,
            points: raw.points,
            when,
            stages: raw.stages,
            category,
            reason,
        });
    }

    fn nps(&mut self, nps: Option<RawNps>) {
        let Some(nps) = nps else { return };
        if nps.event.get_ref().trim().is_empty() {
            self.report.at(nps.event.span(), "nps.event is empty; it names the event that brings a survey's answer");
        }
        if nps.promoter_min_engagement > 100 {
            self.report.at(nps.event.span(), "nps.promoter_min_engagement is an engagement, 0 to 100");
        }
        self.out.nps = Nps {
            event: nps.event.into_inner(),
            property: nps.property,
            promoter_min_engagement: nps.promoter_min_engagement,
        };
    }

    /// The name's key; reports names that are empty or used twice.
    fn name(&mut self, id: &str, span: Range<usize>) -> u32 {
        if id.trim().is_empty() {
            self.report.at(span.clone(), "a rule needs an id that is not empty");
        }
        let key = hash32(id);
        if let Some(other) = self.keys.insert(key, id.to_owned()) {
            self.report.at(span, format!("two rules cannot share a name: `{id}` and `{other}`"));
        }
        key
    }

    fn category(&mut self, score: Likelihood, name: Option<&Spanned<String>>) -> Option<usize> {
        let name = name?;
        let of_score = &self.out.scores[score as usize].categories;
        let found = of_score.iter().position(|category| category.name == *name.get_ref());
        if found.is_none() {
            let known = of_score.iter().map(|category| category.name.as_str());
            let message = unknown(&format!("category of {}", score.as_str()), name.get_ref(), known);
            self.report.at(name.span(), message);
        }
        found
    }
}

/// The names of the tallies, where the file can be read at all: other files may speak of them before this one is compiled.
pub(crate) fn tally_names(text: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Tallies {
        #[serde(default)]
        tally: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    toml::from_str::<Tallies>(text).map(|file| file.tally.into_iter().map(|tally| tally.name).collect()).unwrap_or_default()
}
