//! `deployment.toml`: the resources of queues and functions. CDK, Terraform and the embedded stack all read it.

use crate::error::Reporter;
use crate::spanned::Spanned;
use serde::{Deserialize, Serialize};

/// The resources of queues and functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// All queues.
    pub queues: Queues,
    /// Days for which logs are kept.
    pub log_days: u16,
    /// Accepts events over HTTPS.
    pub ingest: Function,
    /// Counts events and decides.
    pub score: Function,
    /// Finds due timers.
    pub sweep: Function,
    /// Works accounts out.
    pub rollup: Function,
    /// Sends.
    pub deliver: Function,
    /// Makes the reports.
    pub report: Function,
    /// Answers questions over HTTPS.
    pub api: Function,
    /// Shows pages to colleagues over HTTPS.
    pub dashboard: Function,
    /// Imports files of the bucket.
    pub import: Function,
}

/// The settings of all queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queues {
    /// Attempts before a message is moved to the dead-letter queue, 1 to 1,000.
    pub max_receives: u16,
    /// Days after which an unprocessed message is deleted, 1 to 14.
    pub retention_days: u16,
    /// The same of dead letters.
    pub dlq_retention_days: u16,
}

/// The resources of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Megabytes, 128 to 10,240; the processor's share grows with them.
    pub memory_mb: u16,
    /// The longest that one call takes, 1 to 900 seconds.
    pub timeout_seconds: u16,
    /// The reserved concurrency; `None` for the account's unreserved concurrency.
    pub concurrency: Option<u16>,
    /// How it receives from its queues; `None` for a function without any.
    pub batch: Option<Batch>,
}

/// How a queue is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Messages of one call at most, 1 to 10,000.
    pub messages: u16,
    /// Seconds that are waited for a batch to fill, 0 to 300.
    pub window_seconds: u16,
    /// Calls for one queue at once at most, 2 to 1,000.
    pub at_once: u16,
}

/// The visibility timeout as a multiple of the function's timeout, after which an unprocessed message is redelivered.
/// AWS recommends six.
pub const VISIBILITY_TIMEOUTS: u16 = 6;

impl Deployment {
    /// Returns the seconds in which a message of `function`'s queues that always fails exhausts its retries.
    #[must_use]
    pub fn tried_for_seconds(&self, function: Function) -> u64 {
        let timeout = u64::from(function.timeout_seconds);
        u64::from(self.queues.max_receives.saturating_sub(1)) * u64::from(VISIBILITY_TIMEOUTS) * timeout + timeout
    }
}

/// The longest useful timeout of a function behind HTTPS, in seconds: as long as an HTTP API waits.
const HTTP_SECONDS: u16 = 30;
/// Seconds that Lambda lets any call take.
const SECONDS: u16 = 900;
/// Messages up to which a batch needs no window.
const AT_ONCE_RECEIVED: u16 = 10;

impl Default for Deployment {
    /// Suits a company of some hundred thousand events a day.
    fn default() -> Self {
        let function =
            |memory_mb, timeout_seconds| Function { memory_mb, timeout_seconds, concurrency: None, batch: None };
        let fed = |memory_mb, timeout_seconds, messages, window_seconds| Function {
            batch: Some(Batch { messages, window_seconds, at_once: 10 }),
            ..function(memory_mb, timeout_seconds)
        };
        Self {
            // AWS advises at least five for a queue that feeds a function, because a throttled or dying function uses attempts up too.
            queues: Queues { max_receives: 5, retention_days: 4, dlq_retention_days: 14 },
            log_days: 30,
            ingest: function(256, 15),
            score: fed(512, 60, 100, 1),
            sweep: function(256, 60),
            rollup: fed(512, 60, 100, 1),
            deliver: fed(256, 60, 10, 0),
            report: function(1024, 600),
            api: function(256, 15),
            dashboard: function(512, 15),
            // A whole processor, and the longest that Lambda allows: a file has to be read to its end. A file a call.
            import: Function {
                batch: Some(Batch { messages: 1, window_seconds: 0, at_once: 2 }),
                ..function(1769, 900)
            },
        }
    }
}

/// The resources of queues and functions. CDK, Terraform and the embedded stack all read them; a change needs a
/// deployment but no build. The shipped file shows the defaults.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The settings of all queues.
    #[serde(default)]
    queues: RawQueues,
    /// The settings of all functions' logs.
    #[serde(default)]
    logs: RawLogs,
    /// The resources of each function.
    #[serde(default)]
    functions: RawFunctions,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawQueues {
    /// Attempts before a message is moved to the dead-letter queue, 1 to 1000. AWS recommends 5 or more.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    max_receives: Option<Spanned<u16>>,
    /// Days after which an unprocessed message is deleted, 1 to 14.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 14)))]
    retention_days: Option<Spanned<u16>>,
    /// Days after which a dead letter is gone, 1 to 14.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 14)))]
    dlq_retention_days: Option<Spanned<u16>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawLogs {
    /// Days for which logs are kept: one of CloudWatch's values, such as 7, 14, 30, 90 or 365.
    retention_days: Option<Spanned<u16>>,
}

/// The periods that CloudWatch keeps logs for, up to a year.
const LOG_DAYS: [u16; 12] = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365];

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawFunctions {
    /// Accepts events over HTTPS.
    #[serde(default)]
    ingest: RawFunction,
    /// Counts events into profiles and decides.
    #[serde(default)]
    score: RawFunction,
    /// Finds due timers.
    #[serde(default)]
    sweep: RawFunction,
    /// Works accounts out.
    #[serde(default)]
    rollup: RawFunction,
    /// Sends messages.
    #[serde(default)]
    deliver: RawFunction,
    /// Makes the reports.
    #[serde(default)]
    report: RawFunction,
    /// Answers questions, and shows readers their choices, over HTTPS.
    #[serde(default)]
    api: RawFunction,
    /// Shows pages to colleagues, over HTTPS.
    #[serde(default)]
    dashboard: RawFunction,
    /// Imports files that arrive in the bucket below incoming/.
    #[serde(default)]
    import: RawFunction,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawFunction {
    /// Megabytes, 128 to 10240. The processor's share grows with them: one whole processor at 1769.
    #[cfg_attr(feature = "schema", schemars(range(min = 128, max = 10240)))]
    memory_mb: Option<Spanned<u16>>,
    /// The timeout of one call, 1 to 900; for ingest, api and dashboard at most 30. A queue's messages are redelivered after six
    /// times that.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 900)))]
    timeout_seconds: Option<Spanned<u16>>,
    /// The reserved concurrency, taken from the AWS account's; default: unreserved.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    concurrency: Option<Spanned<u16>>,
    /// How it receives from its queues: only score, rollup, deliver and import have any.
    batch: Option<Spanned<RawBatch>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawBatch {
    /// Messages of one call at most, 1 to 10000; with more than 10, a window of 1 second or more.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10000)))]
    messages: Option<Spanned<u16>>,
    /// Seconds that are waited for a batch to fill, 0 to 300. Messages become later by it, and cheaper.
    #[cfg_attr(feature = "schema", schemars(range(max = 300)))]
    window_seconds: Option<Spanned<u16>>,
    /// Calls for one queue at once at most, 2 to 1000.
    #[cfg_attr(feature = "schema", schemars(range(min = 2, max = 1000)))]
    at_once: Option<Spanned<u16>>,
}

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Deployment {
    let usual = Deployment::default();
    let Some(File { queues, logs, functions }) = report.parse::<File>() else { return usual };
    Deployment {
        queues: Queues {
            max_receives: number(report, "max_receives", queues.max_receives, usual.queues.max_receives, 1, 1000),
            retention_days: number(report, "retention_days", queues.retention_days, usual.queues.retention_days, 1, 14),
            dlq_retention_days: number(
                report,
                "dlq_retention_days",
                queues.dlq_retention_days,
                usual.queues.dlq_retention_days,
                1,
                14,
            ),
        },
        log_days: log_days(report, logs.retention_days).unwrap_or(usual.log_days),
        ingest: function(report, functions.ingest, usual.ingest, HTTP_SECONDS, 0),
        // Events, and those of imports.
        score: function(report, functions.score, usual.score, SECONDS, 2),
        sweep: function(report, functions.sweep, usual.sweep, SECONDS, 0),
        rollup: function(report, functions.rollup, usual.rollup, SECONDS, 1),
        // Messages, essential ones, and what becomes of mails.
        deliver: function(report, functions.deliver, usual.deliver, SECONDS, 3),
        report: function(report, functions.report, usual.report, SECONDS, 0),
        api: function(report, functions.api, usual.api, HTTP_SECONDS, 0),
        dashboard: function(report, functions.dashboard, usual.dashboard, HTTP_SECONDS, 0),
        import: function(report, functions.import, usual.import, SECONDS, 1),
    }
}

fn number(
    report: &mut Reporter<'_>,
    name: &str,
    value: Option<Spanned<u16>>,
    usual: u16,
    least: u16,
    most: u16,
) -> u16 {
    let Some(value) = value else { return usual };
    if !(least..=most).contains(value.get_ref()) {
        report.at(value.span(), format!("{name} must be from {least} to {most}"));
    }
    value.into_inner()
}

fn log_days(report: &mut Reporter<'_>, days: Option<Spanned<u16>>) -> Option<u16> {
    let days = days?;
    if !LOG_DAYS.contains(days.get_ref()) {
        let known = LOG_DAYS.map(|days| days.to_string()).join(", ");
        report.at(days.span(), format!("CloudWatch keeps logs for one of {known} days"));
    }
    Some(days.into_inner())
}

/// `queues` feed the function.
fn function(report: &mut Reporter<'_>, raw: RawFunction, usual: Function, longest: u16, queues: u16) -> Function {
    let memory_mb = number(report, "memory_mb", raw.memory_mb, usual.memory_mb, 128, 10240);
    let timeout_seconds = number(report, "timeout_seconds", raw.timeout_seconds, usual.timeout_seconds, 1, longest);
    let batch = match (raw.batch, usual.batch) {
        (None, usual) => usual,
        (Some(raw), Some(usual)) => Some(batch(report, raw, usual, timeout_seconds)),
        (Some(raw), None) => {
            report.at(
                raw.span(),
                "this function takes from no queue: only score, rollup, deliver and import have a batch",
            );
            None
        }
    };
    let concurrency = raw.concurrency.map(|value| {
        let wanted = batch.map_or(0, |batch| batch.at_once.saturating_mul(queues));
        if *value.get_ref() > 0 && *value.get_ref() < wanted {
            // A queue that takes more calls than its function may have loses attempts at those that are turned away.
            let message =
                format!("concurrency must be {wanted} or more: batch.at_once for each of its queues ({queues})");
            report.at(value.span(), message);
        }
        number(report, "concurrency", Some(value), 1, 1, u16::MAX)
    });
    Function { memory_mb, timeout_seconds, concurrency, batch }
}

fn batch(report: &mut Reporter<'_>, raw: Spanned<RawBatch>, usual: Batch, timeout_seconds: u16) -> Batch {
    let span = raw.span();
    let raw = raw.into_inner();
    let batch = Batch {
        messages: number(report, "messages", raw.messages, usual.messages, 1, 10_000),
        window_seconds: number(report, "window_seconds", raw.window_seconds, usual.window_seconds, 0, 300),
        at_once: number(report, "at_once", raw.at_once, usual.at_once, 2, 1000),
    };
    if batch.messages > AT_ONCE_RECEIVED && batch.window_seconds == 0 {
        let message = format!("more than {AT_ONCE_RECEIVED} messages at once need a window_seconds of 1 or more");
        report.at(span.clone(), message);
    }
    if batch.window_seconds >= (VISIBILITY_TIMEOUTS - 1).saturating_mul(timeout_seconds) {
        // Otherwise a message would be redelivered while its first batch is still filling or being processed.
        report.at(span, format!("window_seconds must be below {} times timeout_seconds", VISIBILITY_TIMEOUTS - 1));
    }
    batch
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::ConfigError;

    fn read(text: &str) -> (Deployment, Vec<ConfigError>) {
        let mut errors = Vec::new();
        let deployment = load(&mut Reporter::new("deployment.toml", text, &mut errors));
        (deployment, errors)
    }

    #[test]
    fn what_is_left_out_is_as_usual() {
        let (deployment, errors) = read("[functions.score]\nmemory_mb = 1024\n[functions.score.batch]\nat_once = 20\n");
        assert_eq!(errors, []);
        let usual = Deployment::default();
        let batch = Batch { at_once: 20, ..usual.score.batch.unwrap() };
        let score = Function { memory_mb: 1024, batch: Some(batch), ..usual.score };
        assert_eq!(deployment, Deployment { score, ..usual });
    }

    #[test]
    fn what_aws_would_refuse_is_told_with_its_place() {
        let text = "[queues]\nmax_receives = 0\nretention_days = 15\n[logs]\nretention_days = 31\n\
                    [functions.ingest]\nmemory_mb = 64\ntimeout_seconds = 31\n[functions.sweep.batch]\nmessages = 1\n\
                    [functions.deliver.batch]\nmessages = 11\nwindow_seconds = 0\nat_once = 1\n\
                    [functions.rollup]\ntimeout_seconds = 60\nconcurrency = 9\n[functions.score]\ntimeout_seconds = 6\n\
                    concurrency = 20\n[functions.score.batch]\nwindow_seconds = 30\n";
        let (_, errors) = read(text);
        let mut found: Vec<(usize, &str)> = errors.iter().map(|error| (error.line, error.message.as_str())).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                (2, "max_receives must be from 1 to 1000"),
                (3, "retention_days must be from 1 to 14"),
                (5, "CloudWatch keeps logs for one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 days"),
                (7, "memory_mb must be from 128 to 10240"),
                (8, "timeout_seconds must be from 1 to 30"),
                (9, "this function takes from no queue: only score, rollup, deliver and import have a batch"),
                (11, "more than 10 messages at once need a window_seconds of 1 or more"),
                (14, "at_once must be from 2 to 1000"),
                (17, "concurrency must be 10 or more: batch.at_once for each of its queues (1)"),
                (21, "window_seconds must be below 5 times timeout_seconds"),
            ]
        );
        let (_, errors) = read("[functions.deliver]\nconcurrency = 29\n");
        assert_eq!(errors[0].message, "concurrency must be 30 or more: batch.at_once for each of its queues (3)");
    }
}
