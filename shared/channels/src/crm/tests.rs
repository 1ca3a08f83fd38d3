#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::fixture::{brief, decision, with_about};
use jiff::Timestamp;
use perennial_config::channels::{AccountRecords, ContactId, TaskRecords};
use perennial_domain::{AccountId, AnonymousId, ConfigVersion, Identity, PersonId, Subject, UserId};
use perennial_engine::State;
use perennial_engine::register::Register;
use serde_json::json;

fn contact_of(email: &str, holds: ContactId, identities: &[&Identity]) -> Option<Record> {
    let mut state = State::default();
    for (name, value) in [("email", email), ("first_name", "Ada")] {
        state.traits.insert(name.into(), Register { at: 0, value: json!(value).to_string() });
    }
    let decision = decision("crm");
    let fields = [("firstname".to_owned(), "first_name".to_owned()), ("city".to_owned(), "city".to_owned())].into();
    let records = ContactRecords { id: "id".into(), holds, fields };
    with_about(&decision, (&state, identities), &brief(), |about| contact(&records, about))
}

#[test]
fn contacts_are_found_by_what_the_config_says() {
    let user = Identity::User(UserId::parse("u-1").unwrap());
    let visitor = Identity::Anonymous(AnonymousId::parse("a-1").unwrap());
    let both = [&visitor, &user];
    let by =
        |email: &str, holds, identities: &[&Identity]| contact_of(email, holds, identities).map(|record| record.id);
    assert_eq!(by("Ada@Example.COM", ContactId::Email, &both).as_deref(), Some("ada@example.com"));
    assert_eq!(by("no address", ContactId::Email, &both), None);
    assert_eq!(by("", ContactId::UserId, &both).as_deref(), Some("u-1"));
    assert_eq!(by("", ContactId::UserId, &[&visitor]), None);
    let merged = PersonId::derive(&[b"merged"]).to_string();
    assert_eq!(
        by("", ContactId::PersonId, &[&visitor]),
        Some(merged),
        "whom the decision was about may be part of someone now"
    );
}

#[test]
fn what_is_not_known_of_someone_leaves_its_field_alone() {
    let fields = contact_of("ada@example.com", ContactId::Email, &[]).unwrap().fields;
    assert_eq!(fields, [("firstname".to_owned(), json!("Ada"))].into());
}

fn records() -> CrmRecords {
    CrmRecords {
        contact: ContactRecords {
            id: "email".into(),
            holds: ContactId::Email,
            fields: [("firstname".to_owned(), "first_name".to_owned())].into(),
        },
        account: AccountRecords { id: "perennial_id".into(), fields: [("name".to_owned(), "name".to_owned())].into() },
        task: TaskRecords {
            id: "perennial_id".into(),
            values: BTreeMap::new(),
            owners: [("Grace".to_owned(), "77".to_owned())].into(),
        },
    }
}

fn person_update(person: PersonId, fields: serde_json::Value) -> CrmUpdate {
    let subject = Subject::Person(person);
    CrmUpdate {
        id: CrmUpdate::id_of(&subject, 1),
        subject,
        number: 1,
        endpoint: "crm".into(),
        fields: serde_json::from_value(fields).unwrap(),
        at: Timestamp::UNIX_EPOCH,
        config: ConfigVersion::parse("v1").unwrap(),
    }
}

fn profile(email: &str) -> perennial_engine::Profile {
    let identity = Identity::User(UserId::parse("u-1").unwrap());
    let mut profile = perennial_engine::Profile::new(identity.clone());
    let state = &mut profile.part_mut(&identity).state;
    for (name, value) in [("email", email), ("first_name", "Ada")] {
        state.traits.insert(name.into(), Register { at: 0, value: json!(value).to_string() });
    }
    profile
}

#[test]
fn a_person_is_written_with_the_updates_fields_and_their_traits() {
    let profile = profile("Ada@Example.COM");
    let view = profile.view();
    let acme = AccountId::parse("acme").unwrap();
    let about = Person { profile: &profile, view: &view, account: Some(&acme), company: Some(&acme) };
    let update = person_update(
        profile.id,
        json!({ "perennial_churn": 62, "perennial_personas": ["buyer", "it"], "perennial_nps": null, "hubspot_owner_id": "Grace" }),
    );
    let Contact { record, account } = person(&records(), &update, &about).unwrap();
    assert_eq!(account.as_deref(), Some("acme"));
    assert_eq!(record.id, "ada@example.com");
    let expected = json!({
        "firstname": "Ada", "perennial_churn": 62, "perennial_personas": ["buyer", "it"], "perennial_nps": null,
        // The CRM knows its users by their ids.
        "hubspot_owner_id": "77",
    });
    assert_eq!(json!(record.fields), expected);
    let update =
        person_update(profile.id, json!({ "hubspot_owner_id": "nobody we know", "p_owner": "nobody we know" }));
    let fields = person(&records(), &update, &about).unwrap().record.fields;
    assert_eq!(json!(fields), json!({ "firstname": "Ada", "p_owner": "nobody we know" }));

    let profile = self::profile("no address");
    let about = Person { profile: &profile, view: &profile.view(), account: None, company: None };
    assert_eq!(person(&records(), &update, &about), None);
}

#[test]
fn an_account_is_written_with_the_updates_fields() {
    let id = AccountId::parse("acme").unwrap();
    let subject = Subject::Account(id.clone());
    let update = CrmUpdate {
        id: CrmUpdate::id_of(&subject, 1),
        subject,
        number: 1,
        endpoint: "crm".into(),
        fields: [("score".to_owned(), json!(70)), ("owner".to_owned(), Value::Null)].into(),
        at: Timestamp::UNIX_EPOCH,
        config: ConfigVersion::parse("v1").unwrap(),
    };
    let record = account(&records(), &update, &id, None);
    assert_eq!((record.id.as_str(), &record.fields), ("acme", &update.fields));
}

#[test]
fn reasons_hold_words_and_names_but_no_values() {
    assert_eq!(
        words(["INVALID_EMAIL", "email", "INVALID_EMAIL", "ada@example.com", "", "two words"]),
        ": INVALID_EMAIL email"
    );
    assert_eq!(words([""]), "");
}

#[test]
fn fixed_values_of_tasks_hold_against_ours() {
    let values = [("hs_task_type".into(), "CALL".into())].into();
    let records = TaskRecords { id: "perennial_id".into(), values, owners: [].into() };
    let rendered =
        crate::render::Rendered { subject: "s".into(), text: "t".into(), html: None, link: None, invitation: None };
    let task = with_about(&decision("crm"), (&State::default(), &[]), &brief(), |about| {
        hubspot::task(&records, about, &rendered)
    });
    assert_eq!(task.fields["hs_task_type"], json!("CALL"));
    assert_eq!(task.fields.get("hubspot_owner_id"), None, "the owner's id is not known");
}

/// A CRM that accepts everything except records called `bad`, and counts its calls.
#[derive(Default)]
struct Counting(std::sync::Mutex<Vec<String>>);

impl Counting {
    fn take(&self, what: &str, ids: Vec<String>) -> BoxFuture<'_, Vec<Upserted>> {
        self.0.lock().unwrap().push(format!("{what}: {}", ids.join(" ")));
        let upserted = ids.into_iter().map(|id| match id.as_str() {
            "bad" => Upserted::Rejected { reason: "no".into() },
            "busy" => Upserted::retry("later"),
            _ => Upserted::Done { id: format!("crm-{id}") },
        });
        let upserted = upserted.collect();
        Box::pin(async move { upserted })
    }
}

impl Crm for Counting {
    fn upsert_contacts<'a>(&'a self, contacts: &'a [Contact]) -> BoxFuture<'a, Vec<Upserted>> {
        self.take("contacts", contacts.iter().map(|contact| contact.record.id.clone()).collect())
    }

    fn upsert_accounts<'a>(&'a self, records: &'a [Record]) -> BoxFuture<'a, Vec<Upserted>> {
        self.take("accounts", records.iter().map(|record| record.id.clone()).collect())
    }

    fn upsert_tasks<'a>(&'a self, tasks: &'a [AssignedTask]) -> BoxFuture<'a, Vec<Upserted>> {
        assert!(tasks.iter().all(|task| task.contact.as_ref().is_none_or(|id| id.starts_with("crm-"))));
        self.take("tasks", tasks.iter().map(|task| task.record.id.clone()).collect())
    }
}

#[tokio::test]
async fn many_messages_take_one_call_for_each_kind_of_record_and_fail_one_by_one() {
    let record = |id: &str| Record { id: id.into(), fields: BTreeMap::new() };
    let task = |contact: Option<&str>, id: &str| Message::Task(Task { contact: contact.map(record), task: record(id) });
    let messages = [
        task(Some("ada"), "1"),
        task(Some("bad"), "2"),
        Message::Account(record("acme")),
        Message::Contact(record("ben").into()),
        Message::Contact(record("bad").into()),
        task(None, "bad"),
        task(Some("busy"), "4"),
        task(Some("eve"), "5"),
        Message::Chat("{}".into()),
    ];
    let crm = Counting::default();
    let sent = |id: &str| Outcome::Sent { provider_id: Some(id.into()) };
    let expected = [
        sent("crm-1"),
        Outcome::rejected("the task's contact was refused: no"),
        sent("crm-acme"),
        sent("crm-ben"),
        Outcome::rejected("no"),
        Outcome::rejected("no"),
        Outcome::retry("later"),
        sent("crm-5"),
        Outcome::rejected("the message is of another kind than its endpoint"),
    ];
    assert_eq!(deliver(&crm, &messages).await, expected);
    let calls = crm.0.lock().unwrap().clone();
    assert_eq!(calls, ["contacts: ada bad ben bad busy eve", "tasks: bad 1 5", "accounts: acme"]);

    let crm = Counting::default();
    assert_eq!(deliver(&crm, &[task(None, "1")]).await, [sent("crm-1")]);
    assert_eq!(*crm.0.lock().unwrap(), ["tasks: 1"], "nothing is asked for nothing");
}
