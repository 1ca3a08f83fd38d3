//! Common fixtures of the tests.
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use crate::brief::{Brief, Step};
use crate::endpoint::About;
use crate::render::Context;
use jiff::Timestamp;
use perennial_domain::{Cause, Channel, ConfigVersion, Decision, DecisionId, Identity, PersonId, Stage};
use perennial_engine::{Moment, State};

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

/// A brief with an owner, an earlier message and a page.
pub(crate) fn brief() -> Brief {
    Brief {
        owner: Some("customer success".into()),
        steps: vec![Step {
            at: "2026-02-20T10:00:00Z".parse().unwrap(),
            channel: "mail",
            about: "Did we lose you?".into(),
            state: "opened",
        }],
        page: Some("https://crm.example/people/p_1".into()),
        ..Brief::due("2026-03-03T08:15:30Z".parse().unwrap())
    }
}

/// Calls `read` with what `decision` is about: the person whose state and identities these are.
pub(crate) fn with_about<T>(
    decision: &Decision,
    (state, identities): (&State, &[&Identity]),
    brief: &Brief,
    read: impl FnOnce(&About<'_>) -> T,
) -> T {
    let context = Context::new(decision, state, Stage::Established).with_owner(brief.owner.as_deref());
    let config = crate::webhook::tests::empty_config();
    let evaluation = perennial_engine::evaluate(&Moment::new(&config, Timestamp::UNIX_EPOCH), state);
    let person = PersonId::derive(&[b"merged"]);
    read(&About { decision, person, identities, context: &context, evaluation: &evaluation, brief })
}
