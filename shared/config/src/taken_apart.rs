//! Conditions taken apart, to say which of their clauses hold for a person, and why.

use crate::cel::{self, Program, Wanted};
use crate::config::Config;
use crate::vocabulary::{Level, PersonSlot, PersonVocabulary};
use std::ops::Range;

/// A clause of a condition, compiled by itself.
#[derive(Debug, Clone)]
pub struct ClauseProgram {
    /// Its source, on one line.
    pub source: String,
    /// The clause.
    pub holds: Program<PersonSlot>,
    /// The expressions whose values decide it, with their sources on one line; none if it is such an expression itself.
    pub operands: Vec<(String, Program<PersonSlot>)>,
}

impl Config {
    /// Returns the clauses of one of its own conditions on a person, in the order of the source: a condition holds if all
    /// of its clauses do.
    #[must_use]
    pub fn clauses(&self, condition: &Program<PersonSlot>) -> Vec<ClauseProgram> {
        let tallies = self.scoring.tally_names();
        let (titles, personas, segments) = (self.personas.titles.names(), self.personas.names(), self.segments.names());
        let vocabulary = PersonVocabulary {
            level: Level::Journey,
            features: &self.features,
            tallies: &tallies,
            titles: &titles,
            personas: &personas,
            segments: &segments,
        };
        let source = condition.source();
        let compile = |at: &Range<usize>, wanted| {
            let part = source.get(at.clone())?;
            Some((one_line(part), cel::compile(part, &vocabulary, wanted).ok()?))
        };
        let clause = |clause: &cel::Clause| {
            let (source, holds) = compile(&clause.at, Wanted::Condition)?;
            let operands = clause.operands.iter().filter(|at| **at != clause.at);
            let operands = operands.filter_map(|at| compile(at, Wanted::Value)).collect();
            Some(ClauseProgram { source, holds, operands })
        };
        let clauses: Vec<ClauseProgram> = cel::clauses(source).iter().filter_map(clause).collect();
        if clauses.is_empty() {
            return vec![ClauseProgram { source: one_line(source), holds: condition.clone(), operands: Vec::new() }];
        }
        clauses
    }
}

fn one_line(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}
