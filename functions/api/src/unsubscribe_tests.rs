#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::access::Access;
use crate::handler::handle;
use crate::handler::tests::{call, events};
use crate::page;
use crate::test_support::{House, ada, house, keys, with_ada};
use http::StatusCode;
use lambda_http::Body;
use perennial_channels::unsubscribe::{Keys, Unsubscribe, address_hash};
use perennial_config::Config;
use perennial_config::topics::Topic;
use perennial_domain::{Event, Identity, UserId};
use perennial_engine::register::Register;
use perennial_store::preferences::Preferences;
use perennial_store::suppressions::{Reason, Suppression};
use perennial_store::{ConfigHandle, Consistency};

const ADDRESS: &str = "ada@example.com";
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

fn link(topic: Option<&str>) -> Unsubscribe {
    Unsubscribe { person: ada().person_id(), address: address_hash(ADDRESS), topic: topic.map(str::to_owned) }
}

pub(crate) fn token(topic: Option<&str>) -> String {
    keys().sign(&link(topic))
}

fn topic(id: &str, description: &str, essential: bool) -> Topic {
    let title = format!("{id} <&>");
    Topic { id: id.to_owned(), title, description: description.to_owned(), default: id != "news", essential }
}

async fn with_topics() -> House {
    let mut house = house(Access::Open).await;
    let mut config = Config::clone(&*house.deps.views.config.current().await);
    config.channels.topics = vec![topic("tips", "", false), topic("news", "", false), topic("billing", "", true)];
    house.deps.views.config = ConfigHandle::fixed(config);
    with_ada(&house).await;
    house
}

async fn post(house: &House, token: &str, body: &str) -> String {
    let path = format!("/u/{token}");
    let request = http::Request::builder().method("POST").uri(path).body(Body::Text(body.to_owned())).unwrap();
    let (parts, body) = handle(&house.deps, request).await.into_parts();
    assert_eq!(parts.status, StatusCode::OK);
    let Body::Text(html) = body else { panic!("no text") };
    html
}

async fn known(house: &House) -> Preferences {
    house.deps.views.store.preferences(&address_hash(ADDRESS)).await.unwrap()
}

/// Returns whether mails about `topic` would be sent.
async fn goes(house: &House, topic: Option<&str>) -> bool {
    let config = house.deps.views.config.current().await;
    let topic = topic.map(|topic| config.channels.topic(topic).unwrap());
    known(house).await.withholds(topic, house.deps.views.clock.now()).is_none()
}

/// Returns the events' names and topics.
fn told(events: &[Event]) -> Vec<(&str, Option<&str>)> {
    events.iter().map(|event| (event.counted_as(), event.properties.get("topic").and_then(|it| it.as_str()))).collect()
}

#[tokio::test]
async fn looking_at_the_page_changes_nothing_whoever_looks() {
    for house in [with_topics().await, house(Access::Open).await] {
        for token in [token(None), token(Some("tips"))] {
            for method in ["GET", "HEAD"] {
                for (header, value) in [("accept", "*/*"), ("sec-purpose", "prefetch"), ("purpose", "preview")] {
                    let request = http::Request::builder().method(method).uri(format!("/u/{token}?do=stop-all"));
                    let request = request.header(header, value).body(Body::Text(ONE_CLICK.to_owned())).unwrap();
                    let (parts, body) = handle(&house.deps, request).await.into_parts();
                    assert_eq!(parts.status, StatusCode::OK);
                    let Body::Text(html) = body else { panic!("no text") };
                    assert!(
                        html.contains("<form method=\"post\">") && !html.contains("ada@") && !html.contains("<script")
                    );
                    for header in
                        ["content-security-policy", "x-content-type-options", "referrer-policy", "cache-control"]
                    {
                        assert!(parts.headers.contains_key(header), "{header}");
                    }
                }
            }
        }
        assert_eq!(known(&house).await, Preferences::default());
        assert!(events(&house).is_empty());
    }
}

#[tokio::test]
async fn other_methods_are_refused_and_change_nothing() {
    let house = with_topics().await;
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH"] {
        let (status, headers, _) = call(&house, method, &format!("/u/{}", token(None))).await;
        assert_eq!((status, headers["allow"].as_bytes()), (StatusCode::METHOD_NOT_ALLOWED, b"GET, POST".as_slice()));
    }
    assert_eq!(known(&house).await, Preferences::default());
}

#[tokio::test]
async fn one_click_stops_all_mails_in_whatever_encoding_and_again_changes_nothing() {
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for body in [ONE_CLICK, multipart, "", "do=anything"] {
        let house = house(Access::Open).await;
        with_ada(&house).await;
        for _ in 0..2 {
            assert!(post(&house, &token(None), body).await.contains("You get no mails from us"));
        }
        assert!(!goes(&house, None).await, "{body}");
        let events = events(&house);
        assert_eq!(told(&events), [("Unsubscribed", None); 2]);
        assert_eq!(events[0].message_id, events[1].message_id, "a repetition counts once");
    }
}

#[tokio::test]
async fn one_click_in_a_mail_about_a_topic_stops_that_topic_alone() {
    let house = with_topics().await;
    for _ in 0..2 {
        post(&house, &token(Some("tips")), ONE_CLICK).await;
    }
    assert!(!goes(&house, Some("tips")).await);
    assert!(goes(&house, None).await && goes(&house, Some("billing")).await);
    let events = events(&house);
    assert_eq!(told(&events), [("Unsubscribed", Some("tips")); 2]);
    assert_eq!(events[0].message_id, events[1].message_id, "a repetition counts once");
}

#[tokio::test]
async fn one_click_where_the_topic_cannot_be_stopped_alone_stops_all_that_can() {
    for topic in ["billing", "of-last-year"] {
        let house = with_topics().await;
        post(&house, &token(Some(topic)), ONE_CLICK).await;
        assert!(!goes(&house, None).await && !goes(&house, Some("tips")).await, "{topic}");
        assert!(goes(&house, Some("billing")).await);
    }
}

#[tokio::test]
async fn what_is_ticked_is_what_comes_and_what_the_page_did_not_show_stays() {
    let house = with_topics().await;
    let html = post(&house, &token(None), "shown=tips&shown=news&topic=news&do=choose").await;
    assert!(
        html.contains("Saved.") && html.contains("value=\"news\" checked") && !html.contains("value=\"tips\" checked")
    );
    assert!(goes(&house, Some("news")).await && !goes(&house, Some("tips")).await);
    assert_eq!(told(&events(&house)), [("Unsubscribed", Some("tips")), ("Subscribed", Some("news"))]);
    post(&house, &token(None), "shown=tips&topic=tips&do=choose").await;
    assert!(goes(&house, Some("news")).await && goes(&house, Some("tips")).await);
    // Neither an essential nor an unknown topic is stored.
    post(&house, &token(None), "shown=billing&shown=nonsense&do=choose").await;
    assert_eq!(known(&house).await.topics.keys().collect::<Vec<_>>(), ["news", "tips"]);
    assert!(goes(&house, Some("billing")).await);
}

#[tokio::test]
async fn who_stopped_all_mails_may_come_back_with_a_topic_or_where_there_are_none_with_all() {
    let house = with_topics().await;
    let html = post(&house, &token(Some("tips")), "do=stop-all").await;
    assert!(html.contains("You get no mails from us") && !html.contains(" checked"));
    assert!(!goes(&house, None).await);
    post(&house, &token(None), "shown=tips&shown=news&do=choose").await;
    assert!(!goes(&house, None).await, "nothing was ticked");
    events(&house);
    post(&house, &token(None), "shown=tips&shown=news&topic=tips&do=choose").await;
    assert!(goes(&house, None).await && goes(&house, Some("tips")).await && !goes(&house, Some("news")).await);
    assert_eq!(told(&events(&house)), [("Subscribed", None), ("Subscribed", Some("tips"))]);

    let without = crate::test_support::house(Access::Open).await;
    with_ada(&without).await;
    assert!(post(&without, &token(None), "do=stop-all").await.contains("Get mails again"));
    post(&without, &token(None), "do=resume").await;
    assert!(goes(&without, None).await);
    // Unsubscribing again is another event.
    post(&without, &token(None), ONE_CLICK).await;
    assert!(!goes(&without, None).await);
}

#[tokio::test]
async fn a_bounce_or_a_complaint_is_not_for_the_page_to_lift() {
    for reason in [Reason::Bounce, Reason::Complaint] {
        let house = with_topics().await;
        house.deps.views.store.suppress(ADDRESS, reason, house.deps.views.clock.now()).await.unwrap();
        for body in ["do=resume", "shown=tips&topic=tips&do=choose", ONE_CLICK] {
            let html = post(&house, &token(None), body).await;
            assert!(html.contains("We send no mails to this address") && !html.contains("<form"));
            assert_eq!(known(&house).await.suppression.map(|it| it.reason), Some(reason), "{body}");
            assert!(!goes(&house, Some("billing")).await);
        }
    }
}

#[tokio::test]
async fn a_forged_a_changed_or_a_withdrawn_link_shows_and_changes_nothing() {
    let house = with_topics().await;
    let mut changed = token(None);
    changed.replace_range(5..6, if &changed[5..6] == "A" { "B" } else { "A" });
    let withdrawn = Keys::new(["a key that was taken out of service."]).unwrap().sign(&link(None));
    for wrong in [changed.as_str(), &withdrawn, "x", &token(None)[..40]] {
        for method in ["GET", "POST"] {
            let (status, _, html) = call(&house, method, &format!("/u/{wrong}")).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert!(html.contains("This link does not work") && !html.contains("tips"));
        }
    }
    assert_eq!(known(&house).await, Preferences::default());
}

#[tokio::test]
async fn who_unsubscribes_is_told_so_even_if_the_event_is_not_taken() {
    let house = house(Access::Open).await;
    with_ada(&house).await;
    house.events.refuse_next(1);
    post(&house, &token(None), ONE_CLICK).await;
    assert!(!goes(&house, None).await);
}

#[test]
fn the_pages() {
    let topics = [topic("tips", "One \"habit\" a month", false), topic("news", "", false), topic("billing", "", true)];
    let stopped = |reason| Preferences {
        suppression: Some(Suppression { reason, since: crate::test_support::now() }),
        ..Preferences::default()
    };
    let nothing = Preferences::default();
    insta::assert_snapshot!(
        [
            page::preferences(&topics, &nothing, Some(&topics[0]), false),
            page::preferences(&topics, &stopped(Reason::Unsubscribe), None, true),
            page::preferences(&[], &nothing, None, false),
            page::preferences(&[], &stopped(Reason::Unsubscribe), None, true),
            page::preferences(&topics, &stopped(Reason::Bounce), None, false),
            page::invalid(),
            page::failed(),
        ]
        .map(|html| html.split_once("<body>").unwrap().1.to_owned())
        .join("\n")
    );
}

/// Returns the preferences of Ada herself, whatever her address is.
async fn wishes(house: &House) -> Preferences {
    house.deps.views.store.wishes(ada().person_id()).await.unwrap()
}

#[tokio::test]
async fn what_is_chosen_is_kept_for_the_person_as_well_as_for_the_address() {
    let house = with_topics().await;
    post(&house, &token(Some("tips")), ONE_CLICK).await;
    assert!(!wishes(&house).await.topics["tips"].wants && wishes(&house).await.suppression.is_none());
    post(&house, &token(None), "do=stop-all").await;
    assert_eq!(wishes(&house).await.suppression.map(|it| it.reason), Some(Reason::Unsubscribe));
    // A link that was sent to another address of hers shows it, and takes it back.
    let other = keys().sign(&Unsubscribe { address: address_hash("ada@new.example"), ..link(None) });
    let request = http::Request::builder().uri(format!("/u/{other}")).body(Body::Empty).unwrap();
    let Body::Text(html) = handle(&house.deps, request).await.into_body() else { panic!("no text") };
    assert!(html.contains("You get no mails from us"));
    post(&house, &other, "do=resume").await;
    assert_eq!(wishes(&house).await.suppression, None);
    assert!(!goes(&house, None).await, "the first address keeps what was said of it");
}

#[tokio::test]
async fn stop_is_kept_for_every_identity_that_has_the_address_and_for_no_other() {
    let house = with_topics().await;
    let mut stored = house.deps.views.store.follow(ada().person_id(), Consistency::Strong).await.unwrap().unwrap();
    let identities = ["same", "other"].map(|id| Identity::User(UserId::parse(id).unwrap()));
    for (identity, address) in identities.iter().zip(["\"Ada@Example.com\"", "\"bob@example.com\""]) {
        let at = crate::test_support::now().as_microsecond();
        let register = Register { at, value: address.to_owned() };
        stored.profile.part_mut(identity).state.traits.insert("email".into(), register);
    }
    house.deps.views.store.save(&mut stored).await.unwrap();
    post(&house, &token(None), ONE_CLICK).await;
    let stopped = async |identity: &Identity| {
        house.deps.views.store.wishes(identity.person_id()).await.unwrap().suppression.is_some()
    };
    assert!(stopped(&ada()).await && stopped(&identities[0]).await);
    assert!(!stopped(&identities[1]).await, "unmerged, they are somebody else");
}

#[tokio::test]
async fn link_to_an_erased_person_stops_the_address_and_leaves_nothing_of_the_person() {
    let house = house(Access::Open).await;
    post(&house, &token(None), ONE_CLICK).await;
    assert!(!goes(&house, None).await);
    assert_eq!(wishes(&house).await, Preferences::default());
}
