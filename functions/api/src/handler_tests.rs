#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::access::{Access, ApiKey, KeyHash, Scope};
use crate::test_support::{House, NOW, ada, house, now, with_ada};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use perennial_config::lifecycle::Milestone;
use perennial_contracts::queue::EventsPayload;
use perennial_domain::{DecisionId, Event, PersonId, SourceId};
use perennial_engine::span::Span;
use perennial_lambda_kit::queue::Depth;
use perennial_store::rejects::Reject;
use perennial_store::{Consistency, Loaded};
use serde_json::Value;

pub(crate) async fn call(house: &House, method: &str, path: &str) -> (StatusCode, HeaderMap, String) {
    let request = http::Request::builder().method(method).uri(path).body(Body::Empty).unwrap();
    let answer = handle(&house.deps, request).await;
    let (parts, body) = answer.into_parts();
    let Body::Text(text) = body else { panic!("no text") };
    (parts.status, parts.headers, text)
}

pub(crate) async fn get(house: &House, path: &str) -> Value {
    let (status, headers, body) = call(house, "GET", path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(
        (headers["content-type"].as_bytes(), headers["cache-control"].as_bytes()),
        (b"application/json".as_slice(), b"no-store".as_slice())
    );
    serde_json::from_str(&body).unwrap()
}

pub(crate) fn events(house: &House) -> Vec<Event> {
    let bodies = house.events.drain().into_iter().map(|(body, _)| serde_json::from_str(&body).unwrap());
    bodies
        .flat_map(|payload| match payload {
            EventsPayload::Events { events } => events,
            _ => Vec::new(),
        })
        .collect()
}

#[tokio::test]
async fn a_profile_is_found_by_any_identity() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let by_person = format!("/api/profiles/{}", ada().person_id());
    for path in [
        by_person.as_str(),
        "/api/profiles/user%2F1",
        "/api/profiles/ada%40example.com",
        "/api/profiles/ADA@example.com",
    ] {
        let profile = get(&house, path).await;
        assert_eq!(profile["id"], ada().person_id().to_string(), "{path}");
        assert_eq!(
            profile["identities"],
            serde_json::json!([{ "kind": "user", "id": "user/1" }, { "kind": "anonymous", "id": "anon-1" }])
        );
        assert_eq!(profile["traits"], serde_json::json!({ "email": "ada@example.com" }));
        assert_eq!(profile["counts"], serde_json::json!({ "$page": 2, "Report Viewed": 3 }));
        assert_eq!(
            (&profile["account"], &profile["events"], &profile["tallies"]["consideration"]),
            (&"acme".into(), &5.into(), &2.into())
        );
        assert_eq!(profile["scores"].as_object().unwrap().len(), 9);
        assert!(profile["scores"]["churn"]["reasons"].is_array());
        assert_eq!(profile["messages"][0]["state"], "sent");
        for key in ["stage", "engagement", "revenue", "first_seen", "last_seen", "active_days", "due_at"] {
            assert!(profile.get(key).is_some(), "{key}");
        }
    }
}

#[tokio::test]
async fn profile_says_that_milestones_are_older_than_subscriptions() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    assert_eq!(get(&house, "/api/profiles/user%2F1").await.get("needs_rescore"), None);
    let Loaded::Profile(mut stored) =
        house.deps.views.store.load(ada().person_id(), Consistency::Strong).await.unwrap()
    else {
        panic!("Ada is there")
    };
    let at = now().as_microsecond();
    stored.profile.part_mut(&ada()).state.milestones.insert(Milestone::Trial, Span { first: at, last: at });
    house.deps.views.store.save(&mut stored).await.unwrap();
    assert_eq!(get(&house, "/api/profiles/user%2F1").await["needs_rescore"], true);
}

#[tokio::test]
async fn what_is_not_there_is_said_clearly() {
    let house = house(Access::Open).await;
    for (method, path, status) in [
        ("GET", "/api/profiles/nobody", StatusCode::NOT_FOUND),
        ("GET", "/api/accounts/none", StatusCode::NOT_FOUND),
        ("GET", "/api/inbox/nobody", StatusCode::NOT_FOUND),
        ("GET", "/api/other", StatusCode::NOT_FOUND),
        ("GET", "/", StatusCode::NOT_FOUND),
        ("POST", "/api/status", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/api/inbox/a/b/read", StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/api/rejects?limit=0", StatusCode::BAD_REQUEST),
        ("GET", "/api/rejects?after=none", StatusCode::BAD_REQUEST),
        ("GET", "/api/profiles/%ff", StatusCode::BAD_REQUEST),
    ] {
        let (found, _, body) = call(&house, method, path).await;
        assert_eq!(found, status, "{method} {path}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[tokio::test]
async fn rejects_are_paged_from_the_newest() {
    let house = house(Access::Open).await;
    let source = SourceId::parse("web").unwrap();
    let reject = |n: i64| Reject {
        id: Reject::id_of(&source, &n.to_string()),
        source: source.clone(),
        code: "wrong_type".into(),
        reason: format!("number {n}"),
        path: "userId".into(),
        allowed: "text".into(),
        received_at: Timestamp::from_second(now().as_second() - n).unwrap(),
        event: "{}".into(),
    };
    house.deps.views.store.put_rejects(&(0..5).map(reject).collect::<Vec<_>>()).await.unwrap();
    let (mut path, mut seen) = ("/api/rejects?limit=2".to_owned(), Vec::new());
    loop {
        let page = get(&house, &path).await;
        seen.extend(
            page["rejects"].as_array().unwrap().iter().map(|reject| reject["reason"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/rejects?limit=2&after={next}");
    }
    assert_eq!(seen, ["number 0", "number 1", "number 2", "number 3", "number 4"]);
}

#[tokio::test]
async fn the_inbox_shows_a_message_until_it_is_dismissed_and_tells_what_was_done() {
    let house = house(Access::Open).await;
    let id = with_ada(&house).await;
    let inbox = get(&house, "/api/inbox/user%2F1").await;
    assert_eq!(
        (&inbox["unread"], &inbox["messages"][0]["title"], &inbox["messages"][0]["link"]),
        (&1.into(), &"Hi".into(), &"/start".into())
    );
    for (deed, name) in
        [("read", "In-App Message Read"), ("click", "In-App Message Clicked"), ("dismiss", "In-App Message Dismissed")]
    {
        for _ in 0..2 {
            assert_eq!(
                call(&house, "POST", &format!("/api/inbox/ada@example.com/{id}/{deed}")).await.0,
                StatusCode::OK
            );
        }
        let told = events(&house);
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].message_id, told[1].message_id, "a repetition counts once");
        assert_eq!((told[0].counted_as(), told[0].user_id.as_ref().unwrap().as_str()), (name, "user/1"));
    }
    assert_eq!(get(&house, "/api/inbox/user%2F1").await["messages"], serde_json::json!([]));
    let other = DecisionId::of(PersonId::derive(&[b"x"]), "j", 0, b"c");
    assert_eq!(call(&house, "POST", &format!("/api/inbox/user%2F1/{other}/read")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_status_has_the_stable_keys() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let status = get(&house, "/api/status").await;
    assert_eq!(status["events"], serde_json::json!({ "accepted": 5, "rejected": 0, "duplicates": 0 }));
    assert_eq!((&status["profiles"], &status["accounts"], &status["messages"]), (&1.into(), &0.into(), &1.into()));
    assert_eq!(status["messages_by"], serde_json::json!({ "in_app": { "sent": 1 } }));
    assert_eq!(status["queues"]["events"], serde_json::json!({ "depth": 0, "in_flight": 0, "delayed": 0, "dlq": 2 }));
    assert_eq!((&status["idle"], &status["now"], &status["config"]), (&true.into(), &NOW.into(), &"v1".into()));
}

#[tokio::test]
async fn totals_are_kept_while_busy_and_counted_afresh_when_work_has_settled() {
    let house = house(Access::Open).await;
    let busy = Depth { in_flight: 1, ..Depth::default() };
    *house.queues.0.lock().unwrap() = busy;
    assert_eq!(get(&house, "/api/status").await["profiles"], 0);
    with_ada(&house).await;
    let status = get(&house, "/api/status").await;
    assert_eq!((&status["idle"], &status["profiles"]), (&false.into(), &0.into()), "kept for its max age");
    *house.queues.0.lock().unwrap() = Depth::default();
    let status = get(&house, "/api/status").await;
    assert_eq!((&status["idle"], &status["profiles"]), (&true.into(), &1.into()));
}

#[tokio::test]
async fn only_a_key_reads_and_only_links_and_health_are_public() {
    let house = house(Access::Keys(vec![ApiKey { hash: KeyHash::of("right"), scope: Scope::Operate }])).await;
    with_ada(&house).await;
    let (status, headers, _) = call(&house, "GET", "/api/profiles/user%2F1").await;
    assert_eq!((status, headers["www-authenticate"].as_bytes()), (StatusCode::UNAUTHORIZED, b"Bearer".as_slice()));
    let request = http::Request::builder()
        .uri("/api/profiles/user%2F1")
        .header("authorization", "Bearer right")
        .body(Body::Empty)
        .unwrap();
    assert_eq!(handle(&house.deps, request).await.status(), StatusCode::OK);
    assert_eq!(call(&house, "GET", "/api/health").await.0, StatusCode::OK);
    assert_eq!(call(&house, "GET", &format!("/u/{}", crate::unsubscribe::tests::token(None))).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_token_reads_its_own_inbox_from_any_page_and_nothing_else() {
    const SECRET: &str = "a secret of at least thirty-two bytes";
    let mut house = house(Access::Keys(vec![ApiKey { hash: KeyHash::of("key"), scope: Scope::Operate }])).await;
    house.deps = house.deps.with_tokens(perennial_contracts::tokens::TokenSecrets::parse(SECRET).unwrap());
    let id = with_ada(&house).await;
    let expires = now().as_second() + 600;
    let signed = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes()),
        format!("perennial-inbox:{expires}:user/1").as_bytes(),
    );
    let token = format!("{expires}.{}", data_encoding::BASE64URL_NOPAD.encode(signed.as_ref()));
    let ask = async |method: &str, path: &str, bearer: Option<&str>| {
        let mut request = http::Request::builder().method(method).uri(path).header("origin", "https://shop.example");
        if let Some(bearer) = bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        let answer = handle(&house.deps, request.body(Body::Empty).unwrap()).await;
        let origin =
            answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
        (answer.status(), origin)
    };
    let any = Some("*".to_owned());
    assert_eq!(ask("OPTIONS", "/api/inbox/user%2F1", None).await, (StatusCode::NO_CONTENT, any.clone()));
    assert_eq!(ask("GET", "/api/inbox/user%2F1", Some(&token)).await, (StatusCode::OK, any.clone()));
    assert_eq!(
        ask("POST", &format!("/api/inbox/user%2F1/{id}/read"), Some(&token)).await,
        (StatusCode::OK, any.clone())
    );
    assert_eq!(ask("GET", "/api/inbox/user%2F1", Some("key")).await.0, StatusCode::OK);
    // A page can read that it was rejected, and then requests another token.
    assert_eq!(ask("GET", "/api/inbox/user%2F1", None).await, (StatusCode::UNAUTHORIZED, any));
    for path in ["/api/inbox/ada@example.com", "/api/profiles/user%2F1", "/api/status", "/api/segments"] {
        assert_eq!(ask("GET", path, Some(&token)).await.0, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(ask("GET", "/api/profiles/user%2F1", Some("key")).await, (StatusCode::OK, None));
    assert_eq!(ask("GET", "/inbox.js", None).await, (StatusCode::OK, Some("*".to_owned())));
}

#[tokio::test]
async fn key_that_may_only_read_changes_nothing() {
    let keys = [("looks", Scope::Read), ("does", Scope::Operate)];
    let keys = keys.map(|(key, scope)| ApiKey { hash: KeyHash::of(key), scope });
    let house = house(Access::Keys(keys.to_vec())).await;
    let id = with_ada(&house).await;
    let ask = async |key: &str, method: &str, path: &str, body: &str| {
        let request =
            http::Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        handle(&house.deps, request.body(Body::Text(body.to_owned())).unwrap()).await.status()
    };
    for path in ["/api/profiles/user%2F1", "/api/status", "/api/inbox/user%2F1"] {
        assert_eq!(ask("looks", "GET", path, "").await, StatusCode::OK, "{path}");
    }
    let operations = [
        ("/api/people/user%2F1/unmerge".to_owned(), r#"{"identity":"anon-1","by":"eve","why":"two people"}"#),
        (format!("/api/inbox/user%2F1/{id}/read"), ""),
    ];
    for (path, body) in &operations {
        assert_eq!(ask("looks", "POST", path, body).await, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(ask("looks", "POST", "/api/journeys/welcome/resume", "").await, StatusCode::FORBIDDEN);
    assert!(house.events.drain().is_empty(), "nothing was asked for");
    for (path, body) in &operations {
        assert_eq!(ask("does", "POST", path, body).await, StatusCode::OK, "{path}");
    }
}
