#![allow(clippy::unwrap_used)]
use super::*;
use crate::queue::EventsPayload;
use crate::tracking::{Route, read, time};
use jiff::Timestamp;
use perennial_domain::{Event, SourceId};
use proptest::prelude::*;
use serde_json::json;

const NOW: &str = "2026-06-01T12:00:00Z";

fn accept_all(route: Route, body: &str) -> Vec<Result<Event, Invalid>> {
    let body = read(route, body).unwrap();
    let mut received = received(body.sent_at());
    let mut out = "x".to_owned();
    let mut events = Vec::new();
    for item in &body.items {
        let mut accepted = Vec::new();
        match item.accept(&mut received, &mut out, &mut accepted) {
            Ok(()) => events.extend(accepted.into_iter().map(|accepted| Ok(parse(&out[accepted.json])))),
            Err(invalid) => events.push(Err(invalid)),
        }
    }
    events
}

fn received(sent_at: Option<Timestamp>) -> Received {
    Received::new(SourceId::parse("web").unwrap(), NOW.parse().unwrap(), sent_at, [7; 16])
}

/// Parses an event as `score` does, from the queue's payload.
fn parse(event: &str) -> Event {
    let payload = format!("{{\"events.v1\":{{\"events\":[{event}]}}}}");
    match serde_json::from_str(&payload) {
        Ok(EventsPayload::Events { mut events }) => events.remove(0),
        other => unreachable!("{other:?}: {event}"),
    }
}

fn one(event: serde_json::Value) -> Result<Event, Invalid> {
    accept_all(Route::Batch(Dialect::Segment), &json!({ "batch": [event] }).to_string()).remove(0)
}

fn code(event: serde_json::Value) -> (Code, &'static str) {
    let invalid = one(event).unwrap_err();
    (invalid.code, invalid.path)
}

#[test]
fn a_track_becomes_the_event_that_the_queue_carries() {
    let event =
        one(json!({"type":"track","event":" Order Completed ","userId":"u-1","anonymousId":null,"messageId":"m-1",
        "timestamp":"2026-05-31T12:00:00.500000+02:00","properties":{"revenue":39.9,"a":[1,{"b":null}]},
        "context":{"groupId":"acct-9","library":{"name":"x"}},"integrations":{},"_metadata":{}}));
    let expected = json!({"messageId":"m-1","type":"track","userId":"u-1","timestamp":"2026-05-31T10:00:00.5Z",
        "originalTimestamp":"2026-05-31T10:00:00.5Z","receivedAt":NOW,"source":"web","event":"Order Completed","groupId":"acct-9",
        "properties":{"revenue":39.9,"a":[1,{"b":null}]},"context":{"groupId":"acct-9","library":{"name":"x"}}});
    assert_eq!(serde_json::to_value(event.unwrap()).unwrap(), expected);
}

#[test]
fn traits_are_found_where_each_client_puts_them() {
    let segment =
        one(json!({"type":"identify","userId":"u","traits":{"plan":"pro"},"context":{"traits":{"plan":"old"}}}))
            .unwrap();
    assert_eq!(segment.traits["plan"], "pro");
    let rudder = one(json!({"type":"identify","userId":"u","context":{"traits":{"plan":"pro"}}})).unwrap();
    assert_eq!(rudder.traits["plan"], "pro");
    let group =
        one(json!({"type":"group","userId":"u","groupId":"a","context":{"traits":{"email":"of the person"}}})).unwrap();
    assert!(group.traits.is_empty(), "an account has no traits of a person's");
}

/// Values are cleaned and standardized, or rejected with a reason.
#[test]
fn traits_are_standardised_and_the_event_says_what_was_done() {
    let identify = json!({"type":"identify","userId":"u","messageId":"m","context":{"ip":"::1"},
        "traits":{"email":" Ada@EXAMPLE.com","name":"ADA","phone":"12","country":"uk","n":1.50}});
    let event = one(identify).unwrap();
    assert_eq!(
        serde_json::Value::from(event.traits),
        json!({"email":"Ada@example.com","name":"Ada","country":"GB","n":1.5})
    );
    let hygiene = json!([{"field":"country","change":"country as ISO 3166-1 alpha-2"}, {"field":"email","change":"domain in lower case"},
        {"field":"name","change":"title case"}, {"field":"phone","dropped":"no such number exists"}]);
    assert_eq!(serde_json::Value::from(event.context), json!({"ip":"::1","hygiene":hygiene}));

    let group = json!({"type":"group","userId":"u","groupId":"a","traits":{"website":"https://www.Acme.com/"}});
    let event = one(group).unwrap();
    assert_eq!(event.traits["website"], "acme.com");
    assert_eq!(event.context["hygiene"][0]["field"], "website");

    let nothing_left = one(json!({"type":"identify","userId":"u","traits":{"email":"null"}})).unwrap();
    assert!(nothing_left.traits.is_empty());
    assert_eq!(nothing_left.context["hygiene"], json!([{"field":"email","dropped":"stands for nothing"}]));
}

#[test]
fn traits_in_their_normal_form_and_other_calls_are_passed_as_they_stand() {
    let identify =
        one(json!({"type":"identify","userId":"u","traits":{"email":"Ada@example.com","name":"Ada McKay"}})).unwrap();
    assert!(identify.context.is_empty());
    let track =
        one(json!({"type":"track","userId":"u","event":"E","properties":{"email":"X@X"},"traits":{"email":"X"}}))
            .unwrap();
    assert_eq!((&track.properties["email"], track.context.is_empty()), (&json!("X@X"), true));
}

#[test]
fn empty_and_null_ids_are_none() {
    let event =
        one(json!({"type":"page","userId":"","anonymousId":" a ","name":null,"groupId":"","messageId":"m"})).unwrap();
    assert_eq!((event.user_id, event.anonymous_id.unwrap().as_str(), event.group_id), (None, "a", None));
    assert_eq!(code(json!({"type":"page","userId":"","anonymousId":null})), (Code::NoIdentity, "userId"));
    assert_eq!(code(json!({"type":"track","userId":"u","event":"  "})), (Code::Missing, "event"));
}

#[test]
fn whole_numbers_are_ids_and_other_types_are_not() {
    for whole in [json!(42), json!(42.0)] {
        assert_eq!(one(json!({"type":"page","userId":whole})).unwrap().user_id.unwrap().as_str(), "42");
    }
    for wrong in [json!(1.5), json!(true), json!({"a":1}), json!(["u"])] {
        assert_eq!(code(json!({"type":"page","userId":wrong})), (Code::WrongType, "userId"));
    }
    assert_eq!(code(json!({"type":"track","userId":"u","event":["x"]})), (Code::WrongType, "event"));
    assert_eq!(
        code(json!({"type":"track","userId":"u","event":"x","properties":"p"})),
        (Code::WrongType, "properties")
    );
    assert_eq!(code(json!({"type":"page","userId":"u","context":[1]})), (Code::WrongType, "context"));
    assert_eq!(code(json!({"type":"page","userId":"u","timestamp":true})), (Code::WrongType, "timestamp"));
    assert_eq!(code(json!({"type":"page","userId":"u","timestamp":42})), (Code::InvalidValue, "timestamp"));
    assert_eq!(code(json!({"type":7,"userId":"u"})), (Code::WrongType, "type"));
    assert_eq!(code(json!({"type":"purchase","userId":"u"})), (Code::InvalidValue, "type"));
    assert_eq!(code(json!({"userId":"u"})), (Code::Missing, "type"));
    assert_eq!(code(json!(7)), (Code::NotAnObject, ""));
}

#[test]
fn what_a_call_needs_is_said() {
    assert_eq!(code(json!({"type":"track","userId":"u"})), (Code::Missing, "event"));
    assert_eq!(code(json!({"type":"group","userId":"u"})), (Code::Missing, "groupId"));
    assert_eq!(code(json!({"type":"alias","userId":"u"})), (Code::Missing, "previousId"));
    assert_eq!(code(json!({"type":"alias","previousId":"a"})), (Code::Missing, "userId"));
    let invalid = one(json!({"type":"page","userId":"a\r\nBcc: b"})).unwrap_err();
    assert_eq!((invalid.code, invalid.path), (Code::InvalidValue, "userId"));
    assert!(!invalid.to_string().contains("Bcc"), "the event is not repeated");
    assert_eq!(code(json!({"type":"page","userId":"x".repeat(257)})), (Code::InvalidValue, "userId"));
}

#[test]
fn times_out_of_reason_are_refused_and_history_is_not() {
    let at = |timestamp: &str| one(json!({"type":"page","userId":"u","timestamp":timestamp}));
    assert_eq!(at("1990-01-01T00:00:00Z").unwrap().timestamp, time::EARLIEST);
    assert_eq!(at("1989-12-31T23:59:59Z").unwrap_err().code, Code::TimestampTooOld);
    assert_eq!(at("1970-01-01T00:00:00Z").unwrap_err().code, Code::TimestampTooOld);
    assert!(at("2026-06-02T12:00:00Z").is_ok());
    assert_eq!(at("2026-06-02T12:00:01Z").unwrap_err().code, Code::TimestampInFuture);
    assert_eq!(at("soon").unwrap_err().code, Code::InvalidValue);
    assert_eq!(one(json!({"type":"page","userId":"u"})).unwrap().timestamp, NOW.parse().unwrap());
    assert_eq!(one(json!({"type":"page","userId":"u"})).unwrap().original_timestamp, None);
}

#[test]
fn the_clients_clock_is_corrected_and_its_own_word_kept() {
    let body = json!({"batch":[{"type":"page","userId":"u","originalTimestamp":"2026-06-01T09:50:00Z"},
        {"type":"page","userId":"u","timestamp":"2031-01-01T00:00:00Z","sentAt":"2031-01-01T00:00:10Z"}],"sentAt":"2026-06-01T10:00:00Z"});
    let events = accept_all(Route::Batch(Dialect::Segment), &body.to_string());
    let times = |i: usize| {
        events[i]
            .as_ref()
            .map(|event| (event.timestamp.to_string(), event.original_timestamp.unwrap().to_string()))
            .unwrap()
    };
    assert_eq!(times(0), ("2026-06-01T11:50:00Z".to_owned(), "2026-06-01T09:50:00Z".to_owned()));
    assert_eq!(
        times(1),
        ("2026-06-01T11:59:50Z".to_owned(), "2031-01-01T00:00:00Z".to_owned()),
        "an item's own sentAt comes first"
    );
}

/// As in Segment's API, a client that wants a repeated event counted once sends its `messageId`.
#[test]
fn an_event_without_an_id_is_an_event_of_its_own_each_time() {
    let event = json!({"type":"track","userId":"u","event":"A","timestamp":"2026-01-01T00:00:00Z"});
    let events = accept_all(
        Route::Batch(Dialect::Segment),
        &json!({"batch":[event, event, {"messageId":"", "type":"page", "userId":"u"}]}).to_string(),
    );
    let ids: std::collections::BTreeSet<String> =
        events.into_iter().map(|event| event.unwrap().message_id.as_str().to_owned()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(ids.iter().all(|id| id.len() == 36), "a UUID each: {ids:?}");
}

/// analytics-ruby#66: several events of one second have one timestamp; without timestamps all of a batch have that of receipt.
#[test]
fn equal_timestamps_of_a_batch_are_a_microsecond_apart_in_its_order() {
    let page = |fields: serde_json::Value| {
        let mut page = json!({"type":"page","userId":"u"});
        page.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        page
    };
    let at = "2026-05-31T12:00:00.000Z";
    let batch = json!({"batch":[page(json!({})), page(json!({"timestamp":at})), page(json!({"timestamp":"2026-05-31T14:00:00+02:00"})), page(json!({})), page(json!({"timestamp":at}))]});
    let events = accept_all(Route::Batch(Dialect::Segment), &batch.to_string());
    let of = |event: &Result<Event, Invalid>| {
        let event = event.as_ref().unwrap();
        (event.timestamp.to_string(), event.original_timestamp.map(|at| at.to_string()), event.received_at.to_string())
    };
    let said = || Some("2026-05-31T12:00:00Z".to_owned());
    let expected = [
        ("2026-06-01T12:00:00Z", None),
        ("2026-05-31T12:00:00Z", said()),
        ("2026-05-31T12:00:00.000001Z", said()),
        ("2026-06-01T12:00:00.000001Z", None),
        ("2026-05-31T12:00:00.000002Z", said()),
    ]
    .map(|(at, said)| (at.to_owned(), said, NOW.to_owned()));
    assert_eq!(events.iter().map(of).collect::<Vec<_>>(), expected);
}

#[test]
fn timestamps_are_read_in_the_spellings_of_clients_and_databases() {
    for timestamp in [
        json!(1_772_357_400),
        json!(1_772_357_400_000_i64),
        json!(1_772_357_400.0),
        json!("1772357400000"),
        json!("1772357400000000"),
        json!("2026-03-01 09:30:00 UTC"),
        json!("2026-03-01 09:30:00 +0000"),
        json!("2026-03-01 09:30:00"),
        json!("Sun, 01 Mar 2026 09:30:00 +0000"),
        json!({"$date": "2026-03-01T09:30:00Z"}),
    ] {
        for field in ["timestamp", "originalTimestamp"] {
            let event = one(json!({"type":"page","userId":"u",field:timestamp})).unwrap();
            let expected: Timestamp = "2026-03-01T09:30:00Z".parse().unwrap();
            assert_eq!((event.timestamp, event.original_timestamp), (expected, Some(expected)), "{field} {timestamp}");
        }
    }
    let event = one(json!({"type":"page","userId":"u","timestamp":"","originalTimestamp":1_772_357_400.25})).unwrap();
    assert_eq!(event.timestamp.to_string(), "2026-03-01T09:30:00.25Z");
    // Ten minutes before it was sent, by a clock that is two hours slow and counts in seconds.
    let body = json!({"batch":[{"type":"page","userId":"u","timestamp":1_780_307_400}],"sentAt":1_780_308_000});
    let events = accept_all(Route::Batch(Dialect::Segment), &body.to_string());
    assert_eq!(events[0].as_ref().unwrap().timestamp.to_string(), "2026-06-01T11:50:00Z");
}

/// Segment's and Customer.io's HTTP API: the batch's context applies to all its calls.
#[test]
fn a_batchs_context_is_that_of_its_calls_and_their_own_wins() {
    let calls = json!([{"type":"track","userId":"u","event":"E"},
        {"type":"track","userId":"u","event":"E","context":{"groupId":"own","timezone":null,"app":{"version":"2"}}},
        {"type":"track","userId":"u","event":"E","groupId":"call","context":[]},
        {"type":"identify","userId":"u","context":{"ip":"::1"}}]);
    let context =
        json!({"groupId":"acct","timezone":"Asia/Tokyo","app":{"name":"shop","version":"1"},"traits":{"plan":"pro"}});
    for body in [
        format!("{{\"batch\":{calls},\"context\":{context},\"integrations\":{{\"All\":true}}}}"),
        format!("{{\"context\":{context},\"batch\":{calls}}}"),
    ] {
        let events: Vec<Event> =
            accept_all(Route::Batch(Dialect::Segment), &body).into_iter().map(Result::unwrap).collect();
        let groups: Vec<&str> = events.iter().map(|event| event.group_id.as_ref().unwrap().as_str()).collect();
        assert_eq!(groups, ["acct", "own", "call", "acct"]);
        assert_eq!(serde_json::Value::from(events[0].context.clone()), context);
        assert_eq!(
            (&events[1].context["timezone"], &events[1].context["app"]),
            (&json!("Asia/Tokyo"), &json!({"name":"shop","version":"2"}))
        );
        assert_eq!((&events[3].context["ip"], &events[3].traits["plan"]), (&json!("::1"), &json!("pro")));
    }
    let wrong =
        accept_all(Route::Batch(Dialect::Segment), r#"{"batch":[{"type":"page","userId":"u"}],"context":"web"}"#);
    assert_eq!(wrong[0].as_ref().unwrap_err().path, "context");
    let flawed = accept_all(
        Route::Batch(Dialect::Segment),
        r#"{"batch":[{"type":"page","userId":"u"}],"context":{"a":"\ud800"}}"#,
    );
    assert_eq!(flawed[0].as_ref().unwrap_err().code, Code::LoneSurrogate);
    let none = accept_all(Route::Batch(Dialect::Segment), r#"{"batch":[{"type":"page","userId":"u"}],"context":null}"#);
    assert!(none[0].as_ref().unwrap().context.is_empty());
    let large = json!({"batch":[{"type":"page","userId":"u"}],"context":{"a":"x".repeat(MAX_EVENT_BYTES)}});
    assert_eq!(
        accept_all(Route::Batch(Dialect::Segment), &large.to_string())[0].as_ref().unwrap_err().code,
        Code::EventTooLarge
    );
}

/// PHP writes `[]` for an object without members.
#[test]
fn empty_arrays_and_texts_are_absent_objects() {
    for nothing in [json!([]), json!(""), json!(null), json!({})] {
        let event =
            one(json!({"type":"track","userId":"u","event":"E","properties":nothing,"context":nothing})).unwrap();
        assert!(event.properties.is_empty() && event.context.is_empty());
        let event =
            one(json!({"type":"identify","userId":"u","traits":nothing,"context":{"traits":{"plan":"pro"}}})).unwrap();
        assert_eq!(event.traits["plan"], "pro");
    }
}

#[test]
fn the_contexts_account_is_taken_where_the_calls_own_stands_for_none() {
    for nothing in [json!("null"), json!(""), json!(0), json!(null)] {
        let event = one(json!({"type":"page","userId":"u","groupId":nothing,"context":{"groupId":"acct"}})).unwrap();
        assert_eq!(event.group_id.unwrap().as_str(), "acct");
    }
}

#[test]
fn posthogs_person_properties_are_an_identify_beside_the_event() {
    let body = json!({"batch":[{"event":"Signed In","distinct_id":"u","uuid":"m","timestamp":"2026-05-31T10:00:00Z",
        "properties":{"$set":{"email":"A@ACME.com"},"$set_once":{"email":"B@ACME.com","source":"google"},"$unset":["city"]}}]});
    let events: Vec<Event> =
        accept_all(Route::Batch(Dialect::PostHog), &body.to_string()).into_iter().map(Result::unwrap).collect();
    let [track, identify] = &events[..] else { unreachable!() };
    assert_eq!((track.counted_as(), identify.counted_as()), ("Signed In", "$identify"));
    assert_eq!((track.message_id.as_str(), identify.message_id.as_str()), ("m", "m:$set"));
    assert_eq!(serde_json::Value::from(identify.traits.clone()), json!({"email":"A@acme.com","city":null}));
    assert_eq!(serde_json::Value::from(identify.traits_once.clone()), json!({"email":"B@acme.com","source":"google"}));
    assert!(track.timestamp < identify.timestamp);
}

#[test]
fn a_group_that_nobody_made_has_no_identity_and_nothing_else_may() {
    let body = json!({"batch":[{"event":"$groupidentify","distinct_id":"$company_acme",
        "properties":{"$group_type":"company","$group_key":"acme","$group_set":{"name":"Acme"}}},
        {"event":"$groupidentify","properties":{"$group_type":"company"}}, {"event":"E"}]});
    let events = accept_all(Route::Batch(Dialect::PostHog), &body.to_string());
    let group = events[0].as_ref().unwrap();
    assert_eq!((group.identity(), group.group_id.as_ref().unwrap().as_str()), (None, "acme"));
    assert_eq!(events[1].as_ref().unwrap_err().path, "groupId");
    assert_eq!(events[2].as_ref().unwrap_err().code, Code::NoIdentity);
    assert_eq!(code(json!({"type":"group","groupId":"a"})).0, Code::NoIdentity);
}

/// `serde_json` reads an object with such a key as something else.
#[test]
fn names_that_readers_keep_for_themselves_are_rejected() {
    for name in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
        for properties in [json!({"x": {name: "abc"}}), json!({ name: "1" })] {
            let event = json!({"type":"page","userId":"u","properties":properties});
            assert_eq!(code(event).0, Code::ReservedName, "{properties}");
        }
    }
    let escaped = r#"{"type":"page","userId":"u","properties":{"x":{"\u0024serde_json::private::RawValue":"abc"}}}"#;
    let events = accept_all(Route::Batch(Dialect::Segment), &format!("{{\"batch\":[{escaped}]}}"));
    assert_eq!(events[0].as_ref().unwrap_err().code, Code::ReservedName);
    assert!(one(json!({"type":"page","userId":"u","properties":{"$serde_json":1}})).is_ok());
}

#[test]
fn midnight_at_the_end_of_a_day_reaches_the_queue() {
    for said in ["2026-03-01T24:00:00Z", "2026-03-01T24:00:00.000Z"] {
        let next: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
        for field in ["timestamp", "originalTimestamp"] {
            let event = one(json!({"type":"page","userId":"u",field:said})).unwrap();
            assert_eq!((event.timestamp, event.original_timestamp), (next, Some(next)), "{field}");
        }
    }
}

#[test]
fn a_time_that_stands_for_none_is_absent_and_told() {
    for nothing in [
        json!(0),
        json!("0"),
        json!("null"),
        json!("undefined"),
        json!("Invalid Date"),
        json!("0001-01-01T00:00:00Z"),
        json!("0000-00-00 00:00:00"),
    ] {
        let event = one(json!({"type":"page","userId":"u","timestamp":nothing})).unwrap();
        assert_eq!((event.timestamp.to_string(), event.original_timestamp), (NOW.to_owned(), None), "{nothing}");
        assert_eq!(event.context["hygiene"], json!([{"field":"timestamp","dropped":"stands for nothing"}]));
        let event = one(json!({"type":"page","userId":"u","timestamp":nothing,"originalTimestamp":"2026-03-01"}));
        assert_eq!(event.unwrap().timestamp.to_string(), "2026-03-01T00:00:00Z");
    }
}

/// As an id it would make all further events of the person look like repeats.
#[test]
fn a_message_id_that_stands_for_nothing_is_absent_and_told() {
    for nothing in [
        json!("null"),
        json!("undefined"),
        json!("None"),
        json!("NaN"),
        json!(0),
        json!("00000000-0000-0000-0000-000000000000"),
    ] {
        let event = one(json!({"type":"page","userId":"u","messageId":nothing})).unwrap();
        assert_eq!(event.message_id.as_str().len(), 36, "{nothing}");
        assert_eq!(event.context["hygiene"][0]["field"], "messageId");
    }
    assert_eq!(one(json!({"type":"page","userId":"u","messageId":42.0})).unwrap().message_id.as_str(), "42");
}

/// RudderStack's specification requires `channel` at the root of each call.
#[test]
fn the_channel_of_the_call_is_that_of_its_context() {
    let of = |event: serde_json::Value| one(event).unwrap().context.get("channel").cloned();
    let call = |channel: serde_json::Value, context: serde_json::Value| json!({"type":"identify","userId":"u","channel":channel,"context":context});
    assert_eq!(of(call(json!("server"), json!(null))), Some(json!("server")));
    assert_eq!(of(call(json!("sources"), json!({"ip":"::1"}))), Some(json!("sources")));
    assert_eq!(of(call(json!("server"), json!({"channel":"web"}))), Some(json!("web")), "the context's own wins");
    for nothing in [json!(null), json!(7), json!({})] {
        assert_eq!(of(call(nothing, json!({}))), None);
    }
    let batch = r#"{"batch":[{"type":"identify","userId":"u","channel":"server"}],"context":{"ip":"::1"}}"#;
    let event = accept_all(Route::Batch(Dialect::Segment), batch).remove(0).unwrap();
    assert_eq!(serde_json::Value::from(event.context), json!({"ip":"::1","channel":"server"}));
}

#[test]
fn what_is_imported_says_so_whatever_its_rows_say() {
    let calls =
        r#"[{"type":"identify","userId":"u"},{"type":"track","userId":"u","event":"E","context":{"channel":"web"}}]"#;
    for event in accept_all(Route::Import, &format!("{{\"batch\":{calls}}}")) {
        assert_eq!(event.unwrap().context["channel"], "import");
    }
    let posthog = r#"{"historical_migration":true,"batch":[{"event":"$set","distinct_id":"u","$set":{"a":1}}]}"#;
    let event = accept_all(Route::Batch(Dialect::PostHog), posthog).remove(0).unwrap();
    assert_eq!(event.context["channel"], "import");
}

#[test]
fn empty_arrays_and_objects_are_absent_ids() {
    for nothing in [json!([]), json!({})] {
        let event = one(json!({"type":"page","userId":"u","anonymousId":nothing,"groupId":nothing,"messageId":nothing,
            "context":{"groupId":nothing}}))
        .unwrap();
        assert_eq!((event.anonymous_id, event.group_id), (None, None), "{nothing}");
        assert_eq!(code(json!({"type":"page","userId":nothing})), (Code::NoIdentity, "userId"));
    }
}

#[test]
fn what_readers_would_refuse_is_rejected_by_itself() {
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let properties =
        [r#"{"a":"\ud800"}"#.to_owned(), r#"{"a":1e999}"#.to_owned(), format!("{{\"a\":{deep}}}"), "{}".to_owned()];
    let items = properties.map(|p| format!("{{\"type\":\"page\",\"userId\":\"u\",\"properties\":{p}}}"));
    let codes: Vec<_> = accept_all(Route::Batch(Dialect::Segment), &format!("{{\"batch\":[{}]}}", items.join(",")))
        .into_iter()
        .map(|event| event.map(drop).map_err(|invalid| invalid.code))
        .collect();
    assert_eq!(codes, [Err(Code::LoneSurrogate), Err(Code::NumberOutOfRange), Err(Code::TooDeep), Ok(())]);
}

#[test]
fn an_event_of_more_than_32_kb_is_rejected() {
    let event = |n: usize| json!({"type":"page","userId":"u","properties":{"a":"x".repeat(n)}});
    let overhead = event(0).to_string().len();
    assert!(one(event(MAX_EVENT_BYTES - overhead)).is_ok());
    assert_eq!(code(event(MAX_EVENT_BYTES - overhead + 1)).0, Code::EventTooLarge);
}

#[test]
fn characters_that_sqs_refuses_are_escaped() {
    let event = one(json!({"type":"page","userId":"u\u{fffe}","properties":{"a":"\u{ffff}b"}})).unwrap();
    assert_eq!((event.user_id.unwrap().as_str(), &event.properties["a"]), ("u\u{fffe}", &json!("\u{ffff}b")));
    let body = "{\"userId\":\"u\",\"properties\":{\"a\":\"\u{ffff}\"}}";
    let body = read(Route::Single(EventKind::Page), body).unwrap();
    let mut out = String::new();
    body.items[0].accept(&mut received(None), &mut out, &mut Vec::new()).unwrap();
    assert!(!out.contains('\u{ffff}'));
}

/// Values as fields of an event may hold them, rightly or wrongly.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => ".{0,12}".prop_map(|text| json!(text).to_string()),
        2 => Just("\"u-1\"".to_owned()),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<f64>().prop_map(|n| json!(n).to_string()),
        2 => Just("{\"a\":[1,{\"b\":\"\\ud83d\\ude00\"}],\"a\":2}".to_owned()),
        1 => Just("{\"a\":\"\\ud83d\"}".to_owned()),
        2 => ("[A-Za-z@. \u{fffe}]{0,12}", ".{0,12}").prop_map(|(email, name)| json!({"email": email, "name": name, "hygiene": 1}).to_string()),
        1 => Just("{\"a\":-1E+400}".to_owned()),
        1 => (28_usize..40).prop_map(|n| format!("{}{}", "{\"a\":".repeat(n) + "1", "}".repeat(n))),
        1 => Just("null".to_owned()),
        1 => Just("[]".to_owned()),
        2 => Just("\"2026-01-01T00:00:00.123456+00:00\"".to_owned()),
        1 => Just("\"-009999-01-02T00:00:00Z\"".to_owned()),
        1 => Just("\"9999-12-30T00:00:00Z\"".to_owned()),
        1 => Just("\"2026-01-01T00:00:00,5Z\"".to_owned()),
        1 => Just("\"20260101T000000Z\"".to_owned()),
        1 => Just("\"Thu, 01 Jan 2026 00:00:00 GMT\"".to_owned()),
        1 => Just("1767225600.123456789".to_owned()),
        2 => timestamp(),
        1 => "[$]serde_json::private::(RawValue|Number)".prop_map(|name| json!({"x": {name: "abc"}}).to_string()),
    ]
}

/// Times of the usual shape, right and nearly right.
fn timestamp() -> impl Strategy<Value = String> {
    let parts = (1990..2026_i32, 0..14_u8, 0..33_u8, 0..26_u8, 0..62_u8, 0..62_u8, "(\\.[0-9]{0,10})?");
    parts.prop_map(|(year, month, day, hour, minute, second, fraction)| {
        format!("\"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z\"")
    })
}

/// Times in every supported spelling, for all fields that contain times.
fn spelling() -> impl Strategy<Value = String> {
    let ends_of_days = (1990..2026_i32, 1..13_u8, 1..29_u8, "T24:00:00(\\.0{1,3})?Z|T23:59:60Z| 24:00:00|T24:00Z")
        .prop_map(|(year, month, day, time)| format!("\"{year}-{month:02}-{day:02}{time}\""));
    prop_oneof![timestamp(), ends_of_days]
}

fn event() -> impl Strategy<Value = String> {
    let names = vec![
        "type",
        "messageId",
        "userId",
        "anonymousId",
        "event",
        "name",
        "groupId",
        "previousId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "properties",
        "traits",
        "context",
        "user\\u0049d",
    ];
    let kinds = proptest::sample::select(vec!["identify", "track", "page", "screen", "group", "alias"]);
    (kinds, proptest::collection::vec((proptest::sample::select(names), field()), 0..8)).prop_map(|(kind, fields)| {
        let fields: String = fields.iter().map(|(name, value)| format!(",\"{name}\" : {value}")).collect();
        format!(
            "{{\"type\":\"{kind}\",\"userId\":\"u\",\"event\":\"E\",\"groupId\":\"g\",\"previousId\":\"p\"{fields}}}"
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// `parse` fails where score would.
    #[test]
    fn whatever_is_accepted_is_read_by_score(events in proptest::collection::vec(event(), 1..4)) {
        let body = format!("{{\"sentAt\":\"2026-06-01T11:00:00Z\",\"batch\":[{}]}}", events.join(","));
        let results = accept_all(Route::Batch(Dialect::Segment), &body);
        prop_assert_eq!(results.len(), events.len());
        for event in results.into_iter().flatten() {
            prop_assert!(event.timestamp >= time::EARLIEST);
        }
    }

    #[test]
    fn a_time_is_the_same_for_the_queues_reader(spelling in spelling(), field in "timestamp|originalTimestamp") {
        let body = format!("{{\"batch\":[{{\"type\":\"page\",\"userId\":\"u\",\"{field}\":{spelling}}}]}}");
        let read = perennial_domain::timestamp::parse(&spelling);
        match accept_all(Route::Batch(Dialect::Segment), &body).remove(0) {
            Ok(event) => prop_assert_eq!((Some(event.timestamp), event.original_timestamp), (read, read)),
            Err(invalid) => prop_assert_eq!((invalid.code, read), (Code::InvalidValue, None)),
        }
    }

    #[test]
    fn posthog_events_too(fields in proptest::collection::vec((proptest::sample::select(vec!["event", "distinct_id", "uuid", "timestamp", "properties", "$set"]), field()), 0..6)) {
        let fields: String = fields.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        let results = accept_all(Route::Batch(Dialect::PostHog), &format!("{{\"batch\":[{{\"event\":\"$set\",\"distinct_id\":\"u\"{fields}}}]}}"));
        prop_assert!((1..=2).contains(&results.len()));
    }
}

#[test]
fn what_stands_for_no_id_is_none() {
    let event = one(json!({"type":"page","userId":"null","anonymousId":"a-1","groupId":"undefined"})).unwrap();
    assert_eq!((event.user_id, event.group_id), (None, None));
    assert_eq!(event.anonymous_id.unwrap().as_str(), "a-1");
    for user in [json!("[object Object]"), json!(0), json!("00000000-0000-0000-0000-000000000000"), json!("anonymous")]
    {
        assert_eq!(code(json!({"type":"page","userId":user})), (Code::NoIdentity, "userId"));
    }
    assert_eq!(code(json!({"type":"alias","userId":"u","previousId":"undefined"})), (Code::Missing, "previousId"));
    assert_eq!(code(json!({"type":"group","userId":"u","groupId":"null"})), (Code::Missing, "groupId"));
}

#[test]
fn placeholders_in_any_spelling_and_field_are_no_ids_and_are_told() {
    for word in [
        "\"null\"",
        "'undefined'",
        "%s",
        "{{user_id}}",
        "<nil>",
        "distinct_id",
        "%22null%22",
        "-1",
        "NOT_AUTHENTICATED",
        "[object Object]",
    ] {
        let event =
            one(json!({"type":"page","userId":word,"anonymousId":"a-1","groupId":word,"context":{"groupId":word}}))
                .unwrap();
        assert_eq!((event.user_id, event.group_id), (None, None), "{word}");
        let told = json!([{"field":"userId","dropped":"stands for nothing"}, {"field":"groupId","dropped":"stands for nothing"}]);
        assert_eq!(event.context["hygiene"], told, "{word}");
        let event = one(json!({"type":"identify","userId":"u","anonymousId":word})).unwrap();
        assert_eq!(event.anonymous_id, None, "{word}");
        assert_eq!(code(json!({"type":"page","anonymousId":word})), (Code::NoIdentity, "userId"), "{word}");
        assert_eq!(
            code(json!({"type":"alias","userId":"u","previousId":word})),
            (Code::Missing, "previousId"),
            "{word}"
        );
        assert_eq!(code(json!({"type":"alias","userId":word,"previousId":"p"})), (Code::Missing, "userId"), "{word}");
        assert_eq!(code(json!({"type":"group","userId":"u","groupId":word})), (Code::Missing, "groupId"), "{word}");
        let posthog = |event: serde_json::Value| {
            accept_all(Route::Batch(Dialect::PostHog), &json!({ "batch": [event] }).to_string()).remove(0)
        };
        assert!(posthog(json!({"event":"e","distinct_id":word})).is_err(), "{word}");
        assert!(
            posthog(json!({"event":"$create_alias","distinct_id":"u","properties":{"alias":word}})).is_err(),
            "{word}"
        );
        let identify = json!({"event":"$identify","distinct_id":"u","properties":{"$anon_distinct_id":word}});
        assert_eq!(posthog(identify).unwrap().anonymous_id, None, "{word}");
    }
}

#[test]
fn a_time_zone_of_the_context_that_cannot_be_read_is_told() {
    let context = |zone: serde_json::Value| {
        let event = json!({"type":"track","event":"E","userId":"u","context":{"timezone":zone}});
        one(event).unwrap().context.get("hygiene").cloned()
    };
    for zone in
        [json!("America/Los_Angeles"), json!("Pacific Standard Time"), json!("UTC-07:00"), json!(-420), json!(null)]
    {
        assert_eq!(context(zone.clone()), None, "{zone}");
    }
    let told = context(json!("Mars")).unwrap();
    assert_eq!(told[0]["field"], "context.timezone");
    assert!(told[0]["dropped"].as_str().unwrap().contains("use an IANA name such as Europe/Berlin"), "{told}");
    assert_eq!(context(json!({"name": "x"})).unwrap()[0]["dropped"], "not text");
}

#[test]
fn person_may_be_known_by_an_id_in_another_system_alone() {
    let ids = |id: serde_json::Value| json!({"externalIds":[id]});
    let known = |context: serde_json::Value| one(json!({"type":"track","event":"E","context":context}));
    let id = json!({"type":"stripe_customer_id","id":"cus_5","collection":"users","encoding":"none"});
    let event = known(ids(id.clone())).unwrap();
    assert_eq!(event.identity().unwrap().to_string(), "external:stripe_customer_id:cus_5");
    let with_user = one(json!({"type":"track","event":"E","userId":"u","context":ids(id.clone())})).unwrap();
    assert_eq!(with_user.identity().unwrap().to_string(), "user:u");
    let visitor = one(json!({"type":"track","event":"E","anonymousId":"a","context":ids(id)})).unwrap();
    assert_eq!(visitor.identity().unwrap().to_string(), "anonymous:a");
    for nobody in [
        json!({"type":"stripe_customer_id","id":"null"}),
        json!({"type":"stripe_customer_id","id":""}),
        json!({"type":"stripe_customer_id","id":"acme","collection":"accounts"}),
        json!({"type":"a:b","id":"c"}),
        json!({"id":"cus_5"}),
        json!("cus_5"),
    ] {
        assert!(known(ids(nobody.clone())).is_err(), "{nobody}");
    }
}
