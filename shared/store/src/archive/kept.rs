//! Facts of accounts that stay when the events that reported them are erased: the subscriptions of an account are its own, and so is
//! what it pays. They name no person.
//!
//! One small object for each erased share of an object: `kept/<kind>/day=<day>/<hash of the object's name>.json.gz`.

use super::people::Object;
use super::{Archive, ArchiveError};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use jiff::civil::Date;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt};
use perennial_domain::hash;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder of these facts.
const FOLDER: &str = "kept";

fn folder_of(kind: &str) -> Path {
    Path::from_iter([FOLDER, kind])
}

impl Archive {
    /// Adds facts of the events of an object, before the events are taken out of it. Those that are there stay, each once.
    ///
    /// # Errors
    /// [`ArchiveError`] if they are not stored.
    pub async fn keep<T>(&self, kind: &str, object: &Object, facts: Vec<T>) -> Result<(), ArchiveError>
    where
        T: Serialize + DeserializeOwned + PartialEq,
    {
        let Some(day) = object.day().filter(|_| !facts.is_empty()) else { return Ok(()) };
        let name = hash::base32(&hash::sha256(&[object.name().as_bytes()])[..16]);
        let path = folder_of(kind).join(format!("day={day}")).join(format!("{name}.json.gz"));
        let mut all: Vec<T> = self.kept_in(&path).await?;
        for fact in facts {
            if !all.contains(&fact) {
                all.push(fact);
            }
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut gzip, &all).map_err(|error| ArchiveError::Write(error.into()))?;
        let bytes = gzip.finish().map_err(ArchiveError::Write)?;
        self.objects.put(&path, Bytes::from(bytes).into()).await?;
        Ok(())
    }

    /// Returns the UTC days of receipt of erased events of which facts of this `kind` are kept.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the archive cannot be listed.
    pub async fn days_kept(&self, kind: &str) -> Result<Vec<Date>, ArchiveError> {
        let listed = self.objects.list_with_delimiter(Some(&folder_of(kind))).await?;
        let days = listed.common_prefixes.iter().filter_map(|prefix| prefix.filename()?.strip_prefix("day="));
        Ok(days.filter_map(|day| day.parse().ok()).collect())
    }

    /// Returns the facts of this `kind` that are kept of erased events, which were received on `day`.
    ///
    /// # Errors
    /// [`ArchiveError`] if they cannot be read.
    pub async fn kept<T: DeserializeOwned>(&self, kind: &str, day: Date) -> Result<Vec<T>, ArchiveError> {
        let folder = folder_of(kind).join(format!("day={day}"));
        let objects: Vec<_> = self.objects.list(Some(&folder)).try_collect().await?;
        let mut all = Vec::new();
        for object in objects {
            all.extend(self.kept_in(&object.location).await?);
        }
        Ok(all)
    }

    async fn kept_in<T: DeserializeOwned>(&self, path: &Path) -> Result<Vec<T>, ArchiveError> {
        match self.objects.get(path).await {
            Ok(found) => {
                let bytes = found.bytes().await?;
                let read = serde_json::from_reader(MultiGzDecoder::new(bytes.as_ref()));
                read.map_err(|error| ArchiveError::Unreadable { path: path.to_string(), source: error.into() })
            }
            Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}
