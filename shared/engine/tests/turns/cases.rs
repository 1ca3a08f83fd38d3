//! The choice of messages, and how long others wait.

use super::{Person, at, becomes, config, dropped, message, on_event, outcome, sent};
use perennial_config::Config;
use perennial_domain::Withheld;
use perennial_domain::time::plus_days;
use perennial_engine::candidates;
use perennial_testkit::EventBuilder;

const MONDAY: &str = "2026-03-02T10:00:00Z";
const TUESDAY: &str = "2026-03-03T10:00:00Z";
const WEDNESDAY: &str = "2026-03-04T10:00:00Z";
const THURSDAY: &str = "2026-03-05T10:00:00Z";
const LATER: &str = "2026-04-01T00:00:00Z";

/// The shipped case: three mails for one state each, and an offer that an event triggers.
fn three_and_an_offer(limits: &str) -> Config {
    let journeys = [
        becomes("add_on", "Add", "mail", "priority = 40"),
        becomes("feature", "Feature", "mail", "priority = 60"),
        becomes("education", "Educate", "mail", "priority = 50"),
        on_event("offer", "Paywall", "in_app", ""),
    ];
    config(&journeys.concat(), limits)
}

#[test]
fn of_three_mails_that_are_due_in_one_minute_the_best_goes_at_once_and_the_others_a_day_apart() {
    let config = three_and_an_offer("[[cap]]\nmessages = 3\nwithin_days = 1\n");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Add", "Feature", "Educate"], MONDAY), [sent("feature", MONDAY)]);
    // An event's message does not wait, and the others wait for a day after it.
    let soon = "2026-03-02T10:01:00Z";
    assert_eq!(person.does(&config, &["Paywall"], soon), [sent("offer", soon)]);
    assert_eq!(
        person.goes_on(&config, LATER),
        [sent("education", "2026-03-03T10:01:00Z"), sent("add_on", "2026-03-04T10:01:00Z")],
        "the cap has lost none of them"
    );
}

#[test]
fn an_offer_in_the_same_batch_goes_at_once_and_the_three_mails_follow_it_a_day_apart() {
    let config = three_and_an_offer("");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Add", "Paywall", "Feature", "Educate"], MONDAY), [sent("offer", MONDAY)]);
    assert_eq!(
        person.goes_on(&config, LATER),
        [sent("feature", TUESDAY), sent("education", WEDNESDAY), sent("add_on", THURSDAY)],
        "the last of them on the last second of its three days"
    );
}

#[test]
fn an_offer_over_a_cap_waits_and_is_sent_when_the_cap_has_room() {
    let config = three_and_an_offer("[[cap]]\nmessages = 1\nwithin_days = 1\n");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Feature"], MONDAY), [sent("feature", MONDAY)]);
    assert_eq!(person.does(&config, &["Paywall"], "2026-03-02T11:00:00Z"), []);
    assert_eq!(person.goes_on(&config, LATER), [sent("offer", TUESDAY)]);
}

#[test]
fn what_is_older_than_its_journey_allows_is_dropped_and_the_journey_continues() {
    let tasks = "[[journey.step]]\nevent = \"Was Dropped\"\n";
    let journeys = [
        becomes("first", "Go", "mail", "priority = 90"),
        becomes("short", "Go", "mail", "priority = 10\nmax_age_days = 1") + tasks,
        becomes("second", "Go", "in_app", "priority = 80"),
    ];
    let config = config(&journeys.concat(), "");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Go"], MONDAY), [sent("first", MONDAY)]);
    let outcomes = person.goes_on(&config, LATER);
    assert_eq!(
        outcomes,
        [sent("second", TUESDAY), dropped("short", "2026-03-03T10:00:01Z", Withheld::Expired)],
        "its last second was that of another one's turn"
    );
    assert!(person.profile.facts().runs.is_empty());
}

#[test]
fn priority_then_worth_then_the_longest_wait_then_the_id_decides() {
    let journeys = [
        becomes("d", "First", "mail", ""),
        becomes("c", "Second", "mail", ""),
        becomes("b", "Second", "mail", ""),
        becomes("worth", "Second", "mail", "worth = 1"),
        becomes("important", "Second", "mail", "priority = 51"),
    ];
    let config = config(&journeys.concat(), "gap_hours = 1\n");
    let mut person = Person::new(&config, "u");
    person.does(&config, &["Warm Up"], MONDAY);
    assert_eq!(person.does(&config, &["First"], MONDAY), [sent("d", MONDAY)]);
    assert_eq!(person.does(&config, &["Second"], "2026-03-02T10:30:00Z"), []);
    let order: Vec<String> = person.goes_on(&config, LATER).into_iter().map(|(journey, ..)| journey).collect();
    assert_eq!(order, ["important", "worth", "b", "c"]);
}

#[test]
fn messages_of_one_journey_between_which_nothing_waits_take_one_turn() {
    let rescue = becomes("rescue", "Go", "in_app", "") + &message("mail", "");
    let config = config(&(rescue + &becomes("other", "Go", "mail", "priority = 10")), "");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Go"], MONDAY), [sent("rescue", MONDAY), sent("rescue", MONDAY)]);
    assert_eq!(person.goes_on(&config, LATER), [sent("other", TUESDAY)]);
}

#[test]
fn later_waits_count_from_the_sending_and_the_end_of_a_wait_is_a_candidate_too() {
    let course = becomes("course", "Go", "mail", "priority = 10")
        + "[[journey.step]]\nwait = { hours = 30 }\n"
        + &message("mail", "priority = 10");
    let config = config(&(course + &becomes("other", "Go", "mail", "") + &on_event("now", "Now", "in_app", "")), "");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Go"], MONDAY), [sent("other", MONDAY)]);
    assert_eq!(person.goes_on(&config, TUESDAY), [sent("course", TUESDAY)]);
    let noon = "2026-03-04T12:00:00Z";
    assert_eq!(person.does(&config, &["Now"], noon), [sent("now", noon)]);
    assert_eq!(
        person.goes_on(&config, LATER),
        [sent("course", "2026-03-05T12:00:00Z")],
        "due at 16:00 on Wednesday, and a day after the message of noon"
    );
}

#[test]
fn essential_messages_and_webhooks_neither_wait_nor_let_others_wait() {
    let bill = "[[journey]]\nid = \"bill\"\ntrigger = { becomes = 'count(\"Bill\") >= 1' }\n\
        [[journey.step]]\nchannel = \"mail\"\ntemplate = \"bill\"\n";
    let journeys = [
        becomes("news", "Go", "mail", ""),
        becomes("must", "Must", "in_app", "essential = true"),
        bill.to_owned(),
        becomes("more", "More", "mail", ""),
    ];
    let config = config(&journeys.concat(), "[[cap]]\nmessages = 9\nwithin_days = 1\n");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Must", "Bill"], MONDAY), [sent("must", MONDAY), sent("bill", MONDAY)]);
    let soon = "2026-03-02T10:05:00Z";
    assert_eq!(person.does(&config, &["Go"], soon), [sent("news", soon)], "nothing was sent that it would wait after");
    assert_eq!(person.does(&config, &["More"], soon), []);
    assert_eq!(person.goes_on(&config, LATER), [sent("more", "2026-03-03T10:05:00Z")]);
    assert_eq!(person.profile.facts().sent.len(), 4, "essential messages count towards caps as before");
}

#[test]
fn who_is_in_a_holdout_takes_no_turn() {
    let journeys = [becomes("held", "Go", "mail", "priority = 90\nholdout = 50"), becomes("news", "Go", "mail", "")];
    let config = config(&journeys.concat(), "");
    let mut held_out = 0;
    for number in 0..40 {
        let mut person = Person::new(&config, &format!("u{number}"));
        let outcomes = person.does(&config, &["Go"], MONDAY);
        if outcomes.contains(&dropped("held", MONDAY, Withheld::HeldOut)) {
            assert!(outcomes.contains(&sent("news", MONDAY)), "{outcomes:?}");
            held_out += 1;
        } else {
            assert_eq!(outcomes, [sent("held", MONDAY)]);
        }
    }
    assert!((8..=32).contains(&held_out), "{held_out}");
}

#[test]
fn a_candidate_that_is_chosen_in_quiet_hours_holds_its_turn_until_they_end() {
    let night = "[quiet_hours]\nfrom = \"21:00\"\nto = \"08:00\"\n";
    let journeys = [
        becomes("letter", "Go", "mail", "priority = 60"),
        becomes("tip", "Go", "in_app", ""),
        on_event("now", "Now", "in_app", ""),
    ];
    let config = config(&journeys.concat(), night);
    let evening = "2026-03-02T22:00:00Z";
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Go"], evening), [], "the tip could go, and it is not its turn");
    assert_eq!(
        person.goes_on(&config, LATER),
        [sent("letter", "2026-03-03T08:00:00Z"), sent("tip", "2026-03-04T08:00:00Z")]
    );
    // Another message goes out meanwhile: the gap counts from it, and the choice is among all again.
    let mut person = Person::new(&config, "v");
    person.does(&config, &["Go"], evening);
    let at_night = "2026-03-03T02:00:00Z";
    assert_eq!(person.does(&config, &["Now"], at_night), [sent("now", at_night)]);
    assert_eq!(
        person.goes_on(&config, LATER),
        [sent("letter", "2026-03-04T08:00:00Z"), sent("tip", "2026-03-05T08:00:00Z")]
    );
}

#[test]
fn a_mail_waits_for_its_address_while_another_message_takes_the_turn() {
    let journeys = [becomes("letter", "Go", "mail", "priority = 90"), becomes("tip", "Go", "in_app", "")];
    let text = journeys.concat();
    let config = perennial_testkit::ConfigBuilder::least()
        .with(&[
            ("journeys.toml", text.as_str()),
            ("templates/t.toml", super::TEMPLATE),
            ("channels.toml", "!max_event_age_hours = 48\n[mail]\nfrom = \"a@example.com\"\nconfiguration_set = \"c\"\nwait_for_address_minutes = 10\n"),
        ])
        .load();
    let nobody = || {
        let event = EventBuilder::track("m", "u", "Seen").build();
        Person { profile: perennial_engine::Profile::new(event.identity().unwrap()), user: "u".to_owned(), events: 0 }
    };
    let mut person = nobody();
    assert_eq!(person.does(&config, &["Go"], MONDAY), [sent("tip", MONDAY)]);
    let late = "2026-03-02T10:10:00Z";
    assert_eq!(person.goes_on(&config, late), [sent("letter", late)], "recorded as not deliverable; it takes no turn");
    let mut person = nobody();
    person.does(&config, &["Go"], MONDAY);
    let known = at("2026-03-02T10:05:00Z");
    person.feed(
        &config,
        &[EventBuilder::identify("i", "u", None).with_trait("email", "u@example.com").at(known).build()],
        known,
    );
    assert!(person.decided().is_empty());
    assert_eq!(person.goes_on(&config, LATER), [sent("letter", TUESDAY)]);
}

#[test]
fn candidates_of_merged_profiles_are_chosen_from_together_and_nothing_is_sent_twice() {
    let journeys = [becomes("common", "Go", "mail", "priority = 70"), becomes("own", "Own", "mail", "")];
    let config = config(&journeys.concat(), "");
    let join = |mut one: Person, mut other: Person| {
        one.profile.parts.append(&mut other.profile.parts);
        one.profile.outbox.append(&mut other.profile.outbox);
        one.profile.parts.sort_by(|a, b| a.identity.cmp(&b.identity));
        one.profile.due_at = None;
        let now = at("2026-03-02T12:00:00Z");
        let first: Vec<_> = one.look(&config, now).iter().map(outcome).collect();
        (one, first)
    };
    // One has had it, and it waits for the other.
    let (mut one, mut other) = (Person::new(&config, "u"), Person::new(&config, "v"));
    assert_eq!(one.does(&config, &["Go"], MONDAY), [sent("common", MONDAY)]);
    assert_eq!(other.does(&config, &["Own"], MONDAY), [sent("own", MONDAY)]);
    assert_eq!(other.does(&config, &["Go"], "2026-03-02T11:00:00Z"), []);
    let (mut both, first) = join(one, other);
    assert_eq!((first, both.goes_on(&config, LATER)), (vec![], vec![]));
    assert!(both.profile.facts().runs.is_empty(), "and it waits for nobody");
    // Each has a waiting one: the better one is sent first, a day after the newest message of both.
    let (mut one, mut other) = (Person::new(&config, "u"), Person::new(&config, "v"));
    one.does(&config, &["Own"], MONDAY);
    one.does(&config, &["Go"], MONDAY);
    other.does(&config, &["Go"], "2026-03-02T11:00:00Z");
    let (mut both, first) = join(one, other);
    assert_eq!((first, both.goes_on(&config, LATER)), (vec![], vec![]), "v has had it, an hour after u waited for it");
}

#[test]
fn beyond_sixteen_candidates_the_last_in_the_order_of_choice_is_dropped() {
    let journeys: Vec<String> = (0..20_u8)
        .map(|n| becomes(&format!("j{n:02}"), "Go", "mail", &format!("priority = {}\nmax_age_days = 30", 20 - n)))
        .collect();
    let config = config(&journeys.concat(), "");
    let mut person = Person::new(&config, "u");
    let outcomes = person.does(&config, &["Go"], MONDAY);
    let displaced: Vec<&str> = outcomes
        .iter()
        .filter(|(.., why)| *why == Some(Withheld::Displaced))
        .map(|(journey, ..)| journey.as_str())
        .collect();
    assert_eq!(displaced, ["j19", "j18", "j17", "j16"]);
    assert_eq!(candidates(&config, &person.profile).len(), 15, "the best one went");
    assert!(outcomes.contains(&sent("j00", MONDAY)));
    let sent_later = person.goes_on(&config, "2026-03-20T00:00:00Z");
    assert_eq!(sent_later.len(), 15);
    assert_eq!(sent_later[14], sent("j15", &plus_days(at(MONDAY), 15).to_string()));
}

#[test]
fn without_a_gap_everything_goes_at_once() {
    let journeys = [becomes("a", "Go", "mail", ""), becomes("b", "Go", "in_app", "")];
    let config = config(&journeys.concat(), "gap_hours = 0\n");
    let mut person = Person::new(&config, "u");
    assert_eq!(person.does(&config, &["Go"], MONDAY), [sent("a", MONDAY), sent("b", MONDAY)]);
}

#[test]
fn who_leaves_the_journey_while_its_message_waits_does_not_get_it() {
    let journeys = [
        becomes("first", "Go", "mail", "priority = 90"),
        becomes("left", "Go", "mail", "exit = 'count(\"Done\") >= 1'"),
        becomes("reached", "Go", "mail", "goal = { event = \"Done\", within_days = 9 }"),
    ];
    let config = config(&journeys.concat(), "");
    let mut person = Person::new(&config, "u");
    person.does(&config, &["Go"], MONDAY);
    assert_eq!(person.does(&config, &["Done"], "2026-03-02T11:00:00Z"), []);
    assert_eq!(person.goes_on(&config, LATER), []);
}
