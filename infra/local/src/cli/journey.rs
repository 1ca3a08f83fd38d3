//! `perennial journey`

mod resume;
mod shown;
mod test;

use clap::Subcommand;
use std::process::ExitCode;

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Play a journey on a virtual clock, waits included, and show each step, with every message rendered. Nothing is sent.
    Test(Box<test::Args>),
    /// Let a journey send mails again that was paused because too many of them bounced or were called spam.
    Resume(resume::Args),
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Test(args) => test::run(*args).await,
        Command::Resume(args) => resume::run(args).await,
    }
}
