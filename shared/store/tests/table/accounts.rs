//! Accounts, members and suppressions.

use crate::support::{at, person, store};
use perennial_contracts::queue::AccountTraits;
use perennial_domain::{AccountId, Member, MessageId, Score, Stage};
use perennial_store::accounts::{Account, AccountSummary};
use perennial_store::suppressions::{Reason, Suppression};

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn member(name: &str, engagement: u8) -> Member {
    Member {
        person: person(name),
        stage: Stage::Trial,
        scores: [].into(),
        engagement: Score::from(engagement),
        last_seen: Some(at(0)),
        personas: std::collections::BTreeSet::new(),
    }
}

#[tokio::test]
async fn a_slow_writer_replaces_no_later_entry_and_brings_nobody_back() {
    let store = store().await;
    assert!(store.put_member(&acme(), &member("a", 2), 2).await.unwrap());
    assert!(!store.put_member(&acme(), &member("a", 1), 1).await.unwrap());
    assert!(store.put_member(&acme(), &member("b", 1), 1).await.unwrap());
    assert!(store.leave_account(&acme(), person("b"), 2, at(0)).await.unwrap());
    assert!(!store.put_member(&acme(), &member("b", 1), 1).await.unwrap());
    assert!(!store.leave_account(&acme(), person("a"), 1, at(0)).await.unwrap());
    let page = store.members(&acme(), None).await.unwrap();
    assert_eq!(page.members, [member("a", 2)]);
    assert!(page.next.is_none());
    assert!(store.put_member(&acme(), &member("b", 3), 3).await.unwrap(), "who comes back later is there again");
    assert_eq!(store.members(&acme(), None).await.unwrap().members.len(), 2);
}

#[tokio::test]
async fn an_account_is_written_only_as_it_was_read() {
    let store = store().await;
    assert_eq!(store.account(&acme()).await.unwrap(), None);
    let mut account = Account::new(acme());
    let mut other = account.clone();
    let call = |at, id: &str, plan: &str| AccountTraits {
        traits: serde_json::json!({ "plan": plan }).as_object().unwrap().clone(),
        at,
        message_id: MessageId::parse(id).unwrap(),
    };
    let calls = [call(at(5), "m2", "team"), call(at(5), "m1", "solo"), call(at(1), "m9", "free")];
    for call in &calls {
        account.merge(call);
    }
    for call in calls.iter().rev() {
        other.merge(call);
    }
    assert_eq!(account, other, "the order of calls does not matter");
    assert_eq!(account.traits["plan"].value, "team");
    assert!(!account.merge(&calls[0]), "a call that is repeated changes nothing");
    account.summary = Some(AccountSummary { people: 2, ..AccountSummary::default() });
    store.save_account(&mut account).await.unwrap();
    assert_eq!(store.account(&acme()).await.unwrap(), Some(account));
    assert!(store.save_account(&mut other).await.unwrap_err().is_conflict());
}

#[tokio::test]
async fn a_suppressed_address_keeps_its_first_reason() {
    let store = store().await;
    assert_eq!(store.suppression("ada@example.com").await.unwrap(), None);
    assert!(store.suppress("Ada@Example.com ", Reason::Bounce, at(1)).await.unwrap());
    assert!(!store.suppress("ada@example.com", Reason::Unsubscribe, at(2)).await.unwrap());
    let suppression = store.suppression("ADA@example.com").await.unwrap();
    assert_eq!(suppression, Some(Suppression { reason: Reason::Bounce, since: at(1) }));
}
