//! The start of a function: time relative to the hello function of the same run, instructions, memory, size.
//!
//! The hello function is measured again between the functions, in every round, because a machine's speed drifts by a
//! quarter within minutes.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::binaries::{Binaries, HELLO, zip_bytes};
use crate::callgrind;
use crate::process::{Life, Setting, live};
use crate::progress::Progress;
use crate::report::{Goal, Row, median};

/// Lives of each binary.
const ROUNDS: usize = 15;

/// The setting of one binary.
pub(crate) struct Role {
    /// Its configuration.
    pub(crate) variables: Vec<(String, String)>,
    /// Returns the first event of the run of this number: an event of an earlier run would be treated as a repeat.
    pub(crate) event: Box<dyn Fn(usize) -> Vec<u8>>,
}

/// The measurements of one binary.
#[derive(Debug, Default)]
struct Seen {
    init_ms: Vec<f64>,
    first_ms: Vec<f64>,
    peak_mb: Vec<f64>,
    init_instructions: Option<Result<u64>>,
    first_instructions: Option<Result<u64>>,
    broken: Option<String>,
}

/// Measures hello and every function that has a binary and a role.
pub(crate) fn rows(binaries: &Binaries, roles: &BTreeMap<String, Role>, progress: &mut Progress) -> Vec<Row> {
    let hello = (HELLO.to_owned(), Role { variables: Vec::new(), event: Box::new(|_| b"{}".to_vec()) });
    let cast: Vec<(&String, &Role, &Path)> = std::iter::once((&hello.0, &hello.1))
        .chain(roles)
        .filter_map(|(name, role)| Some((name, role, binaries.get(name)?.as_path())))
        .collect();
    let mut seen: BTreeMap<&str, Seen> = cast.iter().map(|(name, ..)| (name.as_str(), Seen::default())).collect();

    progress.begin("starts", (ROUNDS + 1) * cast.len());
    for round in 0..=ROUNDS {
        for (name, role, binary) in &cast {
            progress.step(name);
            let Some(seen) = seen.get_mut(name.as_str()).filter(|seen| seen.broken.is_none()) else {
                continue;
            };
            match once(binary, role, round) {
                // The first round warms the page cache and the services that the functions call.
                Ok(_) if round == 0 => {}
                Ok(life) => seen.note(&life),
                Err(error) => seen.broken = Some(format!("{error:#}")),
            }
        }
    }
    if let Some(wrapper) = callgrind::wrapper() {
        progress.begin("instructions", cast.len());
        for (name, role, binary) in &cast {
            progress.step(name);
            let Some(seen) = seen.get_mut(name.as_str()).filter(|seen| seen.broken.is_none()) else {
                continue;
            };
            let counted = |events| instructions(binary, role, &wrapper, events);
            let init = counted(Vec::new());
            seen.first_instructions = Some(counted(vec![(role.event)(ROUNDS + 1)]).and_then(|both| {
                let init = init.as_ref().ok().context("init was not counted")?;
                Ok(both.saturating_sub(*init))
            }));
            seen.init_instructions = Some(init);
        }
    }
    let floor = seen.get(HELLO).and_then(|seen| median(seen.init_ms.iter().copied()));
    cast.iter().flat_map(|(name, _, binary)| present(name, &seen[name.as_str()], floor, binary)).collect()
}

fn once(binary: &Path, role: &Role, life: usize) -> Result<Life> {
    let setting = Setting { variables: &role.variables, wrapper: &[], patience: Duration::from_secs(20) };
    live(binary, &setting, vec![(role.event)(life)])
}

fn instructions(binary: &Path, role: &Role, wrapper: &[String], events: Vec<Vec<u8>>) -> Result<u64> {
    let setting = Setting { variables: &role.variables, wrapper, patience: Duration::from_secs(120) };
    callgrind::collected(&live(binary, &setting, events)?.stderr)
}

impl Seen {
    fn note(&mut self, life: &Life) {
        self.init_ms.push(life.init.as_secs_f64() * 1e3);
        self.first_ms.extend(life.invocations.first().map(|first| first.as_secs_f64() * 1e3));
        self.peak_mb.push(life.peak_bytes as f64 / 1e6);
    }
}

/// The rows of one binary.
fn present(name: &str, seen: &Seen, floor: Option<f64>, binary: &Path) -> Vec<Row> {
    let middle = |numbers: &[f64]| median(numbers.iter().copied()).ok_or("no life was measured");
    let millions = |count: &Option<Result<u64>>| match count {
        None => Err("valgrind is not installed".to_owned()),
        Some(Err(error)) => Err(format!("{error:#}")),
        Some(Ok(count)) => Ok(*count as f64 / 1e6),
    };
    let zip = zip_bytes(binary).map(|bytes| bytes as f64 / 1e6).map_err(|error| format!("{error:#}"));
    let is_floor = name == HELLO;
    let goal = |limit| if is_floor { Goal::Stated } else { Goal::AtMost(limit) };
    let zip = Row::new(format!("{name}: zip"), goal(2.8), " MB", zip);
    if let Some(broken) = &seen.broken {
        return vec![Row::new(format!("{name}: start"), goal(1.6), "x", Err(broken)), zip];
    }
    let init = middle(&seen.init_ms);
    let ratio = init.and_then(|init| floor.map(|floor| init / floor).ok_or("hello did not start"));
    let how = init.map(|init| format!("{init:.2} ms, median of {ROUNDS}, interleaved")).unwrap_or_default();
    let first = middle(&seen.first_ms).map(|ms| format!("{ms:.2} ms, plain HTTP to the embedded services"));
    let peak = if is_floor { "the floor" } else { "after its first invocation" };
    vec![
        Row::new(format!("{name}: init against hello"), goal(1.6), "x", ratio).note(how),
        Row::new(format!("{name}: init"), goal(3.2), " M instr", millions(&seen.init_instructions)),
        Row::new(format!("{name}: first invocation"), goal(4.0), " M instr", millions(&seen.first_instructions))
            .note(first.unwrap_or_default()),
        Row::new(format!("{name}: peak memory"), goal(8.0), " MB", middle(&seen.peak_mb)).note(peak),
        zip,
    ]
}
