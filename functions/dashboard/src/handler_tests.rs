#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::answer::POLICY;
use crate::test_support::{add, deps, now, open};
use http::{StatusCode, header};
use perennial_contracts::queue::EventsPayload;
use perennial_lambda_kit::calls::Calls;

/// Every page, with one id of each kind.
const PAGES: [&str; 18] = [
    "/",
    "/people",
    "/people?segment=keen&score=purchase&min=1&sort=highest",
    "/people?search=person",
    "/people/u1",
    "/people/u1/why-not?journey=course",
    "/accounts",
    "/accounts?touch=none",
    "/accounts/acme",
    "/journeys",
    "/journeys/course",
    "/segments",
    "/experiments",
    "/reports",
    "/reports/activity",
    "/operations",
    "/audit",
    "/nothing",
];

async fn call(
    deps: &Deps,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, Response<Body>) {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = handle(deps, request.body(Body::Text(body.to_owned())).unwrap()).await;
    (answer.status(), answer)
}

async fn get(deps: &Deps, path: &str) -> (StatusCode, String) {
    let (status, answer) = call(deps, "GET", path, &[], "").await;
    let Body::Text(text) = answer.into_body() else { panic!("{path}: no text") };
    (status, text)
}

#[tokio::test]
async fn every_page_has_the_strict_policy_and_no_inline_style_or_script() {
    let house = open(&Calls::default()).await;
    for n in 0..3 {
        add(&house, n).await;
    }
    for path in PAGES {
        let (_, answer) = call(&house.deps, "GET", path, &[], "").await;
        assert_eq!(answer.headers()[header::CONTENT_SECURITY_POLICY], POLICY, "{path}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store", "{path}");
        let Body::Text(html) = answer.into_body() else { panic!("{path}: no text") };
        for inline in ["<style", " style=", " onclick=", " onload=", "<script>", "javascript:"] {
            assert!(!html.contains(inline), "{path} contains {inline}");
        }
        assert_eq!(html.matches("<h1>").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn pages_answer_with_the_status_that_fits() {
    let house = open(&Calls::default()).await;
    add(&house, 1).await;
    for (path, status) in [
        ("/", 200),
        ("/people/u1", 200),
        ("/people/nobody", 404),
        ("/people?stage=nothing", 400),
        ("/people?cursor=x", 400),
        ("/accounts/none", 404),
        ("/journeys/course", 200),
        ("/journeys/none", 404),
        ("/reports/activity", 404),
        ("/reports/none", 404),
        ("/people/u1/why-not?journey=none", 404),
        ("/people/u1/why-not", 400),
        ("/people/%ff", 400),
        ("/nothing", 404),
        ("/assets/dashboard.css", 200),
        ("/assets/none", 404),
    ] {
        let (found, html) = get(&house.deps, path).await;
        assert_eq!(found.as_u16(), status, "{path}: {html}");
    }
    let (status, _) = call(&house.deps, "PUT", "/people", &[], "").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn without_sign_in_every_path_is_the_same_refusal_and_nothing_is_read() {
    let calls = Calls::default();
    let house = deps(&calls, Access::Refused).await;
    calls.take();
    let (_, first) = get(&house.deps, "/").await;
    assert!(first.contains("Sign-in is not set up"), "{first}");
    for path in PAGES {
        for method in ["GET", "POST"] {
            let (status, answer) =
                call(&house.deps, method, path, &[("sec-fetch-site", "same-origin")], "token=x").await;
            let Body::Text(html) = answer.into_body() else { panic!("no text") };
            assert_eq!((status, &html), (StatusCode::FORBIDDEN, &first), "{method} {path}");
        }
    }
    assert_eq!(calls.take(), Vec::<String>::new());
    assert!(house.events.drain().is_empty());
}

/// Of deployed dashboards: figures come from the sweep, lists from an index.
#[tokio::test]
async fn no_page_scans_and_none_costs_more_because_there_are_more_profiles() {
    let calls = Calls::default();
    let house = open(&calls).await;
    for n in 0..8 {
        add(&house, n).await;
    }
    let mut few = Vec::new();
    calls.take();
    for path in PAGES {
        get(&house.deps, path).await;
        few.push(calls.take());
    }
    for n in 8..60 {
        add(&house, n).await;
    }
    calls.take();
    for (path, few) in PAGES.iter().zip(few) {
        get(&house.deps, path).await;
        let many = calls.take();
        assert!(!many.iter().any(|call| call == "Scan"), "{path}: {many:?}");
        assert_eq!(few.len(), many.len(), "{path}: {few:?}, then {many:?}");
    }
}

#[tokio::test]
async fn unmerge_of_a_page_is_queued_as_the_api_queues_it() {
    let house = open(&Calls::default()).await;
    add(&house, 1).await;
    let (_, html) = get(&house.deps, "/people/u1").await;
    let token = html.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let same = [("sec-fetch-site", "same-origin")];
    let fields = "identity=anonymous%3Adesk-1&by=eve&why=a+shared+desk";
    let (status, answer) =
        call(&house.deps, "POST", "/people/u1/unmerge", &same, &format!("{fields}&token={token}")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(answer.headers()[header::LOCATION].to_str().unwrap().ends_with("?done=unmerge"));
    let bodies = house.events.drain();
    let Ok(EventsPayload::Unmerge(unmerge)) = serde_json::from_str(&bodies[0].0) else { panic!("{bodies:?}") };
    assert_eq!((unmerge.identity.to_string().as_str(), unmerge.by.as_str()), ("anonymous:desk-1", "eve"));
    assert_eq!(unmerge.why, "a shared desk");
    for (headers, body) in [
        (&same[..], fields.to_owned()),
        (&[("sec-fetch-site", "cross-site")][..], format!("{fields}&token={token}")),
        (&[][..], format!("{fields}&token={token}")),
    ] {
        let (status, _) = call(&house.deps, "POST", "/people/u1/unmerge", headers, &body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{headers:?} {body}");
    }
    let (status, _) = call(
        &house.deps,
        "POST",
        "/people/u1/unmerge",
        &same,
        &format!("identity=anonymous%3Adesk-1&by=&why=&token={token}"),
    )
    .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "an unmerge needs a name and a reason");
    assert!(house.events.drain().is_empty());
}

/// On loopback nobody signs in, and everyone can read the table: only what was changed is noted.
#[tokio::test]
async fn act_on_loopback_is_noted_with_how_it_was_before_and_after() {
    let house = open(&Calls::default()).await;
    add(&house, 1).await;
    let (_, html) = get(&house.deps, "/people/u1").await;
    let token = html.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let form = format!("identity=anonymous%3Adesk-1&by=eve&why=shared&token={token}");
    let same = [("sec-fetch-site", "same-origin")];
    call(&house.deps, "POST", "/people/u1/unmerge", &same, &form).await;
    let day = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let log = house.deps.views.store.audit(day, 10, None).await.unwrap().entries;
    let [entry] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!((entry.actor.subject.as_str(), entry.what.as_str()), ("local", "unmerge"));
    assert_eq!(entry.before.as_deref(), Some("2 identities"));
    assert!(entry.after.as_deref().unwrap().starts_with("queued: the identity of "), "{entry:?}");
    assert_eq!(entry.people.len(), 2);
    assert!(!format!("{entry:?}").contains("desk-1"), "identities may be mail addresses: {entry:?}");
    let (status, html) = get(&house.deps, "/audit").await;
    assert!(status == StatusCode::OK && html.contains("2 identities"), "{html}");
}

#[tokio::test]
async fn lists_are_files_too_and_their_cells_harmless() {
    let house = open(&Calls::default()).await;
    add(&house, 1).await;
    let (_, answer) = call(&house.deps, "GET", "/people?format=csv", &[], "").await;
    assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"people.csv\"");
    let Body::Text(csv) = answer.into_body() else { panic!("no text") };
    assert!(csv.contains("\"'=Person 1\""), "{csv}");
}
