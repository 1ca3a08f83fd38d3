//! Instruction counts by valgrind's callgrind: the same on a busy machine as on a quiet one, to 0.2 %.

use std::process::Command;

use anyhow::{Context, Result};

/// The command to put in front of a binary, or `None` if valgrind is not installed.
pub(crate) fn wrapper() -> Option<Vec<String>> {
    let works = Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    // Without an output file: only the total is wanted, and that goes to stderr.
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
