//! The actions in the outboxes of profiles.

use crate::performed::Ticket;
use perennial_domain::PersonId;
use perennial_engine::Action;
use std::sync::Arc;

/// One action of a profile's outbox, as the write with that version left it.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) person: PersonId,
    pub(crate) version: u64,
    pub(crate) action: Action,
    /// Prevents concurrent execution by others.
    pub(crate) _ticket: Option<Arc<Ticket>>,
}
