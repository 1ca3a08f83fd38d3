//! One run of a function: started, initialised, given events, killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::runtime_api::{Happened, RuntimeApi};

/// The measurements of one run.
#[derive(Debug)]
pub(crate) struct Life {
    /// From exec to the first request for an event.
    pub(crate) init: Duration,
    /// From each event to its answer.
    pub(crate) invocations: Vec<Duration>,
    /// The most memory that was resident, in bytes.
    pub(crate) peak_bytes: u64,
    /// The stderr of the process.
    pub(crate) stderr: String,
}

/// How a function is run: its variables, and whether under a tool that counts instructions.
pub(crate) struct Setting<'a> {
    /// Environment, over the one a Lambda has.
    pub(crate) variables: &'a [(String, String)],
    /// A command to put in front of the binary.
    pub(crate) wrapper: &'a [String],
    /// The timeout of each step.
    pub(crate) patience: Duration,
}

/// Runs `binary` through init and `events`.
pub(crate) fn live(binary: &Path, setting: &Setting<'_>, events: Vec<Vec<u8>>) -> Result<Life> {
    let api = RuntimeApi::start(events.clone())?;
    let mut command = match setting.wrapper.split_first() {
        None => Command::new(binary),
        Some((tool, args)) => {
            let mut command = Command::new(tool);
            command.args(args).arg(binary);
            command
        }
    };
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("AWS_LAMBDA_RUNTIME_API", api.address())
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .envs(setting.variables.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = Killed(command.spawn().with_context(|| format!("{} cannot be run", binary.display()))?);
    let outcome = follow(&api, started, events.len(), setting.patience);
    let peak_bytes = peak_bytes(&child.0);
    child.terminate();
    let mut stderr = String::new();
    if let Some(mut pipe) = child.0.stderr.take() {
        // Invalid text is not worth a failure.
        std::io::Read::read_to_string(&mut pipe, &mut stderr).unwrap_or_default();
    }
    let (init, invocations) =
        outcome.with_context(|| stderr.lines().last().unwrap_or("it wrote nothing to stderr").to_owned())?;
    Ok(Life { init, invocations, peak_bytes: peak_bytes?, stderr })
}

fn follow(api: &RuntimeApi, started: Instant, events: usize, patience: Duration) -> Result<(Duration, Vec<Duration>)> {
    let mut init = None;
    let mut given = started;
    let mut invocations = Vec::new();
    loop {
        let happened = api.happened.recv_timeout(patience).map_err(|_| anyhow!("it fell silent or ended"))?;
        match happened {
            Happened::Asked(at) => {
                let init = *init.get_or_insert(at - started);
                if invocations.len() == events {
                    return Ok((init, invocations));
                }
            }
            Happened::Given(at) => given = at,
            Happened::Answered(at, body) => {
                refused(&body)?;
                invocations.push(at - given);
            }
            Happened::Failed(body) => bail!("it reported {}", String::from_utf8_lossy(&body)),
        }
    }
}

/// Returns an error if the response says that the work was not done: its cost would be meaningless.
fn refused(answer: &[u8]) -> Result<()> {
    let answer: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    if let Some(status) = answer["statusCode"].as_u64().filter(|status| *status >= 400) {
        bail!("it answered {status}: {}", answer["body"].as_str().unwrap_or_default());
    }
    if answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty()) {
        bail!("it failed its record");
    }
    Ok(())
}

/// Returns `VmHWM` of a running process: what `getrusage` would report after its end, without unsafe code.
fn peak_bytes(child: &Child) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).context("no /proc: peak memory")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().context("VmHWM is no number")?;
    Ok(kib * 1024)
}

/// A child that does not outlive the benchmark.
struct Killed(Child);

impl Killed {
    /// Asks the process to end, so that a tool around it can write its totals, and waits.
    fn terminate(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            drop(self.0.kill());
        }
        drop(self.0.wait());
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
