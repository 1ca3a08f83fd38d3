//! What a rescoring changed, in numbers and examples.

use perennial_config::Config;
use perennial_domain::{ConfigVersion, Likelihood, PersonId, Score, Stage};
use perennial_engine::rescore::Rescored;
use perennial_store::{Stored, Summary};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Examples that are shown.
const EXAMPLES: usize = 10;

/// One person's change.
pub(super) struct Change {
    /// Whether anything is other than before.
    pub(super) changed: bool,
    /// What the profile's attributes showed before.
    pub(super) was: Summary,
    pub(super) rescored: Rescored,
}

/// What a rescoring did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The config.
    pub config: ConfigVersion,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// People in the table.
    pub people: u64,
    /// Events in the archive, repeats included.
    pub events: u64,
    /// People in whom something is other than before.
    pub changed: u64,
    /// Changes of stage.
    pub stages: Vec<StageMoved>,
    /// Journeys whose score is over its threshold for people for whom it was not, or the other way; nobody entered one.
    pub thresholds: Vec<Moved>,
    /// Segments that people are in and were not, or the other way.
    pub segments: Vec<Moved>,
    /// Those whose score moved most, the strongest first.
    pub examples: Vec<Example>,
    /// People who were written again and again meanwhile, or whose archive lacks events: they stand as they did before.
    pub not_done: Vec<PersonId>,
}

/// People who stand elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageMoved {
    /// Where they stood when last looked at.
    pub from: Stage,
    /// Where they stand.
    pub to: Stage,
    /// How many.
    pub people: u64,
}

/// People who came in and went out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Of which journey or segment.
    pub name: String,
    /// Over the threshold, or into the segment.
    pub into: u64,
    /// Below the threshold, or out of the segment.
    pub out: u64,
}

/// Someone whose score moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// Who.
    pub person: PersonId,
    /// What the product calls them.
    pub identity: String,
    /// The score that moved most.
    pub score: Likelihood,
    /// What it was when last looked at.
    pub from: Score,
    /// What it is.
    pub to: Score,
    /// Where the person stood.
    pub stage_from: Stage,
    /// Where the person stands.
    pub stage: Stage,
}

impl Example {
    fn by(&self) -> u8 {
        self.from.get().abs_diff(self.to.get())
    }
}

impl Outcome {
    pub(super) fn new(config: &Config, dry_run: bool) -> Self {
        let moved = |name: &String| Moved { name: name.clone(), into: 0, out: 0 };
        Self {
            config: config.version.clone(),
            dry_run,
            people: 0,
            events: 0,
            changed: 0,
            stages: Vec::new(),
            thresholds: config.journeys.all.iter().map(|journey| moved(&journey.id)).collect(),
            segments: config.segments.all.iter().map(|segment| moved(&segment.name)).collect(),
            examples: Vec::new(),
            not_done: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, stored: &Stored, change: &Change) {
        self.changed += u64::from(change.changed);
        let (was, is) = (&change.was, &stored.summary);
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

fn count(all: &mut [Moved], names: &[String], side: impl Fn(&mut Moved) -> &mut u64) {
    for name in names {
        all.iter_mut().filter(|moved| moved.name == *name).for_each(|moved| *side(moved) += 1);
    }
}

/// The score that moved most.
fn example(stored: &Stored, was: &Summary) -> Option<Example> {
    let of = |scores: &BTreeMap<Likelihood, Score>, likelihood| scores.get(&likelihood).copied().unwrap_or_default();
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
