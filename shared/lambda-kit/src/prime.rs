//! Priming: one call per client while a function initialises.
//!
//! A cold first call pays for name resolution, TCP and TLS. In init Lambda grants a full CPU even to small functions, so the same work there takes
//! 1 ms instead of 5 at 128 MB. Prime with the cheapest call that the function may make, and all clients at once:
//!
//! ```no_run
//! # async fn example(dynamodb: aws_sdk_sqs::Client, sqs: aws_sdk_sqs::Client) {
//! use perennial_lambda_kit::prime::prime;
//! tokio::join!(
//!     prime("dynamodb", dynamodb.list_queues().send()),
//!     prime("sqs", sqs.list_queues().send()),
//! );
//! # }
//! ```

use std::time::Duration;

/// A service that does not answer must not cost the init phase its ten seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// The outcome of a priming call. A function continues in every case: the first real call will report a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Primed {
    /// The service answered.
    Answered,
    /// The call failed; a rejection by the service still leaves the connection open.
    Refused,
    /// There was no response within two seconds.
    TimedOut,
}

/// Makes `call` to open its connection. Its error is traced under the client's name, at debug level and without its
/// text, and otherwise ignored.
pub async fn prime<T, E>(client: &'static str, call: impl Future<Output = Result<T, E>>) -> Primed {
    let primed = match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(_)) => Primed::Answered,
        Ok(Err(_)) => Primed::Refused,
        Err(_) => Primed::TimedOut,
    };
    if primed != Primed::Answered {
        tracing::debug!(target: "perennial::prime", client, outcome = ?primed, "priming call failed");
    }
    primed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failing_or_silent_service_does_not_stop_init() {
        assert_eq!(prime("ok", async { Ok::<_, ()>(()) }).await, Primed::Answered);
        assert_eq!(prime("error", async { Err::<(), _>("refused") }).await, Primed::Refused);
        assert_eq!(prime("silent", std::future::pending::<Result<(), ()>>()).await, Primed::TimedOut);
    }
}
