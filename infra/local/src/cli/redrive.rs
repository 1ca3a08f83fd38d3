//! `perennial redrive`

use super::client::Target;
use anyhow::Context;
use serde_json::Value;
use std::process::ExitCode;

/// Which queue, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue whose dead letters come back: events, messages, accounts or mail-events; all of them if none is named.
    queue: Option<String>,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let queues = match &args.queue {
        Some(queue) => vec![queue.as_str()],
        None => crate::stack::queues::NAMES.to_vec(),
    };
    for queue in queues {
        let answer = args.target.post(&format!("/_local/redrive/{queue}"), &Value::Null).await;
        println!("{queue}: {} messages brought back", answer.with_context(|| queue.to_owned())?["moved"]);
    }
    Ok(ExitCode::SUCCESS)
}
