//! For customers: from the first month to the renewal.

use super::START;
use super::story::{Story, signs_in, uses};
use perennial_domain::time::plus_days;
use serde_json::{Value, json};

fn finishes_the_onboarding() -> (&'static str, Value) {
    ("Onboarding Completed", json!({}))
}

/// "30 days after onboarding a user gets an article."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_01_thirty_days_after_onboarding_a_user_gets_an_article() {
    let mut story = Story::at(START).await;
    for user in ["ada", "left", "past", "new"] {
        story.is_customer(user, json!({})).await;
    }
    story.all_do(&["ada", "left"], &[finishes_the_onboarding()]).await;
    story.did("past", 40, &[finishes_the_onboarding()]).await;
    let works = [signs_in(), uses("forecast"), uses("alerts")];
    for week in 0..4 {
        story.days(7).await;
        story.all_do(&["ada", "left", "past", "new"], &works).await;
        if week == 2 {
            story.does("left", ("Subscription Cancelled", json!({}))).await;
        }
    }
    story.days(1).await;
    assert!(story.got("ada").await.is_empty(), "the twenty-ninth day");
    story.days(1).await;
    assert_eq!(story.got("ada").await, ["2026-04-01 mail next_steps_article"]);
    story.days_of(6, &["ada", "past", "new"], &works).await;
    assert_eq!(story.got_of("ada", "onboarding_month").await.len(), 1, "once");
    assert!(story.got("left").await.is_empty(), "left in the third week");
    assert!(story.got_of("past", "onboarding_month").await.is_empty(), "the thirtieth day was over before we knew");
    assert!(story.got_of("new", "onboarding_month").await.is_empty(), "never finished the onboarding");
    story.ends().await;
}

/// "60 days before the third renewal the executive sponsor gets different content from the users."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_02_sixty_days_before_the_third_renewal_the_executive_sponsor_gets_other_content_than_the_users() {
    let mut story = Story::at(START).await;
    let team = [("boss", "acme"), ("ada", "acme"), ("ben", "acme"), ("newer", "globex"), ("older", "initech")];
    for (user, account) in team {
        let title = if user == "boss" { "Managing Director" } else { "Analyst" };
        story.is(user, json!({ "title": title })).await;
        story.does_for(user, account, ("Subscription Started", json!({ "plan": "team" }))).await;
    }
    // Their loyalty messages came in the years before (scenario 24).
    for (user, _) in team {
        story.did_daily(user, [40, 70, 100], &[("Loyalty Message Received", json!({}))]).await;
    }
    // Three accounts that renew on the same day, in 70 days: for the third time, for the second and for the fourth.
    let renews_at = plus_days(story.now(), 70).to_string();
    for (account, renewals) in [("acme", 2), ("globex", 1), ("initech", 3)] {
        for _ in 0..renewals {
            story.does_for("billing", account, ("Subscription Renewed", json!({ "renews_at": renews_at }))).await;
        }
    }
    let works = [signs_in(), uses("forecast"), uses("alerts")];
    story.days(9).await;
    // The boss is never seen; the others work.
    story.all_do(&["ada", "ben", "newer", "older"], &works).await;
    for (user, _) in team {
        assert!(story.got_of(user, "third_renewal").await.is_empty(), "{user}: 61 days are left");
    }
    story.days(2).await;
    for (user, mail) in [("boss", "renewal_sponsor"), ("ada", "renewal_users"), ("ben", "renewal_users")] {
        assert_eq!(story.got_of(user, "third_renewal").await, [format!("2026-03-12 mail {mail}")], "{user}");
    }
    story.days_of(4, &["ada", "ben", "newer", "older"], &works).await;
    for user in ["boss", "ada", "ben"] {
        assert_eq!(story.got_of(user, "third_renewal").await.len(), 1, "{user}: once");
    }
    assert!(story.got_of("newer", "third_renewal").await.is_empty(), "that is the second renewal");
    assert!(story.got_of("older", "third_renewal").await.is_empty(), "that is the fourth renewal");
    story.ends().await;
}

/// "A power user who has not logged in for 14 days gets a personal note."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_03_a_power_user_who_has_not_logged_in_for_14_days_gets_a_personal_note() {
    let mut story = Story::at(START).await;
    for (user, role) in [("ada", "power_user"), ("comes_back", "power_user"), ("now_and_then", "end_user")] {
        story.is_customer(user, json!({ "role": role })).await;
    }
    for user in ["told_by_use", "shallow"] {
        story.is_customer(user, json!({})).await;
    }
    story.is_trying("trial").await;
    let all: Vec<_> = ["forecast", "cohorts", "alerts"].map(uses).into();
    story.did_daily("told_by_use", 3..=16, &all).await;
    story.did_daily("shallow", 3..=16, &[uses("dashboards")]).await;
    story.does("told_by_use", uses("forecast")).await;
    story.all_do(&["ada", "comes_back", "now_and_then", "told_by_use", "shallow", "trial"], &[signs_in()]).await;
    story.days(13).await;
    story.does("comes_back", signs_in()).await;
    // Reading a mail or the website is not logging in.
    story.does("ada", ("Content Viewed", json!({ "kind": "blog" }))).await;
    assert!(story.got_of("ada", "gone_quiet").await.is_empty(), "the thirteenth day");
    story.days(1).await;
    for user in ["ada", "told_by_use"] {
        assert_eq!(story.got_of(user, "gone_quiet").await, ["2026-03-16 mail we_miss_you"], "{user}");
    }
    story.days(3).await;
    assert_eq!(story.got_of("ada", "gone_quiet").await.len(), 1, "one note for one silence");
    for (user, why) in [
        ("comes_back", "was there the day before"),
        ("now_and_then", "is no power user"),
        ("shallow", "is here daily, and past what matters"),
        ("trial", "does not pay"),
    ] {
        assert!(story.got_of(user, "gone_quiet").await.is_empty(), "{user} {why}");
    }
    story.ends().await;
}

/// "Who has not used a feature that was released 60 days ago gets a customer's testimonial and the on-demand training link."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_05_who_has_not_used_a_feature_that_was_released_60_days_ago_gets_a_testimonial_and_the_training() {
    // Cohorts came out on 15 July.
    let mut story = Story::at("2026-09-07T09:00:00Z").await;
    for user in ["ada", "knows_it", "new", "quiet", "left"] {
        story.was(user, if user == "quiet" { 24 } else { 3 }).await;
        let since = if user == "new" { 10 } else { 80 };
        story.did(user, since, &[("Subscription Started", json!({}))]).await;
        let last = if user == "quiet" { 24 } else { 3 };
        story.did_daily(user, [last, last + 3, last + 5], &[signs_in(), uses("forecast"), uses("alerts")]).await;
    }
    story.did("knows_it", 40, &[uses("cohorts")]).await;
    story.did("left", 3, &[("Subscription Cancelled", json!({}))]).await;
    story.is_trying("trial").await;
    story.days_of(5, &["trial"], &[signs_in(), uses("dashboards")]).await;
    assert!(story.got_of("ada", "feature_unused").await.is_empty(), "the fifty-ninth day");
    story.days(1).await;
    assert_eq!(story.got_of("ada", "feature_unused").await, ["2026-09-13 mail feature_unused"]);
    let mails = story.ask("/_local/mails?to=ada@ada-company.example").await;
    let text = mails["mails"][0]["text"].as_str().unwrap();
    assert!(text.contains("/stories/cohorts") && text.contains("/on-demand/cohorts"), "{text}");

    story.does("ada", uses("cohorts")).await;
    story.days(2).await;
    let person = story.person("ada").await;
    let journeys = person["journeys"].as_array().unwrap();
    let reached = journeys.iter().find(|journey| journey["name"] == "feature_unused").unwrap();
    assert_eq!(reached["reached"], "2026-09-13T09:00:00Z", "and what the mail led to is known");
    for (user, why) in [
        ("knows_it", "used it once"),
        ("new", "is still being shown around"),
        ("quiet", "is at risk, and has other things to think of"),
        ("left", "is no customer any more"),
        ("trial", "does not pay"),
    ] {
        assert!(story.got_of(user, "feature_unused").await.is_empty(), "{user} {why}");
    }
    story.ends().await;
}

/// "A customer whose use declines, or who leaves high-value features unused, gets education; if the risk stays, a task goes to the
/// segment's owner."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_08_a_customer_whose_use_declines_gets_education_and_if_the_risk_stays_a_colleague_a_task() {
    let mut story = Story::at(START).await;
    let everyone = ["declines", "recovers", "steady", "shallow", "new"];
    let (deep, plain) = ([signs_in(), uses("forecast"), uses("alerts")], [signs_in(), uses("dashboards")]);
    for user in everyone {
        story.is(user, json!({})).await;
        let since = if user == "new" { 5 } else { 90 };
        let does: &[_] = if user == "shallow" { &plain } else { &deep };
        story.did(user, since, &[("Subscription Started", json!({}))]).await;
        // Today is the third active day of the person without high-value features; four of four weeks are required.
        let days = if user == "shallow" { 5..=6 } else { 3..=since.min(60) };
        story.did_daily(user, days, does).await;
    }
    let mut first = None;
    for day in 1..=30 {
        story.days(1).await;
        story.all_do(&["steady"], &deep).await;
        if day == 1 {
            story.does("shallow", plain[1].clone()).await;
        }
        let educated = !story.got_of("declines", "declining_use").await.is_empty();
        if educated && first.is_none() {
            first = Some(day);
        }
        if first.is_some_and(|first| (first..=first + 12).contains(&day)) {
            story.all_do(&["recovers"], &deep).await;
        }
    }
    let first = first.expect("education");
    let day = |day: i64| plus_days(START.parse().unwrap(), day).strftime("%F").to_string();
    let got = story.got_of("declines", "declining_use").await;
    let task = format!("{} webhook task_still_at_risk", day(first + 14));
    assert_eq!(got, [format!("{} mail education_habit", day(first)), task]);
    let tasks = story.tasks().await;
    let of = |user: &str| tasks.iter().find(|task| task["person"]["user_ids"][0] == user);
    // Accounts of their size have no personal contact: they belong to the long tail's owner.
    assert_eq!(of("declines").unwrap()["owner"], "long tail");
    assert_eq!(story.person("declines").await["segments"][0]["name"], "long_tail");
    assert_eq!(
        story.got_of("recovers", "declining_use").await,
        [format!("{} mail education_habit", day(first))],
        "the risk is over"
    );
    assert_eq!(
        story.got_of("shallow", "declining_use").await.first().unwrap(),
        &format!("{} mail education_high_value", day(1)),
        "and who leaves high-value features unused is told of these"
    );
    assert!(story.got_of("steady", "declining_use").await.is_empty());
    assert!(story.got_of("new", "declining_use").await.is_empty(), "there is nothing yet that it could decline from");
    story.ends().await;
}

/// "A customer whose use suggests another capability gets the add-on offer (upsell)."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_10_a_customer_whose_use_suggests_another_capability_gets_the_add_on_offer() {
    let mut story = Story::at(START).await;
    for user in ["ada", "has_it", "seldom"] {
        story.is_customer(user, json!({})).await;
        story.did_daily(user, [3, 4, 6, 8, 9], &[signs_in(), uses("forecast")]).await;
    }
    story.is("trial", json!({})).await;
    story.did("trial", 9, &[("Trial Started", json!({}))]).await;
    story.did_daily("trial", 3..=9, &[signs_in(), uses("forecast")]).await;
    story.did("has_it", 3, &[uses("alerts")]).await;
    assert!(story.got("ada").await.is_empty(), "five days of forecasts");
    story.all_do(&["ada", "has_it", "trial"], &[signs_in(), uses("forecast")]).await;
    story.does("seldom", uses("dashboards")).await;
    assert_eq!(story.got("ada").await, ["2026-03-02 mail add_on_alerts"]);
    story.days_of(10, &["ada", "has_it", "trial"], &[signs_in(), uses("forecast")]).await;
    assert_eq!(story.got_of("ada", "add_on_offer").await.len(), 1, "once");
    assert!(story.got_of("has_it", "add_on_offer").await.is_empty(), "has what it would bring");
    assert!(story.got_of("seldom", "add_on_offer").await.is_empty(), "does not forecast often");
    assert!(story.got_of("trial", "add_on_offer").await.is_empty(), "has bought nothing yet that this would add to");
    story.ends().await;
}

/// "A payment fails: the billing contact hears of it; others in the account don't."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_18_a_payment_fails_and_the_billing_contact_hears_of_it_and_nobody_else() {
    let mut story = Story::at(START).await;
    let fails = || ("Payment Failed", json!({ "amount": 290, "currency": "USD" }));
    for (user, account, role) in [
        ("books", "acme", "billing_contact"),
        ("payer", "acme", "buyer"),
        ("ada", "acme", "administrator"),
        ("owner", "globex", "administrator"),
        ("user", "globex", "end_user"),
    ] {
        story.is(user, json!({ "role": role })).await;
        story.does_for(user, account, ("Subscription Started", json!({ "plan": "team" }))).await;
    }
    story.did("owner", 9, &[fails()]).await;
    for user in ["books", "payer", "ada", "owner", "user"] {
        assert!(story.got(user).await.is_empty(), "{user}: no payment has failed of late");
    }
    // Billing names the buyer rather than the bookkeeper.
    story.does_for("payer", "acme", fails()).await;
    let notice = ["2026-03-02 mail payment_failed", "2026-03-02 in_app payment_failed_notice"];
    assert_eq!(story.got("books").await, notice);
    for user in ["payer", "ada", "owner", "user"] {
        assert!(story.got(user).await.is_empty(), "{user}");
    }
    // Without a bookkeeper, it is the person that billing names.
    story.days(3).await;
    story.does_for("payer", "acme", fails()).await;
    story.does_for("owner", "globex", fails()).await;
    assert_eq!(story.got("books").await, notice, "card schemes try again for days, and one mail is enough");
    assert_eq!(story.got("owner").await, ["2026-03-05 mail payment_failed", "2026-03-05 in_app payment_failed_notice"]);
    assert!(story.got("user").await.is_empty());

    // A churned customer does not get it.
    story.does_for("owner", "globex", ("Subscription Cancelled", json!({}))).await;
    story.days(10).await;
    story.does_for("owner", "globex", fails()).await;
    assert_eq!(story.got_of("owner", "payment_failed").await.len(), 2);
    story.ends().await;
}
