//! Webhooks, through the mappings of the default `sources.toml`.

use super::*;
use data_encoding::HEXLOWER;
use perennial_config::mapping::Mapping;
use perennial_config::sources::Source;
use perennial_contracts::mapping;
use ring::hmac;

pub(super) fn mac(parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), &parts.concat()).as_ref().to_vec()
}

pub(super) fn seconds() -> String {
    NOW.parse::<jiff::Timestamp>().unwrap().as_second().to_string()
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

/// GitHub signs only the body: anyone who has seen a delivery could send it again under another id.
#[tokio::test]
async fn header_that_no_signature_covers_makes_no_new_event_of_a_body() {
    let fixture = Fixture::new();
    let body = json!({"action":"created","starred_at":"2026-11-21T21:00:00Z","sender":{"login":"ada"},"repository":{"full_name":"a/b"}}).to_string();
    let signature = format!("sha256={}", HEXLOWER.encode(&mac(&[body.as_bytes()])));
    for delivery in ["d-1", "d-2"] {
        let headers =
            [("x-hub-signature-256", &*signature), ("x-github-event", "star"), ("x-github-delivery", delivery)];
        assert_eq!(fixture.send("POST", "/hooks/github", &headers, body.as_bytes()).await.body["accepted"], 1);
    }
    let ids: Vec<_> = fixture.events().into_iter().map(|event| event.message_id).collect();
    assert_eq!(ids[0], ids[1]);
    // Even if the configuration maps it.
    let mut config = CONFIG.clone();
    let github = config.sources.iter_mut().find(|source| source.id.as_str() == "github").unwrap();
    let header = perennial_config::mapping::Place::parse("header:x-github-delivery").unwrap();
    remap(github, |map| map.message_id = vec![header.clone()]);
    let mut fixture = Fixture::new();
    fixture.deps.config = ConfigHandle::fixed(config);
    let headers = [("x-hub-signature-256", &*signature), ("x-github-event", "star"), ("x-github-delivery", "d-3")];
    assert_eq!(fixture.send("POST", "/hooks/github", &headers, body.as_bytes()).await.body["accepted"], 1);
    assert_eq!(fixture.events()[0].message_id, ids[0]);
}

#[tokio::test]
async fn two_maps_of_one_event_on_one_payload_both_count_and_the_first_keeps_its_id() {
    let body = json!({"action":"created","starred_at":"2026-11-21T21:00:00Z","sender":{"login":"ada"},"repository":{"full_name":"a/b"}}).to_string();
    let signature = format!("sha256={}", HEXLOWER.encode(&mac(&[body.as_bytes()])));
    let headers = [("x-hub-signature-256", &*signature), ("x-github-event", "star")];
    let mut ids = Vec::new();
    for maps in [1, 2] {
        let mut config = CONFIG.clone();
        let github = config.sources.iter_mut().find(|source| source.id.as_str() == "github").unwrap();
        let hook = github.hook.take().unwrap();
        let all = std::iter::repeat_n(hook.maps().unwrap(), maps).flatten().cloned().collect();
        github.hook = Some(hook.with_maps(all));
        let mut fixture = Fixture::new();
        fixture.deps.config = ConfigHandle::fixed(config);
        // A retry of the delivery makes the same ids.
        for _ in 0..2 {
            let answer = fixture.send("POST", "/hooks/github", &headers, body.as_bytes()).await;
            assert_eq!(answer.body["accepted"], json!(maps));
        }
        let found: Vec<_> = fixture.events().into_iter().map(|event| event.message_id).collect();
        assert_eq!(found[..maps], found[maps..]);
        ids.push(found);
    }
    assert_eq!(ids[0][0], ids[1][0]);
    assert_ne!(ids[1][0], ids[1][1]);
}

/// Changes each map of a source.
fn remap(source: &mut Source, change: impl Fn(&mut Mapping)) {
    let hook = source.hook.take().unwrap();
    let mut maps = hook.maps().unwrap().to_vec();
    maps.iter_mut().for_each(change);
    source.hook = Some(hook.with_maps(maps));
}

/// The samples follow the shapes that the providers document.
fn github_headers<'a>(signature: &'a str, event: &'a str, kind: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("x-hub-signature-256", signature),
        ("x-github-event", event),
        ("x-github-delivery", "d-1"),
        ("content-type", kind),
    ]
}

async fn github(fixture: &Fixture, event: &str, kind: &str, body: &[u8]) -> Answered {
    let signature = format!("sha256={}", HEXLOWER.encode(&mac(&[body])));
    fixture.send("POST", "/hooks/github", &github_headers(&signature, event, kind), body).await
}

async fn standard(fixture: &Fixture, id: &str, body: &[u8]) -> Answered {
    let key =
        hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(SECRET.trim_start_matches("whsec_").as_bytes()).unwrap());
    let signed = [format!("{id}.{}.", seconds()).as_bytes(), body].concat();
    let signature = format!("v1,{}", BASE64.encode(hmac::sign(&key, &signed).as_ref()));
    let headers = [
        ("webhook-id", id),
        ("webhook-timestamp", &*seconds()),
        ("webhook-signature", "v1,AAAA"),
        ("webhook-signature", &*signature),
    ];
    fixture.send("POST", "/hooks/app", &headers, body).await
}

/// GitHub's form offers `application/json` and `application/x-www-form-urlencoded`, and chooses the latter by itself (octokit/webhooks.js#158).
#[tokio::test]
async fn every_content_type_that_github_offers_is_read() {
    let star = json!({"action":"created","starred_at":"2026-11-21T21:00:00Z","sender":{"login":"ada & co"},"repository":{"full_name":"a/b"}}).to_string();
    let encoded: String = percent_encoding::utf8_percent_encode(&star, percent_encoding::NON_ALPHANUMERIC).to_string();
    for (kind, body) in [
        ("application/json", star.clone().into_bytes()),
        ("application/json; charset=utf-8", [b"\xef\xbb\xbf", star.as_bytes()].concat()),
        ("application/x-www-form-urlencoded", format!("payload={encoded}").into_bytes()),
        (
            "application/x-www-form-urlencoded; charset=UTF-8",
            format!("payload={}", encoded.replace("%20", "+")).into_bytes(),
        ),
        ("text/plain", format!("payload={encoded}").into_bytes()),
        ("application/json", gzip(star.as_bytes())),
    ] {
        let fixture = Fixture::new();
        let answer = github(&fixture, "star", kind, &body).await;
        assert_eq!((answer.status, &answer.body["accepted"]), (200, &json!(1)), "{kind}: {}", answer.body);
        let events = fixture.events();
        assert_eq!(
            (events[0].counted_as(), events[0].identity().unwrap().to_string().as_str()),
            ("Repository Starred", "external:github_login:ada & co")
        );
    }
    let fixture = Fixture::new();
    let answer = github(&fixture, "star", "application/x-www-form-urlencoded", b"--boundary\r\n").await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_json"));
}

#[tokio::test]
async fn pings_and_greetings_are_answered_and_not_counted() {
    let fixture = Fixture::new();
    let ping = json!({"zen":"Design for failure.","hook_id":1,"hook":{"type":"Repository"}}).to_string();
    let encoded = percent_encoding::utf8_percent_encode(&ping, percent_encoding::NON_ALPHANUMERIC).to_string();
    for body in [ping.into_bytes(), format!("payload={encoded}").into_bytes()] {
        let answer = github(&fixture, "ping", "application/json", &body).await;
        assert_eq!((answer.status, answer.body), (200, json!({"success":true,"accepted":0,"rejected":0})));
    }
    for method in ["GET", "HEAD"] {
        assert_eq!(fixture.send(method, "/hooks/github", &[], b"").await.status, 200, "{method}");
        assert_eq!(fixture.send(method, "/hooks/web", &[], b"").await.status, 404, "{method}");
    }
    // Zendesk's test of a webhook that is not created yet, and so has no secret.
    let body =
        json!({"type":"zen:event-type:ticket.created","id":"1","time":NOW,"detail":{"id":"1","requester_id":"7"}})
            .to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==");
    let signature = BASE64.encode(hmac::sign(&key, format!("{NOW}{body}").as_bytes()).as_ref());
    let headers = [("x-zendesk-webhook-signature", &*signature), ("x-zendesk-webhook-signature-timestamp", NOW)];
    let answer = fixture.send("POST", "/hooks/zendesk", &headers, body.as_bytes()).await;
    assert_eq!((answer.status, answer.body), (200, json!({"success":true,"accepted":0,"rejected":0})));
    assert!(fixture.events().is_empty() && fixture.rejected().is_empty());
}

#[tokio::test]
async fn a_webhooks_time_is_read_in_every_spelling() {
    for timestamp in [
        json!(1_795_294_000),
        json!(1_795_294_000.0),
        json!(1_795_294_000_000_i64),
        json!("1795294000"),
        json!("2026-11-21T20:46:40Z"),
        json!("2026-11-21 20:46:40 UTC"),
        json!("2026-11-21 20:46:40"),
        json!("Sat, 21 Nov 2026 20:46:40 +0000"),
    ] {
        let fixture = Fixture::new();
        let body = json!({"type":"feature.used","timestamp":timestamp,"data":{"userId":"u","feature":"alerts"}});
        assert_eq!(standard(&fixture, "msg_1", body.to_string().as_bytes()).await.body["accepted"], 1, "{timestamp}");
        assert_eq!(fixture.events()[0].timestamp.as_second(), 1_795_294_000, "{timestamp}");
    }
    let fixture = Fixture::new();
    let body = json!({"type":"feature.used","timestamp":1_795_294_000.5,"data":{"userId":"u"}});
    assert_eq!(standard(&fixture, "msg_1", body.to_string().as_bytes()).await.body["accepted"], 1);
    assert_eq!(fixture.events()[0].timestamp.as_millisecond(), 1_795_294_000_500);
}

/// `sources.toml`: "a list of places of which the first that holds something counts".
#[tokio::test]
async fn null_empty_text_and_words_for_no_id_hold_nothing() {
    for nothing in [json!(null), json!(""), json!("  "), json!("null"), json!("undefined"), json!(0)] {
        let fixture = Fixture::new();
        let body = json!({"type":"feature.used","timestamp":"","data":{"userId":nothing,"user_id":42,"accountId":nothing,"account_id":"acct","feature":""}});
        let answer = standard(&fixture, "msg_1", body.to_string().as_bytes()).await;
        assert_eq!(answer.body, json!({"success":true,"accepted":1,"rejected":0}), "{nothing}");
        let event = fixture.events().remove(0);
        assert_eq!((event.user_id.unwrap().as_str(), event.group_id.unwrap().as_str()), ("42", "acct"));
        assert_eq!((event.timestamp, event.properties.len()), (event.received_at, 0));
    }
    // Every list of places in the shipped configuration behaves the same.
    let headers = http::HeaderMap::new();
    let zendesk = CONFIG.sources.iter().find(|source| source.id.as_str() == "zendesk").unwrap();
    let body = json!({"id":"01H","type":"zen:event-type:ticket.created","detail":{"id":"5159","requester_id":"777","external_id":"","priority":null}});
    let scheme = perennial_config::sources::Scheme::Zendesk;
    let signed = Some(mapping::Signed { headers: &headers, scheme });
    let payload = mapping::Payload { body: &body, signed, place: None };
    let (_, call) = mapping::calls(&zendesk.id, zendesk.hook.as_ref().unwrap().maps().unwrap(), payload, "").remove(0);
    let id = &call["context"]["externalIds"][0];
    assert_eq!((&id["type"], &id["id"], call.get("userId")), (&json!("zendesk_user_id"), &json!("777"), None));
    assert_eq!(call["properties"], json!({"ticket":"5159"}));
}

async fn hubspot(fixture: &Fixture, body: &Value) -> Answered {
    let (body, millis) = (body.to_string(), format!("{}000", seconds()));
    let signature =
        BASE64.encode(&mac(&[b"POST", b"https://hooks.example.com/hooks/hubspot", body.as_bytes(), millis.as_bytes()]));
    let headers = [
        ("host", "hooks.example.com"),
        ("x-hubspot-signature-v3", &*signature),
        ("x-hubspot-request-timestamp", &*millis),
    ];
    fixture.send("POST", "/hooks/hubspot", &headers, body.as_bytes()).await
}

/// HubSpot delivers up to ten times, counting in `attemptNumber`, in varying batches; an `eventId` is not guaranteed to
/// be unique.
#[tokio::test]
async fn a_change_that_hubspot_delivers_again_has_its_id_wherever_it_stands() {
    let change = |property: &str, attempt: u8| {
        json!({"eventId":7,"subscriptionType":"contact.propertyChange","objectId":1,"propertyName":property,"propertyValue":"x",
            "occurredAt":1_795_294_000_123_u64,"attemptNumber":attempt})
    };
    let fixture = Fixture::new();
    assert_eq!(hubspot(&fixture, &json!([change("plan", 0), change("city", 0)])).await.body["accepted"], 2);
    assert_eq!(hubspot(&fixture, &json!([change("city", 1)])).await.body["accepted"], 1);
    let ids: Vec<_> = fixture.events().into_iter().map(|event| event.message_id).collect();
    assert_ne!(ids[0], ids[1], "two changes of one event id are two");
    assert_eq!(ids[1], ids[2]);
}

#[tokio::test]
async fn a_delivery_without_an_id_is_told_by_its_payload() {
    let mut config = CONFIG.clone();
    let app = config.sources.iter_mut().find(|source| source.id.as_str() == "app").unwrap();
    remap(app, |map| map.message_id.clear());
    let mut fixture = Fixture::new();
    fixture.deps.config = ConfigHandle::fixed(config);
    let body = |user: &str| json!({"type":"user.created","data":{"userId":user}}).to_string();
    for (id, user) in [("msg_1", "u"), ("msg_2", "u"), ("msg_3", "v")] {
        assert_eq!(standard(&fixture, id, body(user).as_bytes()).await.body["accepted"], 2);
    }
    let ids: Vec<_> = fixture.events().into_iter().map(|event| event.message_id).collect();
    let [identify, signed_up, again, _, other, _] = &ids[..] else { unreachable!("{ids:?}") };
    assert_eq!(identify, again);
    assert!(identify != signed_up && identify != other);
}

/// Otherwise an unreadable body would be dropped silently.
#[tokio::test]
async fn a_body_that_is_no_payload_is_told() {
    let event = json!({"type":"feature.used","data":{"userId":"u"}}).to_string();
    let fixture = Fixture::new();
    let twice = json!(event).to_string();
    assert_eq!(standard(&fixture, "msg_1", twice.as_bytes()).await.body["accepted"], 1, "JSON in a JSON text");
    for body in ["7", "null", "true", "\"text\"", "\"7\""] {
        let answer = standard(&fixture, "msg_2", body.as_bytes()).await;
        assert_eq!((answer.status, answer.code()), (400, "not_an_object"), "{body}");
    }
    let multipart = format!("--b\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{event}\r\n--b--\r\n");
    let answer = standard(&fixture, "msg_3", multipart.as_bytes()).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_json"));
}

#[tokio::test]
async fn ids_of_a_webhook_that_stand_for_nothing_leave_the_next_place_its_turn() {
    for nothing in [json!([]), json!({}), json!("null"), json!(0)] {
        let fixture = Fixture::new();
        let body = json!({"type":"feature.used","data":{"userId":nothing,"user_id":42}}).to_string();
        assert_eq!(standard(&fixture, "msg_1", body.as_bytes()).await.body["accepted"], 1, "{nothing}");
        assert_eq!(fixture.events()[0].user_id.as_ref().unwrap().as_str(), "42");
    }
    // An invalid delivery id cannot identify repeats; the payload does.
    let fixture = Fixture::new();
    for user in ["u", "v", "u"] {
        let body = json!({"type":"feature.used","data":{"userId":user}}).to_string();
        assert_eq!(standard(&fixture, "null", body.as_bytes()).await.body["accepted"], 1);
    }
    let ids: Vec<_> = fixture.events().into_iter().map(|event| event.message_id).collect();
    assert!(ids[0] != ids[1] && ids[0] == ids[2], "{ids:?}");
}

#[tokio::test]
async fn warnings_name_the_senders_payload() {
    let fixture = Fixture::new();
    let user = |id: &str, data: Value| json!({"type":"user.created","timestamp":NOW,"data":{"userId":id,"plan":data}});
    let body = json!([user("u", json!("pro")), user("v", json!("y".repeat(1_100)))]).to_string();
    let answer = standard(&fixture, "msg_1", body.as_bytes()).await;
    assert_eq!((&answer.body["accepted"], &answer.body["warnings"][0]["index"]), (&json!(4), &json!(1)));
}

#[tokio::test]
async fn zoom_asks_for_the_secret_and_then_registrations_become_events_of_the_address() {
    let fixture = Fixture::new();
    let send = async |body: &str| {
        let signature = format!("v0={}", HEXLOWER.encode(&mac(&[b"v0:", seconds().as_bytes(), b":", body.as_bytes()])));
        let headers = [("x-zm-signature", &*signature), ("x-zm-request-timestamp", &*seconds())];
        fixture.send("POST", "/hooks/zoom", &headers, body.as_bytes()).await
    };
    let asked = r#"{"event":"endpoint.url_validation","event_ts":1795298400000,"payload":{"plainToken":"abc"}}"#;
    let answer = send(asked).await;
    let expected = json!({ "plainToken": "abc", "encryptedToken": HEXLOWER.encode(&mac(&[b"abc"])) });
    assert_eq!((answer.status, answer.body), (200, expected));
    assert_eq!(fixture.send("POST", "/hooks/zoom", &[], asked.as_bytes()).await.status, 401, "anyone could ask");

    let object = |rest: Value| {
        let mut object = json!({"uuid": "x==", "id": "98765432101", "host_id": "h", "topic": "getting-started", "type": 5,
            "start_time": "2026-11-24T15:00:00Z", "duration": 60, "timezone": "Europe/Rome"});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    let registrant = json!({"registrant": {"id": "r1", "first_name": "Ada", "last_name": "Byron", "email": "Ada@acme.example",
        "status": "approved", "join_url": "https://zoom.example/w/1"}});
    let registered = json!({"event": "webinar.registration_created", "event_ts": 1_795_298_400_000_u64,
        "payload": {"account_id": "a", "object": object(registrant)}});
    assert_eq!(send(&registered.to_string()).await.body["accepted"], 2);
    let joined = |email: &str| {
        let participant = json!({"participant": {"user_id": "1", "user_name": "Ada", "id": "", "registrant_id": "r1", "email": email,
            "join_time": "2026-11-24T15:01:00Z"}});
        json!({"event": "webinar.participant_joined", "event_ts": 1_795_298_401_000_u64, "payload": {"account_id": "a", "object": object(participant)}})
    };
    assert_eq!(send(&joined("Ada@acme.example").to_string()).await.body["accepted"], 2);
    assert_eq!(send(&joined("").to_string()).await.body["accepted"], 0, "who joins by telephone is not known");
    let events = fixture.events();
    let names: Vec<&str> = events.iter().map(Event::counted_as).collect();
    assert_eq!(names, ["$identify", "Webinar Registered", "$identify", "Webinar Attended"]);
    assert_eq!(
        (&events[0].traits["email"], &events[2].traits["email"]),
        (&json!("Ada@acme.example"), &json!("Ada@acme.example"))
    );
    let ids = |event: &Event| event.identity().unwrap().as_str().to_owned();
    assert!(events.iter().all(|event| ids(event) == "zoom_email:ada@acme.example"), "in one spelling");
    // A lost connection: the same person joins the same webinar again.
    let again = joined("Ada@acme.example").to_string().replace("1795298401000", "1795298491000");
    assert_eq!(send(&again).await.body["accepted"], 2);
    let attended = |event: &&Event| event.counted_as() == "Webinar Attended";
    let all = fixture.events();
    let attendances: BTreeSet<&str> = all.iter().filter(attended).map(|event| event.message_id.as_str()).collect();
    assert_eq!((all.iter().filter(attended).count(), attendances.len()), (2, 1), "one id: it counts once");
    assert_eq!(
        (&events[1].properties["webinar"], &events[1].properties["starts_at"]),
        (&json!("getting-started"), &json!("2026-11-24T15:00:00Z"))
    );
    assert_eq!(fixture.rejects.0.lock().unwrap().len(), 1, "and is a reject with its reason");
}
