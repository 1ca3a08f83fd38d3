#![allow(clippy::unwrap_used, clippy::panic)]

use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{House, ada, config_with, house_with, now, with_ada};
use http::StatusCode;
use perennial_config::Config;
use perennial_domain::{AnonymousId, Identity, UserId};
use perennial_engine::joins::{Digest, Evidence, Link, Standing};
use perennial_engine::span::Span;
use perennial_engine::state::Answer;
use perennial_engine::{Moment, Profile, evaluate};
use perennial_store::{Consistency, Stored, Summary};
use serde_json::{Value, json};

fn rules() -> Config {
    config_with(&[
        (
            "scoring.toml",
            r#"
            [base]
            churn = 10
            [nps]
            event = "Survey Answered"
            property = "nps"
            [[tally]]
            name = "consideration"
            events = ["White Paper Downloaded"]
            [[signal]]
            id = "churn_reports"
            score = "churn"
            measure = 'count("Report Viewed")'
            from = 0
            to = 6
            points = 50
            reason = "looks at many reports"
            "#,
        ),
        (
            "segments.toml",
            r#"
            [[segment]]
            name = "readers"
            when = 'count("Report Viewed") >= 1'
            owner = "success"
            retention_target = 85
            description = "reads reports"
            [[segment]]
            name = "others"
            when = 'count("Report Viewed") == 0'
            "#,
        ),
        ("personas.toml", "[[persona]]\nname = \"end_user\"\nwhen = 'events >= 1'\n"),
    ])
}

async fn with_rules() -> House {
    house_with(Access::Open, rules()).await
}

#[tokio::test]
async fn one_score_is_explained_in_numbers_and_in_words() {
    let house = with_rules().await;
    with_ada(&house).await;
    let explained = get(&house, "/api/profiles/user%2F1/explain/churn").await;
    assert_eq!(explained["scores"].as_object().unwrap().len(), 1);
    let churn = &explained["scores"]["churn"];
    assert_eq!((&churn["value"], &churn["reasons"][0]["points"]), (&json!(35), &json!(25.0)));
    assert_eq!(
        churn["told"]["rows"][0],
        json!({ "points": "+25.0", "why": "looks at many reports", "how": "\"Report Viewed\" 3 times; 6 would count in full" })
    );
    assert_eq!(
        explained["person"]["told"][0], "user/1 is a visitor, end user, of acme.",
        "nothing is known of the account"
    );
    assert_eq!(explained["config"], "v1");
}

/// A merge can be explained.
#[tokio::test]
async fn why_several_ids_are_one_person_is_said_in_words() {
    let house = with_rules().await;
    with_ada(&house).await;
    let mut stored = house.deps.views.store.follow(ada().person_id(), Consistency::Strong).await.unwrap().unwrap();
    let visitor = Identity::Anonymous(AnonymousId::parse("anon-1").unwrap());
    stored.profile.part_mut(&visitor).add_link(Link {
        at: now().as_microsecond() - 3 * 86_400_000_000,
        user: UserId::parse("user/1").unwrap(),
        message: Digest::default(),
        evidence: Evidence::Identify,
        standing: Standing::Holds,
    });
    house.deps.views.store.save(&mut stored).await.unwrap();
    let explained = get(&house, "/api/profiles/user%2F1/explain").await;
    let told = explained["person"]["told"].as_array().unwrap();
    assert_eq!(told.last().unwrap(), "anon-1 is theirs: user/1 signed in there 3 days ago.");
}

#[tokio::test]
async fn without_a_name_all_nine_are_explained() {
    let house = with_rules().await;
    with_ada(&house).await;
    let explained = get(&house, "/api/profiles/ada@example.com/explain").await;
    assert_eq!(explained["scores"].as_object().unwrap().len(), 9);
    assert_eq!(explained["scores"]["churn"]["glance"]["reason"], "looks at many reports (+25)");
    assert_eq!(explained["person"]["personas"], json!(["end_user"]));
}

#[tokio::test]
async fn who_or_what_is_not_there_is_said() {
    let house = with_rules().await;
    with_ada(&house).await;
    for (path, says) in [
        ("/api/profiles/user%2F1/explain/luck", "influence_outside"),
        ("/api/profiles/nobody/explain/churn", "no person has this"),
        ("/api/profiles/user%2F1/explain/churn/more", "nothing under this path"),
    ] {
        let (status, _, body) = call(&house, "GET", path).await;
        assert!(status == StatusCode::NOT_FOUND && body.contains(says), "{path}: {body}");
    }
    assert_eq!(call(&house, "POST", "/api/profiles/user%2F1/explain").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_profile_has_reasons_personas_segments_and_history() {
    let house = with_rules().await;
    with_ada(&house).await;
    let profile = get(&house, "/api/profiles/user%2F1").await;
    assert_eq!(profile["scores"]["churn"]["reasons"][0]["rule"], "churn_reports");
    assert!(profile["scores"]["churn"]["trend"].is_array());
    assert_eq!(profile["segments"], json!([{ "name": "readers", "since": null }]));
    assert_eq!(profile["personas"], json!(["end_user"]));
    assert_eq!(profile["nps"], json!({ "class": "none", "answer": null, "at": null }));
    assert_eq!((&profile["sentiment"], &profile["stages"]), (&Value::Null, &json!([])));
}

/// Saves a person who answered the survey, as `score` would.
async fn answered(house: &House, user: &str, points: u8) {
    let config = rules();
    let identity = Identity::User(UserId::parse(user).unwrap());
    let mut profile = Profile::new(identity.clone());
    let state = &mut profile.part_mut(&identity).state;
    let at = now().as_microsecond();
    state.seen = Some(Span { first: at, last: at });
    state.counts.add("Report Viewed", 1, &|_| false);
    state.nps = Some(Answer { at, points });
    let evaluation = evaluate(&Moment::new(&config, now()), state);
    let summary = Summary::of(&profile, &evaluation, &config);
    house.deps.views.store.save(&mut Stored { profile, version: 0, summary }).await.unwrap();
}

#[tokio::test]
async fn segments_and_status_count_people_answers_and_personas() {
    let house = with_rules().await;
    for (user, points) in [("a", 10), ("b", 9), ("c", 8), ("d", 2)] {
        answered(&house, user, points).await;
    }
    let answer = get(&house, "/api/segments").await;
    let nps = json!({ "score": 25.0, "promoters": 2, "passives": 1, "detractors": 1 });
    let nobody = json!({ "score": null, "promoters": 0, "passives": 0, "detractors": 0 });
    assert_eq!(
        answer["segments"],
        json!([
            { "name": "readers", "description": "reads reports", "owner": "success", "people": 4, "nps": nps, "retention_target": 85 },
            { "name": "others", "description": "", "owner": null, "people": 0, "nps": nobody, "retention_target": null },
        ])
    );
    let status = get(&house, "/api/status").await;
    assert_eq!((&status["nps"], &status["personas"]), (&nps, &json!({ "end_user": 4 })));
    assert_eq!(status["stages"], json!({ "visitor": 4 }));
}
