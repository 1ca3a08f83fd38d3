//! Manual unmerges: `unmerges/day=2026-03-01/<time of the request>-<hash of identity and time>.ndjson.gz`, one line
//! each, as on the events queue and with the time of execution: `{"unmerge.v1": {"identity": …, "done_at": …}}`.
//!
//! They are stored beside the days of events, so that ordinary tools find only events in those.

use super::{Archive, ArchiveError, place};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::{Event, hash};
use std::io::Write;

/// The folder.
pub(super) const FOLDER: &str = "unmerges";

/// An entry of the history, in the order in which it has to be replayed.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// An event.
    Event(Box<Event>),
    /// An unmerge. Everything before it has to be processed by then: only merged identities can be unmerged.
    Unmerge(Unmerge),
}

impl Archive {
    /// Stores an unmerge that is about to be executed, with the time `now` unless it has one. Storing it again, as
    /// after a crash, replaces the earlier one.
    ///
    /// # Errors
    /// [`ArchiveError`] if it is not stored: it must not be executed then.
    pub async fn write_unmerge(&self, unmerge: &Unmerge, now: Timestamp) -> Result<(), ArchiveError> {
        let done = Unmerge { done_at: unmerge.done_at.or(Some(now)), ..unmerge.clone() };
        let line =
            serde_json::to_vec(&EventsPayload::Unmerge(done)).map_err(|error| ArchiveError::Write(error.into()))?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&line).and_then(|()| gzip.write_all(b"\n")).map_err(ArchiveError::Write)?;
        let bytes = gzip.finish().map_err(ArchiveError::Write)?;
        self.objects.put(&path(unmerge), Bytes::from(bytes).into()).await?;
        Ok(())
    }

    /// Returns the whole history: the events of [`Self::read_all`] in its order, and each unmerge after every object
    /// whose first event was received before its execution. Events in flight at that time count as earlier.
    ///
    /// # Errors
    /// [`ArchiveError`] if the archive or its unmerges cannot be listed. Later errors are items of the stream, which
    /// continues after damaged data. Damaged unmerges come first.
    pub async fn history(
        &self,
    ) -> Result<impl Stream<Item = Result<Entry, ArchiveError>> + Send + 'static, ArchiveError> {
        let (unmerges, damaged) = self.unmerges().await?;
        let mut unmerges = unmerges.into_iter().peekable();
        let mut steps = vec![Step::Damaged(damaged)];
        for path in self.days().await? {
            let is_before = |(done_at, _): &(Timestamp, Unmerge)| {
                let done = place(*done_at);
                path.as_ref().get(..done.len()).is_some_and(|first| first > done.as_str())
            };
            while let Some((_, unmerge)) = unmerges.next_if(is_before) {
                steps.push(Step::Unmerge(unmerge));
            }
            steps.push(Step::Events(path));
        }
        steps.extend(unmerges.map(|(_, unmerge)| Step::Unmerge(unmerge)));
        let archive = self.clone();
        let entries = stream::iter(steps).then(move |step| {
            let archive = archive.clone();
            async move {
                Ok::<_, ArchiveError>(match step {
                    Step::Damaged(damaged) => damaged.into_iter().map(Err).collect(),
                    Step::Unmerge(unmerge) => vec![Ok(Entry::Unmerge(unmerge))],
                    Step::Events(path) => {
                        let events = archive.events(&path).await?.into_iter();
                        events.map(|event| event.map(|event| Entry::Event(Box::new(event)))).collect()
                    }
                })
            }
        });
        Ok(entries.map_ok(stream::iter).try_flatten())
    }

    /// All unmerges, by when they were done, and what of them is damaged.
    async fn unmerges(&self) -> Result<(Vec<(Timestamp, Unmerge)>, Vec<ArchiveError>), ArchiveError> {
        let (mut all, mut damaged) = (Vec::new(), Vec::new());
        for path in self.list(Some(&Path::from(FOLDER))).await? {
            for line in self.lines(&path, parsed, |path, line| ArchiveError::NoUnmerge { path, line }).await? {
                match line {
                    Ok(unmerge) => all.push(unmerge),
                    Err(error) => damaged.push(error),
                }
            }
        }
        all.sort_by(|(a_done, a), (b_done, b)| (a_done, a.at, &a.identity).cmp(&(b_done, b.at, &b.identity)));
        Ok((all, damaged))
    }
}

/// The next object to read.
enum Step {
    Damaged(Vec<ArchiveError>),
    Unmerge(Unmerge),
    Events(Path),
}

fn parsed(line: &[u8]) -> Option<(Timestamp, Unmerge)> {
    match serde_json::from_slice(line).ok()? {
        EventsPayload::Unmerge(unmerge) => Some((unmerge.done_at?, unmerge)),
        _ => None,
    }
}

/// Named by the key that identifies a repetition.
fn path(unmerge: &Unmerge) -> Path {
    let person = unmerge.identity.person_id();
    let digest = hash::base32(&hash::sha256(&[person.as_bytes(), &unmerge.at.as_millisecond().to_be_bytes()])[..15]);
    Path::from(format!("{FOLDER}/{}-{digest}.ndjson.gz", place(unmerge.at)))
}
