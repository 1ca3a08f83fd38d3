//! Names and values of calls that are too long.

use super::*;

#[tokio::test]
async fn names_too_long_are_rejected_or_told_of_and_never_cut() {
    let fixture = Fixture::new();
    let call = |event: &str, property: &str| json!({"type":"track","userId":"u","event":event,"messageId":event,"properties":{property:1}});
    let (longest, longer) = ("e".repeat(200), "e".repeat(201));
    let batch = json!({"batch":[call(&longest, "p"), call(&longer, "p"), call("Login", &"p".repeat(129))]});
    let answer = fixture.post("/v1/batch", batch.to_string()).await;
    assert_eq!((&answer.body["accepted"], &answer.body["rejected"]), (&json!(2), &json!(1)));
    let reject = &fixture.rejected()[0];
    assert_eq!((reject.code.as_str(), reject.path.as_str()), ("invalid_value", "event"));
    assert_eq!(reject.reason, "event has 201 bytes; at most 200 are allowed");
    let events = fixture.events();
    assert_eq!(events[0].event.as_ref().unwrap().as_str(), longest);
    assert!(events[1].properties.contains_key(&"p".repeat(129)), "the archive keeps what was sent");
    let warning = &answer.body["warnings"][0];
    assert_eq!((&warning["index"], &warning["field"]), (&json!(2), &json!(format!("properties.{}", "p".repeat(128)))));
}

#[tokio::test]
async fn flood_of_what_is_rejected_is_counted_and_kept_up_to_a_bound() {
    let fixture = Fixture::new();
    let calls: Vec<Value> =
        (0..400).map(|n| json!({ "type": "track", "event": "x", "messageId": format!("m{n}") })).collect();
    let body = json!({ "batch": calls }).to_string();
    for _ in 0..5 {
        let answer = fixture.post("/v1/batch", &body).await;
        assert_eq!((answer.status, &answer.body["rejected"]), (200, &json!(400)));
    }
    let kept = fixture.rejected().len();
    assert!((1_000..1_100).contains(&kept), "{kept}");
}
