//! Free users who fade, lost trials, webinars without a report, incidents, and wishes.

use super::START;
use super::story::{Story, answers, signs_in, uses};
use perennial_domain::time::plus_days;
use serde_json::{Value, json};

/// "A free user whose use halves is held."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_20_a_free_user_whose_use_halves_is_held() {
    let mut story = Story::at(START).await;
    for user in ["ada", "returns", "steady", "payer", "new", "seldom"] {
        let since = if user == "new" { 12 } else { 40 };
        story.was(user, since).await;
        let began = if user == "payer" { "Subscription Started" } else { "Free Plan Started" };
        story.did(user, since, &[(began, json!({}))]).await;
        // Every other day; who comes seldom, once a week.
        let step = if user == "seldom" { 8 } else { 2 };
        story.did_daily(user, (3..=33.min(since)).step_by(step), &[signs_in(), uses("dashboards")]).await;
    }
    for day in 1..=14 {
        story.days(1).await;
        if day % 2 == 1 {
            story.all_do(&["steady"], &[signs_in(), uses("dashboards")]).await;
        }
        if day > 5 {
            story.all_do(&["returns"], &[signs_in(), uses("dashboards")]).await;
        }
    }
    // On the fifth day three of the last 14 days were active, and seven of the 14 before.
    assert_eq!(story.got("ada").await, ["2026-03-07 mail free_hold", "2026-03-14 in_app free_question"]);
    assert_eq!(story.got("returns").await, ["2026-03-07 mail free_hold"], "is back before the question");
    for (user, why) in [
        ("steady", "comes as before"),
        ("payer", "is a customer, whose decline is another matter"),
        ("new", "has no habit yet"),
        ("seldom", "never came often"),
    ] {
        assert!(story.got_of(user, "free_hold").await.is_empty(), "{user}: {why}");
    }
    story.ends().await;
}

/// "A lost trial is followed at 14 and 45 days."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_21_a_lost_trial_is_followed_at_14_and_45_days() {
    let mut story = Story::at(START).await;
    let ends = plus_days(story.now(), 14).to_string();
    let trial = || ("Trial Started", json!({ "trial_end": ends }));
    for user in ["ada", "buys", "again", "free", "quiet_free"] {
        story.is(user, json!({})).await;
        story.does(user, trial()).await;
    }
    story.is("past", json!({})).await;
    story.did("past", 100, &[("Trial Started", json!({}))]).await;
    story.days(14).await;
    story.does("buys", ("Subscription Started", json!({ "plan": "team" }))).await;
    story.all_do(&["free", "quiet_free"], &[("Free Plan Started", json!({}))]).await;
    for _ in 0..13 {
        story.days(1).await;
        story.does("free", uses("dashboards")).await;
    }
    assert!(story.got_of("ada", "lost_trial").await.is_empty(), "the thirteenth day");
    story.days(1).await;
    let first = "2026-03-30 mail lost_trial_14";
    for user in ["ada", "again", "quiet_free"] {
        assert_eq!(story.got_of(user, "lost_trial").await, [first], "{user}");
    }
    story.days(10).await;
    story.does("again", ("Trial Started", json!({ "trial_end": plus_days(story.now(), 30).to_string() }))).await;
    story.does("quiet_free", uses("dashboards")).await;
    story.days(1).await;
    story.does("quiet_free", uses("dashboards")).await;
    story.days(20).await;
    assert_eq!(story.got_of("ada", "lost_trial").await, [first, "2026-04-30 mail lost_trial_45"]);
    story.days(3).await;
    assert_eq!(story.got_of("ada", "lost_trial").await.len(), 2, "and that was the last");
    assert_eq!(story.got_of("again", "lost_trial").await, [first], "tries it once more");
    assert_eq!(story.got_of("quiet_free", "lost_trial").await, [first], "is not lost any more");
    for (user, why) in [("buys", "bought"), ("free", "uses the free plan"), ("past", "was lost long before we knew")] {
        assert!(story.got_of(user, "lost_trial").await.is_empty(), "{user}: {why}");
    }
    story.ends().await;
}

/// "Registered for a webinar and nothing reported after 48 hours: the recording, once."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_22_registered_for_a_webinar_and_nothing_reported_after_48_hours_gets_the_recording_once() {
    let mut story = Story::at(START).await;
    let starts = plus_days(story.now(), 5);
    let event = |name: &'static str| (name, json!({ "webinar": "getting-started" }));
    let registers =
        |starts_at: Value| ("Webinar Registered", json!({ "webinar": "getting-started", "starts_at": starts_at }));
    for user in ["ada", "late", "attended", "without_time", "seconds", "zoomer", "past", "other"] {
        story.is(user, json!({})).await;
    }
    story.all_do(&["ada", "late", "attended"], &[registers(starts.to_string().into())]).await;
    story.does("seconds", registers(starts.as_second().into())).await;
    story.does("without_time", registers(Value::Null)).await;
    story.did("past", 10, &[registers(Value::Null)]).await;
    // Zoom knows people by their address.
    let object = json!({ "topic": "getting-started", "id": "98765432101", "start_time": starts.to_string(),
        "registrant": { "id": "r1", "email": "Zoomer@zoomer-company.example", "first_name": "Zoe", "last_name": "Omer" } });
    let registered = json!({ "event": "webinar.registration_created", "event_ts": story.now().as_millisecond(),
        "payload": { "account_id": "a", "object": object } });
    story.zoom(registered).await;
    story.does("other", ("Webinar Registered", json!({ "webinar": "keeping-customers" }))).await;
    story.days(5).await;
    story.hours(1).await;
    story.does("attended", event("Webinar Attended")).await;
    story.hours(46).await;
    assert_eq!(story.got("without_time").await, ["2026-03-04 mail webinar_recording"], "48 hours after registering");
    for user in ["ada", "late", "seconds", "zoomer"] {
        assert!(story.got(user).await.is_empty(), "{user}: 47 hours after the start");
    }
    story.hours(1).await;
    for user in ["ada", "late", "seconds", "zoomer"] {
        assert_eq!(story.got(user).await, ["2026-03-09 mail webinar_recording"], "{user}");
    }
    // The report comes after all: nobody gets the recording twice.
    story.days(1).await;
    story.does("late", event("Webinar Missed")).await;
    story.days(9).await;
    assert_eq!(story.got_of("late", "webinar_unreported").await.len(), 1);
    assert!(story.got_of("late", "webinar_recording").await.is_empty(), "{:?}", story.got("late").await);
    assert_eq!(story.got("attended").await, ["2026-03-07 mail next_course", "2026-03-14 in_app put_into_practice"]);
    for (user, why) in [("past", "registered before we knew"), ("other", "registered for another webinar")] {
        assert!(story.got(user).await.is_empty(), "{user}: {why}");
    }
    story.ends().await;
}

/// "A crisis replaces what is due for those affected."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_26_a_crisis_replaces_what_is_due_for_those_affected() {
    let mut story = Story::at(START).await;
    let both = ["ada", "calm"];
    for user in both.into_iter().chain(["sleeper"]) {
        story.is_customer(user, json!({})).await;
        story.does(user, signs_in()).await;
    }
    story.days(1).await;
    // The second message waits for a day after the first.
    story.all_do(&both, &[signs_in(), ("Plan Limit Reached", json!({ "limit": "rows" }))]).await;
    story.hours(2).await;
    story.all_do(&both, &[answers(10)]).await;
    let offer = "2026-03-03 mail next_plan_offer";
    for user in both {
        assert_eq!(story.got(user).await, [offer], "{user}");
        assert_eq!(story.person(user).await["waiting"][0]["journey"], "invitation", "{user}");
    }
    // Another one waits for the end of the quiet hours.
    story.hours(11).await;
    story.does("sleeper", ("Webinar Attended", json!({ "webinar": "getting-started" }))).await;
    story.hours(1).await;
    let incident = ("Incident Started", json!({ "summary": "Reports do not load" }));
    story.all_do(&["ada", "sleeper"], std::slice::from_ref(&incident)).await;
    story.hours(3).await;
    story.all_do(&both, &[("Incident Resolved", json!({}))]).await;
    story.days(3).await;

    let (mail, notice) = ("2026-03-03 mail incident", "2026-03-03 in_app incident_notice");
    let over = "2026-03-04 mail incident_resolved";
    assert_eq!(story.got("ada").await, [offer, mail, notice, over], "at once, in the night, and nothing else");
    assert_eq!(story.got_of("sleeper", "incident").await, [mail, notice], "nobody says that it is over for them");
    assert!(story.got_of("sleeper", "webinar_next_course").await.is_empty(), "what waited for the morning is dropped");
    assert_eq!(story.got("calm").await, [offer, "2026-03-04 mail invite_community"], "is not affected");
    for (user, journey) in [("ada", "invitation"), ("sleeper", "webinar_next_course")] {
        let person = story.person(user).await;
        let messages = person["messages"].as_array().unwrap();
        let dropped = messages.iter().find(|message| message["journey"] == journey).unwrap();
        assert_eq!(dropped["state"], "displaced", "{user}: and the record says so");
    }
    let mails = story.ask("/_local/mails?to=ada@ada-company.example&limit=10").await;
    let texts: Vec<&str> =
        mails["mails"].as_array().unwrap().iter().map(|mail| mail["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.contains("affects you: Reports do not load.")), "{texts:?}");
    story.ends().await;
}

/// "Who wished for a feature hears of it first."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_27_who_wished_for_a_feature_hears_of_it_first() {
    // Alerts come out on 1 August.
    let mut story = Story::at("2026-07-20T09:00:00Z").await;
    let wishes = |feature: &str| ("Feature Wished", json!({ "feature": feature }));
    for user in ["wisher", "other", "has_it", "wants_else"] {
        story.is_customer(user, json!({})).await;
    }
    for user in ["free", "lead"] {
        story.is(user, json!({})).await;
        let began = if user == "free" { "Free Plan Started" } else { "White Paper Downloaded" };
        story.does(user, (began, json!({}))).await;
    }
    story.all_do(&["wisher", "free", "has_it", "lead"], &[wishes("alerts")]).await;
    story.does("wants_else", wishes("maps")).await;
    // Some had it in the test of the new version.
    story.does("has_it", uses("alerts")).await;
    story.days(11).await;
    for user in ["wisher", "other", "free"] {
        assert!(story.got(user).await.is_empty(), "{user}: the day before");
    }
    story.days(1).await;
    for user in ["wisher", "free"] {
        assert_eq!(story.got(user).await, ["2026-08-01 mail wish_granted"], "{user}");
    }
    story.days(6).await;
    for user in ["other", "wants_else"] {
        assert_eq!(story.got(user).await, ["2026-08-04 mail feature_released"], "{user}: three days later");
    }
    assert_eq!(story.got("wisher").await.len(), 1, "is not told twice");
    assert!(story.got("has_it").await.is_empty(), "knows it already");
    assert!(story.got_of("lead", "wish_granted").await.is_empty(), "cannot use it yet");
    story.ends().await;
}
