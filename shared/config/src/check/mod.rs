//! The result of `perennial config check`: every error, and a warning for each valid setting that has no effect.
//!
//! A warning is given only if it is certain: no order of events and no value of a trait could make the rule matter.

mod cases;
mod conditions;
mod essential;
mod events;
mod keys;
mod places;
mod points;
mod rules;
mod steps;
mod values;

use crate::bundle::Bundle;
use crate::config::Config;
use crate::error::ConfigError;
use places::Part::{At, Key};
pub(crate) use places::{Part, Places};

/// The result of a check.
#[derive(Debug)]
pub struct Checked {
    /// The config; `None` where anything is wrong.
    pub config: Option<Config>,
    /// Everything that is wrong, in the order of files, lines and columns.
    pub errors: Vec<ConfigError>,
    /// Settings without effect and how to fix them, in the same order. With errors present, only those that are certain
    /// regardless of the errors.
    pub warnings: Vec<ConfigError>,
}

/// Checks and compiles `bundle`, and finds rules that can never fire, points that can never be reached, names that are
/// spelled in two ways, and advertising that nobody can unsubscribe from.
pub fn check(bundle: &Bundle) -> Checked {
    let (config, errors) = Config::load_all(bundle);
    let warnings = remarks(bundle, &config, &errors);
    Checked { config: errors.is_empty().then_some(config), errors, warnings }
}

/// Files that decide what conditions can match. If one of them has an error, conditions are not judged.
const MEANING: [&str; 7] = [
    "accounts.toml",
    "features.toml",
    "imports.toml",
    "lifecycle.toml",
    "scoring.toml",
    "segments.toml",
    "sources.toml",
];

fn remarks(bundle: &Bundle, config: &Config, errors: &[ConfigError]) -> Vec<ConfigError> {
    let places = Places::new(bundle);
    let incomplete = if errors.is_empty() { Vec::new() } else { incomplete(config, &places) };
    let is_certain = !errors.iter().any(|error| MEANING.contains(&error.file.as_str()));
    let mut remarks = Remarks { places, incomplete, is_certain, all: Vec::new() };
    if is_certain {
        rules::scoring(config, &mut remarks);
        rules::others(config, &mut remarks);
        points::remark(config, &mut remarks);
    }
    events::remark(config, &mut remarks);
    steps::remark(config, &mut remarks);
    essential::remark(config, &mut remarks);
    keys::remark(config, &mut remarks);
    if is_certain {
        // Last, as it extends the remarks on conditions that never hold.
        values::remark(config, &mut remarks);
    }
    // An error at the same place is more specific.
    remarks.all.retain(|remark| !errors.iter().any(|error| error.place() == remark.place()));
    remarks.all.sort_by(|a, b| a.place().cmp(&b.place()));
    remarks.all.dedup();
    remarks.all
}

/// Returns the lists from which invalid items are left out, so that the positions of the others are unknown.
fn incomplete(config: &Config, places: &Places<'_>) -> Vec<(&'static str, Vec<Part<'static>>)> {
    let (scoring, journeys) = (&config.scoring, &config.journeys.all);
    let mut lists = vec![
        ("features.toml", vec![Key("feature")], config.features.all.len()),
        ("imports.toml", vec![Key("import")], config.imports.len()),
        ("journeys.toml", vec![Key("journey")], journeys.len()),
        ("personas.toml", vec![Key("persona")], config.personas.all.len()),
        ("scoring.toml", vec![Key("rule")], scoring.rules.len()),
        ("scoring.toml", vec![Key("signal")], scoring.signals.len()),
        ("scoring.toml", vec![Key("tally")], scoring.tally_rules.len()),
        ("segments.toml", vec![Key("segment")], config.segments.all.len()),
        ("sources.toml", vec![Key("source")], config.sources.len()),
    ];
    for (at, journey) in journeys.iter().enumerate() {
        lists.push(("journeys.toml", vec![Key("journey"), At(at), Key("step")], journey.steps.len()));
    }
    lists.retain(|(file, path, len)| places.len(file, path) != *len);
    lists.into_iter().map(|(file, path, _)| (file, path)).collect()
}

/// Collects remarks.
struct Remarks<'a> {
    places: Places<'a>,
    /// See [`incomplete`].
    incomplete: Vec<(&'static str, Vec<Part<'static>>)>,
    /// `true` if everything that conditions are judged by is valid.
    is_certain: bool,
    all: Vec<ConfigError>,
}

impl Remarks<'_> {
    /// Extends the remark on `path` of `file`, or adds one.
    fn with(&mut self, file: &str, path: &[Part<'_>], message: &str) {
        let (line, column) = self.places.of(file, path);
        match self.all.iter_mut().find(|said| said.place() == (file, line, column)) {
            Some(said) if said.message != message => said.message = format!("{}; {message}", said.message),
            Some(_) => {}
            None => self.at(file, path, message),
        }
    }

    /// Remarks on what stands at `path` of `file`.
    fn at(&mut self, file: &str, path: &[Part<'_>], message: impl Into<String>) {
        if self.incomplete.iter().any(|(of, list)| *of == file && path.starts_with(list)) {
            return;
        }
        let (line, column) = self.places.of(file, path);
        self.all.push(ConfigError { file: file.to_owned(), line, column, message: message.into() });
    }
}
