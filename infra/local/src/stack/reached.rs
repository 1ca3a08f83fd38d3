//! The latest time of a data folder, stored beside its state: simulated time never goes back behind it, also across
//! restarts.

use jiff::{SignedDuration, Timestamp};
use perennial_lambda_kit::{Clock, SimulatedTime};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file in a data folder.
const FILE: &str = "time.json";
/// How often the machine's own time is stored. Simulated time is stored whenever it moves.
const EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The content of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The latest moment that there was.
    reached: Timestamp,
    /// `true` if it was simulated time.
    simulated: bool,
}

/// The time of a stack, given its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartTime {
    /// The requested time.
    AsAsked,
    /// Simulated time continues from the folder's latest time, which is later than the requested one.
    Continued {
        /// The requested time.
        asked: Timestamp,
    },
    /// The clock is the machine's, and the folder's time was simulated up to `reached`.
    NoLongerSimulated {
        /// The folder's latest time.
        reached: Timestamp,
        /// `true` if it is in the future.
        is_ahead: bool,
    },
}

/// The latest moment that the stack's time has reached.
#[derive(Debug)]
pub(super) struct Reached {
    /// `None` if nothing is stored.
    path: Option<PathBuf>,
    record: Mutex<Option<Record>>,
}

impl Reached {
    /// Returns the state of a stack without a folder.
    pub(super) fn nowhere() -> Self {
        Self { path: None, record: Mutex::default() }
    }

    /// Returns the state of `folder`; writes nothing.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub(super) fn of(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let record = match fs::read(&path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|error| {
                anyhow::anyhow!(
                    "{} is no {{\"reached\": TIMESTAMP, \"simulated\": BOOLEAN}}: {error}; mend it, or delete it if the folder's time may go back",
                    path.display()
                )
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => anyhow::bail!("{} cannot be read: {error}", path.display()),
        };
        Ok(Self { path: Some(path), record: Mutex::new(record) })
    }

    /// Moves `simulated` to the latest time, if that is later. Returns the result.
    pub(super) fn apply(&self, clock: &Clock, simulated: Option<&SimulatedTime>) -> StartTime {
        let (now, record) = (clock.now(), *self.record.lock().unwrap_or_else(PoisonError::into_inner));
        match (record, simulated) {
            (Some(Record { reached, .. }), Some(time)) if reached > now => {
                time.set(reached);
                StartTime::Continued { asked: now }
            }
            (Some(Record { reached, simulated: true }), None) => {
                StartTime::NoLongerSimulated { reached, is_ahead: reached > now }
            }
            _ => StartTime::AsAsked,
        }
    }

    /// Records that it is `now` or will be at once. Must be called before anything is stored at a moment of simulated time.
    pub(super) fn note(&self, now: Timestamp, simulated: bool) {
        let Some(path) = &self.path else { return };
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let is_noted = record.is_some_and(|record| {
            let next = if simulated { record.reached } else { record.reached + EVERY };
            now <= next && (record.simulated == simulated || now <= record.reached)
        });
        if is_noted {
            return;
        }
        let new = Record { reached: now, simulated };
        match write(path, &new) {
            Ok(()) => *record = Some(new),
            Err(error) => {
                tracing::warn!(%error, "failed to store the latest time; a restart may go back behind it")
            }
        }
    }
}

/// Replaces the file as a whole, so that a process that dies leaves the old one or the new one.
fn write(path: &Path, record: &Record) -> io::Result<()> {
    let new = path.with_extension("json.new");
    fs::write(&new, serde_json::to_vec(record)?)?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const MARCH: &str = "2026-03-02T10:00:00Z";
    const MAY: &str = "2026-05-01T00:00:00Z";

    #[test]
    fn simulated_time_goes_on_from_what_was_reached() {
        let dir = tempfile::tempdir().unwrap();
        Reached::of(dir.path()).unwrap().note(at(MAY), true);
        let reached = Reached::of(dir.path()).unwrap();
        let (clock, time) = Clock::simulated(at(MARCH));
        assert_eq!(reached.apply(&clock, Some(&time)), StartTime::Continued { asked: at(MARCH) });
        assert_eq!(clock.now(), at(MAY));
        let (clock, time) = Clock::simulated(at("2026-06-01T00:00:00Z"));
        assert_eq!(reached.apply(&clock, Some(&time)), StartTime::AsAsked);
    }

    #[test]
    fn real_time_after_simulated_time_is_told_until_it_has_passed_it() {
        let dir = tempfile::tempdir().unwrap();
        let (future, now) = (at("2999-01-01T00:00:00Z"), at("2002-01-01T00:00:00Z"));
        for (simulated, is_ahead) in [(future, true), (at("2001-01-01T00:00:00Z"), false)] {
            drop(fs::remove_file(dir.path().join(FILE)));
            let reached = Reached::of(dir.path()).unwrap();
            reached.note(simulated, true);
            let told = StartTime::NoLongerSimulated { reached: simulated, is_ahead };
            assert_eq!(reached.apply(&Clock::system(), None), told);
            reached.note(now, false);
            let kept = if is_ahead { Some((future, true)) } else { Some((now, false)) };
            let record = *Reached::of(dir.path()).unwrap().record.lock().unwrap();
            assert_eq!(record.map(|record| (record.reached, record.simulated)), kept, "never an earlier moment");
        }
    }

    #[test]
    fn real_time_is_noted_now_and_then() {
        let dir = tempfile::tempdir().unwrap();
        let reached = Reached::of(dir.path()).unwrap();
        let noted = |reached: &Reached| reached.record.lock().unwrap().unwrap().reached;
        reached.note(at(MAY), false);
        reached.note(at(MAY) + SignedDuration::from_secs(59), false);
        assert_eq!(noted(&reached), at(MAY));
        reached.note(at(MAY) + SignedDuration::from_secs(61), false);
        assert_eq!(noted(&reached), at(MAY) + SignedDuration::from_secs(61));
    }

    #[test]
    fn file_that_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert!(Reached::of(dir.path()).unwrap_err().to_string().contains("time.json"));
    }
}
