//! History of people who were erased, which an import of an old file brings again.

use crate::timers::RecordIndex;
use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Event, Identity, PersonId};
use perennial_store::{Store, StoreError};
use std::collections::{BTreeSet, HashMap};

/// An event that is older than this when it is received may come from a file.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// Returns whether an event may be from before an erasure: it is imported as history, or was old when it was received.
/// Others cost no read.
pub(crate) fn may_be_before(event: &Event) -> bool {
    event.history || event.received_at.duration_since(event.timestamp) > OLD
}

/// Leaves out history from before its person was erased: it is neither archived nor counted.
pub(crate) async fn leave_out(store: &Store, events: &mut Vec<(RecordIndex, Event)>) -> Result<(), StoreError> {
    let old = events.iter().map(|(_, event)| event).filter(|event| may_be_before(event));
    let people: BTreeSet<PersonId> = old.flat_map(named).collect();
    if people.is_empty() {
        return Ok(());
    }
    let erased = store.erased(&people).await?;
    let before = events.len();
    events.retain(|(_, event)| !is_of_erased(event, &erased));
    if events.len() < before {
        let left_out = before - events.len();
        tracing::warn!(left_out, "events from before their person was erased are left out");
    }
    Ok(())
}

/// Returns whether an event is from before the erasure of someone whom it names.
fn is_of_erased(event: &Event, erased: &HashMap<PersonId, Timestamp>) -> bool {
    may_be_before(event) && named(event).any(|person| erased.get(&person).is_some_and(|at| event.timestamp <= *at))
}

fn named(event: &Event) -> impl Iterator<Item = PersonId> {
    let user = event.user_id.clone().map(Identity::User);
    let visitor = event.anonymous_id.clone().map(Identity::Anonymous);
    [event.identity(), user, visitor].into_iter().flatten().map(|identity| identity.person_id())
}
