//! Maps of rows to addresses that get no mail any more. Compiled, they are maps like others: the user id is the address, and
//! the event is the reason.

use super::{RawMapping, RawMoment, RawPick, RawPlaces};
use crate::spanned::Spanned;
use perennial_domain::{EventKind, SuppressionReason};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSuppression {
    /// Required values: a place = a value, or a list of allowed ones. All must match; other rows are ignored, and
    /// counted.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    when: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// Excluded values, written like `when`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::OneOf>"))]
    unless: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    /// The place of the address; required.
    #[serde(default)]
    address: RawPlaces,
    /// The reason of all rows: "bounce", "complaint" (both are final) or "unsubscribe" (its reader may subscribe again).
    reason: Option<Spanned<String>>,
    /// The place of the reason, written like a property: "/reason", or { from = "/type", values = { HB = "bounce" },
    /// other = "drop" }. The usual names of mail services are known. A row with another reason, such as a soft bounce,
    /// is a reject.
    reason_from: Option<RawPick>,
    /// The place of the time since when; default: when the file was made.
    #[serde(default)]
    timestamp: RawMoment,
}

impl RawSuppression {
    /// Returns the map that this one is.
    ///
    /// # Errors
    /// If it has no address or no reason.
    pub(crate) fn into_mapping(self) -> Result<RawMapping, String> {
        if super::is_empty(&self.address) {
            return Err("suppress needs address, the place of the address".to_owned());
        }
        match (&self.reason, &self.reason_from) {
            (Some(reason), None) => {
                let known = SuppressionReason::ALL.map(SuppressionReason::as_str);
                if !known.contains(&reason.get_ref().as_str()) {
                    return Err(format!("`{}` is no reason; allowed are {}", reason.get_ref(), known.join(", ")));
                }
            }
            (None, Some(_)) => {}
            (None, None) => return Err("suppress needs reason, or reason_from, its place".to_owned()),
            (Some(_), Some(_)) => return Err("suppress has reason and reason_from; leave one out".to_owned()),
        }
        Ok(RawMapping {
            when: self.when,
            unless: self.unless,
            later: BTreeMap::new(),
            kind: EventKind::Track,
            event: self.reason,
            event_from: self.reason_from,
            user_id: self.address,
            external_id: BTreeMap::new(),
            anonymous_id: RawPlaces::default(),
            group_id: RawPlaces::default(),
            previous_id: RawPlaces::default(),
            message_id: RawPlaces::default(),
            message_parts: RawPlaces::default(),
            timestamp: self.timestamp,
            all_properties: RawPlaces::default(),
            all_traits: RawPlaces::default(),
            properties: BTreeMap::new(),
            traits: BTreeMap::new(),
        })
    }
}
