//! The owner of a task.
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::handler::handle;
use crate::test_support::{House, NOW, PERSON, config_with};
use perennial_channels::endpoint::Message;
use perennial_domain::{AccountId, Channel};
use perennial_engine::register::Register;
use perennial_store::accounts::StoredAccount;
use perennial_store::{ConfigHandle, Consistency, Loaded};
use serde_json::{Value, json};

const SEGMENTS: &str = r#"
    [[segment]]
    name = "nobodys"
    when = 'stage == "trial"'
    [[segment]]
    name = "others"
    when = 'pays'
    owner = "customer success"
    [[segment]]
    name = "trials"
    when = 'stage == "trial"'
    owner = "sales"
    [[segment]]
    name = "everyone"
    when = 'true'
    owner = "marketing"
"#;

/// Returns the owner of a task for a person in these segments and, if `named`, of an account.
async fn owner(segments: &str, named: bool) -> Value {
    let mut house = House::open().await;
    let accounts = "[owner]\nnone = \"long tail\"\n";
    house.deps.config = ConfigHandle::fixed(config_with(&[("segments.toml", segments), ("accounts.toml", accounts)]));
    if named {
        let acme = AccountId::parse("acme").unwrap();
        let store = &house.deps.store;
        let Loaded::Profile(mut stored) = store.load(PERSON.person_id(), Consistency::Strong).await.unwrap() else {
            panic!("the person is there")
        };
        let at = NOW.parse::<jiff::Timestamp>().unwrap().as_microsecond();
        stored.profile.parts[0].state.account = Some(Register { at, value: acme.as_str().to_owned() });
        store.save(&mut stored).await.unwrap();
        store.save_account(&mut StoredAccount::new(acme)).await.unwrap();
    }
    let batch = house.batch(&[house.decision_body(Channel::Webhook)], 1);
    assert!(handle(&house.deps, batch).await.unwrap().batch_item_failures.is_empty());
    let messages = house.webhooks.messages();
    let [(_, Message::Webhook(body))] = messages.as_slice() else { panic!("{messages:?}") };
    let payload: Value = serde_json::from_str(body).unwrap();
    payload["data"]["owner"].clone()
}

/// A task goes to the owner of the first segment that has one, in the configured order, and only then to that of the
/// touch model.
#[tokio::test]
async fn a_task_goes_to_the_segments_owner_else_to_the_touch_models() {
    assert_eq!(owner(SEGMENTS, true).await, json!("sales"));
    assert_eq!(owner("", true).await, json!("long tail"));
    assert_eq!(owner(SEGMENTS, false).await, json!("sales"));
    assert_eq!(owner("", false).await, Value::Null);
}
