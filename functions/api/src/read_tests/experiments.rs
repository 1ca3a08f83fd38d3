#![allow(clippy::unwrap_used)]
use crate::access::Access;
use crate::handler::tests::{call, get};
use crate::test_support::{ada, config_with, house_with, now};
use perennial_domain::hash::hash32;
use perennial_engine::Profile;
use perennial_engine::facts::{Assigned, Entered, split_key};
use perennial_store::Stored;
use perennial_views::experiments::Experiments;
use serde_json::json;

const JOURNEYS: &str = r#"!
    [[journey]]
    id = "course"
    trigger = { event = "Login" }
    goal = { event = "Report Viewed", within_days = 10 }
    [[journey.step]]
    id = "which"
    split = { long = 50, short = 50 }
    [[journey.step]]
    id = "long"
    wait = { days = 1 }
    then = "end"
    [[journey.step]]
    id = "short"
    wait = { days = 1 }
    [[journey]]
    id = "plain"
    trigger = { event = "Login" }
    step = [{ wait = { days = 1 } }]
"#;

#[tokio::test]
async fn people_are_counted_by_the_way_that_they_were_assigned_to() {
    let house = house_with(Access::Open, config_with(&[("journeys.toml", JOURNEYS)])).await;
    let mut profile = Profile::new(ada());
    let at = now().as_second() - 20 * 86_400;
    let facts = &mut profile.part_mut(&ada()).facts;
    facts.entered.insert(hash32("course"), Entered { times: 1, last: at * 1000, reached: Some(at * 1000) });
    facts.assigned.insert(split_key("course", "which"), Assigned { at, way: hash32("short") });
    house.deps.views.store.save(&mut Stored::new(profile)).await.unwrap();
    let all = get(&house, "/api/experiments").await;
    assert_eq!((&all["people"], all["journeys"].as_array().unwrap().len()), (&json!(1), 1));
    let one = get(&house, "/api/experiments/course?effect=0.1").await;
    assert_eq!(one["journeys"][0]["effect"], json!(0.1));
    let groups = &one["journeys"][0]["experiments"][0]["groups"];
    assert_eq!((&groups[0]["name"], &groups[0]["people"]), (&json!("long"), &json!(0)));
    assert_eq!((&groups[1]["name"], &groups[1]["reached"]), (&json!("short"), &json!(1)));
    let read: Experiments = serde_json::from_value(one).unwrap();
    assert_eq!(read.journeys[0].experiments[0].groups[1].people, 1);
}

#[tokio::test]
async fn what_is_no_experiment_is_told() {
    let house = house_with(Access::Open, config_with(&[("journeys.toml", JOURNEYS)])).await;
    for (path, message) in [
        ("/api/experiments/plain", "neither a split nor a holdout"),
        ("/api/experiments/curse", "no journey of this name"),
        ("/api/experiments?effect=x", "a number over 0"),
        ("/api/experiments?effect=1", "and not 1"),
    ] {
        let (status, _, body) = call(&house, "GET", path).await;
        assert!(status.is_client_error() && body.contains(message), "{path}: {body}");
    }
}
