//! How far imports have come, beside the events: one small object for each file and mapping, `imports/<source>/<id>.json`. It
//! contains no personal data. An import that was interrupted continues from it, and one that is finished is not repeated.

use super::{Archive, ArchiveError};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use perennial_domain::{SourceId, hash};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// An import of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportJob {
    /// The same for the same content, source and mapping.
    pub id: String,
    /// The source of its events.
    pub source: SourceId,
    /// The file's name.
    pub file: String,
    /// The file's size in bytes.
    pub bytes: u64,
    /// When it began, which is when its events were received.
    pub started_at: Timestamp,
    /// When the file was made, as far as is known.
    pub made_at: Timestamp,
    /// When it was finished; `None` while it is not.
    pub finished_at: Option<Timestamp>,
    /// The chunks that are on the queue.
    pub chunks: u64,
    /// The rows in these.
    pub rows: u64,
    /// The events in these.
    pub events: u64,
    /// The rows in these that were rejected.
    pub rejected: u64,
    /// The rows in these that no map matches.
    pub unmatched: u64,
    /// The rows in these that are as in the file before.
    #[serde(default)]
    pub unchanged: u64,
    /// The addresses in these that get no mail any more.
    #[serde(default)]
    pub suppressed: u64,
}

impl ImportJob {
    /// Returns the id of an import of a file with this `digest` for `source`, mapped as `mapping` describes.
    pub fn id_of(source: &SourceId, digest: &str, mapping: &str) -> String {
        let parts = [b"import".as_slice(), source.as_str().as_bytes(), digest.as_bytes(), mapping.as_bytes()];
        hash::base32(&hash::sha256(&parts)[..15])
    }

    fn snapshot_path(source: &SourceId) -> Path {
        Path::from_iter(["imports", source.as_str(), "snapshot.gz"])
    }

    fn digest_path(source: &SourceId, seal: &str) -> Path {
        let seal = hash::base32(&hash::sha256(&[b"seal", seal.as_bytes()])[..15]);
        Path::from_iter(["imports", source.as_str(), &format!("{seal}.digest")])
    }

    fn path(source: &SourceId, id: &str) -> Path {
        Path::from_iter(["imports", source.as_str(), &format!("{id}.json")])
    }
}

impl Archive {
    /// Returns the import with this id; `None` if it never began, or cannot be read any more: it then begins again, which
    /// counts nothing twice.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the object store fails.
    pub async fn import_job(&self, source: &SourceId, id: &str) -> Result<Option<ImportJob>, ArchiveError> {
        match self.objects.get(&ImportJob::path(source, id)).await {
            Ok(found) => Ok(serde_json::from_slice(&found.bytes().await?).ok()),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the digest of the file that `seal` identifies, if it was stored.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the object store fails.
    pub async fn import_digest(&self, source: &SourceId, seal: &str) -> Result<Option<String>, ArchiveError> {
        match self.objects.get(&ImportJob::digest_path(source, seal)).await {
            Ok(found) => Ok(String::from_utf8(found.bytes().await?.into()).ok()),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores the digest of the file that `seal` identifies, so that a continuation does not read the file for it.
    ///
    /// # Errors
    /// [`ArchiveError`] if it is not stored.
    pub async fn put_import_digest(&self, source: &SourceId, seal: &str, digest: &str) -> Result<(), ArchiveError> {
        let digest = Bytes::copy_from_slice(digest.as_bytes());
        self.objects.put(&ImportJob::digest_path(source, seal), digest.into()).await?;
        Ok(())
    }

    /// Stores how far an import has come.
    ///
    /// # Errors
    /// [`ArchiveError`] if it is not stored.
    pub async fn put_import_job(&self, job: &ImportJob) -> Result<(), ArchiveError> {
        let text = serde_json::to_vec(job).map_err(|error| ArchiveError::Write(error.into()))?;
        self.objects.put(&ImportJob::path(&job.source, &job.id), Bytes::from(text).into()).await?;
        Ok(())
    }

    /// Returns the stored snapshot of the last file of `source`, as its writer passed it on; empty if there is none, or if
    /// it cannot be read any more: then every row counts as changed.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the object store fails.
    pub async fn import_snapshot(&self, source: &SourceId) -> Result<Vec<u8>, ArchiveError> {
        let bytes = match self.objects.get(&ImportJob::snapshot_path(source)).await {
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut snapshot = Vec::new();
        let read = MultiGzDecoder::new(bytes.as_ref()).read_to_end(&mut snapshot);
        Ok(if read.is_ok() { snapshot } else { Vec::new() })
    }

    /// Stores the snapshot of a file of `source`.
    ///
    /// # Errors
    /// [`ArchiveError`] if it is not stored.
    pub async fn put_import_snapshot(&self, source: &SourceId, snapshot: &[u8]) -> Result<(), ArchiveError> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(snapshot).map_err(ArchiveError::Write)?;
        let bytes = gzip.finish().map_err(ArchiveError::Write)?;
        self.objects.put(&ImportJob::snapshot_path(source), Bytes::from(bytes).into()).await?;
        Ok(())
    }
}
