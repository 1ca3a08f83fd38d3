//! The archive: every accepted event and every manual unmerge, from which all state can be rebuilt.
//!
//! One object for each batch and UTC day of receipt: `day=2026-03-01/<first receipt>-<hash of the message ids>.ndjson.gz`, one event a line
//! in the tracking API's own field names. The same batch always has the same name, in whatever order its events are, so a redelivery of it replaces what it
//! wrote before; in another batching an event may stand twice, and readers tell it by its message id.
//!
//! Identities follow from the events, except for manual unmerges: [`unmerges`] are stored beside the events.

pub mod extracts;
pub mod imports;
pub mod incoming;
pub mod kept;
pub mod people;
pub mod s3;
pub mod unmerges;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::civil::Date;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use perennial_domain::time::{date_of, day_of};
use perennial_domain::{Event, hash};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use s3::S3Access;

/// Why the archive could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The archive's URL is not supported.
    #[error("the archive's URL must be s3://BUCKET/PREFIX or file:///a/directory")]
    Url,
    /// The bucket cannot be reached as things are set up.
    #[error("the archive's bucket cannot be reached: {0}")]
    Access(&'static str),
    /// The object store failed.
    #[error("the archive's object store failed")]
    Store(#[from] object_store::Error),
    /// An event could not be written as JSON.
    #[error("an event could not be written")]
    Write(#[source] std::io::Error),
    /// An object is not gzip or not text.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which object.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is no event.
    #[error("line {line} of {path} is not a valid event")]
    NoEvent {
        /// Which object.
        path: String,
        /// From 1.
        line: usize,
    },
    /// A line among the unmerges is invalid, or lacks the time of its execution.
    #[error("line {line} of {path} is not a valid unmerge")]
    NoUnmerge {
        /// Which object.
        path: String,
        /// From 1.
        line: usize,
    },
}

impl ArchiveError {
    /// Returns whether an object was read and is damaged: a retry does not help, and other objects are not affected.
    pub fn is_damaged(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::NoEvent { .. } | Self::NoUnmerge { .. })
    }
}

/// Returns the items of an archive stream without damaged ones, which are logged and counted in `damaged`.
pub fn undamaged<T>(
    read: impl Stream<Item = Result<T, ArchiveError>>,
    damaged: &AtomicU64,
) -> impl Stream<Item = Result<T, ArchiveError>> {
    read.filter_map(move |read| {
        std::future::ready(match read {
            Err(error) if error.is_damaged() => {
                tracing::error!(%error, "a part of the archive is damaged; it is passed over");
                damaged.fetch_add(1, Ordering::Relaxed);
                None
            }
            read => Some(read),
        })
    })
}

/// Where events are kept for good. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Archive {
    objects: Arc<dyn ObjectStore>,
}

/// The objects of an archive that [`Archive::read_new`] has read.
#[derive(Debug, Default)]
pub struct AlreadyRead(BTreeSet<Path>);

impl Archive {
    /// Returns an archive at the root of `objects`; use a prefixed store for another place.
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// An archive in a directory, which is created where it is not there.
    ///
    /// # Errors
    /// [`ArchiveError::Store`] where it cannot be.
    pub fn directory(path: &std::path::Path) -> Result<Self, ArchiveError> {
        let unusable =
            |source: std::io::Error| object_store::Error::Generic { store: "LocalFileSystem", source: source.into() };
        std::fs::create_dir_all(path).map_err(unusable)?;
        Ok(Self::new(Arc::new(object_store::local::LocalFileSystem::new_with_prefix(path)?)))
    }

    /// Opens the archive of a URL: `s3://BUCKET/PREFIX`, through `access`, or `file:///a/directory`.
    ///
    /// # Errors
    /// [`ArchiveError::Url`] for any other kind of URL, [`ArchiveError::Access`] if `access` is incomplete, or if the
    /// directory cannot be created.
    pub fn open(url: &str, access: &S3Access) -> Result<Self, ArchiveError> {
        if let Some(place) = url.strip_prefix("s3://") {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            if bucket.is_empty() {
                return Err(ArchiveError::Url);
            }
            return Self::bucket(bucket, prefix.trim_end_matches('/'), access);
        }
        match url.strip_prefix("file://") {
            Some(path) if path.starts_with('/') => Self::directory(std::path::Path::new(path)),
            _ => Err(ArchiveError::Url),
        }
    }

    /// An archive in memory, for tests.
    pub fn memory() -> Self {
        Self::new(Arc::new(object_store::memory::InMemory::new()))
    }

    /// Writes a batch of events: once this returns, they are durable. The caller's order is kept within a day.
    ///
    /// # Errors
    /// [`ArchiveError`] where not all are: writing all of them again is right then.
    pub async fn write<'a>(&self, events: impl IntoIterator<Item = &'a Event>) -> Result<(), ArchiveError> {
        let mut days: BTreeMap<i32, Vec<&Event>> = BTreeMap::new();
        for event in events {
            days.entry(day_of(event.received_at)).or_default().push(event);
        }
        for events in days.into_values() {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            // The encoder reserves 32 KB at every write, and JSON is written in pieces of a few bytes.
            let mut line = Vec::new();
            for event in &events {
                line.clear();
                serde_json::to_writer(&mut line, event).map_err(|error| ArchiveError::Write(error.into()))?;
                line.push(b'\n');
                gzip.write_all(&line).map_err(ArchiveError::Write)?;
            }
            let bytes = gzip.finish().map_err(ArchiveError::Write)?;
            self.objects.put(&path(&events), Bytes::from(bytes).into()).await?;
        }
        Ok(())
    }

    /// Returns all events received on the days from `from` to `to`, both included, in the order of the objects' names:
    /// by day, and within a day by the batches' receipt.
    ///
    /// # Errors
    /// [`ArchiveError`] if the archive cannot be listed. Later errors are items of the stream, which continues after
    /// damaged data ([`undamaged`]).
    pub async fn read(
        &self,
        from: Date,
        to: Date,
    ) -> Result<impl Stream<Item = Result<Event, ArchiveError>> + Send + 'static, ArchiveError> {
        let mut paths = Vec::new();
        for day in std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(|day| *day <= to) {
            paths.extend(self.list(Some(&Path::from(format!("day={day}")))).await?);
        }
        Ok(self.events_of(paths))
    }

    /// Returns all events, in the same order.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub async fn read_all(
        &self,
    ) -> Result<impl Stream<Item = Result<Event, ArchiveError>> + Send + 'static, ArchiveError> {
        Ok(self.events_of(self.days().await?))
    }

    /// Returns the events of all objects that are not in `read` yet, in the same order, and adds the objects to it.
    ///
    /// # Errors
    /// As of [`Self::read`].
    pub async fn read_new(
        &self,
        read: &mut AlreadyRead,
    ) -> Result<impl Stream<Item = Result<Event, ArchiveError>> + Send + 'static, ArchiveError> {
        let mut paths = self.days().await?;
        paths.retain(|path| !read.0.contains(path));
        read.0.extend(paths.iter().cloned());
        Ok(self.events_of(paths))
    }

    /// The objects that hold events, in their order.
    async fn days(&self) -> Result<Vec<Path>, ArchiveError> {
        let mut paths = self.list(None).await?;
        paths.retain(|path| path.as_ref().starts_with("day="));
        Ok(paths)
    }

    /// The events of these objects, one object in memory at a time.
    fn events_of(&self, paths: Vec<Path>) -> impl Stream<Item = Result<Event, ArchiveError>> + Send + 'static {
        let archive = self.clone();
        let objects = stream::iter(paths).then(move |path| {
            let archive = archive.clone();
            async move { archive.events(&path).await }
        });
        objects.map_ok(stream::iter).try_flatten()
    }

    /// Returns the objects below `prefix`, by name.
    async fn list(&self, prefix: Option<&Path>) -> Result<Vec<Path>, ArchiveError> {
        let listed: Vec<_> = self.objects.list(prefix).try_collect().await?;
        let mut paths: Vec<Path> = listed.into_iter().map(|object| object.location).collect();
        paths.sort_unstable();
        Ok(paths)
    }

    async fn events(&self, path: &Path) -> Result<Vec<Result<Event, ArchiveError>>, ArchiveError> {
        self.lines(path, |line| serde_json::from_slice(line).ok(), |path, line| ArchiveError::NoEvent { path, line })
            .await
    }

    /// Returns the lines of an object, each `parsed`. `wrong` makes the error of an invalid line, from the object's
    /// path and the line's number. If the object cannot be decompressed any further, that error is the last item.
    async fn lines<T>(
        &self,
        path: &Path,
        parsed: impl Fn(&[u8]) -> Option<T>,
        wrong: impl Fn(String, usize) -> ArchiveError,
    ) -> Result<Vec<Result<T, ArchiveError>>, ArchiveError> {
        let bytes = self.objects.get(path).await?.bytes().await?;
        let lines = BufReader::new(MultiGzDecoder::new(bytes.as_ref())).split(b'\n');
        let mut all = Vec::new();
        for (number, line) in (1..).zip(lines) {
            match line {
                Ok(line) => all.push(parsed(&line).ok_or_else(|| wrong(path.to_string(), number))),
                Err(source) => {
                    all.push(Err(ArchiveError::Unreadable { path: path.to_string(), source }));
                    break;
                }
            }
        }
        Ok(all)
    }
}

/// Returns the prefix of an object's name for the time `at`.
fn place(at: Timestamp) -> String {
    // Basic format of ISO 8601: file names should not contain colons.
    format!("day={}/{}", date_of(day_of(at)), at.strftime("%Y%m%dT%H%M%S%3fZ"))
}

fn path(events: &[&Event]) -> Path {
    let mut ids: Vec<&[u8]> = events.iter().map(|event| event.message_id.as_str().as_bytes()).collect();
    ids.sort_unstable();
    let digest = hash::base32(&hash::sha256(&ids)[..15]);
    let first = events.iter().map(|event| event.received_at).min().unwrap_or_default();
    Path::from(format!("{}-{digest}.ndjson.gz", place(first)))
}
