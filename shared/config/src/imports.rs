//! `imports.toml`: how files of history, and files that arrive on a schedule, become calls of the tracking API.

mod format;

pub use format::{FORMATS, Format};

use crate::error::{Reporter, Used};
use crate::mapping::{Mapping, Place, RawMapping, RawPlaces, RawSuppression, zone_of};
use crate::spanned::Spanned;
use perennial_domain::SourceId;
use serde::{Deserialize, Serialize};

/// How the files of one source are imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The source of its events, and the folder of its files: `incoming/ID/`.
    pub id: SourceId,
    /// The mode of its events; `None` for the default of where the file comes from.
    pub mode: Option<Mode>,
    /// The encoding of texts; `None` for UTF-8, or that of the file's byte order mark.
    pub encoding: Option<String>,
    /// The sign between the columns of a table; `None` to find it in the first line.
    pub delimiter: Option<char>,
    /// The places of the key of a row, if each file contains everything: rows that are as in the file before are
    /// skipped. Empty if files do not.
    pub snapshot_key: Vec<Place>,
    /// The place of the list of rows in an object of JSON; `None` to find it.
    pub list: Option<Place>,
    /// The calls that a row becomes.
    pub rows: Rows,
    /// The number of the maps of [`Rows::Maps`] that the file itself contains; those of a format follow.
    own: usize,
}

impl Import {
    /// Returns an import of files in `format`, without settings of its own, for a source called `id`.
    #[must_use]
    pub fn of(id: SourceId, format: &'static Format) -> Self {
        let (rows, list) = format.rows();
        Self { id, mode: None, encoding: None, delimiter: None, snapshot_key: Vec::new(), list, rows, own: 0 }
    }

    /// Returns the maps that `imports.toml` itself contains.
    #[must_use]
    pub fn own_maps(&self) -> &[Mapping] {
        match &self.rows {
            Rows::Maps(maps) => maps.get(..self.own).unwrap_or_default(),
            Rows::Calls | Rows::PostHog | Rows::Suppressions(_) => &[],
        }
    }
}

/// The calls that a row becomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rows {
    /// Every row is a call of the tracking API in Segment's form.
    Calls,
    /// Every row is an event in PostHog's form.
    PostHog,
    /// Every map that matches makes one call of a row; a row that none matches is ignored, and counted.
    Maps(Vec<Mapping>),
    /// Every map that matches makes an address of a row that gets no mail any more: its user id is the address, and its
    /// event the reason.
    Suppressions(Vec<Mapping>),
}

/// The mode of imported events: it decides if they trigger messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They change profiles and trigger nothing, however young they are.
    History,
    /// Those younger than `max_event_age_hours` of channels.toml trigger messages, as if they had been sent.
    Feed,
}

/// How files of history, and files that arrive on a schedule, become calls of the tracking API. The file is optional.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The files of one source: tables (CSV, TSV and the like), NDJSON or a JSON array, plain or compressed with gzip,
    /// zstd or zip. Which of these a file is follows from its content.
    #[serde(default)]
    import: Vec<Spanned<RawImport>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawImport {
    /// A name of your own: letters, digits, `_` and `-`; unique. Conditions read it as `source`, and `perennial import
    /// --source` and the folder incoming/ID/ refer to it. It may be that of a source in sources.toml.
    id: Spanned<String>,
    /// A ready mapping, by its name, such as "segment", "amplitude" or "hubspot_contacts"; `perennial import --formats`
    /// lists them. Maps of your own are added to it.
    format: Option<Spanned<String>>,
    /// The mode of the events: "history" (they never trigger messages) or "feed" (they do, as if they had been sent). Default: history for
    /// `perennial import`, feed for files that arrive in incoming/.
    mode: Option<Mode>,
    /// The encoding of texts, such as "windows-1252" or "shift_jis"; default: UTF-8, or that of the file's byte order
    /// mark.
    encoding: Option<Spanned<String>>,
    /// The sign between the columns of a table; default: found in the first line, of comma, semicolon, tab and `|`.
    delimiter: Option<Spanned<String>>,
    /// The time zone of times without one, such as "Europe/Rome"; default: UTC.
    zone: Option<Spanned<String>>,
    /// The place of a row's key, such as "/id", if each file contains everything, as a nightly dump of a user database
    /// does: a row that is as in the file before is skipped and costs nothing. A row that is missing changes nothing.
    #[serde(default)]
    snapshot_key: RawPlaces,
    /// The place of the list of rows in an object of JSON, such as "/SuppressedDestinationSummaries" or "/result/items".
    /// Default: /data, if the object begins with it, or only has members before it that APIs wrap lists in, such as
    /// "object" and "has_more". Objects without the list are rows themselves.
    list: Option<Spanned<String>>,
    /// Converts a row to one call. Every map that matches makes one; a row that matches none is ignored, and counted.
    /// The fields are those of the maps of sources.toml; a column is written as "/" and its name.
    #[serde(default)]
    map: Vec<Spanned<RawMapping>>,
    /// Reads an address from a row that gets no mail any more, as if the mail service had reported it: a list of bounces,
    /// complaints or unsubscriptions. An import has either these or maps.
    #[serde(default)]
    suppress: Vec<Spanned<RawSuppression>>,
}

/// Checks the file.
pub(crate) fn load(report: &mut Reporter<'_>) -> Vec<Import> {
    let Some(file) = report.parse::<File>() else { return Vec::new() };
    let mut ids = Used::default();
    file.import.into_iter().filter_map(|import| compile(import, &mut ids, report)).collect()
}

fn compile(import: Spanned<RawImport>, ids: &mut Used, report: &mut Reporter<'_>) -> Option<Import> {
    let span = import.span();
    let raw = import.into_inner();
    report.unique(ids, "an import", "id", &raw.id);
    let id = SourceId::parse(raw.id.get_ref()).ok()?;
    if id.as_str() == perennial_domain::event::JOURNEYS {
        report.at(raw.id.span(), format!("import `{id}`: what journeys count has this id; take another"));
    }
    let owner = format!("import `{id}`");
    let format = raw.format.and_then(|name| match Format::named(name.get_ref()) {
        Ok(format) => Some(format),
        Err(allowed) => {
            report.at(name.span(), format!("{owner}: {allowed}"));
            None
        }
    });
    let zone = raw.zone.and_then(|zone| {
        let at = zone.span();
        zone_of(zone.get_ref(), &mut |message| report.at(at.clone(), format!("{owner}: {message}")))
    });
    let delimiter = raw.delimiter.and_then(|delimiter| match delimiter.get_ref().as_bytes() {
        [one] if one.is_ascii() && !b"\"\r\n".contains(one) => Some(char::from(*one)),
        _ => {
            report.at(delimiter.span(), format!("{owner}: delimiter is one character, such as \";\" or \"\\t\""));
            None
        }
    });
    let at = span.clone();
    let snapshot_key = raw.snapshot_key.compile(&mut |message| report.at(at.clone(), format!("{owner}: {message}")));
    let maps: Vec<Mapping> = raw.map.into_iter().map(|map| of_rows(&owner, zone.as_ref(), map, report)).collect();
    let (own, suppresses) = (maps.len(), !raw.suppress.is_empty());
    let suppressions = raw.suppress.into_iter().filter_map(|map| of_addresses(&owner, zone.as_ref(), map, report));
    let suppressions: Vec<Mapping> = suppressions.collect();
    let list = raw.list.and_then(|place| match Place::parse(place.get_ref()) {
        Ok(place @ Place::Body(_)) => Some(place),
        Ok(Place::Header(_)) => {
            report.at(place.span(), format!("{owner}: list is a place in a row, such as \"/data\""));
            None
        }
        Err(error) => {
            report.at(place.span(), format!("{owner}: {error}"));
            None
        }
    });
    let (ready, ready_list) = format.map(Format::rows).unzip();
    let rows = match (ready, own) {
        (ready, 1..) if suppresses || matches!(ready, Some(Rows::Suppressions(_))) => {
            report.at(span, format!("{owner}: has maps and suppressed addresses: make two imports of it"));
            Rows::Maps(maps)
        }
        (None, 0) if suppresses => Rows::Suppressions(suppressions),
        (Some(_), 0) if suppresses => {
            report.at(span, format!("{owner}: has a format already: leave out `suppress`, or the format"));
            Rows::Suppressions(suppressions)
        }
        (None, 0) => {
            report.at(span, format!("{owner}: needs a format, a map or suppress: what do its rows become?"));
            Rows::Maps(maps)
        }
        (Some(Rows::Maps(ready)), _) => Rows::Maps(maps.into_iter().chain(ready).collect()),
        (Some(calls), 0) => calls,
        (Some(Rows::Calls | Rows::PostHog | Rows::Suppressions(_)), _) => {
            report.at(span, format!("{owner}: rows of this format are calls already; leave out its maps"));
            Rows::Calls
        }
        (None, _) => Rows::Maps(maps),
    };
    let encoding = raw.encoding.map(Spanned::into_inner);
    let list = list.or(ready_list.flatten());
    Some(Import { id, mode: raw.mode, encoding, delimiter, snapshot_key, list, rows, own })
}

/// Compiles a map of rows to suppressed addresses; `None` if it has no address or no reason.
fn of_addresses(
    owner: &str,
    zone: Option<&jiff::tz::TimeZone>,
    map: Spanned<RawSuppression>,
    report: &mut Reporter<'_>,
) -> Option<Mapping> {
    let span = map.span();
    match map.into_inner().into_mapping() {
        Ok(raw) => Some(of_rows(owner, zone, Spanned::new(span, raw), report)),
        Err(message) => {
            report.at(span, format!("{owner}: {message}"));
            None
        }
    }
}

/// Compiles a map of rows, which have no headers.
fn of_rows(
    owner: &str,
    zone: Option<&jiff::tz::TimeZone>,
    map: Spanned<RawMapping>,
    report: &mut Reporter<'_>,
) -> Mapping {
    let span = map.span();
    let map = Mapping::compile(owner, zone, map, report);
    let conditions = map.when.iter().chain(&map.unless).map(|condition| &condition.place);
    if let Some(Place::Header(name)) = conditions
        .chain(map.places().into_iter().map(|(_, place)| place))
        .find(|place| matches!(place, Place::Header(_)))
    {
        report.at(span, format!("{owner}: a file has no header:{name}; write a column as \"/\" and its name"));
    }
    map
}

#[cfg(test)]
mod tests;
