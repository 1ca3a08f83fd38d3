#![allow(clippy::unwrap_used)]
use super::*;

const NOW: &str = "2026-06-01T12:00:00Z";

fn calls(event: Value) -> Vec<(Value, Value, bool)> {
    let json = |text: &str| serde_json::from_str(text).unwrap();
    let all = translate(&event.to_string(), NOW.parse().unwrap()).unwrap().into_iter();
    all.map(|one| (json(&one.call), one.once.as_deref().map_or(Value::Null, json), one.of_account)).collect()
}

fn call(event: Value) -> Value {
    let mut calls = calls(event);
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0).0
}

#[test]
fn dollar_events_become_their_calls() {
    let [(identify, once, false)] = &calls(
        json!({"event":"$set","distinct_id":"u","$set":{"a":1},"properties":{"$set_once":{"a":0,"b":2}},"uuid":"m"}),
    )[..] else {
        unreachable!()
    };
    assert_eq!(
        identify,
        &json!({"type":"identify","userId":"u","messageId":"m","timestamp":null,"context":{},"traits":{"a":1}})
    );
    assert_eq!(once, &json!({"a":0,"b":2}));
    let group = call(
        json!({"event":"$groupidentify","distinct_id":"u","properties":{"$group_key":"acct","$group_set":{"n":1}}}),
    );
    assert_eq!(
        (&group["type"], &group["groupId"], &group["traits"], &group["userId"]),
        (&json!("group"), &json!("acct"), &json!({"n":1}), &json!("u"))
    );
    let alias = &calls(json!({"event":"$create_alias","distinct_id":"u","properties":{"alias":"anon"}}))[0].0;
    assert_eq!(
        (&alias["type"], &alias["userId"], &alias["previousId"]),
        (&json!("alias"), &json!("u"), &json!("anon"))
    );
    let page = call(json!({"event":"$pageview","distinct_id":"d","properties":{"$device_id":"d","title":"Home"}}));
    assert_eq!((&page["type"], &page["anonymousId"], &page["name"]), (&json!("page"), &json!("d"), &json!("Home")));
}

#[test]
fn other_events_are_tracks_of_their_account() {
    let track = call(
        json!({"event":"Order Completed","distinct_id":7,"properties":{"revenue":1,"$groups":{"company":"acct"}}}),
    );
    assert_eq!(
        (&track["type"], &track["event"], &track["groupId"], &track["userId"]),
        (&json!("track"), &json!("Order Completed"), &json!("acct"), &json!(7))
    );
    assert!(translate("{}", NOW.parse().unwrap()).unwrap_err().path == "event");
    let groups =
        |groups: Value| call(json!({"event":"E","distinct_id":"u","properties":{"$groups":groups}}))["groupId"].clone();
    assert_eq!(groups(json!({"project":"p","organization":"acct"})), "acct");
    assert_eq!(groups(json!({"team":"t"})), "t");
    assert_eq!(groups(json!({"team":"t","project":"p"})), Value::Null);
}

/// PostHog's capture API accepts person properties with any event, in the event or in its properties.
#[test]
fn what_is_said_of_the_person_beside_an_event_is_an_identify_of_its_own() {
    for event in [
        json!({"event":"Signed In","distinct_id":"u","uuid":"m","$set":{"email":"a@acme.com"},"$set_once":{"source":"google"}}),
        json!({"event":"Signed In","distinct_id":"u","uuid":"m","properties":{"$set":{"email":"a@acme.com"},"$set_once":{"source":"google"},"x":1}}),
        json!({"event":"$pageview","distinct_id":"u","uuid":"m","properties":{"$set":{"email":"a@acme.com"}},"$set_once":{"source":"google"}}),
        json!({"event":"$groupidentify","distinct_id":"u","uuid":"m","$set_once":{"source":"google"},"properties":{"$group_key":"k","$group_type":"company","$set":{"email":"a@acme.com"}}}),
    ] {
        let [(what, ..), (person, once, false)] = &calls(event)[..] else { unreachable!() };
        assert_eq!((&what["messageId"], &person["messageId"]), (&json!("m"), &json!("m:$set")));
        assert_eq!(
            (&person["type"], &person["userId"], &person["traits"]),
            (&json!("identify"), &json!("u"), &json!({"email":"a@acme.com"}))
        );
        assert_eq!(once, &json!({"source":"google"}));
        assert_eq!((what["traits"].get("email"), what["properties"].get("$set")), (None, None));
    }
    let both = call(
        json!({"event":"$identify","distinct_id":"u","$set":{"a":"event"},"properties":{"$set":{"a":"properties","b":1}}}),
    );
    assert_eq!(both["traits"], json!({"a":"event","b":1}));
    for no in [json!(false), json!("false"), json!("False")] {
        let event = json!({"event":"E","distinct_id":"u","properties":{"$set":{"a":1},"$process_person_profile":no}});
        assert_eq!(call(event)["type"], "track");
    }
}

#[test]
fn unset_removes_traits() {
    for unset in [json!(["city", 7]), json!({"city": ""}), json!("city")] {
        let call =
            call(json!({"event":"$set","distinct_id":"u","properties":{"$unset":unset,"$set":{"city":"Rome","a":1}}}));
        assert_eq!(call["traits"], json!({"city":null,"a":1}));
    }
    let call = call(json!({"event":"$set","distinct_id":"u","properties":{"$unset":[]}}));
    assert_eq!(call["traits"], json!({}));
}

/// As server libraries send it without a distinct id: `$TYPE_KEY`.
#[test]
fn a_group_that_nobody_identified_is_about_the_account_alone() {
    let event = |distinct_id: Value| json!({"event":"$groupidentify","distinct_id":distinct_id,"properties":{"$group_type":"company","$group_key":"acme","$group_set":{"name":"Acme"}}});
    for nobody in [json!("$company_acme"), json!(null), json!("")] {
        let [(call, _, true)] = &calls(event(nobody))[..] else { unreachable!() };
        assert_eq!(
            (call.get("userId"), &call["groupId"], &call["traits"]["name"]),
            (None, &json!("acme"), &json!("Acme"))
        );
    }
    assert_eq!(call(event(json!("u-1")))["userId"], "u-1");
    let numbered = json!({"event":"$groupidentify","distinct_id":"$company_7","properties":{"$group_type":"company","$group_key":7}});
    assert!(calls(numbered)[0].2);
}

#[test]
fn an_identify_links_the_earlier_anonymous_id() {
    let identify = call(
        json!({"event":"$identify","distinct_id":"u","properties":{"$anon_distinct_id":"anon-1","$device_id":"anon-1"}}),
    );
    assert_eq!((&identify["userId"], &identify["anonymousId"]), (&json!("u"), &json!("anon-1")));
    assert!(identify["previousId"].is_null(), "a client that names its device sends no anonymous id as a user's");
    let identify = call(json!({"event":"$identify","distinct_id":"u","properties":{"$anon_distinct_id":"anon-1"}}));
    assert_eq!(identify["previousId"], "anon-1", "which may have been sent as a user's id");
    let at_boot = call(
        json!({"event":"$identify","distinct_id":"u","properties":{"$anon_distinct_id":"anon-1","$is_identified":false}}),
    );
    assert_eq!((&at_boot["userId"], &at_boot["anonymousId"]), (&json!("u"), &json!("anon-1")));
    let same = call(json!({"event":"$identify","distinct_id":"u","properties":{"$anon_distinct_id":"u"}}));
    assert_eq!(same.get("anonymousId"), None);
}

#[test]
fn whoever_is_not_identified_is_anonymous_and_the_alias_is_the_user() {
    let page =
        call(json!({"event":"$pageview","distinct_id":"boot","properties":{"$device_id":"d","$is_identified":false}}));
    assert_eq!((page.get("userId"), &page["anonymousId"]), (None, &json!("boot")));
    for event in ["$create_alias", "$merge_dangerously"] {
        let alias = &calls(json!({"event":event,"distinct_id":"d","properties":{"$device_id":"d","alias":"u"}}))[0].0;
        assert_eq!((&alias["userId"], &alias["previousId"]), (&json!("u"), &json!("d")), "{event}");
    }
}

#[test]
fn an_alias_names_the_visitor_in_either_place() {
    let visitor = "01a1ffdd-78c4-7734-a71d-f06986248589";
    for (id, alias) in [("u", visitor), (visitor, "u")] {
        let all = calls(json!({"event":"$create_alias","distinct_id":id,"uuid":"m","properties":{"alias":alias}}));
        let call = &all[0].0;
        assert_eq!((&call["userId"], &call["previousId"]), (&json!("u"), &json!(visitor)));
        assert_eq!((all.len(), &call["messageId"]), (1, &json!("m")), "which is counted once");
    }
    let names = &calls(json!({"event":"$create_alias","distinct_id":"front","properties":{"alias":"back"}}))[0].0;
    assert_eq!((&names["userId"], &names["previousId"]), (&json!("front"), &json!("back")));
}

#[test]
fn an_id_that_is_a_number_or_stands_for_nothing_keeps_what_is_said_of_the_person() {
    for (field, id, expected) in [
        ("uuid", json!(7), json!("7:$set")),
        ("messageId", json!(7.0), json!("7:$set")),
        ("uuid", json!("m"), json!("m:$set")),
        ("uuid", json!("null"), Value::Null),
        ("uuid", json!(0), Value::Null),
    ] {
        let all = calls(json!({"event":"E","distinct_id":"u",field:id,"$set":{"a":1}}));
        assert_eq!((all.len(), &all[1].0["messageId"]), (2, &expected), "{field} {id}");
    }
    let all = calls(json!({"event":"E","distinct_id":"u","properties":{"$insert_id":7,"$set":{"a":1}}}));
    assert_eq!(all[1].0["messageId"], "7:$set");
}

#[test]
fn the_library_is_that_of_the_context() {
    let properties = json!({"$lib":"posthog-python","$lib_version":"3.1"});
    let library = json!({"name":"posthog-python","version":"3.1"});
    for event in [
        json!({"event":"$set","distinct_id":"u","properties":properties}),
        json!({"event":"E","distinct_id":"u","properties":properties,"context":{"ip":"::1"}}),
    ] {
        assert_eq!(call(event)["context"]["library"], library);
    }
}

#[test]
fn ids_and_times_are_found_in_all_their_places() {
    let event = call(
        json!({"event":"E","distinct_id":"","properties":{"distinct_id":"u","$insert_id":"i"},"offset":1500,"sent_at":"x"}),
    );
    assert_eq!(
        (&event["userId"], &event["messageId"], &event["timestamp"], &event["sentAt"]),
        (&json!("u"), &json!("i"), &json!("2026-06-01T11:59:58.5Z"), &json!("x"))
    );
    let page = call(json!({"event":"$pageview","distinct_id":"u","timestamp":1_772_357_400,"offset":1,
        "properties":{"$pathname":"/pricing","$current_url":"https://acme.com/pricing","url":"kept","$timezone":"Europe/Rome"}}));
    assert_eq!((&page["properties"]["path"], &page["properties"]["url"]), (&json!("/pricing"), &json!("kept")));
    assert_eq!((&page["timestamp"], &page["context"]["timezone"]), (&json!(1_772_357_400), &json!("Europe/Rome")));
    for properties in [json!([]), json!(""), json!(null)] {
        assert_eq!(call(json!({"event":"E","distinct_id":"u","properties":properties}))["type"], "track");
    }
}

#[test]
fn the_browser_sdks_form_is_unwrapped() {
    let json = r#"[{"event":"Å?>","properties":{}}]"#;
    let base64 = BASE64.encode(json.as_bytes());
    let encoded = percent_encoding::utf8_percent_encode(&base64, percent_encoding::NON_ALPHANUMERIC).to_string();
    let plain = percent_encoding::utf8_percent_encode(json, percent_encoding::NON_ALPHANUMERIC).to_string();
    for body in [
        format!("data={encoded}"),
        format!("data={encoded}&compression=base64"),
        format!("compression=base64&data={encoded}"),
        format!("ip=1&ver=1.2&data={plain}"),
        format!("data={base64}"),
        format!("data={plain}"),
    ] {
        assert_eq!(unwrapped(&body).as_deref(), Some(json), "{body}");
    }
    for body in [json, r#"{"a":"x&data=e30="}"#, "data=", "data=%%%", "x=1"] {
        assert!(unwrapped(body).is_none_or(|data| data.is_empty()), "{body}");
    }
}
