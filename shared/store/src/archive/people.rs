//! One person's share of the archive: found for whoever asks what is known of them, and taken out when they are erased.
//!
//! An object is written again without the person's lines, byte for byte what it was otherwise, under its own name; one that held nothing else is
//! deleted. So it may stop anywhere and be begun again.

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

/// An object of the archive: a batch of events, or something that was said of people by hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object(Path);

/// What an object holds of a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Share {
    /// Their events, in the object's order.
    pub events: Vec<Event>,
    /// What was said of their identities by hand.
    pub unmerges: Vec<Unmerge>,
    /// Events of others that name one of their ids, as where a browser was shared. They stay: they are the others'.
    pub named_by_others: u64,
    /// Lines that may be about them and cannot be read, or the object itself. They stay.
    pub unreadable: u64,
    /// The lines of others, each with its line break; empty where the person has no share.
    rest: Vec<u8>,
}

impl Share {
    /// Whether the object holds nothing of the person.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.unmerges.is_empty()
    }

    /// Whether the object holds nothing but what is the person's.
    pub fn is_all(&self) -> bool {
        !self.is_empty() && self.rest.is_empty()
    }
}

impl Archive {
    /// The objects that may hold something of a person of whom nothing was received before `from` (`None`: all objects), in the order of their names.
    ///
    /// # Errors
    /// [`ArchiveError`] where the archive cannot be listed.
    pub async fn objects_since(&self, from: Option<Date>) -> Result<Vec<Object>, ArchiveError> {
        let listed: Vec<_> = match from {
            // What was said of people by hand lies behind all days.
            Some(from) => self.objects.list_with_offset(None, &Path::from(format!("day={from}"))).try_collect().await?,
            None => self.objects.list(None).try_collect().await?,
        };
        let mut objects: Vec<Object> = listed.into_iter().map(|object| Object(object.location)).collect();
        objects.retain(|Object(path)| path.as_ref().starts_with("day=") || path.as_ref().starts_with(FOLDER));
        objects.sort_unstable();
        Ok(objects)
    }

    /// What an object holds of `subject`; nothing of an object that is gone. One that is damaged is logged and counted.
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

    /// Takes `share` out of the object that it is of: writes the rest of it, or deletes the object where there is none.
    ///
    /// # Errors
    /// [`ArchiveError`] where that fails: the object is as it was then.
    pub async fn take_out(&self, Object(path): &Object, share: &Share) -> Result<(), ArchiveError> {
        if share.is_empty() {
            return Ok(());
        }
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
    // Most lines are of others: they are told by their text, before any is parsed.
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

/// What a line says.
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

/// Whether an event of somebody else names one of the subject's ids.
fn names(event: &Event, subject: &Subject) -> bool {
    let has_anonymous = |id: &AnonymousId| subject.has(&Identity::Anonymous(id.clone()));
    let earlier = event.previous_id.as_ref().and_then(|id| UserId::parse(id.as_str()).ok());
    external_ids(&event.context).any(|id| subject.has(&Identity::External(id)))
        || event.anonymous_id.as_ref().is_some_and(has_anonymous)
        || event.previous_id.as_ref().is_some_and(has_anonymous)
        || earlier.is_some_and(|id| subject.has(&Identity::User(id)))
}
