//! The command line.

mod audit;
mod calibrate;
mod client;
mod config;
mod demo;
mod digest;
mod doctor;
mod env;
mod erase;
mod experiments;
mod explain;
mod feed;
mod import;
mod journey;
mod key;
mod lists;
mod progress;
mod reach;
mod redrive;
mod rejects;
mod report;
mod reports;
mod rescore;
mod scenarios;
mod segments;
mod status;
mod suppression;
mod tables;
mod unmerge;
mod up;
mod why_not;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Helps SaaS companies keep their customers: receives events, keeps one profile per person and account, scores them
/// with reasons, and sends the one message or task that helps now.
#[derive(Debug, Parser)]
#[command(name = "perennial", version, arg_required_else_help = true, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the whole system on this machine, replay real and sample input, and show what came of it.
    Demo(demo::Args),
    /// Start the whole system on this machine, empty or with the state in DIR, for use.
    Up(up::Args),
    /// Explain why a person's or an account's scores are what they are, how they changed, and what would change them
    /// most.
    Explain(explain::Args),
    /// Explain why a journey did not reach a person: each of its rules, clause by clause, with the values now.
    WhyNot(why_not::Args),
    /// Play a journey on a virtual clock and show what it would send, and when.
    Journey(journey::Args),
    /// Show the results of journeys' splits and holdouts: rates, differences, and the leading variant.
    Experiments(experiments::Args),
    /// List people: by segment, stage, persona, owner, score, or a search; as a table, JSON or CSV.
    People(lists::PeopleArgs),
    /// List accounts: by stage, touch model, owner, readiness, health, or a search; as a table, JSON or CSV.
    Accounts(lists::AccountArgs),
    /// Show the segments: people, net promoter score, owner and retention target.
    Segments(segments::Args),
    /// Show the weekly digest of the owner of segments: retention against target, who needs them and why, what was sent.
    Digest(digest::Args),
    /// Show the event catalogue: which events arrive, how many, with which properties, and who listens to them.
    Events(reports::EventsArgs),
    /// Show a report: activity, cohorts, funnel, retention, revenue and more, as a table, CSV or JSON.
    Report(reports::Args),
    /// Import files of history, or of a user database: CSV, TSV, NDJSON and JSON, plain, gzip, zstd or zip. Sends nothing
    /// by default.
    Import(import::Args),
    /// Recount all history under the active configuration, as if its rules had always applied.
    Rescore(rescore::Args),
    /// Apply newly pushed journeys to quiet profiles: plan their starts within 14 days. Sends nothing.
    Reach(reach::Args),
    /// Compute from your own history how much an action adds to readiness to buy, and print a patch of scoring.toml.
    Calibrate(calibrate::Args),
    /// Show the state of a system: queues, dead letters, sweeps, the active configuration, alarms, and what needs
    /// attention.
    Status(status::Args),
    /// Find what keeps mails from being sent or delivered: sender, DNS records, SES limits, the stack. Names the
    /// command that fixes it.
    Doctor(doctor::Args),
    /// Show rejected events, and why they were rejected.
    Rejects(rejects::Args),
    /// Show who was shown personal data in the dashboard, and who changed what, on a day.
    Audit(audit::Args),
    /// Export everything that is stored about a person, as one JSON document.
    Export(erase::ExportArgs),
    /// Erase a person: profile, messages, archived events and all else, with a receipt.
    Erase(erase::EraseArgs),
    /// Bring the messages of a dead-letter queue back to their queue.
    Redrive(redrive::Args),
    /// Show why an address gets no mail, suppress it, or lift its suppression.
    Suppression(suppression::Args),
    /// Unlink an identity from the profile it was merged into, exactly as it was before.
    Unmerge(unmerge::Args),
    /// Check a config folder, push it to a running system, go back to an earlier one, and print the reference of the config language.
    Config(config::Args),
    /// The same as `config check`.
    #[command(hide = true)]
    Check(config::CheckArgs),
    /// Print the environment that a function has on the system of this machine, to run that function by itself beside it.
    Env(env::Args),
    /// Make a new write key, with the hash that sources.toml takes.
    Key,
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Config(args) => block_on(config::run(args)),
        Command::Check(args) => config::run_check(&args),
        Command::Key => key::run(),
        Command::Demo(args) => block_on(demo::run(args)),
        Command::Up(args) => block_on(up::run(args)),
        Command::Explain(args) => block_on(explain::run(args)),
        Command::WhyNot(args) => block_on(why_not::run(args)),
        Command::Journey(args) => block_on(journey::run(args)),
        Command::Experiments(args) => block_on(experiments::run(args)),
        Command::People(args) => block_on(lists::run_people(args)),
        Command::Accounts(args) => block_on(lists::run_accounts(args)),
        Command::Segments(args) => block_on(segments::run(args)),
        Command::Digest(args) => block_on(digest::run(args)),
        Command::Events(args) => block_on(reports::run_events(args)),
        Command::Report(args) => block_on(reports::run(args)),
        Command::Import(args) => block_on(import::run(args)),
        Command::Rescore(args) => block_on(rescore::run(args)),
        Command::Reach(args) => block_on(reach::run(args)),
        Command::Calibrate(args) => block_on(calibrate::run(args)),
        Command::Status(args) => block_on(status::run(args)),
        Command::Doctor(args) => block_on(doctor::run(args)),
        Command::Rejects(args) => block_on(rejects::run(args)),
        Command::Audit(args) => block_on(audit::run(args)),
        Command::Export(args) => block_on(erase::run_export(args)),
        Command::Erase(args) => block_on(erase::run_erase(args)),
        Command::Redrive(args) => block_on(redrive::run(args)),
        Command::Suppression(args) => block_on(suppression::run(args)),
        Command::Unmerge(args) => block_on(unmerge::run(args)),
        Command::Env(args) => block_on(env::run(args)),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Waits until the process is asked to stop: Ctrl-C, or SIGTERM.
async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// The default log levels. The embedded database warns of every failed condition, which is the normal result of a write
/// conflict.
const LEVELS: &str = "warn,dynoxide=error";

/// Logs to standard error, so that what a command prints stays readable; `LOG` sets the levels.
fn init_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(LEVELS));
    // A second call, as tests may make, keeps the first subscriber.
    drop(tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init());
}
