//! Facts behind the body.

use super::*;
use perennial_domain::curve::{Knot, Line};
use perennial_domain::{Channel, Curve};
use perennial_engine::billing::Billing;
use perennial_engine::candidate::{Candidate, Delay};
use perennial_engine::facts::{Entered, Run, Sent};

/// A profile that fits into a write unit as it is. Deflated, a byte more or less would depend on the version of the configuration that the
/// decisions in its outbox name.
fn small() -> Stored {
    let mut stored = after(&config(), user("user-0417"), &typical()[..1]);
    stored.profile.outbox.clear();
    stored
}

#[test]
fn what_the_crm_knows_is_stored_behind_the_body_and_costs_nothing_without() {
    let mut stored = small();
    let before = encode_state(&stored.profile, Attributes::default(), 0).unwrap().len();
    let fields = serde_json::json!({ "p_stage": "trial", "p_churn": 62, "p_nps": null, "p_personas": ["buyer"], "p_paid": true });
    for record in [None, Some(u64::MAX)] {
        let fields = serde_json::from_value(fields.clone()).unwrap();
        stored.profile.written = Some(Written { number: 1_772_445_600_000, record, fields });
        let (_, loaded) = round_trip(&stored);
        assert_eq!(loaded, Loaded::Profile(stored.clone()));
    }
    let with = encode_state(&stored.profile, Attributes::default(), 0).unwrap().len();
    assert!(with <= before + fields.to_string().len() + 24, "{before} {with}");
    stored.profile.written = None;
    assert_eq!(encode_state(&stored.profile, Attributes::default(), 0).unwrap().len(), before);
}

/// Before candidates were known.
#[test]
fn when_a_history_was_imported_is_stored_behind_the_body() {
    let mut stored = small();
    let before = encode_state(&stored.profile, Attributes::default(), 0).unwrap().len();
    stored.profile.parts[0].facts.imported = Some(1_772_445_600);
    let (_, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    assert!(encode_state(&stored.profile, Attributes::default(), 0).unwrap().len() <= before + 9);
}

#[test]
fn configuration_that_notes_were_made_under_is_stored_behind_the_body() {
    let mut stored = small();
    let before = encode_state(&stored.profile, Attributes::default(), 0).unwrap().len();
    stored.profile.parts[0].facts.noted_under = Some(1_772_445_600_000);
    let (_, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    assert!(encode_state(&stored.profile, Attributes::default(), 0).unwrap().len() <= before + 10);
}

#[test]
fn months_in_a_segment_that_was_left_are_stored_behind_the_body() {
    let mut stored = small();
    let before = encode_state(&stored.profile, Attributes::default(), 0).unwrap().len();
    let mut months = perennial_engine::activity::Months::default();
    [650, 651, 653].into_iter().for_each(|month| months.mark(month));
    stored.profile.parts[0].facts.stayed.insert(7, months);
    let (_, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    assert!(encode_state(&stored.profile, Attributes::default(), 0).unwrap().len() <= before + 10);
}

#[test]
fn items_without_candidates_are_read_and_written_byte_for_byte_as_before() {
    let mut seen = 0;
    for (name, bytes) in stored_long_ago().filter(|(name, _)| name.starts_with("format-5")) {
        let batches = if name.ends_with("deflated") { typical() } else { typical()[..1].to_vec() };
        let (mut item, _) = round_trip(&after(&config(), user("user-0417"), &batches));
        item.insert("state".to_owned(), b(bytes.clone()));
        let Loaded::Profile(stored) = decode(&item).unwrap() else { panic!("no profile") };
        let rest = encode(&stored.profile, &stored.summary, stored.version).unwrap();
        assert_eq!(rest.bytes("state").unwrap().unwrap(), bytes, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 2);
}

/// Returns a profile of two identities, the second of which has waiting messages.
fn waiting() -> Stored {
    let mut stored = after(&config(), user("user-0417"), &typical()[..1]);
    // Only the optional data of messages.
    if let Some((_, member)) = &mut stored.profile.published {
        member.curve = None;
    }
    stored.profile.listed = None;
    stored.profile.outbox.clear();
    stored.profile.part_mut(&user("a")).facts.entered =
        BTreeMap::from([(7, Entered { times: 1, last: 5, reached: None })]);
    let part = stored.profile.part_mut(&user("user-0417"));
    for key in [3, 900_000_000] {
        let run = Run {
            entered: 1,
            step: 2,
            since: 3,
            due: 4,
            cause: Cause::Became { condition: "true".to_owned() },
            cause_key: 5,
            version: 6,
            aside_for: None,
            candidate: Some(Candidate {
                due: 1_767_225_600,
                expires: 1_767_484_800,
                priority: 50,
                worth: key,
                delay: Delay::Gap { sent: 1_767_225_000 },
            }),
        };
        part.facts.runs.insert(key, run);
    }
    part.facts.sent = vec![Sent { at: 1_767_225_000, channel: Channel::Mail }];
    part.facts.exempt = part.facts.sent.clone();
    stored
}

#[test]
fn candidates_are_stored_with_their_part_and_cost_no_byte_where_there_are_none() {
    let mut stored = waiting();
    let (_, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    stored.profile.part_mut(&user("user-0417")).state.billing = Billing::default();
    let with = plain(&stored);
    for part in &mut stored.profile.parts {
        part.facts.exempt.clear();
        part.facts.runs.values_mut().for_each(|run| run.candidate = None);
    }
    let without = plain(&stored);
    assert!(with.starts_with(&without), "what older versions read stands first");
    assert!(with.len() - without.len() <= 2 * 32 + 16, "{} bytes", with.len() - without.len());
    stored.profile.published = None;
    stored.profile.outbox.clear();
    let body = Body { parts: &stored.profile.parts, published: None, outbox: Vec::new() };
    assert_eq!(plain(&stored), postcard::to_stdvec(&body).unwrap(), "nothing follows the body");
}

#[test]
fn extras_of_parts_and_runs_that_are_not_there_are_corrupt() {
    let stored = waiting();
    let mut parts = stored.profile.parts.clone();
    let body = extra::append(Vec::new(), &stored.profile, Attributes::default()).unwrap();
    let read = |body: &[u8], parts: &mut [Part]| extra::read(body, parts, stored.profile.id, Attributes::default());
    assert!(read(&body, &mut parts).is_ok());
    assert!(matches!(read(&body, &mut parts[..1]), Err(StoreError::Corrupt(_))));
    parts[1].facts.runs.clear();
    assert!(matches!(read(&body, &mut parts), Err(StoreError::Corrupt(_))));
    assert!(matches!(read(&[9, 9], &mut parts), Err(StoreError::Corrupt(_))));
}

/// A curve travels behind the body, so that versions without curves read the profile.
#[test]
fn curve_of_what_is_published_is_stored_and_costs_no_byte_where_there_is_none() {
    let mut stored = after(&config(), user("user-0417"), &typical()[..1]);
    let (account, mut member) = (AccountId::parse("acme").unwrap(), stored.profile.published.clone());
    let line =
        Line { from: 1_772_442_930, start: 300, knots: vec![Knot { at: 1_772_496_000, jump: true, value: 260 }] };
    let published = member.take().unwrap().1;
    let phase = u32::try_from(published.last_seen.unwrap().as_second() % 86_400).unwrap();
    let curve = Curve { line, stages: Vec::new(), phase, end: None };
    stored.profile.published = Some((account.clone(), Member { curve: None, ..published.clone() }));
    stored.profile.outbox.clear();
    let without = encode_state(&stored.profile, Attributes::default(), 0).unwrap();
    let member = Member { curve: Some(curve.clone()), ..published.clone() };
    stored.profile.published = Some((account.clone(), member.clone()));
    stored.profile.outbox = vec![Action::PublishMember { account, member }];
    let (_, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    stored.profile.outbox.clear();
    let with = encode_state(&stored.profile, Attributes::default(), 0).unwrap();
    assert!(
        with.len() - without.len() <= curve.to_bytes(published.last_seen).len() + 4,
        "{} and {}",
        with.len(),
        without.len()
    );
}

#[test]
fn what_traits_once_took_and_how_much_room_an_identity_has_survive() {
    let mut stored = after(&config(), user("user-0417"), &typical()[..1]);
    let (small, _) = round_trip(&stored);
    let set = |id: &str, second: i64, value: String| {
        EventBuilder::identify(id, "user-0417", None).with_trait("bio", value).at(at(1, second)).build()
    };
    let events = [set("long", 0, "x".repeat(900)), set("short", 1, "y".repeat(3))];
    process(&Moment::new(&config(), at(1, 2)), &mut stored.profile, &events, &HashSet::new(), Mode::Replay);
    assert_eq!(stored.profile.part(&user("user-0417")).unwrap().state.longest.0["bio"], 902);
    let (item, loaded) = round_trip(&stored);
    assert_eq!(loaded, Loaded::Profile(stored.clone()));
    assert!(size(&item) < size(&small) + 60, "a length takes a few bytes");
    assert!(perennial_engine::shed::shed(&mut stored.profile));
    assert_eq!(stored.profile.reduced().count(), 1);
    assert_eq!(round_trip(&stored).1, Loaded::Profile(stored));
}
