//! The entries of a person who belongs to several accounts.

use crate::support::{Bench, at, user};
use perennial_contracts::queue::{AccountsPayload, EventsPayload, Unmerge};
use perennial_domain::{AccountId, AnonymousId, Event, Identity, PersonId, UserId};
use perennial_testkit::EventBuilder;
use std::collections::BTreeSet;

fn join(second: i64, who: &str, account: &str) -> Event {
    EventBuilder::group(&format!("join {second} {who} {account}"), who, account).at(at(second)).build()
}

fn leave(second: i64, who: &str, account: &str) -> Event {
    let id = format!("leave {second} {who} {account}");
    EventBuilder::track(&id, who, "Left Account").group_id(account).at(at(second)).build()
}

/// Returns the members of an account, and whether their primary account is another one.
async fn members(bench: &Bench, account: &str) -> Vec<(PersonId, bool)> {
    let account = AccountId::parse(account).unwrap();
    let members = bench.store.members(&account, None, None).await.unwrap().members;
    let mut members: Vec<_> = members.into_iter().map(|member| (member.person, member.elsewhere)).collect();
    members.sort_unstable();
    members
}

/// Returns the accounts that `rollup` was notified of.
fn told(bench: &Bench) -> BTreeSet<String> {
    let bodies = bench.accounts.drain().into_iter();
    let account = |(body, _): (String, _)| match serde_json::from_str(&body).unwrap() {
        AccountsPayload::Changed { account, .. } | AccountsPayload::Event { account, .. } => account.to_string(),
    };
    bodies.map(account).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// After joining B, A has nobody.
#[tokio::test]
async fn each_account_keeps_its_people_and_loses_who_left() {
    let bench = Bench::new().await;
    let (u, trial) = (user("u"), EventBuilder::track("t", "u", "Trial Started").at(at(-55)).build());
    assert!(bench.feed(&[vec![join(-60, "u", "a"), trial]]).await.is_empty());
    assert_eq!((members(&bench, "a").await, told(&bench)), (vec![(u, false)], set(&["a"])));
    assert!(bench.feed(&[vec![join(-50, "u", "b")]]).await.is_empty());
    assert_eq!((members(&bench, "a").await, members(&bench, "b").await), (vec![(u, true)], vec![(u, false)]));
    assert_eq!(told(&bench), set(&["a", "b"]));
    assert_eq!(bench.messages.drain().len(), 2, "the messages of one journey, to one person");
    // Their stage changes in both.
    let bought = EventBuilder::track("o", "u", "Order Completed").at(at(-40)).build();
    assert!(bench.feed(&[vec![bought]]).await.is_empty());
    assert_eq!(told(&bench), set(&["a", "b"]));
    assert!(bench.feed(&[vec![leave(-30, "u", "b")]]).await.is_empty());
    assert_eq!((members(&bench, "a").await, members(&bench, "b").await), (vec![(u, false)], vec![]));
    assert_eq!(told(&bench), set(&["a", "b"]));
    assert!(bench.feed(&[vec![leave(-20, "u", "a")]]).await.is_empty());
    assert_eq!((members(&bench, "a").await, bench.stored(u).await.unwrap().profile.published), (vec![], None));
}

#[tokio::test]
async fn entries_that_were_not_written_before_a_crash_are_written_when_the_records_come_again() {
    let bench = Bench::new().await;
    let events = vec![join(-60, "u", "a"), join(-50, "u", "b")];
    bench.accounts.refuse_next(usize::MAX);
    assert_eq!(bench.feed(std::slice::from_ref(&events)).await, ["r0"]);
    bench.accounts.refuse_next(0);
    let again = bench.restarted();
    for _ in 0..2 {
        assert!(again.feed(std::slice::from_ref(&events)).await.is_empty());
    }
    assert_eq!(told(&again), set(&["a", "b"]));
    assert_eq!((members(&again, "a").await.len(), members(&again, "b").await.len()), (1, 1));
    assert!(again.feed(&[vec![leave(-40, "u", "a")]]).await.is_empty());
    assert!(again.restarted().feed(&[events]).await.is_empty());
    assert_eq!(
        (members(&again, "a").await.len(), members(&again, "b").await.len()),
        (0, 1),
        "what comes late changes nothing"
    );
    let outbox = again.stored(user("u")).await.unwrap().profile.outbox;
    assert!(outbox.len() <= 1, "{outbox:?}");
}

#[tokio::test]
async fn account_keeps_its_member_when_a_browser_is_parted_from_them() {
    let bench = Bench::new().await;
    let events = vec![
        EventBuilder::page("p", "browser").at(at(-70)).build(),
        EventBuilder::identify("i", "u", Some("browser")).at(at(-65)).build(),
        join(-60, "u", "a"),
        EventBuilder::track("t", "u", "Trial Started").at(at(-55)).build(),
    ];
    assert!(bench.feed(&[events]).await.is_empty());
    assert_eq!(members(&bench, "a").await, [(user("u"), false)]);
    let star = EventBuilder::track("s", "u", "Repository Starred").at(at(-180 * 86_400)).build();
    assert!(bench.feed(&[vec![star]]).await.is_empty());
    assert_eq!(members(&bench, "a").await, [(user("u"), false)]);
    let identity = Identity::Anonymous(AnonymousId::parse("browser").unwrap());
    let unmerge = Unmerge { identity, at: at(0), by: "ada".into(), why: "a colleague's".into(), done_at: None };
    let body = serde_json::to_string(&EventsPayload::Unmerge(unmerge)).unwrap();
    assert!(bench.hand(vec![body]).await.is_empty());
    assert!(bench.stored(user("u")).await.unwrap().profile.published.is_some());
    assert_eq!(members(&bench, "a").await, [(user("u"), false)]);
}

/// A person who leaves an account a second time has left it, though this process executed the first leave before.
#[tokio::test]
async fn leaving_the_same_account_again_is_done_again() {
    let bench = Bench::new().await;
    let u = user("u");
    for events in [join(-60, "u", "a"), leave(-50, "u", "a"), join(-40, "u", "a")] {
        assert!(bench.feed(&[vec![events]]).await.is_empty());
    }
    assert_eq!(members(&bench, "a").await.len(), 1);
    // Another process writes that they leave, and is gone before it does anything about it.
    let mut stored = bench.stored(u).await.unwrap();
    stored.profile.outbox.clear();
    let moment = perennial_engine::Moment::new(&bench.config, at(0));
    let left = [leave(-30, "u", "a")];
    perennial_engine::process(&moment, &mut stored.profile, &left, &Default::default(), perennial_engine::Mode::Live);
    bench.store.save(&mut stored).await.unwrap();
    assert_eq!(members(&bench, "a").await.len(), 1, "not done yet");
    let seen = EventBuilder::track("s", "u", "Signed In").at(at(-20)).build();
    assert!(bench.feed(&[vec![seen]]).await.is_empty());
    assert_eq!(members(&bench, "a").await, []);
}

#[tokio::test]
async fn merged_profiles_unite_their_accounts_and_unmerged_ones_part_them() {
    let bench = Bench::new().await;
    let mail = |who: &str| {
        EventBuilder::identify(&format!("m {who}"), who, None).with_trait("email", "ada@acme.org").at(at(-20)).build()
    };
    let accounts = [("u1", ["a", "b", "c"]), ("u2", ["c", "d", "e"])];
    let joins =
        accounts.map(|(who, all)| (0..).zip(all).map(|(n, account)| join(n - 60, who, account)).collect::<Vec<_>>());
    assert!(bench.feed(&joins).await.is_empty());
    let all = async || {
        let mut found = Vec::new();
        for account in ["a", "b", "c", "d", "e"] {
            found.push(members(&bench, account).await);
        }
        found
    };
    let (u1, u2) = (user("u1"), user("u2"));
    let mut apart =
        vec![vec![(u1, true)], vec![(u1, true)], vec![(u1, false), (u2, true)], vec![(u2, true)], vec![(u2, false)]];
    apart[2].sort_unstable();
    assert_eq!(all().await, apart);
    assert!(bench.feed(&[vec![mail("u1")], vec![mail("u2")]]).await.is_empty());
    let one = u1.min(u2);
    // c and e were named at the same moment: the greater id is the primary one.
    assert_eq!(all().await, ["a", "b", "c", "d", "e"].map(|account| vec![(one, account != "e")]));
    let identity = Identity::User(UserId::parse("u2").unwrap());
    let unmerge = Unmerge { identity, at: at(-5), by: "ada".to_owned(), why: "a desk".to_owned(), done_at: None };
    assert!(bench.hand(vec![serde_json::to_string(&EventsPayload::Unmerge(unmerge)).unwrap()]).await.is_empty());
    assert_eq!(all().await, apart);
}

/// An instance that has not seen a write executes its actions, as the writer may be gone; and records that it did.
#[tokio::test]
async fn outbox_that_another_instance_performed_is_performed_by_no_third() {
    let bench = Bench::new().await;
    assert!(bench.feed(&[vec![join(-60, "u", "a")]]).await.is_empty());
    let again = vec![join(-60, "u", "a")];
    let told = || bench.accounts.drain().len();
    assert!(told() > 0, "the account hears of its member");
    assert!(bench.feed(std::slice::from_ref(&again)).await.is_empty());
    assert_eq!(told(), 0, "the writer knows what it did");
    assert!(bench.restarted().feed(std::slice::from_ref(&again)).await.is_empty());
    assert!(told() > 0, "another cannot know");
    for _ in 0..3 {
        assert!(bench.restarted().feed(std::slice::from_ref(&again)).await.is_empty());
        assert_eq!(told(), 0);
    }
    let stored = bench.stored(user("u")).await.unwrap();
    assert_eq!((stored.profile.counted(), stored.profile.outbox.len()), (1, 0));
}
