//! From a row to addresses that get no mail any more.

use crate::calls::column;
use crate::reject::{Code, Reject};
use jiff::Timestamp;
use perennial_config::mapping::Mapping;
use perennial_contracts::mapping::{self, Payload};
use perennial_domain::hygiene::MailAddress;
use perennial_domain::{SourceId, SuppressionReason, timestamp};
use serde_json::Value;

/// An address that gets no mail any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The address.
    pub address: MailAddress,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when: the row's time, at most that of the file.
    pub since: Timestamp,
}

impl std::fmt::Debug for Suppression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suppression").field("reason", &self.reason).field("since", &self.since).finish_non_exhaustive()
    }
}

/// A row without a usable address or reason.
pub(crate) struct Bad {
    column: String,
    code: Code,
    reason: String,
    allowed: &'static str,
}

impl Bad {
    /// Returns the reject of the row `raw` at `line`.
    pub(crate) fn reject(self, line: u64, raw: &[u8]) -> Reject {
        Reject::new(line, self.code, self.reason, self.allowed, raw).in_column(self.column)
    }
}

/// Returns the addresses of a row, one for each map that matches. A row without a time, or with one after `now`, is of
/// `now`.
///
/// # Errors
/// [`Bad`] if one of them has no usable address or reason: then none counts.
pub(crate) fn of_row(
    source: &SourceId,
    maps: &[Mapping],
    row: &Value,
    now: Timestamp,
) -> Result<Vec<Suppression>, Bad> {
    let payload = Payload { body: row, signed: None, place: None };
    let calls = mapping::calls(source, maps, payload, "").into_iter();
    calls.map(|(map, call)| Ok(of_call(map, &call)?.at_most(now))).collect()
}

impl Suppression {
    fn at_most(self, now: Timestamp) -> Self {
        Self { since: self.since.min(now), ..self }
    }
}

/// Reads the call that the map of an address makes: its user id is the address, and its event the reason.
fn of_call(map: &Mapping, call: &Value) -> Result<Suppression, Bad> {
    let place = |field: &str| column(Some(map), field);
    let address = call["userId"].as_str().ok_or_else(|| Bad {
        column: place("userId"),
        code: Code::Address,
        reason: "the row has no mail address".to_owned(),
        allowed: "a mail address",
    })?;
    let address = MailAddress::parse(address).map_err(|error| Bad {
        column: place("userId"),
        code: Code::Address,
        reason: format!("the mail address cannot be used: {error}"),
        allowed: "a mail address",
    })?;
    let reason = call["event"].as_str().and_then(SuppressionReason::of_service).ok_or_else(|| Bad {
        column: place("event"),
        code: Code::Reason,
        reason: "the row has no reason for which an address gets no mail any more".to_owned(),
        allowed: "bounce, complaint or unsubscribe, in the words of mail services; map others with reason_from",
    })?;
    let since = call.get("timestamp").and_then(timestamp::of_json).unwrap_or(Timestamp::MAX);
    Ok(Suppression { address, reason, since })
}
