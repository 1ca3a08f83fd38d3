//! The same profiles in any order, and as computed independently from the events.

use super::house::{BROWSERS, House, USERS, browser, external, rules, run, story, user};
use perennial_domain::{Event, EventKind, Identity};
use perennial_engine::joins::joins;
use perennial_engine::merge::Change;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The time in which `who` had a mail address: from when it was first given until another was given, which is the moment after it was
/// last given where that other one was known before.
fn had(events: &[Event], who: &str, address: &str) -> std::ops::Range<i64> {
    let given = |event: &Event| {
        let address = event.traits.get("email").filter(|_| event.is_trusted())?.as_str()?.to_owned();
        (event.identity()?.to_string() == who).then(|| (event.timestamp.as_microsecond(), address))
    };
    let all: Vec<(i64, String)> = events.iter().filter_map(given).collect();
    let own = || all.iter().filter(|(_, given)| given == address).map(|(at, _)| *at);
    let (first, last) = (own().min().unwrap(), own().max().unwrap());
    let later = all.iter().filter(|(at, given)| given != address && *at > last);
    let ends = later.map(|(at, other)| {
        let known = all.iter().any(|(before, given)| given == other && *before <= last);
        if known { last + 1 } else { *at }
    });
    first..ends.min().unwrap_or(i64::MAX)
}

/// Returns the CRM contact that an event contains as its identity's own.
fn contact(event: &Event) -> Option<u64> {
    let named = &event.context.get("externalIds")?[0];
    let id = &named["id"];
    if named["collection"] == "linked" {
        return None;
    }
    id.as_u64().or_else(|| id.as_str()?.parse().ok())
}

/// Computes the identities of each profile independently from the events: all links, minus unmerged ones; an address
/// links those who had it at the same time, and a contact that no user has belongs to the first whose events name it.
fn by_hand(events: &[Event], severed: &BTreeSet<(String, String)>, most: usize) -> BTreeSet<Vec<String>> {
    let mut said: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut users: BTreeMap<String, BTreeSet<(bool, i64, String)>> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for event in events {
        let own = event.identity().unwrap().to_string();
        known.insert(own.clone());
        let is_believed = |event: &Event| event.is_trusted() || event.kind == EventKind::Identify;
        if let Some((linked, user)) = event.link().filter(|_| is_believed(event)) {
            let name = linked.to_string();
            known.insert(name.clone());
            // Events of servers come first, however late.
            let said = (!event.is_trusted(), event.timestamp.as_microsecond(), format!("user:{user}"));
            users.entry(name).or_default().insert(said);
        }
        if !event.is_trusted() {
            continue;
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
        if let Some(id) = contact(event) {
            said.entry(format!("crm {id}")).or_default().insert(own);
        }
    }
    let mut bonds: Vec<(String, String)> = Vec::new();
    let mut claimed: BTreeSet<String> = BTreeSet::new();
    for (value, mut by) in said {
        if !value.starts_with("alias") && by.len() > most {
            continue;
        }
        by.retain(|who| !severed.contains(&(who.clone(), value.clone())));
        if by.iter().any(|who| who.starts_with("user:")) {
            claimed.extend(by.iter().filter(|who| who.starts_with("external:") && value.starts_with("crm ")).cloned());
        }
        match value.strip_prefix("alias ") {
            Some(earlier) => bonds.extend(by.into_iter().map(|who| (who, format!("user:{earlier}")))),
            None => {
                let overlap = |a: &String, b: &String| {
                    value.strip_prefix("mail ").is_none_or(|address| {
                        let (a, b) = (had(events, a, address), had(events, b, address));
                        a.start < b.end && b.start < a.end
                    })
                };
                let pairs = by.iter().flat_map(|a| by.iter().map(move |b| (a.clone(), b.clone())));
                bonds.extend(pairs.filter(|(a, b)| overlap(a, b)));
            }
        }
    }
    for (linked, by) in users.into_iter().filter(|(linked, _)| !claimed.contains(linked)) {
        let holds = |user: &String| !severed.contains(&(linked.clone(), format!("link {user}")));
        if let Some((.., user)) = by.iter().find(|(.., user)| holds(user)) {
            bonds.push((linked.clone(), user.clone()));
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

/// Returns the merged identities, without those that have no data and are not merged.
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
        // Each identity state is what its own events alone produce.
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
            (Just(events), Just(places).prop_shuffle(), 0..13_usize)
        }),
    ) {
        let identity = match who {
            0..5 => user(USERS[who]),
            5..10 => external(who - 5),
            _ => browser(BROWSERS[who - 10]),
        };
        let mut house = run(rules(), &events.iter().collect::<Vec<_>>());
        let Some(person) = house.holder(&identity) else { return Ok(()) };
        let before = house.people[&person].clone();
        let facts: BTreeMap<String, _> = before.parts.iter().map(|part| (part.identity.to_string(), part.facts.clone())).collect();
        let change = Change::Part { identity: identity.clone(), at: 5, by: "ada".to_owned(), why: "two people".to_owned() };
        house.change(&change);
        // Removes the links to the others, in the independent computation too.
        let mut severed: BTreeSet<(String, String)> = BTreeSet::new();
        let own = identity.to_string();
        let others: BTreeSet<String> = before.parts.iter().map(|part| part.identity.to_string()).filter(|text| *text != own).collect();
        if let Some(link) = before.part(&identity).unwrap().holder().filter(|link| others.contains(&format!("user:{}", link.user))) {
            severed.insert((own.clone(), format!("link user:{}", link.user)));
        }
        match &identity {
            Identity::Anonymous(_) => {}
            known => {
                let claims = |event: &Event| -> Vec<String> {
                    if !event.is_trusted() {
                        return Vec::new();
                    }
                    let mail = event.traits.get("email").and_then(|value| value.as_str()).map(|text| format!("mail {text}"));
                    let crm = contact(event).map(|id| format!("crm {id}"));
                    mail.into_iter().chain(crm).collect()
                };
                let theirs: BTreeSet<String> =
                    events.iter().filter(|event| others.contains(&event.identity().unwrap().to_string())).flat_map(claims).collect();
                for event in &events {
                    let who = event.identity().unwrap().to_string();
                    if who == own {
                        severed.extend(claims(event).into_iter().filter(|value| theirs.contains(value)).map(|value| (own.clone(), value)));
                    }
                    if let Some(earlier) = event.earlier_user().filter(|_| event.is_trusted()) {
                        let is_between = (who == own && others.contains(&format!("user:{earlier}"))) || (others.contains(&who) && known.is_user() && earlier.as_str() == known.as_str());
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
        // The same request again, and the same links again in any order, change nothing.
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
        // Neither does a repetition of the same links.
        for place in again {
            let message_id = perennial_domain::MessageId::parse(&format!("again-{place}")).unwrap();
            house.feed(&Event { message_id, ..events[place].clone() });
        }
        prop_assert_eq!(without_nobody(house.together(), &events), expected);
    }
}
