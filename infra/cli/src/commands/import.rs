//! `perennial import`

mod plan;
mod shown;

use super::client::Target;
use crate::operate::Operated;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use perennial_config::imports::{FORMATS, Mode};
use perennial_import::{Backlog, QueueBacklog, Request, run as import_file};
use perennial_imports::Input;
use perennial_imports::chunk::{Options, Reading};
use plan::Plan;
use shown::{Rejects, Report};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The rows that a trial run reads at most, unless --rows says otherwise.
const TRIED: u64 = 10_000;
/// The wait between two looks at the queue.
const LOOK: Duration = Duration::from_millis(200);
/// The looks between two lines about the progress, where there is no terminal for a bar: ten seconds.
const LOOKS_A_LINE: u32 = 50;

/// Which files, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "What a file's rows become is written in imports.toml of the active configuration, or in the one of --config; \
    --format uses a ready mapping as it is. The kind of file follows from its content.\n\n\
    An import that was interrupted continues where it stopped when the same command runs again. A file that was imported \
    before is not imported again; with --again it is read once more, and its events count once all the same. The exit status is 1 if a \
    file could not be read, or if nothing in it could be used.\n\n\
    Examples:\n  \
    perennial import activity.csv --guess                          write a first mapping\n  \
    perennial import activity.csv.gz --source product --dry-run    count, show samples and what would be rejected\n  \
    perennial import activity.csv.gz --source product              import it; nothing is sent to anybody\n  \
    perennial import amplitude-2025.zip --format amplitude         a ready mapping: --formats lists all"
)]
pub(super) struct Args {
    /// The files.
    #[arg(value_name = "FILE", required_unless_present = "formats")]
    files: Vec<PathBuf>,
    /// The import in imports.toml, by its id. With --format, the source of the events.
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// Use this ready mapping.
    #[arg(long, value_name = "NAME")]
    format: Option<String>,
    /// List the ready mappings.
    #[arg(long)]
    formats: bool,
    /// The mode of the events: `history` (they trigger nothing, the default) or `feed` (what is younger than
    /// `max_event_age_hours` triggers messages, as if it had been sent).
    #[arg(long, value_parser = mode, value_name = "MODE")]
    mode: Option<Mode>,
    /// When the files were made, for rows without a time; default: when each was last changed.
    #[arg(long, value_name = "TIMESTAMP")]
    as_of: Option<Timestamp>,
    /// Read, check and count, and send nothing: the first 10,000 rows, or --rows.
    #[arg(long)]
    dry_run: bool,
    /// The rows of each file that --dry-run reads; 0 for all.
    #[arg(long, value_name = "N", default_value_t = TRIED, requires = "dry_run")]
    rows: u64,
    /// Write a first mapping for the first file, to be reviewed.
    #[arg(long, conflicts_with_all = ["dry_run", "format"])]
    guess: bool,
    /// Write every rejected row to this file, as NDJSON with file, line, column and reason.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Import files again that were imported before.
    #[arg(long)]
    again: bool,
    /// Return once everything is on the queue, without waiting until it is counted.
    #[arg(long)]
    no_wait: bool,
    /// Use imports.toml of this config folder instead of the active configuration's.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "history" => Ok(Mode::History),
        "feed" => Ok(Mode::Feed),
        other => Err(format!("`{other}` is no mode; allowed are history and feed")),
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.formats {
        for format in FORMATS {
            println!("{:<22} {}", format.name, format.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.guess {
        return guess(&args);
    }
    let files: Vec<Found> = args.files.iter().map(|file| Found::open(file, args.as_of)).collect::<Result<_, _>>()?;
    let plan = Plan::make(&args).await?;
    let rejects = args.rejects.as_deref().map(Rejects::create).transpose()?;
    let mut report = Report::new(args.dry_run, plan.mode);
    if args.dry_run {
        for found in &files {
            try_file(found, &plan, args.rows, rejects.as_ref(), &mut report)?;
        }
    } else {
        let operated = args.target.operated().await?;
        for found in &files {
            send_file(found, &plan, operated, args.again, rejects.as_ref(), &mut report).await?;
        }
        if !args.no_wait {
            counted(operated).await?;
        }
    }
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.text());
    }
    Ok(if report.is_useless() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A file of this machine.
struct Found {
    input: Input,
    made_at: Option<Timestamp>,
}

impl Found {
    fn open(path: &Path, as_of: Option<Timestamp>) -> anyhow::Result<Self> {
        let opened = perennial_import::file::open(path);
        let (input, changed) = opened.with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self { input, made_at: as_of.or(changed) })
    }
}

fn guess(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(path) = args.files.first() else { anyhow::bail!("name the file to look at") };
    let found = Found::open(path, None)?;
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let usual: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    let id = args.source.clone().unwrap_or(usual);
    let guess = perennial_imports::guess::guess(&found.input, &id)?;
    anyhow::ensure!(guess.rows > 0, "{} has no rows that can be read", path.display());
    print!("{}", guess.toml);
    Ok(ExitCode::SUCCESS)
}

/// Reads a file without sending anything.
fn try_file(
    found: &Found,
    plan: &Plan,
    rows: u64,
    rejects: Option<&Rejects>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let now = perennial_lambda_kit::Clock::system().now();
    let options = Options {
        import: Arc::clone(&plan.import),
        mode: plan.mode,
        received_at: now,
        made_at: found.made_at.unwrap_or(now),
        digest: "dry-run".to_owned(),
        before: Arc::default(),
    };
    let bar = bar(&found.input, "reading");
    let mut reading = Reading::open(&found.input, options)?;
    report.begin(found.input.name());
    while let Some(chunk) = reading.next_chunk() {
        if let Some(rejects) = rejects {
            rejects.write(&chunk)?;
        }
        report.add(&chunk);
        bar.set_position(found.input.progress());
        if rows > 0 && report.rows_of_file() >= rows {
            report.stopped();
            break;
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Imports a file.
async fn send_file(
    found: &Found,
    plan: &Plan,
    operated: &Operated,
    again: bool,
    rejects: Option<&Rejects>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bar = bar(&found.input, "importing");
    let request = Request {
        input: found.input.clone(),
        import: Arc::clone(&plan.import),
        mode: plan.mode,
        made_at: found.made_at.unwrap_or_else(|| operated.now()),
        again,
    };
    report.begin(found.input.name());
    let seen = Mutex::new((report, None));
    let outcome = import_file(&operated.importer()?, request, &|| true, &|job, chunk| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(error)) = rejects.map(|rejects| rejects.write(chunk)) {
            seen.1 = Some(error);
        }
        seen.0.add(chunk);
        bar.set_position(found.input.progress());
        bar.set_message(format!("{} rows", indicatif::HumanCount(job.rows)));
    })
    .await;
    bar.finish_and_clear();
    let (report, unwritten) = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    let outcome = outcome.with_context(|| {
        format!("{} was not imported to its end; run the command again to go on", found.input.name())
    })?;
    if let Some(error) = unwritten {
        return Err(error);
    }
    report.end(&outcome);
    Ok(())
}

/// Waits until everything on the imports queue is counted.
async fn counted(operated: &Operated) -> anyhow::Result<()> {
    let queue = QueueBacklog::new(operated.sqs.clone(), &operated.queue("imports")?.url);
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    // Twice, because a message may be received between the two numbers.
    let (mut empty, mut looks) = (0, 0_u32);
    while empty < 2 {
        let waiting = queue.waiting().await.context("the imports queue does not respond")?;
        empty = if waiting == 0 { empty + 1 } else { 0 };
        let message = format!("counting: {waiting} messages of events wait");
        looks += 1;
        if bar.is_hidden() && looks.is_multiple_of(LOOKS_A_LINE) {
            eprintln!("{message}");
        }
        bar.set_message(message);
        tokio::time::sleep(LOOK).await;
    }
    bar.finish_and_clear();
    Ok(())
}

fn bar(input: &Input, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(input.size());
    let template = "{prefix} {bar:30.cyan/blue} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {msg}";
    // The template is a constant; without it the bar is plainer.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(format!("{what} {}", input.name()));
    bar
}
