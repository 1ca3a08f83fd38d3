//! Several accounts of one person.

use super::*;
use perennial_engine::membership::memberships;

fn join(days: i64, account: &str) -> Event {
    EventBuilder::group(&format!("join {days} {account}"), "user-0417", account).at(at(days, 0)).build()
}

fn ids(stored: &Stored) -> Vec<String> {
    memberships(&config(), &stored.profile.view()).into_iter().map(String::from).collect()
}

#[test]
fn several_accounts_come_back_whole_with_what_each_was_given() {
    let mut batches = typical()[..14].to_vec();
    batches.push(vec![join(60, "acct-2"), join(61, "acct-3")]);
    batches.push(vec![EventBuilder::track("x", "user-0417", "Feature Used").group_id("acct-2").at(at(62, 0)).build()]);
    let stored = after(&config(), user("user-0417"), &batches);
    assert_eq!(ids(&stored), ["acct-3", "acct-2", "acct-031"]);
    assert_eq!(stored.profile.elsewhere.len(), 2);
    let (item, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored));
    assert_eq!(item.text("acct").unwrap(), Some("acct-3"), "an operator reads the primary one");
}

#[test]
fn who_left_every_account_is_shown_in_none() {
    let left = EventBuilder::track("x", "user-0417", "Left Account").group_id("acct-031").at(at(62, 0)).build();
    let stored = after(&config(), user("user-0417"), &[typical(), vec![vec![left]]].concat());
    let (item, loaded) = round_trip(&stored);
    assert_eq!((ids(&stored), item.text("acct").unwrap()), (Vec::new(), None));
    assert_eq!(loaded, Loaded::Profile(stored));
}

#[test]
fn who_left_without_saying_which_comes_back_whole() {
    let left = || EventBuilder::track("x", "user-0417", "Left Account").at(at(62, 0)).build();
    let alone = after(&config(), user("user-0417"), &[typical(), vec![vec![left()]]].concat());
    assert_eq!(ids(&alone), Vec::<String>::new());
    let several = vec![vec![join(60, "acct-2"), join(61, "acct-3"), left()]];
    let several = after(&config(), user("user-0417"), &[typical()[..14].to_vec(), several].concat());
    assert_eq!(ids(&several), ["acct-2", "acct-031"]);
    for stored in [alone, several] {
        let (_, loaded) = round_trip(&stored);
        assert_eq!(loaded, Loaded::Profile(stored));
    }
}

#[test]
fn one_account_is_stored_without_a_byte_and_with_few_where_activity_names_it() {
    let state = |stored: &Stored| encode_state(&stored.profile, Attributes::default(), 0).unwrap().len();
    let plain = after(&config(), user("user-0417"), &typical()[..1]);
    let mut without = plain.clone();
    without.profile.parts[0].state.memberships = perennial_engine::membership::Memberships::default();
    assert_eq!(state(&plain), state(&without));
    let use_it = |group: Option<&str>| {
        let event = EventBuilder::track("x", "user-0417", "Feature Used").at(at(62, 0));
        let event = group.map_or_else(|| event.clone(), |group| event.clone().group_id(group)).build();
        state(&after(&config(), user("user-0417"), &[typical()[0].clone(), vec![event]]))
    };
    let more = use_it(Some("acct-031")) - use_it(None);
    assert!(more <= 40, "{more} bytes");
}

/// An item of before there were memberships.
#[test]
fn a_stored_profile_with_an_account_is_one_membership() {
    let (base, _) = round_trip(&after(&config(), user("user-0417"), &typical()[..1]));
    let mut read = 0;
    for (name, bytes) in stored_long_ago() {
        let mut item = base.clone();
        item.insert("state".to_owned(), b(bytes));
        let Loaded::Profile(stored) = decode(&item).unwrap() else { panic!("{name}: no profile") };
        let named = stored.profile.parts.iter().any(|part| part.state.account.is_some());
        assert_eq!(ids(&stored), if named { vec!["acct-031".to_owned()] } else { Vec::new() }, "{name}");
        read += usize::from(named);
    }
    assert!(read >= 4, "{read}");
}
