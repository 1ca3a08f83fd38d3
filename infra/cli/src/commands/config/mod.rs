//! `perennial config`: checks a config folder, and manages the configuration of a running system.

pub(super) mod check;
mod deployment;
mod pages;
mod push;

use clap::Subcommand;
use std::process::ExitCode;

/// The subcommand.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a config folder: every error at once with its file, line and column, what is allowed and the likely
    /// intended name, in templates too; and warnings of settings without effect: rules that never fire, names of events
    /// and stages that do not exist, unreachable steps.
    Check(check::Args),
    /// Check a config folder, show what changes, and make it the active configuration of a running system. It stays active over restarts.
    Push(push::PushArgs),
    /// Make an earlier version the active configuration again.
    Rollback(push::RollbackArgs),
    /// List the versions that were pushed.
    Versions(push::VersionsArgs),
    /// Show the active configuration, or an earlier version of it.
    Show(push::ShowArgs),
    /// Print the deployment settings of a config folder as JSON: sizes, schedules, sender and names of secrets,
    /// including defaults.
    Deployment(deployment::Args),
    /// Print the reference page: every file, field and type, and every name that conditions can use.
    Reference(pages::ReferenceArgs),
    /// Print the JSON Schema of a file, by which editors complete and check it as you type.
    Schema(pages::SchemaArgs),
}

pub(super) use check::{Args as CheckArgs, run as run_check};

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Push(args) => push::run_push(args).await,
        Command::Rollback(args) => push::run_rollback(args).await,
        Command::Versions(args) => push::run_versions(args).await,
        Command::Show(args) => push::run_show(args).await,
        Command::Deployment(args) => deployment::run(&args),
        Command::Reference(args) => pages::reference(&args),
        Command::Schema(args) => pages::schema(&args),
    }
}
