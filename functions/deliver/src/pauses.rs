//! Journeys that are paused automatically: too many of their mails bounce or cause complaints.

use crate::error::DeliverError;
use jiff::{SignedDuration, Timestamp};
use perennial_config::pause::Pause;
use perennial_store::Store;
use perennial_store::pauses::{Health, Tally};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How long a journey's state is cached: a journey continues for this long after its limit is exceeded, and stays
/// paused for this long after it is resumed.
const FRESH: SignedDuration = SignedDuration::from_mins(1);

/// The state of journeys, by name.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Mutex<HashMap<String, Looked>>);

#[derive(Debug, Clone)]
struct Looked {
    at: Timestamp,
    why: Option<String>,
}

impl Pauses {
    /// Why `journey` sends no mail now; `None` where it does. Pauses it where it has passed a limit of `policy`.
    ///
    /// # Errors
    /// [`DeliverError::Store`] where the table does not answer.
    pub(crate) async fn why(
        &self,
        store: &Store,
        journey: &str,
        policy: &Pause,
        now: Timestamp,
    ) -> Result<Option<String>, DeliverError> {
        if let Some(looked) = self.held(journey).filter(|looked| now.duration_since(looked.at).abs() < FRESH) {
            return Ok(looked.why);
        }
        let health = store.journey_health(journey, policy.window_days, now).await?;
        let why = match &health.paused {
            Some(paused) => Some(words(&paused.tally)),
            None if passes(&health, policy) => {
                if store.pause_journey(journey, &health, now).await? {
                    let Tally { sent, bounced, complained } = health.tally;
                    tracing::error!(
                        journey,
                        sent,
                        bounced,
                        complained,
                        "a journey exceeded a limit of [pause]; it sends no mails until it is resumed"
                    );
                }
                Some(words(&health.tally))
            }
            None => None,
        };
        let looked = Looked { at: now, why: why.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(journey.to_owned(), looked);
        Ok(why)
    }

    fn held(&self, journey: &str) -> Option<Looked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(journey).cloned()
    }
}

/// Returns whether the journey's mails do more harm than `policy` allows.
fn passes(health: &Health, policy: &Pause) -> bool {
    let Tally { sent, bounced, complained } = health.tally;
    sent >= u64::from(policy.least_messages)
        && (policy.bounces.is_passed_by(bounced, sent) || policy.complaints.is_passed_by(complained, sent))
}

fn words(tally: &Tally) -> String {
    let Tally { sent, bounced, complained } = tally;
    format!("the journey is paused: of {sent} mails, {bounced} bounced and {complained} caused complaints")
}

#[cfg(test)]
#[path = "pauses_tests.rs"]
mod tests;
