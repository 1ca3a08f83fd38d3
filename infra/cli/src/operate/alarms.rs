//! CloudWatch data of a deployed stack: alarms in alarm, and the age of the oldest message in each queue.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::DisplayErrorContext;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StateValue};
use jiff::{SignedDuration, Timestamp};
use perennial_local::stack::queues::NAMES;
use serde::Serialize;
use std::collections::BTreeMap;

/// How far back metrics are read: SQS publishes them every minute, some minutes late.
const BACK: SignedDuration = SignedDuration::from_mins(10);
/// Seconds of one figure.
const PERIOD: i32 = 60;

/// An alarm that is in alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Alarm {
    pub(crate) name: String,
    pub(crate) since: Option<Timestamp>,
    /// Its description in the deployment.
    pub(crate) about: String,
    /// CloudWatch's reason.
    pub(crate) why: String,
}

/// Returns the alarms of `stack` that are in alarm: those that notify its own topic, as another stack's name may begin
/// with this one's.
///
/// # Errors
/// CloudWatch's error.
pub(crate) async fn ringing(cloudwatch: &Client, stack: &str) -> Result<Vec<Alarm>, String> {
    let topic = format!(":{stack}-alarms");
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let request = cloudwatch.describe_alarms().alarm_name_prefix(format!("{stack}-"));
        let answer = request.state_value(StateValue::Alarm).set_next_token(next).send().await;
        let answer = answer.map_err(|error| DisplayErrorContext(error).to_string())?;
        let own = answer.metric_alarms().iter().filter(|alarm| {
            alarm.state_value() == Some(&StateValue::Alarm)
                && alarm.alarm_actions().iter().any(|arn| arn.ends_with(&topic))
        });
        all.extend(own.map(|alarm| Alarm {
            name: alarm.alarm_name().unwrap_or_default().to_owned(),
            since: alarm.state_updated_timestamp().and_then(|at| Timestamp::from_second(at.secs()).ok()),
            about: alarm.alarm_description().unwrap_or_default().to_owned(),
            why: alarm.state_reason().unwrap_or_default().to_owned(),
        }));
        next = answer.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(all);
        }
    }
}

/// Returns the age in seconds of the oldest message in each queue, if SQS published it within the last ten minutes.
///
/// # Errors
/// CloudWatch's error.
pub(crate) async fn ages(cloudwatch: &Client, stack: &str, now: Timestamp) -> Result<BTreeMap<String, u64>, String> {
    let mut request = cloudwatch
        .get_metric_data()
        .start_time(DateTime::from_secs((now - BACK).as_second()))
        .end_time(DateTime::from_secs(now.as_second()));
    for (at, queue) in NAMES.into_iter().enumerate() {
        let dimension = Dimension::builder().name("QueueName").value(format!("{stack}-{queue}")).build();
        let metric = Metric::builder()
            .namespace("AWS/SQS")
            .metric_name("ApproximateAgeOfOldestMessage")
            .dimensions(dimension)
            .build();
        let stat = MetricStat::builder().metric(metric).period(PERIOD).stat("Maximum").build();
        request =
            request.metric_data_queries(MetricDataQuery::builder().id(format!("q{at}")).metric_stat(stat).build());
    }
    let answer = request.send().await.map_err(|error| DisplayErrorContext(error).to_string())?;
    let newest = |result: &aws_sdk_cloudwatch::types::MetricDataResult| {
        let queue = result.id()?.strip_prefix('q')?.parse::<usize>().ok()?;
        let times = result.timestamps().iter().zip(result.values());
        let (_, seconds) = times.max_by_key(|(at, _)| at.secs())?;
        Some((NAMES.get(queue)?.to_string(), *seconds as u64))
    };
    Ok(answer.metric_data_results().iter().filter_map(newest).collect())
}
