//! `perennial reach`

use super::client::Target;
use super::progress::over_history;
use super::tables::{counted, number, plain, unreadable};
use perennial_score::Deps;
use perennial_score::history::Tell;
use perennial_score::history::reach::{self, Outcome};
use std::process::ExitCode;

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A profile is evaluated when it has an event or is due. After a push, quiet profiles have not been \
    evaluated for new journeys that a state triggers (`becomes`, `score`, `segment`, `idle_days`), and new \
    segments do not include them. This command evaluates every profile once. Profiles for which a new journey's \
    trigger already holds start it within the next 14 days, on different days, if it still holds then \
    (`on_start` in journeys.toml). Nothing is sent now.\n\n\
    An interrupted run can be repeated: it writes only what is missing.\n\n  \
    perennial reach --stack perennial --dry-run   show how many start which journey, and how many are in \
    which new segment\n  \
    perennial reach --stack perennial             plan their starts"
)]
pub(super) struct Args {
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// The most profiles that are written in a second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    writes_per_second: u32,
    /// Print the outcome as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (dry_run, writes) = (args.dry_run, args.writes_per_second);
    let path = format!("/_local/reach?dry_run={dry_run}&writes_per_second={writes}");
    let work = async |deps: &Deps, tell: Tell<'_>| reach::run(deps, dry_run, writes, tell).await;
    let outcome: Outcome = over_history(&args.target, &path, work).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        print!("{}", shown(&outcome));
    }
    Ok(ExitCode::SUCCESS)
}

/// The outcome as a table: how many start which journey, and how many are in which segment.
pub(super) fn shown(outcome: &Outcome) -> String {
    if outcome.journeys.is_empty() && outcome.segments.is_empty() {
        return format!(
            "Config {} has no new journeys that are triggered by a state, and no new segments.\n",
            outcome.config
        );
    }
    let (changed, starts) = if outcome.dry_run { ("would change", "would start") } else { ("changed", "start") };
    let people = counted(outcome.people, "profile", "profiles");
    let mut out = format!("{people}, config {}: {} {changed}.\n", outcome.config, number(outcome.changed));
    let mut table = plain(&[1]);
    for journey in &outcome.journeys {
        let people = outcome.starts.get(journey).copied().unwrap_or(0);
        table.row([journey.clone(), number(people), format!("{starts} within 14 days")]);
    }
    for (segment, people) in &outcome.segments {
        table.row([segment.clone(), number(*people), "are in the segment".to_owned()]);
    }
    out += &format!("{table}\n");
    if outcome.not_done > 0 {
        out += &format!(
            "{} were written by events meanwhile, which bring them to the new journeys.\n",
            number(outcome.not_done)
        );
    }
    out + &unreadable(outcome.unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_table_says_how_many_start_each_new_journey() {
        let mut outcome = Outcome {
            config: "v2".to_owned(),
            journeys: vec!["risk".to_owned(), "quiet".to_owned()],
            segments: BTreeMap::from([("buyers".to_owned(), 12)]),
            people: 728,
            changed: 41,
            starts: BTreeMap::from([("risk".to_owned(), 40)]),
            not_done: 0,
            unreadable: 0,
            dry_run: true,
        };
        let shown_all = shown(&outcome);
        let rows: Vec<Vec<&str>> = shown_all.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0].join(" "), "728 profiles, config v2: 41 would change.");
        assert_eq!(rows[1].join(" "), "risk 40 would start within 14 days");
        assert_eq!(rows[2].join(" "), "quiet 0 would start within 14 days");
        assert_eq!(rows[3].join(" "), "buyers 12 are in the segment");
        (outcome.journeys, outcome.segments) = (Vec::new(), BTreeMap::new());
        assert_eq!(
            shown(&outcome),
            "Config v2 has no new journeys that are triggered by a state, and no new segments.\n"
        );
    }
}
