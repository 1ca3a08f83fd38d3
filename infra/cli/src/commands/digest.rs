//! `perennial digest`

use super::client::{Target, segment};
use anyhow::Context as _;
use perennial_views::digest::Preview;
use std::process::ExitCode;

/// The owner, the form, and the system.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sends nothing. Figures are those of the last run of the reports; people and accounts are those of now.\n\n\
    Examples:\n  \
    perennial digest \"customer success\"\n  \
    perennial digest sales --html --stack perennial > digest.html"
)]
pub(super) struct Args {
    /// The owner of segments, as in segments.toml.
    owner: String,
    /// Print the HTML of the mail instead of its plain text.
    #[arg(long, conflicts_with = "json")]
    html: bool,
    /// Print what the api answers: the digest, and the subject, text and HTML of the mail.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let answer = args.target.get(&format!("/api/digests/{}", segment(&args.owner))).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let preview: Preview = serde_json::from_value(answer).context("the digest is of another version of perennial")?;
    if args.html {
        print!("{}", preview.html);
    } else {
        println!("Subject: {}\n\n{}", preview.subject, preview.text.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
