//! Files of this machine.

use jiff::Timestamp;
use perennial_imports::Input;
use perennial_imports::input::ReaderAt;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

struct LocalFile(File);

impl ReaderAt for LocalFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

/// Opens a file; returns when it was last changed, if that is known.
///
/// # Errors
/// If it cannot be read, or is no file.
pub fn open(path: &Path) -> io::Result<(Input, Option<Timestamp>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let changed = metadata.modified().ok().and_then(|at| Timestamp::try_from(at).ok());
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let seal = format!("{}:{}:{}:{changed:?}", metadata.dev(), metadata.ino(), metadata.len());
    Ok((Input::new(name, metadata.len(), Arc::new(LocalFile(file))).with_seal(seal), changed))
}
