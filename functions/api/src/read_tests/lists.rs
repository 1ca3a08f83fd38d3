#![allow(clippy::unwrap_used, clippy::panic)]

use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{House, config_with, house_on, now, table_with};
use http::StatusCode;
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_domain::{AccountId, Identity, PersonId, Properties, UserId};
use perennial_engine::account::{Account, listing};
use perennial_engine::{Action, Mode, Moment, Profile, process};
use perennial_lambda_kit::calls::Calls;
use perennial_store::accounts::StoredAccount;
use perennial_store::lists::Listee;
use perennial_store::{Stored, Summary};
use perennial_testkit::EventBuilder;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

fn rules() -> Config {
    config_with(&[
        ("scoring.toml", "[[rule]]\nid = \"bought\"\nscore = \"purchase\"\nevent = \"Bought\"\npoints = 10\n"),
        ("lifecycle.toml", "lead = [\"$identify\"]\ncustomer = [\"Paid\"]\n"),
        (
            "segments.toml",
            "[[segment]]\nname = \"keen\"\nwhen = 'scores.purchase >= 40'\nowner = \"sales\"\n\
             [[segment]]\nname = \"even\"\nwhen = 'traits.even == true'\n",
        ),
    ])
}

async fn house() -> (House, Calls) {
    let calls = Calls::default();
    let house = house_on(table_with(&calls).await, Access::Open, rules(), |status| status);
    (house, calls)
}

fn id(name: &str) -> PersonId {
    Identity::User(UserId::parse(name).unwrap()).person_id()
}

/// Stores a profile that bought so often, as `score` does.
async fn add(house: &House, name: &str, bought: usize, traits: Value) {
    let at = now() - SignedDuration::from_hours(1);
    let mut events = vec![EventBuilder::identify(&format!("{name}-i"), name, None).at(at).traits(traits).build()];
    events.extend((0..bought).map(|n| EventBuilder::track(&format!("{name}-{n}"), name, "Bought").at(at).build()));
    save(house, name, &events).await;
}

async fn save(house: &House, name: &str, events: &[perennial_domain::Event]) {
    let config = rules();
    let mut stored = match house.deps.views.store.load(id(name), perennial_store::Consistency::Strong).await.unwrap() {
        perennial_store::Loaded::Profile(stored) => stored,
        _ => Stored::new(Profile::new(Identity::User(UserId::parse(name).unwrap()))),
    };
    stored.profile.outbox.clear();
    let processed = process(&Moment::new(&config, now()), &mut stored.profile, events, &HashSet::new(), Mode::Live);
    stored.summary = Summary::of(&stored.profile, &processed.evaluation, &config);
    house.deps.views.store.save(&mut stored).await.unwrap();
    for action in &stored.profile.outbox {
        if let Action::List(change) = action {
            house.deps.views.store.change_lists(Listee::Person(id(name)), change, stored.version, now()).await.unwrap();
        }
    }
}

fn names(page: &Value) -> Vec<String> {
    page["people"].as_array().unwrap().iter().map(|row| row["identity"].as_str().unwrap().to_owned()).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

/// Returns the rows of all pages.
async fn all(house: &House, query: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..500 {
        let page = get(house, &format!("/api/profiles?{query}{cursor}")).await;
        found.extend(names(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("the list has no end");
}

#[tokio::test]
async fn filters_combine_and_rows_are_sorted_by_the_score_of_now() {
    let (house, _) = house().await;
    for n in 0..10 {
        add(&house, &format!("u{n}"), n, json!({ "even": n % 2 == 0, "name": format!("Person {n}") })).await;
    }
    let page = get(&house, "/api/profiles?score=purchase&min=40&max=80").await;
    assert_eq!(names(&page), ["u8", "u7", "u6", "u5", "u4"]);
    assert_eq!((&page["people"][0]["scores"]["purchase"], &page["people"][0]["owner"]), (&json!(80), &json!("sales")));
    assert_eq!(page["people"][0]["segments"], json!(["keen", "even"]));
    assert_eq!((&page["next"], &page["unreadable"]), (&Value::Null, &json!(0)));
    let everyone: Vec<String> = (0..10).map(|n| format!("u{n}")).collect();
    let everyone: Vec<&str> = everyone.iter().map(String::as_str).collect();
    for (query, expected) in [
        ("segment=keen", vec!["u4", "u5", "u6", "u7", "u8", "u9"]),
        ("segment=even&score=purchase&max=30", vec!["u0", "u2"]),
        ("stage=lead&segment=even&owner=SALES", vec!["u4", "u6", "u8"]),
        ("owner=nobody", vec![]),
        ("stage=churned", vec![]),
        ("search=pers&score=purchase&min=85", vec!["u9"]),
        // A single digit is no word that is indexed.
        ("search=person%207", everyone.clone()),
        ("", everyone.clone()),
    ] {
        assert_eq!(sorted(all(&house, query).await), expected, "{query}");
        assert_eq!(sorted(all(&house, &format!("{query}&limit=2")).await), expected, "{query}");
    }
    let rising = all(&house, "score=purchase&sort=lowest&limit=3").await;
    assert_eq!(rising, ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"]);
    let falling = all(&house, "segment=even&score=purchase&sort=highest&limit=2").await;
    assert_eq!(falling, ["u8", "u6", "u4", "u2", "u0"]);
}

#[tokio::test]
async fn search_finds_ids_exactly_and_words_by_their_beginning() {
    let (house, _) = house().await;
    let ada = json!({ "name": "Ad\u{e0} Adams", "company": "Acme #1", "email": "ada@example.com" });
    add(&house, "ada", 1, ada).await;
    add(&house, "u/2", 2, json!({ "name": "Bob Adamson" })).await;
    add(&house, "u3", 3, json!({ "name": "\u{738b}\u{4f1f}" })).await;
    house.deps.views.store.index_address("ada@example.com", id("ada")).await.unwrap();
    for (search, expected) in [
        ("ada", vec!["ada", "u/2"]),
        ("ADAM", vec!["ada", "u/2"]),
        ("adams acm", vec!["ada"]),
        ("acme", vec!["ada"]),
        ("Ada@Example.com", vec!["ada"]),
        ("u/2", vec!["u/2"]),
        ("\u{738b}", vec!["u3"]),
        ("zzz", vec![]),
    ] {
        let query =
            format!("search={}", percent_encoding::utf8_percent_encode(search, percent_encoding::NON_ALPHANUMERIC));
        assert_eq!(sorted(all(&house, &query).await), expected, "{search}");
        assert_eq!(sorted(all(&house, &format!("{query}&limit=1")).await), expected, "{search}");
    }
    let (status, _, body) = call(&house, "GET", "/api/profiles?search=ad").await;
    assert!(status == StatusCode::BAD_REQUEST && body.contains("three letters"), "{body}");
}

#[tokio::test]
async fn costs_do_not_depend_on_the_number_of_profiles() {
    let mut counts = BTreeSet::new();
    for people in [50, 500] {
        let (house, calls) = house().await;
        for n in 0..people {
            add(&house, &format!("u{n}"), n % 10, json!({ "even": true, "name": "Ada" })).await;
        }
        for query in [
            "segment=even&limit=20",
            "score=purchase&min=50&limit=20",
            "search=ada&limit=20",
            "segment=even&stage=lead&limit=20",
        ] {
            calls.take();
            let page = get(&house, &format!("/api/profiles?{query}")).await;
            assert_eq!(page["people"].as_array().unwrap().len(), 20, "{query}");
            let made = calls.take();
            assert!(!made.iter().any(|call| call == "Scan"), "{made:?}");
            counts.insert((query, made.len()));
        }
    }
    assert_eq!(counts.len(), 4, "the same number of requests: {counts:?}");
}

#[tokio::test]
async fn paging_is_complete_and_without_doubles_while_profiles_change() {
    let (house, _) = house().await;
    for n in 0..60 {
        add(&house, &format!("u{n}"), 5, json!({ "even": true })).await;
    }
    let (mut found, mut cursor, mut step) = (Vec::new(), String::new(), 0);
    loop {
        let page = get(&house, &format!("/api/profiles?segment=even&limit=7{cursor}")).await;
        found.extend(names(&page));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // Others become active, some join, and one leaves.
        step += 1;
        let at = now();
        let again = EventBuilder::track(&format!("again-{step}"), &format!("u{step}"), "Bought").at(at).build();
        save(&house, &format!("u{step}"), &[again]).await;
        add(&house, &format!("new{step}"), 1, json!({ "even": true })).await;
        let left = EventBuilder::identify(&format!("left-{step}"), &format!("u{}", step + 30), None).at(at);
        save(&house, &format!("u{}", step + 30), &[left.traits(json!({ "even": false })).build()]).await;
    }
    let unique: BTreeSet<&String> = found.iter().collect();
    assert_eq!(unique.len(), found.len(), "without doubles");
    let stayed = (0..60).filter(|n| !(31..=30 + step).contains(n)).map(|n| format!("u{n}"));
    let missing: Vec<String> = stayed.filter(|name| !unique.contains(name)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn wrong_requests_say_what_is_allowed() {
    let (house, _) = house().await;
    for n in 0..3 {
        add(&house, &format!("u{n}"), 1, json!({})).await;
    }
    let next = get(&house, "/api/profiles?stage=lead&limit=1").await["next"].as_str().unwrap().to_owned();
    for (query, part) in [
        ("segment=kene", "segment must be one of keen, even, not `kene`"),
        ("stage=lost", "stage must be one of visitor, lead"),
        ("persona=x", "the configuration has none"),
        ("score=health", "churn"),
        ("min=4", "needs a score"),
        ("score=churn&min=70&max=60", "must not be greater"),
        ("score=churn&min=101", "0 to 100"),
        ("score=churn&min=-1", "0 to 100"),
        ("limit=0", "1 to 1000"),
        ("sort=asc", "highest, lowest"),
        ("sgment=keen", "there is no parameter `sgment`; there are segment, stage"),
        ("stage=lead&stage=trial", "given twice"),
        ("format=xml", "json or csv"),
        ("search=%ff", "UTF-8"),
        ("stage=lead&cursor=!!!", "`next` of the page before"),
        ("stage=lead&cursor=e30", "`next` of the page before"),
        (&format!("stage=trial&cursor={next}"), "`next` of the page before"),
        (&format!("stage=lead&cursor={}", "A".repeat(2047)), "`next` of the page before"),
    ] {
        let (status, _, body) = call(&house, "GET", &format!("/api/profiles?{query}")).await;
        assert!(status == StatusCode::BAD_REQUEST && body.contains(part), "{query}: {body}");
    }
    let (status, ..) = call(&house, "GET", &format!("/api/profiles?stage=lead&cursor={next}")).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn cursor_that_names_another_place_is_refused() {
    use data_encoding::BASE64URL_NOPAD;
    let (house, _) = house().await;
    for n in 0..3 {
        add(&house, &format!("u{n}"), 1, json!({})).await;
    }
    let next = get(&house, "/api/profiles?stage=lead&limit=1").await["next"].as_str().unwrap().to_owned();
    let cursor: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(next.as_bytes()).unwrap()).unwrap();
    for (field, value) in
        [("p", json!("zzz")), ("p", json!("#\u{10ffff}\u{10ffff}")), ("i", json!(7)), ("p", json!(5)), ("q", json!(1))]
    {
        let mut changed = cursor.clone();
        changed[field] = value;
        let text = BASE64URL_NOPAD.encode(changed.to_string().as_bytes());
        let (status, _, body) = call(&house, "GET", &format!("/api/profiles?stage=lead&cursor={text}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{changed}: {body}");
    }
}

#[tokio::test]
async fn csv_is_read_by_pythons_reader_and_runs_no_formula() {
    let (house, _) = house().await;
    let hostile = ["=HYPERLINK(\"http://x\",\"y\")", "a,\"b\"\r\nc", "+1", "@x", "\u{ff1d}1", "plain"];
    for (n, name) in hostile.iter().enumerate() {
        add(&house, &format!("u{n}"), 1, json!({ "name": name, "company": name })).await;
    }
    let (status, headers, body) = call(&house, "GET", "/api/profiles?stage=lead&format=csv").await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (StatusCode::OK, "text/csv; charset=utf-8; header=present")
    );
    assert!(!headers.contains_key("x-next-cursor"));
    let script = "import csv, io, json, sys; print(json.dumps(list(csv.DictReader(io.StringIO(sys.stdin.buffer.read().decode(), newline='')))))";
    let mut python = match std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
    {
        Ok(python) => python,
        Err(error) => {
            println!("SKIPPED: python3 is not there ({error})");
            return;
        }
    };
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), body.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    let read: BTreeSet<&str> = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    let page = get(&house, "/api/profiles?stage=lead").await;
    let stored: Vec<&str> =
        page["people"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(read.len(), hostile.len());
    for name in stored {
        let is_formula = name.starts_with(['=', '+', '@', '\u{ff1d}']);
        let cell = if is_formula { format!("'{name}") } else { name.to_owned() };
        assert!(read.contains(cell.as_str()), "{cell:?} {read:?}");
    }
    let (_, headers, _) = call(&house, "GET", "/api/profiles?stage=lead&format=csv&limit=2").await;
    assert!(headers.contains_key("x-next-cursor"));
}

#[tokio::test]
async fn profile_that_is_gone_or_cannot_be_read_is_in_no_list_and_does_not_affect_others() {
    let (house, _) = house().await;
    for n in 0..4 {
        add(&house, &format!("u{n}"), 1, json!({ "even": true })).await;
    }
    let store = &house.deps.views.store;
    store
        .delete_keys([(perennial_store::keys::person(id("u0")), perennial_store::keys::PROFILE.to_owned())])
        .await
        .unwrap();
    let damaged = perennial_store::keys::person(id("u1"));
    let update = store.client().update_item().table_name(store.table());
    let s = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    update
        .key("pk", s(&damaged))
        .key("sk", s("P"))
        .update_expression("SET #state = :state")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":state", aws_sdk_dynamodb::types::AttributeValue::B(b"\xff".to_vec().into()))
        .send()
        .await
        .unwrap();
    let page = get(&house, "/api/profiles?segment=even").await;
    assert_eq!(sorted(names(&page)), ["u2", "u3"]);
    assert_eq!(page["unreadable"], 1);
}

/// Stores an account as `rollup` does.
async fn add_account(house: &House, name: &str, traits: Value) {
    let config = rules();
    let traits: Properties = serde_json::from_value(traits).unwrap();
    let mut account = Account::new(AccountId::parse(name).unwrap());
    let message = perennial_domain::MessageId::parse("m").unwrap();
    account.merge(&config.accounts.domains, &traits, now(), &message);
    let facts = perennial_engine::account::facts(&config, &account, now());
    assert!(listing::list(&mut account, &facts, now()));
    let mut stored = StoredAccount { account, version: 0 };
    house.deps.views.store.save_account(&mut stored).await.unwrap();
    for action in &stored.account.outbox {
        if let perennial_engine::account::AccountAction::List { change, .. } = action {
            let listee = Listee::Account(&stored.account.id);
            house.deps.views.store.change_lists(listee, change, stored.version, now()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn accounts_are_listed_by_touch_owner_and_name() {
    let (house, _) = house().await;
    add_account(&house, "acme", json!({ "name": "Acm\u{e9} Ltd", "mrr": 1000 })).await;
    add_account(&house, "other", json!({ "name": "Other Acme", "mrr": 10 })).await;
    add_account(&house, "a#b/c", json!({ "name": "=cmd" })).await;
    for (query, expected) in [
        ("", vec!["a#b/c", "acme", "other"]),
        ("touch=low", vec!["acme"]),
        ("owner=Success", vec!["acme"]),
        ("search=acme", vec!["acme", "other"]),
        ("search=a%23b%2Fc", vec!["a#b/c"]),
        ("score=readiness&max=20&limit=1", vec!["a#b/c", "acme", "other"]),
        ("score=health", vec![]),
        ("stage=established", vec![]),
    ] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = get(&house, &format!("/api/accounts?{query}{cursor}")).await;
            found.extend(page["accounts"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(sorted(found), expected, "{query}");
    }
    let acme = get(&house, "/api/accounts?search=acme&touch=low").await["accounts"][0].clone();
    assert_eq!(
        (&acme["value"], &acme["currency"], &acme["name"]),
        (&json!(1_200_000), &json!("EUR"), &json!("Acm\u{e9} Ltd"))
    );
    let (_, _, body) = call(&house, "GET", "/api/accounts?format=csv&search=cmd").await;
    assert!(body.contains("\"a#b/c\",\"'=cmd\""), "{body}");
    let (status, _, body) = call(&house, "GET", "/api/accounts?segment=x").await;
    assert!(status == StatusCode::BAD_REQUEST && body.contains("no parameter `segment`"), "{body}");
}
