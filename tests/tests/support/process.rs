//! The command as a process that can be killed.

use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running `perennial up`.
pub struct Process {
    child: Child,
    pub base: String,
}

impl Process {
    /// Starts it on `dir` and waits until it prints its URL.
    pub async fn start(dir: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perennial-under-test"));
        command.args(["up", "--port", "0", "--fast", "--visibility", "2", "--data"]).arg(dir).args(arguments);
        command.env("LOG", "off").stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
        let mut child = command.spawn().expect("the command starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let first = lines.next_line().await.expect("readable").expect("a line before it ends");
        let base = first.rsplit(' ').next().expect("a URL").to_owned();
        // The rest of its output must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, base }
    }

    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it can be killed");
    }
}
