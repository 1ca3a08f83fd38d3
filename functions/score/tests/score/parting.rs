//! Manual unmerges are archived before they are executed.

use crate::support::{Bench, at, config, user};
use futures::TryStreamExt;
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::{Identity, UserId};
use perennial_lambda_kit::queue::Delay;
use perennial_score::{Deps, Parts};
use perennial_store::archive::unmerges::Entry;
use perennial_store::{Archive, ConfigHandle, Consistency};
use perennial_testkit::EventBuilder;

fn unmerge(said: i64) -> Unmerge {
    let identity = Identity::User(UserId::parse("u2").unwrap());
    Unmerge { identity, at: at(said), by: "ada".to_owned(), why: "a desk".to_owned(), done_at: None }
}

fn body(unmerge: &Unmerge) -> Vec<String> {
    vec![serde_json::to_string(&EventsPayload::Unmerge(unmerge.clone())).unwrap()]
}

async fn archived(archive: &Archive) -> Vec<Unmerge> {
    let entries: Vec<Entry> = archive.history().await.unwrap().try_collect().await.unwrap();
    let unmerges = entries.into_iter().filter_map(|entry| match entry {
        Entry::Unmerge(unmerge) => Some(unmerge),
        Entry::Event(_) => None,
    });
    unmerges.collect()
}

/// Returns whether the two user ids are one profile.
async fn are_one(bench: &Bench) -> bool {
    let holder = bench.store.follow(user("u2"), Consistency::Strong).await.unwrap().unwrap();
    holder.profile.parts.len() == 2
}

async fn joined() -> Bench {
    let bench = Bench::new().await;
    let mail = |user: &str| {
        EventBuilder::identify(&format!("m-{user}"), user, None).with_trait("email", "ada@acme.org").at(at(-60)).build()
    };
    assert!(bench.feed(&[vec![mail("u1"), mail("u2")]]).await.is_empty());
    assert!(are_one(&bench).await);
    bench
}

#[tokio::test]
async fn an_unmerge_is_archived_with_the_time_it_was_done_unless_it_changes_nothing() {
    let bench = joined().await;
    bench.time.set(at(30));
    assert!(bench.hand(body(&unmerge(-5))).await.is_empty());
    assert!(!are_one(&bench).await);
    let done = Unmerge { done_at: Some(at(30)), ..unmerge(-5) };
    assert_eq!(archived(&bench.archive).await, std::slice::from_ref(&done));
    // The same request again, and one about an identity that is not merged, do nothing.
    bench.time.set(at(90));
    for said in [-5, 60] {
        assert!(bench.hand(body(&unmerge(said))).await.is_empty());
    }
    assert_eq!(archived(&bench.archive).await, [done]);
}

#[tokio::test]
async fn what_cannot_be_archived_is_not_done_and_comes_again() {
    let mut bench = joined().await;
    let folder = std::env::temp_dir().join(format!("perennial-parting-{}", std::process::id()));
    let archive = Archive::directory(&folder).unwrap();
    // A file where the folder would be.
    std::fs::write(folder.join("unmerges"), "").unwrap();
    bench.deps = Deps::new(Parts {
        store: bench.store.clone(),
        archive: archive.clone(),
        messages: bench.messages.clone(),
        essential: bench.essential.clone(),
        accounts: bench.accounts.clone(),
        events: bench.events.clone(),
        config: ConfigHandle::fixed(config()),
        clock: bench.clock.clone(),
        debounce: Delay::NONE,
    });
    assert_eq!(bench.hand(body(&unmerge(-5))).await, ["r0"]);
    assert!(are_one(&bench).await);
    std::fs::remove_file(folder.join("unmerges")).unwrap();
    assert!(bench.hand(body(&unmerge(-5))).await.is_empty());
    assert!(!are_one(&bench).await);
    assert_eq!(archived(&archive).await.len(), 1);
    std::fs::remove_dir_all(folder).unwrap();
}
