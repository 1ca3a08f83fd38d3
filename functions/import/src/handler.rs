//! Handles S3's notices of new files below `incoming/`.

use crate::deps::Deps;
use crate::notice::{self, NoticeError, Object};
use crate::object::ObjectBytes;
use crate::run::{ImportError, Outcome, Request, run};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::FutureExt;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_config::imports::{Import, Mode};
use perennial_domain::SourceId;
use perennial_imports::Input;
use perennial_imports::chunk::Chunk;
use perennial_lambda_kit::batch::{Batch, BatchError};
use perennial_lambda_kit::metrics::{CONFIGS_COMPILED, Metrics};
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::ConfigHandle;
use perennial_store::archive::imports::ImportJob;
use perennial_store::archive::incoming::Incoming;
use perennial_store::rejects::Reject;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The dependencies of the function besides those of an import.
pub struct Arrivals {
    /// The bucket with the files.
    pub bucket: Incoming,
    /// The queue of notices, on which a file waits whose import takes longer than a call.
    pub notices: Arc<dyn Sender>,
    /// The active configuration.
    pub config: ConfigHandle,
}

impl std::fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrivals").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// The time before the end of a call at which no further chunk begins, if the call is long enough.
const RESERVE: SignedDuration = SignedDuration::from_secs(60);

/// Returns the time from which on a call that began at `now` and ends at `deadline` begins no further chunk: a minute before
/// its end, and not before its half. A deadline in the past is an emulator's that has none, such as `cargo lambda watch`.
#[must_use]
pub fn last_start(now: Timestamp, deadline: Timestamp) -> Timestamp {
    if deadline <= now {
        return Timestamp::MAX;
    }
    let reserve = (deadline.duration_since(now) / 2).min(RESERVE);
    deadline.checked_sub(reserve).unwrap_or(deadline)
}

/// Returns whether no notice of `event` names a file, so that there is nothing to do.
#[must_use]
pub fn names_no_file(event: &SqsEvent) -> bool {
    let body = |record: &SqsMessage| notice::objects(record.body.as_deref().unwrap_or_default());
    event.records.iter().all(|record| body(record).is_ok_and(|objects| objects.is_empty()))
}

/// How the work on one notice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Everything is imported, or never can be.
    Yes,
    /// A file is not at its end.
    Later,
}

/// The counts of one call.
#[derive(Debug, Default)]
struct Counts {
    files: u64,
    refused: u64,
    rows: u64,
    rejected: u64,
}

/// Why a notice is to be retried.
#[derive(Debug, thiserror::Error)]
enum NoticeFailure {
    #[error("the notice cannot be read: {0}")]
    Unreadable(#[from] NoticeError),
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Otherwise it would call itself for ever.
    #[error(
        "the call ended before a row was imported; raise timeout_seconds in deployment.toml, or use `perennial import`"
    )]
    NoTime,
}

/// Imports the files in S3's notices while `has_time`; returns the records to retry. A notice whose file is not at its end
/// is sent again.
///
/// # Errors
/// [`BatchError`] if a record has no id, so that partial failures cannot be reported.
pub async fn handle(
    deps: &Deps,
    arrivals: &Arrivals,
    event: SqsEvent,
    has_time: &(dyn Fn() -> bool + Send + Sync),
) -> Result<SqsBatchResponse, BatchError> {
    let (mut batch, records) = Batch::open(event)?;
    let mut counts = Counts::default();
    for record in &records {
        let is_done = match notice(deps, arrivals, &record.body, has_time, &mut counts).boxed().await {
            Ok(Done::Yes) => true,
            Ok(Done::Later) => {
                let sent = arrivals.notices.send(vec![record.body.clone()], Delay::NONE).await.into_result();
                sent.inspect_err(|error| tracing::error!(%error, "failed to send a notice again")).is_ok()
            }
            Err(error) => {
                tracing::error!(message_id = %record.message_id, %error, "failed to import a file; its notice will be retried");
                false
            }
        };
        if !is_done {
            batch.fail(&record.message_id);
        }
    }
    Metrics::new("Perennial", "import")
        .count("FilesImported", counts.files)
        .count("FilesRefused", counts.refused)
        .count("RowsImported", counts.rows)
        .count("RowsRejected", counts.rejected)
        .count(CONFIGS_COMPILED, arrivals.config.take_compiled())
        .emit(deps.clock.now());
    Ok(batch.into_response())
}

async fn notice(
    deps: &Deps,
    arrivals: &Arrivals,
    body: &str,
    has_time: &(dyn Fn() -> bool + Send + Sync),
    counts: &mut Counts,
) -> Result<Done, NoticeFailure> {
    let objects = notice::objects(body)?;
    let config = arrivals.config.current().await;
    for object in objects {
        let import = match mapping(&config, &object) {
            Ok(import) => import,
            Err(reason) => {
                refuse(deps, &object, reason, counts).await?;
                continue;
            }
        };
        let rows = counts.rows;
        match import_object(deps, arrivals, &object, import, has_time, counts).await {
            Ok(Done::Yes) => {}
            Ok(Done::Later) if counts.rows == rows => return Err(NoticeFailure::NoTime),
            Ok(Done::Later) => return Ok(Done::Later),
            Err(ImportError::Input(error)) => refuse(deps, &object, &error.to_string(), counts).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Done::Yes)
}

/// Returns the import of an object's folder, or why there is none.
fn mapping<'a>(config: &'a Config, object: &Object) -> Result<&'a Import, &'static str> {
    let Some(source) = &object.source else { return Err("it is in no folder: put it into incoming/SOURCE/") };
    if !Incoming::is_readable(&object.key) {
        return Err("its key has an empty part between slashes, or one that no file can have: rename it");
    }
    let import = config.imports.iter().find(|import| import.id.as_str() == source);
    import.ok_or("no import of imports.toml has this folder's name")
}

/// Imports an object, if it is still there.
async fn import_object(
    deps: &Deps,
    arrivals: &Arrivals,
    object: &Object,
    import: &Import,
    has_time: &(dyn Fn() -> bool + Send + Sync),
    counts: &mut Counts,
) -> Result<Done, ImportError> {
    let Some(arrived) = arrivals.bucket.find(&object.key).await? else {
        tracing::warn!(source = object.source, "a file to import is not there any more");
        return Ok(Done::Yes);
    };
    let (size, made_at, seal) = (arrived.size, arrived.at, arrived.seal());
    let bytes = ObjectBytes::new(arrivals.bucket.clone(), arrived);
    let input = Input::new(object.key.clone(), size, Arc::new(bytes));
    let request = Request {
        input: match seal {
            Some(seal) => input.with_seal(seal),
            None => input,
        },
        import: Arc::new(import.clone()),
        mode: import.mode.unwrap_or(Mode::Feed),
        made_at,
        again: false,
    };
    let read: Arc<[AtomicU64; 2]> = Arc::default();
    let sum = Arc::clone(&read);
    let watch = move |_: &ImportJob, chunk: &Chunk| {
        sum[0].fetch_add(chunk.rows, Ordering::Relaxed);
        sum[1].fetch_add(chunk.rejects.len() as u64, Ordering::Relaxed);
    };
    let outcome = run(deps, request, has_time, &watch).await;
    counts.rows += read[0].load(Ordering::Relaxed);
    counts.rejected += read[1].load(Ordering::Relaxed);
    let (job, how) = match &outcome? {
        Outcome::Finished(job) => (job.clone(), "imported a file"),
        Outcome::Known(job) => (job.clone(), "a file was imported before"),
        Outcome::Paused(job) => {
            tracing::info!(source = %job.source, rows = job.rows, "an import will continue in another call");
            return Ok(Done::Later);
        }
    };
    counts.files += 1;
    tracing::info!(source = %job.source, rows = job.rows, events = job.events, rejected = job.rejected, "{how}");
    Ok(Done::Yes)
}

/// Stores a reject for a file that is not imported.
async fn refuse(deps: &Deps, object: &Object, reason: &str, counts: &mut Counts) -> Result<(), ImportError> {
    counts.refused += 1;
    tracing::error!(source = object.source, reason, "a file is not imported");
    // Rejects belong to a source: without one, the log and the count are all there is.
    let Some(source) = object.source.as_deref().and_then(|source| SourceId::parse(source).ok()) else { return Ok(()) };
    let reject = Reject {
        id: Reject::id_of(&source, &object.key),
        source,
        code: "file".to_owned(),
        reason: format!("{}: {reason}", object.key),
        path: String::new(),
        allowed: "a file that `perennial import FILE --source ID --dry-run` reads".to_owned(),
        received_at: deps.clock.now(),
        event: String::new(),
    };
    Ok(deps.rejects.put_all(vec![reject]).await?)
}

#[cfg(test)]
#[path = "handler_tests.rs"]
mod tests;
