//! A small SQS: standard queues behind the awsJson 1.0 protocol, for unmodified SDK clients.
//!
//! It follows the Amazon SQS API reference in what the actions accept, reject and return. Differences from AWS: nothing
//! is sampled, so counts are exact and an empty receive means an empty queue; messages come oldest first; a message is
//! redelivered only after its timeout; FIFO queues, tags, permissions and trace headers are rejected rather than
//! ignored.

mod actions;
mod attributes;
mod error;
mod message;
mod moves;
mod queue;
mod requests;
mod state;
mod store;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use perennial_lambda_kit::Clock;

pub use self::queue::QueueDepth;
pub use self::store::QUEUES_FILE;

use self::error::{AWS_JSON, Kind, SqsError};
use self::message::Now;
use self::moves::MoveTask;
use self::queue::Queue;
use self::state::{Outgoing, State};
use self::store::Store;
use super::http::{Answer, Answering, Call, Outcome, Service, ServiceKind};
use super::random::Ids;

/// How often messages past their retention period are deleted. A receive never returns one, even before that.
const EXPIRY_PERIOD: Duration = Duration::from_secs(30);

/// The queues could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the queues' file could not be opened: {0}")]
pub struct QueuesError(String);

/// A message for a queue that is not there, or could not be written.
#[derive(Debug, thiserror::Error)]
#[error("not sent to queue {queue}: {reason}")]
pub(crate) struct NotSent {
    queue: String,
    reason: String,
}

/// The machine's time in milliseconds.
fn machine_ms() -> i64 {
    Clock::system().now().as_millisecond()
}

/// The present moment by both clocks.
fn now(clock: &Clock) -> Now {
    let machine = machine_ms();
    Now { machine, clock: if clock.is_simulated() { clock.now().as_millisecond() } else { machine } }
}

/// The service.
#[derive(Debug)]
pub(crate) struct Sqs {
    state: Mutex<State>,
    moves: Mutex<Vec<MoveTask>>,
    ids: Arc<Ids>,
    /// The stack's clock, which delays go by.
    clock: Clock,
    /// The address in queue URLs.
    address: SocketAddr,
}

impl Sqs {
    /// Opens the queues of `data_dir`, or none in memory.
    pub(crate) fn open(
        data_dir: Option<&Path>,
        ids: Arc<Ids>,
        clock: Clock,
        address: SocketAddr,
    ) -> Result<Self, QueuesError> {
        let store = Store::open(data_dir).map_err(|error| QueuesError(error.to_string()))?;
        let state =
            State::load(store, Arc::clone(&ids), now(&clock)).map_err(|error| QueuesError(error.to_string()))?;
        Ok(Self { state: Mutex::new(state), moves: Mutex::default(), ids, clock, address })
    }

    fn now(&self) -> Now {
        now(&self.clock)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moves(&self) -> MutexGuard<'_, Vec<MoveTask>> {
        self.moves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn url(&self, queue: &str) -> String {
        format!("http://{}/{}/{queue}", self.address, attributes::ACCOUNT)
    }

    /// The depth of each queue.
    pub(crate) fn depths(&self) -> BTreeMap<String, QueueDepth> {
        self.state().depths(self.now())
    }

    /// Wakes receives that wait, for the stack's clock has moved.
    pub(crate) fn clock_moved(&self) {
        self.state().queues.values().for_each(Queue::clock_moved);
    }

    /// When the next message of any queue gets ready by the stack's clock.
    pub(crate) fn next_by_clock(&self) -> Option<Timestamp> {
        let next = self.state().queues.values().filter_map(Queue::next_by_clock).min()?;
        Timestamp::from_millisecond(next).ok()
    }

    /// Records that the invocation with the messages of these receipts has failed. Unknown handles are ignored.
    pub(crate) fn fail(&self, queue_url: &str, handles: &[&str]) {
        let now = self.now();
        let mut state = self.state();
        let Ok(name) = requests::queue_name(queue_url) else { return };
        let Ok(queue) = state.queue(name) else { return };
        let seqs: Vec<u64> = handles.iter().filter_map(|handle| queue.resolve(handle).ok().flatten()).collect();
        queue.fail(now, &seqs);
    }

    /// Sends from within the process, as another AWS service would.
    pub(crate) fn deliver(&self, queue: &str, bodies: Vec<String>) -> Result<(), NotSent> {
        let outgoing =
            bodies.into_iter().map(|body| Outgoing { body, attributes: BTreeMap::new(), delay: None }).collect();
        let not_sent = |error: SqsError| NotSent { queue: queue.to_owned(), reason: error.message };
        self.state().send(queue, outgoing, self.now()).map(drop).map_err(not_sent)
    }

    /// Deletes expired messages for as long as it is polled.
    pub(crate) async fn expire_forever(self: Arc<Self>) {
        loop {
            tokio::time::sleep(EXPIRY_PERIOD).await;
            if let Err(error) = self.state().expire(machine_ms()) {
                tracing::warn!(%error, "expired messages could not be deleted");
            }
        }
    }

    async fn dispatch(self: Arc<Self>, call: Call) -> Result<serde_json::Value, SqsError> {
        if call.method != Method::POST || !call.headers.contains_key("x-amz-target") {
            return Err(SqsError::new(
                Kind::Unsupported,
                "The embedded SQS speaks awsJson 1.0 only: POST with X-Amz-Target.",
            ));
        }
        let operation = ServiceKind::Sqs.operation(&call);
        if operation == "ReceiveMessage" {
            return actions::receive(&self, &call.body).await;
        }
        actions::perform(&self, &operation, &call.body)
    }
}

impl Service for Sqs {
    fn call(self: Arc<Self>, call: Call) -> Answering {
        Box::pin(async move {
            let request_id = self.ids.uuid();
            let answer = match self.dispatch(call).await {
                Ok(body) => Answer::json(StatusCode::OK, AWS_JSON, body.to_string()),
                Err(error) => error.answer(),
            };
            Outcome::Answer(answer.with_header("x-amzn-requestid", &request_id))
        })
    }
}
