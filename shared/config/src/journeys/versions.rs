//! Versions of journeys: a run in progress when a journey changes finishes in the version it started in.
//!
//! A push compares its journeys with the active ones. A changed journey stays in the bundle as a file of its own,
//! `retired/NAME@NUMBER.toml`, which nobody enters any more and in which existing runs continue.

use crate::bundle::Bundle;
use perennial_domain::hash::hash32;
use std::collections::BTreeMap;
use toml::{Table, Value};

/// The folder of retired versions within a bundle.
const FOLDER: &str = "retired/";
/// The number of versions of a journey that are kept: a run of an older one continues in the active version.
const KEPT: usize = 8;

/// The file in which a bundle keeps its journeys.
const JOURNEYS: &str = "journeys.toml";

/// A journey's text in a normal form, without comments.
struct Written {
    version: u32,
    table: Table,
}

impl Written {
    fn of(table: Table) -> Self {
        // A journey's description does not affect its runs.
        let mut matters = table.clone();
        matters.remove("description");
        let text = toml::to_string(&matters).unwrap_or_default();
        Self { version: hash32(&text), table }
    }

    /// Returns whether runs in progress move to the new version.
    fn moves(&self) -> bool {
        self.table.get("on_change").and_then(Value::as_str) == Some("move")
    }
}

/// Returns the journeys of a file by their names; none if it cannot be read.
fn written(text: &str) -> BTreeMap<String, Written> {
    let Ok(mut file) = text.parse::<Table>() else { return BTreeMap::new() };
    let Some(Value::Array(journeys)) = file.remove("journey") else { return BTreeMap::new() };
    let tables = journeys.into_iter().filter_map(|journey| match journey {
        Value::Table(table) => Some(table),
        _ => None,
    });
    tables.filter_map(|table| Some((table.get("id")?.as_str()?.to_owned(), Written::of(table)))).collect()
}

/// Returns the version of each journey of a file, by its name: a hash of its content.
pub(super) fn of(text: &str) -> BTreeMap<String, u32> {
    written(text).into_iter().map(|(id, journey)| (id, journey.version)).collect()
}

/// Returns the name of the journey that a file of a bundle retires; `None` for any other file.
pub(crate) fn retired(file: &str) -> Option<&str> {
    Some(file.strip_prefix(FOLDER)?.strip_suffix(".toml")?.split_once('@')?.0)
}

impl Bundle {
    /// Returns this bundle as pushed after `before`: with the versions of journeys that it changes, and those that
    /// `before` had kept, so that existing runs finish in their version. A journey that is removed, or has `on_change =
    /// "move"`, keeps none.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        let journeys = |bundle: &Self| bundle.files.get(JOURNEYS).map(|text| written(text)).unwrap_or_default();
        let (now, was) = (journeys(&self), journeys(before));
        for (id, journey) in &now {
            if journey.moves() {
                continue;
            }
            let mut kept: Vec<(String, String)> = before
                .files
                .iter()
                .filter(|(file, _)| retired(file) == Some(id))
                .map(|(file, text)| (file.clone(), text.clone()))
                .collect();
            // File names begin with an increasing number, so that the oldest sort first.
            let next = kept.last().map_or(1, |(file, _)| order(file) + 1);
            let known = |version: u32| kept.iter().any(|(_, text)| of(text).values().any(|kept| *kept == version));
            if let Some(old) = was.get(id).filter(|old| old.version != journey.version)
                && !known(old.version)
                && let Ok(text) = toml::to_string(&Table::from_iter([(
                    "journey".to_owned(),
                    Value::Array(vec![Value::Table(old.table.clone())]),
                )]))
            {
                kept.push((format!("{FOLDER}{id}@{next:05}.toml"), text));
            }
            // A version that is active again needs no copy.
            kept.retain(|(_, text)| of(text).values().all(|version| *version != journey.version));
            let surplus = kept.len().saturating_sub(KEPT);
            self.files.extend(kept.into_iter().skip(surplus));
        }
        self
    }
}

fn order(file: &str) -> u32 {
    let number = file.strip_suffix(".toml").and_then(|file| file.rsplit_once('@'));
    number.and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bundle(journeys: &str) -> Bundle {
        Bundle { files: BTreeMap::from([(JOURNEYS.to_owned(), journeys.to_owned())]) }
    }

    fn course(days: u8, more: &str) -> String {
        format!(
            "[[journey]]\nid = \"course\"\ntrigger = {{ event = \"Login\" }}\n{more}[[journey.step]]\nwait = {{ days = {days} }}\n"
        )
    }

    fn kept(bundle: &Bundle) -> Vec<&str> {
        bundle.files.keys().filter(|file| retired(file).is_some()).map(String::as_str).collect()
    }

    #[test]
    fn what_a_push_changes_is_kept_once_and_a_push_again_changes_nothing() {
        let first = bundle(&course(1, ""));
        let second = bundle(&course(2, "")).following(&first);
        assert_eq!(kept(&second), ["retired/course@00001.toml"]);
        assert_eq!(of(&second.files["retired/course@00001.toml"]), of(&course(1, "")));
        assert_eq!(bundle(&course(2, "")).following(&second), second);
        let third = bundle(&course(3, "")).following(&second);
        assert_eq!(kept(&third), ["retired/course@00001.toml", "retired/course@00002.toml"]);
        let back = bundle(&course(1, "")).following(&third);
        let versions: Vec<_> = kept(&back).iter().flat_map(|file| of(&back.files[*file]).into_values()).collect();
        assert_eq!(versions, [of(&course(2, ""))["course"], of(&course(3, ""))["course"]]);
    }

    #[test]
    fn comments_form_and_description_make_no_new_version() {
        let first = bundle(&course(1, ""));
        let same = format!("# Once a day.\n{}", course(1, "description = \"a course\"\n")).replace(" = ", "=");
        assert_eq!(kept(&bundle(&same).following(&first)), [""; 0]);
    }

    #[test]
    fn a_journey_that_is_gone_or_moves_keeps_nothing() {
        let first = bundle(&course(1, ""));
        let second = bundle(&course(2, "")).following(&first);
        assert_eq!(kept(&bundle("").following(&second)), [""; 0]);
        assert_eq!(kept(&bundle(&course(3, "on_change = \"move\"\n")).following(&second)), [""; 0]);
    }

    #[test]
    fn only_the_newest_versions_are_kept() {
        let mut newest = bundle(&course(1, ""));
        for days in 2..=20 {
            newest = bundle(&course(days, "")).following(&newest);
        }
        let files = kept(&newest);
        assert_eq!((files.len(), files[0]), (KEPT, "retired/course@00012.toml"));
    }
}
