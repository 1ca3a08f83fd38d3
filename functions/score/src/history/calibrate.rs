//! Calibrates the points of readiness to buy from what people did before they bought.

use super::{HistoryError, Phase, Progress, TELL_EVERY, Tell};
use crate::deps::Deps;
use futures::TryStreamExt;
use perennial_domain::{Event, Identity, PersonId};
use perennial_engine::calibrate::{Calibration, calibrate, needs, taken};
use perennial_store::archive::undamaged;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reads everyone's history and computes the value of an action. Changes nothing. A merged profile is one person;
/// events of identities without a profile are ignored. Uses memory for the events that rules of `purchase`, tallies and
/// milestones count.
///
/// # Errors
/// [`HistoryError`] if the table or the archive cannot be read.
pub async fn run(deps: &Deps, tell: Tell<'_>) -> Result<Calibration, HistoryError> {
    let config = deps.config.in_force().await?;
    let mut people: HashMap<Identity, PersonId> = HashMap::new();
    let (mut from, mut unreadable) = (None, 0);
    loop {
        let page = deps.store.people(from).await?;
        unreadable += page.unreadable;
        for stored in page.people {
            let person = stored.profile.id;
            people.extend(stored.profile.parts.into_iter().map(|part| (part.identity, person)));
        }
        tell(Progress { phase: Phase::People, done: people.len() as u64, of: 0 });
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let mut histories: HashMap<PersonId, Vec<Event>> = HashMap::new();
    let damaged = AtomicU64::new(0);
    let mut events = std::pin::pin!(undamaged(deps.archive.read_all().await?, &damaged));
    let mut read = 0;
    while let Some(event) = events.try_next().await? {
        read += 1;
        if read % TELL_EVERY == 0 {
            tell(Progress { phase: Phase::Events, done: read, of: 0 });
            tokio::task::yield_now().await;
        }
        let person = event.identity().and_then(|identity| people.get(&identity));
        if let Some(person) = person.filter(|_| needs(&config, &event)) {
            histories.entry(*person).or_default().push(event);
        }
    }
    let of = histories.len() as u64;
    let mut ready = Vec::new();
    for (done, events) in (1..).zip(histories.into_values()) {
        ready.extend(taken(&config, events));
        if done % 100 == 0 {
            tell(Progress { phase: Phase::Scores, done, of });
            // A long run lets others of its thread have their turn.
            tokio::task::yield_now().await;
        }
    }
    Ok(Calibration { unreadable, damaged: damaged.load(Ordering::Relaxed), ..calibrate(&config, &ready) })
}
