//! `perennial redrive`

use std::process::ExitCode;

/// Which queue, and where.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue whose dead letters come back: events, messages, accounts or mail-events; all of them if none is named.
    queue: Option<String>,
    /// Where the system runs.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let queues = match &args.queue {
        Some(queue) => vec![queue.as_str()],
        None => crate::stack::queues::NAMES.to_vec(),
    };
    let client = reqwest::Client::new();
    for queue in queues {
        let answer = client.post(format!("{}/_local/redrive/{queue}", args.url.trim_end_matches('/'))).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "{queue}: {status}: {body}");
        let body: serde_json::Value = serde_json::from_str(&body)?;
        println!("{queue}: {} messages brought back", body["moved"]);
    }
    Ok(ExitCode::SUCCESS)
}
