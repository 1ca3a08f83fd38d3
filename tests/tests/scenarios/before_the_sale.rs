//! Before the sale: prices, limits, trials, and that who pays is no prospect.

use super::START;
use super::story::{Story, signs_in, uses};
use serde_json::json;

fn looks_at_prices() -> (&'static str, serde_json::Value) {
    ("Pricing Page Viewed", json!({}))
}

fn downloads() -> (&'static str, serde_json::Value) {
    ("White Paper Downloaded", json!({ "title": "The cost of churn" }))
}

fn reaches_the_paywall() -> (&'static str, serde_json::Value) {
    ("Paywall Reached", json!({ "limit": "rows" }))
}

/// "A chief financial officer on the pricing page for the third time this week gets the return-on-investment analysis."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_04_a_chief_financial_officer_on_the_pricing_page_for_the_third_time_this_week_gets_the_roi_analysis()
{
    let mut story = Story::at(START).await;
    for (user, title) in [
        ("ada", "Chief Financial Officer"),
        ("slow", "CFO"),
        ("buyer", "Head of Procurement"),
        ("payer", "Chief Financial Officer"),
        ("past", "CFO"),
    ] {
        story.is(user, json!({ "title": title })).await;
        story.does(user, downloads()).await;
    }
    story.does("payer", ("Subscription Started", json!({}))).await;
    story.did_daily("past", [20, 19, 18], &[looks_at_prices()]).await;
    story.all_do(&["ada", "slow", "buyer", "payer"], &[looks_at_prices()]).await;
    story.days(2).await;
    story.all_do(&["ada", "buyer", "payer"], &[looks_at_prices()]).await;
    story.days(2).await;
    assert!(story.got("ada").await.is_empty(), "twice is not yet the third time");
    story.all_do(&["ada", "slow", "buyer", "payer"], &[looks_at_prices()]).await;
    assert_eq!(story.got("ada").await, ["2026-03-06 mail roi_analysis"]);
    story.days(6).await;
    story.all_do(&["ada", "slow"], &[looks_at_prices()]).await;

    assert_eq!(story.got("ada").await, ["2026-03-06 mail roi_analysis"], "and once is enough");
    assert!(story.got("slow").await.is_empty(), "three times, but not within a week");
    assert!(story.got("buyer").await.is_empty(), "decides about no money");
    assert!(story.got("payer").await.is_empty(), "pays already");
    assert!(story.got("past").await.is_empty(), "what was imported is the past");
    story.ends().await;
}

/// "A free user who keeps reaching the paywall gets the upgrade offer, with a chat."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_06_a_free_user_who_keeps_reaching_the_paywall_gets_the_upgrade_offer_with_a_chat() {
    let mut story = Story::at(START).await;
    let keep_reaching = ["ada", "ben", "cleo", "dan"];
    for user in keep_reaching.into_iter().chain(["twice", "rarely"]) {
        story.is(user, json!({})).await;
        story.does(user, ("Free Plan Started", json!({}))).await;
    }
    story.is_customer("payer", json!({})).await;
    for _ in 0..2 {
        story.all_do(&keep_reaching, &[reaches_the_paywall()]).await;
        story.all_do(&["twice", "rarely", "payer"], &[reaches_the_paywall()]).await;
        story.days(1).await;
    }
    story.all_do(&keep_reaching, &[reaches_the_paywall()]).await;
    story.does("payer", reaches_the_paywall()).await;
    story.days(7).await;
    story.does("rarely", reaches_the_paywall()).await;

    let mut variants = std::collections::BTreeSet::new();
    for user in keep_reaching {
        let got = story.got(user).await;
        let [message] = got.as_slice() else { panic!("{user} got {got:?}") };
        assert!(message.starts_with("2026-03-04 in_app upgrade_"), "{message}");
        variants.insert(message.clone());
        let inbox = story.ask(&format!("/api/inbox/{user}")).await;
        assert_eq!(inbox["messages"][0]["kind"], "chat", "{inbox}");
    }
    assert_eq!(variants.len(), 2, "some get the one offer and some the other");
    for (user, why) in
        [("twice", "twice is not often"), ("rarely", "the third time came a week later"), ("payer", "pays already")]
    {
        assert!(story.got(user).await.is_empty(), "{why}");
    }
    story.ends().await;
}

/// "A trial with low activity in its first days is rescued: in-app help, then a chat offer, then a task for a colleague."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_07_a_trial_with_low_activity_in_its_first_days_is_rescued() {
    let mut story = Story::at(START).await;
    for user in ["ada", "returns", "busy", "buys"] {
        story.is_trying(user).await;
        story.does(user, signs_in()).await;
    }
    story.is_customer("customer", json!({})).await;
    let welcome = ["2026-03-02 mail welcome", "2026-03-02 in_app first_steps"];
    story.days_of(2, &["busy"], &[signs_in(), uses("dashboards")]).await;
    assert_eq!(story.got("ada").await, welcome, "two quiet days are not yet much");
    story.days_of(2, &["busy"], &[signs_in(), uses("dashboards")]).await;
    let help = [welcome[0], welcome[1], "2026-03-05 in_app trial_help", "2026-03-05 mail trial_rescue"];
    assert_eq!(story.got("ada").await, help);
    story.does("returns", signs_in()).await;
    story.does("buys", ("Subscription Started", json!({}))).await;
    story.days_of(6, &["busy"], &[signs_in(), uses("dashboards")]).await;

    let mut rescue = help.to_vec();
    rescue.extend(["2026-03-07 in_app trial_chat", "2026-03-09 webhook task_trial_idle"]);
    assert_eq!(story.got("ada").await, rescue);
    let inbox = story.ask("/api/inbox/ada").await;
    assert_eq!(inbox["messages"].as_array().unwrap().iter().filter(|message| message["kind"] == "chat").count(), 1);
    let tasks = story.tasks().await;
    assert_eq!((tasks.len(), &tasks[0]["person"]["stage"]), (1, &json!("trial")), "{tasks:?}");
    assert_eq!(story.got_of("returns", "trial_rescue").await, help[2..], "who signs in again is left in peace");
    assert_eq!(story.got_of("buys", "trial_rescue").await, help[2..], "who pays is no trial any more");
    assert_eq!(story.got("busy").await, welcome, "who works needs no rescue");
    assert!(story.got("customer").await.is_empty(), "a customer's silence is no trial's");
    story.ends().await;
}

/// "From the moment someone pays, no prospect campaign reaches them."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_11_from_the_moment_someone_pays_no_prospect_campaign_reaches_them() {
    let mut story = Story::at(START).await;
    let everyone = ["prospect", "payer", "colleague", "on_the_way"];
    for user in everyone {
        story.is(user, json!({ "title": "CFO" })).await;
        story.does(user, ("Trial Started", json!({}))).await;
    }
    for user in ["payer", "colleague"] {
        story.belongs_to(user, "acme", json!({ "name": "Acme" })).await;
    }
    story.days(3).await;
    let rescued = story.got_of("on_the_way", "trial_rescue").await;
    assert_eq!(rescued.len(), 2, "in the middle of it");
    story.does_for("payer", "acme", ("Subscription Started", json!({ "plan": "team" }))).await;
    story.does("on_the_way", ("Subscription Started", json!({ "plan": "team" }))).await;
    story.hours(1).await;
    let before: Vec<Vec<String>> = futures::future::join_all(everyone[1..].iter().map(|user| story.got(user))).await;

    // Everything that triggers messages to prospects: low activity, the price list, the paywall, and a demo request.
    for _ in 0..3 {
        story.days(1).await;
        story.all_do(&everyone, &[looks_at_prices(), reaches_the_paywall(), downloads()]).await;
    }
    story.all_do(&everyone, &[("Demo Requested", json!({}))]).await;
    story.days(10).await;
    let after = story.got("prospect").await;
    for expected in ["mail roi_analysis", "in_app upgrade_", "webhook task_account_ready"] {
        assert!(after.iter().any(|line| line.contains(expected)), "{expected} for who does not pay: {after:?}");
    }
    for (user, before) in everyone[1..].iter().zip(before) {
        assert_eq!(story.got(user).await, before, "{user} pays, or the account does");
    }
    story.ends().await;
}
