//! `perennial config deployment`

use anyhow::Context;
use data_encoding::HEXLOWER;
use perennial_channels::address::Mailbox;
use perennial_channels::secrets;
use perennial_config::channels::SecretPlace;
use perennial_config::deployment::Function;
use perennial_config::schedules::Schedule;
use perennial_config::{Bundle, Config};
use perennial_local::bundle;
use ring::digest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

/// Which folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "The module in infra/terraform takes it as `config`:\n  \
    perennial config deployment infra/config > deployment.json")]
pub(super) struct Args {
    /// The config folder.
    #[arg(default_value = "infra/config")]
    dir: PathBuf,
}

/// Prints the JSON.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = render(&bundle::read_as_written(&args.dir)?).with_context(|| args.dir.display().to_string())?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// Renders the deployment settings of a configuration, as JSON with a final line break.
fn render(bundle: &Bundle) -> anyhow::Result<String> {
    let wanted = Wanted::of(bundle, &Config::load(bundle)?)?;
    Ok(serde_json::to_string_pretty(&wanted)? + "\n")
}

/// The files that the JSON is made from.
const FILES: [&str; 4] = ["channels.toml", "deployment.toml", "schedules.toml", "sources.toml"];

/// The deployment settings of a configuration, including defaults.
#[derive(Serialize)]
struct Wanted {
    /// SHA-256, in hex, of each source file, so that a deployment can detect later edits.
    files: BTreeMap<&'static str, String>,
    queues: Queues,
    logs: Logs,
    functions: BTreeMap<&'static str, Size>,
    schedules: Vec<Clock>,
    mail: Mail,
    secrets: Secrets,
}

/// `[queues]` of `deployment.toml`.
#[derive(Serialize)]
struct Queues {
    max_receives: u16,
    retention_days: u16,
    dlq_retention_days: u16,
}

/// `[logs]` of `deployment.toml`.
#[derive(Serialize)]
struct Logs {
    retention_days: u16,
}

/// `[functions.NAME]` of `deployment.toml`.
#[derive(Serialize)]
struct Size {
    memory_mb: u16,
    timeout_seconds: u16,
    concurrency: Option<u16>,
    batch: Option<Batch>,
}

#[derive(Serialize)]
struct Batch {
    messages: u16,
    window_seconds: u16,
    at_once: u16,
}

/// A `[[schedule]]` of `schedules.toml`.
#[derive(Serialize)]
struct Clock {
    id: String,
    function: String,
    expression: String,
    time_zone: String,
    /// Minutes between two calls of a rate; `null` for a cron or a moment.
    every_minutes: Option<u32>,
}

/// `[mail]` and `[pause]` of `channels.toml`.
#[derive(Serialize)]
struct Mail {
    /// The sender's bare address, its host in lower case, as `deliver` writes it.
    from_address: String,
    /// The identity that SES has to have verified.
    domain: String,
    configuration_set: String,
    resend_unknown_after_minutes: u16,
    /// Shares, 0 to 1.
    bounce_limit: f64,
    complaint_limit: f64,
}

/// The places of secrets. Each list is sorted and has no duplicates.
#[derive(Serialize)]
struct Secrets {
    /// Environment variables of `ingest`.
    hooks: BTreeSet<String>,
    /// Environment variables of `deliver`.
    endpoints: BTreeSet<String>,
    /// Secrets of Secrets Manager that `deliver` reads at run time, by name or ARN.
    stored: BTreeSet<String>,
    /// Parameters of the Parameter Store that `deliver` reads at run time, by name with its leading slash, or ARN.
    parameters: BTreeSet<String>,
}

impl Wanted {
    fn of(bundle: &Bundle, config: &Config) -> anyhow::Result<Self> {
        let deployment = &config.deployment;
        let sizes = [
            ("ingest", deployment.ingest),
            ("score", deployment.score),
            ("sweep", deployment.sweep),
            ("rollup", deployment.rollup),
            ("deliver", deployment.deliver),
            ("report", deployment.report),
            ("api", deployment.api),
            ("dashboard", deployment.dashboard),
            ("import", deployment.import),
        ];
        Ok(Self {
            files: FILES.into_iter().filter_map(|name| Some((name, sha256(bundle.files.get(name)?)))).collect(),
            queues: Queues {
                max_receives: deployment.queues.max_receives,
                retention_days: deployment.queues.retention_days,
                dlq_retention_days: deployment.queues.dlq_retention_days,
            },
            logs: Logs { retention_days: deployment.log_days },
            functions: sizes.into_iter().map(|(name, size)| (name, Size::from(size))).collect(),
            schedules: config.schedules.iter().map(Clock::of).collect(),
            mail: Mail::of(config)?,
            secrets: Secrets::of(config),
        })
    }
}

fn sha256(text: &String) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

impl From<Function> for Size {
    fn from(Function { memory_mb, timeout_seconds, concurrency, batch }: Function) -> Self {
        let batch = batch.map(|batch| Batch {
            messages: batch.messages,
            window_seconds: batch.window_seconds,
            at_once: batch.at_once,
        });
        Self { memory_mb, timeout_seconds, concurrency, batch }
    }
}

impl Clock {
    fn of(schedule: &Schedule) -> Self {
        Self {
            id: schedule.id.clone(),
            function: schedule.function.clone(),
            expression: schedule.expression.clone(),
            time_zone: schedule.time_zone.clone(),
            every_minutes: schedule.every().and_then(|every| u32::try_from(every.as_mins()).ok()),
        }
    }
}

impl Mail {
    fn of(config: &Config) -> anyhow::Result<Self> {
        let (mail, pause) = (&config.channels.mail, &config.channels.pause);
        let from = Mailbox::parse(&mail.from).context("channels.toml: mail.from")?.address;
        Ok(Self {
            domain: from.host().to_owned(),
            from_address: from.as_str().to_owned(),
            configuration_set: mail.configuration_set.clone(),
            resend_unknown_after_minutes: mail.resend_unknown_after_minutes,
            bounce_limit: pause.bounces.fraction(),
            complaint_limit: pause.complaints.fraction(),
        })
    }
}

impl Secrets {
    fn of(config: &Config) -> Self {
        let (mut endpoints, mut stored, mut parameters) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for endpoint in config.channels.webhook.values() {
            match &endpoint.secret {
                SecretPlace::Env(name) => endpoints.insert(name.clone()),
                SecretPlace::Store(name) if secrets::is_parameter(name) => parameters.insert(name.clone()),
                SecretPlace::Store(name) => stored.insert(name.clone()),
            };
        }
        let hooks = config.sources.iter().filter_map(|source| Some(source.hook.as_ref()?.secret_env.clone()));
        Self { hooks: hooks.collect(), endpoints, stored, parameters }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_config::schedules::Rhythm;
    use serde_json::{Value, json};
    use std::path::Path;

    fn edited(file: &str, edit: impl Fn(&str) -> String) -> Value {
        let mut bundle = bundle::embedded();
        let text = edit(&bundle.files[file]);
        assert_ne!(text, bundle.files[file], "the edit changes nothing");
        bundle.files.insert(file.to_owned(), text);
        serde_json::from_str(&render(&bundle).unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_the_terraform_module_is_of_the_shipped_config() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform/examples/stage/deployment.json");
        let committed = std::fs::read_to_string(&path).unwrap();
        let current = render(&bundle::embedded()).unwrap();
        let how = "run `perennial config deployment > infra/terraform/examples/stage/deployment.json`";
        assert_eq!(committed, current, "{how}");
    }

    #[test]
    fn what_is_left_out_has_its_value_all_the_same() {
        let empty = edited("deployment.toml", |_| String::new());
        let shipped: Value = serde_json::from_str(&render(&bundle::embedded()).unwrap()).unwrap();
        for part in ["queues", "logs", "functions"] {
            assert_eq!(empty[part], shipped[part], "{part}");
        }
        assert_ne!(empty["files"]["deployment.toml"], shipped["files"]["deployment.toml"]);
        assert_eq!(empty["files"]["sources.toml"], shipped["files"]["sources.toml"]);
        assert_eq!(shipped["mail"]["complaint_limit"], 0.001);
        assert_eq!(shipped["mail"]["bounce_limit"], 0.05);
    }

    #[test]
    fn the_minutes_of_rates_are_worked_out_and_crons_have_none() {
        let cases = [("rate(1 minute)", Some(1)), ("rate(2 hours)", Some(120)), ("rate(3 days)", Some(4320))];
        for (expression, minutes) in cases.into_iter().chain([("cron(0 6 * * ? *)", None)]) {
            let schedule = Schedule {
                id: "s".to_owned(),
                function: "sweep".to_owned(),
                expression: expression.to_owned(),
                time_zone: "UTC".to_owned(),
                rhythm: Rhythm::parse(expression).unwrap(),
            };
            assert_eq!(Clock::of(&schedule).every_minutes, minutes, "{expression}");
        }
    }

    #[test]
    fn secrets_are_told_by_where_they_are() {
        let value = edited("channels.toml", |text| {
            text.replace("secret_env = \"CRM_WEBHOOK_SECRET\"", "secret = \"perennial/crm\"")
                .replace("secret_env = \"TASKS_WEBHOOK_SECRET\"", "secret = \"/perennial/tasks\"")
        });
        assert_eq!(value["secrets"]["endpoints"], json!(["TEAM_CHAT_URL"]));
        assert_eq!(value["secrets"]["stored"], json!(["perennial/crm"]));
        assert_eq!(value["secrets"]["parameters"], json!(["/perennial/tasks"]));
    }

    #[test]
    fn the_sender_is_the_bare_address_as_it_is_sent_from() {
        let value =
            edited("channels.toml", |text| text.replace("<hello@perennial.example>", "<Hello@Perennial.Example>"));
        assert_eq!(value["mail"]["from_address"], "Hello@perennial.example");
        assert_eq!(value["mail"]["domain"], "perennial.example");
    }

    #[test]
    fn a_config_with_errors_deploys_nothing() {
        let mut bundle = bundle::embedded();
        bundle.files.insert("deployment.toml".to_owned(), "[queues]\nretention_days = 15\n".to_owned());
        let error = format!("{:#}", render(&bundle).unwrap_err());
        assert!(error.contains("deployment.toml:2"), "{error}");
    }
}
