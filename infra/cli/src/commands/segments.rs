//! `perennial segments`

use super::client::Target;
use super::tables::{counted_at, framed, number, plain};
use jiff::Timestamp;
use serde::Deserialize;
use std::process::ExitCode;

/// The system.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print what the api answers.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Deserialize)]
struct Answer {
    segments: Vec<Segment>,
    counted_at: Timestamp,
    now: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Segment {
    name: String,
    description: String,
    owner: Option<String>,
    people: u64,
    nps: Nps,
    retention_target: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct Nps {
    score: Option<f64>,
    promoters: u64,
    passives: u64,
    detractors: u64,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let answer = args.target.get("/api/segments").await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        println!("{}", shown(&serde_json::from_value(answer)?));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(answer: &Answer) -> String {
    if answer.segments.is_empty() {
        return "There are no segments; add them in segments.toml.".to_owned();
    }
    let mut table = framed(&["segment", "people", "NPS", "+ / o / -", "owner", "retention"]);
    let mut who = plain(&[]);
    for segment in &answer.segments {
        let nps = &segment.nps;
        table.add_row([
            segment.name.clone(),
            number(segment.people),
            nps.score.map_or_else(String::new, |score| format!("{score:+.0}")),
            format!("{} / {} / {}", nps.promoters, nps.passives, nps.detractors),
            segment.owner.clone().unwrap_or_default(),
            segment.retention_target.map_or_else(String::new, |target| format!("{target} %")),
        ]);
        if !segment.description.is_empty() {
            who.row([segment.name.clone(), segment.description.clone()]);
        }
    }
    // Descriptions are printed separately: beside the numbers they would not fit on a screen of 80 columns.
    format!(
        "{table}\n\
        {}\
        NPS: promoters (+) less detractors (-), in percent of those who answered.\n\
        Retention: the target in percent after a year.\n\n\
        {who}",
        counted_at(answer.counted_at, answer.now)
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn segments_are_a_table() {
        let answer = serde_json::from_value(serde_json::json!({ "segments": [
            { "name": "long_tail", "description": "pays, and nobody calls", "owner": "long tail", "people": 1234,
              "nps": { "score": 41.7, "promoters": 7, "passives": 3, "detractors": 2 }, "retention_target": 85 },
            { "name": "upset", "description": "", "owner": null, "people": 0,
              "nps": { "score": null, "promoters": 0, "passives": 0, "detractors": 0 }, "retention_target": null },
        ], "counted_at": "2026-03-01T00:00:00Z", "now": "2026-03-01T00:01:59Z" }));
        let answer: Answer = answer.unwrap();
        insta::assert_snapshot!(shown(&answer));
        let later = Answer { now: "2026-03-01T03:00:00Z".parse().unwrap(), ..answer };
        assert!(shown(&later).contains("Counted at 2026-03-01T00:00:00Z, 3 hours ago.\n"));
        assert!(shown(&Answer { segments: Vec::new(), ..later }).contains("no segments"));
    }
}
