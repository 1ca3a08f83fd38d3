//! A person's accounts, in any order of events, and the entries in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_domain::{AccountId, Event, Identity, Member, Score, UserId};
use perennial_engine::account::Tally;
use perennial_engine::membership::{MAX_LEFT, MAX_MEMBERSHIPS, Memberships, account_of, memberships};
use perennial_engine::{Action, Mode, Moment, Profile, State, process};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

static SEVERAL: LazyLock<Config> = LazyLock::new(|| config(""));

fn config(membership: &str) -> Config {
    let accounts = format!("[members]\nevents = [\"Seat Assigned\"]\n[membership]\n{membership}\n");
    config_with(&[("accounts.toml", &accounts)])
}

fn day(days: i64) -> Timestamp {
    plus_days(at("2026-03-02T10:00:00Z"), days)
}

/// Returns a `group` call of "u" so many days after the start.
fn join(days: i64, account: &str) -> Event {
    EventBuilder::group(&format!("join {days} {account}"), "u", account).at(day(days)).build()
}

fn leave(days: i64, account: &str) -> Event {
    let id = format!("leave {days} {account}");
    EventBuilder::track(&id, "u", "Left Account").group_id(account).at(day(days)).build()
}

/// "u" leaves without an account.
fn leave_primary(days: i64) -> Event {
    EventBuilder::track(&format!("leave {days}"), "u", "Left Account").at(day(days)).build()
}

/// Returns an action of "u", in an account or without one.
fn act(days: i64, account: Option<&str>) -> Event {
    let event = EventBuilder::track(&format!("act {days} {account:?}"), "u", "Report Viewed").at(day(days));
    account.map_or_else(|| event.clone(), |account| event.clone().group_id(account)).build()
}

fn view(config: &Config, events: &[Event]) -> State {
    let mut person = Person::new("u");
    person.feed(config, events, day(1000));
    person.profile.view()
}

/// The accounts of "u" after `events`, the primary first.
fn of(config: &Config, events: &[Event]) -> Vec<String> {
    memberships(config, &view(config, events)).into_iter().map(String::from).collect()
}

#[test]
fn who_joins_another_account_stays_in_the_first() {
    let config = &SEVERAL;
    assert_eq!(of(config, &[join(0, "a"), join(1, "b")]), ["b", "a"], "the primary is the one named last");
    assert_eq!(of(config, &[join(0, "a"), join(1, "b"), join(2, "a")]), ["a", "b"]);
    let seat = EventBuilder::track("seat", "u", "Seat Assigned").group_id("c").at(day(3)).build();
    assert_eq!(of(config, &[join(0, "a"), seat]), ["c", "a"], "an event of [members] names an account, too");
    assert_eq!(
        of(config, &[join(0, "a"), act(1, Some("b"))]),
        ["a"],
        "what someone does in an account makes nobody a member"
    );
}

#[test]
fn a_membership_ends_when_someone_leaves_and_begins_again_when_they_are_named_later() {
    let config = &SEVERAL;
    let left = |days: i64, left: bool| {
        let id = format!("left {days} {left}");
        EventBuilder::group(&id, "u", "b").with_trait("left", left).at(day(days)).build()
    };
    let two = [join(0, "a"), join(1, "b")];
    let with = |more: &[Event]| of(config, &[&two[..], more].concat());
    assert_eq!(with(&[leave(2, "b")]), ["a"]);
    assert_eq!(with(&[left(2, true)]), ["a"]);
    assert_eq!(with(&[left(2, false)]), ["b", "a"]);
    for (said, is_left) in [(json!("true"), true), (json!("1"), true), (json!(1), true), (json!("no"), false)] {
        let id = format!("left as {said}");
        let event = EventBuilder::group(&id, "u", "b").with_trait("left", said).at(day(2)).build();
        let expected: &[&str] = if is_left { &["a"] } else { &["b", "a"] };
        assert_eq!(with(&[event]), expected, "{id}");
    }
    assert_eq!(with(&[leave(0, "b")]), ["b", "a"], "they left before they were named last");
    assert_eq!(with(&[leave(1, "b")]), ["a"], "of one moment the end counts");
    assert_eq!(with(&[leave(2, "b"), join(3, "b")]), ["b", "a"]);
    assert_eq!(with(&[leave(2, "a"), leave(2, "b")]), Vec::<String>::new());
    assert_eq!(of(&config_named("Seat Removed"), &[join(0, "a"), leave(1, "a")]), ["a"], "another event ends it there");
}

/// `Left Account` without an account is about the primary one.
#[test]
fn who_leaves_without_saying_which_leaves_the_primary() {
    let config = &SEVERAL;
    let two = [join(0, "a"), join(1, "b")];
    let with = |more: &[Event]| of(config, &[&two[..], more].concat());
    assert_eq!(of(config, &[join(0, "a"), leave_primary(5)]), Vec::<String>::new());
    assert_eq!(of(config, &[leave_primary(5), join(0, "a")]), Vec::<String>::new(), "in any order");
    assert_eq!(of(config, &[join(0, "a"), leave_primary(5), join(7, "a")]), ["a"], "they came back");
    assert_eq!(of(config, &[leave_primary(5), join(7, "a")]), ["a"]);
    assert_eq!(with(&[leave_primary(5)]), ["a"]);
    assert_eq!(with(&[leave_primary(5), leave_primary(5)]), ["a"], "the same moment is one");
    assert_eq!(with(&[leave_primary(5), leave_primary(6)]), Vec::<String>::new());
    assert_eq!(with(&[leave_primary(0)]), ["b"], "before b was named, a was the primary");
    assert_eq!(with(&[leave_primary(5), join(6, "c")]), ["c", "a"]);
    assert_eq!(with(&[leave_primary(5), leave(6, "b")]), ["a"], "which a CRM says once more, with the account");
    assert_eq!(with(&[leave(4, "b"), leave_primary(5)]), Vec::<String>::new());
    let single = self::config("single = true");
    assert_eq!(of(&single, &[join(0, "a"), join(1, "b"), leave_primary(2)]), Vec::<String>::new());
    let public = EventBuilder::track("public", "u", "Left Account").at(day(5)).public().build();
    assert_eq!(with(&[public]), ["b", "a"], "a page is not believed");
}

fn config_named(event: &str) -> Config {
    config(&format!("left_event = \"{event}\""))
}

#[test]
fn who_left_every_account_does_not_fall_back_to_that_of_their_mail_domain() {
    let config = config_with(&[("accounts.toml", "[domains]\ncompany_domain = true\n")]);
    let mail = EventBuilder::identify("mail", "u", None).with_trait("email", "u@acme.example").at(day(0)).build();
    assert_eq!(of(&config, std::slice::from_ref(&mail)), ["acme.example"]);
    assert_eq!(of(&config, &[mail.clone(), leave(1, "acme.example")]), Vec::<String>::new());
    assert_eq!(of(&config, &[mail.clone(), join(1, "acme"), leave(2, "acme")]), Vec::<String>::new());
    assert_eq!(of(&config, &[mail, leave_primary(1)]), Vec::<String>::new());
}

#[test]
fn a_membership_ends_after_90_days_of_activity_elsewhere_and_none_there() {
    let config = &SEVERAL;
    let two = [join(0, "a"), join(10, "b")];
    let with = |more: &[Event]| of(config, &[&two[..], more].concat());
    assert_eq!(with(&[act(99, None)]), ["b", "a"], "b is the primary from day 10 on");
    assert_eq!(with(&[act(100, None)]), ["b"], "what names no account belongs to the primary");
    assert_eq!(with(&[act(100, Some("b"))]), ["b"]);
    assert_eq!(with(&[act(100, Some("x"))]), ["b", "a"], "x is no account of theirs");
    assert_eq!(with(&[act(20, Some("a")), act(109, None)]), ["b", "a"]);
    assert_eq!(with(&[act(20, Some("a")), act(110, None)]), ["b"]);
    assert_eq!(with(&[act(50, Some("a")), act(140, Some("a"))]), ["a"], "the primary ends as well");
    assert_eq!(with(&[]), ["b", "a"], "silence ends nothing");
    assert_eq!(of(&config_idle(7), &[&two[..], &[act(17, None)]].concat()), ["b"]);
    assert_eq!(of(&config_idle(0), &[&two[..], &[act(900, None)]].concat()), ["b", "a"]);
    let long_ago = [join(0, "a"), act(300, None), join(301, "b"), act(302, None)];
    assert_eq!(of(config, &long_ago), ["b", "a"], "until b was named, what they did was done in a");
}

fn config_idle(days: u16) -> Config {
    config(&format!("idle_days = {days}"))
}

#[test]
fn with_single_one_belongs_to_the_account_that_was_named_last() {
    let config = config("single = true");
    assert_eq!(of(&config, &[join(0, "a"), join(1, "b")]), ["b"]);
    assert_eq!(of(&config, &[join(0, "a"), join(1, "b"), leave(2, "a")]), ["b"]);
    assert_eq!(of(&config, &[join(0, "a"), join(1, "b"), leave(2, "b")]), Vec::<String>::new(), "joining b left a");
}

#[test]
fn of_more_than_eight_the_one_named_longest_ago_leaves_and_ended_ones_displace_none() {
    let names: Vec<String> = (0..12).map(|n| format!("a{n:02}")).collect();
    let joins: Vec<Event> = names.iter().zip(0..).map(|(name, n)| join(n, name)).collect();
    let newest: Vec<String> = names.iter().rev().take(MAX_MEMBERSHIPS).cloned().collect();
    assert_eq!(of(&SEVERAL, &joins), newest);
    let backwards: Vec<Event> = joins.iter().rev().cloned().collect();
    assert_eq!(of(&SEVERAL, &backwards), newest);
    let gone = (0..40).map(|n| leave(100 + n, &format!("gone{n}")));
    assert_eq!(of(&SEVERAL, &joins.iter().cloned().chain(gone).collect::<Vec<_>>()), newest);
    let known = view(&SEVERAL, &joins).memberships;
    assert!(known.said.len() <= 16 && known.active.len() <= 16, "{known:?}");
}

/// The accounts' entries of "u" after the outbox was executed.
#[derive(Default)]
struct Entries(BTreeMap<String, Member>);

impl Entries {
    fn execute(&mut self, profile: &mut Profile) {
        let mut written = BTreeSet::new();
        for action in std::mem::take(&mut profile.outbox) {
            match action {
                Action::PublishMember { account, member } => {
                    assert!(written.insert(account.clone()), "{account} is written once a batch");
                    self.0.insert(account.into(), member);
                }
                Action::LeaveAccount { account, person, version: None } => {
                    assert!(written.insert(account.clone()), "{account} is written once a batch");
                    assert_eq!(self.0.remove(account.as_str()).unwrap().person, person);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn every_account_has_an_entry_and_the_scores_are_in_that_of_the_primary() {
    let mut person = Person::new("u");
    let mut entries = Entries::default();
    let mut feed = |events: &[Event]| {
        person.feed(&SEVERAL, events, day(300));
        entries.execute(&mut person.profile);
        let show = |(account, member): (&String, &Member)| {
            assert_eq!(
                member.scores.is_empty() && member.engagement == Score::default(),
                member.elsewhere,
                "{account}"
            );
            (account.clone(), member.elsewhere, member.last_seen.map(|at| at.to_string()))
        };
        entries.0.iter().map(show).collect::<Vec<_>>()
    };
    let is =
        |account: &str, elsewhere: bool, seen: Option<&str>| (account.to_owned(), elsewhere, seen.map(str::to_owned));
    let bought = EventBuilder::track("bought", "u", "Order Completed").group_id("a").at(day(299)).build();
    assert_eq!(feed(&[join(0, "a"), bought]), [is("a", false, Some("2026-12-26T10:00:00Z"))]);
    let both = [is("a", true, Some("2026-12-26T00:00:00Z")), is("b", false, Some("2026-12-27T10:00:00Z"))];
    assert_eq!(feed(&[join(300, "b")]), both);
    assert_eq!(feed(&[act(300, Some("b"))]), both, "nothing new");
    assert_eq!(feed(&[leave(301, "a")]), both[1..]);
    assert_eq!(feed(&[leave(301, "b")]), []);
}

#[test]
fn an_account_counts_members_whose_primary_account_is_another_and_nothing_else_of_them() {
    let member = |name: &str, elsewhere: bool| {
        let mut profile = Profile::new(Identity::User(UserId::parse(name).unwrap()));
        let mut events = vec![join(299, "a"), EventBuilder::track("o", name, "Order Completed").at(day(300)).build()];
        events.iter_mut().for_each(|event| event.user_id = Some(UserId::parse(name).unwrap()));
        if elsewhere {
            let mut other = join(300, "b");
            other.user_id = events[0].user_id.clone();
            events.push(other);
        }
        process(&Moment::new(&SEVERAL, day(300)), &mut profile, &events, &HashSet::new(), Mode::Live);
        let in_a = AccountId::parse("a").unwrap();
        let primary = profile.published.filter(|(account, _)| *account == in_a).map(|(_, member)| member);
        primary.or_else(|| profile.elsewhere.remove(&in_a)).unwrap()
    };
    let sum = |members: &[Member]| {
        let mut tally = Tally::new(&SEVERAL, day(300));
        members.iter().for_each(|member| tally.add(member));
        tally.finish().0
    };
    let (alone, both) = (sum(&[member("x", false)]), sum(&[member("x", false), member("y", true)]));
    assert_eq!((both.people, both.elsewhere, alone.elsewhere), (2, 1, 0));
    assert_eq!((both.score, both.health, &both.reasons), (alone.score, alone.health, &alone.reasons));
    assert_eq!(both.stages.values().sum::<u32>(), 2);
}

const ACCOUNTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Returns events of "u" and a browser of theirs in up to eight accounts.
fn story() -> impl Strategy<Value = Vec<Event>> {
    let one = (0..7_u8, 0..8_usize, 0..300_i64, any::<bool>());
    proptest::collection::vec(one, 1..60).prop_map(|parts| {
        let each = parts.into_iter().enumerate().map(|(n, (kind, account, days, browser))| {
            let account = ACCOUNTS[account];
            let mut event = match kind {
                0 | 1 => join(days, account),
                2 => leave(days, account),
                3 => act(days, Some(account)),
                4 => leave_primary(days),
                _ => act(days, None),
            };
            event.message_id = perennial_domain::MessageId::parse(&format!("m{n}")).unwrap();
            if browser && kind > 2 {
                event.anonymous_id = Some(perennial_domain::AnonymousId::parse("browser").unwrap());
                event.user_id = None;
            }
            event
        });
        each.collect()
    })
}

/// Computes the accounts independently from the events, without idle endings.
fn by_hand(events: &[Event]) -> Vec<String> {
    by_hand_of(&[events])
}

/// The same for several people who are merged.
fn by_hand_of(stories: &[&[Event]]) -> Vec<String> {
    let events = &stories.concat();
    let last = |account: &str, ends: bool| {
        let said = events.iter().filter(|event| event.group_id.as_ref().is_some_and(|group| group.as_str() == account));
        let is_end = |event: &&Event| event.counted_as() == "Left Account";
        let is_said =
            move |event: &&Event| if ends { is_end(event) } else { event.kind == perennial_domain::EventKind::Group };
        said.filter(is_said).map(|event| event.timestamp).max()
    };
    let first = |account: &str| {
        let joins = events.iter().filter(|event| event.kind == perennial_domain::EventKind::Group);
        joins.filter(|event| event.group_id.as_ref().unwrap().as_str() == account).map(|event| event.timestamp).min()
    };
    let belongs = |account: &&str| {
        last(account, false).is_some_and(|joined| last(account, true).is_none_or(|left| left < joined))
    };
    let mut all: Vec<&str> = ACCOUNTS.into_iter().filter(belongs).collect();
    all.sort_by_key(|account| std::cmp::Reverse((last(account, false), *account)));
    let is_unnamed = |event: &&Event| event.counted_as() == "Left Account" && event.group_id.is_none();
    let mut unnamed: BTreeSet<Timestamp> = BTreeSet::new();
    for (story, of_browser) in stories.iter().flat_map(|story| [(story, false), (story, true)]) {
        let own = story.iter().filter(is_unnamed).filter(|event| event.user_id.is_none() == of_browser);
        unnamed.extend(own.map(|event| event.timestamp).collect::<BTreeSet<_>>().into_iter().rev().take(MAX_LEFT));
    }
    for left in &unnamed {
        let ended_later = |account: &&str| !belongs(account) && last(account, true) > Some(*left);
        let is_open =
            ACCOUNTS.iter().any(|account| ended_later(account) && first(account).is_some_and(|first| first <= *left));
        if !is_open && let Some(primary) = all.iter().position(|account| last(account, false) <= Some(*left)) {
            all.remove(primary);
        }
    }
    let is_named = |account: &&str| last(account, false).max(last(account, true)).is_some();
    if unnamed.is_empty() && !ACCOUNTS.iter().any(is_named) {
        let mentioned = events.iter().filter_map(|event| Some((event.timestamp, event.group_id.as_ref()?)));
        return mentioned.min().into_iter().map(|(_, account)| account.to_string()).collect();
    }
    all.into_iter().map(str::to_owned).collect()
}

/// The profile after `events`, which come in batches of these sizes, with what accounts hold of it.
fn fed(config: &Config, events: &[Event], sizes: &[usize]) -> (Profile, Entries) {
    let mut person = Person::new("u");
    person.profile.part_mut(&Identity::Anonymous(perennial_domain::AnonymousId::parse("browser").unwrap()));
    let mut entries = Entries::default();
    let (mut rest, mut sizes) = (events, sizes.iter().cycle());
    while !rest.is_empty() {
        let (batch, after) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
        person.feed(config, batch, day(1000));
        entries.execute(&mut person.profile);
        rest = after;
    }
    (person.profile, entries)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accounts_are_the_same_whatever_the_order_the_repeats_and_the_batches(
        (events, order) in story().prop_flat_map(|events| {
            let places: Vec<usize> = (0..events.len()).chain(0..events.len() / 2).collect();
            (Just(events), Just(places).prop_shuffle())
        }),
        sizes in proptest::collection::vec(1..12_usize, 1..5),
    ) {
        let shuffled: Vec<Event> = order.iter().map(|place| events[*place].clone()).collect();
        let ((straight, entries), (other, other_entries)) = (fed(&SEVERAL, &events, &[usize::MAX]), fed(&SEVERAL, &shuffled, &sizes));
        prop_assert_eq!(straight.derived_bytes().unwrap(), other.derived_bytes().unwrap());
        let accounts = memberships(&SEVERAL, &straight.view());
        prop_assert_eq!(&accounts, &memberships(&SEVERAL, &other.view()));
        // Each of their accounts has an entry, no other has, and one of them is the primary.
        let named: BTreeSet<String> = accounts.iter().cloned().map(String::from).collect();
        for entries in [&entries, &other_entries] {
            prop_assert_eq!(&entries.0.keys().cloned().collect::<BTreeSet<_>>(), &named);
            let primary = entries.0.iter().filter(|(_, member)| !member.elsewhere).map(|(account, _)| account.clone());
            prop_assert_eq!(primary.collect::<Vec<_>>(), accounts.first().cloned().map(String::from).into_iter().collect::<Vec<_>>());
        }
        let never = config_idle(0);
        prop_assert_eq!(of_profile(&never, &straight), by_hand(&events));
        prop_assert_eq!(account_of(&never, &other.view()).map(String::from), by_hand(&events).into_iter().next());
    }

    #[test]
    fn merged_people_belong_to_the_accounts_of_both_and_unmerged_ones_to_their_own(
        (events, other) in (story(), story()),
    ) {
        let (mut one, _) = fed(&SEVERAL, &events, &[usize::MAX]);
        let (two, _) = fed(&SEVERAL, &other, &[usize::MAX]);
        let never = config_idle(0);
        let before = (one.parts.clone(), of_profile(&SEVERAL, &one));
        one.parts.extend(two.parts);
        prop_assert_eq!(of_profile(&never, &one), by_hand_of(&[&events, &other]));
        one.parts.truncate(before.0.len());
        prop_assert_eq!((one.parts.clone(), of_profile(&SEVERAL, &one)), before);
    }

    #[test]
    fn stored_memberships_are_restored(events in story()) {
        let (profile, _) = fed(&SEVERAL, &events, &[usize::MAX]);
        for part in profile.parts {
            let known = &part.state.memberships;
            // When they left without saying which is stored by itself.
            let memberships = Memberships { left_primary: known.left_primary.clone(), ..Memberships::default() };
            let mut restored = State { memberships, ..part.state.clone() };
            restored.restore_memberships(part.state.stored_memberships());
            prop_assert_eq!(restored.memberships, part.state.memberships);
        }
    }
}

fn of_profile(config: &Config, profile: &Profile) -> Vec<String> {
    memberships(config, &profile.view()).into_iter().map(String::from).collect()
}

#[test]
fn one_account_and_activity_without_a_name_are_stored_without_a_byte() {
    let usual = view(&SEVERAL, &[join(0, "a"), act(5, None), act(9, None)]);
    assert_eq!(usual.stored_memberships(), None);
    assert!(view(&SEVERAL, &[join(0, "a"), join(1, "b")]).stored_memberships().is_some());
    assert!(view(&SEVERAL, &[join(0, "a"), leave(1, "a")]).stored_memberships().is_some());
}

/// Returns the accounts that "u" joined, each with whether the account's facts were known.
fn joined(person: &mut Person) -> Vec<(String, bool)> {
    let actions = std::mem::take(&mut person.profile.outbox).into_iter();
    let join = |action| match action {
        Action::Join { account, saw } => Some((account.into(), saw.is_some())),
        _ => None,
    };
    actions.filter_map(join).collect()
}

#[test]
fn a_new_primary_account_is_told_which_of_its_facts_the_person_was_evaluated_with() {
    let follows = config_with(&[("lifecycle.toml", "[account]\npeople_follow = true\n")]);
    let mut person = Person::new("u");
    person.feed(&follows, &[join(0, "a")], day(1));
    assert_eq!(joined(&mut person), [("a".to_owned(), false)]);
    person.feed(&follows, &[act(2, None), act(3, Some("a"))], day(3));
    assert_eq!(joined(&mut person), [], "no longer new");
    person.feed(&follows, &[join(4, "b")], day(4));
    assert_eq!(joined(&mut person), [("b".to_owned(), false)]);
    person.feed(&follows, &[leave(5, "b")], day(5));
    assert_eq!(joined(&mut person), [("a".to_owned(), false)], "the other one is primary again");

    let mut person = Person::new("u");
    person.feed(&SEVERAL, &[join(0, "a")], day(1));
    assert_eq!(joined(&mut person), [], "no condition asks for the account");
}
