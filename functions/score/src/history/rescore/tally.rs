//! The changes of a rescore, in numbers and examples.

use perennial_config::Config;
use perennial_domain::{ConfigVersion, Likelihood, PersonId, Score, Stage};
use perennial_engine::rescore::Rescored;
use perennial_store::{Stored, Summary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Examples that are shown.
const EXAMPLES: usize = 10;

/// One profile's change.
pub(super) struct Change {
    /// The stored profile, evaluated now under its earlier rules.
    pub(super) was: Summary,
    pub(super) rescored: Rescored,
}

/// The result of a rescore or its dry run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The config.
    pub config: ConfigVersion,
    /// The configuration that profiles were counted under before, for the comparison at the same moment.
    pub compared: ConfigVersion,
    /// `true` if nothing was written.
    pub dry_run: bool,
    /// The number of people in the table.
    pub people: u64,
    /// Events in the archive, repeats included.
    pub events: u64,
    /// The number of people with a difference between the rules: stage, scores, survey class, personas, segments or
    /// thresholds.
    pub changed: u64,
    /// Changes of stage.
    pub stages: Vec<StageMoved>,
    /// Journeys whose threshold people's scores now reach, or no longer reach; nobody entered one.
    pub thresholds: Vec<Moved>,
    /// Segments that people are in now, or no longer.
    pub segments: Vec<Moved>,
    /// The people with the largest changes, largest first.
    pub examples: Vec<Example>,
    /// People who were written again and again meanwhile, or whose archive lacks events: they are unchanged.
    pub not_done: Vec<PersonId>,
    /// Profiles that cannot be read, and stand as they did before.
    #[serde(default)]
    pub unreadable: u64,
    /// Objects and lines of the archive that cannot be read. Who has counted an event of theirs is among those who are not done.
    #[serde(default)]
    pub damaged: u64,
}

/// People whose stage changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageMoved {
    /// The stage under the old rules.
    pub from: Stage,
    /// The stage under the new rules.
    pub to: Stage,
    /// The number of people.
    pub people: u64,
}

/// The numbers of people who entered and left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The journey or segment.
    pub name: String,
    /// Over the threshold, or into the segment.
    pub into: u64,
    /// Below the threshold, or out of the segment.
    pub out: u64,
}

/// A person with a changed score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The profile.
    pub person: PersonId,
    /// The product's id.
    pub identity: String,
    /// The score that moved most.
    pub score: Likelihood,
    /// The score under the old rules; `None` if it does not apply.
    pub from: Option<Score>,
    /// The score under the new rules.
    pub to: Option<Score>,
    /// The stage under the old rules.
    pub stage_from: Stage,
    /// The stage under the new rules.
    pub stage: Stage,
}

impl Example {
    fn by(&self) -> u8 {
        let points = |score: Option<Score>| score.map_or(0, Score::get);
        points(self.from).abs_diff(points(self.to))
    }
}

impl Outcome {
    pub(super) fn new(config: &Config, old: &Config, dry_run: bool) -> Self {
        let moved = |name: &String| Moved { name: name.clone(), into: 0, out: 0 };
        Self {
            config: config.version.clone(),
            compared: old.version.clone(),
            dry_run,
            people: 0,
            events: 0,
            changed: 0,
            stages: Vec::new(),
            thresholds: either(config, old, |config| config.journeys.all.iter().map(|journey| &journey.id).collect())
                .map(moved)
                .collect(),
            segments: either(config, old, |config| config.segments.all.iter().map(|segment| &segment.name).collect())
                .map(moved)
                .collect(),
            examples: Vec::new(),
            not_done: Vec::new(),
            unreadable: 0,
            damaged: 0,
        }
    }

    pub(super) fn add(&mut self, stored: &Stored, change: &Change) {
        let (was, is, rescored) = (&change.was, &stored.summary, &change.rescored);
        let moved = !rescored.rose.is_empty() || !rescored.fell.is_empty();
        self.changed += u64::from(was != is || moved);
        if was.stage != is.stage {
            match self.stages.iter_mut().find(|moved| (moved.from, moved.to) == (was.stage, is.stage)) {
                Some(moved) => moved.people += 1,
                None => self.stages.push(StageMoved { from: was.stage, to: is.stage, people: 1 }),
            }
        }
        count(&mut self.thresholds, &change.rescored.rose, |moved| &mut moved.into);
        count(&mut self.thresholds, &change.rescored.fell, |moved| &mut moved.out);
        count(&mut self.segments, &change.rescored.entered, |moved| &mut moved.into);
        count(&mut self.segments, &change.rescored.left, |moved| &mut moved.out);
        self.examples.extend(example(stored, was));
        self.keep_strongest();
    }

    /// Leaves out what did not move.
    pub(super) fn finish(&mut self) {
        self.stages.sort_by_key(|moved| std::cmp::Reverse(moved.people));
        for all in [&mut self.thresholds, &mut self.segments] {
            all.retain(|moved| moved.into + moved.out > 0);
        }
        self.not_done.sort_unstable();
    }

    fn keep_strongest(&mut self) {
        self.examples.sort_by(|a, b| b.by().cmp(&a.by()).then(a.person.cmp(&b.person)));
        self.examples.truncate(EXAMPLES);
    }
}

/// Returns the names in either configuration, those of the first in its order before the rest.
fn either<'c>(
    config: &'c Config,
    old: &'c Config,
    names: impl Fn(&'c Config) -> Vec<&'c String>,
) -> impl Iterator<Item = &'c String> {
    let first = names(config);
    let rest: Vec<&String> = names(old).into_iter().filter(|name| !first.contains(name)).collect();
    first.into_iter().chain(rest)
}

fn count(all: &mut [Moved], names: &[String], side: impl Fn(&mut Moved) -> &mut u64) {
    for name in names {
        all.iter_mut().filter(|moved| moved.name == *name).for_each(|moved| *side(moved) += 1);
    }
}

/// The score that moved most.
fn example(stored: &Stored, was: &Summary) -> Option<Example> {
    let of = |scores: &BTreeMap<Likelihood, Score>, likelihood| scores.get(&likelihood).copied();
    let is = &stored.summary;
    let identity = stored.profile.parts.iter().find(|part| part.owner() == stored.profile.id)?.identity.as_str();
    let each = Likelihood::ALL.into_iter().map(|score| Example {
        person: stored.profile.id,
        identity: identity.to_owned(),
        score,
        from: of(&was.scores, score),
        to: of(&is.scores, score),
        stage_from: was.stage,
        stage: is.stage,
    });
    each.max_by_key(Example::by).filter(|example| example.by() > 0)
}
