//! Extracts of the events of a day, which are needed again, beside the events: one small object for each kind and
//! day, `extracts/<kind>/day=<day>.json.gz`. It can be read from the events at any time, and goes when events of its day
//! are erased.

use super::{Archive, ArchiveError};
use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use jiff::civil::Date;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder of extracts.
const FOLDER: &str = "extracts";

fn path_of(kind: &str, day: Date) -> Path {
    Path::from_iter([FOLDER, kind, &format!("day={day}.json.gz")])
}

/// Returns the day on which the events of an object were received; `None` if it has none.
pub(super) fn day_of_object(object: &Path) -> Option<Date> {
    object.parts().next()?.as_ref().strip_prefix("day=")?.parse().ok()
}

impl Archive {
    /// Returns the UTC days on which events were received, the oldest first. Costs a list request for each thousand
    /// days.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the archive cannot be listed.
    pub async fn days_of_receipt(&self) -> Result<Vec<Date>, ArchiveError> {
        let listed = self.objects.list_with_delimiter(None).await?;
        let names = listed.common_prefixes.iter().filter_map(|prefix| prefix.as_ref().strip_prefix("day="));
        let mut days: Vec<Date> = names.filter_map(|day| day.parse().ok()).collect();
        days.sort_unstable();
        Ok(days)
    }

    /// Returns the number of objects with events that were received on `day`. Costs a list request for each thousand.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the archive cannot be listed.
    pub async fn objects_of(&self, day: Date) -> Result<u64, ArchiveError> {
        let prefix = Path::from(format!("day={day}"));
        let listed = self.objects.list(Some(&prefix));
        Ok(listed.try_fold(0, |count, _| std::future::ready(Ok(count + 1))).await?)
    }

    /// Returns the extract of `kind` of `day`; `None` if there is none, or if it cannot be read any more: then it is read
    /// from the events again.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] if the object store fails.
    pub async fn extract<T: DeserializeOwned>(&self, kind: &str, day: Date) -> Result<Option<T>, ArchiveError> {
        match self.objects.get(&path_of(kind, day)).await {
            Ok(found) => {
                let bytes = found.bytes().await?;
                Ok(serde_json::from_reader(MultiGzDecoder::new(bytes.as_ref())).ok())
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores the extract of `kind` of `day`.
    ///
    /// # Errors
    /// [`ArchiveError`] if it is not stored.
    pub async fn put_extract<T: Serialize>(&self, kind: &str, day: Date, extract: &T) -> Result<(), ArchiveError> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut gzip, extract).map_err(|error| ArchiveError::Write(error.into()))?;
        let bytes = gzip.finish().map_err(ArchiveError::Write)?;
        self.objects.put(&path_of(kind, day), Bytes::from(bytes).into()).await?;
        Ok(())
    }

    /// Deletes all extracts of the day of an object, before events are taken out of it.
    pub(super) async fn forget_extracts(&self, object: &Path) -> Result<(), ArchiveError> {
        let Some(day) = day_of_object(object) else { return Ok(()) };
        let listed = self.objects.list_with_delimiter(Some(&Path::from(FOLDER))).await?;
        for kind in listed.common_prefixes.iter().filter_map(Path::filename) {
            match self.objects.delete(&path_of(kind, day)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
