//! Calls of the tracking API, one rule at a time.

use super::*;
use perennial_lambda_kit::queue::{Delay, SendReport, Sender, Unsent};

fn page(id: &str) -> Value {
    json!({"type":"page","userId":"u","messageId":id})
}

/// Returns the rejected calls of an answer, and the answer without them.
fn apart(mut answer: Value) -> (Vec<Value>, Value) {
    let rejects = answer.as_object_mut().unwrap().remove("rejects").unwrap();
    (rejects.as_array().unwrap().clone(), answer)
}

#[tokio::test]
async fn a_batch_is_queued_and_what_is_wrong_with_it_rejected() {
    let fixture = Fixture::new();
    let batch = json!({"batch":[page("m-1"), {"type":"track","userId":"u"}, 7, page("m-2")]});
    let answer = fixture.post("/v1/batch", batch.to_string()).await;
    let (told, rest) = apart(answer.body);
    assert_eq!((answer.status, rest), (200, json!({"success":true,"accepted":2,"rejected":2})));
    let places: Vec<_> = told.iter().map(|each| (&each["index"], &each["code"], &each["at"])).collect();
    assert_eq!(
        places,
        [(&json!(1), &json!("missing"), &json!("event")), (&json!(2), &json!("not_an_object"), &json!(null))]
    );
    assert!(told.iter().all(|each| each["message"].as_str().is_some_and(|message| message.len() > 10)), "{told:?}");
    let ids: Vec<String> = fixture.events().iter().map(|event| event.message_id.as_str().to_owned()).collect();
    assert_eq!(ids, ["m-1", "m-2"]);
    let rejects = fixture.rejected();
    assert_eq!((rejects[0].code.as_str(), rejects[0].path.as_str()), ("missing", "event"));
    assert_eq!(rejects[0].event, json!({"type":"track","userId":"u"}).to_string());
    assert_eq!((rejects[1].code.as_str(), rejects[1].event.as_str()), ("not_an_object", "7"));
    assert_eq!(rejects[0].received_at.to_string(), NOW);
}

#[tokio::test]
async fn the_same_reject_has_the_same_id() {
    let fixture = Fixture::new();
    for sent_at in ["2026-11-21T21:59:00Z", "2026-11-21T21:59:30Z"] {
        let batch = json!({"batch":[{"type":"track","userId":"u","messageId":"m"}],"sentAt":sent_at});
        fixture.post("/v1/batch", batch.to_string()).await;
    }
    let rejects = fixture.rejected();
    assert_eq!(rejects[0].id, rejects[1].id);
}

/// A call without a message id is a new event each time, and so are two with the same error.
#[tokio::test]
async fn rejects_without_an_id_do_not_overwrite_one_another() {
    for id in [json!(null), json!(""), json!("undefined"), json!(0)] {
        let fixture = Fixture::new();
        let wrong = |name: &str| json!({"type":"track","userId":"","event":name,"messageId":id});
        let batch = json!({"batch":[wrong("A"), wrong("B"), wrong("A")]}).to_string();
        fixture.post("/v1/batch", batch).await;
        let rejects = fixture.rejected();
        assert_ne!(rejects[0].id, rejects[1].id, "{id}");
        assert_eq!(
            rejects[0].id, rejects[2].id,
            "{id}: the same call again, as when a batch is sent again, is one reject"
        );
    }
}

#[tokio::test]
async fn a_key_in_the_body_is_found_beside_one_that_is_null() {
    let fixture = Fixture::new();
    let body = json!({"token":"local-write-key","api_key":null,"batch":[{"event":"E","distinct_id":"u"}]}).to_string();
    assert_eq!(fixture.send("POST", "/batch/", &[], body.as_bytes()).await.body["accepted"], 1);
    let body = body.replace("local-write-key", "other");
    let answer = fixture.send("POST", "/batch/", &[], body.as_bytes()).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("`api_key`"), "{}", answer.body);
}

#[tokio::test]
async fn the_path_says_the_kind_of_a_single_call() {
    let fixture = Fixture::new();
    let names = ["identify", "track", "page", "screen", "group", "alias"];
    for name in names {
        let call = json!({"userId":"u","event":"E","groupId":"g","previousId":"p","type":"other"}).to_string();
        for path in [format!("/v1/{name}"), format!("/v1/{}", &name[..1]), format!("/api/s/{name}")] {
            assert_eq!(fixture.post(&path, &call).await.status, 200, "{path}");
        }
    }
    let kinds: Vec<&str> = fixture.events().iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, names.iter().flat_map(|name| [*name; 3]).collect::<Vec<_>>());
}

/// Values are cleaned and standardized, or rejected with a reason.
#[tokio::test]
async fn traits_are_standardised_before_the_queue_and_a_single_call_is_told() {
    let fixture = Fixture::new();
    let call =
        json!({"userId":"u","messageId":"m-1","traits":{"email":"Ada <ADA@Example.COM>","phone":"12","plan":"pro"}});
    let answer = fixture.post("/v1/identify", call.to_string()).await;
    let told = json!([{"field":"email","change":"bare address without what stood around it"},
        {"field":"phone","dropped":"no country code, and no country beside it"}]);
    assert_eq!(
        (answer.status, &answer.body),
        (200, &json!({"success":true,"accepted":1,"rejected":0,"warnings":told}))
    );
    let event = fixture.events().remove(0);
    assert_eq!(Value::from(event.traits), json!({"email":"ADA@example.com","plan":"pro"}));
    assert_eq!(event.context["hygiene"], told);

    let clean = json!({"userId":"u","messageId":"m-2","traits":{"email":"ada@example.com"}});
    let answer = fixture.post("/v1/identify", clean.to_string()).await;
    assert_eq!(answer.body, json!({"success":true,"accepted":1,"rejected":0}));

    let batch =
        json!({"batch":[{"type":"group","userId":"u","groupId":"g","traits":{"website":"https://www.Acme.com/x"}}]});
    let answer = fixture.post("/v1/batch", batch.to_string()).await;
    assert_eq!(answer.body, json!({"success":true,"accepted":1,"rejected":0}));
    assert_eq!(fixture.events().last().unwrap().traits["website"], "acme.com");
}

#[tokio::test]
async fn a_wrong_single_call_is_told_and_kept() {
    let fixture = Fixture::new();
    let answer = fixture.post("/v1/track", r#"{"userId":"u"}"#).await;
    assert_eq!((answer.status, answer.code(), &answer.body["error"]["at"]), (400, "missing", &json!("event")));
    assert_eq!(fixture.rejected().len(), 1);
    let large = json!({"userId":"u","properties":{"a":"x".repeat(40_000)}});
    assert_eq!(fixture.post("/v1/page", large.to_string()).await.status, 413);
}

#[tokio::test]
async fn every_place_of_a_write_key_is_looked_at() {
    let fixture = Fixture::new();
    let call = br#"{"userId":"u"}"#;
    let keys = [
        ("authorization", basic("local-write-key:")),
        ("authorization", basic("local-write-key")),
        ("authorization", basic("WK:SECRET")),
        ("x-write-key", "WK:SECRET".to_owned()),
    ];
    for (name, value) in &keys {
        assert_eq!(fixture.send("POST", "/v1/page", &[(name, value)], call).await.status, 200, "{name}: {value}");
    }
    assert_eq!(fixture.send("POST", "/v1/page?writeKey=local%2Dwrite-key", &[], call).await.status, 200);
    let in_body = br#"{"userId":"u","writeKey":"local-write-key"}"#;
    assert_eq!(fixture.send("POST", "/v1/page", &[], in_body).await.status, 200);
    let in_batch = br#"{"batch":[],"writeKey":"local-write-key"}"#;
    assert_eq!(fixture.send("POST", "/v1/b", &[], in_batch).await.status, 200);
}

#[tokio::test]
async fn without_a_known_write_key_nothing_is_taken() {
    let fixture = Fixture::new();
    let call = br#"{"userId":"u","writeKey":"other"}"#;
    for header in [
        ("x-other", "1"),
        ("authorization", "Basic ???"),
        ("authorization", "Bearer local-write-key"),
        ("x-write-key", ""),
    ] {
        let answer = fixture.send("POST", "/v1/page", &[header], call).await;
        assert_eq!((answer.status, answer.code()), (401, "unknown_write_key"), "{header:?}");
    }
    assert!(fixture.events().is_empty() && fixture.rejected().is_empty());
}

#[tokio::test]
async fn headers_about_the_body_are_not_believed() {
    let fixture = Fixture::new();
    let call = br#"{"userId":"u"}"#;
    let key = ("x-write-key", "local-write-key");
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "multipart/form-data"]
    {
        assert_eq!(fixture.send("POST", "/v1/page", &[key, ("content-type", kind)], call).await.status, 200);
        assert_eq!(fixture.send("POST", "/v1/page", &[key, ("content-type", kind)], &gzip(call)).await.status, 200);
    }
    assert_eq!(fixture.send("POST", "/v1/page", &[key, ("content-encoding", "gzip")], call).await.status, 200);
}

#[tokio::test]
async fn a_body_of_no_use_is_refused_with_its_place() {
    let fixture = Fixture::new();
    let answer = fixture.post("/v1/batch", "{\"batch\":\n [}").await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_json"));
    assert_eq!(answer.body["error"]["at"], "line 2, column 3 (byte 12)");
    let answer = fixture.post("/v1/batch", b"{\"a\":\"\xff\"}").await;
    assert_eq!((answer.status, answer.code(), &answer.body["error"]["at"]), (400, "invalid_utf8", &json!("byte 6")));
    for (path, body, code) in [
        ("/v1/batch", &b""[..], "empty_body"),
        ("/v1/batch", b"[", "invalid_json"),
        ("/v1/track", b"[]", "not_an_object"),
        ("/v1/batch", b"{}", "no_batch"),
        ("/v1/batch", &[0x1f, 0x8b, 0], "invalid_gzip"),
    ] {
        let answer = fixture.post(path, body).await;
        assert_eq!((answer.status, answer.code()), (400, code));
    }
}

#[tokio::test]
async fn limits_are_told_from_errors() {
    let fixture = Fixture::new();
    assert_eq!(fixture.post("/v1/batch", vec![b' '; (10 << 20) + 1]).await.code(), "body_too_large");
    let answer = fixture.post("/v1/batch", gzip(&vec![b' '; 50 << 20])).await;
    assert_eq!((answer.status, answer.code()), (413, "inflated_body_too_large"));
    let batch = |n: usize| json!({"batch": vec![json!({"type":"page","userId":"u"}); n]}).to_string();
    assert_eq!(fixture.post("/v1/batch", batch(2_501)).await.status, 413);
    assert_eq!(fixture.post("/v1/batch", batch(2_500)).await.body["accepted"], 2_500);
    let deep = format!("{{\"batch\":[{{\"properties\":{}{}}}]}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(fixture.post("/v1/batch", deep).await.body["rejected"], 1);
}

/// As analytics-node 3 sends when it undercounts, and Rudder when it compresses.
#[tokio::test]
async fn a_batch_of_more_than_a_megabyte_is_taken() {
    let fixture = Fixture::new();
    let event = |i: usize| json!({"type":"track","event":"E","userId":format!("u-{i}"),"messageId":format!("m-{i}"),"properties":{"a":"x".repeat(20_000)}});
    let body = json!({"batch": (0..60).map(event).collect::<Vec<_>>()}).to_string();
    assert!(body.len() > 1_200_000);
    let answer = fixture.post("/v1/batch", gzip(body.as_bytes())).await;
    assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(60)));
    assert_eq!(fixture.events().len(), 60);
    assert!(fixture.queue.bodies().iter().all(|body| body.len() <= perennial_contracts::queue::PACKED_BYTES));
}

#[tokio::test]
async fn when_a_message_is_not_queued_the_client_is_told_to_come_again() {
    let fixture = Fixture::new();
    fixture.queue.refuse_next(1);
    let answer = fixture.post("/v1/page", page("m").to_string()).await;
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "not_stored", "2"));
    assert_eq!(fixture.post("/v1/page", page("m").to_string()).await.status, 200);
}

#[tokio::test]
async fn when_a_reject_is_not_stored_the_client_is_told_to_come_again() {
    let fixture = Fixture::new();
    *fixture.rejects.1.lock().unwrap() = true;
    let batch = json!({"batch":[page("m"), 7]}).to_string();
    assert_eq!(fixture.post("/v1/batch", &batch).await.status, 503);
    assert_eq!(fixture.post("/v1/batch", &batch).await.status, 200);
    assert_eq!(fixture.rejected().len(), 1);
}

/// Refuses with a code, or never answers.
struct BadQueue(Option<&'static str>);

impl Sender for BadQueue {
    fn send_each(&self, _: Vec<(String, Delay)>) -> BoxFuture<'_, SendReport> {
        match self.0 {
            Some(code) => {
                std::future::ready(SendReport { unsent: vec![Unsent { index: 0, code: code.to_owned() }], requests: 1 })
                    .boxed()
            }
            None => std::future::pending().boxed(),
        }
    }
}

#[tokio::test]
async fn throttling_is_passed_on() {
    let mut fixture = Fixture::new();
    fixture.deps.events = Arc::new(BadQueue(Some("RequestThrottled")));
    let answer = fixture.post("/v1/page", page("m").to_string()).await;
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (429, "throttled", "2"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_comes_before_clients_give_up() {
    let mut fixture = Fixture::new();
    fixture.deps.events = Arc::new(BadQueue(None));
    let began = tokio::time::Instant::now();
    assert_eq!(fixture.post("/v1/page", page("m").to_string()).await.status, 503);
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
}

#[tokio::test]
async fn beyond_the_limit_in_flight_the_answer_is_503_at_once() {
    let fixture = Fixture::new();
    let permits = fixture.deps.in_flight.acquire_many(8).await.unwrap();
    let answer = fixture.post("/v1/page", page("m").to_string()).await;
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "busy", "2"));
    assert_eq!(fixture.send("GET", "/v1/health", &[], b"").await.status, 200, "health is no load");
    drop(permits);
    assert_eq!(fixture.post("/v1/page", page("m").to_string()).await.status, 200);
}

#[tokio::test]
async fn browsers_may_ask_for_every_header_that_their_sdks_send() {
    let fixture = Fixture::new();
    let asked = "authorization,x-retry-count,content-type,anonymousid,sentat,rsa-retry-reason,rsa-retry-attempt,\
                 rsa-since-first-attempt,rsa-since-last-attempt,x-write-key";
    let origin = ("origin", "https://shop.example.com");
    for path in
        ["/v1/batch", "/v1/t", "/v1/track", "/api/s/track", "/sourceConfig/?writeKey=k", "/v1/projects/k/settings"]
    {
        let answer = fixture.send("OPTIONS", path, &[origin, ("access-control-request-headers", asked)], b"").await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), origin.1);
        let allowed: Vec<&str> = answer.header("access-control-allow-headers").split(", ").collect();
        assert!(asked.split(',').all(|header| allowed.contains(&header)), "{allowed:?}");
        assert!(answer.header("access-control-allow-methods").contains("POST"));
    }
    fixture.queue.refuse_next(1);
    let answer =
        fixture.send("POST", "/v1/page", &[origin, ("x-write-key", "local-write-key")], br#"{"userId":"u"}"#).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.header("access-control-expose-headers"),
        "Retry-After",
        "or the browser cannot see when to retry"
    );
    assert_eq!(answer.header("access-control-allow-origin"), origin.1);
}

#[tokio::test]
async fn browser_sdks_get_their_settings() {
    let fixture = Fixture::new();
    let host = ("host", "127.0.0.1:8080");
    let settings = fixture.send("GET", "/v1/projects/local-write-key/settings", &[host], b"").await;
    let segment = &settings.body["integrations"]["Segment.io"];
    assert_eq!((settings.status, &segment["apiKey"]), (200, &json!("local-write-key")));
    assert_eq!((&segment["apiHost"], &segment["protocol"]), (&json!("127.0.0.1:8080/v1"), &json!("http")));
    let source = fixture.send("GET", "/sourceConfig/?p=npm&writeKey=local-write-key", &[], b"").await;
    assert_eq!((source.status, &source.body["source"]["enabled"]), (200, &json!(true)));
    assert_eq!(
        fixture.send("GET", "/sourceConfig/", &[("authorization", &basic("local-write-key:"))], b"").await.status,
        200
    );
    assert_eq!(fixture.send("GET", "/v1/projects/other/settings", &[], b"").await.status, 401);
}

#[tokio::test]
async fn paths_and_methods_are_told_apart() {
    let fixture = Fixture::new();
    assert_eq!(fixture.post("/v1/nothing", "{}").await.status, 404);
    let answer = fixture.send("GET", "/v1/track", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST, OPTIONS"));
    assert_eq!(fixture.post("/v1/health", "").await.status, 405);
    assert_eq!(fixture.send("GET", "/v1/health", &[], b"").await.body, json!({"status":"ok"}));
}

#[tokio::test]
async fn ids_that_would_break_headers_are_rejected() {
    let fixture = Fixture::new();
    let batch = json!({"batch":[
        {"type":"page","userId":"u\r\nBcc: a@b.c"}, {"type":"page","userId":"\u{0}"}, {"type":"page","userId":" "},
        {"type":"track","userId":"u","event":"a\u{85}b"},
    ]});
    let answer = fixture.post("/v1/batch", batch.to_string()).await;
    let (told, rest) = apart(answer.body);
    assert_eq!((told.len(), rest), (4, json!({"success":true,"accepted":0,"rejected":4})));
}

#[tokio::test]
async fn the_sample_calls_become_events() {
    let fixture = Fixture::new();
    for name in ["identify", "track", "page", "screen", "group", "alias", "batch"] {
        let body = std::fs::read(repository(&format!("events/ingest/calls/{name}.json"))).unwrap();
        assert_eq!(fixture.post(&format!("/v1/{name}"), body).await.status, 200, "{name}");
    }
    let ids: Vec<String> = fixture.events().iter().map(|event| event.message_id.as_str().to_owned()).collect();
    assert_eq!(ids, (1..=8).map(|n| format!("m-000{n}")).collect::<Vec<_>>());
    assert_eq!(fixture.rejected().len(), 1);
}

/// As in Segment's API, a client that wants a repeated call counted once sends its `messageId`.
#[tokio::test]
async fn a_call_without_a_message_id_is_an_event_of_its_own_each_time() {
    let fixture = Fixture::new();
    let call = json!({"userId":"u","event":"Feature Used","timestamp":"2026-11-21T21:00:00Z"}).to_string();
    for _ in 0..2 {
        assert_eq!(fixture.post("/v1/track", &call).await.status, 200);
    }
    let events = fixture.events();
    assert_ne!(events[0].message_id, events[1].message_id);
}

#[tokio::test]
async fn what_is_too_large_for_the_profile_is_told_and_stays_in_the_event() {
    let fixture = Fixture::new();
    let long = "y".repeat(1100);
    let call = json!({"userId":"u","messageId":"m-1","traits":{"bio":long,"city":"Rome"}});
    let answer = fixture.post("/v1/identify", call.to_string()).await;
    let told = json!([{"field":"bio","dropped":"longer than 1024 bytes: not kept in the profile"}]);
    assert_eq!((answer.status, &answer.body["warnings"]), (200, &told));
    let event = fixture.events().remove(0);
    assert_eq!((&event.traits["bio"], &event.context["hygiene"]), (&json!(long), &told));

    let batch = json!({"batch":[page("m-2"), 7, {"type":"group","userId":"u","groupId":"g","traits":{"notes":long}},
        {"type":"identify","userId":"u","traits":{"phone":"12"}}]});
    let answer = fixture.post("/v1/batch", batch.to_string()).await;
    let told = json!([{"index":2,"field":"notes","dropped":"longer than 1024 bytes: not kept in the profile"},
        {"index":3,"field":"phone","dropped":"no country code, and no country beside it"}]);
    let (rejects, rest) = apart(answer.body);
    assert_eq!(rest, json!({"success":true,"accepted":3,"rejected":1,"warnings":told}));
    assert_eq!(rejects[0]["index"], 1);
    let many = json!({"batch": vec![7; 150]});
    let answer = fixture.post("/v1/batch", many.to_string()).await;
    assert_eq!((&answer.body["rejected"], answer.body["rejects"].as_array().unwrap().len()), (&json!(150), 100));

    let posthog = json!({"batch":[{"event":"E","distinct_id":"u","properties":{"$set_once":{"bio":long}}}]});
    let answer = fixture.post("/batch/", posthog.to_string()).await;
    assert_eq!((&answer.body["accepted"], &answer.body["warnings"][0]["field"]), (&json!(1), &json!("bio")));
}

#[tokio::test]
async fn a_batchs_context_applies_to_its_calls_and_its_order_is_kept() {
    let fixture = Fixture::new();
    let plan = |plan: &str| json!({"type":"identify","userId":"u","traits":{"plan":plan}});
    let batch = json!({"batch":[plan("pro"), plan("free")],"context":{"groupId":"acct","timezone":"Asia/Tokyo"}});
    assert_eq!(fixture.post("/v1/batch", batch.to_string()).await.body["accepted"], 2);
    let events = fixture.events();
    assert!(events.iter().all(|event| event.group_id.as_ref().unwrap().as_str() == "acct"));
    assert!(events.iter().all(|event| event.context["timezone"] == "Asia/Tokyo"));
    let late = |event: &Event| event.timestamp.duration_since(NOW.parse().unwrap()).as_micros();
    assert_eq!(events.iter().map(late).collect::<Vec<_>>(), [0, 1]);
    let large = json!({"batch":vec![page("m"); 2_500],"context":{"a":"x".repeat(2_000)}});
    let answer = fixture.post("/v1/batch", large.to_string()).await;
    assert_eq!((answer.status, answer.code()), (413, "context_too_large"));
}

#[tokio::test]
async fn of_two_requests_at_one_time_the_later_is_later() {
    let fixture = Fixture::new();
    for plan in ["pro", "free"] {
        let call = json!({"userId":"u","traits":{"plan":plan}});
        assert_eq!(fixture.post("/v1/identify", call.to_string()).await.status, 200);
        let batch =
            json!({"batch":[{"type":"track","userId":"u","event":"A"},{"type":"track","userId":"u","event":"B"}]});
        assert_eq!(fixture.post("/v1/batch", batch.to_string()).await.body["accepted"], 2);
    }
    let events = fixture.events();
    assert!(events.is_sorted_by(|one, next| one.timestamp < next.timestamp), "{events:?}");
    let received = |place: usize| events[place].received_at;
    assert!(received(0) < received(1) && received(1) == received(2) && received(2) < received(3));
}

/// posthog-js sends its events as a form with base64 until it knows better, and its key in their properties.
#[tokio::test]
async fn what_posthogs_browser_sdk_sends_is_taken() {
    let fixture = Fixture::new();
    let events =
        json!([{"event":"$pageview","uuid":"m","properties":{"token":"phc_TEST","distinct_id":"d","$device_id":"d"}}])
            .to_string();
    let body = format!("data={}", BASE64.encode(events.as_bytes()).replace('+', "%2B").replace('=', "%3D"));
    for (path, body) in [("/e/?ip=1&ver=1.2", body.as_bytes()), ("/i/v0/e/", events.as_bytes())] {
        let answer = fixture.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], body).await;
        assert_eq!(
            (answer.status, &answer.body["accepted"], &answer.body["status"]),
            (200, &json!(1), &json!(1)),
            "{path}"
        );
    }
    let event = fixture.events().remove(0);
    assert_eq!((event.kind.as_str(), event.anonymous_id.unwrap().as_str()), ("page", "d"));
}
