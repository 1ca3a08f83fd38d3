//! Prints the progress to stderr, so that stdout contains only the table.

use std::io::{IsTerminal, Write};

/// A line that is rewritten on a terminal, and one line a stage elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    stage: String,
    steps: usize,
    done: usize,
    live: bool,
}

impl Progress {
    /// Creates a progress without a stage.
    pub(crate) fn new() -> Self {
        Self { stage: String::new(), steps: 0, done: 0, live: std::io::stderr().is_terminal() }
    }

    /// Starts a stage of so many steps.
    pub(crate) fn begin(&mut self, stage: &str, steps: usize) {
        self.end();
        (self.stage, self.steps, self.done) = (stage.to_owned(), steps, 0);
        if !self.live {
            eprintln!("measuring {stage}");
        }
    }

    /// Begins a step.
    pub(crate) fn step(&mut self, what: &str) {
        self.done += 1;
        if self.live {
            eprint!("\r\x1b[Kmeasuring {} {}/{} {what}", self.stage, self.done, self.steps);
            drop(std::io::stderr().flush());
        }
    }

    /// Leaves a clean line.
    pub(crate) fn end(&mut self) {
        if self.live && !self.stage.is_empty() {
            eprint!("\r\x1b[K");
        }
        self.stage.clear();
    }
}
