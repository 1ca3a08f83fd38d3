//! People in the CRM, whether or not there is a task about them.

use super::START;
use super::story::{Story, signs_in, uses};
use serde_json::json;
use std::collections::BTreeMap;

/// An endpoint, with a trait of contacts.
const HUBSPOT: &str = "\n[webhook.hubspot]\nkind = \"hubspot\"\nsecret_env = \"HUBSPOT_TOKEN\"\n\
                       contact = { fields = { firstname = \"first_name\" } }\n";

/// Begins a story with people in HubSpot, as `people` says.
async fn with_hubspot(people: &str) -> Story {
    let change = |files: &mut BTreeMap<String, String>| {
        files.get_mut("channels.toml").unwrap().push_str(HUBSPOT);
        files.get_mut("accounts.toml").unwrap().push_str(people);
    };
    Story::with(START, change).await
}

/// "People, accounts, scores, stages … reach the CRM, whether or not there is a task."
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_goes_quiet_is_written_into_the_crm_exactly_twice() {
    // Scores are written with a change of the stage only, so that the number of writes is known.
    let people = "\n[crm.people]\nendpoint = \"hubspot\"\nwhen = 'pays'\nleast_change = 100\n\
                  fields = { stage = \"perennial_stage\", churn = \"perennial_churn\" }\n";
    let mut story = with_hubspot(people).await;
    story.is("ada", json!({})).await;
    story.is("visitor", json!({})).await;
    assert_eq!(story.hubspot("ada").await, json!(null), "does not pay");
    story.does("ada", ("Subscription Started", json!({ "plan": "team" }))).await;
    let written = story.hubspot("ada").await;
    assert_eq!((&written["writes"], &written["fields"]["perennial_stage"]), (&json!(1), &json!("onboarding")));
    assert_eq!(written["fields"]["firstname"], "Ada", "what channels.toml names for contacts is written along");
    for _ in 0..3 {
        story.does("ada", signs_in()).await;
        story.does("ada", uses("dashboards")).await;
    }
    assert_eq!(story.hubspot("ada").await["writes"], 1, "no event is written by itself");

    story.days(25).await;
    let written = story.hubspot("ada").await;
    assert_eq!((&written["writes"], &written["fields"]["perennial_stage"]), (&json!(2), &json!("at_risk")));
    let risk: u8 = written["fields"]["perennial_churn"].as_str().unwrap().parse().unwrap();
    assert!(risk >= 30, "{written}");
    story.days(3).await;
    assert_eq!(story.hubspot("ada").await["writes"], 2, "nothing has changed since");
    assert_eq!(story.hubspot("visitor").await, json!(null));

    let person = story.person("ada").await;
    let states: Vec<_> = person["crm"].as_array().unwrap().iter().map(|update| update["state"].clone()).collect();
    assert_eq!(states, ["sent", "sent"], "both are on the profile");
    story.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn imported_people_reach_the_crm_once_and_over_the_day() {
    let people = "\n[crm.people]\nendpoint = \"hubspot\"\nfields = { stage = \"perennial_stage\" }\n";
    let mut story = with_hubspot(people).await;
    let users: Vec<String> = (0..12).map(|number| format!("user{number}")).collect();
    for user in &users {
        story.was(user, 40).await;
        story.did(user, 40, &[("Subscription Started", json!({ "plan": "team" }))]).await;
        story.did(user, 3, &[signs_in()]).await;
        assert_eq!(story.hubspot(user).await, json!(null), "{user}");
    }
    story.hours(6).await;
    let mut early = 0;
    for user in &users {
        early += usize::from(!story.hubspot(user).await.is_null());
    }
    assert!((1..users.len()).contains(&early), "{early} of {} after six hours", users.len());
    story.hours(20).await;
    for user in &users {
        let written = story.hubspot(user).await;
        assert_eq!(
            (&written["writes"], &written["fields"]["perennial_stage"]),
            (&json!(1), &json!("adopting")),
            "{user}"
        );
    }
    story.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_belongs_to_the_company_that_was_written() {
    let people =
        "\n[crm.people]\nfields = { stage = \"perennial_stage\", unsubscribed = \"perennial_unsubscribed\" }\n";
    let change = |files: &mut BTreeMap<String, String>| {
        files.get_mut("channels.toml").unwrap().push_str(HUBSPOT);
        let accounts = files.get_mut("accounts.toml").unwrap();
        *accounts = accounts.replacen("endpoint = \"crm\"", "endpoint = \"hubspot\"", 1);
        accounts.push_str(people);
    };
    let mut story = Story::with(START, change).await;
    story.is("ada", json!({})).await;
    story.belongs_to("ada", "acme", json!({ "name": "Acme", "mrr": 5000 })).await;
    story.hours(1).await;
    story.does_for("ada", "acme", ("Subscription Started", json!({ "plan": "team" }))).await;
    story.hours(1).await;
    let written = story.hubspot("ada").await;
    assert_eq!(written["fields"]["perennial_unsubscribed"], "false", "{written}");
    let kept = story.ask("/_local/standins").await;
    let hubspot = kept.as_array().unwrap().iter().find(|one| one["kind"] == "hubspot").unwrap()["kept"].clone();
    let company = &hubspot["records"]["companies"]["acme"]["id"];
    assert!(hubspot["associations"].as_array().unwrap().contains(&json!([written["id"], company])), "{hubspot}");
    story.ends().await;
}
