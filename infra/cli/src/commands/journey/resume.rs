//! `perennial journey resume`

use crate::commands::client::{Target, segment};
use std::process::ExitCode;

/// Which journey.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The journey's id, as `GET /api/status` shows it under `paused_journeys`.
    name: String,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = format!("/api/journeys/{}/resume", segment(&args.name));
    let answer = args.target.post(&path, &serde_json::json!({})).await?;
    println!(
        "{} sends mails again, within a minute; bounces and complaints are counted from {}",
        answer["journey"].as_str().unwrap_or_default(),
        answer["resumed"].as_str().unwrap_or_default()
    );
    Ok(ExitCode::SUCCESS)
}
