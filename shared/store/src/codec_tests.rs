#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::hash::hash32;
use perennial_domain::{AnonymousId, Cause, Event, MessageId, UserId};
use perennial_engine::joins::{Claim, Digest, Evidence, Limit, Link, Note, Noted, Standing};
use perennial_engine::{Mode, Moment, evaluate, process};
use perennial_testkit::{ConfigBuilder, EventBuilder};
use proptest::prelude::*;
use std::collections::HashSet;

#[path = "codec/extra_tests.rs"]
mod extras;
#[path = "codec/membership_tests.rs"]
mod memberships;

/// Returns the shipped configuration.
fn config() -> Config {
    ConfigBuilder::shipped().load()
}

fn at(day: i64, second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + day * 86_400 + second).unwrap()
}

fn user(text: &str) -> Identity {
    Identity::User(UserId::parse(text).unwrap())
}

/// A profile after `batches`, each processed by itself.
fn after(config: &Config, identity: Identity, batches: &[Vec<Event>]) -> Stored {
    let mut stored = Stored::new(Profile::new(identity));
    for batch in batches {
        let now = batch.iter().map(|event| event.timestamp).max().unwrap();
        stored.profile.outbox.clear();
        let processed = process(&Moment::new(config, now), &mut stored.profile, batch, &HashSet::new(), Mode::Live);
        stored.summary = Summary::of(&stored.profile, &processed.evaluation, config);
        stored.version += 1;
    }
    stored
}

fn round_trip(stored: &Stored) -> (Item, Loaded) {
    let item = encode(&stored.profile, &stored.summary, stored.version).unwrap();
    let loaded = decode(&item).unwrap();
    (item, loaded)
}

/// The stored state before it is deflated, without its format: what deflating saves differs from byte to byte.
fn plain(stored: &Stored) -> Vec<u8> {
    let Summary { stage, personas, segments, .. } = &stored.summary;
    let state = encode_state(&stored.profile, Attributes { stage: *stage, personas, segments }, 0).unwrap();
    if state[0] & DEFLATED == 0 { state[1..].to_vec() } else { inflate("a state", &state[1..], MAX_INFLATED).unwrap() }
}

/// Returns a busy person: two months with the product, an event or more on two days of three, and one dated years
/// ahead.
fn typical() -> Vec<Vec<Event>> {
    let track = |n: i64, name: &str| {
        EventBuilder::track(&format!("m-{n}"), "user-0417", name).at(at(n, n * 977 % 40_000)).build()
    };
    let mut batches = vec![vec![
        EventBuilder::identify("id-1", "user-0417", None)
            .with_trait("email", "ada.okafor@brightloom.example")
            .with_trait("name", "Ada Okafor")
            .with_trait("role", "administrator")
            .with_trait("plan", "team")
            .at(at(0, 0))
            .build(),
        EventBuilder::group("g-1", "user-0417", "acct-031").at(at(0, 5)).build(),
        track(0, "Trial Started"),
    ]];
    for day in 1..60 {
        if day % 3 != 0 {
            let name =
                ["Feature Used", "Report Shared", "$x Login", "Feature Used", "Pricing Page Viewed", "Invite Sent"]
                    [usize::try_from(day).unwrap() % 6];
            batches.push(vec![track(day, name)]);
        }
    }
    batches[14].push(track(1014, "Subscription Started"));
    batches
}

/// A test with the sample company checks that its median person fits into one unit.
#[test]
fn a_busy_person_takes_a_quarter_more_than_a_write_unit_at_most() {
    let mut batches = typical();
    batches[14][1].timestamp = at(20, 30_000);
    let stored = after(&config(), user("user-0417"), &batches);
    let (item, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored));
    let size = size(&item);
    assert!(size <= WRITE_UNIT * 5 / 4, "{size} bytes");
}

#[test]
fn an_operator_reads_the_plain_attributes() {
    let stored = after(&config(), user("user-0417"), &typical());
    let (item, _) = round_trip(&stored);
    assert_eq!(item.text("id").unwrap(), Some("user:user-0417"));
    assert_eq!(item.text("acct").unwrap(), Some("acct-031"));
    assert_eq!(item.text("stage").unwrap(), Some(stored.summary.stage.as_str()));
    assert_eq!(item.number::<u64>("n").unwrap(), Some(stored.profile.counted()));
    assert_eq!(item.number::<u64>("ver").unwrap(), Some(stored.version));
    assert_eq!(item.contains_key("due_at"), stored.profile.due_at.is_some());
    assert!(stored.profile.due_at.is_some(), "someone who may go quiet waits");
    let scores = item.text("scores").unwrap().unwrap();
    assert_eq!(long_scores(scores).unwrap(), stored.summary.scores);
}

#[test]
fn what_was_just_published_costs_a_byte_and_comes_back_whole() {
    let config = config();
    let mut stored = after(&config, user("user-0417"), &typical()[..1]);
    let published =
        stored.profile.outbox.iter().filter(|action| matches!(action, Action::PublishMember { .. })).count();
    assert_eq!(published, 1);
    let (_, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    let with = plain(&stored).len();
    stored.profile.outbox.retain(|action| !matches!(action, Action::PublishMember { .. }));
    assert!(with - plain(&stored).len() <= 2);
}

/// Returns states of one profile as stored by earlier versions: (name, bytes).
fn stored_long_ago() -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    include_str!("codec/stored.txt").lines().map(|line| {
        let (name, hex) = line.split_once(' ').unwrap();
        (name, data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap())
    })
}

#[test]
fn every_format_that_was_ever_stored_is_still_read_whole() {
    let (base, _) = round_trip(&after(&config(), user("user-0417"), &typical()[..1]));
    let mut read = 0;
    for (name, bytes) in
        stored_long_ago().filter(|(name, _)| name.starts_with("format-1") || name.starts_with("format-2"))
    {
        let mut item = base.clone();
        item.insert("state".to_owned(), b(bytes));
        let Loaded::Profile(stored) = decode(&item).unwrap() else { panic!("{name}: no profile") };
        let profile = &stored.profile;
        let part = profile.part(&user("user-0417")).unwrap();
        assert_eq!(part.state.text_trait("email").as_deref(), Some("ada.okafor@brightloom.example"), "{name}");
        assert_eq!(part.state.account_id().unwrap().as_str(), "acct-031", "{name}");
        assert_eq!(part.state.milestones[&Milestone::Trial].first, at(0, 0).as_microsecond(), "{name}");
        assert!(
            part.state.tallies["adoption"] > 0 && part.state.days.active(20_456, 3) > 0 || name.ends_with("deflated")
        );
        assert_eq!(part.facts.entered[&1_381_541_404].last, at(0, 5).as_millisecond(), "{name}");
        let (account, member) = profile.published.as_ref().unwrap();
        assert_eq!((account.as_str(), member.person), ("acct-031", profile.id), "{name}");
        assert!(member.scores[&Likelihood::TrialSuccess].get() == 20 && member.last_seen.is_some(), "{name}");
        if name.starts_with("format-2") {
            let browser = Identity::Anonymous(AnonymousId::parse("browser-1").unwrap());
            let part = profile.part(&browser).unwrap();
            assert_eq!(part.state.counts.get("$page"), 1, "{name}");
            let link = part.holder().unwrap();
            assert_eq!((link.at, link.user.as_str()), (at(0, 1).as_microsecond(), "user-0417"), "{name}");
        }
        if name.ends_with("deflated") {
            assert_eq!(part.state.counts.total(), 45, "{name}");
            assert_eq!(part.state.points.len(), 10, "{name}");
            // Ten events of the 56 days before, of half-life 45.
            let points = part.state.points[&177_041_722].clone();
            let left = points.weight(at(58, 0).as_second(), Some(45.0));
            assert!(points.events == 10 && (5.0..10.0).contains(&left), "{name}: {left}");
            assert_eq!(
                part.state.windowed(perennial_config::history::event_key("Pricing Page Viewed"), 20_512, 31),
                6,
                "{name}"
            );
            assert_eq!(part.state.revenue.values().sum::<i64>(), 1250, "{name}");
            assert_eq!((part.seen.blocks, part.seen.recent().count()), (1, 21), "{name}");
        } else {
            assert_eq!((part.state.counts.total(), part.seen.recent().count()), (5, 5), "{name}");
        }
        // The next write upgrades it.
        let (item, loaded) = round_trip(&stored);
        assert_eq!(item.bytes("state").unwrap().unwrap()[0] & !DEFLATED, FORMAT, "{name}");
        assert_eq!(loaded, Loaded::Profile(stored), "{name}");
        read += 1;
    }
    assert_eq!(read, 3);
}

/// A person who waits in the journey "course" since their trial started, and who was anonymous before.
#[test]
fn who_waits_in_a_journey_by_format_3_goes_on_waiting_there() {
    let (mut item, _) = round_trip(&after(&config(), user("user-0417"), &typical()[..1]));
    let (_, bytes) = stored_long_ago().find(|(name, _)| *name == "format-3").unwrap();
    item.insert("state".to_owned(), b(bytes));
    let Loaded::Profile(stored) = decode(&item).unwrap() else { panic!("no profile") };
    let part = stored.profile.part(&user("user-0417")).unwrap();
    assert_eq!(part.state.text_trait("email").as_deref(), Some("ada.okafor@brightloom.example"));
    let entered = "2026-03-02T10:00:00Z".parse::<Timestamp>().unwrap();
    let (course, welcome) = (hash32("course"), hash32("welcome"));
    let run = &part.facts.runs[&course];
    assert_eq!(
        (run.step, run.entered, run.since),
        (hash32("pause"), entered.as_millisecond(), entered.as_millisecond())
    );
    assert_eq!(run.due, entered.as_second() + 2 * 86_400);
    assert!(matches!(&run.cause, Cause::Event { name, .. } if name == "Trial Started"));
    assert_eq!((run.version, run.aside_for), (0, None), "in the version in force, whichever that is");
    assert_eq!(part.facts.entered.keys().collect::<BTreeSet<_>>(), BTreeSet::from([&course, &welcome]));
    assert_eq!((part.facts.sent.len(), part.facts.assigned.len()), (0, 0));
    let browser = Identity::Anonymous(AnonymousId::parse("browser-1").unwrap());
    assert_eq!(stored.profile.part(&browser).unwrap().holder().unwrap().user.as_str(), "user-0417");
    let (item, loaded) = round_trip(&stored);
    assert_eq!(item.bytes("state").unwrap().unwrap()[0] & !DEFLATED, FORMAT);
    assert_eq!(loaded, Loaded::Profile(stored));
}

/// A person whose times were stored in whole milliseconds.
#[test]
fn moments_of_format_4_are_read_to_the_millisecond() {
    let (mut item, _) = round_trip(&after(&config(), user("user-0417"), &typical()[..1]));
    let (_, bytes) = stored_long_ago().find(|(name, _)| *name == "format-4").unwrap();
    item.insert("state".to_owned(), b(bytes));
    let Loaded::Profile(stored) = decode(&item).unwrap() else { panic!("no profile") };
    let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
    let state = &stored.profile.part(&user("user-0417")).unwrap().state;
    assert_eq!(state.traits["plan"].at, micros("2026-03-01T09:00:01.500Z"));
    assert_eq!(state.account.as_ref().unwrap().at, micros("2026-03-01T09:00:02Z"));
    assert_eq!((state.nps.unwrap().points, state.nps.unwrap().at), (8, micros("2026-03-01T09:00:05.125Z")));
    assert_eq!(state.seen.unwrap().last, micros("2026-03-01T09:00:06Z"));
    let moves: Vec<i64> = state.moves.iter().map(|(at, _)| *at).collect();
    assert_eq!(moves, [micros("2026-03-01T09:00:03Z"), micros("2026-03-01T09:00:06Z")]);
    assert_eq!((state.text_trait("plan").as_deref(), state.revenue.values().sum::<i64>()), (Some("team"), 1250));
    assert!(state.once.is_empty() && state.dropped.is_empty());
    let browser = Identity::Anonymous(AnonymousId::parse("browser-1").unwrap());
    let part = stored.profile.part(&browser).unwrap();
    assert_eq!(part.state.seen.unwrap().first, micros("2026-03-01T09:00:00.250Z"));
    // The next write upgrades it.
    let (item, loaded) = round_trip(&stored);
    assert_eq!(item.bytes("state").unwrap().unwrap()[0] & !DEFLATED, FORMAT);
    assert_eq!(loaded, Loaded::Profile(stored));
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_panic() {
    let stored = after(&config(), user("user-0417"), &typical()[..3]);
    let (item, _) = round_trip(&stored);
    for state in [vec![], vec![77, 1, 2], vec![FORMAT], vec![FORMAT | DEFLATED, 255, 255]] {
        let mut item = item.clone();
        item.insert("state".to_owned(), b(state));
        assert!(matches!(decode(&item), Err(StoreError::Corrupt(_))));
    }
    for name in ["pk", "ver", "state", "stage"] {
        let mut item = item.clone();
        item.remove(name);
        assert!(matches!(decode(&item), Err(StoreError::Corrupt(_))), "{name}");
    }
}

#[test]
fn a_pointer_says_where_to() {
    let (from, to) = (PersonId::derive(&[b"a"]), PersonId::derive(&[b"b"]));
    let moved = Moved { to, version: 3 };
    assert_eq!(decode(&encode_pointer(from, &moved)).unwrap(), Loaded::Moved(moved));
}

#[test]
fn what_is_deflated_comes_back_and_what_is_cut_off_does_not() {
    let plain: Vec<u8> = std::iter::once(FORMAT).chain((0..200_000_u32).flat_map(|i| (i / 50).to_be_bytes())).collect();
    let deflated = deflate(&plain).unwrap();
    assert_eq!(deflated[0], FORMAT | DEFLATED);
    // Much larger than it is deflated; too long to be shown where it fails.
    assert!(inflate("a state", &deflated[1..], MAX_INFLATED).unwrap() == plain[1..]);
    let error = |deflated: &[u8]| inflate("a state", deflated, MAX_INFLATED).unwrap_err().to_string();
    assert_eq!(error(&deflated[1..deflated.len() / 2]), "an item cannot be read: a state cannot be inflated");
    let bomb: Vec<u8> = std::iter::once(FORMAT).chain(std::iter::repeat_n(0, MAX_INFLATED + 1)).collect();
    let bomb = deflate(&bomb).unwrap();
    assert_eq!(
        error(&bomb[1..]),
        format!("an item cannot be read: a state inflates to more than {MAX_INFLATED} bytes")
    );
    let noise: Vec<u8> = (0..40_u64).flat_map(|i| perennial_domain::hash::sha256(&[&i.to_be_bytes()])).collect();
    assert_eq!(deflate(&noise), None, "it would not be smaller");
}

prop_compose! {
    fn event()(kind in 0..5_u8, name in 0..8_usize, day in 0..90_i64, second in 0..86_400_i64, id in 0..10_000_u32, value in "\\PC{0,40}", anonymous in any::<bool>()) -> Event {
        let id = format!("m-{id}");
        let names = ["Feature Used", "Order Completed", "Trial Started", "Pricing Page Viewed", "Subscription Started", "Error Shown", "Ünïcode", "x"];
        let event = match kind {
            0 => EventBuilder::identify(&id, "u", None).with_trait("email", value.as_str()).with_trait("n", second),
            1 => EventBuilder::group(&id, "u", &format!("a-{name}")),
            2 if anonymous => EventBuilder::page(&id, "anon"),
            _ => EventBuilder::track(&id, "u", names[name]).property("revenue", second).property("note", value.as_str()),
        };
        event.at(at(day, second)).build()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_profile_survives_its_item(batches in prop::collection::vec(prop::collection::vec(event(), 1..30), 1..8), linked in any::<bool>()) {
        let config = config_once();
        let mut stored = after(config, user("u"), &batches);
        if linked {
            let part = stored.profile.part_mut(&Identity::Anonymous(AnonymousId::parse("anon").unwrap()));
            part.links = vec![Link {
                at: 5_000,
                user: UserId::parse("u").unwrap(),
                message: Digest::of_message(&MessageId::parse("m").unwrap()),
                evidence: Evidence::Alias,
                standing: Standing::Refused(Limit::AnonymousIds),
            }];
            part.notes = [
                Noted::Parted { by: "ada".to_owned(), why: "a shared desk".to_owned() },
                Noted::TurnedAway { evidence: Evidence::Mail, limit: Limit::UserIds },
            ]
            .map(|what| Note { at: 7, other: PersonId::derive(&[b"o"]), what })
            .to_vec();
            part.claims = vec![Claim {
                evidence: Evidence::External,
                key: Digest::of_value(Evidence::External, "crm:7"),
                standing: Standing::Severed,
                at: -3_000,
                last: 9_000,
                message: Digest::default(),
                shown: "crm".to_owned(),
            }];
        }
        stored.summary = Summary::of(
            &stored.profile,
            &evaluate(&Moment::new(config, at(90, 0)), &stored.profile.view()),
            config,
        );
        let (item, loaded) = round_trip(&stored);
        prop_assert_eq!(loaded, Loaded::Profile(stored.clone()));
        // Deflating never makes an item larger than it was.
        let billed: Vec<_> = stored.profile.parts.iter().map(|part| &part.state.billing).collect();
        let entries: usize = billed.iter().map(|of| of.subscriptions.len() + of.payments.len() + of.refunds.len()).sum();
        let plain = postcard::to_stdvec(&(&stored.profile.parts, &stored.profile.published, billed)).unwrap().len();
        // Bands and owner; words, and what the item's attributes do not say, have a length each.
        let lists = stored.profile.listed.iter().flat_map(|listed| listed.entries()).map(|entry| entry.as_str().len() + 1);
        let plain = plain + 16 + lists.sum::<usize>();
        prop_assert!(item.bytes("state").unwrap().unwrap().len() <= plain + 16 + 4 * entries + stored.profile.outbox.iter().map(|a| serde_json::to_vec(a).unwrap().len() + 4).sum::<usize>());
    }
}

fn config_once() -> &'static Config {
    static CONFIG: std::sync::LazyLock<Config> = std::sync::LazyLock::new(config);
    &CONFIG
}
