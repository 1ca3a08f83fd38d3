//! `perennial unmerge`

use super::client::{Target, segment};
use std::process::ExitCode;

/// The person, the identity, and the reason.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The person, by any id or mail address.
    person: String,
    /// The user id that is another person, which leaves with its anonymous ids, or one anonymous id; `user:ID` or
    /// `anonymous:ID` if it could be either.
    identity: String,
    /// Why, for those who read the profiles later.
    #[arg(long, default_value = "", value_name = "TEXT")]
    why: String,
    /// The operator who requests it.
    #[arg(long, default_value = "cli", value_name = "NAME")]
    by: String,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let path = format!("/api/people/{}/unmerge", segment(&args.person));
    let body = serde_json::json!({ "identity": args.identity, "by": args.by, "why": args.why });
    let answer = args.target.post(&path, &body).await?;
    println!(
        "{} will be unlinked from {}: the request is queued",
        answer["identity"].as_str().unwrap_or_default(),
        answer["person"].as_str().unwrap_or_default()
    );
    Ok(ExitCode::SUCCESS)
}
