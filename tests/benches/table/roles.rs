//! The setting of each function: its environment, and a first event that is new to it in every run.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use perennial_lambda_kit::Clock;
use ring::digest;
use serde_json::{Value, json};

use crate::binaries::workspace;
use crate::services::Services;
use crate::starts::Role;
use crate::{bodies, house};

/// The api's key.
const API_KEY: &str = "a key of the benchmark's own";
/// Events of the request and of the batch; three of a person.
const EVENTS: usize = 20;
/// The first person of the runs.
const FIRST_PERSON: usize = 1_000_000;

/// The roles of all functions; `archive` is a directory for the events that `score` keeps.
pub(crate) fn roles(services: &Services, archive: &Path) -> Result<BTreeMap<String, Role>> {
    let mut variables = services.variables();
    variables.extend(
        [
            ("PUBLIC_URL", "https://perennial.example"),
            ("UNSUBSCRIBE_KEYS", "a key of the benchmark's own with more than 32 bytes"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    variables.push((
        "API_KEY_HASHES".to_owned(),
        HEXLOWER.encode(digest::digest(&digest::SHA256, API_KEY.as_bytes()).as_ref()),
    ));
    variables.push(("ARCHIVE".to_owned(), format!("file://{}", archive.display())));
    let mut roles = BTreeMap::new();
    let mut cast = |name: &str, event: Box<dyn Fn(usize) -> Vec<u8>>| {
        roles.insert(name.to_owned(), Role { variables: variables.clone(), event });
    };
    cast("clients", Box::new(|_| b"{}".to_vec()));
    cast("ingest", Box::new(|life| function_url("/v1/batch", &new_batch(life)).into_bytes()));
    let scored = messages(EVENTS)?;
    cast("score", Box::new(move |life| sqs_event(&[renamed(&scored, life)]).into_bytes()));
    let decision = first_record("deliver/messages.json")?;
    cast("deliver", Box::new(move |life| sqs_event(&[redecided(&decision, life)]).into_bytes()));
    let changed = first_record("rollup/changed.json")?;
    cast("rollup", Box::new(move |_| sqs_event(std::slice::from_ref(&changed)).into_bytes()));
    let schedule = sample("sweep/schedule.json")?;
    cast("sweep", Box::new(move |_| schedule.clone().into_bytes()));
    let mut status: Value = serde_json::from_str(&sample("api/status.json")?)?;
    status["headers"]["authorization"] = format!("Bearer {API_KEY}").into();
    let status = status.to_string();
    cast("api", Box::new(move |_| status.clone().into_bytes()));
    // Without an identity provider: the page that says so.
    let people = sample("dashboard/people.json")?;
    cast("dashboard", Box::new(move |_| people.clone().into_bytes()));
    Ok(roles)
}

/// A sample payload of the repository.
fn sample(name: &str) -> Result<String> {
    let path = workspace().join("events").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The body of the first record of a sample batch.
fn first_record(name: &str) -> Result<String> {
    let event: Value = serde_json::from_str(&sample(name)?)?;
    Ok(event["Records"][0]["body"].as_str().context("the sample has no record")?.to_owned())
}

fn new_batch(life: usize) -> String {
    bodies::batch(EVENTS, 3, life * EVENTS, FIRST_PERSON + life * EVENTS, bodies::START)
}

/// The message that `ingest` makes of a batch.
fn messages(events: usize) -> Result<String> {
    let queue = Arc::new(perennial_lambda_kit::queue::MemoryQueue::new());
    let config = Arc::new(house::config()?);
    let ingest = house::ingest(&config, &queue, Clock::simulated(house::now()).0);
    let request = house::request(&bodies::batch(events, 3, 0, FIRST_PERSON, bodies::START))?;
    let answer = futures::FutureExt::now_or_never(perennial_ingest::handler::handle(&ingest, request));
    anyhow::ensure!(answer.is_some_and(|answer| answer.status().is_success()), "ingest refuses the batch");
    queue.bodies().into_iter().next().context("ingest sends nothing")
}

/// Returns the message with other people and other message ids.
fn renamed(message: &str, life: usize) -> String {
    message.replace("user-01", &format!("user-{life:02}-")).replace("lkrhqs", &format!("life{life:02}"))
}

/// The decision under another id: a repeated one would not be sent.
fn redecided(body: &str, life: usize) -> String {
    let Ok(mut payload) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or_default());
    if let Some(id) = payload["decision.v1"]["id"].as_str() {
        let renamed: String = [letter(life / 26), letter(life)].into_iter().chain(id.chars().skip(2)).collect();
        payload["decision.v1"]["id"] = renamed.into();
    }
    payload.to_string()
}

/// An SQS batch, as Lambda hands it over.
fn sqs_event(bodies: &[String]) -> String {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(nth, body)| {
            json!({
                "messageId": format!("5b0c1d52-7d0a-4a6e-9f0e-{nth:012}"),
                "receiptHandle": "receipt",
                "body": body,
                "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1767225600000" },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:bench",
                "awsRegion": "eu-central-1",
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

/// A request to a function URL, payload format 2.0.
fn function_url(path: &str, body: &str) -> String {
    let host = "abcdefghijklmnop.lambda-url.eu-central-1.on.aws";
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "host": host, "content-type": "application/json", "x-write-key": house::WRITE_KEY, "x-forwarded-proto": "https",
            "x-forwarded-for": "192.0.2.10", "user-agent": "analytics-node/2.1.0",
        },
        "requestContext": {
            "accountId": "anonymous", "apiId": "abcdefghijklmnop", "domainName": host, "domainPrefix": "abcdefghijklmnop",
            "http": { "method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10", "userAgent": "analytics-node/2.1.0" },
            "requestId": "a9d6c0de-0000-4000-8000-000000000001", "routeKey": "$default", "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
    .to_string()
}
