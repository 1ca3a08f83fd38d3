//! Webhooks, through the mappings of the default `sources.toml`.

use super::*;
use data_encoding::HEXLOWER;
use ring::hmac;

fn mac(parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), &parts.concat()).as_ref().to_vec()
}

fn seconds() -> String {
    NOW.parse::<jiff::Timestamp>().unwrap().as_second().to_string()
}

fn stripe_signature(body: &[u8]) -> String {
    format!("t={},v1={}", seconds(), HEXLOWER.encode(&mac(&[seconds().as_bytes(), b".", body])))
}

async fn stripe(fixture: &Fixture, body: &Value) -> Answered {
    let body = body.to_string();
    fixture
        .send("POST", "/hooks/stripe", &[("stripe-signature", &stripe_signature(body.as_bytes()))], body.as_bytes())
        .await
}

fn stripe_event(kind: &str, object: &Value, previous: &Value) -> Value {
    json!({"id":"evt_1","object":"event","created":1_795_294_000,"type":kind,"data":{"object":object,"previous_attributes":previous}})
}

fn subscription(status: &str) -> Value {
    json!({"id":"sub_1","object":"subscription","customer":"cus_1","status":status,"currency":"eur",
        "metadata":{"user_id":"u-1","account_id":"acct-9"},"trial_end":1_796_000_000,"cancel_at_period_end":false,
        "cancellation_details":{"reason":null,"feedback":"too_expensive"},
        "items":{"data":[{"quantity":3,"price":{"id":"price_1","lookup_key":null,"unit_amount":1990}}]}})
}

#[tokio::test]
async fn stripe_subscriptions_become_the_products_events() {
    let (nothing, trial, seats) = (json!({}), json!({"status":"trialing"}), json!({"quantity":2}));
    let cases = [
        ("created", "trialing", &nothing, vec!["Trial Started"]),
        ("created", "active", &nothing, vec!["Subscription Started"]),
        ("created", "incomplete", &nothing, vec![]),
        ("updated", "active", &trial, vec!["Subscription Started"]),
        ("updated", "active", &seats, vec!["Subscription Updated"]),
        ("deleted", "canceled", &nothing, vec!["Subscription Cancelled"]),
        ("trial_will_end", "trialing", &nothing, vec!["Trial Ending"]),
        ("paused", "paused", &nothing, vec![]),
    ];
    for (kind, status, previous, expected) in cases {
        let fixture = Fixture::new();
        let event = stripe_event(&format!("customer.subscription.{kind}"), &subscription(status), previous);
        let answer = stripe(&fixture, &event).await;
        assert_eq!((answer.status, &answer.body["rejected"]), (200, &json!(0)), "{kind}");
        let events = fixture.events();
        assert_eq!(events.iter().map(Event::counted_as).collect::<Vec<_>>(), expected, "{kind} {status}");
        for event in events {
            assert_eq!((event.user_id.unwrap().as_str(), event.group_id.unwrap().as_str()), ("u-1", "acct-9"));
            assert_eq!((event.source.as_str(), event.timestamp.as_second()), ("stripe", 1_795_294_000));
        }
    }
}

#[tokio::test]
async fn amounts_in_minor_units_become_the_currencys_own() {
    let fixture = Fixture::new();
    let invoice = json!({"id":"in_1","customer":"cus_1","amount_paid":1990,"currency":"eur","billing_reason":"subscription_cycle",
        "parent":{"subscription_details":{"metadata":{"user_id":"u-1"},"subscription":"sub_1"}}});
    assert_eq!(stripe(&fixture, &stripe_event("invoice.paid", &invoice, &json!({}))).await.body["accepted"], 2);
    let events = fixture.events();
    let renewed = events.iter().find(|event| event.counted_as() == "Subscription Renewed").unwrap();
    assert_eq!(
        (renewed.properties["revenue"].to_string(), &renewed.properties["subscription"]),
        ("19.9".to_owned(), &json!("sub_1"))
    );
    assert_ne!(events[0].message_id, events[1].message_id, "two events of one delivery are two");
    assert!(events.iter().all(|event| event.message_id.as_str().starts_with("evt_1:")));
}

#[tokio::test]
async fn a_payment_that_failed_and_a_purchase_are_known() {
    let fixture = Fixture::new();
    let invoice =
        json!({"id":"in_1","customer":"cus_1","amount_due":1200,"currency":"jpy","attempt_count":2,"metadata":{}});
    stripe(&fixture, &stripe_event("invoice.payment_failed", &invoice, &json!({}))).await;
    let session = json!({"id":"cs_1","mode":"payment","payment_status":"paid","client_reference_id":"u-2","amount_total":550,"currency":"usd",
        "customer":null,"customer_details":{"email":" ada@EXAMPLE.com"}});
    stripe(&fixture, &stripe_event("checkout.session.completed", &session, &json!({}))).await;
    let events = fixture.events();
    let person = |i: usize| events[i].user_id.as_ref().unwrap().as_str();
    assert_eq!(
        (events[0].counted_as(), person(0), &events[0].properties["amount"]),
        ("Payment Failed", "cus_1", &json!(1200))
    );
    assert_eq!(
        (events[1].counted_as(), person(1), &events[1].properties["revenue"]),
        ("Order Completed", "u-2", &json!(5.5))
    );
    assert_eq!((events[2].counted_as(), &events[2].traits["email"]), ("$identify", &json!("ada@example.com")));
    assert_eq!(events[2].context["hygiene"][0]["change"], "domain in lower case", "webhooks are standardised too");
}

#[tokio::test]
async fn a_payload_without_its_person_is_rejected_with_the_reason() {
    let fixture = Fixture::new();
    let invoice = json!({"id":"in_1","customer":null,"amount_due":1200,"currency":"jpy"});
    let answer = stripe(&fixture, &stripe_event("invoice.payment_failed", &invoice, &json!({}))).await;
    assert_eq!((answer.status, &answer.body["rejected"]), (200, &json!(1)));
    assert_eq!((fixture.rejected()[0].code.as_str(), fixture.rejected()[0].source.as_str()), ("no_identity", "stripe"));
}

#[tokio::test]
async fn a_signature_is_over_the_raw_bytes_and_good_for_five_minutes() {
    let fixture = Fixture::new();
    let body = b"{ \"type\" : \"plan.created\" }";
    let header = stripe_signature(body);
    let headers = [("stripe-signature", &*header)];
    assert_eq!(fixture.send("POST", "/hooks/stripe", &headers, body).await.status, 200);
    let answer = fixture.send("POST", "/hooks/stripe", &headers, b"{\"type\":\"plan.created\"}").await;
    assert_eq!((answer.status, answer.code()), (401, "wrong_signature"));
    let late = Fixture::at("2026-11-21T22:05:01Z");
    assert_eq!(late.send("POST", "/hooks/stripe", &headers, body).await.code(), "signature_too_old");
}

#[tokio::test]
async fn hooks_that_are_not_there_or_not_set_up_say_so() {
    let fixture = Fixture::new();
    assert_eq!(fixture.send("POST", "/hooks/nobody", &[], b"{}").await.status, 404);
    assert_eq!(fixture.send("POST", "/hooks/web", &[], b"{}").await.status, 404, "a source with write keys only");
    let answer = fixture.send("POST", "/hooks/zendesk", &[], b"{}").await;
    assert_eq!((answer.status, answer.code()), (503, "hook_not_configured"), "no secret, no trust");
    assert_eq!(fixture.send("POST", "/hooks/stripe", &[], b"{}").await.code(), "missing_header");
}

#[tokio::test]
async fn standard_webhooks_become_events() {
    let fixture = Fixture::new();
    let body =
        json!({"type":"survey.answered","timestamp":"2026-11-21T21:00:00Z","data":{"userId":42,"nps":9}}).to_string();
    let key =
        hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(SECRET.trim_start_matches("whsec_").as_bytes()).unwrap());
    let signature = BASE64.encode(hmac::sign(&key, format!("msg_1.{}.{body}", seconds()).as_bytes()).as_ref());
    for [id, timestamp, signed] in
        [["webhook-id", "webhook-timestamp", "webhook-signature"], ["svix-id", "svix-timestamp", "svix-signature"]]
    {
        let headers = [(id, "msg_1"), (timestamp, &*seconds()), (signed, &*format!("v1,{signature}"))];
        assert_eq!(fixture.send("POST", "/hooks/app", &headers, body.as_bytes()).await.body["accepted"], 1, "{id}");
    }
    let events = fixture.events();
    assert_eq!(
        (events[0].user_id.as_ref().unwrap().as_str(), events[0].properties.values().next()),
        ("42", Some(&json!(9)))
    );
    assert_eq!(events[0].message_id, events[1].message_id, "a delivery that is repeated has its id");
}

#[tokio::test]
async fn github_and_hubspot_become_events() {
    let fixture = Fixture::new();
    let body = json!({"action":"created","starred_at":"2026-11-21T21:00:00Z","sender":{"login":"ada"},"repository":{"full_name":"a/b"}}).to_string();
    let signature = format!("sha256={}", HEXLOWER.encode(&mac(&[body.as_bytes()])));
    let headers = [("x-hub-signature-256", &*signature), ("x-github-event", "star"), ("x-github-delivery", "d-1")];
    assert_eq!(fixture.send("POST", "/hooks/github", &headers, body.as_bytes()).await.body["accepted"], 1);

    let change = |id: u64| {
        json!({"eventId":id,"subscriptionType":"contact.propertyChange","objectId":7,"propertyName":"plan","propertyValue":"pro",
            "occurredAt":1_795_294_000_123_u64})
    };
    let body = json!([change(1), change(2)]).to_string();
    let millis = format!("{}000", seconds());
    let signature =
        BASE64.encode(&mac(&[b"POST", b"https://hooks.example.com/hooks/hubspot", body.as_bytes(), millis.as_bytes()]));
    let headers = [
        ("host", "hooks.example.com"),
        ("x-hubspot-signature-v3", &*signature),
        ("x-hubspot-request-timestamp", &*millis),
    ];
    assert_eq!(fixture.send("POST", "/hooks/hubspot", &headers, body.as_bytes()).await.body["accepted"], 2);
    let events = fixture.events();
    assert_eq!((events[0].counted_as(), events[1].counted_as()), ("Repository Starred", "Contact Property Changed"));
    assert_ne!(events[1].message_id, events[2].message_id);
}

/// The samples follow the shapes that the providers document.
#[tokio::test]
async fn the_sample_payloads_of_stripe_become_events() {
    let mut names = Vec::new();
    for file in std::fs::read_dir(repository("events/ingest/webhooks/stripe")).unwrap() {
        let path = file.unwrap().path();
        let body: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let fixture = Fixture::new();
        let answer = stripe(&fixture, &body).await;
        assert_eq!((answer.status, &answer.body["rejected"]), (200, &json!(0)), "{}", path.display());
        names.extend(fixture.events().iter().map(|event| event.counted_as().to_owned()));
    }
    names.sort();
    let expected = [
        "$identify",
        "Invoice Paid",
        "Order Completed",
        "Payment Failed",
        "Subscription Cancelled",
        "Subscription Renewed",
        "Subscription Started",
        "Subscription Updated",
        "Trial Ending",
        "Trial Started",
    ];
    assert_eq!(names, expected);
}
