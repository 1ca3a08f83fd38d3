//! History of people who were erased, which an import of an old file brings again.

use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Event, Identity, PersonId};
use std::collections::{BTreeSet, HashMap};

/// An event that is older than this when it is received may come from a file.
const OLD: SignedDuration = SignedDuration::from_hours(24);

/// Returns whether an event may be from before an erasure: it is imported as history, or was old when it was received.
/// Others cost no read.
pub(crate) fn may_be_before(event: &Event) -> bool {
    event.history || event.received_at.duration_since(event.timestamp) > OLD
}

/// Returns the ids, of those who are named in events that may be from before an erasure, by which it is recorded.
pub(crate) fn asked<'e>(events: impl Iterator<Item = &'e Event>) -> BTreeSet<PersonId> {
    events.filter(|event| may_be_before(event)).flat_map(named).collect()
}

/// Returns whether an event is from before the erasure of someone whom it names.
pub(crate) fn is_of_erased(event: &Event, erased: &HashMap<PersonId, Timestamp>) -> bool {
    may_be_before(event) && named(event).any(|person| erased.get(&person).is_some_and(|at| event.timestamp <= *at))
}

fn named(event: &Event) -> impl Iterator<Item = PersonId> {
    let user = event.user_id.clone().map(Identity::User);
    let visitor = event.anonymous_id.clone().map(Identity::Anonymous);
    [event.identity(), user, visitor].into_iter().flatten().map(|identity| identity.person_id())
}
