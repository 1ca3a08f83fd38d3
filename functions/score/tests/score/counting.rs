//! Every event is counted once, with one write a profile a batch, and a failure affects only its record.

use crate::support::{Bench, Database, anonymous, at, config_with, events_body, tick_body, user};
use futures::TryStreamExt;
use jiff::Timestamp;
use perennial_domain::{AccountId, Event};
use perennial_testkit::EventBuilder;
use std::collections::HashSet;

fn track(id: &str, user: &str) -> Event {
    EventBuilder::track(id, user, "Order Completed").at(at(-60)).build()
}

#[tokio::test]
async fn a_person_is_written_once_a_batch_however_many_records_speak_of_them() {
    let bench = Bench::new().await;
    let records =
        [vec![track("a", "u"), track("b", "v")], vec![track("c", "u"), track("a", "u")], vec![track("d", "u")]];
    assert!(bench.feed(&records).await.is_empty());
    let stored = bench.stored(user("u")).await.unwrap();
    assert_eq!((stored.version, stored.profile.counted()), (1, 3));
    assert_eq!(bench.stored(user("v")).await.unwrap().version, 1);
    assert!(bench.feed(&records).await.is_empty());
    assert_eq!(bench.stored(user("u")).await.unwrap().version, 1, "what was counted before writes nothing");
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.duplicates, totals.profiles), (4, 6, 2));
}

#[tokio::test]
async fn an_event_is_counted_once_though_it_comes_again_long_after_it_left_the_window() {
    let bench = Bench::new().await;
    let all: Vec<Event> = (0..200)
        .map(|i| EventBuilder::track(&format!("m{i}"), "u", "Order Completed").at(at(i - 300)).build())
        .collect();
    for batch in all.chunks(20) {
        assert!(bench.feed(&[batch.to_vec()]).await.is_empty());
    }
    let before = bench.stored(user("u")).await.unwrap();
    assert!(before.profile.parts[0].seen.blocks >= 4, "most ids are in the ledger");
    for batch in [&all[..7], &all[100..120], &all[195..]] {
        assert!(bench.feed(&[batch.to_vec()]).await.is_empty());
    }
    let mut late = all[3].clone();
    late.message_id = perennial_domain::MessageId::parse("new").unwrap();
    assert!(bench.feed(&[vec![late]]).await.is_empty());
    let after = bench.stored(user("u")).await.unwrap();
    assert_eq!((before.profile.counted(), after.profile.counted()), (200, 201));
    assert_eq!(after.version, before.version + 1);
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone() {
    let bench = Bench::new().await;
    let good = |i: u32| events_body(&[track(&format!("m{i}"), &format!("u{i}"))]);
    let bodies = vec![good(0), "no json".to_owned(), good(2), String::new(), r#"{"events.v9":{}}"#.to_owned(), good(5)];
    assert_eq!(bench.hand(bodies).await, ["r1", "r3", "r4"]);
    assert_eq!(bench.store.totals().await.unwrap().accepted, 3);
}

#[tokio::test]
async fn a_person_who_cannot_be_read_fails_only_the_records_that_speak_of_them() {
    let bench = Bench::new().await;
    assert!(bench.feed(&[vec![track("a", "u")]]).await.is_empty());
    let mut stored = bench.stored(user("u")).await.unwrap();
    stored.profile.outbox.clear();
    // A profile whose ledger is missing: nothing may be counted, or it could be counted twice.
    stored.profile.parts[0].seen.blocks = 3;
    bench.store.save(&mut stored).await.unwrap();
    let records = [
        vec![track("b", "v")],
        vec![EventBuilder::track("c", "u", "x").at(at(-600)).build(), track("d", "v")],
        vec![track("e", "w")],
    ];
    assert_eq!(bench.feed(&records).await, ["r1"]);
    assert_eq!(bench.stored(user("v")).await.unwrap().profile.counted(), 2);
    assert_eq!(bench.stored(user("u")).await.unwrap().profile.counted(), 1);
}

#[tokio::test]
async fn every_accepted_event_is_in_the_archive() {
    let bench = Bench::new().await;
    let records = [vec![track("a", "u"), track("b", "v")], vec![track("c", "u")]];
    bench.feed(&records).await;
    let archived: Vec<Event> = bench.archive.read_all().await.unwrap().try_collect().await.unwrap();
    assert_eq!(archived, records.concat());
}

#[tokio::test]
async fn decisions_members_and_addresses_go_where_they_belong() {
    let bench = Bench::new().await;
    let events = vec![
        EventBuilder::identify("i", "u", None).with_trait("email", "Ada@Example.com").at(at(-60)).build(),
        EventBuilder::group("g", "u", "acme").with_trait("plan", "team").at(at(-50)).build(),
        EventBuilder::track("t", "u", "Trial Started").at(at(-40)).build(),
    ];
    let colleague = vec![EventBuilder::group("h", "v", "acme").at(at(-50)).build()];
    assert!(bench.feed(&[events, colleague]).await.is_empty());
    assert_eq!(bench.messages.bodies().len(), 2);
    assert!(bench.messages.bodies().iter().all(|body| body.starts_with(r#"{"decision.v1":"#)));
    let told = bench.accounts.drain();
    assert_eq!(told.len(), 1, "one message an account a batch: {told:?}");
    assert!(told[0].0.contains("\"plan\":\"team\"") && told[0].1.seconds() == 30);
    assert_eq!(bench.store.find_address("ada@example.com").await.unwrap(), Some(user("u")));
    let acme = AccountId::parse("acme").unwrap();
    let members = bench.store.members(&acme, None, None).await.unwrap().members;
    assert_eq!(
        members.iter().map(|member| member.person).collect::<HashSet<_>>(),
        HashSet::from([user("u"), user("v")])
    );
    let moved = EventBuilder::group("k", "v", "other").at(at(-10)).build();
    assert!(bench.feed(&[vec![moved]]).await.is_empty());
    let members = bench.store.members(&acme, None, None).await.unwrap().members;
    let elsewhere = members.iter().filter(|member| member.elsewhere).map(|member| member.person);
    assert_eq!((members.len(), elsewhere.collect::<Vec<_>>()), (2, vec![user("v")]));
    assert_eq!(bench.accounts.drain().len(), 2, "both accounts hear of it");
}

#[tokio::test]
async fn essential_mails_and_inbox_messages_have_a_queue_of_their_own_and_webhooks_do_not() {
    let journeys = r#"!
        [[journey]]
        id = "news"
        trigger = { event = "Go" }
        step = [{ channel = "mail", template = "t" }, { channel = "mail", template = "receipt" }]
        [[journey]]
        id = "notice"
        essential = true
        trigger = { event = "Go" }
        step = [{ channel = "in_app", template = "t" }, { channel = "webhook", template = "t", endpoint = "tasks" }]
    "#;
    let channels = "!max_event_age_hours = 48\n[mail]\nfrom = \"a@b.example\"\nconfiguration_set = \"s\"\n[webhook.tasks]\nurl = \"https://b.example\"\nsecret_env = \"S\"\n\
        [[topic]]\nid = \"billing\"\ntitle = \"Billing\"\nessential = true\n";
    let files = [
        ("journeys.toml", journeys),
        ("channels.toml", channels),
        ("templates/receipt.toml", "subject = \"s\"\ntext = \"t\"\ntopic = \"billing\""),
    ];
    let bench = Database::start().bench_with("essential", config_with(&files)).await;
    let address = EventBuilder::identify("i", "u", None).with_trait("email", "ada@example.com").at(at(-60)).build();
    assert!(bench.feed(&[vec![address, EventBuilder::track("g", "u", "Go").at(at(-10)).build()]]).await.is_empty());
    let sent = |queue: &perennial_lambda_kit::queue::MemoryQueue| {
        let bodies = queue.bodies().into_iter().map(|body| serde_json::from_str::<serde_json::Value>(&body).unwrap());
        let of = |body: serde_json::Value| {
            let decision = &body["decision.v1"];
            format!("{}/{}", decision["channel"].as_str().unwrap(), decision["template"].as_str().unwrap())
        };
        let mut all: Vec<String> = bodies.map(of).collect();
        all.sort();
        all
    };
    assert_eq!(sent(&bench.essential), ["in_app/t", "mail/receipt"]);
    assert_eq!(sent(&bench.messages), ["mail/t", "webhook/t"]);
}

#[tokio::test]
async fn who_has_gone_quiet_hears_from_us_once_however_often_the_timer_rings() {
    let bench = Bench::new().await;
    assert!(bench.feed(&[vec![track("a", "u")]]).await.is_empty());
    let due = async || bench.stored(user("u")).await.unwrap().profile.due_at.unwrap();
    let ring = async |at: Timestamp| {
        let ticks = vec![tick_body(user("u"), at), tick_body(user("u"), at), tick_body(user("nobody"), at)];
        assert!(bench.hand(ticks).await.is_empty());
    };
    let first = due().await;
    assert!(bench.hand(vec![tick_body(user("u"), first)]).await.is_empty());
    assert!(bench.messages.bodies().is_empty(), "it rang too early");
    // Some timers ring for a list that the profile has to leave: nobody hears of those.
    let mut at = first;
    for _ in 0..20 {
        bench.time.set(at);
        for _ in 0..3 {
            ring(at).await;
        }
        assert!(due().await > at);
        if !bench.messages.bodies().is_empty() {
            break;
        }
        at = due().await;
    }
    assert_eq!(bench.messages.bodies().len(), 1);
    assert!(bench.stored(user("nobody")).await.is_none());
}

#[tokio::test]
async fn a_visitor_who_identifies_becomes_part_of_the_user_with_all_that_was_counted() {
    let bench = Bench::new().await;
    let page = |id: &str| EventBuilder::page(id, "anon").at(at(-90)).build();
    assert!(bench.feed(&[vec![page("p1"), page("p2")]]).await.is_empty());
    let identify = EventBuilder::identify("i", "u", Some("anon")).at(at(-50)).build();
    // In one batch with more of the visitor's own events.
    assert!(bench.feed(&[vec![page("p3"), identify.clone()], vec![page("p4")]]).await.is_empty());
    assert!(bench.feed(&[vec![page("p5"), page("p1"), identify]]).await.is_empty());
    let stored = bench.stored(user("u")).await.unwrap();
    assert_eq!((stored.profile.counted(), stored.profile.parts.len()), (6, 2));
    assert!(bench.stored(anonymous("anon")).await.is_none());
    let totals = bench.store.totals().await.unwrap();
    assert_eq!((totals.accepted, totals.profiles), (6, 1));
}

#[tokio::test]
async fn a_visitor_who_belonged_to_an_account_leaves_it_when_becoming_a_user() {
    let bench = Bench::new().await;
    let mut page = EventBuilder::page("p1", "anon").at(at(-90)).build();
    page.group_id = Some(AccountId::parse("acme").unwrap());
    assert!(bench.feed(&[vec![page]]).await.is_empty());
    let acme = AccountId::parse("acme").unwrap();
    assert_eq!(bench.store.members(&acme, None, None).await.unwrap().members[0].person, anonymous("anon"));
    let identify = EventBuilder::identify("i", "u", Some("anon")).at(at(-50)).build();
    assert!(bench.feed(&[vec![identify]]).await.is_empty());
    let members: Vec<_> =
        bench.store.members(&acme, None, None).await.unwrap().members.iter().map(|member| member.person).collect();
    assert_eq!(members, [user("u")]);
}
