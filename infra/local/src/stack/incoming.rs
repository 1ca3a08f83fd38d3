//! The folder `incoming/SOURCE/` of a data folder, whose files are imported as those of a deployed stack's bucket are.

use super::wiring::Wired;
use perennial_config::imports::Mode;
use perennial_import::{Deps, QueueBacklog, Request, run};
use perennial_lambda_kit::Clock;
use perennial_lambda_kit::queue::Queue;
use perennial_store::ConfigHandle;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// The wait between two looks at the folder. A file is imported once it is the same in two of them.
const LOOK: Duration = Duration::from_secs(1);
/// How deep folders are looked into.
const DEPTH: usize = 8;

/// Size and time of the last change: what tells a file from a later one of its name.
type Seal = (u64, Option<SystemTime>);

/// Returns the dependencies of an import on this stack.
pub(super) fn importer(wired: &Wired, clock: Clock) -> Deps {
    Deps {
        archive: wired.archive.clone(),
        rejects: Arc::new(wired.store.clone()),
        imports: Arc::new(Queue::new(wired.sqs.clone(), &wired.urls.imports)),
        backlog: Some(Arc::new(QueueBacklog::new(wired.sqs.clone(), &wired.urls.imports))),
        clock,
    }
}

/// Returns the folder for files to import, and creates it.
///
/// # Errors
/// If it cannot be created.
pub(super) fn folder(data: &Path) -> io::Result<PathBuf> {
    let folder = data.join("incoming");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Imports every new file until `stop` is cancelled. An import in progress ends with its chunk, and continues at the next
/// start.
pub(super) async fn watch(folder: PathBuf, deps: Deps, config: ConfigHandle, stop: CancellationToken) {
    let mut seen: HashMap<PathBuf, Seal> = HashMap::new();
    let mut done: HashMap<PathBuf, Seal> = HashMap::new();
    while !stop.is_cancelled() {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
        let mut files = Vec::new();
        list(&folder, DEPTH, &mut files);
        let settled = |(path, seal): &&(PathBuf, Seal)| seen.get(path) == Some(seal) && done.get(path) != Some(seal);
        let new: Vec<(PathBuf, Seal)> = files.iter().filter(settled).cloned().collect();
        seen = files.into_iter().collect();
        for (path, seal) in new {
            import(&folder, &path, &deps, &config, &stop).await;
            if stop.is_cancelled() {
                return;
            }
            // Files that were imported by an earlier process are known by their content.
            done.insert(path, seal);
        }
    }
}

/// Lists the files below `folder`, but hidden ones, which copying tools write first.
fn list(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, Seal)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if metadata.is_dir() && depth > 0 {
            list(&entry.path(), depth - 1, files);
        } else if metadata.is_file() && !is_hidden {
            files.push((entry.path(), (metadata.len(), metadata.modified().ok())));
        }
    }
}

async fn import(folder: &Path, path: &Path, deps: &Deps, config: &ConfigHandle, stop: &CancellationToken) {
    let Some(source) = path.strip_prefix(folder).ok().and_then(|rest| {
        let mut parts = rest.components();
        let source = parts.next()?.as_os_str().to_str()?.to_owned();
        parts.next().map(|_| source)
    }) else {
        tracing::error!(file = %path.display(), "a file is not imported: put it into incoming/SOURCE/");
        return;
    };
    let config = config.current().await;
    let Some(import) = config.imports.iter().find(|import| import.id.as_str() == source) else {
        tracing::error!(source, "a file is not imported: no import of imports.toml has this folder's name");
        return;
    };
    let (input, made_at) = match perennial_import::file::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            tracing::error!(file = %path.display(), %error, "failed to open a file to import");
            return;
        }
    };
    let request = Request {
        input,
        import: Arc::new(import.clone()),
        mode: import.mode.unwrap_or(Mode::Feed),
        made_at: made_at.unwrap_or_else(|| deps.clock.now()),
        again: false,
    };
    match run(deps, request, &|| !stop.is_cancelled(), &|_, _| {}).await {
        Ok(outcome) => {
            let job = outcome.job();
            tracing::info!(source, rows = job.rows, rejected = job.rejected, "imported a file");
        }
        Err(error) => {
            tracing::error!(source, %error, "failed to import a file; it goes on at the next start, or when the file changes")
        }
    }
}
