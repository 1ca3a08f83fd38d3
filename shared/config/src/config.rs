//! The whole config, checked and compiled.

use crate::bundle::Bundle;
use crate::channels::{Channels, Template};
use crate::error::{ConfigError, ConfigErrors, Reporter};
use crate::journeys::Journeys;
use crate::lifecycle::Lifecycle;
use crate::schedules::{self, Schedule};
use crate::scoring::Scoring;
use crate::sources::{self, Source};
use perennial_domain::ConfigVersion;
use std::collections::BTreeMap;

/// What every function and the engine work by.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which files it was made from.
    pub version: ConfigVersion,
    /// Who may send events.
    pub sources: Vec<Source>,
    /// Points, signals and tallies.
    pub scoring: Scoring,
    /// Where someone stands.
    pub lifecycle: Lifecycle,
    /// What sets messages off.
    pub journeys: Journeys,
    /// How messages go out.
    pub channels: Channels,
    /// What messages say, by name.
    pub templates: BTreeMap<String, Template>,
    /// What the clock calls.
    pub schedules: Vec<Schedule>,
}

impl Config {
    /// Checks and compiles `bundle`.
    ///
    /// # Errors
    /// Every error of every file, in the order of the files' names.
    pub fn load(bundle: &Bundle) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        for name in bundle.files.keys() {
            if !KNOWN.contains(&name.as_str()) && template_name(name).is_none() {
                let message =
                    format!("no such config file is known; allowed are {} and templates/NAME.toml", KNOWN.join(", "));
                errors.push(ConfigError { file: name.clone(), line: 0, message });
            }
        }
        let mut templates = BTreeMap::new();
        for (file, text) in &bundle.files {
            if let Some(name) = template_name(file)
                && let Some(template) = Reporter::new(file, text, &mut errors).parse::<Template>()
            {
                templates.insert(name.to_owned(), template);
            }
        }
        let sources = with(bundle, "sources.toml", &mut errors, sources::load);
        let scoring = with(bundle, "scoring.toml", &mut errors, Scoring::load);
        let lifecycle = with(bundle, "lifecycle.toml", &mut errors, Lifecycle::load);
        let channels = with(bundle, "channels.toml", &mut errors, Channels::load);
        let schedules = with(bundle, "schedules.toml", &mut errors, schedules::load);
        let names: Vec<&str> = templates.keys().map(String::as_str).collect();
        let endpoints: Vec<&str> = channels.webhook.keys().map(String::as_str).collect();
        let journeys = with(bundle, "journeys.toml", &mut errors, |report| Journeys::load(report, &names, &endpoints));
        if errors.is_empty() {
            Ok(Self {
                version: bundle.version(),
                sources,
                scoring,
                lifecycle,
                journeys,
                channels,
                templates,
                schedules,
            })
        } else {
            Err(ConfigErrors(errors))
        }
    }
}

const KNOWN: [&str; 6] =
    ["channels.toml", "journeys.toml", "lifecycle.toml", "schedules.toml", "scoring.toml", "sources.toml"];

fn template_name(file: &str) -> Option<&str> {
    file.strip_prefix("templates/")?.strip_suffix(".toml")
}

/// Loads one file; a missing one is an error of its own.
fn with<T: Default>(
    bundle: &Bundle,
    file: &str,
    errors: &mut Vec<ConfigError>,
    load: impl FnOnce(&mut Reporter<'_>) -> T,
) -> T {
    match bundle.files.get(file) {
        Some(text) => load(&mut Reporter::new(file, text, errors)),
        None => {
            errors.push(ConfigError { file: file.to_owned(), line: 0, message: "is missing".to_owned() });
            T::default()
        }
    }
}
