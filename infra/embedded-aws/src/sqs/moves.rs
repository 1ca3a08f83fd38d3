//! Message move tasks, which redrive dead letters (`StartMessageMoveTask`, `ListMessageMoveTasks`,
//! `CancelMessageMoveTask`).
//!
//! Tasks do not survive a restart; moved messages stay moved, and a new task continues with the rest.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::attributes::{arn, name_of_arn};
use super::error::{Kind, SqsError};
use super::requests::{CancelMessageMoveTask, ListMessageMoveTasks, StartMessageMoveTask, in_range};
use super::{Sqs, machine_ms};

/// Messages moved at once if no rate is requested.
const CHUNK: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    Completed,
    Cancelling,
    Cancelled,
    Failed,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelling => "CANCELLING",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling)
    }
}

/// One move task.
#[derive(Debug)]
pub(super) struct MoveTask {
    handle: String,
    source: String,
    destination: Option<String>,
    /// Messages a second.
    rate: Option<u32>,
    to_move: usize,
    moved: usize,
    status: Status,
    failure: Option<String>,
    started_ms: i64,
}

impl MoveTask {
    fn to_json(&self) -> Value {
        let mut json = json!({
            "Status": self.status.name(),
            "SourceArn": arn(&self.source),
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started_ms,
        });
        if self.status.is_active() {
            json["TaskHandle"] = json!(self.handle);
        }
        if let Some(destination) = &self.destination {
            json["DestinationArn"] = json!(arn(destination));
        }
        if let Some(rate) = self.rate {
            json["MaxNumberOfMessagesPerSecond"] = json!(rate);
        }
        if let Some(failure) = &self.failure {
            json["FailureReason"] = json!(failure);
        }
        json
    }
}

/// Returns the queue of an ARN, if it exists.
fn existing(sqs: &Sqs, arn: &str) -> Result<String, SqsError> {
    let no_resource = || SqsError::new(Kind::NoResource, "The resource that you specified for the ARN doesn't exist.");
    let name = name_of_arn(arn).ok_or_else(no_resource)?;
    if sqs.state().queues.contains_key(name) { Ok(name.to_owned()) } else { Err(no_resource()) }
}

pub(super) fn start(sqs: &Arc<Sqs>, request: &StartMessageMoveTask) -> Result<Value, SqsError> {
    if request.source_arn.is_empty() {
        return Err(SqsError::missing("SourceArn"));
    }
    let rate = in_range("MaxNumberOfMessagesPerSecond", request.max_number_of_messages_per_second, 1, 500)?;
    let source = existing(sqs, &request.source_arn)?;
    let destination = request.destination_arn.as_deref().map(|arn| existing(sqs, arn)).transpose()?;
    let to_move = {
        let mut state = sqs.state();
        if state.sources_of(&source).is_empty() {
            return Err(SqsError::new(Kind::BadParameter, "Source queue must be configured as a Dead Letter Queue."));
        }
        state.queue(&source)?.depth(sqs.now()).total()
    };
    let handle = sqs.ids.uuid();
    let task = MoveTask {
        handle: handle.clone(),
        source: source.clone(),
        destination,
        rate,
        to_move,
        moved: 0,
        status: Status::Running,
        failure: None,
        started_ms: machine_ms(),
    };
    {
        let mut tasks = sqs.moves();
        if tasks.iter().any(|task| task.source == source && task.status.is_active()) {
            let why = "There is already a task running. Only one active task is allowed for a source queue arn at a given time.";
            return Err(SqsError::new(Kind::Unsupported, why));
        }
        tasks.push(task);
    }
    tokio::spawn(run(Arc::clone(sqs), handle.clone()));
    Ok(json!({ "TaskHandle": handle }))
}

pub(super) fn list(sqs: &Sqs, request: &ListMessageMoveTasks) -> Result<Value, SqsError> {
    let source = existing(sqs, &request.source_arn)?;
    let most = in_range("MaxResults", request.max_results, 1, 10)?.unwrap_or(1);
    let tasks = sqs.moves();
    let of_source = tasks.iter().rev().filter(|task| task.source == source);
    let results: Vec<Value> = of_source.take(most as usize).map(MoveTask::to_json).collect();
    Ok(json!({ "Results": results }))
}

pub(super) fn cancel(sqs: &Sqs, request: &CancelMessageMoveTask) -> Result<Value, SqsError> {
    let mut tasks = sqs.moves();
    let task = tasks.iter_mut().find(|task| task.handle == request.task_handle && task.status == Status::Running);
    let task = task.ok_or_else(|| SqsError::new(Kind::NoResource, "No such running task."))?;
    task.status = Status::Cancelling;
    Ok(json!({ "ApproximateNumberOfMessagesMoved": task.moved }))
}

/// Moves one chunk of the task; `None` when the task is over, else how long to wait.
fn step(sqs: &Sqs, handle: &str) -> Option<Duration> {
    let mut tasks = sqs.moves();
    let task = tasks.iter_mut().find(|task| task.handle == handle)?;
    if task.status == Status::Cancelling {
        task.status = Status::Cancelled;
        return None;
    }
    let most = task.rate.map_or(CHUNK, |rate| rate as usize);
    match sqs.state().redrive(&task.source, task.destination.as_deref(), most, sqs.now()) {
        Ok(moved) => {
            task.moved += moved;
            if moved < most {
                task.status = Status::Completed;
                return None;
            }
            Some(task.rate.map_or(Duration::ZERO, |_| Duration::from_secs(1)))
        }
        Err(error) => {
            task.status = Status::Failed;
            task.failure = Some(error.message);
            None
        }
    }
}

async fn run(sqs: Arc<Sqs>, handle: String) {
    while let Some(pause) = step(&sqs, &handle) {
        if pause.is_zero() {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(pause).await;
        }
    }
}
