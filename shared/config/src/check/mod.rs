//! What `perennial config check` tells: everything that is wrong, and what is right but cannot do what it seems to be for.
//!
//! A remark is made only where it is certain: no order of events and no value of a trait could make the rule matter.

mod cases;
mod conditions;
mod essential;
mod events;
mod places;
mod points;
mod rules;
mod steps;
mod values;

use crate::bundle::Bundle;
use crate::config::Config;
use crate::error::ConfigError;
use places::{Part, Places};

/// What came of a check.
#[derive(Debug)]
pub struct Checked {
    /// The config; `None` where anything is wrong.
    pub config: Option<Config>,
    /// Everything that is wrong, in the order of files, lines and columns.
    pub errors: Vec<ConfigError>,
    /// What can never matter, and what to do about it, in the same order. Nothing where something is wrong: what is never
    /// compiled cannot be judged.
    pub warnings: Vec<ConfigError>,
}

/// Checks and compiles `bundle`, and looks for rules that can never fire, points that can never be reached, names that are
/// written in two ways, and advertisements that nobody can stop.
pub fn check(bundle: &Bundle) -> Checked {
    match Config::load(bundle) {
        Ok(config) => {
            let warnings = remarks(bundle, &config);
            Checked { config: Some(config), errors: Vec::new(), warnings }
        }
        Err(errors) => Checked { config: None, errors: errors.0, warnings: Vec::new() },
    }
}

fn remarks(bundle: &Bundle, config: &Config) -> Vec<ConfigError> {
    let mut remarks = Remarks { places: Places::new(bundle), all: Vec::new() };
    rules::scoring(config, &mut remarks);
    rules::others(config, &mut remarks);
    points::remark(config, &mut remarks);
    events::remark(config, &mut remarks);
    steps::remark(config, &mut remarks);
    essential::remark(config, &mut remarks);
    // Last, as it adds to what is said of conditions that never hold.
    values::remark(config, &mut remarks);
    remarks.all.sort_by(|a, b| a.place().cmp(&b.place()));
    remarks.all.dedup();
    remarks.all
}

/// Collects remarks.
struct Remarks<'a> {
    places: Places<'a>,
    all: Vec<ConfigError>,
}

impl Remarks<'_> {
    /// Adds to what is said already of what stands at `path` of `file`, or says it alone.
    fn with(&mut self, file: &str, path: &[Part<'_>], message: &str) {
        let (line, column) = self.places.of(file, path);
        match self.all.iter_mut().find(|said| said.place() == (file, line, column)) {
            Some(said) => said.message = format!("{}; {message}", said.message),
            None => self.all.push(ConfigError { file: file.to_owned(), line, column, message: message.to_owned() }),
        }
    }

    /// Remarks on what stands at `path` of `file`.
    fn at(&mut self, file: &str, path: &[Part<'_>], message: impl Into<String>) {
        let (line, column) = self.places.of(file, path);
        self.all.push(ConfigError { file: file.to_owned(), line, column, message: message.into() });
    }
}
