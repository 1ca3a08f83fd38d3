//! The people that an account's event is for.

use crate::support::{ACCOUNTS, Bench, at, drain, id, member, person};
use perennial_contracts::queue::{AccountsPayload, EventsPayload, WOKEN_AT_ONCE};
use perennial_domain::{Cause, Entry, Member, MessageId, PersonId};
use serde_json::json;
use std::collections::BTreeSet;

fn entry(message: &str) -> Entry {
    let message_id = MessageId::parse(message).unwrap();
    let cause = Cause::Event { name: "Payment Failed".to_owned(), message_id };
    Entry { journey: "payment_failed".to_owned(), cause, properties: perennial_domain::Properties::new(), at: at(0) }
}

fn asked(account: &str, to: &[&str], message: &str) -> String {
    let to = to.iter().map(|persona| (*persona).to_owned()).collect();
    let payload = AccountsPayload::Event { account: id(account), to, named: person("named"), entry: entry(message) };
    serde_json::to_string(&payload).unwrap()
}

fn with(name: &str, personas: &[&str]) -> Member {
    Member { personas: personas.iter().map(|persona| (*persona).to_owned()).collect(), ..member(name, 0) }
}

/// Returns who enters because of that message, and the number of messages.
fn entered(bench: &Bench, message: &str) -> (BTreeSet<PersonId>, usize) {
    let (mut all, mut messages) = (BTreeSet::new(), 0);
    for (payload, _) in drain(&bench.events) {
        if let EventsPayload::Enter { entry: of, people } = payload
            && of == entry(message)
        {
            assert!(people.len() <= WOKEN_AT_ONCE);
            all.extend(people);
            messages += 1;
        }
    }
    (all, messages)
}

fn people(names: &[&str]) -> BTreeSet<PersonId> {
    names.iter().map(|name| person(name)).collect()
}

#[tokio::test]
async fn all_who_have_the_first_persona_that_anybody_has_are_meant() {
    let bench = Bench::new(ACCOUNTS).await;
    for member in [with("a", &["administrator"]), with("b", &["administrator", "it"]), with("c", &["billing"])] {
        bench.put("acme", &member, 1).await;
    }
    bench.put("globex", &with("d", &["buyer"]), 1).await;
    for (to, meant) in [
        (["billing", "administrator"], vec!["c"]),
        (["administrator", "billing"], vec!["a", "b"]),
        (["buyer", "it"], vec!["b"]),
        (["buyer", "end_user"], vec!["named"]),
    ] {
        assert!(bench.hand(&[asked("acme", &to, "m1")]).await.is_empty());
        assert_eq!(entered(&bench, "m1"), (people(&meant), 1), "{to:?}");
    }
    assert!(bench.hand(&[asked("nowhere", &["buyer"], "m1")]).await.is_empty());
    assert_eq!(entered(&bench, "m1").0, people(&["named"]), "an account without anybody");
}

#[tokio::test]
async fn many_are_found_in_one_reading_and_told_of_in_several_messages() {
    let bench = Bench::new(ACCOUNTS).await;
    for number in 0..450 {
        bench.put("acme", &with(&number.to_string(), &["administrator"]), 1).await;
    }
    bench.put("acme", &with("sponsor", &["executive_sponsor"]), 1).await;
    let bodies = [asked("acme", &["administrator"], "m1"), asked("acme", &["executive_sponsor"], "m2")];
    bench.events.refuse_next(1);
    assert_eq!(bench.hand(&bodies).await, ["r0", "r1"], "what was not sent comes again");
    drop(bench.events.drain());
    assert!(bench.hand(&bodies).await.is_empty());
    let (all, messages) = entered(&bench, "m1");
    assert_eq!((all.len(), messages), (450, 3));
    assert!(bench.hand(&bodies).await.is_empty());
    assert_eq!(entered(&bench, "m2"), (people(&["sponsor"]), 1));
}

#[tokio::test]
async fn the_people_of_an_accounts_domains_are_its_own_whichever_of_them_the_event_names() {
    let bench = Bench::new(ACCOUNTS).await;
    bench.put("acme", &with("a", &["end_user"]), 1).await;
    bench.put("acme.example", &with("b", &["billing"]), 1).await;
    bench.group("acme", 1, json!({ "domain": "acme.example" })).await;
    bench.settle().await;
    for account in ["acme", "acme.example"] {
        drop(bench.events.drain());
        assert!(bench.hand(&[asked(account, &["billing"], "m1")]).await.is_empty());
        assert_eq!(entered(&bench, "m1").0, people(&["b"]), "{account}");
    }
}
