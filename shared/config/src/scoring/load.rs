//! The file as it is written, checked and compiled.

use super::{Category, MAX_CATEGORIES, Nps, Rule, Scoring, Signal, TallyRule};
use crate::condition;
use crate::error::{Reporter, Used, unknown};
use crate::features::Features;
use crate::history::History;
use crate::spanned::Spanned;
use crate::vocabulary::{Level, PersonVocabulary};
use perennial_domain::{Likelihood, Stage, hash::hash32};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What people do, turned into nine likelihoods from 0 to 100. A score is its base, the points of its rules and the points of its
/// signals, less what shared caps take, kept within 0 and 100.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Points that everyone starts with, by score, 0 to 100; 0 where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::ScoreName, crate::schema::Percent>"))]
    base: BTreeMap<Likelihood, Spanned<f64>>,
    /// The most that several rules and signals of one score may give together; at most 8 for each score.
    #[serde(default)]
    category: Vec<Spanned<RawCategory>>,
    /// An event gives points to a score, which fade away.
    #[serde(default)]
    rule: Vec<Spanned<RawRule>>,
    /// A state gives points to a score: none at `from`, all at `to`, a straight line between.
    #[serde(default)]
    signal: Vec<Spanned<RawSignal>>,
    /// A plain counter of how many pieces of content or actions someone took in one stage of the journey.
    #[serde(default)]
    tally: Vec<RawTally>,
    /// The survey that asks how likely someone is to recommend you; leave it out where there is none.
    nps: Option<RawNps>,
    /// Which texts are read for how kind they are.
    #[serde(default)]
    sentiment: RawSentiment,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawCategory {
    /// A name of your own: letters, digits, `_` and `-`; unique within the score.
    name: Spanned<String>,
    /// The score whose rules and signals share the cap.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    score: Likelihood,
    /// The most points, above 0, that they give together; negative points are limited alike.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0)))]
    cap: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawRule {
    /// A name of your own: letters, digits, `_` and `-`; unique among rules and signals. Renaming a rule starts its points from zero.
    id: Spanned<String>,
    /// The score that it gives points to.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    score: Likelihood,
    /// The event's name exactly as it is sent. Page calls are "$page", group calls "$group".
    event: Spanned<String>,
    /// A condition on the event: only events for which it holds count.
    #[serde(rename = "where")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::EventCondition>"))]
    filter: Option<Spanned<String>>,
    /// Points of one event when it happens: from -100 to 100, and not 0.
    #[cfg_attr(feature = "schema", schemars(range(min = -100.0, max = 100.0)))]
    points: Spanned<f64>,
    /// After so many days, 0.1 to 3650, half of the points are left. Without it they stay for good.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.1, max = 3650.0)))]
    half_life_days: Option<Spanned<f64>>,
    /// The most points, above 0, that the rule gives in all; negative points are limited alike. Without it there is no limit.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0)))]
    cap: Option<Spanned<f64>>,
    /// The shared cap that it counts in: the name of a [[category]] of the same score.
    category: Option<Spanned<String>>,
    /// What a colleague reads next to the score; the id where nothing is written.
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawSignal {
    /// A name of your own: letters, digits, `_` and `-`; unique among rules and signals.
    id: Spanned<String>,
    /// The score that it gives points to.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::ScoreName"))]
    score: Likelihood,
    /// What is measured: a number about the person. Where it is missing, the signal gives nothing.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::PersonNumber"))]
    measure: Spanned<String>,
    /// The measure at which it gives nothing yet.
    from: Spanned<f64>,
    /// The measure from which on it gives all its points; below `from` where less is more. Must differ from `from`.
    to: Spanned<f64>,
    /// Points at `to`: from -100 to 100, and not 0.
    #[cfg_attr(feature = "schema", schemars(range(min = -100.0, max = 100.0)))]
    points: Spanned<f64>,
    /// A condition on the person: it counts only for whom it holds.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    when: Option<Spanned<String>>,
    /// The stages in which it counts; all where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<crate::schema::StageName>"))]
    stages: Vec<Stage>,
    /// The shared cap that it counts in: the name of a [[category]] of the same score.
    category: Option<Spanned<String>>,
    /// What a colleague reads next to the score; the id where nothing is written.
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawTally {
    /// A name of your own, for conditions (tallies.NAME): letters, digits, `_` and `-`; unique.
    name: Spanned<String>,
    /// The names of the events that it counts, exactly as they are sent; at least one.
    events: Spanned<Vec<Spanned<String>>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawNps {
    /// The name of the event that brings an answer.
    event: Spanned<String>,
    /// The event's property that holds the answer, on the scale of 0 to 10 or of 1 to 10.
    property: Spanned<String>,
    /// Who answers 9 or 10 but has an engagement below this, 0 to 100, counts as passive; 0 where nothing is written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::WholePercent>"))]
    promoter_min_engagement: Option<Spanned<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawSentiment {
    /// The names of event properties that hold texts which people wrote, such as "comment".
    #[serde(default)]
    properties: Vec<String>,
}

/// Checks and compiles the file.
pub(crate) fn load(
    report: &mut Reporter<'_>,
    features: &Features,
    titles: &[String],
    personas: &[String],
    history: &mut History,
) -> Scoring {
    let Some(file) = report.parse::<File>() else {
        return Scoring::default();
    };
    let mut loader = Loader { report, out: Scoring::default(), names: Used::default() };
    loader.base(file.base);
    loader.tallies(file.tally);
    loader.categories(file.category);
    for raw in file.rule {
        loader.rule(raw);
    }
    let tallies = loader.out.tally_names();
    let vocabulary =
        PersonVocabulary { level: Level::Score, features, tallies: &tallies, titles, personas, segments: &[] };
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
    /// Ids of rules and signals.
    names: Used,
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

    fn tallies(&mut self, tallies: Vec<RawTally>) {
        let mut names = Used::default();
        for raw in tallies {
            self.report.unique(&mut names, "a tally", "name", &raw.name);
            let name = raw.name.get_ref();
            if raw.events.get_ref().is_empty() {
                self.report.at(raw.events.span(), format!("tally `{name}` needs at least one event"));
            }
            let mut events = Vec::new();
            for event in raw.events.into_inner() {
                self.report.event(&event);
                self.out.tallies.entry(event.get_ref().clone()).or_default().push(name.clone());
                events.push(event.into_inner());
            }
            self.out.tally_rules.push(TallyRule { name: name.clone(), events });
        }
    }

    fn categories(&mut self, categories: Vec<Spanned<RawCategory>>) {
        let mut names: BTreeMap<Likelihood, Used> = BTreeMap::new();
        for raw in categories {
            let span = raw.span();
            let raw = raw.into_inner();
            let cap = *raw.cap.get_ref();
            self.report.unique(names.entry(raw.score).or_default(), "a category", "name", &raw.name);
            let name = raw.name.get_ref();
            if !(cap.is_finite() && cap > 0.0) {
                self.report.at(raw.cap.span(), format!("category `{name}`: cap must be above 0"));
            }
            let of_score = &mut self.out.scores[raw.score as usize].categories;
            if of_score.len() == MAX_CATEGORIES {
                let message = format!("{} has more than {MAX_CATEGORIES} categories", raw.score.as_str());
                self.report.at(span, message);
                continue;
            }
            of_score.push(Category { name: raw.name.into_inner(), cap });
        }
    }

    fn rule(&mut self, raw: Spanned<RawRule>) {
        let raw = raw.into_inner();
        let key = self.name("a rule", &raw.id);
        let id = raw.id.get_ref();
        self.report.event(&raw.event);
        self.points("rule", id, &raw.points);
        if let Some(days) = &raw.half_life_days
            && !(0.1..=3650.0).contains(days.get_ref())
        {
            self.report.at(days.span(), format!("rule `{id}`: half_life_days must be between 0.1 and 3650"));
        }
        if let Some(cap) = &raw.cap
            && !(cap.get_ref().is_finite() && *cap.get_ref() > 0.0)
        {
            self.report.at(cap.span(), format!("rule `{id}`: cap must be above 0"));
        }
        let filter = raw.filter.as_ref().and_then(|filter| condition::on_event(self.report, filter));
        let category = self.category(raw.score, raw.category.as_ref());
        let index = self.out.rules.len();
        let event = raw.event.into_inner();
        self.out.by_event.entry(event.clone()).or_default().push(index);
        self.out.scores[raw.score as usize].rules.push(index);
        let id = raw.id.into_inner();
        self.out.rules.push(Rule {
            key,
            score: raw.score,
            event,
            filter,
            points: raw.points.into_inner(),
            half_life_days: raw.half_life_days.map(Spanned::into_inner),
            cap: raw.cap.map(Spanned::into_inner),
            category,
            reason: raw.reason.unwrap_or_else(|| id.clone()),
            id,
        });
    }

    fn signal(&mut self, raw: Spanned<RawSignal>, vocabulary: &PersonVocabulary<'_>, history: &mut History) {
        let raw = raw.into_inner();
        self.name("a signal", &raw.id);
        let id = raw.id.get_ref();
        let (from, to) = (*raw.from.get_ref(), *raw.to.get_ref());
        if !from.is_finite() {
            self.report.at(raw.from.span(), format!("signal `{id}`: from must be a number that is finite"));
        }
        if from == to || !to.is_finite() {
            self.report.at(raw.to.span(), format!("signal `{id}`: from and to must differ"));
        }
        self.points("signal", id, &raw.points);
        let measure = condition::measure(self.report, &raw.measure, vocabulary);
        let when = raw.when.as_ref().and_then(|when| condition::on_person(self.report, when, vocabulary));
        let category = self.category(raw.score, raw.category.as_ref());
        let Some(measure) = measure else { return };
        history.ask(measure.slots());
        if let Some(when) = &when {
            history.ask(when.slots());
        }
        self.out.scores[raw.score as usize].signals.push(self.out.signals.len());
        let id = raw.id.into_inner();
        self.out.signals.push(Signal {
            score: raw.score,
            measure,
            from,
            to,
            points: raw.points.into_inner(),
            when,
            stages: raw.stages,
            category,
            reason: raw.reason.unwrap_or_else(|| id.clone()),
            id,
        });
    }

    fn points(&mut self, what: &str, id: &str, points: &Spanned<f64>) {
        let number = *points.get_ref();
        if number == 0.0 || !(-100.0..=100.0).contains(&number) {
            self.report.at(points.span(), format!("{what} `{id}`: points must be between -100 and 100, and not 0"));
        }
    }

    fn nps(&mut self, nps: Option<RawNps>) {
        let Some(nps) = nps else { return };
        self.report.event(&nps.event);
        if nps.property.get_ref().trim().is_empty() {
            self.report.at(nps.property.span(), "nps.property is empty; it names the property that holds the answer");
        }
        let least = nps.promoter_min_engagement;
        if let Some(least) = least.as_ref().filter(|least| *least.get_ref() > 100) {
            self.report.at(least.span(), "nps.promoter_min_engagement is an engagement, 0 to 100");
        }
        self.out.nps = Nps {
            event: nps.event.into_inner(),
            property: nps.property.into_inner(),
            promoter_min_engagement: least.map_or(0, Spanned::into_inner),
        };
    }

    /// The name's key; reports names that cannot be or are used twice.
    fn name(&mut self, what: &str, id: &Spanned<String>) -> u32 {
        self.report.unique(&mut self.names, what, "id", id);
        hash32(id.get_ref())
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

/// The names of the tallies, as far as the file can be read: other files may speak of them before this one is compiled.
pub(crate) fn tally_names(text: &str) -> Vec<String> {
    let (file, _) = toml::de::DeTable::parse_recoverable(text);
    let tallies = file.get_ref().get("tally").and_then(|tallies| tallies.get_ref().as_array());
    let name = |tally: &toml::Spanned<toml::de::DeValue<'_>>| {
        Some(tally.get_ref().get("name")?.get_ref().as_str()?.to_owned())
    };
    tallies.map(|tallies| tallies.iter().filter_map(name).collect()).unwrap_or_default()
}
