//! Common fixtures of the tests.
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use jiff::Timestamp;
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId, PersonId};

/// A task for a colleague, at `endpoint`.
pub(crate) fn decision(endpoint: &str) -> Decision {
    let person = PersonId::derive(&[b"ada"]);
    Decision {
        id: DecisionId::of(person, "churn_task", 0, b"cause"),
        person,
        journey: "churn_task".into(),
        step: 0,
        channel: Channel::Webhook,
        template: "task".into(),
        endpoint: Some(endpoint.into()),
        cause: Cause::Quiet { since: Timestamp::UNIX_EPOCH, days: 14 },
        properties: perennial_domain::Properties::new(),
        decided_at: "2026-03-02T08:15:30Z".parse().unwrap(),
        config: ConfigVersion::parse("v1").unwrap(),
        variant: None,
        withheld: None,
    }
}
