//! The last times of SES's reports that this process recorded, so that a busy process writes them once an hour and not
//! with every batch.

use crate::deps::Deps;
use jiff::Timestamp;
use perennial_store::StoreError;
use perennial_store::reports::STEP;
use std::sync::{Mutex, PoisonError};

/// The times that this process last recorded.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    sent: Mutex<Option<Timestamp>>,
    reported: Mutex<Option<Timestamp>>,
}

impl Noted {
    /// Records whether SES accepted a mail of a batch, and whether it reported on one. After a failed write, a later
    /// batch records it.
    pub(crate) async fn note(deps: &Deps, sent: bool, reported: bool) {
        let (noted, now) = (&deps.noted, deps.clock.now());
        if sent && is_due(&noted.sent, now) {
            done(&noted.sent, now, deps.store.note_mail_sent(&deps.public_url, now).await);
        }
        if reported && is_due(&noted.reported, now) {
            done(&noted.reported, now, deps.store.note_mail_reported(now).await);
        }
    }
}

fn is_due(last: &Mutex<Option<Timestamp>>, now: Timestamp) -> bool {
    last.lock().unwrap_or_else(PoisonError::into_inner).is_none_or(|last| now.duration_since(last).abs() >= STEP)
}

fn done(last: &Mutex<Option<Timestamp>>, now: Timestamp, written: Result<(), StoreError>) {
    match written {
        Ok(()) => *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now),
        Err(error) => tracing::warn!(%error, "failed to note that SES reports on mails"),
    }
}
