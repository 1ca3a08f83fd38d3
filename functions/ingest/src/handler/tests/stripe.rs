//! Stripe's webhooks, through the mappings of the default `sources.toml`.

use super::webhooks::{mac, seconds};
use super::*;
use data_encoding::HEXLOWER;
use perennial_domain::Properties;

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
    let past_due = json!({"status":"past_due"});
    let cases = [
        ("created", "trialing", &nothing, vec!["Trial Started"]),
        ("created", "active", &nothing, vec!["Subscription Started"]),
        ("created", "incomplete", &nothing, vec!["Subscription Updated"]),
        ("updated", "past_due", &trial, vec!["Subscription Updated"]),
        ("updated", "paused", &trial, vec!["Subscription Updated"]),
        ("updated", "unpaid", &past_due, vec!["Subscription Updated"]),
        ("updated", "active", &past_due, vec!["Subscription Updated"]),
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
async fn who_is_known_by_an_id_of_another_system_alone_is_said_to_be() {
    let mut own = subscription("active");
    for (metadata, who) in [
        (json!({"user_id": "u-1"}), "user:u-1"),
        (json!({}), "external:stripe_customer_id:cus_1"),
        (json!({"user_id": "undefined"}), "external:stripe_customer_id:cus_1"),
    ] {
        own["metadata"] = metadata;
        let fixture = Fixture::new();
        stripe(&fixture, &stripe_event("customer.subscription.created", &own, &json!({}))).await;
        let event = &fixture.events()[0];
        assert_eq!(event.identity().unwrap().to_string(), who);
    }
}

/// An event that names only the customer belongs to the user whose subscription named both: charges do not have the
/// subscription's metadata.
#[tokio::test]
async fn customer_that_is_named_beside_a_user_is_linked_to_that_user() {
    let fixture = Fixture::new();
    stripe(&fixture, &stripe_event("customer.subscription.created", &subscription("active"), &json!({}))).await;
    let charge = json!({"id":"ch_1","object":"charge","amount":1990,"amount_refunded":500,"currency":"eur","customer":"cus_1","metadata":{}});
    stripe(&fixture, &stripe_event("charge.refunded", &charge, &json!({}))).await;
    let events = fixture.events();
    let (linked, user) = events[0].link().unwrap();
    assert_eq!((linked.to_string().as_str(), user.as_str()), ("external:stripe_customer_id:cus_1", "u-1"));
    assert_eq!(perennial_domain::event::external_ids(&events[0].context).count(), 0, "it need not be the user's own");
    assert_eq!((events[1].identity(), events[1].link()), (Some(linked), None));
    assert_eq!((events[1].counted_as(), &events[1].properties["revenue"]), ("Payment Refunded", &json!(5.0)));
}

/// A plan, additional seats, and a usage-based item, whose price Stripe sends as null.
#[tokio::test]
async fn items_of_a_stripe_subscription_are_added_up() {
    let price = |quantity: Value, amount: Value| json!({"quantity":quantity,"price":{"unit_amount":amount,"recurring":{"interval":"month"}}});
    let (plan, seats, metered) =
        (price(json!(1), json!(4900)), price(json!(7), json!(990)), price(json!(null), json!(null)));
    let cases = [
        (json!([plan, seats]), json!([plan]), Some("118.3"), Some("49.0")),
        (json!([plan, seats, metered]), json!([plan, metered]), Some("118.3"), Some("49.0")),
        (json!([plan]), json!([seats, plan]), Some("49.0"), Some("118.3")),
        (json!([metered]), json!([]), None, None),
        (json!([price(json!("2"), json!("150"))]), json!({}), Some("3.0"), None),
        (json!([price(json!(i64::MAX), json!(2))]), json!(null), None, None),
    ];
    for (items, before, all, all_before) in cases {
        let event = other_items(items, &before);
        let said = &said_by(&event).await;
        let amount = |name: &str| said.get(name).map(ToString::to_string);
        assert_eq!(
            (amount("items_price").as_deref(), amount("previous_items_price").as_deref()),
            (all, all_before),
            "{event}"
        );
    }
}

/// Returns Stripe's event that a subscription has `items` in place of those of `before`.
fn other_items(items: Value, before: &Value) -> Value {
    let mut own = subscription("active");
    own["items"]["data"] = items;
    stripe_event("customer.subscription.updated", &own, &json!({"items":{"data":before}}))
}

/// Returns the properties of the first event that Stripe's makes.
async fn said_by(event: &Value) -> Properties {
    let fixture = Fixture::new();
    stripe(&fixture, event).await;
    fixture.events().remove(0).properties
}

/// Stripe allows items of several intervals in one subscription since its API of 2025.
#[tokio::test]
async fn items_of_other_intervals_are_added_at_the_interval_of_the_first() {
    let item = |amount: i64, quantity: i64, interval: &str, count: i64| json!({"quantity":quantity,"price":{"id":interval,"unit_amount":amount,"recurring":{"interval":interval,"interval_count":count}}});
    let (yearly, monthly, quarterly) =
        (item(12_000, 1, "year", 1), item(1_000, 1, "month", 1), item(1_500, 2, "month", 3));
    for (items, before, all, all_before, interval) in [
        (json!([monthly, yearly]), json!([monthly]), 20.0, 10.0, "month"),
        (json!([yearly, monthly]), json!([yearly]), 240.0, 120.0, "year"),
        (json!([monthly, quarterly, yearly]), json!([yearly, monthly]), 30.0, 240.0, "month"),
    ] {
        let event = other_items(items, &before);
        let said = &said_by(&event).await;
        assert_eq!((&said["items_price"], &said["previous_items_price"]), (&json!(all), &json!(all_before)), "{event}");
        assert_eq!(said["interval"], interval);
        let terms = perennial_domain::billing::Terms::of(said);
        assert_eq!(terms.yearly().unwrap().minor, if interval == "year" || all == 20.0 { 24_000 } else { 36_000 });
    }
}

/// As Stripe sends it: the whole previous item, in the format of the endpoint's version.
#[tokio::test]
async fn a_change_of_plan_at_stripe_says_what_it_cost_before() {
    let item = json!({"items":{"data":[{"quantity":3,"price":{"unit_amount":990,"recurring":{"interval":"month","interval_count":3}}}]}});
    let of_2015 = json!({"plan":{"amount":990,"interval":"month","interval_count":3},"quantity":3});
    for previous in [item, of_2015] {
        let fixture = Fixture::new();
        let event = stripe_event("customer.subscription.updated", &subscription("active"), &previous);
        stripe(&fixture, &event).await;
        let said = &fixture.events()[0].properties;
        assert_eq!(
            (said["previous_price"].to_string(), said["price"].to_string()),
            ("9.9".to_owned(), "19.9".to_owned())
        );
        assert_eq!((&said["previous_quantity"], &said["quantity"]), (&json!(3), &json!(3)));
        assert_eq!((&said["previous_interval"], &said["previous_interval_count"]), (&json!("month"), &json!(3)));
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
    assert!(events.iter().all(|event| event.message_id.as_str().starts_with("in_1:")));
    // Stripe sends a second event for the same invoice, which is recognized by the same ids.
    let again = Fixture::new();
    stripe(&again, &stripe_event("invoice.payment_succeeded", &invoice, &json!({}))).await;
    let ids = |fixture: &Fixture| fixture.events().into_iter().map(|event| event.message_id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&fixture));
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
    let person = |i: usize| events[i].identity().unwrap().to_string();
    assert_eq!(
        (events[0].counted_as(), person(0).as_str(), &events[0].properties["amount"]),
        ("Payment Failed", "external:stripe_customer_id:cus_1", &json!(1200))
    );
    assert_eq!(
        (events[1].counted_as(), person(1).as_str(), &events[1].properties["revenue"]),
        ("Order Completed", "user:u-2", &json!(5.5))
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

/// Checkout makes an invoice for a purchase if its settings say so, and the invoice's own event reports the same payment.
#[tokio::test]
async fn purchase_with_an_invoice_names_it_as_the_invoice_does() {
    let fixture = Fixture::new();
    let session = json!({"id":"cs_1","object":"checkout.session","mode":"payment","payment_status":"paid","amount_total":2500,"currency":"usd",
        "client_reference_id":"u-1","invoice":"in_1"});
    assert_eq!(stripe(&fixture, &stripe_event("checkout.session.completed", &session, &json!({}))).await.status, 200);
    let invoice =
        json!({"id":"in_1","object":"invoice","amount_paid":2500,"currency":"usd","metadata":{"user_id":"u-1"}});
    assert_eq!(stripe(&fixture, &stripe_event("invoice.paid", &invoice, &json!({}))).await.status, 200);
    let events = fixture.events();
    let paid: Vec<(&str, &Value)> =
        (events.iter()).filter_map(|event| Some((event.counted_as(), event.properties.get("invoice")?))).collect();
    assert_eq!(paid, [("Order Completed", &json!("in_1")), ("Invoice Paid", &json!("in_1"))]);
}

/// A price by use has no quantity, and is no recurring price.
#[tokio::test]
async fn metered_item_adds_nothing_to_the_price_of_a_subscription() {
    let price = async |items: Value| {
        let fixture = Fixture::new();
        let mut object = subscription("active");
        object["items"]["data"] = items;
        stripe(&fixture, &stripe_event("customer.subscription.created", &object, &json!({}))).await;
        fixture.events()[0].properties["items_price"].as_f64()
    };
    let metered = json!({"price":{"id":"m","unit_amount":100,"recurring":{"interval":"month","usage_type":"metered"}}});
    let seats = json!({"quantity":2,"price":{"id":"s","unit_amount":1000,"recurring":{"interval":"month","usage_type":"licensed"}}});
    assert_eq!(price(json!([metered, seats])).await, Some(20.0));
    assert_eq!(price(json!([metered])).await, Some(0.0));
}
