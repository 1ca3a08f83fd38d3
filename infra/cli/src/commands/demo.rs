//! `perennial demo`

use super::feed::Feeder;
use super::report::{self, Phase};
use flate2::read::GzDecoder;
use futures::stream::{self, StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use perennial_lambda_kit::{Clock, SimulatedTime};
use perennial_local::bundle;
use perennial_local::stack::{LOCAL_WRITE_KEY, Stack, StackOptions};
use perennial_sample::{self as sample, Company};
use std::io::{BufRead, BufReader, IsTerminal};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The CDNOW purchases, see `events/README.md`.
static CDNOW: &[u8] = include_bytes!("../../../../events/cdnow.ndjson.gz");
/// Calls in one batch.
const BATCH: usize = 500;
/// The number of concurrent batches.
const CONCURRENCY: usize = 4;
/// The step of virtual time while the sample company runs.
const STEP: SignedDuration = SignedDuration::from_hours(12);
/// The number of waits for deferred messages after its last day.
const LAST_QUARTERS: usize = 20;
/// When the sample company's 120 days end, in virtual time.
const END: &str = "2026-11-01T00:00:00Z";

/// The demo's options.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Stop after the tables instead of staying up. With it or without, the command fails at its end if a total is not as expected.
    #[arg(long)]
    exit: bool,
    /// The port on 127.0.0.1; a free one if 8080 is taken.
    #[arg(long)]
    port: Option<u16>,
    /// Replay 93,229 real purchases of 1997 and 1998 first, to see the throughput of this machine.
    #[arg(long)]
    load: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    super::init_logs();
    let end: Timestamp = END.parse()?;
    let company = sample::company(end, sample::SEED);
    let (clock, simulated) = Clock::simulated(perennial_domain::time::plus_days(end, -sample::DAYS));
    let port = args.port.unwrap_or_else(|| if free(8080) { 8080 } else { 0 });
    let options = StackOptions {
        port,
        visibility: Duration::from_secs(300),
        ..StackOptions::new(bundle::embedded(), clock.clone(), Some(simulated.clone()))
    };
    let stack = Stack::start(options).await?;
    println!("Perennial is up at {}, in memory, on simulated time.\n", stack.base_url());
    let feeder = Feeder::new(stack.base_url(), LOCAL_WRITE_KEY);
    let mut phases = Vec::new();
    if args.load {
        phases.push(replay_cdnow(&feeder, &stack).await?);
    }
    phases.push(live_sample(&feeder, &stack, &simulated, &company).await?);

    make_reports(&stack, clock).await?;
    let status = feeder.status().await?;
    let report = report::print(&stack, &feeder, &status, (&phases, company.negative_mentions())).await?;
    println!();
    super::up::print_urls(stack.base_url());
    println!("\n{}", next_commands(stack.base_url()));
    if !args.exit {
        println!("\nCtrl-C stops it.");
        super::asked_to_stop().await?;
    }
    stack.stop().await;
    Ok(if report.as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes the reports, which the dashboard shows: under simulated time no schedule does.
async fn make_reports(stack: &Stack, clock: Clock) -> anyhow::Result<()> {
    let deps = perennial_report::Deps::new(stack.store().clone(), stack.archive().clone(), clock);
    while perennial_report::handler::handle(&deps, perennial_report::Request { now: true }).await?.made.is_none() {}
    Ok(())
}

/// Commands to try against the running demo, with ids that the sample company has.
fn next_commands(base_url: &str) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "perennial".to_owned());
    let url = if base_url == super::client::DEFAULT_URL { String::new() } else { format!(" --url {base_url}") };
    let commands = [
        (format!("explain {}{url}", sample::EXAMPLE_USER), "one user's nine scores, with the reasons for each"),
        (
            format!("explain --account {}{url}", sample::EXAMPLE_ACCOUNT),
            "an account's score and health, down to its people",
        ),
        (format!("experiments{url}"), "which variant of each split and holdout is ahead"),
    ];
    let lines = commands.map(|(command, shows)| format!("  {program} {command}\n      {shows}"));
    format!("Try in another terminal:\n{}", lines.join("\n"))
}

fn free(port: u16) -> bool {
    std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Says how far the sample company is, where no progress bar can be shown: a line for each 20 days.
struct Lines {
    calls: usize,
    days: i64,
    is_needed: bool,
}

impl Lines {
    fn new(calls: usize) -> Self {
        println!(
            "The sample company's {calls} events of {} days follow, which takes one to three minutes.",
            sample::DAYS
        );
        Self { calls, days: 0, is_needed: !std::io::stderr().is_terminal() }
    }

    fn tell(&mut self, sent: u64, began: Timestamp, now: Timestamp) {
        let days = perennial_domain::time::days_between(began, now);
        if self.is_needed && days / 20 > self.days / 20 {
            println!("  day {days}: {sent} of {} events", self.calls);
        }
        self.days = days;
    }
}

fn bar(total: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    // The template is a constant; without it the bar is plainer.
    if let Ok(style) = ProgressStyle::with_template(
        "{msg:<34} {bar:40.cyan/blue} {human_pos:>7}/{human_len} events  {per_sec:>14}  {elapsed}",
    ) {
        bar.set_style(style);
    }
    bar
}

/// Replays purchases of 1997 and 1998: old events, which trigger no messages.
async fn replay_cdnow(feeder: &Feeder, stack: &Stack) -> anyhow::Result<Phase> {
    let lines: Vec<String> = BufReader::new(GzDecoder::new(CDNOW)).lines().collect::<Result<_, _>>()?;
    let started = Instant::now();
    let progress = bar(lines.len() as u64, "CDNOW purchases, 1997-1998");
    stream::iter(lines.chunks(BATCH).map(<[String]>::to_vec))
        .map(|batch| {
            let progress = &progress;
            async move {
                feeder.post(&batch).await?;
                progress.inc(batch.len() as u64);
                anyhow::Ok(())
            }
        })
        .buffer_unordered(CONCURRENCY)
        .try_collect::<()>()
        .await?;
    progress.set_message("CDNOW purchases, being scored");
    stack.wait_idle().await?;
    progress.finish_with_message("CDNOW purchases, 1997-1998");
    Ok(Phase {
        name: "CDNOW",
        events: lines.len() as u64,
        accepted: lines.len() as u64,
        rejected: 0,
        duplicates: 0,
        people: 23_570,
        accounts: 0,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Lives the sample company's days: what happens is sent when it happens, the clock moves on, schedules fire.
async fn live_sample(
    feeder: &Feeder,
    stack: &Stack,
    simulated: &SimulatedTime,
    company: &Company,
) -> anyhow::Result<Phase> {
    let started = Instant::now();
    let expected = company.expected();
    let progress = bar(company.calls().len() as u64, "Sample company, 120 days");
    let mut calls = company.calls().peekable();
    let began = simulated.now();
    let mut until = began;
    let mut lines = Lines::new(company.calls().len());
    while calls.peek().is_some() {
        until = until.checked_add(STEP)?;
        let mut batch = Vec::new();
        while let Some(call) = calls.next_if(|call| call.at < until) {
            batch.push(call.body.to_string());
        }
        simulated.set(until);
        for chunk in batch.chunks(BATCH) {
            feeder.post(chunk).await?;
            progress.inc(chunk.len() as u64);
        }
        stack.wait_idle().await?;
        stack.fire_schedules().await;
        stack.wait_idle().await?;
        lines.tell(progress.position(), began, until);
    }
    // Processes deferred accounts, a quarter of an hour at a time, and their consequences.
    for _ in 0..LAST_QUARTERS {
        if !stack.has_put_off() {
            break;
        }
        until = until.checked_add(SignedDuration::from_mins(16))?;
        simulated.set(until);
        stack.fire_schedules().await;
        stack.wait_idle().await?;
    }
    progress.finish();
    Ok(Phase {
        name: "Sample company",
        events: company.calls().len() as u64,
        accepted: expected.accepted,
        rejected: expected.rejected,
        duplicates: expected.duplicates,
        people: expected.people,
        accounts: expected.accounts,
        seconds: started.elapsed().as_secs_f64(),
    })
}
