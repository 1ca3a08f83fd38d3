//! The functions' use of the table, in memory, and events for it.

use crate::support;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_config::identity::Identities;
use perennial_domain::event::link_to;
use perennial_domain::{AnonymousId, Event, ExternalId, Identity, PersonId, Trust, UserId};
use perennial_engine::claims::link_of;
use perennial_engine::joins::{Digest, Evidence, Limit};
use perennial_engine::merge::{Change, People};
use perennial_engine::{Action, Mode, Moment, Part, Profile, process};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};

pub(crate) const USERS: [&str; 5] = ["u0", "u1", "u2", "u3", "u4"];
pub(crate) const BROWSERS: [&str; 3] = ["a0", "a1", "a2"];
pub(crate) const ADDRESSES: [&str; 4] = ["ada@acme.org", "bob@acme.org", "cy@gmail.com", "info@acme.org"];

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

pub(crate) fn user(text: &str) -> Identity {
    Identity::User(UserId::parse(text).unwrap())
}

pub(crate) fn browser(text: &str) -> Identity {
    Identity::Anonymous(AnonymousId::parse(text).unwrap())
}

pub(crate) fn alias(id: &str, user: &str, previous: &str, second: i64) -> Event {
    EventBuilder::alias(id, user, previous).at(at(second)).build()
}

pub(crate) fn mail(id: &str, user: &str, address: &str, second: i64) -> Event {
    EventBuilder::identify(id, user, None).with_trait("email", address).at(at(second)).build()
}

pub(crate) fn crm(id: &str, user: &str, contact: usize, second: i64) -> Event {
    let mut event = EventBuilder::track(id, user, "Order Completed").at(at(second)).build();
    let ids = serde_json::json!([{ "id": contact, "type": "crm", "collection": "users", "encoding": "none" }, { "id": "x", "type": "ios.idfa" }]);
    event.context.insert("externalIds".to_owned(), ids);
    event
}

/// An event of a contact in the CRM alone.
fn contact(event: EventBuilder, contact: usize, second: i64) -> Event {
    event.external("crm", &(contact + 1).to_string()).at(at(second)).build()
}

pub(crate) fn external(contact: usize) -> Identity {
    Identity::External(ExternalId::new("crm", &(contact + 1).to_string()).unwrap())
}

pub(crate) fn one(n: usize, (kind, who, other, second): (u8, usize, usize, i64)) -> Event {
    let id = format!("m{n}");
    let name = USERS[who];
    match kind {
        0 => EventBuilder::page(&id, BROWSERS[other % 3]).at(at(second)).build(),
        1 => EventBuilder::track(&id, name, "Order Completed").property("revenue", second).at(at(second)).build(),
        2 => EventBuilder::identify(&id, name, Some(BROWSERS[other % 3])).at(at(second)).build(),
        3 => alias(&id, name, BROWSERS[other % 3], second),
        4 => alias(&id, name, USERS[other], second),
        5 => crm(&id, name, other + 1, second),
        6 => contact(EventBuilder::track(&id, name, "Order Completed"), other, second),
        10 => {
            let mut event = EventBuilder::track(&id, name, "Order Completed").at(at(second)).build();
            event.context = link_to("crm", &(other + 1).into());
            event
        }
        7 => contact(EventBuilder::identify(&id, name, None).with_trait("email", ADDRESSES[who % 4]), other, second),
        _ => mail(&id, name, ADDRESSES[other % 4], second),
    }
}

/// The functions' use of the table, in memory.
pub(crate) struct House {
    config: Config,
    pub(crate) people: BTreeMap<PersonId, Profile>,
    claimants: BTreeMap<(Evidence, String), BTreeSet<Identity>>,
}

impl House {
    pub(crate) fn new(rules: Identities) -> Self {
        let config = Config { identity: rules, ..support::config() };
        Self { config, people: BTreeMap::new(), claimants: BTreeMap::new() }
    }

    pub(crate) fn holder(&self, identity: &Identity) -> Option<PersonId> {
        self.people.values().find(|profile| profile.part(identity).is_some()).map(|profile| profile.id)
    }

    /// Applies a change to all profiles at once: unrelated ones are unchanged.
    pub(crate) fn change(&mut self, change: &Change) -> Option<Limit> {
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

    pub(crate) fn feed(&mut self, event: &Event) {
        if let Some((linked, link)) = link_of(&self.config.identity, event) {
            for identity in [Identity::User(link.user.clone()), event.identity().unwrap()] {
                if self.holder(&identity).is_none() {
                    self.people.insert(identity.person_id(), Profile::new(identity));
                }
            }
            self.change(&Change::Link { linked, links: vec![link] });
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
            Action::Regroup { identity } => drop(self.change(&Change::Regroup { identity })),
            Action::Alias { user, previous } => drop(self.change(&Change::Alias { user, previous })),
            Action::Claim { identity, evidence, value, joins: true } if !identity.is_anonymous() => {
                let key = Digest::of_value(evidence, &value);
                let all = self.claimants.entry((evidence, value)).or_default();
                all.insert(identity.clone());
                if all.len() > usize::from(self.config.identity.breaker.claimed_by) {
                    self.change(&Change::Share { evidence, key });
                } else {
                    self.change(&Change::Claim { identity, evidence, key });
                }
            }
            _ => {}
        }
    }

    pub(crate) fn told(&self) -> BTreeMap<PersonId, Vec<u8>> {
        self.people.iter().map(|(id, profile)| (*id, profile.derived_bytes().unwrap())).collect()
    }

    /// Returns the merged identities, as texts.
    pub(crate) fn together(&self) -> BTreeSet<Vec<String>> {
        let texts = |profile: &Profile| profile.parts.iter().map(|part| part.identity.to_string()).collect();
        self.people.values().map(texts).collect()
    }
}

pub(crate) fn rules() -> Identities {
    let mut rules = Identities::default();
    rules.external_types.insert("crm".to_owned());
    rules
}

pub(crate) fn run(rules: Identities, events: &[&Event]) -> House {
    let mut house = House::new(rules);
    for event in events {
        house.feed(event);
    }
    house
}

/// Events of which every fifth or so is of a public source.
pub(crate) fn story() -> impl Strategy<Value = Vec<Event>> {
    let spec = ((0..11_u8, 0..5_usize, 0..5_usize, 0..60_i64), prop::bool::weighted(0.2));
    prop::collection::vec(spec, 1..40).prop_map(|specs| {
        let each = specs.into_iter().enumerate().map(|(n, (spec, is_public))| {
            let mut event = one(n, spec);
            if is_public {
                event.trust = Trust::Public;
            }
            event
        });
        each.collect()
    })
}
