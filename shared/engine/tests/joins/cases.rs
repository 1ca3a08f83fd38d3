//! Links between identities, cases without a link, and their display on a profile.

use super::house::{USERS, alias, at, browser, crm, mail, rules, run, user};
use jiff::Timestamp;
use perennial_domain::event::link_to;
use perennial_domain::{Event, Identity};
use perennial_engine::Part;
use perennial_engine::joins::{Evidence, Limit, Noted, Standing, people};
use perennial_engine::merge::Change;
use perennial_testkit::EventBuilder;
use std::collections::BTreeSet;

#[test]
fn one_address_joins_and_each_join_says_why() {
    let events = [
        mail("m1", "u1", "Ada@Acme.org", 0),
        mail("m2", "u2", " ada@acme.org ", 90),
        EventBuilder::identify("m3", "u2", Some("a1")).at(at(95)).build(),
        alias("m4", "u2", "u0", 99),
    ];
    let house = run(rules(), &events.iter().collect::<Vec<_>>());
    assert_eq!(house.people.len(), 1);
    let profile = house.people.values().next().unwrap();
    let smallest = user("u1").person_id().min(user("u2").person_id());
    assert_eq!(profile.id, smallest, "an earlier id gives no name");
    let said: Vec<(String, String, Evidence, String, Timestamp)> = profile
        .joins()
        .iter()
        .map(|join| (join.identity.to_string(), join.with.to_string(), join.evidence, join.shown.to_owned(), join.at))
        .collect();
    let expected = [
        ("user:u2", "user:u1", Evidence::Mail, "a…@acme.org", at(90)),
        ("anonymous:a1", "user:u2", Evidence::Identify, "", at(95)),
        ("anonymous:u0", "user:u2", Evidence::Alias, "", at(99)),
        ("user:u0", "user:u2", Evidence::Alias, "", at(99)),
    ];
    let expected =
        expected.map(|(a, b, evidence, shown, at)| (a.to_owned(), b.to_owned(), evidence, shown.to_owned(), at));
    assert_eq!(said.into_iter().collect::<BTreeSet<_>>(), expected.into_iter().collect::<BTreeSet<_>>());
}

/// Checks that every order of `events` results in the same profiles; returns their number.
fn people_in_every_order(events: &[Event]) -> usize {
    let straight = run(rules(), &events.iter().collect::<Vec<_>>());
    let mut orders = vec![vec![]];
    for _ in events {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let rest: Vec<usize> = (0..events.len()).filter(|at| !order.contains(at)).collect();
                rest.into_iter().map(move |at| [order.clone(), vec![at]].concat())
            })
            .collect();
    }
    for order in orders {
        let other = run(rules(), &order.iter().map(|at| &events[*at]).collect::<Vec<_>>());
        assert_eq!(other.told(), straight.told(), "{order:?}");
    }
    straight.people.len()
}

#[test]
fn an_address_links_user_ids_only_where_the_times_overlap_in_which_each_had_it() {
    let none = |id: &str, user: &str, second| {
        EventBuilder::identify(id, user, None).with_trait("email", serde_json::Value::Null).at(at(second)).build()
    };
    let role = |id: &str, user: &str, second| mail(id, user, "ada@acme.org", second);
    let own = |id: &str, user: &str, second| mail(id, user, "bob@acme.org", second);
    // Given up before the successor had it.
    assert_eq!(people_in_every_order(&[role("m1", "u1", 10), own("m2", "u1", 20), role("m3", "u2", 30)]), 2);
    // The successor had it before the other gave it up, and keeps it.
    assert_eq!(people_in_every_order(&[role("m1", "u1", 10), role("m2", "u2", 15), own("m3", "u1", 20)]), 1);
    assert_eq!(people_in_every_order(&[role("m1", "u1", 10), role("m2", "u2", 15), role("m3", "u1", 20)]), 1);
    // A person who gave it up and has it again shares it with the other.
    assert_eq!(
        people_in_every_order(&[role("m1", "u1", 10), own("m2", "u1", 20), role("m3", "u2", 30), role("m4", "u1", 40)]),
        1
    );
    // The one who gave it up keeps reporting the new one.
    assert_eq!(
        people_in_every_order(&[role("m1", "u1", 10), own("m2", "u1", 20), role("m3", "u2", 30), own("m4", "u1", 40)]),
        2
    );
    // Three in a row, and one who removes the address.
    let three =
        [role("m1", "u1", 10), own("m2", "u1", 20), role("m3", "u2", 30), none("m4", "u2", 40), role("m5", "u3", 50)];
    assert_eq!(people_in_every_order(&three), 3);
    // An id in another system never moves to another person.
    let crm = |id: &str, user: &str, second| super::house::crm(id, user, 7, second);
    assert_eq!(people_in_every_order(&[crm("m1", "u1", 10), own("m2", "u1", 20), crm("m3", "u2", 30)]), 1);
}

/// Ingest puts equal timestamps of a batch a microsecond apart.
#[test]
fn an_address_that_is_handed_over_within_a_millisecond_joins_nobody() {
    let said = |user: &str, address: &str, micros: i64| {
        let when = at(0) + jiff::SignedDuration::from_micros(micros);
        EventBuilder::identify(&format!("m{micros}"), user, None).with_trait("email", address).at(when).build()
    };
    let handed_over = [("e1", "ada@acme.org"), ("e1", "bob@acme.org"), ("e2", "ada@acme.org")];
    let handed_over = [0, 1, 2].map(|n| said(handed_over[n].0, handed_over[n].1, n as i64));
    assert_eq!(people_in_every_order(&handed_over), 2);
    let shared = [said("e1", "ada@acme.org", 0), said("e2", "ada@acme.org", 1), said("e1", "bob@acme.org", 2)];
    assert_eq!(people_in_every_order(&shared), 1);
}

#[test]
fn shared_and_blocked_values_join_nobody() {
    let mut rules = rules();
    rules.blocked_ids.insert("test".to_owned());
    let events = [
        mail("m1", "u1", "info@acme.org", 0),
        mail("m2", "u2", "info@acme.org", 1),
        mail("m3", "u3", "cy@gmail.com", 2),
        mail("m4", "test", "cy@gmail.com", 3),
        alias("m5", "u1", "test", 4),
        EventBuilder::identify("m6", "u2", Some("TEST")).at(at(5)).build(),
        alias("m7", "u1", "undefined", 6),
        mail("m8", "u2", "not an address", 6),
        mail("m9", "u1", "not an address", 6),
    ];
    let house = run(rules, &events.iter().collect::<Vec<_>>());
    assert!(house.people.values().all(|profile| profile.parts.len() == 1));
    let part = &house.people[&user("u1").person_id()].parts[0];
    assert_eq!(part.claims.iter().map(|claim| claim.standing).collect::<Vec<_>>(), [Standing::Idle]);
}

#[test]
fn a_value_that_one_too_many_claim_parts_those_whom_it_had_joined() {
    let mut rules = rules();
    rules.breaker.claimed_by = 3;
    let events: Vec<Event> = (0..5).map(|n| mail(&format!("m{n}"), USERS[n], "ada@acme.org", n as i64)).collect();
    let mut house = run(rules, &events[..3].iter().collect::<Vec<_>>());
    assert_eq!(house.people.len(), 1);
    for event in &events[3..] {
        house.feed(event);
    }
    assert_eq!(house.people.len(), 5);
    let parts = house.people.values().flat_map(|profile| &profile.parts);
    assert!(parts.flat_map(|part| &part.claims).all(|claim| claim.standing == Standing::Shared));
}

#[test]
fn a_merge_over_a_limit_does_not_happen_and_both_sides_say_so() {
    let mut rules = rules();
    rules.breaker.identities = 3;
    rules.limits.anonymous_ids = 1;
    let events = [
        mail("m1", "u1", "ada@acme.org", 0),
        mail("m2", "u2", "ada@acme.org", 1),
        mail("m3", "u3", "cy@gmail.com", 2),
        mail("m4", "u4", "cy@gmail.com", 3),
        mail("m5", "u4", "ada@acme.org", 4),
        EventBuilder::page("p1", "a1").at(at(5)).build(),
        EventBuilder::page("p2", "a2").at(at(5)).build(),
        EventBuilder::identify("m6", "u1", Some("a1")).at(at(6)).build(),
        EventBuilder::identify("m7", "u2", Some("a2")).at(at(7)).build(),
        mail("m5 again", "u4", "ada@acme.org", 4),
    ];
    let house = run(rules, &events.iter().collect::<Vec<_>>());
    let of = |identity: &Identity| &house.people[&house.holder(identity).unwrap()];
    assert_eq!(of(&user("u1")).parts.len(), 3);
    assert_eq!(of(&user("u4")).parts.len(), 2);
    assert_eq!(of(&browser("a2")).parts.len(), 1);
    let claims = &of(&user("u4")).part(&user("u4")).unwrap().claims;
    assert!(claims.iter().any(|claim| claim.standing == Standing::Refused(Limit::Identities)));
    let turned = |who: &Identity| {
        of(who).parts.iter().flat_map(|part| &part.notes).map(|note| note.what.clone()).collect::<Vec<_>>()
    };
    let by_mail = Noted::TurnedAway { evidence: Evidence::Mail, limit: Limit::Identities };
    assert!(turned(&user("u1")).contains(&by_mail));
    // Counted in a separate profile.
    assert_eq!(of(&browser("a2")).counted(), 1);
    let link = &of(&browser("a2")).parts[0].links[0];
    assert!(matches!(link.standing, Standing::Refused(_)));
    assert_eq!(of(&user("u4")).counted(), 4, "nothing is lost");
}

#[test]
fn parts_alone_say_who_is_one_person() {
    let house = run(rules(), &[&mail("m1", "u1", "ada@acme.org", 0), &mail("m2", "u2", "ada@acme.org", 1)]);
    let parts: Vec<Part> = house.people.values().flat_map(|profile| profile.parts.clone()).rev().collect();
    let people = people(parts);
    assert_eq!(people.keys().copied().collect::<Vec<_>>(), house.people.keys().copied().collect::<Vec<_>>());
}

/// An id in another system that is linked to one user and claimed by another belongs to the second. It does not leave
/// with the first, so whatever else the first shares with it is unmerged too.
#[test]
fn user_is_unmerged_from_an_id_that_belongs_to_another_user() {
    let mut link = EventBuilder::track("m3", "u4", "Order Completed").at(at(44)).build();
    link.context = link_to("crm", &3.into());
    let contact = EventBuilder::identify("m1", "u9", None).with_trait("email", "cy@gmail.com").external("crm", "3");
    let events = [contact.at(at(0)).build(), crm("m2", "u0", 3, 42), link, mail("m4", "u4", "cy@gmail.com", 45)];
    let mut house = run(rules(), &events.iter().collect::<Vec<_>>());
    assert_eq!(house.together().len(), 1);
    house.change(&Change::Part { identity: user("u4"), at: 5, by: "ada".to_owned(), why: "two people".to_owned() });
    let groups: BTreeSet<BTreeSet<String>> =
        house.together().into_iter().map(|group| group.into_iter().collect()).collect();
    let expected = [vec!["external:crm:3", "user:u0"], vec!["user:u4"]];
    assert_eq!(groups, expected.map(|group| group.into_iter().map(str::to_owned).collect()).into());
}
