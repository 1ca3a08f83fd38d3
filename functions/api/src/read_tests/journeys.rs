#![allow(clippy::unwrap_used)]
use crate::access::Access;
use crate::handler::tests::get;
use crate::test_support::{ada, config_with, house_with, now};
use perennial_engine::{Mode, Moment, Profile, process};
use perennial_store::Stored;
use perennial_testkit::EventBuilder;
use serde_json::json;

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    description = "teaches"
    trigger = { event = "Login", times = 2, within_days = 7 }
    stages = ["visitor", "lead"]
    reentry = { after_days = 30 }
    goal = { event = "Report Viewed" }
    [[journey.step]]
    wait = { days = 1 }
    [[journey.step]]
    channel = "in_app"
    template = "note"
    [[journey]]
    id = "plain"
    trigger = { idle_days = 3 }
    step = [{ channel = "mail", template = "note" }]
"#;

#[tokio::test]
async fn journeys_are_told_with_the_people_whom_they_have_seen() {
    let files = [("journeys.toml", JOURNEYS), ("templates/note.toml", "subject = \"s\"\ntext = \"t\"")];
    let house = house_with(Access::Open, config_with(&files)).await;
    let config = house.deps.views.config.current().await;
    let mut profile = Profile::new(ada());
    let events = ["m1", "m2"].map(|id| EventBuilder::track(id, "user/1", "Login").at(now()).build());
    process(&Moment::new(&config, now()), &mut profile, &events, &Default::default(), Mode::Live);
    house.deps.views.store.save(&mut Stored::new(profile)).await.unwrap();
    let answer = get(&house, "/api/journeys").await;
    let expected = json!({
        "name": "course", "description": "teaches", "trigger": "\"Login\" happens twice in 7 days",
        "stages": ["visitor", "lead"], "reentry": "after 30 days", "steps": 2,
        "messages": [{ "channel": "in_app", "template": "note", "endpoint": null }],
        "entered": 1, "under_way": 1, "reached": 0,
    });
    assert_eq!((&answer["journeys"][0], &answer["people"]), (&expected, &json!(1)));
    let plain = &answer["journeys"][1];
    assert_eq!(
        (&plain["trigger"], &plain["entered"], &plain["reached"]),
        (&json!("nothing happens for 3 days"), &json!(0), &json!(null))
    );
}
