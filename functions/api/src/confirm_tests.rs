#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::access::Access;
use crate::handler::handle;
use crate::handler::tests::{call, events};
use crate::test_support::{House, ada, house, keys, with_ada};
use http::StatusCode;
use lambda_http::Body;
use perennial_channels::unsubscribe::{CONFIRM, Unsubscribe, address_hash};

const ADDRESS: &str = "ada@example.com";

fn token() -> String {
    keys().sign(&Unsubscribe {
        person: ada().person_id(),
        address: address_hash(ADDRESS),
        topic: Some(CONFIRM.to_owned()),
    })
}

async fn post(house: &House, body: &str) -> StatusCode {
    let request = http::Request::builder().method("POST").uri(format!("/u/{}", token()));
    let request = request.body(Body::Text(body.to_owned())).unwrap();
    handle(&house.deps, request).await.status()
}

async fn said(house: &House) -> Option<bool> {
    let known = house.deps.views.store.wishes(ada().person_id()).await.unwrap();
    known.confirmation(&address_hash(ADDRESS)).map(|choice| choice.wants)
}

/// Mail scanners follow links, and mail programs send one-click requests: neither is the reader's yes.
#[tokio::test]
async fn only_the_button_of_the_page_confirms_an_address() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let (status, _, html) = call(&house, "GET", &format!("/u/{}", token())).await;
    assert_eq!(status, StatusCode::OK);
    assert!(html.contains("value=\"confirm\"") && html.contains("value=\"refuse\""), "{html}");
    assert_eq!(said(&house).await, None);
    assert_eq!(post(&house, "List-Unsubscribe=One-Click").await, StatusCode::OK);
    assert_eq!(said(&house).await, Some(false));
    assert_eq!(post(&house, "do=confirm").await, StatusCode::OK);
    assert_eq!(said(&house).await, Some(true));
    let names: Vec<String> = events(&house).iter().map(|event| event.counted_as().to_owned()).collect();
    assert_eq!(names, ["Unsubscribed", "Subscribed"]);
    assert_eq!(post(&house, "do=confirm").await, StatusCode::OK);
    assert!(events(&house).is_empty(), "nothing has changed");
}

#[tokio::test]
async fn confirmation_of_who_is_gone_writes_nothing() {
    let house = house(Access::Open).await;
    assert_eq!(post(&house, "do=confirm").await, StatusCode::NOT_FOUND);
    assert_eq!(said(&house).await, None);
}

#[tokio::test]
async fn unsubscribe_link_confirms_no_address() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    let token = keys().sign(&Unsubscribe { person: ada().person_id(), address: address_hash(ADDRESS), topic: None });
    let request = http::Request::builder().method("POST").uri(format!("/u/{token}"));
    handle(&house.deps, request.body(Body::Text("do=confirm".to_owned())).unwrap()).await;
    assert_eq!(said(&house).await, None);
}
