//! One message at a time: several scenarios on one person on one day.

use super::story::{Story, answers, signs_in, uses};
use serde_json::json;

/// An unused feature, an add-on and an invitation to recommend become due on one day, and an event triggers a fourth message.
#[tokio::test(flavor = "multi_thread")]
async fn of_several_messages_that_are_due_on_one_day_the_best_goes_and_the_others_follow_a_day_apart() {
    // Cohorts came out on 15 July: 60 days are over on 13 September.
    let mut story = Story::at("2026-09-07T09:00:00Z").await;
    story.was("ada", 3).await;
    story.did("ada", 80, &[("Subscription Started", json!({}))]).await;
    story.did_daily("ada", [3, 4, 5, 6, 8], &[signs_in(), uses("forecast")]).await;
    story.days(5).await;
    assert!(story.got("ada").await.is_empty());
    story.days(1).await;
    assert_eq!(story.got("ada").await, ["2026-09-13 mail feature_unused"]);
    // The sixth day of forecasts, in the same minute.
    story.does("ada", uses("forecast")).await;
    story.does("ada", answers(10)).await;
    assert_eq!(story.got("ada").await.len(), 1, "and no second one on that day");
    let person = story.person("ada").await;
    let waiting = person["waiting"].as_array().unwrap();
    let journeys: Vec<_> = waiting.iter().map(|one| one["journey"].as_str().unwrap()).collect();
    assert_eq!(journeys, ["add_on_offer", "invitation"], "the better one first");
    let told = "waits: another message was sent Sun 13 Sep 09:00; next look Mon 14 Sep 09:00";
    assert_eq!(waiting[0]["told"], told);
    let entered = person["journeys"].as_array().unwrap();
    let add_on = entered.iter().find(|journey| journey["name"] == "add_on_offer").unwrap();
    assert_eq!(add_on["waits"]["message_waits_for"], json!({ "gap": { "sent": "2026-09-13T09:00:00Z" } }));
    let explained = story.ask("/api/profiles/ada/explain").await;
    let sentence = format!("The mail add_on_alerts of add_on_offer {told}.");
    assert!(explained["person"]["told"].as_array().unwrap().contains(&json!(sentence)), "{}", explained["person"]);

    story.days(1).await;
    let add_on = "2026-09-14 mail add_on_alerts";
    assert_eq!(story.got("ada").await, ["2026-09-13 mail feature_unused", add_on]);
    // A message triggered by an event is sent at once, and the invitation waits for a day after it.
    story.hours(6).await;
    story.does("ada", ("Webinar Attended", json!({ "webinar": "getting-started" }))).await;
    let course = "2026-09-14 mail next_course";
    assert_eq!(story.got("ada").await, ["2026-09-13 mail feature_unused", add_on, course]);
    story.hours(18).await;
    assert_eq!(story.got("ada").await.len(), 3, "a day after the add-on, and not yet after the course");
    story.hours(6).await;
    let all = ["2026-09-13 mail feature_unused", add_on, course, "2026-09-15 mail invite_community"];
    assert_eq!(story.got("ada").await, all);
    assert!(story.person("ada").await.get("waiting").is_none(), "nobody waits any more");
    story.ends().await;
}
