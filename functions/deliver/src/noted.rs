//! What this process noted last of SES's reports, so that a busy one writes it once an hour and not with every batch.

use crate::deps::Deps;
use jiff::Timestamp;
use perennial_store::StoreError;
use perennial_store::reports::STEP;
use std::sync::{Mutex, PoisonError};

/// When each was last noted by this process.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    sent: Mutex<Option<Timestamp>>,
    reported: Mutex<Option<Timestamp>>,
}

impl Noted {
    /// Notes what a batch did: whether SES accepted a mail, and whether it reported on one. What cannot be written is noted by a later batch.
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
