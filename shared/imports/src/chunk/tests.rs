#![allow(clippy::unwrap_used)]
use super::*;
use perennial_config::imports::Format;
use perennial_domain::SourceId;
use perennial_domain::{Event, EventKind, Identity};
use perennial_testkit::ConfigBuilder;
use proptest::prelude::*;
use serde_json::{Value, json};

mod formats;

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
