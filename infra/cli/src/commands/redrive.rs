//! `perennial redrive`

use super::client::Target;
use super::tables::number;
use clap::builder::PossibleValuesParser;
use indicatif::ProgressBar;
use perennial_lambda_kit::queue::redrive;
use perennial_local::stack::queues::NAMES;
use std::process::ExitCode;
use std::time::Duration;

/// Which queue, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A message that exhausted its retries is moved to its queue's dead-letter queue, for 14 days. Find the \
    cause first (`perennial status`, the function's log), or the messages will return there. Redriving a \
    message twice is harmless: everything is counted and sent once.\n\n  \
    perennial redrive events --stack perennial     one queue of a deployed stack\n  \
    perennial redrive                              every queue of the system on this machine"
)]
pub(super) struct Args {
    /// The queue whose dead letters are redriven; default: all.
    #[arg(value_parser = PossibleValuesParser::new(NAMES))]
    queue: Option<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    let queues = args.queue.as_deref().map_or_else(|| NAMES.to_vec(), |queue| vec![queue]);
    for queue in queues {
        let bar = ProgressBar::new_spinner().with_message(queue.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        let tell = |moved| bar.set_message(format!("{queue}: {}", number(moved)));
        let moved = redrive(&operated.sqs, operated.queue(queue)?, u64::MAX, tell).await;
        bar.finish_and_clear();
        println!("{queue}: {} messages brought back", number(moved?.0));
    }
    Ok(ExitCode::SUCCESS)
}
