//! The ready mappings, on files in the documented forms.

use super::*;

#[test]
fn raw_logs_keep_ids_and_times_whatever_their_clocks_said() {
    // As in Segment's and RudderStack's files: sentAt is of years ago.
    let line = r#"{"anonymousId":"a1","channel":"client","context":{"ip":"::1"},"event":"Signed Up","integrations":{},"messageId":"ajs-1","originalTimestamp":"2024-02-28T10:00:03.250Z","projectId":"p","properties":{"plan":"pro"},"receivedAt":"2024-02-28T10:00:05.000Z","sentAt":"2024-02-28T10:00:04.000Z","timestamp":"2024-02-28T10:00:04.250Z","type":"track","userId":null,"version":2,"writeKey":"w"}"#;
    for format in ["segment", "rudderstack", "calls"] {
        let events = ok(&format!("format = \"{format}\""), &format!("{line}\n"));
        assert_eq!(
            (events[0].message_id.as_str(), events[0].timestamp.to_string()),
            ("ajs-1", "2024-02-28T10:00:04.25Z".to_owned())
        );
        assert_eq!(events[0].properties["plan"], "pro");
    }
}

#[test]
fn calls_in_tables_have_objects_as_json_or_as_columns() {
    let text = "message_id,type,user_id,event,timestamp,properties,properties.seats\nm1,track,u1,Signed Up,2024-01-01,\"{\"\"plan\"\":\"\"pro\"\"}\",5\n,track,u1,Signed Up,2024-01-01,,\n";
    let events = ok("format = \"calls\"", text);
    assert_eq!(
        (events[0].message_id.as_str(), Value::from(events[0].properties.clone())),
        ("m1", json!({"plan": "pro", "seats": "5"}))
    );
    assert!(events[1].message_id.as_str().starts_with("row-"));
}

#[test]
fn posthogs_events_are_translated() {
    let text = r#"{"uuid":"0187e6b8-6e6c-0000-0000-000000000001","event":"signed_up","distinct_id":"u1","timestamp":"2024-01-01T00:00:00Z","properties":{"plan":"pro"}}"#;
    let events = ok("format = \"posthog\"", text);
    assert_eq!(events[0].message_id.as_str(), "0187e6b8-6e6c-0000-0000-000000000001");
    assert_eq!(
        (events[0].event.as_ref().unwrap().as_str(), events[0].timestamp.to_string()),
        ("signed_up", "2024-01-01T00:00:00Z".to_owned())
    );
}

#[test]
fn amplitudes_export_becomes_events_and_traits() {
    let text = r#"{"$insert_id":"i-1","amplitude_id":1,"app":2,"city":"Rome","country":"Italy","device_id":"d1","event_id":3,"event_properties":{"plan":"pro"},"event_time":"2024-03-01 09:30:00.123000","event_type":"Signed Up","groups":{},"language":"Italian","os_name":"ios","platform":"iOS","session_id":1709285000000,"user_id":"u1","user_properties":{"role":"admin"},"uuid":"c4f0","version_name":"1.2"}
{"amplitude_id":1,"device_id":"d1","event_time":"2024-03-01 09:29:00.000000","event_type":"session_start","user_id":"u1","user_properties":{"role":"admin"},"uuid":"c4ef"}
{"amplitude_id":1,"device_id":"d1","event_time":"2024-03-01 09:28:00.000000","event_type":"$identify","user_id":null,"user_properties":{"role":"admin"},"uuid":"c4ee"}
"#;
    let events = ok("format = \"amplitude\"", text);
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["identify", "track", "identify", "track", "identify"]);
    assert_eq!(
        (events[1].event.as_ref().unwrap().as_str(), events[0].timestamp.to_string()),
        ("Signed Up", "2024-03-01T09:30:00.123Z".to_owned())
    );
    assert_eq!((&events[1].properties["plan"], &events[0].traits["role"]), (&json!("pro"), &json!("admin")));
    assert_eq!(events[4].identity().unwrap().as_str(), "d1");
}

#[test]
fn mixpanels_exports_become_events_links_and_traits() {
    let text = r#"{"event":"Signed up","properties":{"time":1602611311,"$insert_id":"hpuDqc","$user_id":"u1","$device_id":"d1","distinct_id":"u1","plan":"pro","mp_country_code":"US"}}
{"event":"$create_alias","properties":{"time":1602611312,"$insert_id":"hpuDqd","distinct_id":"d1","alias":"u1"}}
"#;
    let events = ok("format = \"mixpanel\"", text);
    assert_eq!((events[0].timestamp.as_second(), events[0].user_id.as_ref().unwrap().as_str()), (1_602_611_311, "u1"));
    assert_eq!(events[0].properties["plan"], "pro");
    assert_eq!(
        (events.last().unwrap().kind, events.last().unwrap().previous_id.as_ref().unwrap().as_str()),
        (EventKind::Alias, "d1")
    );
    let people = r#"[{"$distinct_id":"4","$properties":{"$created":"2008-12-12T11:20:47","$email":"ada@acme.example","plan":"pro"}}]"#;
    let events = ok("format = \"mixpanel_people\"", people);
    assert_eq!((&events[0].traits["email"], &events[0].traits["plan"]), (&json!("ada@acme.example"), &json!("pro")));
}

#[test]
fn contacts_of_hubspot_and_people_of_customerio_become_profiles() {
    let text = "Record ID - Contact,First Name,Last Name,Email,Phone Number,Lifecycle Stage,Create Date\n51,Ada,Lovelace,ada@acme.example,,customer,2024-01-01 10:00\n";
    let events = ok("format = \"hubspot_contacts\"", text);
    assert!(
        matches!(events[0].identity(), Some(Identity::External(id)) if id.kind() == "hubspot_contact_id" && id.id() == "51")
    );
    assert_eq!(
        (&events[0].traits["email"], &events[0].traits["first_name"]),
        (&json!("ada@acme.example"), &json!("Ada"))
    );
    let text = "cio_id,id,email,created_at,unsubscribed,plan\n0a,u1,ada@acme.example,1704067200,false,pro\n0b,,bo@acme.example,1704067200,true,\n";
    let events = ok("format = \"customerio_people\"", text);
    let users: Vec<&str> = events.iter().map(|event| event.user_id.as_ref().unwrap().as_str()).collect();
    assert_eq!((users, &events[0].traits["plan"]), (vec!["u1", "bo@acme.example"], &json!("pro")));
}

#[test]
fn stripes_objects_and_tables_become_the_same_subscriptions() {
    let object = r#"{"id":"sub_1","object":"subscription","customer":"cus_1","status":"canceled","created":1704067200,"start_date":1704067200,"ended_at":1709251200,"currency":"usd","items":{"data":[{"price":{"id":"price_1","lookup_key":"pro","unit_amount":1999,"recurring":{"interval":"month"}},"quantity":2,"current_period_end":1709251200}]},"metadata":{"user_id":"u1"}}"#;
    let table = "id,Customer ID,Customer Email,Plan,Quantity,Currency,Interval,Amount,Status,Created (UTC),Start (UTC),Current Period End (UTC),Ended At (UTC),user_id (metadata)\nsub_1,cus_1,ada@acme.example,pro,2,usd,month,19.99,canceled,2024-01-01 00:00,2024-01-01 00:00,2024-03-01 00:00,2024-03-01 00:00,u1\n";
    for text in [object, table] {
        let events = ok("format = \"stripe_subscriptions\"", text);
        let said: Vec<(&str, String, &str)> = events
            .iter()
            .map(|event| {
                (event.event.as_ref().unwrap().as_str(), event.timestamp.to_string(), event.message_id.as_str())
            })
            .collect();
        assert_eq!(
            said,
            [
                ("Subscription Started", "2024-01-01T00:00:00Z".to_owned(), "sub_1:Subscription Started"),
                ("Subscription Cancelled", "2024-03-01T00:00:00Z".to_owned(), "sub_1:Subscription Cancelled"),
            ],
            "{text}"
        );
        assert_eq!(
            (
                &events[0].properties["plan"],
                events[0].properties["price"].as_f64(),
                events[0].user_id.as_ref().unwrap().as_str()
            ),
            (&json!("pro"), Some(19.99), "u1")
        );
    }
    let customer = r#"{"id":"cus_1","object":"customer","email":"ada@acme.example","name":"Ada","created":1704067200,"delinquent":false,"metadata":{}}"#;
    let events = ok("format = \"stripe_customers\"", customer);
    assert!(matches!(events[0].identity(), Some(Identity::External(id)) if id.id() == "cus_1"));
    assert_eq!(events[0].traits["email"], "ada@acme.example");
}

/// An object of Stripe says when it was tried, since when it is paid for, and when it ended.
#[test]
fn stripes_subscriptions_have_the_past_that_their_status_says() {
    let (trial, paid, over) = ("2024-01-01", "2024-01-15", "2024-03-01");
    let told = |status: &str, fields: Value| -> Vec<String> {
        let second = |day: &str| format!("{day}T00:00:00Z").parse::<jiff::Timestamp>().unwrap().as_second();
        let mut object = json!({"id":"sub_1","customer":"cus_1","status":status,"created":second(trial),"start_date":second(trial),"currency":"usd",
            "items":{"data":[{"quantity":1,"price":{"id":"p","unit_amount":1000,"recurring":{"interval":"month","interval_count":3}}}]}});
        for (name, day) in fields.as_object().unwrap() {
            object[name] = second(day.as_str().unwrap()).into();
        }
        let events = ok("format = \"stripe_subscriptions\"", &object.to_string());
        let mut table = format!(
            "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Created (UTC),Start (UTC)\nsub_1,cus_1,p,1,usd,month,10.00,{status},{trial} 00:00,{trial} 00:00\n"
        );
        for (name, column) in [
            ("trial_start", "Trial Start (UTC)"),
            ("trial_end", "Trial End (UTC)"),
            ("ended_at", "Ended At (UTC)"),
            ("current_period_start", "Current Period Start (UTC)"),
        ] {
            let day = fields.get(name).and_then(Value::as_str).map(|day| format!("{day} 00:00")).unwrap_or_default();
            let lines: Vec<String> =
                table.lines().zip([column.to_owned(), day]).map(|(line, cell)| format!("{line},{cell}")).collect();
            table = lines.join("\n") + "\n";
        }
        let said = |events: &[Event]| -> Vec<String> {
            let one = |event: &Event| {
                let status = event.properties["status"].as_str().unwrap().to_owned();
                format!("{} {} {status}", event.timestamp.strftime("%F"), event.counted_as())
            };
            let mut all: Vec<String> = events.iter().map(one).collect();
            all.sort();
            all
        };
        assert_eq!(said(&events), said(&ok("format = \"stripe_subscriptions\"", &table)), "{table}");
        assert!(events.iter().all(|event| event.properties["interval_count"] == 3));
        said(&events)
    };
    let tried = json!({"trial_start": trial, "trial_end": paid});
    let with = |more: Value| {
        let mut all = tried.clone();
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let (began, bought) = ("2024-01-01 Trial Started trialing", "2024-01-15 Subscription Started active");
    assert_eq!(told("trialing", tried.clone()), [began]);
    assert_eq!(told("active", tried.clone()), [began, bought]);
    assert_eq!(told("active", json!({})), ["2024-01-01 Subscription Started active"]);
    let late = json!({"current_period_start": over});
    assert_eq!(told("unpaid", with(late.clone())), [began, bought, "2024-03-01 Subscription Updated unpaid"]);
    assert_eq!(
        told("past_due", late),
        ["2024-01-01 Subscription Started active", "2024-03-01 Subscription Updated past_due"]
    );
    assert_eq!(told("paused", tried.clone()), [began, "2024-01-15 Subscription Updated paused"]);
    assert_eq!(
        told("canceled", with(json!({"ended_at": over}))),
        [began, bought, "2024-03-01 Subscription Cancelled canceled"]
    );
    assert_eq!(
        told("canceled", with(json!({"ended_at": paid}))),
        [began, "2024-01-15 Subscription Cancelled canceled"],
        "lost with its trial"
    );
    assert_eq!(told("incomplete_expired", tried), Vec::<String>::new());
}

/// Amounts are in the minor units of Stripe's own table.
#[test]
fn stripes_items_add_up_and_its_currencies_are_its_own() {
    let object = |currency: &str| {
        let item = |amount: i64, quantity: i64| json!({"quantity":quantity,"price":{"id":"p","unit_amount":amount,"recurring":{"interval":"month"}}});
        json!({"id":"sub_1","customer":"cus_1","status":"active","created":1704067200,"currency":currency,"cancel_at":1709251200,
            "items":{"data":[item(1000, 1), item(500, 3)]}}).to_string()
    };
    for (currency, all) in [("usd", 25.0), ("isk", 25.0), ("jpy", 2500.0)] {
        let events = ok("format = \"stripe_subscriptions\"", &object(currency));
        assert_eq!(events[0].properties["items_price"].as_f64(), Some(all), "{currency}");
        assert_eq!(events[0].properties["cancel_at"], 1_709_251_200);
    }
}

/// A year's 120 and a month's 10 are 20 a month, whichever is the first item.
#[test]
fn items_of_stripe_with_other_intervals_are_added_at_that_of_the_first() {
    let item = |amount: i64, interval: &str| json!({"quantity":1,"price":{"id":interval,"unit_amount":amount,"recurring":{"interval":interval,"interval_count":1}}});
    for (items, yearly) in [
        (json!([item(12_000, "year"), item(1_000, "month")]), 240.0),
        (json!([item(1_000, "month"), item(12_000, "year")]), 20.0),
    ] {
        let object = json!({"id":"sub_1","customer":"cus_1","status":"active","created":1704067200,"currency":"usd","items":{"data":items}});
        let events = ok("format = \"stripe_subscriptions\"", &object.to_string());
        let said = &events[0].properties;
        assert_eq!(said["items_price"].as_f64(), Some(yearly));
        assert_eq!(perennial_domain::billing::Terms::of(said).yearly().unwrap().minor, 24_000);
    }
}

/// Projects of Mixpanel with simplified ids have a device's id in the place of the user's until somebody signs in.
#[test]
fn devices_of_mixpanel_are_no_users() {
    let row = |distinct: &str, more: Value| {
        let mut properties = json!({"time":1602611311,"$insert_id":format!("i-{distinct}"),"distinct_id":distinct});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"event":"Seen","properties":properties}).to_string()
    };
    let text = [
        row("$device:dev-1", json!({"$device_id":"dev-1"})),
        row("dev-2", json!({"$device_id":"dev-2"})),
        row("mxu", json!({"$user_id":"mxu","$device_id":"dev-1"})),
        row("server", json!({})),
        row("$device:dev-3", json!({})),
    ];
    let events = ok("format = \"mixpanel\"", &(text.join("\n") + "\n"));
    let ids: Vec<(Option<&str>, Option<&str>)> = (events.iter())
        .map(|event| (event.user_id.as_ref().map(|id| id.as_str()), event.anonymous_id.as_ref().map(|id| id.as_str())))
        .collect();
    assert_eq!(
        ids,
        [
            (None, Some("dev-1")),
            (None, Some("dev-2")),
            (Some("mxu"), Some("dev-1")),
            (Some("server"), None),
            (None, Some("dev-3"))
        ]
    );
}

#[test]
fn endpoints_of_pinpoint_and_visitors_of_pendo_become_profiles() {
    let text = r#"{"ApplicationId":"a","Id":"e1","ChannelType":"EMAIL","Address":"ada@acme.example","OptOut":"NONE","EffectiveDate":"2024-01-01T00:00:00.000Z","Location":{"Country":"IT"},"User":{"UserId":"u1","UserAttributes":{"Plan":["pro"]}},"Attributes":{"Interests":["a","b"]}}
{"Id":"e2","ChannelType":"GCM","Address":"token","User":{},"EffectiveDate":"2024-01-01T00:00:00.000Z"}
"#;
    let events = ok("format = \"pinpoint_endpoints\"", text);
    assert_eq!(
        (&events[0].traits["email"], &events[0].traits["Interests"]),
        (&json!("ada@acme.example"), &json!(["a", "b"]))
    );
    assert_eq!(
        (events[1].identity().unwrap().as_str().to_owned(), events[1].traits.get("email")),
        ("e2".to_owned(), None)
    );
    let text = r#"[{"visitorId":"u1","metadata":{"auto":{"accountid":"acme","firstvisit":1704067200000},"agent":{"email":"ada@acme.example","role":"admin"}}}]"#;
    let events = ok("format = \"pendo_visitors\"", text);
    assert_eq!(
        (events[0].kind, &events[0].traits["role"], events[1].group_id.as_ref().unwrap().as_str()),
        (EventKind::Identify, &json!("admin"), "acme")
    );
}
