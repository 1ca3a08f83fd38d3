//! Score, health and stage: the aggregate of an account's people and facts.

use crate::support::{ACCOUNTS, Bench, at, called, changed, changed_at, fact, id, member, person};
use perennial_config::lifecycle::Milestone;
use perennial_domain::{Likelihood, Member, Score, Stage};
use perennial_engine::account::facts;
use serde_json::json;

/// If several buyers belong to one account, the sum over its people is the account's readiness.
#[tokio::test]
async fn the_buyers_of_a_company_add_up_to_its_score() {
    let bench = Bench::new(ACCOUNTS).await;
    for (version, (name, purchase)) in (1..).zip([("a", 30), ("b", 40), ("c", 20)]) {
        bench.put("acme", &member(name, purchase), version).await;
    }
    bench.store.leave_account(&id("acme"), person("c"), 9, at(0)).await.unwrap();
    bench.roll_up("acme").await;
    let summary = bench.account("acme").await.unwrap().summary.unwrap();
    assert_eq!((summary.score.get(), summary.people, summary.health, summary.last_seen), (70, 2, None, Some(at(-30))));
    let reasons: Vec<_> = summary.reasons.iter().map(|reason| (reason.person, reason.points)).collect();
    assert_eq!(reasons, [(Some(person("b")), 40.0), (Some(person("a")), 30.0)]);
}

#[tokio::test]
async fn an_account_is_written_once_a_batch_and_not_at_all_where_nothing_changed() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 30), 1).await;
    let bodies = [
        called("acme", "m1", 5, json!({ "plan": "team" })),
        changed("acme"),
        called("acme", "m2", 1, json!({ "plan": "solo" })),
        changed("nobody"),
    ];
    for _ in 0..3 {
        assert!(bench.hand(&bodies).await.is_empty());
    }
    assert_eq!(bench.version("acme").await, 1);
    assert_eq!(bench.account("acme").await.unwrap().traits["plan"].value, "team");
    assert_eq!(bench.account("nobody").await, None, "what nobody belongs to and nobody spoke of is not kept");
    bench.put("acme", &member("b", 1), 1).await;
    bench.roll_up("acme").await;
    assert_eq!((bench.version("acme").await, bench.sums("acme").await), (2, Some((2, 31, None))));
    assert_eq!(
        bench.account("acme").await.unwrap().traits["plan"].value,
        "team",
        "traits stay where only people change"
    );
}

/// People move between accounts.
#[tokio::test]
async fn who_moves_changes_both_accounts_and_an_account_without_anyone_is_forgotten() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("old", &member("a", 30), 1).await;
    bench.roll_up("old").await;
    assert_eq!(bench.sums("old").await, Some((1, 30, None)));
    bench.store.leave_account(&id("old"), person("a"), 2, at(1)).await.unwrap();
    bench.put("new", &member("a", 30), 2).await;
    assert!(bench.hand(&[changed("old"), changed("new")]).await.is_empty());
    assert_eq!(bench.account("old").await, None);
    assert_eq!(bench.sums("new").await, Some((1, 30, None)));
}

#[tokio::test]
async fn runs_at_the_same_time_lose_no_trait() {
    let bench = Bench::new(ACCOUNTS).await;
    let runs = (0..4).map(|i| {
        let body = called("acme", &format!("m{i}"), i, json!({ format!("t{i}"): i }));
        let bench = bench.restarted();
        async move { while !bench.hand(std::slice::from_ref(&body)).await.is_empty() {} }
    });
    futures::future::join_all(runs).await;
    assert_eq!(bench.account("acme").await.unwrap().traits.len(), 4);
}

#[tokio::test]
async fn what_cannot_be_read_fails_alone() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 1), 1).await;
    assert_eq!(bench.hand(&["{}".to_owned(), changed("acme"), String::new()]).await, ["r0", "r2"]);
    assert!(bench.account("acme").await.is_some());
}

/// Account health of customers; the stage follows from product events.
#[tokio::test]
async fn an_account_stands_where_its_billing_facts_say_in_any_order_and_has_a_health_where_someone_pays() {
    let bench = Bench::new(ACCOUNTS).await;
    let paying = Member {
        stage: Stage::Onboarding,
        engagement: Score::from(80),
        scores: [(Likelihood::Success, Score::from(60)), (Likelihood::Churn, Score::from(10))].into(),
        ..member("a", 0)
    };
    bench.put("acme", &paying, 1).await;
    let bodies = [fact("acme", Milestone::Customer, -50), fact("acme", Milestone::Customer, -90)];
    for order in [[0, 1], [1, 0], [0, 0]] {
        let bodies = order.map(|at| bodies[at].clone());
        assert!(bench.hand(&bodies).await.is_empty());
    }
    let account = bench.account("acme").await.unwrap();
    let span = account.milestones[&Milestone::Customer];
    assert_eq!((span.first_at(), span.last_at()), (at(-90), at(-50)));
    assert_eq!(bench.sums("acme").await, Some((1, 0, Some(60))));
    assert_eq!(bench.version("acme").await, 1, "a fact that is known is not written again");
    let config = &bench.config;
    assert_eq!(facts(config, &account, at(0)).stage, Some(Stage::Onboarding));
    assert_eq!(facts(config, &account, at(40 * 86_400)).stage, Some(Stage::AtRisk), "all of its people are idle");
}

/// Debounce: changes older than an account's last evaluation do not evaluate it again.
#[tokio::test]
async fn news_that_is_older_than_the_last_look_costs_nothing() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 30), 1).await;
    bench.time.set(at(60));
    bench.roll_up("acme").await;
    // Not notified, so only a read would find it.
    bench.put("acme", &member("b", 10), 1).await;
    assert!(bench.hand(&[changed_at("acme", 50), changed_at("acme", 10)]).await.is_empty());
    assert_eq!(bench.sums("acme").await, Some((1, 30, None)), "known since");
    assert!(bench.hand(&[changed_at("acme", 50), changed_at("acme", 59)]).await.is_empty());
    assert_eq!(bench.sums("acme").await, Some((2, 40, None)), "too close to be sure");
    bench.put("acme", &member("c", 10), 1).await;
    assert!(bench.restarted().hand(&[changed_at("acme", 10)]).await.is_empty());
    assert_eq!(bench.sums("acme").await, Some((3, 50, None)), "another process knows nothing");
}
