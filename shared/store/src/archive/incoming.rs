//! Files that others put into the bucket, below `incoming/`.

use super::s3::S3Access;
use super::{Archive, ArchiveError};
use bytes::Bytes;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use std::ops::Range;
use std::sync::Arc;

/// The bucket, or the directory, with the folder `incoming/`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Incoming(Arc<dyn ObjectStore>);

/// A file: its content at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Its size in bytes.
    pub size: u64,
    /// When it was written.
    pub at: Timestamp,
    path: Path,
    /// Identifies the content, if the store supports that.
    e_tag: Option<String>,
}

impl Arrived {
    /// Returns a text that is another one whenever the content is; `None` if the store cannot tell.
    #[must_use]
    pub fn seal(&self) -> Option<String> {
        let e_tag = self.e_tag.as_ref()?;
        Some(format!("{}:{}:{e_tag}", self.path, self.size))
    }
}

impl Incoming {
    /// Opens a bucket or a directory, by its URL: `s3://BUCKET` or `file:///a/directory`.
    ///
    /// # Errors
    /// As of [`Archive::open`].
    pub fn open(url: &str, access: &S3Access) -> Result<Self, ArchiveError> {
        Ok(Self(Archive::open(url, access)?.objects))
    }

    /// Opens a directory, and creates it if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn directory(path: &std::path::Path) -> Result<Self, ArchiveError> {
        Ok(Self(Archive::directory(path)?.objects))
    }

    /// A bucket in memory, for tests, with these objects.
    ///
    /// # Errors
    /// None in practice.
    pub async fn memory(objects: &[(&str, &[u8])]) -> Result<Self, ArchiveError> {
        let store = object_store::memory::InMemory::new();
        for (key, bytes) in objects {
            store.put(&Path::from(*key), Bytes::copy_from_slice(bytes).into()).await?;
        }
        Ok(Self(Arc::new(store)))
    }

    /// Returns whether a file at `key` can be read: no part of a key between slashes may be empty, `.` or `..`, or contain a
    /// control character.
    pub fn is_readable(key: &str) -> bool {
        Path::parse(key).is_ok_and(|path| path.as_ref() == key)
    }

    /// Returns the file at `key` as it is now; `None` if it is not there any more, or not [readable](Self::is_readable).
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn find(&self, key: &str) -> Result<Option<Arrived>, ArchiveError> {
        // The key is taken as it is: `Path::from` would encode characters such as `%`.
        let Ok(path) = Path::parse(key) else { return Ok(None) };
        match self.0.head(&path).await {
            Ok(found) => {
                let (second, fraction) =
                    (found.last_modified.timestamp(), found.last_modified.timestamp_subsec_nanos());
                let at = Timestamp::new(second, i32::try_from(fraction).unwrap_or_default()).unwrap_or_default();
                Ok(Some(Arrived { size: found.size, at, path, e_tag: found.e_tag }))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns these bytes of `file`.
    ///
    /// # Errors
    /// If the object store fails, or the file was replaced since [`Self::find`] found it.
    pub async fn read(&self, file: &Arrived, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        let options = GetOptions { range: Some(range.into()), if_match: file.e_tag.clone(), ..GetOptions::default() };
        Ok(self.0.get_opts(&file.path, options).await?.bytes().await?)
    }
}
