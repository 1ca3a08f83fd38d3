//! The file, checked and compiled.

use super::raw::{
    File, RawApplies, RawCategory, RawCsat, RawEngagement, RawNps, RawRule, RawSignal, RawTally, RawTheme,
};
use super::{
    Answered, Applies, Category, EngagementRule, MAX_CATEGORIES, MAX_THEMES, MAX_WORDS, Rule, Scoring, Signal, Survey,
    SurveyKind, TallyRule, Theme,
};
use crate::cel::Program;
use crate::condition;
use crate::error::{Reporter, Used};
use crate::features::Features;
use crate::history::History;
use crate::spanned::Spanned;
use crate::spelling::unknown;
use crate::vocabulary::{EventSlot, Level, PersonVocabulary};
use perennial_domain::{Likelihood, hash::hash32};
use std::collections::BTreeMap;

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
    loader.nps(file.nps);
    loader.csat(file.csat);
    for raw in file.rule {
        loader.rule(raw);
    }
    let tallies = loader.out.tally_names();
    let vocabulary =
        PersonVocabulary { level: Level::Score, features, tallies: &tallies, titles, personas, segments: &[] };
    for raw in file.signal {
        loader.signal(raw, &vocabulary, history);
    }
    for (score, raw) in file.applies {
        loader.applies(score, raw, &vocabulary, history);
    }
    loader.engagement(&file.engagement);
    loader.out.texts = file.sentiment.properties;
    loader.themes(file.theme);
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

    fn themes(&mut self, themes: Vec<Spanned<RawTheme>>) {
        if let Some(over) = themes.get(MAX_THEMES) {
            self.report.at(over.span(), format!("there are more than {MAX_THEMES} themes"));
        }
        let mut names = Used::default();
        for raw in themes.into_iter().take(MAX_THEMES).map(Spanned::into_inner) {
            self.report.unique(&mut names, "a theme", "name", &raw.name);
            let name = raw.name.into_inner();
            if !(1..=MAX_WORDS).contains(&raw.words.get_ref().len()) {
                let message =
                    format!("theme `{name}` needs 1 to {MAX_WORDS} words, and not {}", raw.words.get_ref().len());
                self.report.at(raw.words.span(), message);
            }
            let mut words = Vec::new();
            for word in raw.words.into_inner() {
                let text = word.get_ref().trim().to_lowercase();
                if text.is_empty() {
                    self.report.at(
                        word.span(),
                        format!("theme `{name}`: a word may not be empty; every answer would have it"),
                    );
                }
                words.push(text);
            }
            self.out.themes.push(Theme { name, words });
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
        let answer = filter.as_ref().and_then(|filter| self.answered(&event, filter));
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
            answer,
            id,
        });
    }

    /// Returns how a filter on `event` tests a survey's answer; `None` if it does not.
    fn answered(&self, event: &str, filter: &Program<EventSlot>) -> Option<Answered> {
        let of = |slot: &EventSlot| match slot {
            EventSlot::Property(path) => match path.as_slice() {
                [property] => self.out.survey_of(event, property).map(|survey| survey.kind),
                _ => None,
            },
            _ => None,
        };
        let survey = filter.slots().iter().find_map(of)?;
        let alone = filter.slots().iter().all(|slot| of(slot) == Some(survey) || *slot == EventSlot::Event);
        Some(Answered { survey, alone })
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

    fn applies(
        &mut self,
        score: Likelihood,
        raw: RawApplies,
        vocabulary: &PersonVocabulary<'_>,
        history: &mut History,
    ) {
        let when = raw.when.as_ref().and_then(|when| condition::on_person(self.report, when, vocabulary));
        if let Some(when) = &when {
            history.ask(when.slots());
        }
        self.out.scores[score as usize].applies = Applies { stages: raw.stages, when };
    }

    fn engagement(&mut self, raw: &RawEngagement) {
        if let Some(days) = raw.active_days.as_ref().filter(|days| !(1..=28).contains(days.get_ref())) {
            self.report.at(days.span(), "engagement.active_days must be between 1 and 28");
        }
        if let Some(actions) = raw.actions.as_ref().filter(|actions| *actions.get_ref() == 0) {
            self.report.at(actions.span(), "engagement.actions must be at least 1");
        }
        if let Some(most) = raw.most.as_ref().filter(|most| *most.get_ref() > 100) {
            self.report.at(most.span(), "engagement.most must be between 0 and 100");
        }
        let default = EngagementRule::default();
        self.out.engagement = EngagementRule {
            active_days: raw.active_days.as_ref().map_or(default.active_days, |days| *days.get_ref()),
            actions: raw.actions.as_ref().map_or(default.actions, |actions| *actions.get_ref()),
            most: raw.most.as_ref().map_or(default.most, |most| *most.get_ref()),
        };
    }

    fn points(&mut self, what: &str, id: &str, points: &Spanned<f64>) {
        let number = *points.get_ref();
        if number == 0.0 || !(-100.0..=100.0).contains(&number) {
            self.report.at(points.span(), format!("{what} `{id}`: points must be between -100 and 100, and not 0"));
        }
    }

    fn nps(&mut self, nps: Option<RawNps>) {
        let Some(nps) = nps else { return };
        let lowest = nps.lowest.as_ref().map_or(0, |lowest| *lowest.get_ref());
        if let Some(lowest) = nps.lowest.as_ref().filter(|lowest| *lowest.get_ref() > 1) {
            self.report.at(lowest.span(), "nps.lowest is 0 or 1: the survey asks for 0 to 10, or for 1 to 10");
        }
        let least = nps.promoter_min_engagement;
        if let Some(least) = least.as_ref().filter(|least| *least.get_ref() > 100) {
            self.report.at(least.span(), "nps.promoter_min_engagement is an engagement, 0 to 100");
        }
        self.out.promoter_min_engagement = least.map_or(0, Spanned::into_inner);
        self.survey("nps", SurveyKind::Nps, nps.event, nps.property, (lowest, 10));
    }

    fn csat(&mut self, csat: Option<RawCsat>) {
        let Some(csat) = csat else { return };
        let highest = csat.highest.as_ref().map_or(5, |highest| *highest.get_ref());
        if let Some(span) = csat.highest.filter(|highest| !(2..=100).contains(highest.get_ref())) {
            self.report.at(span.span(), "csat.highest must be between 2 and 100");
        }
        self.survey("csat", SurveyKind::Csat, csat.event, csat.property, (1, highest));
    }

    fn survey(
        &mut self,
        name: &str,
        kind: SurveyKind,
        event: Spanned<String>,
        property: Spanned<String>,
        (lowest, highest): (u8, u8),
    ) {
        self.report.event(&event);
        if property.get_ref().trim().is_empty() {
            let message = format!("{name}.property is empty; it names the property that holds the answer");
            self.report.at(property.span(), message);
        }
        if self.out.survey_of(event.get_ref(), property.get_ref()).is_some() {
            let message = format!("{name}.property holds the answer to another survey; give each its own property");
            self.report.at(property.span(), message);
        }
        let (event, property) = (event.into_inner(), property.into_inner());
        self.out.surveys.push(Survey { kind, event, property, lowest, highest });
    }

    /// Returns the name's key; reports names that are invalid or used twice.
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

/// Returns the names of the tallies, as far as the file can be read: other files may refer to them before this one is
/// compiled.
pub(crate) fn tally_names(text: &str) -> Vec<String> {
    let (file, _) = toml::de::DeTable::parse_recoverable(text);
    let tallies = file.get_ref().get("tally").and_then(|tallies| tallies.get_ref().as_array());
    let name = |tally: &toml::Spanned<toml::de::DeValue<'_>>| {
        Some(tally.get_ref().get("name")?.get_ref().as_str()?.to_owned())
    };
    tallies.map(|tallies| tallies.iter().filter_map(name).collect()).unwrap_or_default()
}
