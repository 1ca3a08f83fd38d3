//! Instruction counts by valgrind's callgrind: the same on a busy machine as on a quiet one, to 0.2 %.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The command to put in front of a binary, or `None` if valgrind is not installed.
pub(crate) fn wrapper() -> Option<Vec<String>> {
    let works = Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    // Without an output file: only the total is needed, which is printed to stderr.
    works.then(|| ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"].map(str::to_owned).to_vec())
}

/// The total that callgrind wrote to stderr: `==123== Collected : 413019`.
pub(crate) fn collected(stderr: &str) -> Result<u64> {
    stderr
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok())
        .context("callgrind wrote no total")
}

/// Instructions for each of the `each` things that the workload `probe` does at a time: the difference of two lengths of it, so that
/// what surrounds the workload falls away.
pub(crate) fn instructions_each(probe: &str, times: u64, each: u64) -> Result<f64> {
    let wrapper = wrapper().context("valgrind is not installed")?;
    let me = std::env::current_exe()?;
    let one = probed(&wrapper, &me, probe, times)?;
    let two = probed(&wrapper, &me, probe, 2 * times)?;
    Ok(two.saturating_sub(one) as f64 / (times * each) as f64)
}

fn probed(wrapper: &[String], me: &Path, probe: &str, times: u64) -> Result<u64> {
    let (tool, args) = wrapper.split_first().context("no tool")?;
    let output = Command::new(tool).args(args).arg(me).args(["--probe", probe, &times.to_string()]).output()?;
    ensure!(output.status.success(), "the probe failed");
    collected(&String::from_utf8_lossy(&output.stderr))
}
