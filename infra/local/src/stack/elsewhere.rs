//! Functions that run outside of this process, to try or debug one against the whole system.
//!
//! They are called through Lambda's Invoke API (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>), as
//! `cargo lambda watch` serves it.

use super::event_source::EventSource;
use anyhow::Context;
use futures::future::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// The functions that queues and schedules call; `ingest` and `api` are called by their clients.
pub const CALLED: [&str; 6] = ["score", "sweep", "rollup", "deliver", "report", "import"];

/// The longest that a call takes on Lambda.
const LONGEST: Duration = Duration::from_secs(900);

/// Which functions do not run here.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere {
    /// Their names, from [`CALLED`].
    pub functions: Vec<String>,
    /// The base URL of the Invoke API. With `None` they are not called: their messages stay in the queue.
    pub invoke: Option<String>,
}

/// Calls one function.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    http: reqwest::Client,
    url: String,
}

impl Elsewhere {
    /// Returns whether `function` does not run in this process.
    pub(super) fn has(&self, function: &str) -> bool {
        self.functions.iter().any(|name| name == function)
    }

    /// Returns the caller of `function`, if there is an address.
    pub(super) fn caller(&self, function: &str) -> Option<Caller> {
        let base = self.invoke.as_ref()?.trim_end_matches('/');
        let url = format!("{base}/2015-03-31/functions/{function}/invocations");
        Some(Caller { http: reqwest::Client::new(), url })
    }

    /// The source as it feeds its function where that runs; `None` where it is not to be fed.
    pub(super) fn lead(&self, source: EventSource) -> Option<EventSource> {
        if !self.has(source.function) {
            return Some(source);
        }
        let caller = self.caller(source.function)?;
        let handler = Arc::new(move |event| {
            let caller = caller.clone();
            async move { caller.call(&event).await }.boxed()
        });
        Some(EventSource { handler, ..source })
    }
}

impl Caller {
    /// Returns the function's response to `payload`.
    ///
    /// # Errors
    /// If there is no response in time, the function fails, or its response is invalid.
    pub(super) async fn call<A: DeserializeOwned>(&self, payload: &impl Serialize) -> anyhow::Result<A> {
        let answer = self.http.post(&self.url).timeout(LONGEST).json(payload).send().await?;
        let status = answer.status();
        let failed = answer.headers().contains_key("x-amz-function-error");
        let body = answer.bytes().await?;
        anyhow::ensure!(
            status.is_success() && !failed,
            "the function failed: {status} {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).context("the function's answer cannot be read")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::post;

    fn source(function: &'static str) -> EventSource {
        let handler = Arc::new(|_| async { anyhow::bail!("called here") }.boxed());
        EventSource { function, queue_url: String::new(), batch_size: 1, handler }
    }

    async fn invoke_api() -> String {
        let fails = post(|| async { ([("x-amz-function-error", "Unhandled")], r#"{"errorMessage": "no"}"#) });
        let router = Router::new()
            .route(
                "/2015-03-31/functions/score/invocations",
                post(|| async { r#"{"batchItemFailures": [{"itemIdentifier": "1"}]}"# }),
            )
            .route("/2015-03-31/functions/rollup/invocations", fails)
            .route("/2015-03-31/functions/deliver/invocations", post(|| async { StatusCode::BAD_GATEWAY }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        base
    }

    async fn call(elsewhere: &Elsewhere, function: &'static str) -> anyhow::Result<SqsBatchResponse> {
        (elsewhere.lead(source(function)).unwrap().handler)(SqsEvent::default()).await
    }

    #[tokio::test]
    async fn a_function_elsewhere_is_called_there_and_its_failures_are_failures_here() {
        let functions = ["score", "rollup", "deliver"].map(str::to_owned).to_vec();
        let elsewhere = Elsewhere { functions, invoke: Some(invoke_api().await) };
        assert_eq!(call(&elsewhere, "score").await.unwrap().batch_item_failures[0].item_identifier, "1");
        for fails in ["rollup", "deliver"] {
            assert!(
                call(&elsewhere, fails).await.unwrap_err().to_string().starts_with("the function failed"),
                "{fails}"
            );
        }
    }

    #[tokio::test]
    async fn nobody_calls_a_function_that_is_nowhere_and_all_others_run_here() {
        let elsewhere = Elsewhere { functions: vec!["score".to_owned()], invoke: None };
        assert!(elsewhere.lead(source("score")).is_none());
        assert_eq!(call(&elsewhere, "deliver").await.unwrap_err().to_string(), "called here");
    }
}
