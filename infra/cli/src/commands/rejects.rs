//! `perennial rejects`

use super::client::{Target, segment};
use super::tables::{framed, number, numbers};
use anyhow::Context;
use jiff::{Span, Timestamp};
use perennial_lambda_kit::Clock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Rejects of one page.
const PAGE: usize = 1000;

/// Which.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A rejected event is stored for 30 days with its reason; the other events of its batch are accepted. \
    Corrected and sent again with the same message id, it counts once.\n\n  \
    perennial rejects --since 1h            events rejected within the last hour\n  \
    perennial rejects --since 2026-03-01T00:00:00Z --json | jq '.rejects[].event'"
)]
pub(super) struct Args {
    /// Only rejects received since then: a span such as 30m, 24h or 7d, or a time; default: all that are stored.
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Since>,
    /// The number of listed rejects; the counts include all.
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Print counts and rejects as JSON, with the events as they came.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// From when on.
#[derive(Debug, Clone, Copy)]
enum Since {
    Moment(Timestamp),
    Ago(Span),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(moment) = text.parse() {
        return Ok(Since::Moment(moment));
    }
    let span: Span = text.parse().map_err(|_| "must be a span such as 30m, 24h or 7d, or a moment".to_owned())?;
    Ok(Since::Ago(span.abs()))
}

impl Since {
    fn moment(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        match self {
            Self::Moment(moment) => Ok(moment),
            // Days are of 24 hours.
            Self::Ago(span) => {
                now.to_zoned(jiff::tz::TimeZone::UTC).checked_sub(span).map(|at| at.timestamp()).context("too long ago")
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct Page {
    rejects: Vec<Reject>,
    next: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reject {
    id: String,
    source: String,
    code: String,
    reason: String,
    path: String,
    allowed: String,
    received_at: Timestamp,
    event: String,
}

#[derive(Debug, Serialize)]
struct Found {
    /// By source and code.
    counts: BTreeMap<String, BTreeMap<String, u64>>,
    /// The newest first.
    rejects: Vec<Reject>,
    /// `true` if there were more than could be read.
    more: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let from = args.since.map(|since| since.moment(Clock::system().now())).transpose()?;
    let mut found = Found { counts: BTreeMap::new(), rejects: Vec::new(), more: false };
    let mut after = None;
    loop {
        let next = after.as_deref().map_or_else(String::new, |after: &str| format!("&after={}", segment(after)));
        let path = format!("/api/rejects?limit={PAGE}{next}");
        let page = match args.target.get(&path).await {
            Ok(page) => serde_json::from_value::<Page>(page)?,
            // The api searches only so many.
            Err(_) if after.is_some() => {
                found.more = true;
                break;
            }
            Err(error) => return Err(error),
        };
        let is_over = page.rejects.iter().any(|reject| from.is_some_and(|from| reject.received_at < from));
        for reject in page.rejects.into_iter().filter(|reject| from.is_none_or(|from| reject.received_at >= from)) {
            *found.counts.entry(reject.source.clone()).or_default().entry(reject.code.clone()).or_default() += 1;
            if found.rejects.len() < args.limit {
                found.rejects.push(reject);
            }
        }
        after = page.next;
        if after.is_none() || is_over {
            break;
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", shown(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(found: &Found) -> String {
    if found.counts.is_empty() {
        return "Nothing was rejected.\n".to_owned();
    }
    let mut counts = numbers(&["source and reason", "rejected"]);
    let mut all = 0;
    for (source, codes) in &found.counts {
        for (code, count) in codes {
            counts.add_row([format!("{source}: {code}"), number(*count)]);
            all += count;
        }
    }
    let mut out = format!("{counts}\n");
    let mut table = framed(&["received", "source", "field", "what is wrong", "what would be right"]);
    for reject in &found.rejects {
        let received = format!("{:.0}", reject.received_at);
        table.add_row([
            received,
            reject.source.clone(),
            reject.path.clone(),
            reject.reason.clone(),
            reject.allowed.clone(),
        ]);
    }
    if !found.rejects.is_empty() {
        out += &format!("{table}\n");
    }
    let listed = found.rejects.len() as u64;
    if listed < all {
        out += &format!(
            "The newest {} of {}; --limit shows more, --json the events themselves.\n",
            number(listed),
            number(all)
        );
    }
    if found.more {
        out += "There are more than the newest 10,000.\n";
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rejects_are_counted_by_reason_and_listed_without_what_they_say() {
        let reject: Reject = serde_json::from_value(serde_json::json!({
            "id": "r", "source": "web", "code": "wrong_type", "reason": "userId is an object", "path": "userId", "allowed": "text",
            "receivedAt": "2026-03-01T23:59:59.5Z", "event": "{\"userId\":{\"name\":\"ada\"}}",
        }))
        .unwrap();
        let counts =
            [("web".to_owned(), [("wrong_type".to_owned(), 3), ("timestamp_in_future".to_owned(), 1)].into())].into();
        let shown = shown(&Found { counts, rejects: vec![reject], more: false });
        assert!(!shown.contains("ada"), "{shown}");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn since_is_a_span_or_a_moment() {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let of = |text: &str| since(text).unwrap().moment(now).unwrap().to_string();
        assert_eq!(of("24h"), "2026-03-01T08:00:00Z");
        assert_eq!(of("7d"), "2026-02-23T08:00:00Z");
        assert_eq!(of("2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
        assert!(since("yesterday").is_err());
    }
}
