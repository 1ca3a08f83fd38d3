//! Across people, accounts and the product: one person, one message; accounts that become ready; errors.

use super::START;
use super::story::{Story, signs_in, uses};
use serde_json::json;

/// "A person with several accounts gets one message, not two contradictory ones."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_12_a_person_with_several_accounts_gets_one_message_not_two_contradictory_ones() {
    let mut story = Story::at(START).await;
    let mail = json!({ "email": "ada@agency.example", "title": "CFO" });
    // The same person works for two clients, under a user id at each.
    for (user, account) in [("ada-acme", "acme"), ("ada-globex", "globex")] {
        story.is(user, mail.clone()).await;
        story.belongs_to(user, account, json!({ "name": account })).await;
        story.does_for(user, account, ("Trial Started", json!({}))).await;
    }
    let welcome = ["2026-03-02 mail welcome", "2026-03-02 in_app first_steps"];
    let both = story.person("ada-acme").await;
    assert_eq!(both["id"], story.person("ada-globex").await["id"], "one person");
    assert_eq!(story.got("ada-acme").await, welcome, "two trials, one welcome");

    // One client buys, the other's trial becomes inactive: a customer gets no message for prospects.
    story.does_for("ada-acme", "acme", ("Subscription Started", json!({ "plan": "team" }))).await;
    story.days(8).await;
    for _ in 0..3 {
        story.all_do(&["ada-globex"], &[("Pricing Page Viewed", json!({})), ("Paywall Reached", json!({}))]).await;
        story.days(1).await;
    }
    assert_eq!(story.got("ada-acme").await, welcome, "neither a rescue nor an offer");

    // A message that both accounts would trigger is sent once, for whichever comes first.
    for user in ["ada-acme", "ada-globex"] {
        story.does(user, ("Onboarding Completed", json!({}))).await;
    }
    for _ in 0..6 {
        story.days(5).await;
        story.all_do(&["ada-acme", "ada-globex"], &[signs_in(), uses("forecast"), uses("alerts")]).await;
    }
    assert_eq!(story.got_of("ada-globex", "onboarding_month").await.len(), 1);
    assert_eq!(
        story.got_of("ada-globex", "onboarding_month").await,
        story.got_of("ada-acme", "onboarding_month").await
    );

    // Others of the same account are other people.
    story.is("ben", json!({ "email": "ben@agency.example" })).await;
    story.does("ben", ("Trial Started", json!({}))).await;
    assert_ne!(story.person("ben").await["id"], both["id"]);
    story.ends().await;
}

/// "The sum over an account's buyers reaches the threshold: the CRM's account score is updated and a sales task is made."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_16_the_sum_over_an_accounts_buyers_reaches_the_threshold_and_the_crm_and_sales_hear_of_it() {
    let mut story = Story::at(START).await;
    let (demo, prices) = (("Demo Requested", json!({})), ("Pricing Page Viewed", json!({})));
    for user in ["first", "second", "third", "alone"] {
        let company = if user == "alone" { "lonely" } else { "globex" };
        story.is(user, json!({ "email": format!("{user}@{company}.example"), "company": company })).await;
        story.does(user, ("White Paper Downloaded", json!({}))).await;
    }
    for user in ["payer", "colleague"] {
        story.is(user, json!({ "email": format!("{user}@initech.example") })).await;
        story.does_for(user, "initech.example", ("Subscription Started", json!({ "plan": "team" }))).await;
    }
    // Each alone is far from ready.
    story.all_do(&["first", "alone", "payer", "colleague"], std::slice::from_ref(&demo)).await;
    story.hours(1).await;
    let score = story.crm("globex.example").await["perennial_account_score"].as_u64().unwrap();
    assert!((50..70).contains(&score), "{score}");
    assert!(story.tasks().await.is_empty());
    story.all_do(&["second", "third", "payer"], std::slice::from_ref(&prices)).await;
    story.hours(1).await;

    let crm = story.crm("globex.example").await;
    assert!(crm["perennial_account_score"].as_u64().unwrap() >= 70, "{crm}");
    assert_eq!(crm["perennial_account_ready"], true);
    let tasks = story.tasks().await;
    let [task] = tasks.as_slice() else { panic!("one account, one task: {tasks:?}") };
    let expected = (json!("account_ready"), json!("An account is ready to buy: globex"));
    assert_eq!((&task["journey"], &task["title"]), (&expected.0, &expected.1));
    assert_eq!(task["person"]["user_ids"], json!(["first"]), "about who counted most");

    // Another has the most weight by now, and the score varies: sales is not notified again.
    story.all_do(&["second"], &[demo, prices]).await;
    story.days(12).await;
    story.all_do(&["third"], &[("Pricing Page Viewed", json!({}))]).await;
    story.hours(1).await;
    assert_eq!(story.tasks().await.len(), 1);
    assert_eq!(story.crm("lonely.example").await["perennial_account_ready"], false, "one who asks is not enough");
    let initech = story.crm("initech.example").await;
    assert_eq!(initech["perennial_account_score"], 0, "who pays buys no more: {initech}");
    story.ends().await;
}

/// "Repeated errors in one feature: in-app help for the person, a line in the product report."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_17_repeated_errors_in_one_feature_bring_in_app_help_and_a_line_in_the_product_report() {
    let mut story = Story::at(START).await;
    let error = |feature: &str| ("Error Shown", json!({ "feature": feature, "code": "E_TIMEOUT" }));
    for user in ["ada", "scattered", "slow", "past"] {
        story.is_customer(user, json!({})).await;
    }
    story.did("past", 5, &[error("forecast"), error("forecast"), error("forecast")]).await;
    story.all_do(&["scattered"], &[error("forecast"), error("alerts"), error("exports")]).await;
    story.all_do(&["ada"], &[error("forecast"), error("forecast"), error("alerts")]).await;
    story.all_do(&["slow"], &[error("forecast"), error("forecast")]).await;
    assert!(story.got("ada").await.is_empty(), "three errors, but not in one feature");
    story.hours(2).await;
    story.does("ada", error("forecast")).await;
    assert_eq!(story.got("ada").await, ["2026-03-02 in_app error_help"]);
    story.does("ada", error("forecast")).await;
    story.days(1).await;
    story.does("slow", error("forecast")).await;
    assert_eq!(story.got("ada").await.len(), 1, "once is enough");
    for (user, why) in [
        ("scattered", "three features failed once each"),
        ("slow", "the third error came on another day"),
        ("past", "that was last week"),
    ] {
        assert!(story.got(user).await.is_empty(), "{user}: {why}");
    }

    let report = story.ask("/api/features").await;
    let line = |name: &str| {
        let all = report["features"].as_array().unwrap();
        all.iter().find(|feature| feature["name"] == name).unwrap_or_else(|| panic!("{name} in {report}")).clone()
    };
    assert_eq!((&line("forecast")["errors"], &line("forecast")["people_with_errors"]), (&json!(11), &json!(4)));
    assert_eq!((&line("alerts")["errors"], &line("alerts")["people_with_errors"]), (&json!(2), &json!(2)));
    assert_eq!(line("dashboards")["errors"], 0);
    story.ends().await;
}
