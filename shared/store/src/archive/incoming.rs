//! Files that others put into the bucket, below `incoming/`.

use super::s3::S3Access;
use super::{Archive, ArchiveError};
use bytes::Bytes;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::ops::Range;
use std::sync::Arc;

/// The bucket, or the directory, with the folder `incoming/`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Incoming(Arc<dyn ObjectStore>);

/// The size and time of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Its size in bytes.
    pub size: u64,
    /// When it was written.
    pub at: Timestamp,
}

impl Incoming {
    /// Opens a bucket or a directory, by its URL: `s3://BUCKET` or `file:///a/directory`.
    ///
    /// # Errors
    /// As of [`Archive::open`].
    pub fn open(url: &str, access: &S3Access) -> Result<Self, ArchiveError> {
        Ok(Self(Archive::open(url, access)?.objects))
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

    /// Returns what is known about the file at `key`; `None` if it is not there any more.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn find(&self, key: &str) -> Result<Option<Arrived>, ArchiveError> {
        match self.0.head(&Path::from(key)).await {
            Ok(found) => {
                let at = Timestamp::from_second(found.last_modified.timestamp()).unwrap_or_default();
                Ok(Some(Arrived { size: found.size, at }))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns these bytes of the file at `key`.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes, ArchiveError> {
        Ok(self.0.get_range(&Path::from(key), range).await?)
    }
}
