//! `cargo bench -p perennial-benches`: one table of goals and measurements.
//!
//! Nothing here asserts: a machine's speed is not a property of the code, so a missed goal is printed rather than
//! failed. Counts (instructions, units, requests, bytes) are reproducible; times are given as ratios within one run.

mod active;
mod binaries;
mod bodies;
mod callgrind;
mod cost;
mod house;
mod item;
mod options;
mod parse;
mod people;
mod pipeline;
mod process;
mod progress;
mod report;
mod road;
mod roles;
mod rules;
mod runtime_api;
mod sentiment;
mod services;
mod starts;

use anyhow::{Result, bail};
use options::{Options, Part};
use progress::Progress;
use report::{Goal, Row};

fn main() -> Result<()> {
    match Options::read(std::env::args().skip(1))? {
        Options::Idle => Ok(()),
        Options::Probe { name, times } if name == parse::PROBE => parse::probe(times),
        Options::Probe { name, times } if name == rules::PROBE => rules::probe(times),
        Options::Probe { name, .. } => bail!("{name} is no workload"),
        Options::Table { build, parts, functions, people } => {
            let mut progress = Progress::new();
            let mut rows = Vec::new();
            for (name, part) in parts {
                let measured = match part {
                    Part::Start => starts(build, &functions, &mut progress),
                    Part::Parse => parse::rows(&mut progress),
                    Part::Rules => rules::rows(&mut progress),
                    Part::Sentiment => Ok(sentiment::rows(&mut progress)),
                    Part::Pipeline => pipeline::rows(&mut progress),
                    Part::Item => item::rows(&mut progress),
                    Part::Cost => cost::rows(&mut progress),
                    Part::People => people::rows(people, &mut progress),
                };
                progress.end();
                // A part that cannot be measured is marked in the table and does not affect the others.
                let failed = |error| vec![Row::new(name, Goal::Stated, "", Err(format!("{error:#}")))];
                rows.extend(measured.unwrap_or_else(failed));
            }
            println!("{}", report::render(&rows));
            Ok(())
        }
    }
}

fn starts(build: bool, functions: &[String], progress: &mut Progress) -> Result<Vec<Row>> {
    let binaries = binaries::binaries(functions, build)?;
    let services = services::Services::start()?;
    let archive = tempfile::tempdir()?;
    Ok(starts::rows(&binaries, &roles::roles(&services, archive.path())?, progress))
}
