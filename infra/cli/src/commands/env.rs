//! `perennial env`

use super::client::Target;
use clap::builder::PossibleValuesParser;
use perennial_local::stack::environment::FUNCTIONS;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// The function.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The function.
    #[arg(value_parser = PossibleValuesParser::new(FUNCTIONS))]
    function: String,
    #[command(flatten)]
    target: Target,
}

/// Prints one KEY=VALUE a line, as files for `--env-file` have it.
pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let answer = args.target.get(&format!("/_local/functions/{}/environment", args.function)).await?;
    let variables: BTreeMap<String, String> = serde_json::from_value(answer)?;
    for (name, value) in &variables {
        println!("{name}={}", quoted(value));
    }
    Ok(ExitCode::SUCCESS)
}

/// Quotes the value so that a shell that sources the file reads the same value.
fn quoted(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@%+".contains(&byte);
    if value.bytes().all(is_plain) { value.to_owned() } else { format!("'{value}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(
            quoted("http://127.0.0.1:8080/000000000000/mail-events"),
            "http://127.0.0.1:8080/000000000000/mail-events"
        );
        assert_eq!(quoted(r#"{"client_id": "local"}"#), r#"'{"client_id": "local"}'"#);
    }
}
