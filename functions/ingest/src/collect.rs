//! Collects the events and rejects of a request, and stores them.

use crate::answer::Refusal;
use crate::deps::Deps;
use crate::unreadable;
use futures::future::{Either, select};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_contracts::pack::pack;
use perennial_contracts::tokens::redacted;
use perennial_contracts::tracking::{Accepted, Invalid, Item, MAX_EVENT_BYTES, Received};
use perennial_domain::SourceId;
use perennial_domain::hygiene::{Note, Outcome};
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_lambda_kit::queue::{Delay, SendReport};
use perennial_store::StoreError;
use perennial_store::rejects::{RAW_BYTES, Reject};
use std::pin::pin;
use std::time::{Duration, Instant};

/// Some SDKs time out after 10 seconds; they get a retryable response before that.
const PATIENCE: Duration = Duration::from_secs(8);

/// The most dropped values, and the most rejected calls, that a response lists.
const MAX_WARNINGS: usize = 100;

/// The events and rejects of one request.
pub(crate) struct Collected<'a> {
    config: &'a Config,
    json: String,
    accepted: Vec<Accepted>,
    /// The number of calls: one may make several events.
    calls: usize,
    /// The dropped values, each with the position of its call, the first [`MAX_WARNINGS`].
    warnings: Vec<(usize, Note)>,
    rejects: Vec<Reject>,
    /// Why calls were rejected, each with its position, the first [`MAX_WARNINGS`].
    invalid: Vec<(usize, Invalid)>,
}

impl<'a> Collected<'a> {
    /// Creates a collection for calls with about `bytes` bytes of JSON; `config` defines how survey answers and payments are
    /// read.
    pub(crate) fn with_capacity(bytes: usize, config: &'a Config) -> Self {
        // Names and times that ingest adds are about as long as what it removes.
        Self {
            config,
            json: String::with_capacity(bytes + bytes / 4),
            accepted: Vec::new(),
            calls: 0,
            warnings: Vec::new(),
            rejects: Vec::new(),
            invalid: Vec::new(),
        }
    }

    /// Accepts the call, which is of what the sender has at `position`, or notes why not.
    pub(crate) fn add(&mut self, position: usize, item: &Item<'_>, received: &mut Received) {
        let first = self.accepted.len();
        match item.accept(received, &mut self.json, &mut self.accepted) {
            Ok(()) => {
                self.calls += 1;
                for accepted in &mut self.accepted[first..] {
                    accepted.notes.extend(unreadable::notes(self.config, &self.json[accepted.json.clone()]));
                }
                let notes = self.accepted[first..].iter().flat_map(|accepted| &accepted.notes);
                let dropped = notes.filter(|note| matches!(note.outcome, Outcome::Dropped(_)));
                let room = MAX_WARNINGS - self.warnings.len();
                self.warnings.extend(dropped.take(room).map(|note| (position, note.clone())));
            }
            Err(invalid) => {
                let key = item.key();
                self.reject(position, &key, item.raw, invalid, received);
            }
        }
    }

    fn reject(&mut self, position: usize, key: &str, raw: &str, invalid: Invalid, received: &Received) {
        self.rejects.push(Reject {
            id: Reject::id_of(received.source(), key),
            source: received.source().clone(),
            code: invalid.code.as_str().to_owned(),
            reason: invalid.reason.clone(),
            path: invalid.path.to_owned(),
            allowed: invalid.allowed.clone().into_owned(),
            received_at: received.at(),
            event: redacted(&raw[..raw.floor_char_boundary(RAW_BYTES)]).into_owned(),
        });
        if self.invalid.len() < MAX_WARNINGS {
            self.invalid.push((position, invalid));
        }
    }

    /// Returns the number of accepted calls.
    pub(crate) fn accepted(&self) -> usize {
        self.calls
    }

    /// Returns what was dropped, and of which call by its position in the body.
    pub(crate) fn warnings(&self) -> &[(usize, Note)] {
        &self.warnings
    }

    /// Returns why calls were rejected, and which by their positions in the body.
    pub(crate) fn invalid(&self) -> &[(usize, Invalid)] {
        &self.invalid
    }

    pub(crate) fn rejected(&self) -> usize {
        self.rejects.len()
    }

    /// Returns the changes to the traits of the accepted events.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &Note> {
        self.accepted.iter().flat_map(|accepted| &accepted.notes)
    }

    /// Stores everything. Both halves start at once: a client that has to retry sends both again, and what is stored
    /// already is recognized by its ids.
    pub(crate) async fn store(&mut self, deps: &Deps, source: &SourceId, now: Timestamp) -> Result<(), Refusal> {
        let messages = pack(&self.json, &self.accepted);
        let mut rejects = std::mem::take(&mut self.rejects);
        let rejected = rejects.len();
        // Those of one source in one minute say the same after a while.
        let at = Instant::now();
        rejects.retain(|_| deps.kept_rejects.take(source, None, 1, at).is_ok());
        if rejects.len() < rejected {
            tracing::warn!(%source, dropped = rejected - rejects.len(), "too many events of a source are rejected; the rest is not stored");
        }
        let send = async {
            if messages.is_empty() { SendReport::default() } else { deps.events.send(messages, Delay::NONE).await }
        };
        let keep = async { if rejects.is_empty() { Ok(()) } else { deps.rejects.put_all(rejects).await } };
        let both = pin!(async { tokio::join!(send, keep) });
        let patience = pin!(async { tokio::time::sleep(PATIENCE).await });
        let Either::Left(((sent, kept), _)) = select(both, patience).await else {
            tracing::warn!(%source, "failed to store the batch in time");
            return Err(Refusal::NotStored);
        };
        if let Err(error) = &kept {
            tracing::warn!(%source, %error, rejected, "failed to store rejects");
        }
        if let Some(first) = sent.unsent.first() {
            tracing::warn!(%source, code = first.code, unsent = sent.unsent.len(), "failed to queue events");
            return Err(if is_throttling(&first.code) { Refusal::Throttled } else { Refusal::NotStored });
        }
        kept.map_err(|error| {
            if matches!(error, StoreError::Throttled { .. }) { Refusal::Throttled } else { Refusal::NotStored }
        })?;
        let dropped = self.notes().filter(|note| matches!(note.outcome, Outcome::Dropped(_))).count();
        Metrics::new("Perennial", "ingest")
            .count("EventsAccepted", self.accepted.len() as u64)
            .count("EventsRejected", rejected as u64)
            .count("TraitsChanged", (self.notes().count() - dropped) as u64)
            .count("TraitsDropped", dropped as u64)
            .count(CONFIGS_COMPILED, deps.config.take_compiled())
            .emit(now);
        Ok(())
    }
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>
fn is_throttling(code: &str) -> bool {
    ["RequestThrottled", "ThrottlingException", "Throttling", "OverLimit", "KmsThrottled", "KMS.ThrottlingException"]
        .contains(&code)
}

/// Returns the number of bytes to reserve for a body.
pub(crate) fn expected_bytes(text: &str, items: usize) -> usize {
    text.len().min(items * MAX_EVENT_BYTES)
}
