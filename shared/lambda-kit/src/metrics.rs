//! CloudWatch metrics in the embedded metric format: one JSON line on stdout, no call and no agent.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::io::Write;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The count of configurations that a function compiled because it found no compiled form in its own format: after a
/// deployment of another version of the code, until the next push. Starts take about five times the instructions until then.
pub const CONFIGS_COMPILED: &str = "ConfigsCompiled";

/// Set by [`crate::telemetry::init`]: only a process whose stdout is a function's log writes metrics there. Contains
/// the deployed function's name, if it is deployed.
static ENABLED: OnceLock<Option<String>> = OnceLock::new();

/// Enables metrics. `deployed` distinguishes the stages of an account: `perennial-live-score`.
pub(crate) fn enable(deployed: Option<String>) {
    ENABLED.get_or_init(|| deployed);
}

/// Counts and durations of one invocation. Their dimension `function` is the deployed function's name, or its own name
/// elsewhere.
#[derive(Debug, Clone)]
pub struct Metrics {
    namespace: &'static str,
    function: &'static str,
    values: Vec<(&'static str, Unit, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Count,
    Milliseconds,
    Bytes,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
        }
    }
}

impl Metrics {
    /// An empty set for `function` in `namespace`.
    #[must_use]
    pub const fn new(namespace: &'static str, function: &'static str) -> Self {
        Self { namespace, function, values: Vec::new() }
    }

    /// Adds to a count; zero is left out, and the same name twice adds up.
    #[must_use]
    pub fn count(self, name: &'static str, n: u64) -> Self {
        if n == 0 { self } else { self.with(name, Unit::Count, n) }
    }

    /// Adds a duration in whole milliseconds.
    #[must_use]
    pub fn millis(self, name: &'static str, ms: u64) -> Self {
        self.with(name, Unit::Milliseconds, ms)
    }

    /// Adds a size in bytes.
    #[must_use]
    pub fn bytes(self, name: &'static str, bytes: u64) -> Self {
        self.with(name, Unit::Bytes, bytes)
    }

    fn with(mut self, name: &'static str, unit: Unit, value: u64) -> Self {
        match self.values.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, sum)) => *sum = sum.saturating_add(value),
            None => self.values.push((name, unit, value)),
        }
        self
    }

    /// Returns the log line of the function called `function`, or `None` if nothing was counted.
    #[must_use]
    pub fn render(&self, function: &str, now: Timestamp) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        let metrics: Vec<Value> =
            self.values.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit.name() })).collect();
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": now.as_millisecond(),
                "CloudWatchMetrics": [{ "Namespace": self.namespace, "Dimensions": [["function"]], "Metrics": metrics }],
            }),
        );
        line.insert("function".to_owned(), function.into());
        for (name, _, value) in &self.values {
            line.insert((*name).to_owned(), (*value).into());
        }
        Some(Value::Object(line).to_string())
    }

    /// Writes the line to stdout, if [`crate::telemetry::init`] was called in this process and anything was counted.
    pub fn emit(&self, now: Timestamp) {
        let Some(deployed) = ENABLED.get() else { return };
        if let Some(mut line) = self.render(deployed.as_deref().unwrap_or(self.function), now) {
            line.push('\n');
            if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
                tracing::debug!("failed to write metrics");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_declares_every_metric_it_carries() {
        let line = Metrics::new("Perennial", "ingest")
            .count("EventsAccepted", 3)
            .count("EventsAccepted", 4)
            .count("EventsRejected", 0)
            .millis("Lag", 12)
            .render("perennial-live-ingest", Timestamp::from_millisecond(1_700_000_000_000).unwrap())
            .unwrap();
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value,
            json!({
                "_aws": { "Timestamp": 1_700_000_000_000_i64, "CloudWatchMetrics": [{
                    "Namespace": "Perennial",
                    "Dimensions": [["function"]],
                    "Metrics": [{ "Name": "EventsAccepted", "Unit": "Count" }, { "Name": "Lag", "Unit": "Milliseconds" }],
                }]},
                "function": "perennial-live-ingest", "EventsAccepted": 7, "Lag": 12,
            })
        );
        assert!(!line.contains('\n'));
    }

    #[test]
    fn when_nothing_was_counted_no_line_is_written() {
        let metrics = Metrics::new("Perennial", "ingest").count("EventsAccepted", 0);
        assert_eq!(metrics.render("ingest", Timestamp::UNIX_EPOCH), None);
    }
}
