//! Keeping customers: the plan's limit, loyalty before the renewal, a change of touch, a cancellation, and a return.

use super::START;
use super::story::{Story, signs_in, uses};
use perennial_domain::time::plus_days;
use serde_json::{Value, json};

fn reaches_the_plans_limit() -> (&'static str, Value) {
    ("Plan Limit Reached", json!({ "limit": "seats" }))
}

fn subscription(status: &str) -> (&'static str, Value) {
    ("Subscription Updated", json!({ "subscription": "s1", "status": status, "plan": "team" }))
}

/// "A customer at the plan's limit gets the next plan's offer, not while a payment fails."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_19_a_customer_at_the_plans_limit_gets_the_next_plans_offer_not_while_a_payment_fails() {
    let mut story = Story::at(START).await;
    for user in ["ada", "failing", "past"] {
        story.is_customer(user, json!({})).await;
    }
    for user in ["payer", "colleague"] {
        story.is(user, json!({})).await;
        story.belongs_to(user, "globex", json!({ "name": "Globex" })).await;
        story.does(user, ("Seat Assigned", json!({ "plan": "team" }))).await;
    }
    story.is("free", json!({})).await;
    story.does("free", ("Free Plan Started", json!({}))).await;
    story.did("past", 5, &[reaches_the_plans_limit()]).await;
    story.does_for("payer", "globex", subscription("active")).await;
    story.does_for("payer", "globex", subscription("past_due")).await;
    story.does("failing", ("Payment Failed", json!({ "amount": 290, "currency": "USD" }))).await;
    story.hours(1).await;
    story.all_do(&["ada", "failing", "colleague", "free"], &[reaches_the_plans_limit()]).await;
    story.hours(6).await;
    assert_eq!(story.got_of("ada", "plan_limit").await, ["2026-03-02 mail next_plan_offer"]);
    for (user, why) in [
        ("failing", "a payment of theirs fails"),
        ("colleague", "a payment of the account fails, which somebody else hears of"),
        ("free", "has no plan with a next one"),
    ] {
        assert!(story.got_of(user, "plan_limit").await.is_empty(), "{user}: {why}");
    }
    // The payment succeeds at the next attempt, and the limit is still the same.
    story.days(3).await;
    story.does_for("payer", "globex", subscription("active")).await;
    story.hours(6).await;
    assert_eq!(story.got_of("colleague", "plan_limit").await, ["2026-03-05 mail next_plan_offer"]);
    story.all_do(&["ada"], &[reaches_the_plans_limit()]).await;
    story.days(7).await;
    assert_eq!(story.got_of("ada", "plan_limit").await.len(), 1, "once in two months");
    assert!(story.got_of("failing", "plan_limit").await.is_empty(), "the limit was reached more than a week ago");
    assert!(story.got_of("past", "plan_limit").await.len() <= 1, "a limit of the last week may still hold");
    story.ends().await;
}

/// "Three loyalty messages come before any word of the renewal."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_24_three_loyalty_messages_come_before_any_word_of_the_renewal() {
    let mut story = Story::at(START).await;
    let team = ["boss", "ada", "ben"];
    for user in team {
        let title = if user == "boss" { "Managing Director" } else { "Analyst" };
        story.is(user, json!({ "title": title })).await;
        story.does_for(user, "acme", ("Subscription Started", json!({ "plan": "team" }))).await;
    }
    // The third renewal is 70 days away, so that its mail is due in ten.
    let renews_at = plus_days(story.now(), 70).to_string();
    for _ in 0..2 {
        story.does_for("billing", "acme", ("Subscription Renewed", json!({ "renews_at": renews_at }))).await;
    }
    let works = [signs_in(), uses("forecast"), uses("alerts")];
    story.hours(6).await;
    assert_eq!(story.got_of("ada", "loyalty").await, ["2026-03-02 mail loyalty_habits"]);
    story.unsubscribes("ben").await;
    for _ in 0..9 {
        story.days(3).await;
        story.all_do(&["ada", "ben"], &works).await;
        for user in team {
            assert!(story.got_of(user, "third_renewal").await.is_empty(), "{user}: fewer than three so far");
        }
    }
    story.days(4).await;
    let all = ["2026-03-02 mail loyalty_habits", "2026-03-16 mail loyalty_story", "2026-03-30 mail loyalty_results"];
    for (user, word) in [("ada", "renewal_users"), ("boss", "renewal_sponsor")] {
        assert_eq!(story.got_of(user, "loyalty").await, all, "{user}");
        let got = story.got_of(user, "third_renewal").await;
        assert_eq!(got, [format!("2026-03-31 mail {word}")], "{user}: a day after the third");
    }
    assert_eq!(story.got_of("ben", "loyalty").await, all[..1], "wants no more of these");
    assert!(story.got_of("ben", "third_renewal").await.is_empty(), "and hears nothing of the renewal either");
    let mails = story.ask("/_local/mails?to=ada@ada-company.example").await;
    for mail in mails["mails"].as_array().unwrap().iter().filter(|mail| mail["tags"]["journey"] == "loyalty") {
        let text = format!("{} {}", mail["subject"], mail["text"]).to_lowercase();
        assert!(!text.contains("renew") && !text.contains("price") && !text.contains("contract"), "{text}");
    }
    story.ends().await;
}

/// "A change of touch keeps the owner until its date."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_25_a_change_of_touch_keeps_the_owner_until_its_date() {
    let mut story = Story::at(START).await;
    let buys = async |story: &mut Story, user: &str, account: &str| {
        story.is(user, json!({})).await;
        story.belongs_to(user, account, json!({ "name": account, "mrr": 500 })).await;
        story.does_for(user, account, ("Subscription Started", json!({ "plan": "team" }))).await;
        story.hours(1).await;
    };
    let looked_after = async |story: &Story, account: &str| {
        let found = story.ask(&format!("/api/accounts/{account}")).await;
        format!("{} by {}", found["touch"].as_str().unwrap(), found["owner"].as_str().unwrap())
    };
    buys(&mut story, "ada", "acme").await;
    assert_eq!(looked_after(&story, "acme").await, "low by customer success", "6,000 a year");
    // Low touch begins at 10,000 from now on; for existing customers in April.
    story.config("accounts.toml", "low = 5_000", "low = 10_000\nexisting_until = \"2026-04-01\"").await;
    buys(&mut story, "ben", "globex").await;
    story.does("ada", signs_in()).await;
    for _ in 0..9 {
        story.days(3).await;
        story.all_do(&["ada", "ben"], &[signs_in()]).await;
    }
    assert_eq!(looked_after(&story, "acme").await, "low by customer success", "until the date");
    assert_eq!(looked_after(&story, "globex").await, "none by long tail", "a new customer");
    assert_eq!(story.crm("acme").await["perennial_touch"], "low");
    // Nobody does anything: the date alone changes it.
    story.days(4).await;
    assert_eq!(story.crm("acme").await["perennial_touch"], "none");
    assert_eq!(looked_after(&story, "acme").await, "none by long tail");
    story.ends().await;
}

/// "Cancelled at period end: the question why, a task by value, no promotion; resumed, it stops."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_28_cancelled_at_period_end_brings_the_question_why_and_a_task_by_value_and_no_promotion() {
    let mut story = Story::at(START).await;
    let everyone = ["ada", "small", "resumes", "stays"];
    for user in everyone {
        story.is(user, json!({})).await;
        let monthly = if user == "ada" { 5_000 } else { 50 };
        story.belongs_to(user, &format!("{user}-inc"), json!({ "name": user, "mrr": monthly })).await;
        story.does_for(user, &format!("{user}-inc"), ("Subscription Started", of(user, json!({})))).await;
        story.did_daily(user, [3, 4, 6, 8, 9], &[signs_in(), uses("forecast")]).await;
    }
    story.hours(6).await;
    let ends = plus_days(story.now(), 30).to_string();
    let cancels = |user: &str, flag: bool| {
        let report = of(user, json!({ "status": "active", "cancel_at_period_end": flag, "renews_at": ends }));
        ("Subscription Updated", report)
    };
    for user in &everyone[..3] {
        story.does_for(user, &format!("{user}-inc"), cancels(user, true)).await;
    }
    story.hours(1).await;
    // The sixth day of forecasts, for which the add-on would be offered.
    story.all_do(&everyone, &[signs_in(), uses("forecast")]).await;
    story.days(2).await;
    story.does_for("resumes", "resumes-inc", cancels("resumes", false)).await;
    story.days(12).await;

    let (task, why) = ("2026-03-02 webhook task_cancelling", "2026-03-02 mail why_leaving");
    let last = "2026-03-09 mail before_you_go";
    assert_eq!(story.got_of("ada", "cancelling").await, [task, why, last]);
    assert_eq!(story.got_of("small", "cancelling").await, [why, last], "nobody calls an account of that value");
    for user in ["ada", "small"] {
        assert!(story.got_of(user, "add_on_offer").await.is_empty(), "{user}: no promotion to who leaves");
    }
    assert_eq!(story.got_of("resumes", "cancelling").await, [why], "resumed: it stops");
    assert!(story.got_of("stays", "cancelling").await.is_empty());
    assert_eq!(story.got_of("stays", "add_on_offer").await.len(), 1, "who stays gets the offer");
    let mut tasks = story.tasks().await;
    tasks.retain(|task| task["journey"] == "cancelling");
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(
        (&tasks[0]["title"], &tasks[0]["owner"]),
        (&json!("Cancelled at the end of the period: ada"), &json!("key accounts"))
    );
    story.ends().await;
}

/// Returns the properties of a report about a person's subscription.
fn of(user: &str, mut properties: Value) -> Value {
    properties["subscription"] = format!("sub-{user}").into();
    properties["plan"] = "team".into();
    properties
}

/// "Won back: welcome back, not onboarding."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_29_won_back_is_welcomed_back_and_not_onboarded() {
    let mut story = Story::at(START).await;
    for user in ["ada", "tries"] {
        story.was(user, 200).await;
        story.did(user, 200, &[("Subscription Started", json!({ "plan": "team" }))]).await;
        story.did(user, 60, &[("Subscription Cancelled", json!({}))]).await;
    }
    story.days(2).await;
    story.does("ada", ("Subscription Started", json!({ "plan": "team" }))).await;
    story.is_trying("tries").await;
    story.is_customer("new", json!({})).await;
    assert_eq!(story.person("ada").await["stage"], "won_back");
    assert_eq!(story.got("ada").await, ["2026-03-04 mail welcome_back"]);
    story.all_do(&["ada", "new"], &[("Onboarding Completed", json!({}))]).await;
    for _ in 0..8 {
        story.days(4).await;
        story.all_do(&["ada", "new"], &[signs_in(), uses("forecast"), uses("alerts"), uses("cohorts")]).await;
    }
    assert_eq!(story.got_of("ada", "welcome_back").await.len(), 1, "once");
    assert!(story.got_of("tries", "welcome").await.is_empty(), "knows the product already");
    assert!(story.got_of("new", "welcome_back").await.is_empty(), "was never away");
    assert_eq!(story.got_of("new", "onboarding_month").await.len(), 1);
    story.ends().await;
}
