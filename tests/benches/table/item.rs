//! The size of a stored profile: every started kilobyte is a write unit.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use perennial_sample::{SEED, company};
use serde_json::{Value, json};

use crate::bodies::START;
use crate::progress::Progress;
use crate::report::{Goal, Row, percentile};
use crate::road::Road;
use crate::services::TABLE;

/// Calls are sent and scored by the hour.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Calls of one request at most.
const AT_ONCE: usize = 100;

/// Returns the rows of this part.
pub(crate) fn rows(progress: &mut Progress) -> Result<Vec<Row>> {
    let sizes = sample_people(progress)?;
    let at = |percent| percentile(sizes.iter().copied(), percent).context("the sample has no people");
    let people = sizes.len();
    let fits = sizes.iter().filter(|bytes| **bytes <= 1024.0).count() * 100 / people.max(1);
    Ok(vec![
        Row::new("profile item, typical person of the sample company", Goal::AtMost(1024.0), " B", at(50))
            .note(format!("median of {people} people after 120 days; {fits} % fit in 1 KB")),
        Row::new("profile item, 90th percentile", Goal::Stated, " B", at(90)),
    ])
}

/// Returns the sizes of all profiles after the sample company's 120 days were processed.
fn sample_people(progress: &mut Progress) -> Result<Vec<f64>> {
    let calls: Vec<(Timestamp, Value)> = company(START, SEED).into_calls().map(|call| (call.at, call.body)).collect();
    let begin = calls.first().context("the sample is empty")?.0;
    let mut road = Road::start(begin)?;
    progress.begin("the sample company", calls.len());
    let mut rest = calls.as_slice();
    while let Some((first, _)) = rest.first() {
        let until = first.checked_add(WINDOW)?;
        let (now, later) = rest.split_at(rest.partition_point(|(at, _)| *at < until));
        road.at(until);
        for calls in now.chunks(AT_ONCE) {
            calls.iter().for_each(|_| progress.step("calls"));
            let batch: Vec<&Value> = calls.iter().map(|(_, body)| body).collect();
            road.post(&json!({ "batch": batch }).to_string())?;
        }
        road.score()?;
        rest = later;
    }
    road.services.runtime.block_on(profile_sizes(&road.services.dynamodb))
}

async fn profile_sizes(dynamodb: &aws_sdk_dynamodb::Client) -> Result<Vec<f64>> {
    let mut sizes = Vec::new();
    let mut from = None;
    loop {
        let page = dynamodb.scan().table_name(TABLE).set_exclusive_start_key(from).send().await?;
        // Pointers of merged profiles have no state.
        sizes.extend(page.items().iter().filter(|item| item.contains_key("state")).map(|item| size(item) as f64));
        from = page.last_evaluated_key;
        if from.is_none() {
            return Ok(sizes);
        }
    }
}

/// Returns the bytes that DynamoDB counts: names and values, numbers at two digits a byte and one more.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(item: &HashMap<String, AttributeValue>) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        _ => 1,
    };
    item.iter().map(|(name, of)| name.len() + value(of)).sum()
}
