//! Converted values: other types, time formats, and tables of values.

use super::place::{Place, RawPlaces};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use perennial_domain::timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A value that is converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Convert {
    /// The value at the first of these places that has one …
    pub from: Vec<Place>,
    /// … is replaced by this table, by its text …
    #[serde(with = "crate::stored::json_by_name")]
    pub values: BTreeMap<String, serde_json::Value>,
    /// … or kept, or dropped, if the table does not list it …
    pub other: Other,
    /// … and becomes this.
    pub to: Target,
}

/// The treatment of a value that a table of values does not list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is no value.
    Drop,
}

/// The type that a value is converted to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Unchanged.
    Same,
    /// A text.
    Text,
    /// A number, with this decimal sign. The other of point and comma, spaces and apostrophes separate thousands.
    Number {
        /// `.` or `,`.
        decimal: char,
    },
    /// True or false.
    Boolean,
    /// A time.
    Time(TimeForm),
    /// The items of a text, by the sign between them.
    List {
        /// Never empty.
        separator: String,
    },
    /// The JSON in a text.
    Json,
}

/// The spelling of a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeForm {
    /// As in `strftime`; `None` for the usual spellings ([`perennial_domain::timestamp`]).
    pub format: Option<String>,
    /// The time zone of texts without one; `None` for UTC.
    #[serde(with = "crate::stored::optional_time_zone")]
    pub zone: Option<TimeZone>,
}

impl TimeForm {
    /// Returns the time that `text` spells; `None` if it does not have this form.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim();
        let Some(format) = &self.format else {
            return timestamp::parse_in(text, self.zone.as_ref().unwrap_or(&TimeZone::UTC));
        };
        let time = strtime::parse(format, text).ok()?;
        if let Ok(at) = time.to_timestamp() {
            return Some(at);
        }
        let at = time.to_datetime().ok().or_else(|| time.to_date().ok().map(civil::DateTime::from))?;
        self.zone.as_ref().unwrap_or(&TimeZone::UTC).to_timestamp(at).ok()
    }
}

/// A value that is converted: `{ from = "/age", type = "number" }`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawConvert {
    /// The place of the value, or a list of places.
    from: RawPlaces,
    /// The type that it gets: "text", "number", "boolean", "time", "list" or "json"; default: unchanged.
    #[serde(rename = "type")]
    kind: Option<RawType>,
    /// Replaces values by their text: { "1" = "basic", "2" = "pro" }.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    values: BTreeMap<String, toml::Value>,
    /// The treatment of a value that `values` does not list: "keep" (default) or "drop".
    #[serde(default)]
    other: Other,
    /// The form of a time, as in strftime: "%d.%m.%Y %H:%M"; default: every usual spelling.
    format: Option<String>,
    /// The time zone of times without one, such as "Europe/Rome"; default: UTC.
    zone: Option<String>,
    /// The decimal sign of a number: "." (default) or ",".
    decimal: Option<String>,
    /// The sign between the items of a list; default: ",".
    separator: Option<String>,
}

/// The type that a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RawType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false, also as yes and no, 1 and 0.
    Boolean,
    /// A time.
    Time,
    /// The items of a text.
    List,
    /// The JSON in a text.
    Json,
}

impl RawConvert {
    pub(super) fn compile(self, complain: &mut impl FnMut(String)) -> Convert {
        let is_of_time = self.format.is_some() || self.zone.is_some();
        let time = time_form(self.format, self.zone.as_deref(), complain);
        let decimal = match self.decimal.as_deref() {
            None | Some(".") => '.',
            Some(",") => ',',
            Some(other) => {
                complain(format!("decimal is `{other}`; allowed are \".\" and \",\""));
                '.'
            }
        };
        let kind = match self.kind {
            None if is_of_time => Some(RawType::Time),
            None if self.decimal.is_some() => Some(RawType::Number),
            None if self.separator.is_some() => Some(RawType::List),
            kind => kind,
        };
        let mut only = |given: bool, of: RawType, field: &str, name: &str| {
            if given && kind != Some(of) {
                complain(format!("{field} is of values with type = \"{name}\""));
            }
        };
        only(is_of_time, RawType::Time, "format or zone", "time");
        only(self.decimal.is_some(), RawType::Number, "decimal", "number");
        only(self.separator.is_some(), RawType::List, "separator", "list");
        let separator = self.separator.filter(|text| !text.is_empty()).unwrap_or_else(|| ",".to_owned());
        let to = match kind {
            None => Target::Same,
            Some(RawType::Text) => Target::Text,
            Some(RawType::Number) => Target::Number { decimal },
            Some(RawType::Boolean) => Target::Boolean,
            Some(RawType::Time) => Target::Time(time),
            Some(RawType::List) => Target::List { separator },
            Some(RawType::Json) => Target::Json,
        };
        let values = self.values.iter().filter_map(|(text, value)| match super::scalar(value) {
            Some(value) => Some((text.clone(), value)),
            None => {
                complain(format!("values: `{text}` must be replaced by a text, a number, or true or false"));
                None
            }
        });
        let values = values.collect();
        Convert { from: self.from.compile(complain), values, other: self.other, to }
    }
}

/// Returns the form of a time, and reports a format or a zone that is none.
pub(super) fn time_form(format: Option<String>, zone: Option<&str>, complain: &mut impl FnMut(String)) -> TimeForm {
    let format = format.filter(|format| match shows(format) {
        true => true,
        false => {
            complain(format!(
                "`{format}` is no form of a time: it needs year, month and day in the signs of strftime, such as \"%d.%m.%Y %H:%M\""
            ));
            false
        }
    });
    TimeForm { format, zone: zone.and_then(|name| zone_of(name, complain)) }
}

/// Returns the time zone called `name`, and reports one that does not exist.
pub(crate) fn zone_of(name: &str, complain: &mut impl FnMut(String)) -> Option<TimeZone> {
    TimeZone::get(name)
        .map_err(|_| complain(format!("`{name}` is no time zone; allowed are names such as Europe/Rome and UTC")))
        .ok()
}

/// Returns whether a format names a day: a time written in it is read again as the same day.
fn shows(format: &str) -> bool {
    let sample = civil::date(2026, 11, 24).at(13, 45, 30, 0).to_zoned(TimeZone::UTC);
    let Ok(sample) = sample else { return false };
    let Ok(text) = strtime::format(format, &sample) else { return false };
    let read = TimeForm { format: Some(format.to_owned()), zone: None }.read(&text);
    read.is_some_and(|read| read.to_zoned(TimeZone::UTC).date() == sample.date())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn form(format: Option<&str>, zone: Option<&str>) -> (TimeForm, Vec<String>) {
        let mut errors = Vec::new();
        let form = time_form(format.map(str::to_owned), zone, &mut |message| errors.push(message));
        (form, errors)
    }

    #[test]
    fn times_are_read_in_their_form_and_zone() {
        for (format, zone, text, expected) in [
            (Some("%d.%m.%Y %H:%M"), Some("Europe/Rome"), "24.07.2026 14:30", "2026-07-24T12:30:00Z"),
            (Some("%d.%m.%Y %H:%M"), None, "24.07.2026 14:30", "2026-07-24T14:30:00Z"),
            (Some("%m/%d/%Y"), Some("America/New_York"), "01/31/2026", "2026-01-31T05:00:00Z"),
            (Some("%Y-%m-%d %H:%M:%S %z"), Some("Europe/Rome"), "2026-07-24 14:30:00 -0500", "2026-07-24T19:30:00Z"),
            (Some("%s"), None, "1772357400", "2026-03-01T09:30:00Z"),
            (None, Some("Europe/Rome"), "2026-07-24 14:30:00", "2026-07-24T12:30:00Z"),
            (None, Some("Europe/Rome"), "2026-01-24", "2026-01-23T23:00:00Z"),
            (None, Some("Europe/Rome"), "2026-07-24T14:30:00Z", "2026-07-24T14:30:00Z"),
            (None, Some("Europe/Rome"), "1772357400", "2026-03-01T09:30:00Z"),
            (None, None, "2026-07-24 14:30:00", "2026-07-24T14:30:00Z"),
        ] {
            let (form, errors) = form(format, zone);
            assert_eq!(errors, Vec::<String>::new());
            assert_eq!(form.read(text).unwrap().to_string(), expected, "{format:?} {zone:?} {text}");
        }
        assert_eq!(form(Some("%d.%m.%Y"), None).0.read("2026-07-24"), None);
    }

    #[test]
    fn format_without_a_day_and_unknown_zone_are_reported() {
        assert!(form(Some("%H:%M"), None).1[0].contains("strftime"));
        assert!(form(Some("%d.%m."), None).1[0].contains("strftime"));
        assert!(form(None, Some("Rome")).1[0].contains("Europe/Rome"));
    }
}
