//! `perennial rescore`

use super::client::Target;
use super::progress::over_history;
use super::tables::{counted, damaged, framed, number, plain, unreadable};
use perennial_domain::Score;
use perennial_score::Deps;
use perennial_score::history::Tell;
use perennial_score::history::rescore::{self, Moved, Outcome};
use std::process::ExitCode;

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A change of points, caps and reasons applies at once. A new rule, or a changed event, condition or \
    half-life, counts only new events: rescoring recounts all events of the archive, as if these rules had \
    always applied. It triggers no messages, and events that arrive meanwhile are counted as usual. It uses the \
    configuration that is active when it starts.\n\n\
    The reported changes compare what is stored now, under its earlier rules, with all of history under the \
    active ones. So an unchanged configuration changes nothing."
)]
pub(super) struct Args {
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = format!("/_local/rescore?dry_run={}", args.dry_run);
    let work = async |deps: &Deps, tell: Tell<'_>| rescore::run(deps, args.dry_run, tell).await;
    let outcome: Outcome = over_history(&args.target, &path, work).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        print!("{}", shown(&outcome));
    }
    Ok(if outcome.not_done.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shown(outcome: &Outcome) -> String {
    let would = if outcome.dry_run { "would change" } else { "changed" };
    let mut out = format!(
        "{}, {} in the archive, config {}: {} {would}.\n",
        counted(outcome.people, "person", "people"),
        counted(outcome.events, "event", "events"),
        outcome.config,
        counted(outcome.changed, "person", "people")
    );
    out += &match outcome.compared == outcome.config {
        true => "Compared at this moment, under the same rules.\n".to_owned(),
        false => {
            format!("Compared at this moment with config {}, which profiles were counted under.\n", outcome.compared)
        }
    };
    if !outcome.stages.is_empty() {
        let mut stages = framed(&["stage before", "stage now", "people"]);
        for moved in &outcome.stages {
            stages.add_row([moved.from.as_str().to_owned(), moved.to.as_str().to_owned(), number(moved.people)]);
        }
        out += &format!("{stages}\n");
    }
    out += &moved("journey's threshold", ["now over it", "now below it"], &outcome.thresholds);
    out += &moved("segment", ["now in it", "now out of it"], &outcome.segments);
    if !outcome.examples.is_empty() {
        out += "The largest changes:\n";
        let mut table = plain(&[2, 4]);
        for example in &outcome.examples {
            let stage = match (example.stage_from, example.stage) {
                (from, to) if from == to => to.as_str().to_owned(),
                (from, to) => format!("{} -> {}", from.as_str(), to.as_str()),
            };
            let shown =
                |score: Option<Score>| score.map_or_else(|| "absent".to_owned(), |score| score.get().to_string());
            let (from, to) = (shown(example.from), shown(example.to));
            table.row([example.identity.clone(), example.score.as_str().to_owned(), from, "->".to_owned(), to, stage]);
        }
        out += &format!("{table}\n");
    }
    if !outcome.not_done.is_empty() {
        let people: Vec<String> = outcome.not_done.iter().take(20).map(ToString::to_string).collect();
        out += &format!(
            "NOT DONE: {} people, who are unchanged. Either they were written all the time (run it again), or the archive lacks some of their events: {}\n",
            number(outcome.not_done.len() as u64),
            people.join(", ")
        );
    }
    out += &unreadable(outcome.unreadable);
    out += &damaged(outcome.damaged);
    if !outcome.dry_run {
        out += "No messages were triggered.\n";
    }
    out
}

fn moved(what: &str, [into, out]: [&str; 2], all: &[Moved]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut table = framed(&[what, into, out]);
    for moved in all {
        table.add_row([moved.name.clone(), number(moved.into), number(moved.out)]);
    }
    format!("{table}\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::{Identity, UserId};

    #[test]
    fn what_would_change_is_told_with_examples() {
        let ada = Identity::User(UserId::parse("ada").unwrap()).person_id();
        let outcome = serde_json::from_value(serde_json::json!({
            "config": "v2", "compared": "v1", "dry_run": true, "people": 23570, "events": 93229, "changed": 1200,
            "stages": [{ "from": "lead", "to": "trial", "people": 40 }],
            "thresholds": [{ "name": "sales_ready", "into": 12, "out": 3 }],
            "segments": [{ "name": "ready_to_buy", "into": 15, "out": 1 }],
            "examples": [{ "person": ada, "identity": "ada", "score": "purchase", "from": 40, "to": 85, "stage_from": "lead", "stage": "trial" }],
            "not_done": [],
        }));
        insta::assert_snapshot!(shown(&outcome.unwrap()));
    }
}
