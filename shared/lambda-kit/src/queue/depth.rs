//! The depths of queues.

use crate::{Env, EnvError};
use aws_sdk_sqs::types::QueueAttributeName;
use futures::future::{BoxFuture, FutureExt};

/// A queue to read the depth of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedQueue {
    /// Its displayed name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// Its dead-letter queue's URL.
    pub dlq_url: String,
}

/// The queues, by their displayed names and the prefixes of their variables, in the order in which work flows; the first one takes
/// events.
pub const WATCHED: [(&str, &str); 7] = [
    ("events", "EVENTS"),
    ("incoming", "INCOMING"),
    ("imports", "IMPORTS"),
    ("messages", "MESSAGES"),
    ("essential", "ESSENTIAL"),
    ("accounts", "ACCOUNTS"),
    ("mail-events", "MAIL_EVENTS"),
];

impl WatchedQueue {
    /// Reads all queues of [`WATCHED`] from the environment.
    ///
    /// # Errors
    /// [`EnvError`] naming the key that is missing.
    pub fn all_from_env(env: &Env) -> Result<Vec<Self>, EnvError> {
        let queue = |(name, key): (&str, &str)| {
            Ok(Self {
                name: name.to_owned(),
                url: env.required(&format!("{key}_QUEUE_URL"), "the URL of a queue")?,
                dlq_url: env.required(&format!("{key}_DLQ_URL"), "the URL of a dead-letter queue")?,
            })
        };
        WATCHED.into_iter().map(queue).collect()
    }
}

/// The number of messages in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be received.
    pub visible: u64,
    /// Received, and neither deleted nor visible again.
    pub in_flight: u64,
    /// Delayed.
    pub delayed: u64,
    /// `true` if delayed messages wait until a simulated clock is moved, and so never become visible by themselves.
    pub held_by_clock: bool,
}

impl Depth {
    /// Returns the number of all messages.
    #[must_use]
    pub fn total(self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }

    /// Returns the number of those that are being worked on, or will be by themselves.
    #[must_use]
    pub fn under_way(self) -> u64 {
        self.visible + self.in_flight + if self.held_by_clock { 0 } else { self.delayed }
    }
}

/// Reads the depth of queues.
pub trait Depths: Send + Sync {
    /// Returns the number of messages in the queue at `url`, or the error's code.
    fn depth<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Depth, String>>;
}

impl Depths for aws_sdk_sqs::Client {
    fn depth<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Depth, String>> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed, ApproximateNumberOfMessagesNotVisible,
        };
        async move {
            let names = [
                ApproximateNumberOfMessages,
                ApproximateNumberOfMessagesNotVisible,
                ApproximateNumberOfMessagesDelayed,
            ];
            let answer =
                self.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec())).send().await;
            let answer =
                answer.map_err(|error| error.into_service_error().meta().code().unwrap_or("NotReached").to_owned())?;
            let number = |name: &QueueAttributeName| {
                let text = answer.attributes().and_then(|attributes| attributes.get(name));
                text.and_then(|text| text.parse().ok()).ok_or_else(|| "MissingAttribute".to_owned())
            };
            let [visible, in_flight, delayed] = &names;
            let (visible, in_flight, delayed) = (number(visible)?, number(in_flight)?, number(delayed)?);
            Ok(Depth { visible, in_flight, delayed, held_by_clock: false })
        }
        .boxed()
    }
}
