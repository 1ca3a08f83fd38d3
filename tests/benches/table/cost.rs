//! Units, requests and dollars an event: counted on the embedded services, priced by `prices.toml`.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use perennial_config::deployment::{Deployment, Function};
use serde::Deserialize;

use crate::progress::Progress;
use crate::report::{Goal, Row};
use crate::road::{Invocations, Road, Used};
use crate::{active, bodies};

/// Dollars; see `prices.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    dynamodb_write_units: f64,
    dynamodb_read_units: f64,
    sqs_requests: f64,
    lambda_requests: f64,
    s3_puts: f64,
    lambda_gb_seconds: f64,
    assumed: Assumed,
}

/// Costs that are not counted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Assumed {
    seconds_per_invocation: f64,
}

/// A shape of steady traffic.
struct Traffic {
    events_a_post: usize,
    events_a_person: usize,
    /// The requests in one batching window.
    posts_a_batch: usize,
    /// Batches until every profile's window of recent ids is full and moves blocks to the ledger.
    warm_up: usize,
    /// Batches that are counted: a whole number of ledger blocks, about.
    counted: usize,
    /// Write units, read units, SQS requests, dollars a million.
    goals: [Goal; 4],
}

/// Goals of the README's table; the shapes without goals are stated only.
const SHAPES: [Traffic; 4] = [
    Traffic {
        events_a_post: 20,
        events_a_person: 3,
        posts_a_batch: 50,
        warm_up: 17,
        counted: 11,
        goals: [Goal::AtMost(0.50), Goal::AtMost(0.20), Goal::AtMost(0.07), Goal::AtMost(0.40)],
    },
    Traffic {
        events_a_post: 1,
        events_a_person: 1,
        posts_a_batch: 100,
        warm_up: 50,
        counted: 32,
        goals: [Goal::AtMost(1.25), Goal::Stated, Goal::Stated, Goal::AtMost(1.55)],
    },
    Traffic {
        events_a_post: 100,
        events_a_person: 5,
        posts_a_batch: 20,
        warm_up: 10,
        counted: 13,
        goals: [Goal::Stated; 4],
    },
    // One event a second: nothing is shared with others, neither a batch nor an object of the archive.
    Traffic {
        events_a_post: 1,
        events_a_person: 1,
        posts_a_batch: 1,
        warm_up: 60,
        counted: 48,
        goals: [Goal::Stated; 4],
    },
];

/// Returns the rows of this part.
pub(crate) fn rows(progress: &mut Progress) -> Result<Vec<Row>> {
    let prices: Prices = toml::from_str(include_str!("prices.toml")).context("prices.toml")?;
    let mut rows = Vec::new();
    for traffic in &SHAPES {
        let rate = if traffic.posts_a_batch == 1 { ", one event a second" } else { "" };
        let shape = format!("({}, {}{rate})", traffic.events_a_post, traffic.events_a_person);
        progress.begin(&format!("cost at {shape}"), traffic.warm_up + traffic.counted);
        let (used, events, deployment) = traffic.run(progress)?;
        rows.extend(present(&shape, traffic, &used, events as f64, &prices, &deployment));
    }
    rows.extend(active::rows(progress)?);
    Ok(rows)
}

impl Traffic {
    /// Sends the traffic and returns the usage of the counted part, and its number of events.
    fn run(&self, progress: &mut Progress) -> Result<(Used, usize, Deployment)> {
        let mut road = Road::start(moment(0))?;
        let people_a_post = self.events_a_post.div_ceil(self.events_a_person);
        for batch in 0..self.warm_up + self.counted {
            progress.step("batch");
            if batch == self.warm_up {
                road.reset()?;
            }
            let now = moment(batch);
            road.at(now);
            for post in 0..self.posts_a_batch {
                let first = (batch * self.posts_a_batch + post) * self.events_a_post;
                road.post(&bodies::batch(self.events_a_post, self.events_a_person, first, post * people_a_post, now))?;
            }
            road.score()?;
        }
        let events = self.counted * self.posts_a_batch * self.events_a_post;
        Ok((road.used()?, events, road.deployment().clone()))
    }
}

/// Returns the time of a batch: a person is seen every two hours.
fn moment(batch: usize) -> Timestamp {
    let hours = i64::try_from(batch).unwrap_or_default().saturating_mul(2);
    bodies::START.checked_add(SignedDuration::from_hours(hours)).unwrap_or(bodies::START)
}

fn present(
    shape: &str,
    traffic: &Traffic,
    used: &Used,
    events: f64,
    prices: &Prices,
    deployment: &Deployment,
) -> Vec<Row> {
    let dynamodb = &used.usage.dynamodb;
    let sqs = &used.usage.sqs;
    let (requests, puts) = (sqs.billed_requests as f64, used.puts as f64);
    let Invocations { ingest, score } = used.invocations;
    let (ingest, score) = (ingest as f64, score as f64);
    let gigabytes = |function: Function| f64::from(function.memory_mb) / 1024.0;
    let weighted = ingest * gigabytes(deployment.ingest) + score * gigabytes(deployment.score);
    let parts = [
        ("writes", dynamodb.write_units * prices.dynamodb_write_units),
        ("reads", dynamodb.read_units * prices.dynamodb_read_units),
        ("SQS", requests * prices.sqs_requests),
        ("invocations", (ingest + score) * prices.lambda_requests),
        ("archive", puts * prices.s3_puts),
        ("compute (assumed)", weighted * prices.assumed.seconds_per_invocation * prices.lambda_gb_seconds * 1e6),
    ]
    .map(|(name, dollars)| (name, dollars / events));
    let total: f64 = parts.iter().map(|(_, dollars)| dollars).sum();
    let parts = parts.map(|(name, dollars)| format!("{name} {dollars:.3}")).join(", ");
    let [writes, reads, billed, dollars] = traffic.goals;
    let most = deployment.score.batch.map_or(1, |batch| batch.messages);
    let counted = format!(
        "{events} events in batches of {} requests, {most} messages at most, known people",
        traffic.posts_a_batch
    );
    let row = |what: &str, goal, unit, measured: f64| {
        Row::new(format!("{shape}: {what}"), goal, unit, Ok::<_, String>(measured))
    };
    vec![
        row("write units an event", writes, "", dynamodb.write_units / events).note(counted),
        row("read units an event", reads, "", dynamodb.read_units / events),
        row("billed SQS requests an event", billed, "", requests / events),
        row("$ a million events, mail excluded", dollars, " $", total).note(parts),
    ]
}
