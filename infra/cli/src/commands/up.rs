//! `perennial up`

use super::config::check::{Report, in_color};
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;
use perennial_embedded_aws::{FaultPlan, SesLimits};
use perennial_lambda_kit::Clock;
use perennial_local::bundle;
use perennial_local::stack::elsewhere::{CALLED, Elsewhere};
use perennial_local::stack::{
    LOCAL_PUBLIC_KEY, LOCAL_TOKEN_SECRET, LOCAL_WRITE_KEY, Origin, Stack, StackOptions, StartTime,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How to run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A data folder keeps its active configuration over restarts. --config and the built-in configuration are \
    used only for an empty folder; afterwards `perennial config push DIR` changes it, and `perennial config \
    rollback` restores the previous version. Only one process at a time can use a folder.\n\n\
    http://127.0.0.1:8080/_local/ lists the pages of a local stack only: captured mails and webhooks, queues, \
    time.\n\n\
    With OIDC_ISSUER and the other variables of functions/dashboard/README.md the dashboard asks for sign-in, \
    as a deployed one does; /api/ and /_local/ stay open without it, also under each name of --allow-host.\n\n\
    Examples:\n  \
    perennial up --data ./state                        keep everything in ./state\n  \
    perennial up --data ./state --config infra/config  the same; an empty ./state begins with infra/config\n  \
    perennial up --simulate-from 2026-03-02T09:00:00Z  time stands still until it is moved:\n  \
    curl -d '{\"now\": \"2026-04-01T09:00:00Z\"}' http://127.0.0.1:8080/_local/time"
)]
pub(super) struct Args {
    /// Keep all state in this folder, including the active configuration; default: in memory, until the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Accept this host name too, and let its pages call the stack: that of a tunnel, for webhooks. Every other name
    /// and page that is not of this machine is rejected.
    #[arg(long = "allow-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,
    /// The write key of your servers, instead of those whose hashes the first trusted source of sources.toml holds (there: local-write-key).
    #[arg(long, env = "PERENNIAL_WRITE_KEY", hide_env_values = true, value_name = "KEY", value_parser = key)]
    write_key: Option<String>,
    /// The write key of web pages and apps, instead of those of the first public source (there: local-public-key).
    #[arg(long, env = "PERENNIAL_PUBLIC_KEY", value_name = "KEY", value_parser = key)]
    public_key: Option<String>,
    /// The signing secret of all hooks, in place of the environment variables in sources.toml.
    #[arg(long, env = "PERENNIAL_HOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    hook_secret: Option<String>,
    /// The config folder that an empty stack begins with, instead of the built-in configuration. A data folder that has an active configuration keeps it.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Run on simulated time, which stands at this moment (2026-01-31T09:00:00Z) until POST /_local/time moves it.
    /// Every delay, wait, retry and schedule uses it. A data folder continues from the latest time that it has reached,
    /// if that is later.
    #[arg(long, value_name = "TIMESTAMP")]
    simulate_from: Option<Timestamp>,
    /// Commit without fsync: faster, safe when the process dies, not when the power fails.
    #[arg(long)]
    fast: bool,
    /// Seconds until a message that was not dealt with is delivered again.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    visibility: u64,
    /// Inject faults into DynamoDB, SQS and SES: SEED:RATE, such as 7:0.05. For testing.
    #[arg(long, value_name = "SEED:RATE", value_parser = fault_plan)]
    faults: Option<FaultPlan>,
    /// Limit the embedded mail service to this many mails a second, such as 14, with SES's errors beyond it. Default:
    /// no limit.
    #[arg(long, value_name = "MAILS", value_parser = rate)]
    ses_rate: Option<f64>,
    /// Limit it to this many mails within 24 hours. Default: no limit.
    #[arg(long, value_name = "MAILS")]
    ses_quota: Option<u64>,
    /// Functions that you run yourself, with commas between: queues and schedules do not call them in this process.
    #[arg(long, value_name = "FUNCTIONS", value_delimiter = ',', value_parser = PossibleValuesParser::new(CALLED))]
    without: Vec<String>,
    /// The address of the functions of --without: http://127.0.0.1:9000 with `cargo lambda watch`. Without an address
    /// they are not called.
    #[arg(long, value_name = "URL", requires = "without")]
    invoke: Option<String>,
}

fn key(text: &str) -> Result<String, String> {
    let is_blank = text.trim().is_empty();
    if is_blank {
        Err("a write key must not be empty; leave the option out to keep the keys of sources.toml".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| format!("`{text}` is not a number of mails a second above 0, such as 14 or 0.5"))
}

fn fault_plan(text: &str) -> Result<FaultPlan, String> {
    let wrong = || format!("`{text}` is not SEED:RATE, such as 7:0.05 (RATE from 0 to 0.5)");
    let (seed, rate) = text.split_once(':').ok_or_else(wrong)?;
    let (seed, rate): (u64, f64) = (seed.parse().map_err(|_| wrong())?, rate.parse().map_err(|_| wrong())?);
    if (0.0..=0.5).contains(&rate) { Ok(FaultPlan::uniform(seed, rate)) } else { Err(wrong()) }
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    super::init_logs();
    let config = match &args.config {
        Some(dir) => bundle::read_dir(dir)?,
        None => bundle::embedded(),
    };
    if let Some(dir) = &args.config {
        let report = Report::of(&config);
        if !report.errors.is_empty() {
            eprint!("{}", report.text(&dir.display().to_string(), in_color()));
            eprintln!("Nothing was started.");
            return Ok(ExitCode::FAILURE);
        }
    }
    let (clock, simulated) = match args.simulate_from {
        Some(start) => {
            let (clock, simulated) = Clock::simulated(start);
            (clock, Some(simulated))
        }
        None => (Clock::system(), None),
    };
    let named = args.config.is_some();
    let stack = Stack::start(StackOptions {
        data: args.data,
        port: args.port,
        allowed_hosts: args.allowed_hosts,
        write_key: args.write_key,
        public_key: args.public_key,
        hook_secret: args.hook_secret,
        fast: args.fast,
        visibility: Duration::from_secs(args.visibility),
        faults: args.faults,
        ses: SesLimits { per_second: args.ses_rate, per_day: args.ses_quota },
        elsewhere: Elsewhere { functions: args.without, invoke: args.invoke },
        config_replaces_unreadable: named,
        ..StackOptions::new(config, clock, simulated)
    })
    .await?;
    println!("Perennial is up at {}", stack.base_url());
    print_urls(stack.base_url());
    if stack.takes_write_key(LOCAL_WRITE_KEY) {
        println!("  write key   {LOCAL_WRITE_KEY}   (for servers; --write-key sets another)");
    }
    if stack.takes_write_key(LOCAL_PUBLIC_KEY) {
        println!("  public key  {LOCAL_PUBLIC_KEY}   (for web pages and apps; --public-key sets another)");
    }
    if !stack.has_token_secret() {
        println!("  tokens      {LOCAL_TOKEN_SECRET}   (the secret of users' tokens; INBOX_SECRETS overrides it)");
    }
    println!("  config      {}", active(&stack, args.config.as_deref()));
    if let Some(time) = time(stack.start_time(), stack.now(), args.simulate_from.is_some()) {
        println!("  time        {time}");
    }
    super::asked_to_stop().await?;
    stack.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Which configuration is active, why, and what changes it. `folder` is that of --config.
fn active(stack: &Stack, folder: Option<&Path>) -> String {
    let (version, origin) = stack.config();
    let from = folder.map_or_else(|| "the built-in configuration".to_owned(), |folder| folder.display().to_string());
    let why = match origin {
        Origin::Seeded => format!("from {from}"),
        Origin::Kept { differs: true } if folder.is_some() => {
            format!("kept from the data folder; {from} differs and was NOT applied")
        }
        Origin::Kept { .. } => "kept from the data folder".to_owned(),
        Origin::Replaced => format!("from {from}; the one in the data folder cannot be read by this version"),
    };
    let dir = folder.map_or_else(|| "DIR".to_owned(), |folder| folder.display().to_string());
    let url = if stack.base_url().ends_with(":8080") { String::new() } else { format!(" --url {}", stack.base_url()) };
    format!("version {version}, {why}\n              change it: perennial config push {dir}{url}")
}

/// Describes the time of a stack that began as `start`, if it is not simply the machine's time.
fn time(start: StartTime, now: Timestamp, simulated: bool) -> Option<String> {
    match start {
        StartTime::AsAsked if simulated => Some(format!("simulated, stands at {now} until POST /_local/time moves it")),
        StartTime::AsAsked => None,
        StartTime::Continued { asked } => Some(format!(
            "simulated, goes on from {now}: the data folder has come that far, so --simulate-from {asked} was NOT applied"
        )),
        StartTime::NoLongerSimulated { reached, is_ahead } => {
            let ahead = if is_ahead { " This lies in the future, and so does what is stored." } else { "" };
            Some(format!(
                "real, NOT simulated, though the data folder ran on simulated time up to {reached}.{ahead}\n              \
                 to go on there: stop, and start it with --simulate-from {reached}"
            ))
        }
    }
}

/// Prints the URLs of the stack.
pub(super) fn print_urls(base: &str) {
    println!("  dashboard   {base}/");
    println!(
        "  send        POST {base}/v1/batch   (track, identify, page, screen, group, alias; any Segment-compatible SDK)"
    );
    println!("  hooks       POST {base}/hooks/SOURCE");
    println!("  status      {base}/api/status");
    println!("  a person    {base}/api/profiles/ID   (user id, anonymous id, mail address)");
    println!("  an account  {base}/api/accounts/ID");
    println!("  rejects     {base}/api/rejects");
    println!("  mails       {base}/_local/mails");
    println!("  local       {base}/_local/   (webhooks, queues, time, stand-ins)");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `--write-key "$KEY"` where `KEY` is not set: everybody could send as a server.
    #[test]
    fn empty_key_is_refused_with_a_reason() {
        use clap::Parser;
        for option in ["--write-key", "--public-key"] {
            for empty in ["", " "] {
                let error =
                    crate::commands::Cli::try_parse_from(["perennial", "up", option, empty]).map(drop).unwrap_err();
                assert!(error.to_string().contains("a write key must not be empty"), "{error}");
            }
            assert!(crate::commands::Cli::try_parse_from(["perennial", "up", option, "secret"]).is_ok());
        }
    }

    #[test]
    fn time_that_is_not_as_expected_is_told() {
        let (march, may): (Timestamp, Timestamp) =
            ("2026-03-02T10:00:00Z".parse().unwrap(), "2026-05-01T00:00:00Z".parse().unwrap());
        let told = |start, simulated| time(start, may, simulated).unwrap_or_default();
        assert_eq!(told(StartTime::AsAsked, false), "");
        assert!(told(StartTime::AsAsked, true).contains("stands at 2026-05-01T00:00:00Z"));
        let continued = told(StartTime::Continued { asked: march }, true);
        assert!(continued.contains("from 2026-05-01T00:00:00Z") && continued.contains("2026-03-02T10:00:00Z was NOT"));
        let real = told(StartTime::NoLongerSimulated { reached: may, is_ahead: true }, false);
        assert!(real.contains("NOT simulated") && real.contains("in the future") && real.contains("--simulate-from"));
    }
}
