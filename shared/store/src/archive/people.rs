//! One person's share of the archive: found for exports, and removed by erasures.
//!
//! An object is rewritten without the person's lines, otherwise byte for byte the same, under its own name; an object
//! with nothing else is deleted. So it can be interrupted anywhere and restarted.

use super::unmerges::FOLDER;
use super::{Archive, ArchiveError};
use crate::traces::Subject;
use bytes::Bytes;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures::TryStreamExt;
use jiff::civil::Date;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::event::external_ids;
use perennial_domain::{AnonymousId, Event, Identity, UserId};
use std::io::{Read as _, Write as _};

/// An object of the archive: a batch of events, or a manual unmerge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object(Path);

impl Object {
    /// Returns the day on which its events were received; `None` for an unmerge.
    pub(super) fn day(&self) -> Option<Date> {
        super::extracts::day_of_object(&self.0)
    }

    pub(super) fn name(&self) -> &str {
        self.0.as_ref()
    }
}

/// A person's share of an object.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    /// Their events, in the object's order.
    pub events: Vec<Event>,
    /// Manual unmerges of their identities.
    pub unmerges: Vec<Unmerge>,
    /// Events of other people that contain one of their ids, as with a shared browser. They are kept, since they belong
    /// to the others.
    pub named_by_others: u64,
    /// Lines that may be about them and cannot be read, or the object itself. They stay.
    pub unreadable: u64,
    /// The lines of others, each with its line break; empty where the person has no share.
    rest: Vec<u8>,
}

impl Share {
    /// Returns whether the object contains nothing of the person.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.unmerges.is_empty()
    }

    /// Returns whether the object contains nothing else.
    pub fn is_all(&self) -> bool {
        !self.is_empty() && self.rest.is_empty()
    }
}

impl Archive {
    /// Returns the objects that may contain data of a person without events received before `from` (`None`: all
    /// objects), in the order of their names.
    ///
    /// # Errors
    /// [`ArchiveError`] if the archive cannot be listed.
    pub async fn objects_since(&self, from: Option<Date>) -> Result<Vec<Object>, ArchiveError> {
        let listed: Vec<_> = match from {
            // Manual unmerges sort after all days.
            Some(from) => self.objects.list_with_offset(None, &Path::from(format!("day={from}"))).try_collect().await?,
            None => self.objects.list(None).try_collect().await?,
        };
        let mut objects: Vec<Object> = listed.into_iter().map(|object| Object(object.location)).collect();
        objects.retain(|Object(path)| path.as_ref().starts_with("day=") || path.as_ref().starts_with(FOLDER));
        objects.sort_unstable();
        Ok(objects)
    }

    /// Returns the share of `subject` in an object; empty if the object is gone. A damaged object is logged and
    /// counted.
    ///
    /// # Errors
    /// [`ArchiveError`] where the object store fails.
    pub async fn share(&self, Object(path): &Object, subject: &Subject) -> Result<Share, ArchiveError> {
        let read = match self.objects.get(path).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Share::default()),
            read => read?.bytes().await?,
        };
        let mut text = Vec::new();
        if let Err(source) = MultiGzDecoder::new(read.as_ref()).read_to_end(&mut text) {
            let error = ArchiveError::Unreadable { path: path.to_string(), source };
            tracing::error!(%error, "an object of the archive is damaged; it is passed over");
            return Ok(Share { unreadable: 1, ..Share::default() });
        }
        let is_event = path.as_ref().starts_with("day=");
        Ok(split(path, &text, is_event, subject))
    }

    /// Removes `share` from its object: writes the rest of it, or deletes the object if there is none. Extracts of the
    /// object's day go first.
    ///
    /// # Errors
    /// [`ArchiveError`] if that fails: the object is then unchanged.
    pub async fn take_out(&self, Object(path): &Object, share: &Share) -> Result<(), ArchiveError> {
        if share.is_empty() {
            return Ok(());
        }
        // Before the events go: what stops in between is repeated, and finds them still.
        self.forget_extracts(path).await?;
        if share.is_all() {
            return match self.objects.delete(path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&share.rest).map_err(ArchiveError::Write)?;
        let bytes = gzip.finish().map_err(ArchiveError::Write)?;
        self.objects.put(path, Bytes::from(bytes).into()).await?;
        Ok(())
    }
}

fn split(path: &Path, text: &[u8], is_event: bool, subject: &Subject) -> Share {
    let mut share = Share::default();
    // Most lines are of others, which their text shows before any is parsed.
    let needles: Vec<String> = subject.ids.iter().filter_map(|id| serde_json::to_string(id).ok()).collect();
    let may_name = |text: &[u8]| {
        // A line may hold anything, if it is damaged.
        let text = String::from_utf8_lossy(text);
        needles.is_empty() || needles.iter().any(|needle| text.contains(needle))
    };
    if !may_name(text) {
        return share;
    }
    let mut rest = Vec::with_capacity(text.len());
    for (number, line) in (1..).zip(text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n')) {
        if may_name(line) {
            let read = if is_event { event(line).map(Line::Event) } else { unmerge(line).map(Line::Unmerge) };
            match read {
                Some(Line::Event(event)) if event.identity().is_some_and(|identity| subject.has(&identity)) => {
                    share.events.push(event);
                    continue;
                }
                Some(Line::Event(event)) => share.named_by_others += u64::from(names(&event, subject)),
                Some(Line::Unmerge(unmerge)) if subject.has(&unmerge.identity) => {
                    share.unmerges.push(unmerge);
                    continue;
                }
                Some(Line::Unmerge(_)) => {}
                None => {
                    tracing::error!(%path, line = number, "a line of the archive is damaged; it is passed over");
                    share.unreadable += 1;
                }
            }
        }
        rest.extend_from_slice(line);
        rest.push(b'\n');
    }
    if !share.is_empty() {
        share.rest = rest;
    }
    share
}

/// The content of a line.
enum Line {
    Event(Event),
    Unmerge(Unmerge),
}

fn event(line: &[u8]) -> Option<Event> {
    serde_json::from_slice(line).ok()
}

fn unmerge(line: &[u8]) -> Option<Unmerge> {
    match serde_json::from_slice(line).ok()? {
        EventsPayload::Unmerge(unmerge) => Some(unmerge),
        _ => None,
    }
}

/// Returns whether another person's event contains one of the subject's ids.
fn names(event: &Event, subject: &Subject) -> bool {
    let has_anonymous = |id: &AnonymousId| subject.has(&Identity::Anonymous(id.clone()));
    let earlier = event.previous_id.as_ref().and_then(|id| UserId::parse(id.as_str()).ok());
    external_ids(&event.context).any(|id| subject.has(&Identity::External(id)))
        || event.anonymous_id.as_ref().is_some_and(has_anonymous)
        || event.previous_id.as_ref().is_some_and(has_anonymous)
        || earlier.is_some_and(|id| subject.has(&Identity::User(id)))
}
