//! The result of an import, for people and as JSON, and the file of rejected rows.

use crate::commands::tables::{framed, number, numbers};
use anyhow::Context;
use perennial_config::imports::Mode;
use perennial_import::Outcome;
use perennial_imports::Reject;
use perennial_imports::chunk::Chunk;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The rejected rows that are shown.
const SHOWN: usize = 20;
/// The events that a trial run shows.
const SAMPLES: usize = 3;
/// The longest sample, in bytes.
const SAMPLE_BYTES: usize = 600;

/// The result of an import.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    dry_run: bool,
    mode: &'static str,
    files: Vec<OfFile>,
    /// Events by name.
    events: BTreeMap<String, u64>,
    /// Addresses that get no mail any more, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    suppressed: BTreeMap<&'static str, u64>,
    /// Rejected rows by code.
    rejected: BTreeMap<&'static str, u64>,
    /// The first rejected rows.
    rejects: Vec<Rejected>,
    /// The first events of a trial run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    samples: Vec<Value>,
}

/// The result of one file.
#[derive(Debug, Default, Serialize)]
struct OfFile {
    file: String,
    rows: u64,
    events: u64,
    rejected: u64,
    /// Rows that no map matches.
    unmatched: u64,
    /// Rows that are as in the file before.
    unchanged: u64,
    /// `true` if the file was imported before, and nothing was sent.
    known: bool,
    /// `true` if only its first rows were read.
    stopped: bool,
}

impl OfFile {
    fn is_useless(&self) -> bool {
        let unused = self.rejected + self.unmatched;
        !self.known && self.events == 0 && self.unchanged == 0 && unused >= self.rows
    }
}

/// A rejected row. Contains no value of the row.
#[derive(Debug, Serialize)]
struct Rejected {
    file: String,
    line: u64,
    column: String,
    code: &'static str,
    reason: String,
    allowed: String,
}

impl Rejected {
    fn of(text: &Arc<str>, reject: &Reject) -> Self {
        Self {
            file: text.to_string(),
            line: reject.line,
            column: reject.column.clone(),
            code: reject.code.as_str(),
            reason: reject.reason.clone(),
            allowed: reject.allowed.clone().into_owned(),
        }
    }
}

impl Report {
    pub(super) fn new(dry_run: bool, mode: Mode) -> Self {
        let mode = match mode {
            Mode::History => "history",
            Mode::Feed => "feed",
        };
        Self {
            dry_run,
            mode,
            files: Vec::new(),
            events: BTreeMap::new(),
            suppressed: BTreeMap::new(),
            rejected: BTreeMap::new(),
            rejects: Vec::new(),
            samples: Vec::new(),
        }
    }

    /// Begins with a file.
    pub(super) fn begin(&mut self, file: &str) {
        self.files.push(OfFile { file: file.to_owned(), ..OfFile::default() });
    }

    /// Adds a chunk of the file.
    pub(super) fn add(&mut self, chunk: &Chunk) {
        for accepted in &chunk.accepted {
            // ingest's JSON is an event; only its name is of interest.
            let Ok(event) = serde_json::from_str::<Value>(&chunk.json[accepted.json.clone()]) else { continue };
            let kind = event["type"].as_str().unwrap_or_default();
            let name = event["event"].as_str().map_or_else(|| format!("${kind}"), str::to_owned);
            *self.events.entry(name).or_default() += 1;
            if self.dry_run && self.samples.len() < SAMPLES {
                self.samples.push(event);
            }
        }
        for suppression in &chunk.suppressions {
            let reason = suppression.reason.as_str();
            *self.suppressed.entry(reason).or_default() += 1;
            if self.dry_run && self.samples.len() < SAMPLES {
                let (address, since) = (suppression.address.as_str(), suppression.since);
                self.samples.push(json!({ "address": address, "reason": reason, "since": since }));
            }
        }
        for (text, reject) in &chunk.rejects {
            *self.rejected.entry(reject.code.as_str()).or_default() += 1;
            if self.rejects.len() < SHOWN {
                self.rejects.push(Rejected::of(text, reject));
            }
        }
        if let Some(file) = self.files.last_mut() {
            file.rows += chunk.rows;
            file.events += chunk.accepted.len() as u64;
            file.rejected += chunk.rejects.len() as u64;
            file.unmatched += chunk.unmatched;
            file.unchanged += chunk.unchanged;
        }
    }

    /// Returns the rows of the current file so far.
    pub(super) fn rows_of_file(&self) -> u64 {
        self.files.last().map_or(0, |file| file.rows)
    }

    /// Records that the current file was not read to its end.
    pub(super) fn stopped(&mut self) {
        if let Some(file) = self.files.last_mut() {
            file.stopped = true;
        }
    }

    /// Ends the current file with the totals of the import, which an earlier call may have begun.
    pub(super) fn end(&mut self, outcome: &Outcome) {
        let job = outcome.job();
        if let Some(file) = self.files.last_mut() {
            file.rows = job.rows;
            file.events = job.events;
            file.rejected = job.rejected;
            file.unmatched = job.unmatched;
            file.unchanged = job.unchanged;
            file.known = matches!(outcome, Outcome::Known(_));
        }
    }

    /// Returns whether a file gave nothing: it has no rows, or none of them became an event or a suppression. A file that was imported
    /// before, or that is as the one before it, is well.
    pub(super) fn is_useless(&self) -> bool {
        self.files.iter().any(OfFile::is_useless)
    }

    /// Returns the report for a terminal.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut files = numbers(&["file", "rows", "events", "rejected", "unmatched", "unchanged"]);
        for file in &self.files {
            let remark = match () {
                () if file.known => " (imported before: nothing was sent)",
                () if file.rows == 0 => " (has no rows)",
                () if file.is_useless() => " (nothing in it could be used)",
                () if file.stopped => " (the first rows; --rows 0 reads all)",
                () => "",
            };
            files.add_row([
                format!("{}{remark}", file.file),
                number(file.rows),
                number(file.events),
                number(file.rejected),
                number(file.unmatched),
                number(file.unchanged),
            ]);
        }
        out += &format!("{files}\n");
        if !self.events.is_empty() {
            let mut events = numbers(&["event", "number"]);
            for (name, count) in &self.events {
                events.add_row([name.clone(), number(*count)]);
            }
            out += &format!("\n{events}\n");
        }
        if !self.suppressed.is_empty() {
            let mut suppressed = numbers(&["addresses that get no mail", "number"]);
            for (reason, count) in &self.suppressed {
                suppressed.add_row([(*reason).to_owned(), number(*count)]);
            }
            out += &format!("\n{suppressed}\n");
        }
        if !self.rejects.is_empty() {
            let mut rejects = framed(&["file", "line", "column", "what is wrong", "what would be right"]);
            for reject in &self.rejects {
                let line = reject.line.to_string();
                rejects.add_row([&reject.file, &line, &reject.column, &reject.reason, &reject.allowed]);
            }
            out += &format!("\n{rejects}\n");
            let all: u64 = self.rejected.values().sum();
            if all > self.rejects.len() as u64 {
                out += &format!("The first {} of {}; --rejects FILE writes all.\n", self.rejects.len(), number(all));
            }
        }
        for sample in &self.samples {
            let text = sample.to_string();
            out += &format!("\n{}\n", &text[..text.floor_char_boundary(SAMPLE_BYTES)]);
        }
        out += match (self.dry_run, self.mode) {
            _ if self.files.iter().all(OfFile::is_useless) => {
                "\nNothing was imported. `--guess` writes a first mapping for a file, `--formats` lists the ready ones.\n"
            }
            (true, _) => "\nNothing was sent. Without --dry-run, the same command imports it.\n",
            (false, _) if !self.suppressed.is_empty() => "\nThese addresses get no mail any more.\n",
            (false, "history") => "\nImported as history: nobody gets a message because of it.\n",
            (false, _) => "\nImported as a feed: what is young enough triggers messages.\n",
        };
        out
    }
}

/// A file of rejected rows.
pub(super) struct Rejects(Mutex<BufWriter<File>>);

impl Rejects {
    /// Creates the file.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self(Mutex::new(BufWriter::new(file))))
    }

    /// Writes the rejected rows of a chunk, with the rows.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(super) fn write(&self, chunk: &Chunk) -> anyhow::Result<()> {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (text, reject) in &chunk.rejects {
            let mut line = serde_json::to_value(Rejected::of(text, reject))?;
            line["row"] = reject.raw.clone().into();
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        Ok(self.0.into_inner().unwrap_or_else(PoisonError::into_inner).flush()?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_config::imports::{Format, Import};
    use perennial_domain::SourceId;
    use perennial_imports::Input;
    use perennial_imports::chunk::{Options, Reading};

    fn chunk(text: &str) -> Chunk {
        let id = SourceId::parse("logs").unwrap();
        let at = "2026-03-02T08:00:00Z".parse().unwrap();
        let options = Options {
            import: Arc::new(Import::of(id, Format::named("calls").unwrap())),
            mode: Mode::History,
            received_at: at,
            made_at: at,
            digest: "d".to_owned(),
            before: Arc::default(),
        };
        let input = Input::new("log.csv", text.len() as u64, Arc::new(text.as_bytes().to_vec()));
        Reading::open(&input, options).unwrap().next_chunk().unwrap()
    }

    #[test]
    fn trial_run_shows_counts_rejects_and_samples() {
        let text = "messageId,type,userId,event,timestamp\nm1,track,u1,Signed In,2026-01-01\nm2,track,,Signed In,2026-01-01\nm3,track,u1\n";
        let mut report = Report::new(true, Mode::History);
        report.begin("log.csv");
        report.add(&chunk(text));
        assert_eq!(report.rows_of_file(), 3);
        insta::assert_snapshot!(report.text());
    }

    #[test]
    fn file_without_rows_or_with_none_that_can_be_used_is_no_success() {
        let mut report = Report::new(false, Mode::History);
        report.begin("empty.csv");
        assert!(report.is_useless());
        let text = report.text();
        assert!(text.contains("empty.csv (has no rows)") && text.contains("Nothing was imported"), "{text}");
        assert!(!text.contains("Imported as history"), "{text}");
        for (known, unchanged, is_useless) in [(false, 0, true), (true, 0, false), (false, 3, false)] {
            let file = OfFile { file: "a".to_owned(), rows: 3, rejected: 3, known, unchanged, ..OfFile::default() };
            let report = Report { files: vec![file], ..Report::new(false, Mode::History) };
            assert_eq!(report.is_useless(), is_useless, "{known} {unchanged}");
        }
    }

    #[test]
    fn rejected_rows_are_written_with_their_place_and_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rejects.ndjson");
        let rejects = Rejects::create(&path).unwrap();
        rejects.write(&chunk("messageId,type,userId,event\nm1,track,,E\n")).unwrap();
        rejects.finish().unwrap();
        let line: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!((&line["file"], &line["line"], &line["column"]), (&"log.csv".into(), &2.into(), &"userId".into()));
        assert!(line["row"].as_str().unwrap().contains("track"));
    }
}
