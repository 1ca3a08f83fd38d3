#![allow(clippy::unwrap_used)]
use super::*;
use perennial_config::imports::Format;
use perennial_domain::SourceId;
use perennial_domain::{Event, EventKind, Identity};
use perennial_testkit::ConfigBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

const MADE: &str = "2026-05-01T00:00:00Z";
const RECEIVED: &str = "2026-06-01T00:00:00Z";

fn import(toml: &str) -> Arc<Import> {
    let toml = format!("[[import]]\nid = \"files\"\n{toml}");
    Arc::new(ConfigBuilder::least().with(&[("imports.toml", &toml)]).load().imports.remove(0))
}

fn options(toml: &str) -> Options {
    Options {
        import: import(toml),
        mode: Mode::History,
        received_at: RECEIVED.parse().unwrap(),
        made_at: MADE.parse().unwrap(),
        digest: "digest".to_owned(),
        before: Arc::default(),
    }
}

fn chunks(options: Options, text: &[u8]) -> Vec<Chunk> {
    let input = Input::new("f", text.len() as u64, Arc::new(text.to_vec()));
    let mut reading = Reading::open(&input, options).unwrap();
    std::iter::from_fn(|| reading.next_chunk()).collect()
}

fn events(chunk: &Chunk) -> Vec<Event> {
    chunk.accepted.iter().map(|accepted| serde_json::from_str(&chunk.json[accepted.json.clone()]).unwrap()).collect()
}

/// The events and rejects of a text of one chunk.
fn read_with(options: Options, text: &str) -> (Vec<Event>, Vec<String>) {
    let mut chunks = chunks(options, text.as_bytes());
    let chunk = if chunks.is_empty() { Chunk::default() } else { chunks.remove(0) };
    assert!(chunks.is_empty());
    (events(&chunk), chunk.rejects.iter().map(|(_, reject)| reject.to_string()).collect())
}

fn read(toml: &str, text: &str) -> (Vec<Event>, Vec<String>) {
    read_with(options(toml), text)
}

fn ok(toml: &str, text: &str) -> Vec<Event> {
    let (events, rejects) = read(toml, text);
    assert_eq!(rejects, Vec::<String>::new());
    events
}

const LOG: &str = r#"
[[import.map]]
type = "track"
event_from = { from = "/action", values = { login = "Signed In" } }
user_id = "/user"
group_id = "/team"
timestamp = { from = "/at", format = "%d.%m.%Y %H:%M", zone = "Europe/Rome" }
all_properties = "*"
properties = { minutes = { from = "/minutes", decimal = "," } }
"#;

#[test]
fn activity_log_becomes_events_of_the_past() {
    let events = ok(LOG, "user;action;at;team;minutes;note\nu1;login;24.07.2025 14:30;acme;1,5;x\n");
    let event = &events[0];
    assert_eq!((event.kind, event.event.as_ref().unwrap().as_str()), (EventKind::Track, "Signed In"));
    assert_eq!(event.timestamp.to_string(), "2025-07-24T12:30:00Z");
    assert_eq!(
        (event.source.as_str(), event.history, event.context["channel"].clone()),
        ("files", true, json!("import"))
    );
    assert_eq!(
        (event.group_id.as_ref().unwrap().as_str(), Value::from(event.properties.clone())),
        ("acme", json!({"note": "x", "minutes": 1.5}))
    );
}

#[test]
fn unknown_encoding_is_an_error_with_what_is_allowed() {
    let input = Input::new("f", 3, Arc::new(b"id\n".to_vec()));
    let error = Reading::open(&input, options(&format!("encoding = \"klingon\"\n{LOG}"))).unwrap_err().to_string();
    assert!(error.starts_with("`klingon` is no encoding") && error.contains("windows-1252"), "{error}");
}

#[test]
fn mode_feed_makes_no_history() {
    let feed = Options { mode: Mode::Feed, ..options(LOG) };
    let (events, _) = read_with(feed, "user,action,at\nu1,login,24.07.2025 14:30\n");
    assert!(!events[0].history && events[0].context["channel"] == "import");
}

#[test]
fn rejects_name_line_column_and_reason_and_never_a_value() {
    let text = "user,action,at,team\n=A2,login,24.07.2025 14:30,\n,login,24.07.2025 14:30,\nu3,,24.07.2025 14:30,\nu4,login,2025-07-24,\nu5,login,24.07.2025\nu6,login,24.07.2025 14:30,\n";
    let (events, rejects) = read(LOG, text);
    assert_eq!(events.len(), 1);
    let starts = [
        "line 2, column user: the id is a formula of a spreadsheet",
        "line 3, column user: an event needs a userId",
        "line 4, column action: a track call needs `event`",
        "line 5, column at: timestamp is no time",
        "line 6: the row has 3 columns, and the header 4",
    ];
    for (reject, start) in rejects.iter().zip(starts) {
        assert!(reject.starts_with(start), "{reject}\n{start}");
    }
    assert_eq!(rejects.len(), starts.len());
    assert!(
        rejects
            .iter()
            .all(|reject| reject.contains("; allowed: ") && !reject.contains("u4") && !reject.contains("2025-07-24,"))
    );
}

const PEOPLE: &str = r#"
[[import.map]]
type = "identify"
user_id = "/id"
timestamp = "/updated_at"
all_traits = "*"
[[import.map]]
when = { "/company" = ["acme", "umbrella"] }
type = "group"
user_id = "/id"
group_id = "/company"
timestamp = "/updated_at"
"#;

#[test]
fn row_becomes_a_call_for_each_map_that_matches() {
    let mut all = chunks(options(PEOPLE), b"id,company,plan\nu1,acme,pro\nu2,none,free\n");
    let chunk = all.remove(0);
    let kinds: Vec<EventKind> = events(&chunk).iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Identify, EventKind::Group, EventKind::Identify]);
    assert_eq!((chunk.rows, chunk.unmatched), (2, 0));
    let only =
        chunks(options(&PEOPLE[PEOPLE.find("[[import.map]]\nwhen").unwrap()..]), b"id,company\nu1,acme\nu2,none\n");
    assert_eq!((only[0].rows, only[0].unmatched, only[0].accepted.len()), (2, 1, 1));
}

#[test]
fn message_ids_follow_from_rows_and_of_what_holds_also_from_the_file() {
    let ids = |toml: &str, digest: &str, text: &str| -> Vec<String> {
        let options = Options { digest: digest.to_owned(), ..options(toml) };
        read_with(options, text).0.iter().map(|event| event.message_id.as_str().to_owned()).collect()
    };
    let log = "user,action,at\nu1,login,24.07.2025 14:30\nu2,login,24.07.2025 14:30\n";
    let swapped = "user,action,at\nu2,login,24.07.2025 14:30\nu1,login,24.07.2025 14:30\n";
    let (first, again, other) = (ids(LOG, "a", log), ids(LOG, "a", log), ids(LOG, "b", swapped));
    assert_eq!(first, again);
    assert_eq!([&other[1], &other[0]], [&first[0], &first[1]], "neither order nor file matters for what happened");
    let untimed = "id,plan\nu1,pro\n";
    assert_eq!(ids(PEOPLE, "a", untimed), ids(PEOPLE, "a", untimed));
    assert_ne!(ids(PEOPLE, "a", untimed), ids(PEOPLE, "b", untimed), "the same may hold again later");
    let timed = "id,plan,updated_at\nu1,pro,2025-01-01\n";
    assert_eq!(ids(PEOPLE, "a", timed), ids(PEOPLE, "b", timed));
    let own = format!("{LOG}message_id = \"/n\"\n").replace("all_properties", "message_id = \"/n\"\nall_properties");
    let own = own.trim_end().trim_end_matches("message_id = \"/n\"").to_owned();
    assert_eq!(ids(&own, "a", "user,action,at,n\nu1,login,24.07.2025 14:30,n-7\n"), ["n-7:Signed In"]);
}

#[test]
fn rows_without_a_time_are_of_when_the_file_was_made_in_their_order() {
    let events = ok(PEOPLE, "id,plan\nu1,free\nu1,pro\n");
    assert_eq!(events[0].timestamp.to_string(), MADE);
    assert!(events[0].timestamp < events[1].timestamp && *events[1].timestamp.to_string() < *"2026-05-01T00:00:01Z");
    assert_eq!(events[0].received_at.to_string(), RECEIVED);
}

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
    assert_eq!(kinds, ["track", "identify", "track", "identify"]);
    assert_eq!(
        (events[0].event.as_ref().unwrap().as_str(), events[0].timestamp.to_string()),
        ("Signed Up", "2024-03-01T09:30:00.123Z".to_owned())
    );
    assert_eq!((&events[0].properties["plan"], &events[1].traits["role"]), (&json!("pro"), &json!("admin")));
    assert_eq!(events[3].identity().unwrap().as_str(), "d1");
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

#[test]
fn file_read_again_behind_what_was_sent_makes_the_same_chunks() {
    let text: String =
        std::iter::once("id,plan\n".to_owned()).chain((0..12_000).map(|n| format!("u{n},p\n"))).collect();
    let whole = chunks(options(PEOPLE), text.as_bytes());
    assert_eq!(whole.iter().map(|chunk| chunk.rows).collect::<Vec<_>>(), [5_000, 5_000, 2_000]);
    let input = Input::new("f", text.len() as u64, Arc::new(text.into_bytes()));
    let mut reading = Reading::open(&input, options(PEOPLE)).unwrap();
    reading.skip(1);
    for expected in &whole[1..] {
        let chunk = reading.next_chunk().unwrap();
        assert_eq!((chunk.json == expected.json, chunk.accepted == expected.accepted), (true, true));
    }
    assert!(reading.next_chunk().is_none());
    reading.skip(3);
    assert!(reading.next_chunk().is_none());
}

#[test]
fn rows_that_are_as_in_the_file_before_are_skipped() {
    let toml = format!("snapshot_key = \"/id\"\n{PEOPLE}");
    let read = |before: &Arc<Snapshot>, text: &str| {
        let input = Input::new("f", text.len() as u64, Arc::new(text.as_bytes().to_vec()));
        let options = Options { before: Arc::clone(before), ..options(&toml) };
        let mut reading = Reading::open(&input, options).unwrap();
        let chunk = reading.next_chunk().unwrap();
        let users =
            events(&chunk).iter().map(|event| event.user_id.clone().unwrap().as_str().to_owned()).collect::<Vec<_>>();
        (users, chunk.unchanged, Arc::new(reading.snapshot().clone()))
    };
    let (users, unchanged, first) = read(&Arc::default(), "id,plan\nu1,free\nu2,pro\n");
    assert_eq!((users.len(), unchanged), (2, 0));
    // Another order, a changed row, a new one and one that vanished.
    let (users, unchanged, second) = read(&first, "id,plan\nu3,free\nu2,pro\nu1,pro\n");
    assert_eq!((users, unchanged), (vec!["u3".to_owned(), "u1".to_owned()], 1));
    let (users, unchanged, _) = read(&second, "id,plan\nu1,pro\nu2,pro\nu3,free\n");
    assert_eq!((users.len(), unchanged), (0, 3));
}

proptest! {
    /// Whatever stands in cells, each row is accepted, rejected or not matched, and what is accepted can be read.
    #[test]
    fn every_row_is_accounted_for(cells in proptest::collection::vec(proptest::collection::vec("\\PC{0,8}", 4), 1..20)) {
        let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
        let mut text = "user,action,at,team\n".to_owned();
        for row in &cells {
            text += &row.iter().map(quoted).collect::<Vec<_>>().join(",");
            text.push('\n');
        }
        let all = chunks(options(&LOG.replace(", format = \"%d.%m.%Y %H:%M\", zone = \"Europe/Rome\"", "")), text.as_bytes());
        let rows: u64 = all.iter().map(|chunk| chunk.rows).sum();
        prop_assert_eq!(rows, cells.len() as u64);
        for chunk in &all {
            prop_assert_eq!(events(chunk).len() + chunk.rejects.len(), chunk.rows as usize);
        }
    }
}

#[test]
fn calls_of_one_row_have_ids_of_their_own_and_the_first_keeps_its_id() {
    let ids = |toml: &str, row: &str| -> Vec<String> {
        ok(toml, row).iter().map(|event| event.message_id.as_str().to_owned()).collect()
    };
    let track = |who: &str, event: &str| {
        format!("[[import.map]]\ntype = \"track\"\nuser_id = \"/{who}\"\nevent = \"{event}\"\nmessage_id = \"/id\"\n")
    };
    let row = r#"{"id":"o1","buyer":"b","seller":"s","agent":"a"}"#;
    let (sold, paid) = (track("seller", "Sold"), track("buyer", "Paid"));
    assert_eq!(ids(&sold, row), ["o1:Sold"], "alone, the id is what it always was");
    assert_eq!(ids(&(sold.clone() + &paid), row), ["o1:Sold", "o1:Paid"], "and beside another event");
    let four = sold + &paid + &track("buyer", "Sold") + &track("agent", "Sold");
    assert_eq!(ids(&four, row), ["o1:Sold", "o1:Paid", "o1:Sold:2", "o1:Sold:3"]);
    let identify = |who: &str| format!("[[import.map]]\ntype = \"identify\"\nuser_id = \"/{who}\"\n");
    let both = ids(&(identify("buyer") + &identify("seller")), row);
    assert_eq!(both[0], ids(&identify("buyer"), row)[0]);
    assert_eq!(both[1], format!("{}:2", both[0]));
    let long = ids(&four, &row.replace("o1", &"x".repeat(250)));
    assert_eq!(long.iter().collect::<std::collections::HashSet<_>>().len(), 4, "{long:?}");
}

/// The suppressed addresses of a file in a ready format, and the rejects.
fn suppressed(format: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let import = Arc::new(Import::of(SourceId::parse("list").unwrap(), Format::named(format).unwrap()));
    let chunks = chunks(Options { import, ..options(LOG) }, text.as_bytes());
    let told = |of: &Suppression| format!("{} {} {}", of.address.key(), of.reason.as_str(), of.since.strftime("%F %T"));
    let found = chunks.iter().flat_map(|chunk| &chunk.suppressions).map(told).collect();
    assert!(chunks.iter().all(|chunk| chunk.accepted.is_empty()));
    (found, chunks.iter().flat_map(|chunk| &chunk.rejects).map(|(_, reject)| reject.to_string()).collect())
}

#[test]
fn suppression_lists_of_mail_services_are_read_in_their_documented_forms() {
    let cases = [
        (
            "ses_suppressions",
            r#"{ "SuppressedDestinationSummaries": [ { "EmailAddress": "Ada@Acme.example", "Reason": "BOUNCE", "LastUpdateTime": "2020-04-10T21:03:05.000000+00:00" },
               { "EmailAddress": "b@acme.example", "Reason": "COMPLAINT", "LastUpdateTime": 1586552585.077 } ], "NextToken": "x" }"#,
            vec!["ada@acme.example bounce 2020-04-10 21:03:05", "b@acme.example complaint 2020-04-10 21:03:05"],
        ),
        (
            "ses_suppressions",
            "{\"emailAddress\":\"a@acme.example\",\"reason\":\"BOUNCE\"}\n{\"emailAddress\":\"b@acme.example\",\"reason\":\"COMPLAINT\"}\n",
            vec!["a@acme.example bounce 2026-05-01 00:00:00", "b@acme.example complaint 2026-05-01 00:00:00"],
        ),
        (
            "sendgrid_bounces",
            "status,reason,email,created\n5.1.1,\"550 5.1.1 unknown, sorry\",a@acme.example,1443651125\n",
            vec!["a@acme.example bounce 2015-09-30 22:12:05"],
        ),
        (
            "sendgrid_spam_reports",
            r#"[{"created":1443651141,"email":"a@acme.example","ip":"10.63.202.100"}]"#,
            vec!["a@acme.example complaint 2015-09-30 22:12:21"],
        ),
        (
            "sendgrid_unsubscribes",
            "email,created\na@acme.example,2024-01-02 03:04:05\n",
            vec!["a@acme.example unsubscribe 2024-01-02 03:04:05"],
        ),
        (
            "mailchimp_unsubscribed",
            "\"Email Address\",\"First Name\",\"UNSUB_TIME\",\"UNSUB_REASON\"\na@acme.example,Ada,\"2019-03-21 10:11:12\",\"N/A (Unsubscribed by an admin)\"\n",
            vec!["a@acme.example unsubscribe 2019-03-21 10:11:12"],
        ),
        (
            "mailchimp_cleaned",
            "Email Address,CLEAN_TIME\na@acme.example,2019-03-21 10:11:12\n",
            vec!["a@acme.example bounce 2019-03-21 10:11:12"],
        ),
        (
            "customerio_bounces",
            r#"{"category":"bounces","suppressions":[{"created":1443651125,"email":"a@acme.example","reason":"500 unknown","status":"5.1.1"}]}"#,
            vec!["a@acme.example bounce 2015-09-30 22:12:05"],
        ),
        (
            "customerio_unsubscribed",
            "id,email,unsubscribed\n1,a@acme.example,true\n2,b@acme.example,false\n3,c@acme.example,\n",
            vec!["a@acme.example unsubscribe 2026-05-01 00:00:00"],
        ),
    ];
    for (format, text, expected) in cases {
        assert_eq!(
            suppressed(format, text),
            (expected.into_iter().map(str::to_owned).collect(), Vec::new()),
            "{format}"
        );
    }
}

#[test]
fn row_of_a_suppression_list_without_a_usable_address_or_reason_is_a_reject() {
    let text = "email,type\n,bounce\nnot an address,bounce\na@acme.example,soft_bounce\nb@acme.example,spam\n";
    let (found, rejects) = suppressed("suppressions", text);
    assert_eq!(found.len(), 1);
    assert_eq!(rejects.len(), 3);
    for (reject, part) in
        rejects.iter().zip(["line 2, column email: the row has no mail address", "line 3, column email", "line 4"])
    {
        assert!(reject.contains(part), "{reject}");
    }
    assert!(!rejects.concat().contains("acme"), "no value of a row: {rejects:?}");
}

#[test]
fn list_of_an_import_maps_reasons_of_its_own() {
    let toml = r#"
list = "/result/rows"
[[import.suppress]]
address = "/mail"
reason_from = { from = "/kind", values = { HB = "bounce", OUT = "unsubscribe" }, other = "drop" }
timestamp = { from = "/at", format = "%d.%m.%Y", zone = "Europe/Rome" }
"#;
    let text = r#"{"result":{"count":2,"rows":[{"mail":"a@acme.example","kind":"HB","at":"02.01.2026"},{"mail":"b@acme.example","kind":"SB"}]},"ok":true}"#;
    let chunks = chunks(options(toml), text.as_bytes());
    let [found] = chunks[0].suppressions.as_slice() else { unreachable!() };
    assert_eq!((found.reason.as_str(), found.since.to_string()), ("bounce", "2026-01-01T23:00:00Z".to_owned()));
    assert_eq!(chunks[0].rejects.len(), 1);
}
