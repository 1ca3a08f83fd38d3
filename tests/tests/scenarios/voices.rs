//! Surveys, invitations to recommend, webinars, and public mentions.

use super::START;
use super::story::{Story, answers, signs_in, uses};
use serde_json::{Value, json};

/// "A highly productive user, or a promoter, is invited to recommend: community, advisory board, testimonial."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_09_a_highly_productive_user_or_a_promoter_is_invited_to_recommend() {
    let mut story = Story::at(START).await;
    let said = [
        ("fan", "end_user", 10),
        ("boss", "executive_sponsor", 9),
        ("expert", "power_user", 9),
        ("content", "end_user", 8),
        ("angry", "power_user", 3),
    ];
    for (user, role, _) in said {
        story.is_customer(user, json!({ "role": role })).await;
        story.does(user, signs_in()).await;
    }
    for user in ["productive", "narrow"] {
        story.is_customer(user, json!({})).await;
        story.did(user, 20, &[("Subscription Started", json!({}))]).await;
    }
    let all: Vec<_> = ["forecast", "cohorts", "alerts"].map(uses).into();
    story.did_daily("productive", 3..=14, &all).await;
    story.did_daily("narrow", 3..=14, &[uses("dashboards")]).await;
    story.days(1).await;
    for (user, _, nps) in said {
        story.does(user, signs_in()).await;
        story.does(user, answers(nps)).await;
    }
    assert_eq!(story.got("fan").await, ["2026-03-03 mail invite_community"]);
    assert_eq!(story.got("boss").await, ["2026-03-03 mail invite_advisory_board"]);
    assert_eq!(story.got("expert").await, ["2026-03-03 mail invite_testimonial"]);
    assert!(story.got("content").await.is_empty(), "8 of 10 is no promoter's answer");
    assert!(story.got_of("angry", "invitation").await.is_empty());

    // Success without a survey: from the fifteenth working day with all high-value features.
    assert!(story.got("productive").await.is_empty());
    for _ in 0..4 {
        story.days(1).await;
        story.all_do(&["productive"], &all).await;
        story.all_do(&["narrow"], &[uses("dashboards")]).await;
    }
    assert_eq!(story.got("productive").await, ["2026-03-04 mail invite_testimonial"]);
    assert!(story.got_of("narrow", "invitation").await.is_empty(), "is here every day, and past what matters");

    // Asked again half a year later at the earliest, and never after unsubscribing from such mails.
    story.unsubscribes("fan").await;
    story.days_of(3, &["fan", "boss"], &[signs_in(), answers(10)]).await;
    assert_eq!(story.got("boss").await.len(), 1);
    assert_eq!(story.got("fan").await.len(), 1);
    story.ends().await;
}

/// "A detractor's survey answer makes a task for a colleague at once; a promoter's does not."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_13_a_detractors_survey_answer_makes_a_task_at_once_and_a_promoters_does_not() {
    let mut story = Story::at(START).await;
    for user in ["ada", "promoter", "passive", "past"] {
        story.is_customer(user, json!({ "company": "Acme" })).await;
        story.does(user, signs_in()).await;
    }
    story.did("past", 30, &[answers(1)]).await;
    story
        .does(
            "ada",
            (
                "Survey Answered",
                json!({ "nps": 6, "text": "The import fails all the time, this is very frustrating." }),
            ),
        )
        .await;
    story.does("promoter", answers(10)).await;
    story.does("passive", answers(7)).await;
    assert_eq!(story.got_of("ada", "detractor_task").await, ["2026-03-02 webhook task_detractor"], "at once");
    let tasks = story.tasks().await;
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(tasks[0]["title"], "A customer would not recommend us: Acme");
    assert_eq!(tasks[0]["cause"]["event"]["name"], "Survey Answered", "{}", tasks[0]);
    for user in ["promoter", "passive", "past"] {
        assert!(story.got_of(user, "detractor_task").await.is_empty(), "{user}");
    }
    story.ends().await;
}

/// "'Getting started' webinar: who attended gets the next course; who did not gets the recording. Education is tied to usage
/// afterwards."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_14_who_attended_the_webinar_gets_the_next_course_and_who_did_not_the_recording() {
    let mut story = Story::at(START).await;
    let event = |name: &'static str, webinar: &str| (name, json!({ "webinar": webinar }));
    for user in ["attended", "applied", "missed", "watched", "other", "registered"] {
        story.is(user, json!({})).await;
        story.does(user, event("Webinar Registered", "getting-started")).await;
    }
    story.days(1).await;
    story.all_do(&["attended", "applied"], &[event("Webinar Attended", "getting-started")]).await;
    story.all_do(&["missed", "watched"], &[event("Webinar Missed", "getting-started")]).await;
    story.does("other", event("Webinar Attended", "keeping-customers")).await;
    story.days(3).await;
    story.all_do(&["attended", "missed"], &[uses("dashboards")]).await;
    story.all_do(&["applied", "watched"], &[uses("forecast")]).await;
    story.days(10).await;

    let course = "2026-03-03 mail next_course";
    let recording = "2026-03-03 mail webinar_recording";
    let practice = "2026-03-10 in_app put_into_practice";
    assert_eq!(story.got("attended").await, [course, practice]);
    assert_eq!(story.got("applied").await, [course], "who put it to use needs no second word");
    assert_eq!(story.got("missed").await, [recording, practice]);
    assert_eq!(story.got("watched").await, [recording]);
    assert_eq!(
        story.got("other").await,
        ["2026-03-04 mail webinar_recording"],
        "what was attended was another webinar"
    );
    assert_eq!(
        story.got("registered").await,
        ["2026-03-04 mail webinar_recording"],
        "nothing is reported: scenario 22"
    );
    // The effect of education is on the profile.
    let reached = |person: &Value| person["journeys"][0]["reached"].clone();
    assert_eq!(reached(&story.person("applied").await), "2026-03-06T09:00:00Z");
    assert_eq!(reached(&story.person("attended").await), Value::Null);
    story.ends().await;
}

/// "A sudden spike of negative social mentions alerts the team and shows in the report."
#[tokio::test(flavor = "multi_thread")]
async fn scenario_15_a_sudden_spike_of_negative_social_mentions_alerts_the_team() {
    const ANGRY: &str = "Terrible. It crashed in front of my boss and support is useless. Awful.";
    const KIND: &str = "I love it, great product and wonderful support!";
    let mut story = Story::at(START).await;
    let mentions = |brand: &str, text: &str, number: usize| {
        let data = json!({ "brand": brand, "author": format!("author-{number}"), "text": text, "network": "forum", "followers": 12 });
        json!({ "type": "mention.created", "timestamp": null, "data": data })
    };
    let mut number = 0;
    let mut all_say = async |story: &mut Story, brand: &str, text: &str, times: usize| {
        for _ in 0..times {
            number += 1;
            let mut body = mentions(brand, text, number);
            body["timestamp"] = story.now().to_string().into();
            story.hook("social", body).await;
        }
    };
    // Out of the blue.
    all_say(&mut story, "sudden", KIND, 9).await;
    all_say(&mut story, "sudden", ANGRY, 4).await;
    assert!(story.chat().await.is_empty(), "nine kind words and four angry ones are no spike");
    all_say(&mut story, "sudden", ANGRY, 1).await;
    assert_eq!(story.chat().await, ["Many angry words about us today"]);
    all_say(&mut story, "sudden", ANGRY, 5).await;
    assert_eq!(story.chat().await.len(), 1, "one alert a spike");

    // If four negative mentions a day are usual, six are not a spike, and seven are.
    for _ in 0..14 {
        story.days(1).await;
        all_say(&mut story, "usual", ANGRY, 4).await;
    }
    story.days(1).await;
    all_say(&mut story, "usual", ANGRY, 6).await;
    assert_eq!(story.chat().await.len(), 1);
    all_say(&mut story, "usual", ANGRY, 1).await;
    assert_eq!(story.chat().await.len(), 2);

    // All mentions are on the brand's profile, and each author has their own.
    let brand = story.person("sudden").await;
    assert_eq!((&brand["counts"]["Brand Mentioned"], &brand["counts"]["Negative Mention"]), (&json!(19), &json!(10)));
    assert!(brand["sentiment"].as_f64().unwrap() < 0.2, "{}", brand["sentiment"]);
    assert_eq!(story.person("social:author-1").await["counts"]["Social Mention"], 1);
    assert!(story.got("social:author-10").await.is_empty(), "and none of them is written to");
    story.ends().await;
}

/// The same words in other languages, and a spike that begins before midnight.
#[tokio::test(flavor = "multi_thread")]
async fn scenario_15_a_spike_across_midnight_in_several_languages_alerts_the_team() {
    let mut story = Story::at(START).await;
    story.hours(14).await;
    let angry = [
        "Užasna aplikacija, stalno se ruši i podrška je beskorisna.",
        "Schrecklich, die App stürzt ständig ab und der Support ist nutzlos.",
        "太糟糕了，软件总是崩溃，客服也没用。",
        "Aplikasi ini buruk sekali, sering error dan dukungannya tidak membantu.",
        "Ništa ne radi, jako sam razočaran.",
        "Ich bin sehr enttäuscht, funktioniert nicht.",
    ];
    for (number, text) in angry.iter().enumerate() {
        if number == 3 {
            assert!(story.chat().await.is_empty(), "three are no spike");
            // From eleven at night to one in the morning.
            story.hours(2).await;
        }
        let data = json!({ "brand": "global", "author": format!("author-{number}"), "text": text, "network": "forum", "followers": 12 });
        let body = json!({ "type": "mention.created", "timestamp": story.now().to_string(), "data": data });
        story.hook("social", body).await;
    }
    assert_eq!(story.chat().await, ["Many angry words about us today"]);
    let brand = story.person("global").await;
    assert_eq!(brand["counts"]["Negative Mention"], 6);
    let data = json!({ "brand": "global", "author": "author-9", "text": "Η εφαρμογή είναι απαίσια", "network": "forum", "followers": 12 });
    story
        .hook("social", json!({ "type": "mention.created", "timestamp": story.now().to_string(), "data": data }))
        .await;
    let brand = story.person("global").await;
    assert_eq!((&brand["counts"]["Negative Mention"], &brand["unread_texts"]), (&json!(6), &json!(1)));
    story.ends().await;
}
