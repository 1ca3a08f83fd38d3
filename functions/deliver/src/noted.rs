//! The last times of SES's reports that this process recorded, so that a busy process writes them once an hour and not
//! with every batch.

use jiff::Timestamp;
use perennial_store::reports::STEP;
use perennial_store::{Store, StoreError};
use std::sync::{Mutex, PoisonError};

/// The times that this process last recorded.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    sent: Mutex<Option<Timestamp>>,
    reported: Mutex<Option<Timestamp>>,
}

impl Noted {
    /// Records at `now` that SES accepted a mail, whose links lead to `public_url`. After a failed write, a later batch
    /// records it.
    pub(crate) async fn sent(&self, store: &Store, public_url: &str, now: Timestamp) {
        if is_due(&self.sent, now) {
            done(&self.sent, now, store.note_mail_sent(public_url, now).await);
        }
    }

    /// Records at `now` that SES reported on a mail. After a failed write, a later batch records it.
    pub(crate) async fn reported(&self, store: &Store, now: Timestamp) {
        if is_due(&self.reported, now) {
            done(&self.reported, now, store.note_mail_reported(now).await);
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
