//! The laws of identity: who is one person follows from what was said, in any order, and a merge that is undone was never there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::identity::Identities;
use perennial_domain::{AnonymousId, Event, EventKind, Identity, PersonId, UserId};
use perennial_engine::claims::link_of;
use perennial_engine::joins::{Digest, Evidence, Limit, Noted, Standing, joins, people};
use perennial_engine::merge::{Change, People};
use perennial_engine::{Action, Mode, Moment, Part, Profile, process};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};

const USERS: [&str; 5] = ["u0", "u1", "u2", "u3", "u4"];
const BROWSERS: [&str; 3] = ["a0", "a1", "a2"];
const ADDRESSES: [&str; 4] = ["ada@acme.org", "bob@acme.org", "cy@gmail.com", "info@acme.org"];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn user(text: &str) -> Identity {
    Identity::User(UserId::parse(text).unwrap())
}

fn browser(text: &str) -> Identity {
    Identity::Anonymous(AnonymousId::parse(text).unwrap())
}

fn alias(id: &str, user: &str, previous: &str, second: i64) -> Event {
    let mut alias = EventBuilder::track(id, user, "x").at(at(second)).build();
    alias.kind = EventKind::Alias;
    alias.event = None;
    alias.previous_id = Some(AnonymousId::parse(previous).unwrap());
    alias
}

fn mail(id: &str, user: &str, address: &str, second: i64) -> Event {
    EventBuilder::identify(id, user, None).with_trait("email", address).at(at(second)).build()
}

fn crm(id: &str, user: &str, contact: usize, second: i64) -> Event {
    let mut event = EventBuilder::track(id, user, "Order Completed").at(at(second)).build();
    let ids = serde_json::json!([{ "id": contact, "type": "crm", "collection": "users", "encoding": "none" }, { "id": "x", "type": "ios.idfa" }]);
    event.context.insert("externalIds".to_owned(), ids);
    event
}

fn one(n: usize, (kind, who, other, second): (u8, usize, usize, i64)) -> Event {
    let id = format!("m{n}");
    let name = USERS[who];
    match kind {
        0 => EventBuilder::page(&id, BROWSERS[other % 3]).at(at(second)).build(),
        1 => EventBuilder::track(&id, name, "Order Completed").property("revenue", second).at(at(second)).build(),
        2 => EventBuilder::identify(&id, name, Some(BROWSERS[other % 3])).at(at(second)).build(),
        3 => alias(&id, name, BROWSERS[other % 3], second),
        4 => alias(&id, name, USERS[other], second),
        5 => crm(&id, name, other + 1, second),
        _ => mail(&id, name, ADDRESSES[other % 4], second),
    }
}

/// What the functions do with the table, in memory.
struct House {
    config: Config,
    people: BTreeMap<PersonId, Profile>,
    claimants: BTreeMap<(Evidence, String), BTreeSet<Identity>>,
}

impl House {
    fn new(rules: Identities) -> Self {
        let config = Config { identity: rules, ..support::config() };
        Self { config, people: BTreeMap::new(), claimants: BTreeMap::new() }
    }

    fn holder(&self, identity: &Identity) -> Option<PersonId> {
        self.people.values().find(|profile| profile.part(identity).is_some()).map(|profile| profile.id)
    }

    /// Makes a change to all people at once: those whom it is not about stay as they are.
    fn change(&mut self, change: &Change) -> Option<Limit> {
        let mut before: People = self.people.values().map(|profile| (profile.id, profile.parts.clone())).collect();
        for identity in change.identities() {
            if self.holder(&identity).is_none() {
                before.insert(identity.person_id(), vec![Part::new(identity)]);
            }
        }
        let reshaped = change.make(&self.config.identity, &before).unwrap();
        self.people = reshaped
            .people
            .into_iter()
            .filter(|(_, parts)| !matches!(parts.as_slice(), [only] if *only == Part::new(only.identity.clone())))
            .map(|(id, parts)| (id, Profile { parts, id, ..Profile::new(user("x")) }))
            .collect();
        reshaped.refused
    }

    fn feed(&mut self, event: &Event) {
        if let Some((anonymous, link)) = link_of(&self.config.identity, event) {
            for identity in [Identity::User(link.user.clone()), event.identity().unwrap()] {
                if self.holder(&identity).is_none() {
                    self.people.insert(identity.person_id(), Profile::new(identity));
                }
            }
            self.change(&Change::Link { anonymous, links: vec![link] });
        }
        let identity = event.identity().unwrap();
        let person = self.holder(&identity).unwrap_or(identity.person_id());
        let profile = self.people.entry(person).or_insert_with(|| Profile::new(identity));
        let moment = Moment::new(&self.config, at(100_000));
        process(&moment, profile, std::slice::from_ref(event), &HashSet::new(), Mode::Live);
        for action in std::mem::take(&mut profile.outbox) {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Alias { user, previous } => drop(self.change(&Change::Alias { user, previous })),
            Action::Claim { identity: Identity::User(user), evidence, value, joins: true } => {
                let key = Digest::of_value(evidence, &value);
                let all = self.claimants.entry((evidence, value)).or_default();
                all.insert(Identity::User(user.clone()));
                if all.len() > usize::from(self.config.identity.breaker.claimed_by) {
                    self.change(&Change::Share { evidence, key });
                } else {
                    self.change(&Change::Claim { user, evidence, key });
                }
            }
            _ => {}
        }
    }

    fn told(&self) -> BTreeMap<PersonId, Vec<u8>> {
        self.people.iter().map(|(id, profile)| (*id, profile.derived_bytes().unwrap())).collect()
    }

    /// Who is together, by texts.
    fn together(&self) -> BTreeSet<Vec<String>> {
        let texts = |profile: &Profile| profile.parts.iter().map(|part| part.identity.to_string()).collect();
        self.people.values().map(texts).collect()
    }
}

fn rules() -> Identities {
    let mut rules = Identities::default();
    rules.external_types.insert("crm".to_owned());
    rules
}

fn run(rules: Identities, events: &[&Event]) -> House {
    let mut house = House::new(rules);
    for event in events {
        house.feed(event);
    }
    house
}

fn story() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0..8_u8, 0..5_usize, 0..5_usize, 0..60_i64), 1..40)
        .prop_map(|specs| specs.into_iter().enumerate().map(|(n, spec)| one(n, spec)).collect())
}

/// The identities of each person, as a reader of the events would work them out by hand: everything that was said, less what
/// was severed.
fn by_hand(events: &[Event], severed: &BTreeSet<(String, String)>, most: usize) -> BTreeSet<Vec<String>> {
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut users: BTreeMap<String, BTreeSet<(i64, String)>> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for event in events {
        let own = event.identity().unwrap().to_string();
        known.insert(own.clone());
        if let Some((anonymous, user)) = event.link() {
            let name = format!("anonymous:{anonymous}");
            known.insert(name.clone());
            users.entry(name).or_default().insert((event.timestamp.as_millisecond(), format!("user:{user}")));
        }
        if let Some(earlier) = event.earlier_user()
            && format!("user:{earlier}") != own
        {
            known.insert(format!("user:{earlier}"));
            said.entry(format!("alias {earlier}")).or_default().insert(own.clone());
        }
        if let Some(address) = event.traits.get("email").and_then(|value| value.as_str())
            && !address.starts_with("info@")
        {
            said.entry(format!("mail {address}")).or_default().insert(own.clone());
        }
        if let Some(id) = event.context.get("externalIds").and_then(|ids| ids[0]["id"].as_u64()) {
            said.entry(format!("crm {id}")).or_default().insert(own);
        }
    }
    let mut bonds: Vec<(String, String)> = Vec::new();
    for (value, mut by) in said {
        if !value.starts_with("alias") && by.len() > most {
            continue;
        }
        by.retain(|who| !severed.contains(&(who.clone(), value.clone())));
        match value.strip_prefix("alias ") {
            Some(earlier) => bonds.extend(by.into_iter().map(|who| (who, format!("user:{earlier}")))),
            None => bonds.extend(by.iter().flat_map(|a| by.iter().map(|b| (a.clone(), b.clone())))),
        }
    }
    for (anonymous, by) in users {
        let holds = |user: &String| !severed.contains(&(anonymous.clone(), format!("link {user}")));
        if let Some((_, user)) = by.iter().find(|(_, user)| holds(user)) {
            bonds.push((anonymous.clone(), user.clone()));
        }
    }
    let mut groups: Vec<BTreeSet<String>> = known.iter().map(|one| BTreeSet::from([one.clone()])).collect();
    for (a, b) in bonds {
        let (with, mut rest): (Vec<_>, Vec<_>) =
            groups.into_iter().partition(|group| group.contains(&a) || group.contains(&b));
        rest.push(with.into_iter().flatten().collect());
        groups = rest;
    }
    groups.into_iter().map(|group| group.into_iter().collect()).collect()
}

/// Who is together, without those of whom there is nothing and who are with nobody.
fn without_nobody(groups: BTreeSet<Vec<String>>, events: &[Event]) -> BTreeSet<Vec<String>> {
    let acted: HashSet<String> = events.iter().map(|event| event.identity().unwrap().to_string()).collect();
    groups.into_iter().map(sorted).filter(|group| group.len() > 1 || acted.contains(&group[0])).collect()
}

fn sorted(mut group: Vec<String>) -> Vec<String> {
    group.sort();
    group
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn people_are_the_same_whatever_the_order_and_the_repeats(
        (events, order) in story().prop_flat_map(|events| {
            let places: Vec<usize> = (0..events.len()).chain(0..events.len() / 2).collect();
            (Just(events), Just(places).prop_shuffle())
        }),
    ) {
        let straight = run(rules(), &events.iter().collect::<Vec<_>>());
        let shuffled = run(rules(), &order.iter().map(|place| &events[*place]).collect::<Vec<_>>());
        prop_assert_eq!(straight.told(), shuffled.told());
        let together = |house: &House| without_nobody(house.together(), &events);
        prop_assert_eq!(together(&straight), without_nobody(by_hand(&events, &BTreeSet::new(), 4), &events));
        prop_assert_eq!(together(&shuffled), together(&straight));
        // Each part is what its own events alone make of it.
        let mut alone = rules();
        (alone.anonymous, alone.alias, alone.mail) = (false, false, false);
        alone.external_types.clear();
        let alone = run(alone, &events.iter().collect::<Vec<_>>());
        for profile in straight.people.values() {
            for part in profile.parts.iter().filter(|part| part.state.counts.total() > 0) {
                let own = alone.people[&part.owner()].part(&part.identity).unwrap();
                prop_assert_eq!(&part.state, &own.state);
                prop_assert_eq!(joins(&profile.parts).len(), profile.parts.len() - 1);
            }
        }
    }

    #[test]
    fn who_is_parted_is_as_if_never_joined_and_stays_so(
        (events, again, who) in story().prop_flat_map(|events| {
            let places: Vec<usize> = (0..events.len()).collect();
            (Just(events), Just(places).prop_shuffle(), 0..8_usize)
        }),
    ) {
        let identity = if who < 5 { user(USERS[who]) } else { browser(BROWSERS[who - 5]) };
        let mut house = run(rules(), &events.iter().collect::<Vec<_>>());
        let Some(person) = house.holder(&identity) else { return Ok(()) };
        let before = house.people[&person].clone();
        let facts: BTreeMap<String, _> = before.parts.iter().map(|part| (part.identity.to_string(), part.facts.clone())).collect();
        let change = Change::Part { identity: identity.clone(), at: 5, by: "ada".to_owned(), why: "two people".to_owned() };
        house.change(&change);
        // What joined it to the others is severed, as a reader of the events would cross it out.
        let mut severed: BTreeSet<(String, String)> = BTreeSet::new();
        let own = identity.to_string();
        let others: BTreeSet<String> = before.parts.iter().map(|part| part.identity.to_string()).filter(|text| *text != own).collect();
        match &identity {
            Identity::Anonymous(_) => {
                if let Some(link) = before.part(&identity).unwrap().holder() {
                    severed.insert((own.clone(), format!("link user:{}", link.user)));
                }
            }
            Identity::User(id) => {
                let claims = |event: &Event| -> Vec<String> {
                    let mail = event.traits.get("email").and_then(|value| value.as_str()).map(|text| format!("mail {text}"));
                    let crm = event.context.get("externalIds").and_then(|ids| ids[0]["id"].as_u64()).map(|id| format!("crm {id}"));
                    mail.into_iter().chain(crm).collect()
                };
                let theirs: BTreeSet<String> =
                    events.iter().filter(|event| others.contains(&event.identity().unwrap().to_string())).flat_map(claims).collect();
                for event in &events {
                    let who = event.identity().unwrap().to_string();
                    if who == own {
                        severed.extend(claims(event).into_iter().filter(|value| theirs.contains(value)).map(|value| (own.clone(), value)));
                    }
                    if let Some(earlier) = event.earlier_user() {
                        let is_between = (who == own && others.contains(&format!("user:{earlier}"))) || (others.contains(&who) && earlier == *id);
                        if is_between {
                            severed.insert((who, format!("alias {earlier}")));
                        }
                    }
                }
            }
        }
        let expected = without_nobody(by_hand(&events, &severed, 4), &events);
        prop_assert_eq!(without_nobody(house.together(), &events), expected.clone());
        let after = house.told();
        // The same word again, and the same evidence again in any order, change nothing.
        house.change(&change);
        for place in &again {
            house.feed(&events[*place]);
        }
        prop_assert_eq!(house.told(), after);
        for part in house.people.values().flat_map(|profile| &profile.parts) {
            if let Some(facts) = facts.get(&part.identity.to_string()) {
                prop_assert_eq!(&part.facts, facts, "what was decided goes with the part");
            }
        }
        // Nor does the same evidence said anew.
        for place in again {
            let message_id = perennial_domain::MessageId::parse(&format!("again-{place}")).unwrap();
            house.feed(&Event { message_id, ..events[place].clone() });
        }
        prop_assert_eq!(without_nobody(house.together(), &events), expected);
    }
}

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
    // Counted at a person of its own.
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
