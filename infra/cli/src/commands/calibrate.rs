//! `perennial calibrate`

mod patch;

use super::client::Target;
use super::progress::over_history;
use super::tables::{counted, damaged, framed, number, unreadable};
use perennial_engine::calibrate::{Calibration, CategoryCap, ENOUGH_PEOPLE, READY};
use perennial_score::Deps;
use perennial_score::history::{Tell, calibrate};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Analyses everyone who bought, or reached 100 points of readiness, and the actions they had taken by then. \
    If they took on average 5 actions of the first tally, 3 of the second and 4 of the third, then 100 points \
    are divided by 12: about 8 points an action, so that the average path adds up to about 100. The patch \
    raises caps that would prevent this, and adds rules for events that have none. Adjust values that your \
    sales team knows better. If too few people became ready (--min-people), the averages are shown without a \
    patch.\n\n  \
    perennial calibrate --patch | git apply     apply the suggestion\n  \
    perennial rescore --dry-run                 show who would become ready"
)]
pub(super) struct Args {
    /// The config folder with the scoring.toml to patch.
    #[arg(default_value = "infra/config")]
    dir: PathBuf,
    /// Print only the patch; fails if too few people became ready.
    #[arg(long)]
    patch: bool,
    /// The minimum number of people who became ready for points to be suggested: an average over fewer means little.
    #[arg(long, value_name = "N", default_value_t = ENOUGH_PEOPLE, value_parser = clap::value_parser!(u32).range(1..))]
    min_people: u32,
    /// Print the calibration as JSON.
    #[arg(long, conflicts_with = "patch")]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let work = async |deps: &Deps, tell: Tell<'_>| calibrate::run(deps, tell).await;
    let found: Calibration = over_history(&args.target, "/_local/calibrate", work).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(ExitCode::SUCCESS);
    }
    let file = args.dir.join("scoring.toml");
    let text = std::fs::read_to_string(&file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
    if !args.patch {
        print!("{}{}{}", shown(&found), unreadable(found.unreadable), damaged(found.damaged));
    }
    if let Some(why) = too_few(&found, args.min_people) {
        if args.patch {
            anyhow::bail!("{why}");
        }
        println!("{why}.");
        return Ok(ExitCode::SUCCESS);
    }
    let place = Place::of(&file, &std::env::current_dir()?)?;
    let patch = patch::patch(&text, &place.path, &found)?;
    match patch.as_str() {
        "" if found.points.is_none() || args.patch => {}
        "" => println!("{} has these points already.", file.display()),
        patch if args.patch => print!("{patch}"),
        patch => print!("\n{patch}"),
    }
    if let Some(root) = place.root.filter(|_| !patch.is_empty()) {
        let root = root.display();
        eprintln!("the patch applies in {root}: `patch -p1 -d {root}`, or there `git apply`");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns why no points are suggested if fewer than `least` people became ready.
fn too_few(found: &Calibration, least: u32) -> Option<String> {
    let people = counted(found.people.into(), "person", "people");
    (found.people < least).then(|| {
        format!("no patch is suggested: {people} became ready, and an average over fewer than {least} says little (--min-people)")
    })
}

/// The directory in which a patch is applied, and the file's path in it.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// The directory; `None` for the current one.
    root: Option<PathBuf>,
    /// From there.
    path: String,
}

impl Place {
    /// Returns the place for a file. A patch may not contain an absolute path: a file below `here` is relative to it,
    /// any other to its git repository, else to the folder with `infra/config`, else to its own folder.
    fn of(file: &Path, here: &Path) -> std::io::Result<Self> {
        let (file, here) = (file.canonicalize()?, here.canonicalize()?);
        let name = |root: &Path| file.strip_prefix(root).map(|path| path.display().to_string()).ok();
        if let Some(path) = name(&here) {
            return Ok(Self { root: None, path });
        }
        let folder = file.parent().unwrap_or(&file);
        let repository = folder.ancestors().find(|above| above.join(".git").exists());
        let project = folder.ancestors().nth(2).filter(|_| folder.ends_with("infra/config"));
        let root = repository.or(project).unwrap_or(folder);
        Ok(Self { path: name(root).unwrap_or_default(), root: Some(root.to_owned()) })
    }
}

fn shown(found: &Calibration) -> String {
    let mut out = format!("{} became ready to buy.\n", counted(found.people.into(), "person", "people"));
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
    fn points_are_suggested_only_where_enough_people_became_ready() {
        let found = |people: u32| -> Calibration {
            serde_json::from_value(serde_json::json!({
                "people": people, "points": 8.0, "tallies": [], "rules": [], "categories": [], "missing": [], "path": null,
            }))
            .unwrap()
        };
        let why = too_few(&found(1), ENOUGH_PEOPLE).unwrap();
        assert!(why.contains("1 person became ready") && why.contains("fewer than 30"), "{why}");
        assert_eq!((too_few(&found(30), ENOUGH_PEOPLE), too_few(&found(1), 1)), (None, None));
        assert!(shown(&found(1)).starts_with("1 person became ready"));
    }

    #[test]
    fn patch_names_its_file_from_a_folder_in_which_it_applies() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let make = |path: &str| {
            let folder = root.join(path);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("scoring.toml"), "").unwrap();
            folder.join("scoring.toml")
        };
        let place = |root: Option<PathBuf>, path: &str| Place { root, path: path.to_owned() };
        let (default, other) = (make("shop/infra/config"), make("elsewhere"));
        assert_eq!(Place::of(&default, &root.join("shop")).unwrap(), place(None, "infra/config/scoring.toml"));
        let here = root.join("elsewhere");
        let from_shop = place(Some(root.join("shop")), "infra/config/scoring.toml");
        assert_eq!(Place::of(&default, &here).unwrap(), from_shop);
        assert_eq!(Place::of(&other, &root.join("shop")).unwrap(), place(Some(here.clone()), "scoring.toml"));
        let nested = make("shop/settings");
        std::fs::create_dir(root.join("shop/.git")).unwrap();
        assert_eq!(Place::of(&nested, &here).unwrap(), place(Some(root.join("shop")), "settings/scoring.toml"));
    }

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
