//! `perennial unmerge`

use std::process::ExitCode;

/// Who, which identity, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The person, by any id or mail address.
    person: String,
    /// The user id that is someone else, which leaves with its anonymous ids, or one anonymous id; `user:ID` or `anonymous:ID` where it could
    /// be either.
    identity: String,
    /// Why, for those who read the profiles later.
    #[arg(long, default_value = "", value_name = "TEXT")]
    why: String,
    /// Who says so.
    #[arg(long, default_value = "cli", value_name = "NAME")]
    by: String,
    /// Where the system runs.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// The key that may read, where the system asks for one.
    #[arg(long, env = "PERENNIAL_API_KEY", hide_env_values = true, value_name = "KEY")]
    api_key: Option<String>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut url = reqwest::Url::parse(&args.url)?;
    let path = ["api", "people", &args.person, "unmerge"];
    // An id may hold a slash, so it is a segment of its own.
    url.path_segments_mut()
        .map_err(|()| anyhow::anyhow!("{} is no address of a system", args.url))?
        .pop_if_empty()
        .extend(path);
    let body = serde_json::json!({ "identity": args.identity, "by": args.by, "why": args.why });
    let mut request = reqwest::Client::new().post(url).body(body.to_string());
    if let Some(key) = &args.api_key {
        request = request.bearer_auth(key);
    }
    let answer = request.send().await?;
    let (status, body) = (answer.status(), answer.text().await?);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    anyhow::ensure!(status.is_success(), "{status}: {}", body["error"]["message"].as_str().unwrap_or_default());
    println!(
        "{} is taken out of {}",
        body["identity"].as_str().unwrap_or_default(),
        body["person"].as_str().unwrap_or_default()
    );
    Ok(ExitCode::SUCCESS)
}
