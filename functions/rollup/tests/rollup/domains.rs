//! Company domains: an account of their own, until another account claims them.

use crate::support::{ACCOUNTS, Bench, at, changed, id, member, person};
use perennial_domain::Member;
use perennial_store::Consistency;
use perennial_store::accounts::ClaimChange;
use serde_json::json;

/// A person belongs to the account of a `group` call, else to the account of the company mail domain.
#[tokio::test]
async fn the_people_of_a_domain_belong_to_the_account_that_names_it_and_to_their_own_again_when_it_does_not() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &member("a", 30), 1).await;
    bench.put("acme.example", &member("b", 25), 1).await;
    assert!(bench.hand(&[changed("acme"), changed("acme.example")]).await.is_empty());
    assert_eq!(bench.sums("acme.example").await, Some((1, 25, None)));

    bench.group("acme", 1, json!({ "domain": "https://www.Acme.example/about" })).await;
    bench.settle().await;
    assert_eq!(bench.sums("acme").await, Some((2, 55, None)));
    assert_eq!(bench.sums("acme.example").await, None);
    assert_eq!(bench.account("acme.example").await.unwrap().holder(), Some(&id("acme")));

    bench.put("acme.example", &member("c", 10), 1).await;
    bench.roll_up("acme.example").await;
    assert_eq!(bench.sums("acme").await, Some((3, 65, None)), "news of the domain is news of its account");

    bench.group("acme", 2, json!({ "domain": null })).await;
    bench.settle().await;
    assert_eq!(bench.sums("acme").await, Some((1, 30, None)));
    assert_eq!(bench.sums("acme.example").await, Some((2, 35, None)));
}

/// Calls may contain both the account and its domain: a member of both is one person of the account.
#[tokio::test]
async fn member_of_an_account_and_of_its_domain_counts_once() {
    for primary in ["acme", "acme.example", "elsewhere"] {
        let bench = Bench::new(ACCOUNTS).await;
        for part in ["acme", "acme.example"] {
            let listed = Member { elsewhere: primary != part, ..member("a", 30) };
            bench.put(part, &listed, 1).await;
        }
        bench.put("acme.example", &member("b", 25), 1).await;
        bench.group("acme", 1, json!({ "domain": "acme.example" })).await;
        bench.settle().await;
        let score = if primary == "elsewhere" { 25 } else { 55 };
        assert_eq!(bench.sums("acme").await, Some((2, score, None)), "{primary}");
        let summary = bench.account("acme").await.unwrap().summary.unwrap();
        assert_eq!(summary.elsewhere, u32::from(primary == "elsewhere"), "{primary}");
    }
}

#[tokio::test]
async fn the_first_in_time_to_name_a_domain_has_it_in_whatever_order_that_is_heard() {
    for order in [["early", "late"], ["late", "early"]] {
        let bench = Bench::new(ACCOUNTS).await;
        bench.put("acme.example", &member("b", 25), 1).await;
        for name in order {
            let second = if name == "early" { 10 } else { 20 };
            bench.group(name, second, json!({ "domain": "acme.example" })).await;
            // Claiming it again does not make the claim any later.
            bench.group(name, second + 100, json!({ "domain": "acme.example" })).await;
            bench.settle().await;
        }
        assert_eq!(bench.sums("early").await, Some((1, 25, None)), "{order:?}");
        assert_eq!(bench.sums("late").await, Some((0, 0, None)), "{order:?}");
        bench.group("early", 500, json!({ "domain": "other.example" })).await;
        bench.settle().await;
        assert_eq!(bench.sums("early").await, Some((0, 0, None)), "{order:?}");
        assert_eq!(bench.sums("late").await, Some((1, 25, None)), "{order:?}");
    }
}

#[tokio::test]
async fn nobody_can_name_a_free_mail_domain_and_an_account_of_that_name_keeps_its_people() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.group("greedy", 1, json!({ "domain": ["gmail.com", "acme.example"] })).await;
    assert_eq!(bench.account("gmail.com").await, None);
    bench.put("acme.example", &member("b", 25), 1).await;
    bench.roll_up("acme.example").await;
    assert_eq!(bench.sums("greedy").await, Some((1, 25, None)));
    // The product itself calls an account by its domain.
    bench.group("acme.example", 2, json!({ "plan": "team" })).await;
    bench.settle().await;
    assert_eq!(bench.sums("greedy").await, Some((0, 0, None)));
    assert_eq!(bench.sums("acme.example").await, Some((1, 25, None)));
}

#[tokio::test]
async fn a_domain_that_nobody_belongs_to_or_names_any_more_is_forgotten() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme.example", &member("b", 25), 1).await;
    bench.group("acme", 1, json!({ "domain": "acme.example" })).await;
    bench.store.leave_account(&id("acme.example"), person("b"), 2, at(1)).await.unwrap();
    bench.group("acme", 2, json!({ "domain": "" })).await;
    bench.settle().await;
    assert_eq!(bench.account("acme.example").await, None);
}

#[tokio::test]
async fn domain_that_many_accounts_name_identifies_nobody_and_costs_no_more_for_each() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme.example", &member("b", 25), 1).await;
    let mut told = 0;
    for n in 0..40 {
        bench.group(&format!("a{n:02}"), 10 + n, json!({ "domain": "acme.example" })).await;
        told += bench.accounts.bodies().len();
        bench.settle().await;
        let holder = if n < 20 { Some((1, 25, None)) } else { Some((0, 0, None)) };
        assert_eq!(bench.sums("a00").await, holder, "{n}");
    }
    assert_eq!(bench.sums("acme.example").await, Some((1, 25, None)), "the domain's own account has its people again");
    // The first claim notifies the domain's account, and the one too many notifies it and the first.
    assert!(told < 10, "{told}");
    for n in 20..40 {
        bench.group(&format!("a{n:02}"), 500 + n, json!({ "domain": null })).await;
        bench.settle().await;
    }
    assert_eq!(bench.sums("a00").await, Some((1, 25, None)), "as few name it again, the first has them");
}

/// More accounts claim the domain than were ever remembered of one domain, and the first of them withdraw.
#[tokio::test]
async fn when_claims_fall_to_few_again_the_domain_identifies_whoever_is_left() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme.example", &member("b", 25), 1).await;
    for n in 0..150 {
        bench.group(&format!("a{n:03}"), 10 + n, json!({ "domain": "acme.example" })).await;
    }
    bench.settle().await;
    assert_eq!(bench.sums("acme.example").await, Some((1, 25, None)));
    for n in 0..130 {
        bench.group(&format!("a{n:03}"), 500 + n, json!({ "domain": null })).await;
    }
    bench.settle().await;
    assert_eq!(bench.sums("a130").await, Some((1, 25, None)));
    assert_eq!(bench.account("acme.example").await.unwrap().holder(), Some(&id("a130")));
}

/// A process stops after an account was written with its claim, and before the account of the domain was.
#[tokio::test]
async fn claim_whose_process_stopped_is_completed_by_the_next_recomputation() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme.example", &member("b", 25), 1).await;
    bench.roll_up("acme.example").await;
    bench.group("acme", 1, json!({ "domain": "other.example" })).await;
    bench.settle().await;
    let mut stored = bench.store.account(&id("acme"), Consistency::Strong).await.unwrap().unwrap();
    let traits = json!({ "domain": "acme.example" });
    let message = perennial_domain::MessageId::parse("m2").unwrap();
    stored.account.merge(&bench.config.accounts.domains, traits.as_object().unwrap(), at(2), &message);
    stored.account.registered = [("acme.example".to_owned(), Some(at(2)))].into();
    stored.account.unsettled = ["acme.example".to_owned(), "other.example".to_owned()].into();
    let change = ClaimChange { made: vec![(id("acme.example"), at(2))], withdrawn: vec![id("other.example")] };
    bench.store.save_account_claiming(&mut stored, &change).await.unwrap();
    let bench = bench.restarted();
    bench.roll_up("acme").await;
    bench.settle().await;
    assert_eq!(bench.sums("acme").await, Some((1, 25, None)));
    assert_eq!(bench.account("acme.example").await.unwrap().holder(), Some(&id("acme")));
    assert_eq!(bench.account("other.example").await, None);
    assert!(bench.account("acme").await.unwrap().unsettled.is_empty());
}

/// A process stops after the account of a domain was written, and before those whom that concerns were notified.
#[tokio::test]
async fn accounts_that_a_stopped_process_did_not_notify_are_notified_by_the_next() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme.example", &member("b", 25), 1).await;
    bench.group("late", 20, json!({ "domain": "acme.example" })).await;
    bench.settle().await;
    assert_eq!(bench.sums("late").await, Some((1, 25, None)));
    bench.group("early", 10, json!({ "domain": "acme.example" })).await;
    // The sent messages are lost, and so are the later writes.
    drop(bench.accounts.drain());
    let mut stored = bench.store.account(&id("early"), Consistency::Strong).await.unwrap().unwrap();
    stored.account.unsettled = ["acme.example".to_owned()].into();
    bench.store.save_account(&mut stored).await.unwrap();
    let bench = bench.restarted();
    bench.roll_up("early").await;
    bench.settle().await;
    assert_eq!((bench.sums("early").await, bench.sums("late").await), (Some((1, 25, None)), Some((0, 0, None))));
}
