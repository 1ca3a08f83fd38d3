//! Facts of parts that most profiles do not have: a list behind the body of format 5, and no byte where there are none.
//!
//! Versions that do not know the list read the body and leave the list unread.

use crate::error::StoreError;
use perennial_engine::Part;
use perennial_engine::candidates::Candidate;
use perennial_engine::facts::Sent;
use serde::{Deserialize, Serialize};

/// A fact of one part. Stored items hold the variants' numbers: new variants are added at the end.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Extra {
    /// The message of a run waits for its turn.
    Candidate {
        /// The part's index.
        part: u16,
        /// The key of the run's journey.
        journey: [u8; 4],
        candidate: Candidate,
    },
    /// Of the messages that were sent lately, essential ones.
    Exempt {
        /// The part's index.
        part: u16,
        sent: Vec<Sent>,
    },
}

/// Adds the extras of `parts` to the bytes of a body.
pub(super) fn append(body: Vec<u8>, parts: &[Part]) -> postcard::Result<Vec<u8>> {
    let extras = of(parts);
    if extras.is_empty() { Ok(body) } else { postcard::to_extend(&extras, body) }
}

fn of(parts: &[Part]) -> Vec<Extra> {
    let mut extras = Vec::new();
    // A profile has a few hundred parts at most.
    for (part, facts) in (0_u16..).zip(parts.iter().map(|part| &part.facts)) {
        let candidates = facts.runs.iter().filter_map(|(key, run)| Some((key.to_be_bytes(), run.candidate?)));
        extras.extend(candidates.map(|(journey, candidate)| Extra::Candidate { part, journey, candidate }));
        if !facts.exempt.is_empty() {
            extras.push(Extra::Exempt { part, sent: facts.exempt.clone() });
        }
    }
    extras
}

/// Puts what follows a body into its parts.
///
/// # Errors
/// [`StoreError::Corrupt`] where the list cannot be read, or names a part or a run that is not there.
pub(super) fn read(rest: &[u8], parts: &mut [Part]) -> Result<(), StoreError> {
    if rest.is_empty() {
        return Ok(());
    }
    let extras: Vec<Extra> = postcard::from_bytes(rest).map_err(|_| StoreError::corrupt("extras cannot be read"))?;
    let missing = || StoreError::corrupt("an extra names a part or a run that is not there");
    for extra in extras {
        match extra {
            Extra::Candidate { part, journey, candidate } => {
                let facts = parts.get_mut(usize::from(part)).map(|part| &mut part.facts).ok_or_else(missing)?;
                let run = facts.runs.get_mut(&u32::from_be_bytes(journey)).ok_or_else(missing)?;
                run.candidate = Some(candidate);
            }
            Extra::Exempt { part, sent } => {
                parts.get_mut(usize::from(part)).ok_or_else(missing)?.facts.exempt = sent;
            }
        }
    }
    Ok(())
}
