//! `perennial config push`, `rollback`, `versions` and `show`: the config of a running system.

use super::check::{Report, in_color};
use crate::commands::client::Target;
use crate::commands::progress::with_bar;
use crate::commands::reach::shown as shown_reach;
use crate::commands::tables::{counted, framed, plain};
use crate::operate::push::{Change, Plan, plan, push, take_up};
use crate::operate::{Kind, Operated};
use anyhow::Context;
use perennial_domain::ConfigVersion;
use perennial_local::bundle;
use perennial_score::history::reach::{self, Outcome};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// The file that a deployed stack reads when it is deployed.
const SCHEDULES: &str = "schedules.toml";

/// The configuration to push, and the system.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Everything is checked first, as by `config check`: with a single error nothing is pushed. The changes are \
    shown file by file. Runs of a changed journey finish in the version they started in, which is kept for \
    them. Secrets are not part of the configuration.\n\n\
    For journeys that a state triggers, and that are new or have another trigger, every profile is evaluated \
    once (half a read unit for each 4 KB of the table). If the trigger holds for anyone already, the number is \
    printed and you are asked.\n\n  \
    perennial config push infra/config --stack perennial --dry-run   show what would change, and whom it \
    would reach\n  \
    perennial config push infra/config --stack perennial             activate it\n  \
    perennial config rollback --stack perennial                      go back to the version before"
)]
pub(in crate::commands) struct PushArgs {
    /// The config folder.
    #[arg(default_value = "infra/config")]
    dir: PathBuf,
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask, however many profiles new journeys reach.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    target: Target,
}

/// Which version to go back to.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct RollbackArgs {
    /// The version to activate again, as `config versions` lists them; default: the previous one.
    #[arg(value_parser = version)]
    version: Option<ConfigVersion>,
    #[command(flatten)]
    target: Target,
}

/// The system.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct VersionsArgs {
    #[command(flatten)]
    target: Target,
}

/// The version and file to show.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct ShowArgs {
    /// A file to print, such as scoring.toml; default: list the files' names.
    file: Option<String>,
    /// The version; default: the active one.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    of: Option<ConfigVersion>,
    #[command(flatten)]
    target: Target,
}

fn version(text: &str) -> Result<ConfigVersion, String> {
    ConfigVersion::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run_push(args: PushArgs) -> anyhow::Result<ExitCode> {
    let bundle = bundle::read_dir(&args.dir)?;
    let report = Report::of(&bundle);
    print!("{}", report.text(&args.dir.display().to_string(), in_color()));
    if !report.errors.is_empty() {
        println!("Nothing was pushed.");
        return Ok(ExitCode::FAILURE);
    }
    let operated = args.target.operated().await?;
    if matches!(operated.kind, Kind::Deployed(_)) && report.has_local_keys {
        println!(
            "Nothing was pushed: the write keys of the shipped configuration are well known. Create your own with `perennial key`."
        );
        return Ok(ExitCode::FAILURE);
    }
    let plan = plan(operated, bundle).await?;
    print!("{}", shown(&plan));
    if plan.changes.is_empty() && plan.current.is_some() {
        return Ok(ExitCode::SUCCESS);
    }
    let reached = reached(operated, &plan).await?;
    if let Some(outcome) = &reached {
        print!("{}", shown_reach(outcome));
    }
    let people = reached.map_or(0, |outcome| outcome.starts.values().sum());
    if args.dry_run {
        println!("Version {} would be active in {}. Nothing was pushed.", plan.config.version, operated.name);
    } else if !(args.yes || people == 0 || is_meant(operated, &plan, people)?) {
        println!("Nothing was pushed.");
        return Ok(ExitCode::FAILURE);
    } else {
        let version = push(operated, &plan).await?;
        println!("Version {version} is active in {}. {}", operated.name, take_up(operated).await?);
    }
    print!("{}", follow_ups(&plan));
    if plan.changes.contains_key(SCHEDULES) && matches!(operated.kind, Kind::Deployed(_)) {
        println!(
            "{SCHEDULES} changed: functions are called by it once the stack is deployed with it (`cdk deploy` or `terraform apply`)."
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns how many profiles the plan's new journeys reach, and how many are in its new segments; `None` if there are
/// none of either, or no profiles yet.
async fn reached(operated: &Operated, plan: &Plan) -> anyhow::Result<Option<Outcome>> {
    if plan.current.is_none() || (plan.unreached.is_empty() && plan.uncounted.is_empty()) {
        return Ok(None);
    }
    let (store, config, known, now) = (&operated.store, &plan.config, plan.known.as_ref(), operated.now());
    with_bar(async |tell| reach::count(store, config, known, now, tell).await).await.map(Some)
}

/// Asks whether the journeys should reach that many profiles.
fn is_meant(operated: &Operated, plan: &Plan, people: u64) -> anyhow::Result<bool> {
    let starts = counted(people, "start", "starts");
    anyhow::ensure!(
        std::io::stdin().is_terminal(),
        "nothing was pushed: {starts} of {} would follow, which needs a confirmation; use --yes to push, or \
         set on_start = \"skip\" in journeys.toml",
        plan.unreached.join(", ")
    );
    eprint!(
        "Activate version {} in {}, with {starts} to follow? Type `yes` to continue: ",
        plan.config.version, operated.name
    );
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

/// Returns the commands that the operator has to run so that the push applies to existing profiles.
fn follow_ups(plan: &Plan) -> String {
    let mut out = String::new();
    if plan.current.is_none() {
        return out;
    }
    if !plan.unreached.is_empty() {
        let journeys = plan.unreached.join(", ");
        out += &format!(
            "Quiet profiles do not know of these journeys yet: {journeys}. Run `perennial reach` (`--dry-run` shows how many start them).\n"
        );
    }
    if !plan.uncounted.is_empty() {
        let segments = plan.uncounted.join(", ");
        out += &format!(
            "Quiet profiles are not counted in these segments yet: {segments}. Run `perennial reach` (`--dry-run` shows how many are in them).\n"
        );
    }
    if plan.recounts {
        out += "New or changed rules count events from now on. Run `perennial rescore` to recount past events (`--dry-run` shows what changes).\n";
    }
    out
}

fn shown(plan: &Plan) -> String {
    let mut out = match &plan.current {
        None => return "No configuration is active yet.\n".to_owned(),
        Some(current) if plan.changes.is_empty() => {
            return format!("Version {} is active, and is the same.\n", current.version);
        }
        Some(current) => format!("Against version {}:\n", current.version),
    };
    let mut table = plain(&[1, 2]);
    for (file, change) in &plan.changes {
        let (new, gone, what) = match change {
            Change::Added(lines) => (*lines, 0, "new"),
            Change::Changed(new, gone) => (*new, *gone, ""),
            Change::Removed(lines) => (0, *lines, "gone"),
            Change::Kept => (0, 0, "kept for runs in progress"),
        };
        let lines = |sign: char, n: usize| if n == 0 { String::new() } else { format!("{sign}{n}") };
        table.row([file.clone(), lines('+', new), lines('-', gone), what.to_owned()]);
    }
    out += &format!("{table}\n");
    out
}

pub(super) async fn run_rollback(args: RollbackArgs) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    let before = operated.store.current_config().await?.context("no configuration is active: push one first")?;
    let version = operated.store.rollback_config(args.version, operated.now()).await?;
    if version == before.version {
        println!("Version {version} is active already.");
    } else {
        let holds = take_up(operated).await?;
        println!("Version {version} is active in {} again, in place of {}. {holds}", operated.name, before.version);
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run_versions(args: VersionsArgs) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    let current = operated.store.current_config().await?;
    let mut table = framed(&["version", "first pushed", ""]);
    for stored in operated.store.config_versions().await? {
        let state = match &current {
            Some(current) if current.version == stored.version => {
                let by = if current.rolled_back { ", by a rollback" } else { "" };
                format!("active since {:.0}{by}", current.since)
            }
            Some(current) if current.previous.as_ref() == Some(&stored.version) => {
                "the one before: `config rollback` leads here".to_owned()
            }
            _ => String::new(),
        };
        table.add_row([stored.version.to_string(), format!("{:.0}", stored.pushed_at), state]);
    }
    println!("{table}");
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run_show(args: ShowArgs) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    let version = match args.of {
        Some(version) => version,
        None => operated.store.current_config().await?.context("no configuration is active: push one first")?.version,
    };
    let bundle = operated.store.bundle(&version).await?;
    let Some(name) = args.file else {
        println!("Version {version}:");
        bundle.files.keys().for_each(|name| println!("  {name}"));
        return Ok(ExitCode::SUCCESS);
    };
    let text = bundle.files.get(&name).with_context(|| format!("version {version} has no file {name}"))?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_config::Bundle;

    #[test]
    fn what_changes_is_shown_by_file() {
        let changes = [
            ("channels.toml", Change::Changed(3, 1)),
            ("retired/course@00001.toml", Change::Kept),
            ("templates/new.toml", Change::Added(12)),
            ("templates/old.toml", Change::Removed(9)),
        ];
        let plan = Plan {
            current: None,
            bundle: Bundle::default(),
            config: perennial_testkit::ConfigBuilder::least().load(),
            known: None,
            changes: changes.map(|(name, change)| (name.to_owned(), change)).into(),
            unreached: vec!["risk".to_owned()],
            uncounted: vec!["buyers".to_owned()],
            recounts: true,
        };
        assert_eq!(shown(&plan), "No configuration is active yet.\n");
        assert_eq!(follow_ups(&plan), "", "nothing is stored yet");
    }
}
