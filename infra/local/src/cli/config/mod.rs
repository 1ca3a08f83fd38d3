//! `perennial config`: what can be said about a config folder.

mod check;
mod pages;

use clap::Subcommand;
use std::process::ExitCode;

/// What to do.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a config folder: every error at once with its file, line and column, what is allowed and what was probably meant;
    /// and remarks on rules that can never fire and points that can never be reached.
    Check(check::Args),
    /// Print the reference page: every file, field and type, and every name that conditions may use.
    Reference(pages::ReferenceArgs),
    /// Print the JSON Schema of a file, by which editors complete and check it as you type.
    Schema(pages::SchemaArgs),
}

pub(super) use check::{Args as CheckArgs, run as run_check};

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Reference(args) => pages::reference(args),
        Command::Schema(args) => pages::schema(args),
    }
}
