//! `perennial journey`

mod list;
mod resume;
mod send;
mod shown;
mod test;

use clap::Subcommand;
use std::process::ExitCode;

/// The subcommand.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show all journeys: their triggers, what they send, and how many people entered.
    List(list::Args),
    /// Play a journey on a virtual clock, waits included, and show each step, with every message rendered. Nothing is
    /// sent, except to you with --send-to.
    Test(Box<test::Args>),
    /// Resume a journey that was paused because too many of its mails bounced or caused complaints.
    Resume(resume::Args),
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List(args) => list::run(args).await,
        Command::Test(args) => test::run(*args).await,
        Command::Resume(args) => resume::run(args).await,
    }
}
