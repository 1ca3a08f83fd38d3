//! The folder `incoming/SOURCE/` of a data folder. New files are announced to the function `import`, as S3 announces those
//! of a deployed stack's bucket.

use perennial_import::notice;
use perennial_lambda_kit::queue::{Delay, Sender};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// The folder's name, and the prefix of the files' keys.
const FOLDER: &str = "incoming";
/// The wait between two looks at the folder. A file is imported once it is the same in two of them.
const LOOK: Duration = Duration::from_secs(1);
/// How deep folders are looked into.
const DEPTH: usize = 8;

/// Size and time of the last change: what tells a file from a later one of its name.
type Seal = (u64, Option<SystemTime>);

/// Returns the folder for files to import, and creates it.
///
/// # Errors
/// If it cannot be created.
pub(super) fn folder(data: &Path) -> io::Result<PathBuf> {
    let folder = data.join(FOLDER);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Announces every new file until `stop` is cancelled. After a start these are all: those that were imported before are
/// known by their content, and an import that was interrupted continues.
pub(super) async fn watch(folder: PathBuf, notices: impl Sender, stop: CancellationToken) {
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
            if announce(&folder, &path, &notices).await {
                done.insert(path, seal);
            }
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

/// Sends a notice of a new file, as S3 does.
async fn announce(folder: &Path, path: &Path, notices: &dyn Sender) -> bool {
    let key = path.strip_prefix(folder).ok().map(|rest| rest.iter().map(OsStr::to_str).collect::<Option<Vec<_>>>());
    let Some(Some(parts)) = key else {
        tracing::error!(file = %path.display(), "a file is not imported: its name is not UTF-8");
        return true;
    };
    let notice = notice::of(&format!("{FOLDER}/{}", parts.join("/")));
    let sent = notices.send(vec![notice], Delay::NONE).await.into_result();
    sent.inspect_err(|error| tracing::error!(file = %path.display(), %error, "failed to announce a new file")).is_ok()
}
