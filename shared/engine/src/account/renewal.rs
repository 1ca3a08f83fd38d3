//! How often an account has renewed, and when it does so next.

use super::Account;
use crate::action::Action;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use perennial_config::accounts::Renewal;
use perennial_domain::{AccountId, Event, EventKind, MessageId, Properties};
use serde_json::Value;

/// The most renewals that are counted: those of 40 years, month by month.
pub const MAX_RENEWALS: usize = 500;
/// Milliseconds since 1970 reached this in 1973, seconds will in 5138.
const FIRST_MILLISECOND: i64 = 100_000_000_000;

/// What `event`, which names `account`, says of its renewals.
pub(crate) fn told_by(rule: &Renewal, account: &AccountId, event: &Event) -> impl Iterator<Item = Action> {
    let renewed = rule.events.contains(event.counted_as());
    let renewed =
        renewed.then(|| Action::AccountRenewal { account: account.clone(), message_id: event.message_id.clone() });
    // A `group` call says it as a trait.
    let name = rule.r#trait.as_ref().filter(|_| event.kind != EventKind::Group);
    let said = name.and_then(|name| Some((name.clone(), event.properties.get(name)?.clone())));
    let said = said.map(|said| Action::AccountTraits {
        account: account.clone(),
        traits: Properties::from_iter([said]),
        at: event.timestamp,
        message_id: event.message_id.clone(),
    });
    renewed.into_iter().chain(said)
}

impl Account {
    /// Counts a renewal, once however often its event comes. The order does not matter: of more than [`MAX_RENEWALS`] so many are kept.
    pub fn renewed(&mut self, message_id: &MessageId) {
        self.renewals.insert(message_id.hash64());
        if self.renewals.len() > MAX_RENEWALS {
            self.renewals.pop_last();
        }
    }

    /// When it renews next, or was to, as its trait says.
    pub(super) fn renews_at(&self, rule: &Renewal) -> Option<Timestamp> {
        moment(&self.traits.get(rule.r#trait.as_ref()?)?.value)
    }
}

/// A time, a date (its midnight in UTC), or seconds or milliseconds since 1970, as a number or its text.
fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => of_number(number.as_i64()?),
        Value::String(text) => {
            let text = text.trim();
            let date = || Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
            let number = || of_number(text.parse().ok()?);
            text.parse().ok().or_else(number).or_else(date)
        }
        _ => None,
    }
}

fn of_number(number: i64) -> Option<Timestamp> {
    if number.abs() < FIRST_MILLISECOND { Timestamp::from_second(number) } else { Timestamp::from_millisecond(number) }
        .ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn a_moment_is_read_in_any_of_the_usual_forms() {
        let second: Timestamp = "2026-05-01T00:00:00Z".parse().unwrap();
        for value in [
            json!("2026-05-01T00:00:00Z"),
            json!("2026-05-01T02:00:00+02:00"),
            json!(" 2026-05-01 "),
            json!(1_777_593_600),
            json!("1777593600"),
            json!(1_777_593_600_000_i64),
        ] {
            assert_eq!(moment(&value), Some(second), "{value}");
        }
        for value in [json!("next spring"), json!(""), json!(null), json!(true), json!(1.5), json!([1])] {
            assert_eq!(moment(&value), None, "{value}");
        }
    }
}
