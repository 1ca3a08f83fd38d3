//! What a push would change, against what is in force.

use super::Operated;
use perennial_config::{Bundle, Config};
use perennial_domain::ConfigVersion;
use perennial_store::config::Current;
use std::collections::BTreeMap;

/// The folder in which a bundle keeps what journeys were before they changed.
const RETIRED: &str = "retired/";

/// A config as it is about to be pushed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What is in force now; `None` before the first push.
    pub(crate) current: Option<Current>,
    /// What is pushed.
    pub(crate) bundle: Bundle,
    /// The version that this will be.
    pub(crate) version: ConfigVersion,
    /// By file, in the files' order.
    pub(crate) changes: BTreeMap<String, Change>,
}

/// What becomes of a file, in lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// There was none of that name.
    Added(usize),
    /// So many lines are new, and so many are gone.
    Changed(usize, usize),
    /// There will be none of that name.
    Removed(usize),
    /// What a journey was before this change: who is on the way finishes it as it began.
    Kept,
}

/// What pushing `bundle` would do.
///
/// # Errors
/// Where it does not compile, or the table does not answer.
pub(crate) async fn plan(operated: &Operated, bundle: Bundle) -> anyhow::Result<Plan> {
    let current = operated.store.current_config().await?;
    let before = match &current {
        Some(current) => operated.store.bundle(&current.version).await?,
        None => Bundle::default(),
    };
    let after = bundle.clone().following(&before);
    let version = Config::load(&after).map_err(|errors| anyhow::anyhow!("the config has errors:\n{errors}"))?.version;
    Ok(Plan { current, bundle, version, changes: changes(&before, &after) })
}

/// Puts the plan's config in force. Gives its version.
///
/// # Errors
/// Where the table does not take it, or somebody else pushed meanwhile.
pub(crate) async fn push(operated: &Operated, plan: &Plan) -> anyhow::Result<ConfigVersion> {
    Ok(operated.store.push_config(&plan.bundle, operated.now()).await?)
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

/// How many lines stand only in the new text, and how many only in the old one. A line that moved is none.
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
