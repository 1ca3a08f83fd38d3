//! Lists contain exactly what a scan of all profiles finds, whatever happens to the profiles and the processes.

use crate::support::{Bench, at, case, config_with, tick_body, user};
use jiff::SignedDuration;
use perennial_config::Config;
use perennial_contracts::queue::{EventsPayload, Unmerge};
use perennial_domain::{Event, Identity, PersonId, UserId};
use perennial_engine::listing::{ListChange, ListEntry, Listed, REACH, Scale, is_within, owner_key};
use perennial_engine::relist::is_listed;
use perennial_engine::{Action, Moment, evaluate};
use perennial_score::history::rescore;
use perennial_store::Stored;
use perennial_store::lists::{Kind, Listee, Range};
use perennial_store::traces::{Subject, Trace};
use perennial_testkit::EventBuilder;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const USERS: [&str; 4] = ["u0", "u1", "u2", "u3"];

/// Conditions on time, scores, traits and counts.
fn rules(buyers: u32, owner: &str) -> Config {
    let segments = format!(
        r#"
        [[segment]]
        name = "fresh"
        when = 'idle_days < 5'
        owner = "{owner}"
        [[segment]]
        name = "buyers"
        when = 'count("Order Completed") >= {buyers}'
        [[segment]]
        name = "keen"
        when = 'scores.purchase >= 40'
        "#
    );
    let personas = "[[persona]]\nname = \"boss\"\nwhen = 'traits.title == \"CEO\"'\n";
    config_with(&[("segments.toml", &segments), ("personas.toml", personas)])
}

/// A step of the profiles' lives.
#[derive(Debug, Clone)]
enum Step {
    Order(usize),
    Name(usize, usize),
    Title(usize, bool),
    Page(usize),
    /// The same mail address as another user's: a merge.
    Address(usize),
    Unmerge(usize),
    Days(i64),
    /// The process dies after it wrote the profile, and before it changed all of its entries.
    Crash(usize, usize),
    Erase(usize),
    Push(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..USERS.len();
    prop_oneof![
        4 => who().prop_map(Step::Order),
        2 => (who(), 0..4_usize).prop_map(|(who, name)| Step::Name(who, name)),
        1 => (who(), any::<bool>()).prop_map(|(who, boss)| Step::Title(who, boss)),
        1 => who().prop_map(Step::Page),
        1 => who().prop_map(Step::Address),
        1 => who().prop_map(Step::Unmerge),
        3 => (1..40_i64).prop_map(Step::Days),
        3 => (who(), 0..9_usize).prop_map(|(who, left)| Step::Crash(who, left)),
        1 => who().prop_map(Step::Erase),
        1 => (1..4_u32).prop_map(Step::Push),
    ]
}

const NAMES: [&str; 4] = ["Ada Lovelace", "Zo\u{eb} O'Brien", "\u{738b}\u{4f1f} GmbH", "#\u{0} =cmd"];

async fn run_step(bench: &mut Bench, n: usize, step: &Step) {
    let (id, now) = (format!("m{n}"), bench.clock.now());
    let identify = |who: usize| EventBuilder::identify(&id, USERS[who], None).at(now);
    let event = match *step {
        Step::Order(who) | Step::Crash(who, _) => EventBuilder::track(&id, USERS[who], "Order Completed").at(now),
        Step::Name(who, name) => identify(who).with_trait("name", NAMES[name]).with_trait("company", NAMES[3 - name]),
        Step::Title(who, boss) => identify(who).with_trait("title", if boss { "CEO" } else { "clerk" }),
        Step::Page(who) => EventBuilder::page(&id, &format!("a{who}")).at(now),
        Step::Address(who) => identify(who).with_trait("email", "shared@acme.org"),
        Step::Unmerge(who) => {
            let identity = Identity::User(UserId::parse(USERS[who]).unwrap());
            let (by, why) = ("ada".to_owned(), "a desk".to_owned());
            let unmerge = Unmerge { identity, at: now, by, why, done_at: None };
            assert!(
                bench.hand(vec![serde_json::to_string(&EventsPayload::Unmerge(unmerge)).unwrap()]).await.is_empty()
            );
            return;
        }
        Step::Days(days) => return pass(bench, days).await,
        Step::Erase(who) => return erase(bench, USERS[who]).await,
        Step::Push(buyers) => {
            *bench = bench.restarted_with(rules(buyers, ["sales", "success"][buyers as usize % 2]));
            rescore::run(&bench.deps, false, &|_| {}).await.unwrap();
            return;
        }
    };
    let events = vec![event.build()];
    assert!(bench.feed(std::slice::from_ref(&events)).await.is_empty());
    if let Step::Crash(who, left) = *step {
        crash(bench, USERS[who], left).await;
        redeliver(bench, events).await;
    }
}

/// Undoes what the last write of a profile did to the lists but `left` entries, and forgets it.
async fn crash(bench: &mut Bench, who: &str, left: usize) {
    let stored = bench.store.follow(user(who), perennial_store::Consistency::Strong).await.unwrap().unwrap();
    let listee = Listee::Person(stored.profile.id);
    for action in &stored.profile.outbox {
        let Action::List(change) = action else { continue };
        let added: BTreeSet<ListEntry> = change.add.iter().skip(left).cloned().collect();
        bench.store.delete_list_entries(listee, &added).await.unwrap();
        let back = ListChange { add: change.remove.iter().skip(left).cloned().collect(), ..ListChange::default() };
        bench.store.change_lists(listee, &back, stored.version, bench.clock.now()).await.unwrap();
    }
    *bench = bench.restarted();
}

async fn redeliver(bench: &Bench, events: Vec<Event>) {
    assert!(bench.feed(&[events]).await.is_empty());
}

/// Lets days pass, in each of which everything due is processed.
async fn pass(bench: &Bench, days: i64) {
    for _ in 0..days {
        bench.time.advance(SignedDuration::from_hours(24));
        for stored in everyone(bench).await {
            if let Some(due) = stored.profile.due_at.filter(|due| *due <= bench.clock.now()) {
                assert!(bench.hand(vec![tick_body(stored.profile.id, due)]).await.is_empty());
            }
        }
    }
}

/// Erases as the command does: everything that leads to the person, then the profile.
async fn erase(bench: &Bench, who: &str) {
    let Some(stored) = bench.store.follow(user(who), perennial_store::Consistency::Strong).await.unwrap() else {
        return;
    };
    let subject = Subject::of(&stored.profile);
    let mut items = Vec::new();
    for trace in bench.store.traces(&subject, &|_| {}).await.unwrap().found {
        match trace {
            Trace::Listed { pk, sk } => items.push((pk, sk)),
            Trace::Pointer { pk } => bench.store.release_pointer(&pk, &subject.people).await.unwrap(),
            _ => {}
        }
    }
    bench.store.delete_keys(items).await.unwrap();
    bench.store.delete_person(&subject, stored.profile.id, stored.version).await.unwrap();
    for person in &subject.people {
        bench.store.delete_own(*person, &|_| true).await.unwrap();
    }
    let archive = bench.archive.objects_since(None).await.unwrap();
    for object in archive {
        let share = bench.archive.share(&object, &subject).await.unwrap();
        bench.archive.take_out(&object, &share).await.unwrap();
    }
    let left = bench.store.traces(&subject, &|_| {}).await.unwrap().found;
    assert!(!left.iter().any(|trace| matches!(trace, Trace::Listed { .. })), "{left:?}");
}

async fn everyone(bench: &Bench) -> Vec<Stored> {
    let (mut people, mut from) = (Vec::new(), None);
    loop {
        let page = bench.store.people(from).await.unwrap();
        people.extend(page.people);
        from = page.next;
        if from.is_none() {
            return people;
        }
    }
}

/// Returns all entries of all lists.
async fn listed(bench: &Bench) -> BTreeSet<(PersonId, ListEntry)> {
    let whole = |entry: ListEntry| Range::new(Kind::People, &entry, &entry);
    let scales = Scale::all().map(|scale| {
        let of = |band| ListEntry::of_band(scale.as_str(), band);
        Range::new(Kind::People, &of(0), &of(9))
    });
    let stages = perennial_domain::Stage::ALL.map(|stage| whole(ListEntry::of_stage(stage)));
    let segments = ["fresh", "buyers", "keen"].map(|name| whole(ListEntry::of_segment(name)));
    let owners = ["sales", "success"].map(|name| whole(ListEntry::of_owner(owner_key(name))));
    let others = [whole(ListEntry::of_persona("boss")), Range::beginning(Kind::People, &ListEntry::of_word(""))];
    let mut found = BTreeSet::new();
    for range in scales.chain(stages).chain(segments).chain(owners).chain(others) {
        let page = bench.store.list_page(&range, None, 10_000).await.unwrap();
        assert_eq!((&page.next, page.unreadable), (&None, 0));
        for place in page.places {
            let entry = ListEntry::parse(&format!("{}#{}", range.list, place.order())).unwrap();
            assert!(found.insert((PersonId::parse(place.id()).unwrap(), entry)));
        }
    }
    found
}

/// Checks the lists against a scan; the profiles are evaluated now.
async fn check(bench: &Bench) {
    let mut expected = BTreeSet::new();
    for stored in everyone(bench).await {
        let (profile, view) = (&stored.profile, stored.profile.view());
        assert_eq!(profile.listed.is_some(), is_listed(profile, &view), "{:?}", profile.parts);
        let Some(known) = &profile.listed else { continue };
        let moment = Moment::new(&bench.config, bench.clock.now()).of(profile.id);
        let evaluation = evaluate(&moment, &view);
        let now = Listed::of(&moment, &view, &evaluation, Some(known));
        assert_eq!(
            (&now.stage, &now.personas, &now.segments, &now.owner, &now.words),
            (&known.stage, &known.personas, &known.segments, &known.owner, &known.words)
        );
        for scale in Scale::all() {
            match (known.bands.get(scale), scale.of(&evaluation)) {
                (Some(band), Some(score)) => assert!(is_within(band, REACH, score), "{scale:?} {band} {score:?}"),
                (band, score) => assert_eq!((band, score), (None, None), "{scale:?}"),
            }
        }
        expected.extend(known.entries().into_iter().map(|entry| (profile.id, entry)));
    }
    assert_eq!(listed(bench).await, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lists_equal_a_scan_after_any_life(steps in proptest::collection::vec(step(), 3..20)) {
        case(async |database, run| {
            let mut bench = database.bench_with(&format!("lists-{run}"), rules(2, "sales")).await;
            for (n, step) in steps.iter().enumerate() {
                run_step(&mut bench, n, step).await;
                if matches!(step, Step::Crash(..) | Step::Erase(_) | Step::Unmerge(_) | Step::Push(_)) {
                    check(&bench).await;
                }
            }
            check(&bench).await;
        });
    }
}

#[tokio::test]
async fn profiles_of_earlier_versions_are_listed_with_their_next_event_and_anonymous_visitors_are_not() {
    let bench = Bench::new().await;
    let order = |id: &str| vec![EventBuilder::track(id, "u0", "Order Completed").at(at(-40)).build()];
    assert!(bench.feed(&[order("m1"), vec![EventBuilder::page("p1", "a1").at(at(-40)).build()]]).await.is_empty());
    let mut stored = bench.stored(user("u0")).await.unwrap();
    let entries = stored.profile.listed.take().unwrap().entries();
    stored.profile.outbox.clear();
    bench.store.delete_list_entries(Listee::Person(user("u0")), &entries).await.unwrap();
    bench.store.save(&mut stored).await.unwrap();
    assert!(bench.restarted().feed(&[order("m2")]).await.is_empty());
    let now: BTreeMap<PersonId, usize> =
        listed(&bench).await.into_iter().fold(BTreeMap::new(), |mut all, (person, _)| {
            *all.entry(person).or_default() += 1;
            all
        });
    assert_eq!(now.keys().collect::<Vec<_>>(), [&user("u0")]);
    assert_eq!(now[&user("u0")], bench.stored(user("u0")).await.unwrap().profile.listed.unwrap().entries().len());
}

#[tokio::test]
async fn event_that_changes_no_list_causes_no_write_of_one() {
    let bench = Bench::new().await;
    // A fourth one would raise engagement to 13: out of the slack of its band.
    for n in 0..4 {
        let event = EventBuilder::track(&format!("m{n}"), "u0", "Settings Opened").at(at(-40 + n)).build();
        assert!(bench.feed(&[vec![event]]).await.is_empty());
        let outbox = bench.stored(user("u0")).await.unwrap().profile.outbox;
        assert_eq!(outbox.iter().any(|action| matches!(action, Action::List(_))), n == 0, "{n}: {outbox:?}");
    }
}
