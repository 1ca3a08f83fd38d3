//! Handles S3's notices of new files below `incoming/`.

use crate::deps::Deps;
use crate::notice::{self, Object};
use crate::object::ObjectBytes;
use crate::run::{ImportError, Outcome, Request, run};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use perennial_config::imports::{Import, Mode};
use perennial_domain::SourceId;
use perennial_imports::Input;
use perennial_lambda_kit::batch::{Batch, BatchError};
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::ConfigHandle;
use perennial_store::archive::incoming::Incoming;
use perennial_store::rejects::Reject;
use std::sync::Arc;

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

/// How the work on one notice ended.
enum Done {
    /// Everything is imported, or never can be.
    Yes,
    /// A file is not at its end.
    Later,
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
    for record in &records {
        let is_done = match notice(deps, arrivals, &record.body, has_time).await {
            Ok(Done::Yes) => true,
            Ok(Done::Later) => {
                let sent = arrivals.notices.send(vec![record.body.clone()], Delay::NONE).await.into_result();
                sent.inspect_err(|error| tracing::error!(%error, "failed to send a notice again")).is_ok()
            }
            Err(error) => {
                tracing::error!(%error, "failed to import a file; its notice will be retried");
                false
            }
        };
        if !is_done {
            batch.fail(&record.message_id);
        }
    }
    Ok(batch.into_response())
}

async fn notice(
    deps: &Deps,
    arrivals: &Arrivals,
    body: &str,
    has_time: &(dyn Fn() -> bool + Send + Sync),
) -> Result<Done, ImportError> {
    let objects = match notice::objects(body) {
        Ok(objects) => objects,
        Err(error) => {
            tracing::error!(line = error.line(), column = error.column(), "failed to parse a notice of S3");
            return Err(ImportError::Interrupted);
        }
    };
    let config = arrivals.config.current().await;
    for object in objects {
        let Some(import) = config.imports.iter().find(|import| import.id.as_str() == object.source) else {
            refuse(deps, &object, "no import of imports.toml has this folder's name").await?;
            continue;
        };
        match import_object(deps, arrivals, &object, import, has_time).await {
            Ok(Some(Outcome::Paused(_))) => return Ok(Done::Later),
            Ok(_) => {}
            Err(ImportError::Input(error)) => refuse(deps, &object, &error.to_string()).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(Done::Yes)
}

/// Imports an object; `None` if it is not there any more.
async fn import_object(
    deps: &Deps,
    arrivals: &Arrivals,
    object: &Object,
    import: &Import,
    has_time: &(dyn Fn() -> bool + Send + Sync),
) -> Result<Option<Outcome>, ImportError> {
    let Some(arrived) = arrivals.bucket.find(&object.key).await? else { return Ok(None) };
    let bytes = ObjectBytes::new(arrivals.bucket.clone(), object.key.clone(), arrived.size);
    let request = Request {
        input: Input::new(object.key.clone(), arrived.size, Arc::new(bytes)),
        import: Arc::new(import.clone()),
        mode: import.mode.unwrap_or(Mode::Feed),
        made_at: arrived.at,
        again: false,
    };
    let outcome = run(deps, request, has_time, &|_, _| {}).await?;
    let job = outcome.job();
    tracing::info!(source = %job.source, rows = job.rows, events = job.events, rejected = job.rejected, "imported a file");
    Ok(Some(outcome))
}

/// Stores a reject for a file that is not imported.
async fn refuse(deps: &Deps, object: &Object, reason: &str) -> Result<(), ImportError> {
    tracing::error!(source = object.source, reason, "a file is not imported");
    let Ok(source) = SourceId::parse(&object.source) else { return Ok(()) };
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
