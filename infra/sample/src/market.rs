//! Those around the accounts: visitors who never say who they are, and a client that is broken.

use super::DAYS;
use super::record::{Recorder, Who};
use super::rng::Rng;
use serde_json::{Value, json};

/// Visitors of the website who stay unknown.
const STRANGERS: u64 = 80;
/// The broken client's calls of each kind.
const BROKEN_OF_A_KIND: u64 = 6;

/// Visitors who read something and go.
pub(super) fn strangers(record: &mut Recorder, mut rng: Rng) {
    for _ in 0..STRANGERS {
        let browser = format!("browser-{:016x}", rng.next());
        let visitor = Who::Anonymous(&browser);
        let (day, at) = (rng.between(0, DAYS - 1), rng.between(0, 80_000));
        record.page(visitor, (day, at), "Home", "/");
        if rng.percent(50) {
            record.track(
                "web",
                visitor,
                (day, at + 60),
                "Content Viewed",
                json!({"kind": "blog", "topic": "retention"}),
            );
        }
        if rng.percent(20) {
            record.page(visitor, (day, at + 200), "Pricing", "/pricing");
        }
        if rng.percent(10) {
            record.page(visitor, (day, at + 300), "Careers", "/careers");
        }
    }
}

/// A person with a name but no address, so that their company is unknown, who is about to buy.
pub(super) fn lone_buyer(record: &mut Recorder) {
    let user = Who::User("caller-0001");
    let day = DAYS - 20;
    record.identify("web", user, (day, 40_000), json!({"name": "Quilla Rosenthorn"}));
    record.track("web", user, (day, 40_060), "White Paper Downloaded", json!({"title": "The cost of churn"}));
    for look in 0..4 {
        record.track("web", user, (day + look, 42_000), "Pricing Page Viewed", json!({}));
    }
    record.track("web", user, (day + 3, 43_000), "Demo Requested", json!({"seats": 12}));
}

/// An old release of a client that leaves out what a call needs. Each call has to be kept with its reason, and none may take
/// its batch along.
pub(super) fn broken_client(record: &mut Recorder, mut rng: Rng) {
    let kinds = [
        json!({"type": "track", "userId": "user-0020", "properties": {"feature": "forecast"}}),
        json!({"type": "track", "event": "Feature Used", "properties": {"feature": "forecast"}}),
        json!({"type": "group", "userId": "user-0020", "traits": {"name": "Customer 1"}}),
        json!({"type": "trakc", "userId": "user-0020", "event": "Feature Used"}),
    ];
    for _ in 0..BROKEN_OF_A_KIND {
        for kind in &kinds {
            if let Value::Object(body) = kind.clone() {
                record.broken((rng.between(0, DAYS - 1), rng.between(0, 86_399)), body);
            }
        }
    }
}
