//! The sample payloads under `events/` are what the functions read.
#![allow(clippy::unwrap_used, clippy::panic)]

use perennial_config::lifecycle::Milestone;
use perennial_contracts::queue::{AccountsPayload, EventsPayload, MessagesPayload};
use perennial_contracts::ses::{self, MailEventKind, Notice};
use perennial_domain::hash;
use perennial_domain::hygiene::MailAddress;
use perennial_domain::{AccountId, CrmUpdate, DecisionId, Event, Identity, PersonId, Subject, UserId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn sample(file: &str) -> Value {
    let path = folder().join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The bodies of an SQS event's messages.
fn bodies(file: &str) -> Vec<String> {
    let event = sample(file);
    let records = event["Records"].as_array().unwrap().iter();
    records.map(|record| record["body"].as_str().unwrap().to_owned()).collect()
}

fn payloads<T: DeserializeOwned>(file: &str) -> Vec<T> {
    bodies(file)
        .iter()
        .map(|body| serde_json::from_str(body).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect()
}

fn person() -> PersonId {
    Identity::User(UserId::parse("user-0042").unwrap()).person_id()
}

#[test]
fn score_is_shown_events_and_a_tick() {
    let events: Vec<EventsPayload> = payloads("score/events.json");
    let all = events.into_iter().map(|payload| match payload {
        EventsPayload::Events { events } => events,
        other => panic!("{other:?}"),
    });
    let names: Vec<String> = all.flatten().map(|event| event.counted_as().to_owned()).collect();
    assert_eq!(names, ["$page", "$identify", "$group", "Signed Up", "Trial Started"]);

    let tick: Vec<EventsPayload> = payloads("score/tick.json");
    assert!(matches!(tick.as_slice(), [EventsPayload::Tick { person: whose, .. }] if *whose == person()));
}

#[test]
fn what_happened_to_an_account_is_shown_on_its_way_to_people_and_back() {
    let asked: Vec<AccountsPayload> = payloads("rollup/event.json");
    let [AccountsPayload::Event { to, entry: asked, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(to, &["billing_contact", "administrator"]);
    let enter: Vec<EventsPayload> = payloads("score/enter.json");
    let [EventsPayload::Enter { entry, people }] = enter.as_slice() else { panic!("{enter:?}") };
    assert_eq!((entry, people.as_slice()), (asked, [person()].as_slice()));
}

#[test]
fn the_poison_sample_has_one_bad_body_between_good_ones() {
    let read: Vec<bool> =
        bodies("score/poison.json").iter().map(|body| serde_json::from_str::<EventsPayload>(body).is_ok()).collect();
    assert_eq!(read, [true, false, true]);
}

/// Returns the id that the engine gives the message of a step to a profile that may enter the journey once.
fn derived(journey: &str, step: u16) -> DecisionId {
    DecisionId::of(person(), journey, step, &hash::hash64(&[b"once"]).to_be_bytes())
}

#[test]
fn deliver_is_shown_a_decision_for_each_channel_with_the_id_that_the_engine_derives() {
    let decisions: Vec<MessagesPayload> = payloads("deliver/messages.json");
    let mut channels = Vec::new();
    for payload in decisions {
        let MessagesPayload::Decision(decision) = payload else { panic!("{payload:?}") };
        assert_eq!(decision.person, person());
        assert_eq!(decision.id, derived(&decision.journey, decision.step));
        channels.push(decision.channel.as_str());
    }
    assert_eq!(channels, ["mail", "in_app", "webhook"]);
}

#[test]
fn deliver_is_shown_a_mail_in_doubt_with_all_that_is_needed_to_send_it() {
    let decisions: Vec<MessagesPayload> = payloads("deliver/messages.json");
    let doubts: Vec<MessagesPayload> = payloads("deliver/unsettled.json");
    let [MessagesPayload::Unsettled(doubt)] = doubts.as_slice() else { panic!("{doubts:?}") };
    assert_eq!(MessagesPayload::Decision(doubt.decision.clone()), decisions[0]);
    assert!(doubt.claimant.ends_with("/1") && doubt.since > doubt.decision.decided_at);
}

#[test]
fn deliver_is_shown_what_became_of_its_mails() {
    let kinds = bodies("deliver/mail-events.json").into_iter().map(|body| match ses::parse(&body).unwrap() {
        Notice::Mail(event) => {
            assert_eq!(
                event.recipients.iter().map(MailAddress::as_str).collect::<Vec<_>>(),
                ["user-0042@customer-02.example"]
            );
            assert_eq!(event.tags["decision"], derived("welcome", 0).to_string());
            event.kind
        }
        other => panic!("{other:?} is in the sample"),
    });
    let kinds: Vec<MailEventKind> = kinds.collect();
    assert_eq!(kinds.iter().map(MailEventKind::as_str).collect::<Vec<_>>(), ["Delivery", "Bounce", "Complaint"]);
    assert!(matches!(&kinds[1], MailEventKind::Bounce(bounce) if bounce.hard));
}

#[test]
fn deliver_is_shown_what_the_crm_is_to_hold_with_the_id_that_is_derived() {
    let updates: Vec<MessagesPayload> = payloads("deliver/account-update.json");
    let [MessagesPayload::AccountUpdate(update)] = updates.as_slice() else { panic!("{updates:?}") };
    let subject = Subject::Account(AccountId::parse("customer-02").unwrap());
    assert_eq!((&update.subject, update.id), (&subject, CrmUpdate::id_of(&subject, 1)));

    let updates: Vec<MessagesPayload> = payloads("deliver/person-update.json");
    let [MessagesPayload::PersonUpdate(update)] = updates.as_slice() else { panic!("{updates:?}") };
    let subject = Subject::Person(person());
    assert_eq!((&update.subject, update.id), (&subject, CrmUpdate::id_of(&subject, update.number)));
    assert_eq!(update.number, u64::try_from(update.at.as_millisecond()).unwrap());
}

#[test]
fn score_is_shown_whom_an_account_wakes() {
    let woken: Vec<EventsPayload> = payloads("score/wake.json");
    assert!(matches!(woken.as_slice(), [EventsPayload::Wake { people, version: 3, .. }] if *people == [person()]));
}

#[test]
fn score_is_shown_a_browser_that_is_taken_out_of_the_person_of_its_events() {
    let said: Vec<EventsPayload> = payloads("score/unmerge.json");
    let [EventsPayload::Unmerge(unmerge)] = said.as_slice() else { panic!("{said:?}") };
    let events: Vec<EventsPayload> = payloads("score/events.json");
    let EventsPayload::Events { events } = &events[0] else { panic!("{events:?}") };
    let (linked, user) = events.iter().find_map(Event::link).unwrap();
    assert_eq!(unmerge.identity, linked);
    assert_eq!(Identity::User(user.clone()).person_id(), person());
    assert!(unmerge.done_at.is_none(), "only the archive says when it was done");
}

#[test]
fn the_readme_names_every_sample_of_a_queue() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    for function in ["score", "deliver", "rollup", "sweep", "report"] {
        for file in fs::read_dir(folder().join(function)).unwrap() {
            let name = format!("`{function}/{}`", file.unwrap().file_name().to_string_lossy());
            assert!(readme.contains(&name), "events/README.md does not say what {name} is");
        }
    }
}

#[test]
fn rollup_is_shown_an_account_with_traits_and_with_a_fact_about_it() {
    let changed: Vec<AccountsPayload> = payloads("rollup/changed.json");
    let [AccountsPayload::Changed { traits: Some(_), .. }, AccountsPayload::Changed { milestones, at: Some(_), .. }] =
        changed.as_slice()
    else {
        panic!("{changed:?}")
    };
    assert_eq!(milestones[0].milestone, Milestone::Trial);
}
