//! Unreadable survey answers and payments, as reported to the sender.

use super::Fixture;
use serde_json::json;

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_reported_and_stays_in_the_event() {
    let answered =
        |answer: serde_json::Value| json!({"userId":"u","event":"Survey Answered","properties":{"nps":answer}});
    let fixture = Fixture::new();
    for unreadable in [json!(85), json!("very likely"), json!("4/5"), json!(true)] {
        let answer = fixture.post("/v1/track", answered(unreadable.clone()).to_string()).await;
        let warning = &answer.body["warnings"][0];
        assert_eq!((answer.status, &warning["field"]), (200, &json!("properties.nps")), "{unreadable}");
        assert!(warning["dropped"].as_str().is_some_and(|text| text.contains("from 0 to 10")), "{warning}");
        assert_eq!(fixture.events().pop().map(|event| event.properties["nps"].clone()), Some(unreadable));
    }
    for readable in [json!(9), json!("9/10"), json!("9 - very likely"), json!(null), json!("")] {
        let answer = fixture.post("/v1/track", answered(readable.clone()).to_string()).await;
        assert_eq!(answer.body, json!({"success":true,"accepted":1,"rejected":0}), "{readable}");
    }
    let other = json!({"userId":"u","event":"Survey Answered Late","properties":{"nps":85}});
    assert!(fixture.post("/v1/track", other.to_string()).await.body["warnings"].is_null());
}

#[tokio::test]
async fn answers_of_a_batch_and_of_posthog_are_reported_too() {
    let fixture = Fixture::new();
    let call =
        |nps: &str| json!({"type":"track","userId":"u","event":"Survey Answered","properties":{"nps":nps,"csat":7}});
    let answer = fixture.post("/v1/batch", json!({"batch":[call("9"), call("ten")]}).to_string()).await;
    let told: Vec<_> = answer.body["warnings"].as_array().into_iter().flatten().collect();
    let told: Vec<_> = told.iter().map(|warning| (&warning["index"], &warning["field"])).collect();
    let (nps, csat) = (json!("properties.nps"), json!("properties.csat"));
    assert_eq!(told, [(&json!(0), &csat), (&json!(1), &nps), (&json!(1), &csat)]);
    let posthog = json!({"batch":[{"event":"Survey Answered","distinct_id":"u","properties":{"nps":"85"}}]});
    let answer = fixture.post("/batch/", posthog.to_string()).await;
    assert_eq!(answer.body["warnings"][0]["field"], nps);
}

#[tokio::test]
async fn a_payment_that_cannot_be_read_is_reported_and_stays_in_the_event() {
    let bought = |name: &str, revenue: serde_json::Value, currency: &str| {
        json!({"userId":"u","event":name,"properties":{"revenue":revenue,"currency":currency}}).to_string()
    };
    let fixture = Fixture::new();
    for unreadable in [json!("$1,234.50"), json!("10,50"), json!("abc"), json!(true), json!(-5), json!([1])] {
        let answer = fixture.post("/v1/track", bought("Order Completed", unreadable.clone(), "EUR")).await;
        let warning = &answer.body["warnings"][0];
        assert_eq!((answer.status, &warning["field"]), (200, &json!("properties.revenue")), "{unreadable}");
        assert!(warning["dropped"].as_str().is_some_and(|text| text.contains("12.50")), "{warning}");
        assert_eq!(fixture.events().pop().map(|event| event.properties["revenue"].clone()), Some(unreadable));
    }
    let answer = fixture.post("/v1/track", bought("Order Completed", json!(5), "euro")).await;
    assert_eq!(answer.body["warnings"][0]["field"], "properties.currency");
    for readable in [json!(0), json!(10.5), json!("10.50"), json!(" 7 "), json!(null), json!("")] {
        let answer = fixture.post("/v1/track", bought("Order Completed", readable.clone(), "EUR")).await;
        assert!(answer.body["warnings"].is_null(), "{readable}: {}", answer.body);
    }
    let total = |total: &str| json!({"userId":"u","event":"Order Completed","properties":{"total":total}}).to_string();
    let answer = fixture.post("/v1/track", total("12,50")).await;
    assert_eq!(answer.body["warnings"][0]["field"], "properties.total");
    assert!(fixture.post("/v1/track", total("12.50")).await.body["warnings"].is_null());
    let status = |event: &str, status: &str| {
        json!({"userId":"u","event":event,"properties":{"subscription":"s1","status":status}}).to_string()
    };
    let answer = fixture.post("/v1/track", status("Subscription Updated", "nonsense")).await;
    assert_eq!(answer.body["warnings"][0]["field"], "properties.status");
    for (event, known) in
        [("Subscription Updated", "SUSPENDED"), ("Subscription Updated", "past-due"), ("Ticket Solved", "done")]
    {
        assert!(fixture.post("/v1/track", status(event, known)).await.body["warnings"].is_null(), "{event} {known}");
    }
    let other = fixture.post("/v1/track", bought("Prices Viewed", json!("from 9 EUR"), "EUR")).await;
    assert!(other.body["warnings"].is_null(), "no payment");
}
