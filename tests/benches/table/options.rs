//! Options of the command line: `cargo bench -p perennial-benches -- [--no-build] [--only PART,…] [--functions
//! NAME,…] [--people N]`.

use anyhow::{Result, bail};

use crate::binaries::FUNCTIONS;

/// People of the part `people`.
const PEOPLE: usize = 100_000;

/// The parts of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Start, memory and size of each function.
    Start,
    /// Parsing and re-serialising in ingest.
    Parse,
    /// Conditions on people.
    Rules,
    /// Accuracy on labelled sentences.
    Sentiment,
    /// Ingest to scored, without calls.
    Pipeline,
    /// Size of a stored profile.
    Item,
    /// Units, requests and dollars.
    Cost,
    /// Lists, reports and pages of many people.
    People,
}

/// The parts by their names on the command line, in the table's order.
const PARTS: [(&str, Part); 8] = [
    ("start", Part::Start),
    ("parse", Part::Parse),
    ("rules", Part::Rules),
    ("sentiment", Part::Sentiment),
    ("pipeline", Part::Pipeline),
    ("item", Part::Item),
    ("cost", Part::Cost),
    ("people", Part::People),
];

/// The mode.
#[derive(Debug)]
pub(crate) enum Options {
    /// Print the table.
    Table {
        /// Build the release binaries first.
        build: bool,
        /// The parts to measure, with their names.
        parts: Vec<(&'static str, Part)>,
        /// The functions whose start is measured.
        functions: Vec<String>,
        /// The number of people whose lists, reports and pages are measured.
        people: usize,
    },
    /// Perform one workload some times and end: what callgrind looks at.
    Probe {
        /// The workload.
        name: String,
        /// The number of repetitions.
        times: u64,
    },
    /// No measurement: cargo runs benchmarks this way to check that they work.
    Idle,
}

impl Options {
    /// Reads the arguments after the program's name.
    pub(crate) fn read(args: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut args = args.into_iter();
        let (mut build, mut benching) = (true, false);
        let mut people = PEOPLE;
        let mut parts = PARTS.to_vec();
        let mut functions: Vec<String> = FUNCTIONS.map(str::to_owned).to_vec();
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_default();
            match arg.as_str() {
                "--bench" => benching = true,
                "--no-build" => build = false,
                "--only" => parts = value().split(',').map(part).collect::<Result<_>>()?,
                "--functions" => functions = value().split(',').map(function).collect::<Result<_>>()?,
                "--people" => people = value().parse()?,
                "--probe" => {
                    let (name, times) = (value(), value());
                    return Ok(Self::Probe { name, times: times.parse()? });
                }
                // `cargo test --benches` and its kin.
                "--test" | "--list" => return Ok(Self::Idle),
                other if benching => {
                    bail!("{other} is no option: --no-build, --only PART,…, --functions NAME,…, --people N")
                }
                _ => {}
            }
        }
        Ok(if benching { Self::Table { build, parts, functions, people } } else { Self::Idle })
    }
}

fn part(name: &str) -> Result<(&'static str, Part)> {
    let names = || PARTS.map(|(name, _)| name).join(", ");
    match PARTS.iter().find(|(known, _)| *known == name) {
        Some(part) => Ok(*part),
        None => bail!("{name} is no part of the table: {}", names()),
    }
}

fn function(name: &str) -> Result<String> {
    if !FUNCTIONS.contains(&name) {
        bail!("{name} is no function: {}", FUNCTIONS.join(", "));
    }
    Ok(name.to_owned())
}
