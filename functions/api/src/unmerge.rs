//! `POST /api/people/{person}/unmerge`: unlinks an identity from its profile.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use lambda_http::Body;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::PersonId;
use perennial_lambda_kit::queue::Delay;
use perennial_views::person;
use perennial_views::unmerge::unmerge;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// A user id or an anonymous id; `user:ID` or `anonymous:ID` where it could be either.
    identity: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    why: String,
}

#[derive(Serialize)]
struct Queued {
    queued: bool,
    person: PersonId,
    identity: String,
}

/// Validates the request and queues it for `score`, which alone writes profiles.
pub(crate) async fn ask(deps: &Deps, person: &str, body: &Body) -> Result<Response<Body>, Failure> {
    const FORM: Failure = Failure::Wrong(r#"send {"identity": "ID", "by": "who says so", "why": "the reason"}"#);
    let asked: Asked = serde_json::from_slice(body.as_ref()).map_err(|_| FORM)?;
    let stored = person::find(&deps.views, person).await?;
    let by = if asked.by.trim().is_empty() { "api" } else { &asked.by };
    let unmerge = unmerge(&stored.profile, &asked.identity, by, &asked.why, deps.views.clock.now())?;
    let identity = unmerge.identity.to_string();
    let body = serde_json::to_string(&EventsPayload::Unmerge(unmerge))?;
    let report = deps.events.send(vec![body], Delay::NONE).await;
    report.into_result().map_err(|error| Failure::Queue(error.to_string()))?;
    answer::json(&Queued { queued: true, person: stored.profile.id, identity })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::access::Access;
    use crate::handler::handle;
    use crate::test_support::{House, ada, house, now, with_ada};
    use http::StatusCode;
    use perennial_domain::{AnonymousId, Identity, UserId};
    use perennial_engine::joins::{Digest, Evidence, Link, Standing};
    use perennial_store::Consistency;

    async fn post(house: &House, person: &str, body: &str) -> (StatusCode, String) {
        let uri = format!("/api/people/{person}/unmerge");
        let request = http::Request::builder().method("POST").uri(uri).body(Body::Text(body.to_owned())).unwrap();
        let (parts, body) = handle(&house.deps, request).await.into_parts();
        let Body::Text(text) = body else { panic!("no text") };
        (parts.status, text)
    }

    #[tokio::test]
    async fn what_is_asked_is_queued_with_who_says_so_and_why() {
        let house = house(Access::Open).await;
        with_ada(&house).await;
        let body = r#"{"identity":"anon-1","by":"eve","why":"a shared desk"}"#;
        let (status, text) = post(&house, "user%2F1", body).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert!(text.contains(r#""identity":"anonymous:anon-1""#), "{text}");
        let bodies = house.events.drain();
        let Ok(EventsPayload::Unmerge(unmerge)) = serde_json::from_str(&bodies[0].0) else { panic!("{bodies:?}") };
        assert_eq!((unmerge.identity.to_string().as_str(), unmerge.at), ("anonymous:anon-1", now()));
        assert_eq!((unmerge.by.as_str(), unmerge.why.as_str()), ("eve", "a shared desk"));
    }

    #[tokio::test]
    async fn what_cannot_be_parted_is_said_and_not_queued() {
        let house = house(Access::Open).await;
        with_ada(&house).await;
        assert_eq!(post(&house, "user%2F1", r#"{"identity":"someone"}"#).await.0, StatusCode::NOT_FOUND);
        assert_eq!(post(&house, "nobody", r#"{"identity":"anon-1"}"#).await.0, StatusCode::NOT_FOUND);
        assert_eq!(post(&house, "user%2F1", "{}").await.0, StatusCode::BAD_REQUEST);
        // A user id leaves with its anonymous ids, and here nothing else would remain.
        let mut stored = house.deps.views.store.follow(ada().person_id(), Consistency::Strong).await.unwrap().unwrap();
        let visitor = Identity::Anonymous(AnonymousId::parse("anon-1").unwrap());
        stored.profile.part_mut(&visitor).add_link(Link {
            at: 0,
            user: UserId::parse("user/1").unwrap(),
            message: Digest::default(),
            evidence: Evidence::Identify,
            standing: Standing::Holds,
        });
        house.deps.views.store.save(&mut stored).await.unwrap();
        assert_eq!(post(&house, "user%2F1", r#"{"identity":"user/1"}"#).await.0, StatusCode::BAD_REQUEST);
        assert!(house.events.drain().is_empty());
    }
}
