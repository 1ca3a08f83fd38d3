//! Places of values in a webhook or a row of a file.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A place in a webhook, or in a row of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// In the body: a JSON pointer (RFC 6901), such as `/data/object/customer`. In a row of a table, `/` and the
    /// column's name.
    Body(String),
    /// A header, by its name in lower case; written `header:x-github-delivery`.
    Header(String),
}

impl Place {
    /// Parses a place.
    ///
    /// # Errors
    /// The allowed forms.
    pub fn parse(text: &str) -> Result<Self, String> {
        let allowed = "a JSON pointer such as /data/object/customer, or header:NAME";
        if let Some(name) = text.strip_prefix("header:") {
            let is_name =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            return if is_name {
                Ok(Self::Header(name.to_ascii_lowercase()))
            } else {
                Err(format!("`{text}` names no header; allowed is {allowed}"))
            };
        }
        if !text.starts_with('/') {
            return Err(format!("`{text}` must be {allowed}"));
        }
        let escapes_hold = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if escapes_hold {
            Ok(Self::Body(text.to_owned()))
        } else {
            Err(format!("`{text}`: in a JSON pointer ~ is written ~0 and / is written ~1"))
        }
    }

    /// Returns the names of the members that lead to a place in a body; none of a header.
    #[must_use]
    pub fn members(&self) -> Arc<[String]> {
        let Self::Body(pointer) = self else { return Arc::default() };
        pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~")).collect()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(pointer) => f.write_str(pointer),
            Self::Header(name) => write!(f, "header:{name}"),
        }
    }
}

/// A place in a webhook or a row (a JSON pointer such as "/data/object/customer", in a table "/" and the column's name;
/// in a webhook also "header:NAME"), or a list of places of which the first with a value counts: null and empty text are
/// no values, and for an id neither are words such as "undefined".
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "takes a place such as \"/data/id\", or a list of places")]
pub(crate) enum RawPlaces {
    One(String),
    Several(Vec<String>),
}

impl Default for RawPlaces {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl RawPlaces {
    /// Returns the places as they are written.
    pub(super) fn texts(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Several(texts) => texts,
        }
    }

    pub(crate) fn compile(self, complain: &mut impl FnMut(String)) -> Vec<Place> {
        self.texts().iter().filter_map(|text| Place::parse(text).map_err(&mut *complain).ok()).collect()
    }
}
