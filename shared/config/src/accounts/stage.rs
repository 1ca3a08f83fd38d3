//! Checks that the events of an account's stage are milestones, since two files name them.

use super::Accounts;
use crate::bundle::Bundle;
use crate::check::{Part, Places};
use crate::error::ConfigError;
use crate::lifecycle::Lifecycle;
use crate::spelling::{nearest, unknown};
use Part::{Key, Text};

/// Returns an error for each event of `[stage]` that is not a milestone of lifecycle.toml. Of two names that nearly
/// match, the one that occurs less often is taken for the wrong one, and the error is at its place.
pub(crate) fn unknown_stage_events(bundle: &Bundle, accounts: &Accounts, lifecycle: &Lifecycle) -> Vec<ConfigError> {
    let mut known: Vec<&str> = lifecycle.milestones.keys().map(String::as_str).collect();
    known.sort_unstable();
    // Without milestones lifecycle.toml has errors of its own.
    if known.is_empty() {
        return Vec::new();
    }
    let places = Places::new(bundle);
    let unknown = accounts.stage_events.iter().filter(|event| !known.contains(&event.as_str()));
    unknown.map(|event| error(bundle, &places, lifecycle, event, &known)).collect()
}

fn error(bundle: &Bundle, places: &Places<'_>, lifecycle: &Lifecycle, event: &str, known: &[&str]) -> ConfigError {
    let near = nearest(event, known.iter().copied());
    let milestones = near.and_then(|near| Some((near, lifecycle.milestones.get(near)?.first()?)));
    let (file, path, message) = match milestones {
        Some((near, milestone)) if written(bundle, near) < written(bundle, event) => {
            let message = format!(
                "nothing else is called `{near}`, and accounts.toml has `{event}` in [stage]: did you mean that?"
            );
            ("lifecycle.toml", [Key("milestones"), Key(milestone.as_str()), Text(near)], message)
        }
        _ => {
            let message = unknown("event of lifecycle.toml", event, known.iter().copied());
            ("accounts.toml", [Key("stage"), Key("events"), Text(event)], message)
        }
    };
    let (line, column) = places.of(file, &path);
    ConfigError { file: file.to_owned(), line, column, message }
}

/// Returns how often the files contain a name in quotes.
fn written(bundle: &Bundle, name: &str) -> usize {
    let quoted = format!("\"{name}\"");
    bundle.files.values().map(|text| text.matches(&quoted).count()).sum()
}
