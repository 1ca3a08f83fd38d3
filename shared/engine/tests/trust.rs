//! Public sources: what they can change, and what they cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, default_config};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{AccountId, AnonymousId, Currency, Event, Identity, Stage, Trust};
use perennial_engine::billing::movement;
use perennial_engine::claims::link_of;
use perennial_engine::joins::{Evidence, Standing};
use perennial_engine::membership::memberships;
use perennial_engine::{Action, Moment, Part, evaluate};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;

static CONFIG: LazyLock<Config> = LazyLock::new(default_config);

fn now() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn minute(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn identify(id: &str, minutes: i64, traits: serde_json::Value) -> EventBuilder {
    EventBuilder::identify(id, "u", None).traits(traits).at(minute(minutes))
}

fn after(events: &[Event]) -> Person {
    let mut person = Person::new("u");
    for event in events {
        person.feed(&CONFIG, std::slice::from_ref(event), minute(60));
    }
    person
}

/// Returns the events of an attacker with the key of a web page.
fn attack() -> Vec<Event> {
    let track = |id: &str, name: &str, said| EventBuilder::track(id, "u", name).properties(said).at(minute(9)).public();
    vec![
        EventBuilder::group("g", "u", "bank")
            .traits(json!({"name": "Mine", "domains": "bank.example"}))
            .at(minute(9))
            .public()
            .build(),
        EventBuilder::alias("a", "u", "chief").at(minute(9)).public().build(),
        identify("m", 9, json!({"email": "chief@bank.org"})).public().build(),
        identify("x", 9, json!({"stripe_customer_id": "cus_5"})).public().build(),
        track("o", "Order Completed", json!({"revenue": 1_000_000, "currency": "USD"})).group_id("bank").build(),
        track("s", "Subscription Started", json!({"subscription": "sub_1", "status": "active", "price": 99}))
            .group_id("bank")
            .build(),
        track("c", "Subscription Cancelled", json!({"subscription": "sub_1", "status": "canceled"}))
            .group_id("bank")
            .build(),
    ]
}

#[test]
fn money_accounts_and_other_ids_of_a_public_source_change_nothing() {
    let own = identify("own", 0, json!({"email": "u@acme.org", "plan": "pro"})).build();
    let honest = after(std::slice::from_ref(&own));
    let attacked = after(&[&[own], &attack()[..]].concat());
    let (view, before) = (attacked.profile.view(), honest.profile.view());
    assert_eq!(view.revenue_in(Currency::USD), 0);
    assert!(view.billing.subscriptions.is_empty());
    let stage = |person: &Person| evaluate(&Moment::new(&CONFIG, minute(60)), &person.profile.view()).stage;
    assert_eq!((stage(&attacked), stage(&honest)), (Stage::Visitor, Stage::Visitor));
    assert_eq!(memberships(&CONFIG, &view), memberships(&CONFIG, &before));
    assert_eq!(view.text_trait("email").as_deref(), Some("u@acme.org"));
    let asks = |person: &Person| {
        let about_others = |action: &&Action| {
            matches!(
                action,
                Action::Alias { .. }
                    | Action::Claim { joins: true, .. }
                    | Action::AccountTraits { .. }
                    | Action::AccountMilestone { .. }
                    | Action::AccountSubscription { .. }
                    | Action::AccountRenewal { .. }
            )
        };
        person.profile.outbox.iter().filter(about_others).count()
    };
    assert_eq!((asks(&attacked), asks(&honest)), (1, 1), "the address that was vouched for");
}

#[test]
fn what_nobody_vouches_for_is_kept_as_such_until_a_server_says_the_same() {
    let mut person = after(&attack());
    let standing = |person: &Person, of: Evidence| {
        person.profile.parts[0].claims.iter().find(|claim| claim.evidence == of).map(|claim| claim.standing)
    };
    for evidence in [Evidence::Mail, Evidence::External, Evidence::Alias] {
        assert_eq!(standing(&person, evidence), Some(Standing::Unverified), "{evidence:?}");
    }
    person.profile.outbox.clear();
    let vouched = identify("v", 20, json!({"stripe_customer_id": "cus_5"})).build();
    person.feed(&CONFIG, &[vouched], minute(60));
    assert_eq!(standing(&person, Evidence::External), Some(Standing::Holds));
    assert!(person.profile.outbox.iter().any(|action| matches!(action, Action::Claim { joins: true, .. })));
}

/// Two users are linked to an anonymous id: a server's link comes first, whatever the clocks say, and then the one
/// received first.
#[test]
fn anonymous_id_belongs_to_whom_a_server_says_whatever_others_say_before_or_after() {
    let link = |user: &str, received: i64, trust| {
        let mut event =
            EventBuilder::identify(&format!("{user} {received}"), user, Some("browser")).at(minute(received)).build();
        event.trust = trust;
        event
    };
    let mut backdated = link("thief", 30, Trust::Public);
    backdated.timestamp = Timestamp::UNIX_EPOCH;
    let mut backdated_and_signed = link("other", 31, Trust::Signed);
    backdated_and_signed.timestamp = Timestamp::UNIX_EPOCH;
    let holder = |events: &[&Event]| {
        let browser = Identity::Anonymous(AnonymousId::parse("browser").unwrap());
        let mut part = Part::new(browser);
        for event in events {
            part.add_link(link_of(&CONFIG.identity, event).unwrap().1);
        }
        part.holder().map(|link| link.user.to_string())
    };
    let server = link("own", 40, Trust::Server);
    for events in [[&backdated, &backdated_and_signed, &server], [&server, &backdated_and_signed, &backdated]] {
        assert_eq!(holder(&events).as_deref(), Some("own"));
    }
    assert_eq!(holder(&[&backdated, &backdated_and_signed]).as_deref(), Some("other"), "a token says who signed in");
    assert_eq!(
        holder(&[&link("late", 32, Trust::Public), &backdated]).as_deref(),
        Some("thief"),
        "the first by receipt"
    );
}

/// A public source cannot link a visitor of whom a server has data.
#[test]
fn visitor_of_whom_a_server_knows_something_is_nobodys_by_a_public_word() {
    let visitor = Identity::Anonymous(AnonymousId::parse("lead").unwrap());
    let link = |trust| {
        let mut event = EventBuilder::identify("i", "thief", Some("lead")).at(minute(5)).build();
        event.trust = trust;
        link_of(&CONFIG.identity, &event).unwrap().1
    };
    let mut known = EventBuilder::page("p", "lead").build();
    known.kind = perennial_domain::EventKind::Identify;
    known.event = None;
    known.traits.insert("email".to_owned(), json!("lead@corp.example.org"));
    let mut person = Person::of(visitor.clone());
    person.feed(&CONFIG, &[known], minute(60));
    let mut part = person.profile.part(&visitor).unwrap().clone();
    part.add_link(link(Trust::Public));
    assert_eq!(part.holder(), None);
    part.add_link(link(Trust::Signed));
    assert!(part.holder().is_some());
    let mut stranger = Part::new(visitor);
    stranger.add_link(link(Trust::Public));
    assert!(stranger.holder().is_some(), "of whom nobody knows anything");
}

/// The id of a message that a server will send is no secret: sending it first makes the server's event no repetition.
#[test]
fn event_of_a_server_is_no_repetition_of_a_public_one_with_its_id() {
    let squat = EventBuilder::track("order-78", "u", "x").at(minute(0)).public().build();
    let order = EventBuilder::track("order-78", "u", "Order Completed").property("revenue", 5).at(minute(1)).build();
    for events in [[squat.clone(), order.clone()], [order, squat]] {
        let mut person = after(&events);
        assert_eq!(person.profile.view().revenue_in(Currency::USD), 500);
        person.feed(&CONFIG, &events, minute(60));
        assert_eq!(person.profile.view().revenue_in(Currency::USD), 500, "and each counts once");
        assert_eq!(person.profile.view().counts.get("x"), 1);
    }
}

/// A page cannot send events that ask for payment, or that make an account look bad.
#[test]
fn events_of_money_of_a_public_source_set_off_nothing() {
    let customer =
        EventBuilder::track("s", "u", "Subscription Started").property("status", "active").at(minute(0)).build();
    let churn = |events: &[Event]| {
        let mut person = after(events);
        let sent = person.sent();
        (person.at(&CONFIG, minute(60)).scores.get(perennial_domain::Likelihood::Churn), sent)
    };
    let failed = EventBuilder::track("f", "u", "Payment Failed").at(minute(5));
    let (calm, quiet) = churn(std::slice::from_ref(&customer));
    assert_eq!(churn(&[customer.clone(), failed.clone().public().build()]), (calm, quiet));
    assert_ne!(churn(&[customer, failed.build()]).0, calm);
}

#[test]
fn trial_of_a_public_source_is_one_without_an_id_or_a_price() {
    let said = json!({"subscription": "sub_1", "price": 99, "trial_end": "2030-01-01T00:00:00Z"});
    let person =
        after(&[EventBuilder::track("t", "u", "Trial Started").properties(said).at(minute(0)).public().build()]);
    assert_eq!(person.at(&CONFIG, minute(60)).stage, Stage::Trial);
    let view = person.profile.view();
    let trial = view.billing.subscriptions.values().next().unwrap();
    assert!(!trial.named && trial.price.is_none() && trial.trial_end.is_none());
    assert!(!perennial_engine::billing::has_old_milestones(&CONFIG, &view), "nothing to count anew");
}

#[test]
fn whole_name_of_a_server_is_greeted_by_whatever_first_name_a_public_source_says() {
    let name = identify("1", 0, json!({"name": "Ada Lovelace"})).build();
    let first = identify("2", 5, json!({"first_name": "Eve"}));
    let greeted = |events: &[Event]| after(events).profile.view().text_trait("first_name");
    assert_eq!(greeted(&[name.clone(), first.clone().public().build()]).as_deref(), Some("Ada"));
    assert_eq!(greeted(&[name, first.clone().build()]).as_deref(), Some("Eve"));
    assert_eq!(greeted(&[first.public().build()]).as_deref(), Some("Eve"));
}

/// A name from a page cannot contain the sender's own text in a mail.
#[test]
fn only_a_name_of_a_public_source_greets() {
    let greeted = |name: &str, is_public: bool| {
        let said = identify("1", 0, json!({"first_name": name}));
        after(&[if is_public { said.public().build() } else { said.build() }]).profile.view().text_trait("first_name")
    };
    for name in ["Ada", "Jean-Luc", "O'Brien", "María José", "小明", "Anna Maria Luise Eva"] {
        assert_eq!(greeted(name, true).as_deref(), Some(name));
    }
    for text in [
        "Bob evil.com",
        "evil.com/a",
        "https:／／evil.com",
        "evil。com",
        "Call +1 555",
        "pay 900$",
        "a: b",
        "one two three four five",
    ] {
        assert_eq!(greeted(text, true), None, "{text}");
        assert_eq!(greeted(text, false).as_deref(), Some(text), "a server's word");
    }
}

/// Traits of a public source never displace those of a server, in any order.
#[test]
fn flood_of_a_public_source_pushes_out_no_trait_of_a_server() {
    let own =
        identify("own", 0, json!({"email": "u@acme.org", "plan": "pro", "role": "billing_contact", "zebra": "z"}))
            .build();
    let many = |from: usize| -> Event {
        let traits: serde_json::Map<String, serde_json::Value> =
            (from..from + 60).map(|n| (format!("a{n:03}"), json!("x".repeat(900)))).collect();
        identify(&format!("f{from}"), 5, traits.into()).public().build()
    };
    let long = identify("long", 6, json!({"plan": "y".repeat(900)})).public().build();
    let floods = [many(0), many(60), many(120), long];
    for events in
        [[&floods[..], std::slice::from_ref(&own)].concat(), [std::slice::from_ref(&own), &floods[..]].concat()]
    {
        let person = after(&events);
        let view = person.profile.view();
        for (name, value) in [("plan", "pro"), ("role", "billing_contact"), ("zebra", "z"), ("email", "u@acme.org")] {
            assert_eq!(view.text_trait(name).as_deref(), Some(value), "{name}");
        }
        assert!(view.longest.0.is_empty() || !view.longest.0.contains_key("plan"));
    }
}

/// A date ahead makes no page's answer the last one.
#[test]
fn answer_of_a_page_is_no_later_than_its_receipt() {
    let answer = |id: &str, score: u8, minutes: i64| {
        EventBuilder::track(id, "u", "Survey Answered").property("nps", score).at(minute(minutes))
    };
    let mut ahead = answer("p", 0, 10).public().build();
    ahead.timestamp = minute(1_000);
    let person = after(&[ahead, answer("s", 9, 20).build()]);
    assert_eq!(person.profile.view().nps.map(|answer| answer.points), Some(9));
}

/// A token proves who the user is; it is in their own hands, and proves no other identity.
#[test]
fn user_with_a_token_counts_for_themselves_and_becomes_nobody_else() {
    let signed = |event: EventBuilder| {
        let mut event = event.at(minute(5)).build();
        event.trust = Trust::Signed;
        event
    };
    let person = after(&[
        signed(identify("m", 0, json!({"email": "victim@corp.org", "stripe_customer_id": "cus_5"}))),
        signed(EventBuilder::alias("a", "u", "victim")),
        signed(EventBuilder::group("g", "u", "acme")),
        signed(EventBuilder::track("o", "u", "Order Completed").property("revenue", 5)),
    ]);
    let view = person.profile.view();
    assert_eq!((view.revenue_in(Currency::USD), memberships(&CONFIG, &view)[0].as_str()), (500, "acme"));
    assert!(person.profile.parts[0].claims.iter().all(|claim| claim.standing == Standing::Unverified));
    let joins = |action: &&Action| matches!(action, Action::Alias { .. } | Action::Claim { joins: true, .. });
    assert_eq!(person.profile.outbox.iter().filter(joins).count(), 0);
}

/// An account knows which of its traits a server reported: only those may replace others.
#[test]
fn account_hears_whether_a_server_or_a_users_own_token_vouches_for_its_traits() {
    for (trust, signed) in [(Trust::Server, false), (Trust::Verified, false), (Trust::Signed, true)] {
        let mut event = EventBuilder::group("g", "u", "acme").traits(json!({"plan": "pro"})).at(minute(5)).build();
        event.trust = trust;
        let said: Vec<bool> = (after(&[event]).profile.outbox.iter())
            .filter_map(|action| match action {
                Action::AccountTraits { signed, .. } => Some(*signed),
                _ => None,
            })
            .collect();
        assert_eq!(said, [signed], "{trust:?}");
    }
}

/// Reports read payments from archived events, which no profile has filtered.
#[test]
fn public_event_is_no_payment_and_no_alias_whoever_reads_it() {
    let order = |event: EventBuilder| event.property("revenue", 5).property("currency", "USD").build();
    let of = |event: &Event| movement(&CONFIG, event);
    assert!(of(&order(EventBuilder::track("o", "u", "Order Completed"))).is_some());
    assert_eq!(of(&order(EventBuilder::track("o", "u", "Order Completed").public())), None);
    let link = |event: EventBuilder| link_of(&CONFIG.identity, &event.build());
    assert!(link(EventBuilder::alias("a", "u", "browser-1")).is_some());
    assert_eq!(link(EventBuilder::alias("a", "u", "browser-1").public()), None);
}

/// A public key cannot fill lists that others need.
#[test]
fn unverified_claims_make_room_for_others() {
    let flood: Vec<Event> = (0..40)
        .map(|n| identify(&format!("f{n}"), n, json!({"email": format!("x{n}@evil.org")})).public().build())
        .collect();
    let own = identify("own", 50, json!({"email": "u@acme.org"})).build();
    let person = after(&[&flood[..], &[own]].concat());
    let held: Vec<&str> = person.profile.parts[0].held().map(|claim| claim.shown.as_str()).collect();
    assert_eq!(held, ["u…@acme.org"]);
    assert!(person.profile.parts[0].claims.len() <= usize::from(CONFIG.identity.limits.addresses));
}

#[test]
fn first_address_of_a_public_source_gets_mail_until_a_server_names_another() {
    let first = identify("1", 0, json!({"email": "u@acme.org"})).public().build();
    let mut second = identify("2", 10, json!({"email": "thief@evil.org"})).public().build();
    second.timestamp = Timestamp::UNIX_EPOCH;
    let third = identify("3", 5, json!({"E-Mail": "u@work.org"})).build();
    let address = |events: &[Event]| after(events).profile.view().text_trait("email");
    for events in [[first.clone(), second.clone()], [second.clone(), first.clone()]] {
        assert_eq!(address(&events).as_deref(), Some("u@acme.org"));
    }
    assert_eq!(address(&[third, first, second]).as_deref(), Some("u@work.org"));
}

/// Else anyone with the public key would get the mails of people whose address was removed, at an address that counts as verified.
#[test]
fn address_that_a_server_removed_is_not_set_again_by_a_public_source() {
    let removed = identify("1", 0, json!({"email": null})).build();
    let set = identify("2", 5, json!({"email": "thief@evil.org"})).public().build();
    let once =
        |id: &str| EventBuilder::identify(id, "u", None).with_trait_once("email", "thief@evil.org").at(minute(5));
    let (public, trusted) = (once("3").public().build(), once("4").build());
    for events in [[removed.clone(), set], [removed.clone(), public.clone()], [public, removed.clone()]] {
        let view = after(&events).profile.view();
        assert_eq!((view.text_trait("email"), view.is_unverified_trait("email")), (None, false));
    }
    assert_eq!(after(&[removed, trusted]).profile.view().text_trait("email").as_deref(), Some("thief@evil.org"));
}

#[test]
fn company_domain_of_an_unverified_address_makes_nobody_a_colleague() {
    let company = |event: EventBuilder| memberships(&CONFIG, &after(&[event.build()]).profile.view());
    let address = || identify("1", 0, json!({"email": "u@acme.org"}));
    assert_eq!(company(address()), [AccountId::parse("acme.org").unwrap()]);
    assert_eq!(company(address().public()), []);
}

/// Returns an event of a trusted or a public source with a few traits.
fn said() -> impl Strategy<Value = Event> {
    let name = prop::sample::select(vec!["plan", "email", "E-Mail", "city"]);
    let value = prop_oneof![Just(json!(null)), "[ab]@x\\.org".prop_map(|text| json!(text))];
    (name, value, 0..60_i64, 0..60_i64, any::<bool>(), any::<bool>()).prop_map(
        |(name, value, at, late, once, is_public)| {
            let id = format!("{name} {value} {at} {late} {once} {is_public}");
            let event = EventBuilder::identify(&id, "u", None).at(minute(at));
            let event = if once { event.with_trait_once(name, value) } else { event.with_trait(name, value) };
            let mut event = if is_public { event.public().build() } else { event.build() };
            event.received_at = minute(at.max(late));
            event
        },
    )
}

proptest! {
    /// In any order and with any clocks: a trait of a trusted source is never changed by a public one.
    #[test]
    fn no_public_source_changes_a_trait_that_another_wrote(
        (events, order) in prop::collection::vec(said(), 1..12).prop_flat_map(|events| {
            let places: Vec<usize> = (0..events.len()).collect();
            (Just(events), Just(places).prop_shuffle())
        }),
    ) {
        let shuffled: Vec<Event> = order.iter().map(|place| events[*place].clone()).collect();
        prop_assert_eq!(after(&events).profile.derived_bytes().unwrap(), after(&shuffled).profile.derived_bytes().unwrap());
        let trusted: Vec<Event> = events.iter().filter(|event| event.is_trusted()).cloned().collect();
        let (all, alone) = (after(&events).profile.view(), after(&trusted).profile.view());
        for name in ["plan", "city"] {
            if let Some(json) = alone.trait_json(name) {
                prop_assert_eq!(all.trait_json(name), Some(json));
            }
        }
        if let Some(address) = alone.text_trait("email") {
            prop_assert_eq!(all.text_trait("email"), Some(address));
        }
    }
}

/// Anyone with the public key can send events that begin a trial or a free plan, at any time and as often as they like.
#[test]
fn customer_who_left_stays_one_who_left_whatever_a_public_source_says_began() {
    let subscription = |id: &str, name: &str, status: &str, at: i64| {
        let event = EventBuilder::track(id, "u", name).property("subscription", "sub_1").property("status", status);
        event.at(minute(at)).build()
    };
    let plain = |id: &str, name: &str, at: i64| EventBuilder::track(id, "u", name).at(minute(at)).build();
    let left = [
        vec![
            subscription("s", "Subscription Started", "active", 0),
            subscription("c", "Subscription Cancelled", "canceled", 20),
        ],
        vec![plain("s", "Subscription Started", 0), plain("c", "Subscription Cancelled", 20)],
        vec![plain("c", "Subscription Cancelled", 20)],
    ];
    let stage = |events: &[Event]| {
        let person = after(events);
        (person.at(&CONFIG, minute(60)).stage, person.at(&CONFIG, minute(60 * 24 * 40)).stage)
    };
    for own in left {
        for name in ["Free Plan Started", "Trial Started"] {
            let fake = EventBuilder::track("f", "u", name).at(minute(30)).public().build();
            for events in
                [[&own[..], std::slice::from_ref(&fake)].concat(), [std::slice::from_ref(&fake), &own[..]].concat()]
            {
                assert_eq!(stage(&events), (Stage::Churned, Stage::Churned), "{name} {own:?}");
            }
            // As a server says it, it counts.
            let back = EventBuilder::track("f", "u", name).at(minute(30)).build();
            assert_ne!(stage(&[&own[..], &[back]].concat()).0, Stage::Churned, "{name} {own:?}");
        }
    }
}

#[test]
fn trial_and_free_plan_of_a_public_source_count_where_no_other_says_what_was_paid_or_ended() {
    let public = |name: &str| EventBuilder::track("p", "u", name).at(minute(0)).public().build();
    let stages = |events: &[Event]| {
        let person = after(events);
        [60, 60 * 24 * 40].map(|at| person.at(&CONFIG, minute(at)).stage)
    };
    assert_eq!(stages(&[public("Trial Started")]), [Stage::Trial, Stage::Lead]);
    assert_eq!(stages(&[public("Free Plan Started")]), [Stage::Freemium, Stage::Freemium]);
    let started = EventBuilder::track("s", "u", "Subscription Started").at(minute(10)).build();
    assert_eq!(stages(&[public("Trial Started"), started])[0], Stage::Onboarding);
}

#[test]
fn public_trials_and_free_plans_push_out_no_subscription_of_a_server() {
    let mut events: Vec<Event> = (0..8)
        .map(|n| {
            let event = EventBuilder::track(&format!("s{n}"), "u", "Subscription Started");
            event.property("subscription", format!("sub_{n}")).property("status", "active").at(minute(n)).build()
        })
        .collect();
    for name in ["Trial Started", "Free Plan Started"] {
        events.push(EventBuilder::track(name, "u", name).at(minute(30)).public().build());
    }
    let named = |events: &[Event]| {
        after(events).profile.view().billing.subscriptions.values().filter(|each| each.named).count()
    };
    assert_eq!(named(&events), 8);
    events.reverse();
    assert_eq!(named(&events), 8);
}
