//! Injects faults in front of the services, as a network and three busy services produce them, reproducible by a seed.
//!
//! There are four kinds: a call is throttled before it does anything; it is applied and its response is lost; some
//! entries of a batch are rejected though the call succeeds; a transaction conflicts with another one. A correct caller
//! handles all of them: the SDK retries, the rest is the caller's duty. The layer is outside of the meter, so throttled
//! calls are not billed and applied ones are.

mod batches;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::http::{Answer, Answering, Call, Outcome, Service, ServiceKind};
use super::random::SplitMix64;

use self::batches::Split;

/// The probability of each kind of fault, each in `0.0..=1.0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultRates {
    /// The call is refused with the service's throttling error, not applied.
    pub throttle: f64,
    /// The call is applied, then the connection is closed or a 500 is answered, one as often as the other.
    pub lose_answer: f64,
    /// Batch calls only: at least one entry, and each other with even odds, is not applied and reported as failed or unprocessed.
    pub partial: f64,
    /// DynamoDB transactions only: `TransactionCanceledException` with `TransactionConflict`, not applied.
    pub conflict: f64,
}

/// Which faults to inject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultPlan {
    /// The seed: the n-th call of a service has the same fault in every run with the same seed and rates.
    pub seed: u64,
    /// In front of DynamoDB.
    pub dynamodb: FaultRates,
    /// In front of SQS.
    pub sqs: FaultRates,
    /// In front of SES.
    pub ses: FaultRates,
}

impl FaultPlan {
    /// Returns every kind of fault with probability `rate`, in front of every service.
    #[must_use]
    pub fn uniform(seed: u64, rate: f64) -> Self {
        let rates = FaultRates { throttle: rate, lose_answer: rate, partial: rate, conflict: rate };
        Self { seed, dynamodb: rates, sqs: rates, ses: rates }
    }

    fn rates(&self, service: ServiceKind) -> FaultRates {
        match service {
            ServiceKind::DynamoDb => self.dynamodb,
            ServiceKind::Sqs => self.sqs,
            ServiceKind::Ses => self.ses,
        }
    }
}

/// A kind of injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Refused, not applied.
    Throttle,
    /// Applied, then the connection was closed.
    Hangup,
    /// Applied, then a 500 was answered.
    ServerError,
    /// Some entries of a batch were not applied.
    Partial,
    /// A transaction was cancelled, not applied.
    Conflict,
}

/// The number of injected faults, by service and kind.
pub type FaultCounts = BTreeMap<ServiceKind, BTreeMap<FaultKind, u64>>;

/// The switch and the counters of the fault layers. Cheap to clone; clones share both.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    plan: FaultPlan,
    on: AtomicBool,
    counts: Mutex<FaultCounts>,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self(Arc::new(Shared { plan, on: AtomicBool::new(true), counts: Mutex::default() }))
    }

    /// Turns the faults on or off, from the next call on. They are on initially.
    pub fn switch(&self, on: bool) {
        self.0.on.store(on, Ordering::Relaxed);
    }

    /// Returns what was injected so far.
    #[must_use]
    pub fn counts(&self) -> FaultCounts {
        self.counted().clone()
    }

    fn counted(&self) -> MutexGuard<'_, FaultCounts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, service: ServiceKind, kind: FaultKind) {
        *self.counted().entry(service).or_default().entry(kind).or_default() += 1;
    }

    /// `service` behind a fault layer.
    pub(crate) fn around(&self, kind: ServiceKind, service: Arc<dyn Service>) -> Arc<dyn Service> {
        // Each service has its own sequence, so that the calls of one do not change the faults of another.
        let own = match kind {
            ServiceKind::DynamoDb => 1,
            ServiceKind::Sqs => 2,
            ServiceKind::Ses => 3,
        };
        let random = Mutex::new(SplitMix64::new(SplitMix64::new(self.0.plan.seed ^ own).next_u64()));
        Arc::new(Layer { kind, rates: self.0.plan.rates(kind), faults: self.clone(), random, inner: service })
    }
}

/// The fault of one call.
#[derive(Debug, Clone, Copy)]
struct Fate {
    throttle: bool,
    conflict: bool,
    partial: bool,
    lose: bool,
    hang_up: bool,
    /// Chooses the entries of a partial failure.
    choice: u64,
}

struct Layer {
    kind: ServiceKind,
    rates: FaultRates,
    faults: Faults,
    random: Mutex<SplitMix64>,
    inner: Arc<dyn Service>,
}

impl Layer {
    /// Draws the fault of the next call: always the same number of random numbers, so that one fault does not shift the
    /// next.
    fn draw(&self) -> Fate {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut strikes = |rate: f64| random.next_unit() < rate;
        let (throttle, conflict, partial) =
            (strikes(self.rates.throttle), strikes(self.rates.conflict), strikes(self.rates.partial));
        let (lose, hang_up) = (strikes(self.rates.lose_answer), strikes(0.5));
        Fate { throttle, conflict, partial, lose, hang_up, choice: random.next_u64() }
    }

    async fn disturb(&self, call: Call) -> Outcome {
        if !self.faults.0.on.load(Ordering::Relaxed) {
            return Arc::clone(&self.inner).call(call).await;
        }
        let fate = self.draw();
        let operation = self.kind.operation(&call);
        if fate.throttle {
            self.faults.count(self.kind, FaultKind::Throttle);
            return Outcome::Answer(throttled(self.kind));
        }
        if fate.conflict
            && let Some(answer) = batches::conflict(self.kind, &operation, &call.body, fate.choice)
        {
            self.faults.count(self.kind, FaultKind::Conflict);
            return Outcome::Answer(answer);
        }
        let split = if fate.partial { batches::split(self.kind, &operation, &call.body, fate.choice) } else { None };
        let outcome = match split {
            Some(split) => {
                self.faults.count(self.kind, FaultKind::Partial);
                self.apply_part(call, split).await
            }
            None => Arc::clone(&self.inner).call(call).await,
        };
        if !fate.lose {
            return outcome;
        }
        if fate.hang_up {
            self.faults.count(self.kind, FaultKind::Hangup);
            return Outcome::Hangup;
        }
        self.faults.count(self.kind, FaultKind::ServerError);
        Outcome::Answer(server_error(self.kind))
    }

    /// Applies what a partial failure leaves of a batch, and reports the rest as failed.
    async fn apply_part(&self, mut call: Call, split: Split) -> Outcome {
        let Some(rest) = split.rest else {
            return Outcome::Answer(Answer::json(StatusCode::OK, AWS_JSON, split.refused.alone().to_string()));
        };
        call.body = rest.into();
        match Arc::clone(&self.inner).call(call).await {
            Outcome::Answer(answer) if answer.status == StatusCode::OK => {
                Outcome::Answer(split.refused.merged_into(answer))
            }
            other => other,
        }
    }
}

impl Service for Layer {
    fn call(self: Arc<Self>, call: Call) -> Answering {
        Box::pin(async move { self.disturb(call).await })
    }
}

const AWS_JSON: &str = "application/x-amz-json-1.0";
const REST_JSON: &str = "application/json";

/// The throttling error of a service, as its SDK knows to retry it.
fn throttled(service: ServiceKind) -> Answer {
    match service {
        ServiceKind::DynamoDb => {
            let shape = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
            let message = "The level of configured provisioned throughput for the table was exceeded.";
            Answer::json(StatusCode::BAD_REQUEST, AWS_JSON, json!({ "__type": shape, "message": message }).to_string())
        }
        ServiceKind::Sqs => {
            let body = json!({ "__type": "com.amazonaws.sqs#RequestThrottled", "message": "Rate exceeded." });
            Answer::json(StatusCode::BAD_REQUEST, AWS_JSON, body.to_string())
                .with_header("x-amzn-query-error", "RequestThrottled;Sender")
        }
        ServiceKind::Ses => Answer::json(
            StatusCode::TOO_MANY_REQUESTS,
            REST_JSON,
            json!({ "message": "Too many requests." }).to_string(),
        )
        .with_header("x-amzn-errortype", "TooManyRequestsException"),
    }
}

/// Returns a 500 that does not say whether the call was applied.
fn server_error(service: ServiceKind) -> Answer {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    match service {
        ServiceKind::DynamoDb => {
            let shape = "com.amazonaws.dynamodb.v20120810#InternalServerError";
            Answer::json(status, AWS_JSON, json!({ "__type": shape, "message": "Internal server error" }).to_string())
        }
        ServiceKind::Sqs => Answer::json(
            status,
            AWS_JSON,
            json!({ "__type": "InternalFailure", "message": "Internal failure." }).to_string(),
        )
        .with_header("x-amzn-query-error", "InternalFailure;Receiver"),
        ServiceKind::Ses => Answer::json(status, REST_JSON, json!({ "message": "Internal failure." }).to_string())
            .with_header("x-amzn-errortype", "InternalServiceErrorException"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    /// Answers 200 to all.
    struct Fine;

    impl Service for Fine {
        fn call(self: Arc<Self>, _: Call) -> Answering {
            Box::pin(async { Outcome::Answer(Answer::json(StatusCode::OK, AWS_JSON, "{}")) })
        }
    }

    async fn fates(seed: u64) -> (String, FaultCounts) {
        let faults = Faults::new(FaultPlan::uniform(seed, 0.2));
        let layer = faults.around(ServiceKind::Sqs, Arc::new(Fine));
        let mut story = String::new();
        for _ in 0..500 {
            let call = Call {
                method: Method::POST,
                path: "/".to_owned(),
                query: None,
                headers: HeaderMap::new(),
                body: Bytes::new(),
            };
            story.push(match Arc::clone(&layer).call(call).await {
                Outcome::Hangup => 'h',
                Outcome::Answer(answer) => match answer.status.as_u16() {
                    200 => '.',
                    400 => 't',
                    _ => '5',
                },
            });
        }
        (story, faults.counts())
    }

    #[tokio::test]
    async fn the_same_seed_gives_the_same_fates_and_another_seed_others() {
        let (one, counts) = fates(7).await;
        assert_eq!((one.clone(), counts.clone()), fates(7).await);
        assert_ne!(one, fates(8).await.0);
        let counted = |kind| counts.get(&ServiceKind::Sqs).and_then(|kinds| kinds.get(&kind)).copied().unwrap_or(0);
        let told = |mark| u64::try_from(one.matches(mark).count()).unwrap();
        assert_eq!(counted(FaultKind::Throttle), told('t'));
        assert_eq!(counted(FaultKind::Hangup), told('h'));
        assert_eq!(counted(FaultKind::ServerError), told('5'));
        assert!(told('t') > 60 && told('h') > 20 && told('5') > 20 && told('.') > 200, "{one}");
    }
}
