//! The embedded stack, found by its URL: it reports where its services are.

use super::{Kind, Operated};
use anyhow::Context;
use perennial_lambda_kit::aws::AwsEnv;
use perennial_lambda_kit::queue::WatchedQueue;
use perennial_lambda_kit::{Clock, Env, aws};
use perennial_local::stack::queues::NAMES;
use perennial_store::archive::s3::S3Access;
use perennial_store::{Archive, Store};
use serde_json::Value;

/// Connects to the services of the stack at `base`, from the environments of its `api` and `score`, and its time.
///
/// # Errors
/// If the environments contain no services.
pub(crate) fn connect(base: &str, api: &Value, score: &Value, time: &Value) -> anyhow::Result<Operated> {
    let of = |environment: &Value, name: &str| {
        let text = environment[name].as_str().map(str::to_owned);
        text.with_context(|| format!("the system at {base} does not report its {name}"))
    };
    let pairs = api.as_object().into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let env = Env::from_pairs(pairs);
    let config = aws::sdk_config(&AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let mut queues = Vec::new();
    for name in NAMES {
        let key = name.to_uppercase().replace('-', "_");
        let (url, dlq_url) = (of(api, &format!("{key}_QUEUE_URL"))?, of(api, &format!("{key}_DLQ_URL"))?);
        queues.push(WatchedQueue { name: name.to_owned(), url, dlq_url });
    }
    Ok(Operated {
        name: base.to_owned(),
        store: Store::new(aws_sdk_dynamodb::Client::new(&config), of(api, "TABLE")?),
        sqs: aws_sdk_sqs::Client::new(&config),
        queues,
        archive: Archive::open(&of(score, "ARCHIVE")?, &S3Access::new(&config, aws::http_connector(&env)?))?,
        kind: Kind::Embedded,
        aws: config,
        clock: clock(time)?,
    })
}

/// Returns the clock of a stack with this `time`: simulated time stands at the moment at which it was read.
fn clock(time: &Value) -> anyhow::Result<Clock> {
    if time["simulated"] != Value::Bool(true) {
        return Ok(Clock::system());
    }
    let now = time["now"].as_str().and_then(|now| now.parse().ok()).context("the stack does not report its time")?;
    Ok(Clock::simulated(now).0)
}
