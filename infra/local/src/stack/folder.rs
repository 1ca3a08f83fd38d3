//! The folder that keeps a stack's state: one process at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A data folder locked by this process. The lock is the operating system's, on the folder itself: it ends with the
/// process, however that ends, and leaves no file behind.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// Another process has it.
    #[error(
        "another `perennial up` runs on {}: stop it first, or name another folder with --data (two processes would overwrite each other's state)",
        .0.display()
    )]
    InUse(PathBuf),
    /// It cannot be created, opened or locked.
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Folder {
    /// Locks the folder if it is there; makes none.
    ///
    /// # Errors
    /// [`FolderError`].
    pub(super) fn existing(path: &Path) -> Result<Option<Self>, FolderError> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            _ => Self::lock(path).map(Some),
        }
    }

    /// Creates the folder if it is missing, and locks it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub(super) fn make(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|source| FolderError::Unusable { path: path.to_owned(), source })?;
        Self::lock(path)
    }

    fn lock(path: &Path) -> Result<Self, FolderError> {
        let unusable = |source| FolderError::Unusable { path: path.to_owned(), source };
        if !path.is_dir() {
            return Err(unusable(io::Error::new(io::ErrorKind::NotADirectory, "a file has this name")));
        }
        let folder = File::open(path).map_err(unusable)?;
        match folder.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: folder }),
            Err(TryLockError::WouldBlock) => Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Returns its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn second_process_on_a_folder_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::make(dir.path()).unwrap();
        let error = Folder::existing(dir.path()).unwrap_err().to_string();
        assert!(error.starts_with("another `perennial up` runs on ") && error.contains("--data"), "{error}");
        drop(first);
        assert!(Folder::existing(dir.path()).unwrap().is_some());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a lock leaves no file");
    }

    #[test]
    fn looking_for_a_folder_makes_none() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("state");
        assert!(Folder::existing(&missing).unwrap().is_none() && !missing.exists());
        fs::write(&missing, "").unwrap();
        let error = Folder::existing(&missing).unwrap_err().to_string();
        assert!(error.ends_with("state cannot be used: a file has this name"), "{error}");
    }
}
