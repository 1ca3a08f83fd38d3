//! The changes of a push compared with the active configuration, and when they take effect.

use super::{Kind, Operated};
use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use perennial_config::{Bundle, Config};
use perennial_domain::ConfigVersion;
use perennial_store::config::{Current, REFRESH};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The files with rules that count events: their changes apply from then on, and to the past after a rescore.
const RECOUNTED: [&str; 5] = ["scoring.toml", "features.toml", "lifecycle.toml", "billing.toml", "identity.toml"];
/// The folder in which a bundle keeps what journeys were before they changed.
const RETIRED: &str = "retired/";

/// A config as it is about to be pushed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The active configuration; `None` before the first push.
    pub(crate) current: Option<Current>,
    /// The pushed configuration.
    pub(crate) bundle: Bundle,
    /// The same, compiled.
    pub(crate) config: Config,
    /// The active configuration, compiled; `None` before the first push, and if it is no longer valid.
    pub(crate) known: Option<Config>,
    /// By file, in the files' order.
    pub(crate) changes: BTreeMap<String, Change>,
    /// Journeys that are triggered by a state, and new or with another trigger.
    pub(crate) unreached: Vec<String>,
    /// The names of segments that do not include quiet profiles yet.
    pub(crate) uncounted: Vec<String>,
    /// `true` if past events would be counted differently, by rules, features, stages or tallies that are new or
    /// changed.
    pub(crate) recounts: bool,
}

/// The change of a file, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The file is new.
    Added(usize),
    /// The number of new lines, and of removed ones.
    Changed(usize, usize),
    /// The file is removed.
    Removed(usize),
    /// The previous version of a journey, in which runs in progress finish.
    Kept,
}

/// Returns the plan of pushing `bundle`.
///
/// # Errors
/// If it does not compile, or the table does not respond.
pub(crate) async fn plan(operated: &Operated, bundle: Bundle) -> anyhow::Result<Plan> {
    let current = operated.store.current_config().await?;
    let before = match &current {
        Some(current) => operated.store.bundle(&current.version).await?,
        None => Bundle::default(),
    };
    let after = bundle.clone().following(&before);
    let config = Config::load(&after).map_err(|errors| anyhow::anyhow!("the config has errors:\n{errors}"))?;
    // A configuration from an earlier version of this program may be invalid now: then everything is new.
    let known = Config::load(&before).ok();
    let unreached = config.journeys.unknown_to(known.as_ref().map(|known| &known.journeys));
    let unreached = unreached.map(|journey| journey.id.clone()).collect();
    let uncounted = config.segments.unknown_to(known.as_ref().map(|known| &known.segments));
    let uncounted = uncounted.map(|segment| segment.name.clone()).collect();
    let changes = changes(&before, &after);
    let recounts = current.is_some() && changes.keys().any(|file| RECOUNTED.contains(&file.as_str()));
    Ok(Plan { current, bundle, config, known, changes, unreached, uncounted, recounts })
}

/// Activates the plan's configuration. Returns its version.
///
/// # Errors
/// If the table rejects it, or somebody else pushed meanwhile.
pub(crate) async fn push(operated: &Operated, plan: &Plan) -> anyhow::Result<ConfigVersion> {
    Ok(operated.store.push_config(&plan.bundle, operated.now()).await?)
}

/// When a pushed configuration takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holds {
    /// On the embedded stack, which has taken it up.
    AtOnce {
        /// The stack's time.
        from: Timestamp,
        /// Functions that run outside of the stack and look for themselves.
        elsewhere: Vec<String>,
    },
    /// On a deployed stack, whose functions poll for it.
    AtTheLatest(Timestamp),
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtOnce { from, elsewhere } => {
                write!(f, "Every function works by it from now on ({from:.0}).")?;
                match elsewhere.as_slice() {
                    [] => Ok(()),
                    names => {
                        write!(f, " Functions outside of this stack use it within a minute: {}.", names.join(", "))
                    }
                }
            }
            Self::AtTheLatest(by) => write!(
                f,
                "Running functions use it by {by:.0} at the latest, new instances from the start; `rescore`, \
                 `calibrate`, `experiments` and `journey test` use it at once."
            ),
        }
    }
}

/// Applies the configuration that was just activated: at once on the embedded stack. The functions of a deployed one
/// poll for it.
///
/// # Errors
/// If the embedded stack does not respond, or cannot apply it.
pub(crate) async fn take_up(operated: &Operated) -> anyhow::Result<Holds> {
    let Kind::Embedded = operated.kind else {
        let within = SignedDuration::try_from(REFRESH)?;
        return Ok(Holds::AtTheLatest(operated.now().checked_add(within)?));
    };
    #[derive(Deserialize)]
    struct TakenUp {
        within_a_minute: Vec<String>,
    }
    let answer = reqwest::Client::new().post(format!("{}/_local/config", operated.name)).send().await;
    let taken = async { answer?.error_for_status()?.json::<TakenUp>().await }.await;
    let taken = taken.with_context(|| {
        format!(
            "the configuration is stored, but the system at {} did not apply it: its functions poll for it within a minute",
            operated.name
        )
    })?;
    Ok(Holds::AtOnce { from: operated.now(), elsewhere: taken.within_a_minute })
}

fn changes(before: &Bundle, after: &Bundle) -> BTreeMap<String, Change> {
    let mut changes = BTreeMap::new();
    for (name, text) in &after.files {
        let change = match before.files.get(name) {
            Some(old) if old == text => continue,
            Some(old) => {
                let (new, gone) = different(old, text);
                Change::Changed(new, gone)
            }
            None if name.starts_with(RETIRED) => Change::Kept,
            None => Change::Added(text.lines().count()),
        };
        changes.insert(name.clone(), change);
    }
    let gone = before.files.iter().filter(|(name, _)| !after.files.contains_key(*name));
    changes.extend(gone.map(|(name, text)| (name.clone(), Change::Removed(text.lines().count()))));
    changes
}

/// Returns the number of lines only in the new text, and only in the old one. A moved line is neither.
fn different(old: &str, new: &str) -> (usize, usize) {
    let mut lines: BTreeMap<&str, isize> = BTreeMap::new();
    new.lines().for_each(|line| *lines.entry(line).or_default() += 1);
    old.lines().for_each(|line| *lines.entry(line).or_default() -= 1);
    let sum = |sign: isize| lines.values().map(|n| usize::try_from(n * sign).unwrap_or(0)).sum();
    (sum(1), sum(-1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(files: &[(&str, &str)]) -> Bundle {
        Bundle { files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect() }
    }

    #[test]
    fn when_a_config_holds_is_told() {
        let from: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap_or_default();
        let at_once = Holds::AtOnce { from, elsewhere: Vec::new() };
        assert_eq!(at_once.to_string(), "Every function works by it from now on (2026-03-02T10:00:00Z).");
        let but_one = Holds::AtOnce { from, elsewhere: vec!["score".to_owned()] };
        assert!(but_one.to_string().ends_with("use it within a minute: score."), "{but_one}");
        let deployed = Holds::AtTheLatest(from).to_string();
        assert!(deployed.contains("by 2026-03-02T10:00:00Z at the latest"), "{deployed}");
    }

    #[test]
    fn what_a_push_changes_is_told_by_file_and_line() {
        let before = bundle(&[("a.toml", "x = 1\ny = 2\n"), ("b.toml", "same\n"), ("gone.toml", "1\n2\n")]);
        let after = bundle(&[
            ("a.toml", "x = 1\ny = 3\nz = 4\n"),
            ("b.toml", "same\n"),
            ("new.toml", "1\n"),
            ("retired/course@00001.toml", "1\n"),
        ]);
        let expected = [
            ("a.toml", Change::Changed(2, 1)),
            ("gone.toml", Change::Removed(2)),
            ("new.toml", Change::Added(1)),
            ("retired/course@00001.toml", Change::Kept),
        ];
        assert_eq!(changes(&before, &after), expected.map(|(name, change)| (name.to_owned(), change)).into());
        assert!(changes(&after, &after).is_empty());
    }
}
