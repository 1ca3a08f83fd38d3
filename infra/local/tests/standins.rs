//! The stand-ins of CRMs and chats, called by the real client, alone and end to end.
#![allow(clippy::unwrap_used, clippy::panic)]

use perennial_channels::Outcome;
use perennial_channels::crm::{Contact, Record, Task};
use perennial_channels::endpoint::{EndpointSender, Message};
use perennial_config::channels::{
    AccountRecords, ContactId, ContactRecords, CrmRecords, Endpoint, Kind, SecretPlace, TaskRecords,
};
use perennial_lambda_kit::Clock;
use perennial_local::stack::{LOCAL_WRITE_KEY, Stack, StackOptions};
use perennial_local::standins::{Faults, StandIns};
use serde_json::{Value, json};
use std::time::Duration;

const SALESFORCE_SECRET: &str = r#"{"client_id": "a", "client_secret": "b"}"#;

struct House {
    base: String,
    stand_ins: StandIns,
    sender: EndpointSender,
}

impl House {
    async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stand_ins = StandIns::default();
        let router = stand_ins.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, stand_ins, sender: EndpointSender::new() }
    }

    fn endpoint(&self, crm: &str) -> Endpoint {
        let id = if crm == "hubspot" { "perennial_id" } else { "Perennial_Id__c" };
        let records = CrmRecords {
            contact: ContactRecords { id: id.into(), holds: ContactId::PersonId, fields: [].into() },
            account: AccountRecords { id: id.into(), fields: [].into() },
            task: TaskRecords { id: id.into(), values: [].into(), owners: [].into() },
        };
        let kind = if crm == "hubspot" { Kind::HubSpot(records) } else { Kind::Salesforce(records) };
        let url = format!("{}/_local/{crm}/x", self.base);
        Endpoint { kind, url, secret: SecretPlace::Env("S".into()), allow_private: true }
    }

    async fn send(&self, crm: &str, message: &Message, now: &str) -> Outcome {
        self.sender.send(&self.endpoint(crm), SALESFORCE_SECRET, "d", message, now.parse().unwrap()).await
    }

    fn records(&self) -> Value {
        self.stand_ins.kept()[0]["kept"]["records"].clone()
    }
}

const NOW: &str = "2026-03-02T12:00:00Z";

fn task() -> Message {
    let contact = Record { id: "person-1".into(), fields: [("LastName".to_owned(), json!("Lovelace"))].into() };
    let fields = [("hs_timestamp".to_owned(), json!("1")), ("Subject".to_owned(), json!("Call"))].into();
    Message::Task(Task { contact: Some(contact), task: Record { id: "decision-1".into(), fields } })
}

fn account(id: &str) -> Message {
    Message::Account(Record { id: id.into(), fields: [("Name".to_owned(), json!("Acme"))].into() })
}

fn one(faults: Faults, id: &str) -> Faults {
    Faults { refuse: [id.to_owned()].into(), ..faults }
}

#[tokio::test]
async fn a_task_sent_twice_is_one_task_of_one_contact() {
    for (crm, contacts, tasks) in [("hubspot", "contacts", "tasks"), ("salesforce", "Contact", "Task")] {
        let house = House::open().await;
        let (first, second) = (house.send(crm, &task(), NOW).await, house.send(crm, &task(), NOW).await);
        let Outcome::Sent { provider_id: Some(id) } = &first else { panic!("{crm}: {first:?}") };
        assert_eq!(first, second, "{crm}");
        let records = house.records();
        assert_eq!(records[tasks]["decision-1"]["id"], json!(id));
        assert_eq!(records[tasks]["decision-1"]["writes"], 2, "{crm}: both calls came");
        assert_eq!((records[tasks].as_object().unwrap().len(), records[contacts].as_object().unwrap().len()), (1, 1));
        let kept = &house.stand_ins.kept()[0]["kept"];
        if crm == "hubspot" {
            assert_eq!(kept["associations"], json!([[id, records[contacts]["person-1"]["id"]]]));
        } else {
            assert_eq!(records[tasks]["decision-1"]["fields"]["WhoId"], records[contacts]["person-1"]["id"]);
        }
    }
}

#[tokio::test]
async fn a_refused_record_is_refused_for_good_and_a_busy_one_comes_through_later() {
    for crm in ["hubspot", "salesforce"] {
        let house = House::open().await;
        house.stand_ins.set_faults(crm, "x", one(Faults::default(), "bad"));
        assert!(matches!(house.send(crm, &account("bad"), NOW).await, Outcome::Rejected { .. }), "{crm}");
        house.stand_ins.set_faults(crm, "x", Faults { busy: ["acme".to_owned()].into(), ..Faults::default() });
        assert!(matches!(house.send(crm, &account("acme"), NOW).await, Outcome::Retry { .. }), "{crm}");
        assert!(matches!(house.send(crm, &account("acme"), NOW).await, Outcome::Sent { .. }), "{crm}");
    }
}

#[tokio::test]
async fn what_was_done_though_its_answer_was_lost_is_not_done_twice() {
    for (crm, accounts) in [("hubspot", "companies"), ("salesforce", "Account")] {
        let house = House::open().await;
        assert!(matches!(house.send(crm, &account("first"), NOW).await, Outcome::Sent { .. }), "{crm}");
        house.stand_ins.set_faults(crm, "x", Faults { lose_answer: 1, ..Faults::default() });
        assert!(matches!(house.send(crm, &account("acme"), NOW).await, Outcome::Retry { .. }), "{crm}");
        assert!(matches!(house.send(crm, &account("acme"), NOW).await, Outcome::Sent { .. }), "{crm}");
        assert_eq!(house.records()[accounts].as_object().unwrap().len(), 2, "{crm}");
    }
}

#[tokio::test]
async fn a_contact_is_associated_with_its_account_if_the_crm_has_it() {
    for (crm, contacts, accounts) in [("hubspot", "contacts", "companies"), ("salesforce", "Contact", "Account")] {
        let house = House::open().await;
        let fields = [("LastName".to_owned(), json!("Lovelace"))];
        let contact = |account: &str| {
            let record = Record { id: "person-1".into(), fields: fields.clone().into() };
            Message::Contact(Contact { record, account: Some(account.into()) })
        };
        assert!(
            matches!(house.send(crm, &contact("acme"), NOW).await, Outcome::Sent { .. }),
            "{crm}: it is not there yet"
        );
        assert!(matches!(house.send(crm, &account("acme"), NOW).await, Outcome::Sent { .. }), "{crm}");
        assert!(matches!(house.send(crm, &contact("acme"), NOW).await, Outcome::Sent { .. }), "{crm}");
        let records = house.records();
        let (person, company) = (&records[contacts]["person-1"], &records[accounts]["acme"]["id"]);
        if crm == "hubspot" {
            assert_eq!(house.stand_ins.kept()[0]["kept"]["associations"], json!([[person["id"], company]]));
        } else {
            assert_eq!(person["fields"]["AccountId"], *company);
        }
        assert_eq!(person["writes"], 2, "{crm}");
    }
}

#[tokio::test]
async fn who_asks_for_time_is_given_it() {
    let house = House::open().await;
    house.stand_ins.set_faults("hubspot", "x", Faults { throttle: 1, retry_after: 10, ..Faults::default() });
    let after = Some(Duration::from_secs(10));
    let Outcome::Retry { after: asked, .. } = house.send("hubspot", &account("acme"), NOW).await else { panic!() };
    assert_eq!(asked, after);
    assert!(matches!(house.send("hubspot", &account("acme"), "2026-03-02T12:00:09Z").await, Outcome::Paused { .. }));
    assert_eq!(house.stand_ins.kept()[0]["calls"], 1, "it was left alone");
    assert!(matches!(house.send("hubspot", &account("acme"), "2026-03-02T12:00:10Z").await, Outcome::Sent { .. }));
}

#[tokio::test]
async fn an_expired_token_is_replaced() {
    let house = House::open().await;
    assert!(matches!(house.send("salesforce", &account("acme"), NOW).await, Outcome::Sent { .. }));
    house.stand_ins.set_faults("salesforce", "x", Faults { expire: true, ..Faults::default() });
    assert!(matches!(house.send("salesforce", &account("acme"), NOW).await, Outcome::Sent { .. }));
    assert_eq!(house.stand_ins.kept()[0]["kept"]["tokens"], 3);
}

#[tokio::test]
async fn a_contact_without_what_the_crm_needs_is_refused_with_the_fields_name() {
    let house = House::open().await;
    let Message::Task(Task { contact: Some(contact), task }) = task() else { panic!() };
    let bare = Message::Task(Task { contact: Some(Record { fields: [].into(), ..contact }), task });
    let reason = "the task's contact was refused: Salesforce refused the record: REQUIRED_FIELD_MISSING LastName";
    assert_eq!(house.send("salesforce", &bare, NOW).await, Outcome::Rejected { reason: reason.into() });
}

/// The default config, with tasks to HubSpot and account scores to Salesforce.
fn with_crms() -> perennial_config::Bundle {
    let mut config = perennial_local::bundle::embedded();
    let mut channels: toml::Table = config.files["channels.toml"].parse().unwrap();
    let crms: toml::Table = "[tasks]\nkind = \"hubspot\"\nsecret_env = \"STAND_IN_HUBSPOT\"\ncontact = { fields = { firstname = \"first_name\" } }\n\
         [crm]\nkind = \"salesforce\"\nurl = \"https://acme.example\"\nsecret_env = \"STAND_IN_SALESFORCE\"\naccount = { fields = { Name = \"name\" } }\n"
        .parse()
        .unwrap();
    channels["webhook"].as_table_mut().unwrap().extend(crms);
    config.files.insert("channels.toml".to_owned(), channels.to_string());
    // Salesforce's custom fields end in __c.
    let accounts = config.files.get_mut("accounts.toml").unwrap();
    let (rest, fields) = accounts.split_once("[crm.fields]").unwrap();
    let fields = fields.replace("_score\"", "_score__c\"").replace("_health\"", "_health__c\"");
    let fields = fields.replace("_ready\"", "_ready__c\"").replace("_touch\"", "_touch__c\"");
    *accounts = format!("{rest}[crm.fields]{}", fields.replace("_stage\"", "_stage__c\""));
    config
}

/// An hour before `now`, a customer's user answers that they would not recommend the product, which creates a task.
async fn would_not_recommend(stack: &Stack, now: jiff::Timestamp) {
    let at = now - jiff::SignedDuration::from_hours(1);
    let call = |id: &str, kind: &str, rest: Value| {
        let mut call = json!({ "messageId": id, "type": kind, "userId": "ada", "timestamp": at });
        call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        call
    };
    let traits = json!({ "traits": { "email": "ada@acme.example", "first_name": "Ada" } });
    let group = json!({ "groupId": "acme", "traits": { "name": "Acme", "mrr": 5000 } });
    let batch = json!({ "batch": [
        call("1", "identify", traits),
        call("2", "group", group),
        call("3", "track", json!({ "event": "Survey Answered", "properties": { "nps": 3 } })),
    ] });
    let post = reqwest::Client::new().post(format!("{}/v1/batch", stack.base_url()));
    let posted = post.basic_auth(LOCAL_WRITE_KEY, Some("")).body(batch.to_string()).send().await.unwrap();
    assert!(posted.status().is_success());
    stack.wait_idle().await.unwrap();
}

fn records_of(stack: &Stack, kind: &str) -> Value {
    let kept = stack.stand_ins().kept();
    kept.as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap()["kept"]["records"].clone()
}

/// Scenario 14, end to end.
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_road_leads_into_the_crms() {
    let (clock, simulated) = Clock::simulated(NOW.parse().unwrap());
    let options = StackOptions { port: 0, ..StackOptions::new(with_crms(), clock, Some(simulated)) };
    let stack = Stack::start(options).await.unwrap();
    would_not_recommend(&stack, NOW.parse().unwrap()).await;
    let hubspot = records_of(&stack, "hubspot");
    assert_eq!(hubspot["contacts"]["ada@acme.example"]["fields"]["firstname"], "Ada");
    let task = hubspot["tasks"].as_object().unwrap().values().next().unwrap();
    assert_eq!(task["fields"]["hs_task_subject"], "A customer would not recommend us");
    let salesforce = records_of(&stack, "salesforce");
    assert_eq!(salesforce["Account"]["acme"]["fields"]["Name"], "Acme", "{salesforce}");
    assert!(salesforce["Account"]["acme"]["fields"]["perennial_touch__c"].is_string(), "{salesforce}");
    stack.stop().await;
}

/// The queue gives a message up after five attempts, here a second apart: retried so soon, it would be a dead letter
/// before the CRM accepts it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_again_when_its_receiver_wants_it() {
    let clock = Clock::system();
    let options = StackOptions {
        port: 0,
        visibility: Duration::from_secs(1),
        ..StackOptions::new(with_crms(), clock.clone(), None)
    };
    let stack = Stack::start(options).await.unwrap();
    let faults = Faults { throttle: 1, retry_after: 8, ..Faults::default() };
    stack.stand_ins().set_faults("hubspot", "tasks", faults);
    would_not_recommend(&stack, clock.now()).await;
    assert_eq!(stack.aws().queue_depths()["messages-dlq"].visible, 0);
    assert_eq!(records_of(&stack, "hubspot")["tasks"].as_object().unwrap().len(), 1);
    stack.stop().await;
}
