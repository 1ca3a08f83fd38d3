//! `perennial calibrate`

mod patch;

use super::client::Target;
use super::rescore::Bar;
use super::tables::{framed, number};
use perennial_engine::calibrate::{Calibration, CategoryCap, ENOUGH_PEOPLE, READY};
use perennial_score::history::calibrate;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Looks at everyone who bought, or reached 100 points of readiness, and at what they had taken by then. If they \
    took on average 5 pieces of the first tally, 3 of the second and 4 of the third, then 100 points divide into 12 parts: about 8 \
    points an action, so that who takes the average path stands at about 100. The patch lifts caps that would cut this off, and adds \
    rules for events that have none. Values that your sales team knows better are yours to move.\n\n  \
    perennial calibrate --patch | git apply     take the suggestion over\n  \
    perennial rescore --dry-run                 see who would become ready"
)]
pub(super) struct Args {
    /// The config folder whose scoring.toml the patch is for.
    #[arg(default_value = "infra/config")]
    dir: PathBuf,
    /// Print the patch alone.
    #[arg(long)]
    patch: bool,
    /// Print the calibration as JSON.
    #[arg(long, conflicts_with = "patch")]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bar = Bar::new();
    let found = match args.target.deployed().await? {
        Some(operated) => {
            let found = calibrate::run(&operated.score().await?, &|told| bar.tell(told)).await;
            found.map_err(anyhow::Error::from)
        }
        None => args.target.follow(reqwest::Method::POST, "/_local/calibrate", |told| bar.tell(told)).await,
    };
    bar.clear();
    let found: Calibration = found?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    let file = args.dir.join("scoring.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    let patch = patch::patch(&text, &relative(&file)?, &found)?;
    if args.patch {
        print!("{patch}");
    } else {
        print!("{}", shown(&found));
        match patch.as_str() {
            _ if found.points.is_none() => {}
            "" => println!("{} has these points already.", file.display()),
            patch => print!("\n{patch}"),
        }
    }
    if found.people < ENOUGH_PEOPLE {
        eprintln!("warning: {} people became ready; below {ENOUGH_PEOPLE} an average says little", found.people);
    }
    Ok(ExitCode::SUCCESS)
}

/// The path from where the patch is to be applied: here.
fn relative(file: &Path) -> anyhow::Result<String> {
    let here = std::env::current_dir()?;
    let path = file.strip_prefix(&here).or_else(|_| file.strip_prefix(".")).unwrap_or(file);
    Ok(path.display().to_string())
}

fn shown(found: &Calibration) -> String {
    let mut out = format!("{} people became ready to buy.\n", number(found.people.into()));
    let mut tallies = framed(&["tally", "actions on average", "people who took any"]);
    for tally in &found.tallies {
        tallies.add_row([tally.name.clone(), format!("{:.1}", tally.average), number(tally.people.into())]);
    }
    out += &format!("{tallies}\n");
    let Some(points) = found.points else {
        return out + "None of them took anything that a tally counts, so nothing follows from it.\n";
    };
    let pieces: f64 = found.tallies.iter().map(|tally| tally.average).sum();
    out += &format!("{READY} points divided by {pieces:.1} actions: about {points:.1} points an action.\n");
    let mut rules = framed(&["rule of purchase", "event", "tally", "points now", "suggested", "cap"]);
    let number_of = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    for rule in &found.rules {
        let (now, suggested) = (rule.now.to_string(), number_of(rule.suggested));
        rules.add_row([rule.rule.clone(), rule.event.clone(), rule.tally.clone(), now, suggested, number_of(rule.cap)]);
    }
    for rule in &found.missing {
        let (points, cap) = (number_of(Some(rule.points)), number_of(Some(rule.cap)));
        rules.add_row([rule.rule.clone(), rule.event.clone(), rule.tally.clone(), "missing".to_owned(), points, cap]);
    }
    out += &format!("{rules}\n");
    if found.rules.iter().any(|rule| rule.suggested.is_none()) {
        out += "Nothing is suggested for events that none of them took.\n";
    }
    for category in &found.categories {
        let CategoryCap { name, now, suggested } = category;
        out += &format!("The cap of category {name} is {now} and would cut this off: {suggested} is needed.\n");
    }
    if let Some(path) = &found.path {
        out += &format!(
            "Who takes the average path stands at {:.0} now, and at {:.0} with what is suggested.\n",
            path.now.min(f64::from(READY)),
            path.suggested.min(f64::from(READY))
        );
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_domains_example_is_told() {
        let tally = |name, average| serde_json::json!({ "name": name, "average": average, "people": 38 });
        let found = serde_json::from_value(serde_json::json!({
            "people": 40, "points": 100.0 / 12.0,
            "tallies": [tally("awareness", 5.0), tally("consideration", 3.0), tally("decision", 4.0)],
            "rules": [
                { "rule": "purchase_content", "event": "Content Viewed", "tally": "awareness", "now": 4.0, "suggested": 8.0, "cap": 40.0 },
                { "rule": "purchase_demo", "event": "Demo Requested", "tally": "decision", "now": 35.0, "suggested": null, "cap": null },
            ],
            "categories": [{ "name": "content", "now": 40.0, "suggested": 64.0 }],
            "missing": [{
                "rule": "purchase_paywall_reached", "event": "Paywall Reached", "tally": "decision", "points": 8.0, "cap": 32.0,
            }],
            "path": { "now": 40.0, "suggested": 96.0 },
        }));
        insta::assert_snapshot!(shown(&found.unwrap()));
    }
}
