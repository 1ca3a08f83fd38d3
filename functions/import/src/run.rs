//! Imports one file: chunk by chunk onto the imports queue, with a checkpoint after each.
//!
//! ```text
//! digest ─► job (new, begun or finished) ─► [ chunk ─► rejects, addresses, queue ─► checkpoint ]* ─► finished
//! ```
//!
//! An import that stops between any two steps continues behind the last checkpoint. A chunk that was sent without one is
//! sent again: its events have the same ids, and count once.

use crate::deps::Deps;
use data_encoding::HEXLOWER;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use perennial_config::imports::{Import, Mode};
use perennial_contracts::pack::pack;
use perennial_imports::chunk::{Chunk, Options, Reading};
use perennial_imports::{Input, InputError, Snapshot};
use perennial_lambda_kit::queue::{Delay, SendError};
use perennial_store::StoreError;
use perennial_store::archive::ArchiveError;
use perennial_store::archive::imports::ImportJob;
use perennial_store::rejects::Reject;
use ring::digest::{Context, SHA256};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// The most rejects of one import that are stored, each for 30 days; all are counted.
pub const STORED_REJECTS: u64 = 1_000;
/// Messages that may wait on the imports queue before the next chunk is sent, where the backlog is limited: about 18 MB.
const BACKLOG: u64 = 300;
/// The size in bytes from which on the digest of a file is stored. Smaller ones are read in no time.
const SEALED: u64 = 16 << 20;
/// The addresses that are written at once.
const WRITES: usize = 32;
/// The time between two requests for the backlog.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a file was not imported to its end. What was sent is sent; the same command continues from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The file's bytes cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// How far the import has come could not be read or stored.
    #[error("the progress of the import could not be read or stored")]
    Job(#[from] ArchiveError),
    /// The queue did not take all events.
    #[error("the imports queue did not take all events: {0}")]
    Queue(#[from] SendError),
    /// Rejects could not be stored.
    #[error("rejects could not be stored")]
    Rejects(#[from] StoreError),
    /// Addresses could not be suppressed.
    #[error("addresses could not be suppressed")]
    Suppressions(#[source] StoreError),
    /// A part of the work was cancelled or died.
    #[error("reading was interrupted")]
    Interrupted,
}

/// A file to import.
#[derive(Debug, Clone)]
pub struct Request {
    /// The file.
    pub input: Input,
    /// The mapping of its rows.
    pub import: Arc<Import>,
    /// The mode, which decides if its events trigger messages.
    pub mode: Mode,
    /// When the file was made: the time of rows without one.
    pub made_at: Timestamp,
    /// `true` to import a file again that was imported before. Its events have the same ids, and count once.
    pub again: bool,
}

/// How an import ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The file is on the queue to its end.
    Finished(ImportJob),
    /// The same file was imported before: nothing was sent.
    Known(ImportJob),
    /// The time was over; the next call continues.
    Paused(ImportJob),
}

impl Outcome {
    /// Returns the import.
    pub fn job(&self) -> &ImportJob {
        match self {
            Self::Finished(job) | Self::Known(job) | Self::Paused(job) => job,
        }
    }
}

/// Watches an import: called with the import after each chunk, and with the chunk.
pub type Watch<'a> = &'a (dyn Fn(&ImportJob, &Chunk) + Send + Sync);

/// Imports a file, or continues with it, while `has_time`.
///
/// # Errors
/// [`ImportError`].
pub async fn run(
    deps: &Deps,
    request: Request,
    has_time: &(dyn Fn() -> bool + Send + Sync),
    watch: Watch<'_>,
) -> Result<Outcome, ImportError> {
    let digest = content(deps, &request).await?;
    // The same file after another one is another import: what it says holds again.
    let (before, digest) = snapshot_before(deps, &request, digest).await?;
    let mut job = match begun(deps, &request, &digest).await? {
        Some(job) if job.finished_at.is_some() && !request.again => return Ok(Outcome::Known(job)),
        Some(job) if job.finished_at.is_none() => job,
        _ => new(deps, &request, &digest),
    };
    let options = Options {
        import: Arc::clone(&request.import),
        mode: request.mode,
        received_at: job.started_at,
        made_at: job.made_at,
        digest,
        before,
    };
    let (input, sent) = (request.input.clone(), job.chunks);
    let mut reading = off_thread(move || {
        let opened = Reading::open(&input, options);
        let mut reading = whole(&input).and_then(|()| Ok(opened?))?;
        reading.skip(sent);
        Ok::<_, ImportError>(reading)
    })
    .await??;
    loop {
        if !has_time() {
            return Ok(Outcome::Paused(job));
        }
        let (back, chunk) = off_thread(move || {
            let chunk = reading.next_chunk();
            (reading, chunk)
        })
        .await?;
        reading = back;
        whole(&request.input)?;
        let Some(chunk) = chunk else { break };
        send(deps, &request, &job, &chunk).await?;
        job.chunks += 1;
        job.rows += chunk.rows;
        job.events += chunk.accepted.len() as u64;
        job.rejected += chunk.rejects.len() as u64;
        job.unmatched += chunk.unmatched;
        job.unchanged += chunk.unchanged;
        job.suppressed += chunk.suppressions.len() as u64;
        deps.archive.put_import_job(&job).await?;
        watch(&job, &chunk);
    }
    if !request.import.snapshot_key.is_empty() {
        deps.archive.put_import_snapshot(&request.import.id, &reading.snapshot().to_bytes()).await?;
    }
    job.finished_at = Some(deps.clock.now());
    deps.archive.put_import_job(&job).await?;
    Ok(Outcome::Finished(job))
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ImportError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ImportError::Interrupted)
}

/// Checks that all bytes so far could be read: a part that could not is missing in the rows.
fn whole(input: &Input) -> Result<(), ImportError> {
    input.take_failure().map_or(Ok(()), |failure| Err(failure.into()))
}

/// Returns the digest of a file's content: that of an earlier call, if the file is the same by its seal, so that a
/// continuation does not read all of it again.
async fn content(deps: &Deps, request: &Request) -> Result<String, ImportError> {
    let (input, source) = (request.input.clone(), &request.import.id);
    let seal = input.seal().filter(|_| input.size() >= SEALED).map(str::to_owned);
    if let Some(seal) = &seal
        && let Some(known) = deps.archive.import_digest(source, seal).await?
    {
        return Ok(known);
    }
    let digest = off_thread(move || digest(&input)).await??;
    if let Some(seal) = &seal {
        deps.archive.put_import_digest(source, seal, &digest).await?;
    }
    Ok(digest)
}

/// Returns the digest of a file's bytes.
fn digest(input: &Input) -> std::io::Result<String> {
    let mut context = Context::new(&SHA256);
    let mut bytes = input.bytes();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match bytes.read(&mut buffer)? {
            0 => return Ok(HEXLOWER.encode(context.finish().as_ref())),
            read => context.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// Returns the rows of the file before, and the digest of the file after that one.
async fn snapshot_before(
    deps: &Deps,
    request: &Request,
    digest: String,
) -> Result<(Arc<Snapshot>, String), ImportError> {
    if request.import.snapshot_key.is_empty() {
        return Ok((Arc::default(), digest));
    }
    let stored = deps.archive.import_snapshot(&request.import.id).await?;
    let both = ring::digest::digest(&SHA256, &[digest.as_bytes(), &stored].concat());
    // A damaged one is as good as none: every row counts as changed.
    Ok((Arc::new(Snapshot::parse(&stored).unwrap_or_default()), HEXLOWER.encode(both.as_ref())))
}

fn id(request: &Request, digest: &str) -> String {
    let mapping = format!("{:?} {:?}", request.import, request.mode);
    ImportJob::id_of(&request.import.id, digest, &mapping)
}

async fn begun(deps: &Deps, request: &Request, digest: &str) -> Result<Option<ImportJob>, ImportError> {
    Ok(deps.archive.import_job(&request.import.id, &id(request, digest)).await?)
}

fn new(deps: &Deps, request: &Request, digest: &str) -> ImportJob {
    let now = deps.clock.now();
    ImportJob {
        id: id(request, digest),
        source: request.import.id.clone(),
        file: request.input.name().to_owned(),
        bytes: request.input.size(),
        started_at: now,
        made_at: request.made_at.min(now),
        finished_at: None,
        chunks: 0,
        rows: 0,
        events: 0,
        rejected: 0,
        unmatched: 0,
        unchanged: 0,
        suppressed: 0,
    }
}

/// Stores the rejects and suppressed addresses of a chunk, and puts its events on the queue once that is not too long.
async fn send(deps: &Deps, request: &Request, job: &ImportJob, chunk: &Chunk) -> Result<(), ImportError> {
    let room = usize::try_from(STORED_REJECTS.saturating_sub(job.rejected)).unwrap_or_default();
    let rejects: Vec<Reject> =
        chunk.rejects.iter().take(room).map(|(text, reject)| stored(job, text, reject)).collect();
    if !rejects.is_empty() {
        deps.rejects.put_all(rejects).await?;
    }
    let writes: Vec<_> = chunk.suppressions.iter().map(|suppression| deps.suppressions.add(suppression)).collect();
    stream::iter(writes).buffer_unordered(WRITES).try_collect::<()>().await.map_err(ImportError::Suppressions)?;
    if let Some(backlog) = &deps.backlog {
        while backlog.waiting().await.is_some_and(|waiting| waiting > BACKLOG) {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let messages = pack(&chunk.json, &chunk.accepted);
    if !messages.is_empty() {
        deps.imports.send(messages, Delay::NONE).await.into_result()?;
    }
    tracing::debug!(source = %request.import.id, rows = job.rows + chunk.rows, "sent a chunk");
    Ok(())
}

fn stored(job: &ImportJob, text: &str, reject: &perennial_imports::Reject) -> Reject {
    let place = format!("{text} {} {}", reject.line, reject.column);
    Reject {
        id: Reject::id_of(&job.source, &format!("{}:{place}", job.id)),
        source: job.source.clone(),
        code: reject.code.as_str().to_owned(),
        reason: format!("{text}, line {}: {}", reject.line, reject.reason),
        path: reject.column.clone(),
        allowed: reject.allowed.clone().into_owned(),
        received_at: job.started_at,
        event: reject.raw.clone(),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
