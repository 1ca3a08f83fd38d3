//! Logs: one JSON object a line on stdout, which Lambda forwards to CloudWatch.
//!
//! Only our own code logs at the level of `LOG_LEVEL`. The SDK and the HTTP stack are limited to warnings at any level,
//! because below that they log requests, and so bodies, addresses and keys.

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::env::{Env, EnvError};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The environment is wrong.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// Something else has set up logging in this process already.
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
}

/// Sets up logs and metrics for the function `name` (the name of its binary). Call it once, first thing in `main`.
///
/// # Errors
/// [`TelemetryError`] if `LOG_LEVEL` is not a level, or on a second call.
pub fn init(name: &'static str, env: &Env) -> Result<(), TelemetryError> {
    let level = env.optional("LOG_LEVEL", "one of error, warn, info, debug, trace")?.unwrap_or(Level::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        // Lambda's request id is a field of the runtime's span.
        .with_current_span(true)
        .with_span_list(false)
        // CloudWatch stamps every line.
        .without_time();
    tracing_subscriber::registry().with(filter(name, level)).with(lines).try_init()?;
    crate::metrics::enable(env.optional("AWS_LAMBDA_FUNCTION_NAME", "the name of a function")?);
    Ok(())
}

fn filter(name: &'static str, level: Level) -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN.min(LevelFilter::from_level(level)))
        // The span that carries the request id; the runtime logs payloads at trace only.
        .with_target("lambda_runtime", LevelFilter::INFO.min(LevelFilter::from_level(level)))
        .with_target("perennial", level)
        .with_target(name, level)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_our_own_code_speaks_below_warnings() {
        let filter = filter("ingest", Level::TRACE);
        assert!(filter.would_enable("perennial_ingest::handler", &Level::TRACE));
        assert!(filter.would_enable("ingest", &Level::TRACE));
        assert!(filter.would_enable("aws_smithy_runtime::client", &Level::WARN));
        for loud in ["aws_smithy_runtime::client", "hyper_util::client", "lambda_runtime::layers::api_response"] {
            assert!(!filter.would_enable(loud, &Level::DEBUG), "{loud} may print a body");
        }
    }

    #[test]
    fn a_quieter_level_holds_for_everyone() {
        let filter = filter("ingest", Level::ERROR);
        for target in ["perennial_ingest", "lambda_runtime", "hyper_util"] {
            assert!(!filter.would_enable(target, &Level::WARN));
            assert!(filter.would_enable(target, &Level::ERROR));
        }
    }

    #[test]
    fn a_wrong_level_is_an_error_and_not_a_default() {
        let error = init("ingest", &Env::from_pairs([("LOG_LEVEL", "loud")])).unwrap_err();
        assert!(error.to_string().starts_with("LOG_LEVEL is invalid"));
    }
}
