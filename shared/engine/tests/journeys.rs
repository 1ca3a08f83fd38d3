//! Runs of journeys: waits, branches, splits, goals, and recorded events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::support::{Person, at, config_with};
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::time::plus_days;
use perennial_domain::{Cause, Decision, Event};
use perennial_engine::{Action, Moment, Part, Profile, tick};
use perennial_testkit::EventBuilder;

const TEMPLATES: [(&str, &str); 3] = [
    ("templates/help.toml", "subject = \"s\"\ntext = \"t\""),
    ("templates/chat.toml", "subject = \"s\"\ntext = \"t\""),
    ("templates/call.toml", "subject = \"s\"\ntext = \"t\""),
];

/// The small config with these journeys only.
fn journeys(text: &str) -> Config {
    let journeys = format!("!{text}");
    let mut files = vec![("journeys.toml", journeys.as_str())];
    files.extend(TEMPLATES);
    config_with(&files)
}

fn start() -> Timestamp {
    at("2026-03-02T10:00:00Z")
}

fn event(id: &str, name: &str, at: Timestamp) -> Event {
    EventBuilder::track(id, "u", name).at(at).build()
}

/// Returns the decisions in the outbox, which is emptied.
fn decisions(profile: &mut Profile) -> Vec<Decision> {
    let actions = std::mem::take(&mut profile.outbox);
    actions
        .into_iter()
        .filter_map(|action| if let Action::Send(decision) = action { Some(decision) } else { None })
        .collect()
}

/// Advances time until `until`, from one due time to the next; returns the templates that were sent, with the hours
/// since the start.
fn play(config: &Config, person: &mut Person, until: Timestamp) -> Vec<(String, i64)> {
    let mut sent = Vec::new();
    let mut now = start();
    for _ in 0..100 {
        let hours = (now.as_second() - start().as_second()) / 3600;
        sent.extend(decisions(&mut person.profile).into_iter().map(|decision| (decision.template, hours)));
        match person.profile.due_at {
            Some(due) if due <= until => {
                assert!(due > now, "a timer lies ahead");
                now = due;
                tick(&Moment::new(config, now), &mut person.profile);
            }
            _ => return sent,
        }
    }
    panic!("time does not pass");
}

fn shown(sent: &[(String, i64)]) -> Vec<(&str, i64)> {
    sent.iter().map(|(template, hours)| (template.as_str(), *hours)).collect()
}

const RESCUE: &str = r#"
[[journey]]
id = "rescue"
trigger = { event = "Trial Started" }
stages = ["trial"]
goal = { event = "Report Shared", within_days = 10 }
[[journey.step]]
wait = { days = 2 }
[[journey.step]]
branch = { when = 'count("Login") >= 3', go_to = "end" }
[[journey.step]]
channel = "in_app"
template = "help"
[[journey.step]]
wait = { event = "Login", days = 3, timeout = "call" }
[[journey.step]]
channel = "in_app"
template = "chat"
then = "end"
[[journey.step]]
id = "call"
channel = "mail"
template = "call"
"#;

#[test]
fn someone_waits_is_helped_and_what_they_do_then_decides_the_way() {
    let config = journeys(RESCUE);
    let begin = || {
        let mut person = Person::new("u");
        person.feed(&config, &[event("m0", "Trial Started", start())], start());
        person
    };
    let mut silent = begin();
    assert_eq!(shown(&play(&config, &mut silent, plus_days(start(), 20))), [("help", 48), ("call", 48 + 72)]);
    assert_eq!(silent.profile.facts().runs.len(), 0, "the way has come to its end");

    let mut back = begin();
    assert_eq!(shown(&play(&config, &mut back, plus_days(start(), 4))), [("help", 48)]);
    let login = plus_days(start(), 4);
    back.feed(&config, &[event("m1", "Login", login)], login);
    assert_eq!(decisions(&mut back.profile)[0].template, "chat");
    assert_eq!(play(&config, &mut back, plus_days(start(), 30)), [], "who came back is not called");

    let mut active = begin();
    let logins: Vec<Event> = (0..3).map(|n| event(&format!("l{n}"), "Login", start())).collect();
    active.feed(&config, &logins, start());
    assert_eq!(play(&config, &mut active, plus_days(start(), 20)), [], "who works needs no rescue");
}

#[test]
fn who_reaches_the_goal_or_leaves_the_stages_gets_nothing_more() {
    let config = journeys(RESCUE);
    for (name, reached) in [("Report Shared", true), ("Order Completed", false)] {
        let mut person = Person::new("u");
        person.feed(&config, &[event("m0", "Trial Started", start())], start());
        let now = plus_days(start(), 1);
        person.feed(&config, &[event("m1", name, now)], now);
        assert_eq!(play(&config, &mut person, plus_days(start(), 20)), [], "after {name}");
        let facts = person.profile.facts();
        let entered = facts.entered.values().next().unwrap();
        assert_eq!(entered.reached.is_some(), reached, "after {name}");
        assert!(facts.runs.is_empty());
    }
    // An action before the entry, or too long after it, is not its goal.
    let mut person = Person::new("u");
    person.feed(&config, &[event("m1", "Report Shared", start())], start());
    let now = plus_days(start(), 1);
    person.feed(&config, &[event("m0", "Trial Started", now)], now);
    let late = plus_days(now, 11);
    person.feed(&config, &[event("m2", "Report Shared", late)], late);
    assert_eq!(person.profile.facts().entered.values().next().unwrap().reached, None);
}

#[test]
fn a_condition_lets_out_whom_the_journey_is_not_for_any_more() {
    let config = journeys(
        r#"
        [[journey]]
        id = "course"
        trigger = { event = "Login" }
        exit = 'count("Complained") > 0'
        reentry = "always"
        [[journey.step]]
        wait = { hours = 5 }
        [[journey.step]]
        channel = "mail"
        template = "help"
        "#,
    );
    let mut person = Person::new("u");
    person.feed(&config, &[event("m0", "Login", start())], start());
    let now = at("2026-03-02T12:00:00Z");
    person.feed(&config, &[event("m1", "Complained", now)], now);
    assert!(person.profile.facts().runs.is_empty(), "they leave at once");
    assert_eq!(play(&config, &mut person, plus_days(start(), 3)), []);
    person.feed(&config, &[event("m2", "Login", now)], now);
    assert!(person.profile.facts().runs.is_empty(), "and do not enter again");
}

#[test]
fn a_condition_that_comes_to_hold_by_time_alone_sets_a_journey_off_once() {
    let config = journeys(
        r#"
        [[journey]]
        id = "article"
        trigger = { becomes = 'days_since("Onboarding Completed") >= 30' }
        [[journey.step]]
        channel = "mail"
        template = "help"
        "#,
    );
    let mut person = Person::new("u");
    person.feed(&config, &[event("m0", "Onboarding Completed", start())], start());
    assert_eq!(shown(&play(&config, &mut person, plus_days(start(), 90))), [("help", 30 * 24)]);
    // Real events have fractions of a second, while timers fire at whole ones.
    let mut fraction = Person::new("u");
    let begun = start().checked_add(SignedDuration::from_micros(400_003)).unwrap();
    fraction.feed(&config, &[event("m0", "Onboarding Completed", begun)], begun);
    assert_eq!(shown(&play(&config, &mut fraction, plus_days(start(), 90))), [("help", 30 * 24)], "not a day later");
    let mut imported = Person::new("u");
    let now = plus_days(start(), 200);
    imported.feed(&config, &[event("m0", "Onboarding Completed", start())], now);
    assert_eq!(decisions(&mut imported.profile), [], "what came to hold long ago is no news");
    tick(&Moment::new(&config, plus_days(now, 1)), &mut imported.profile);
    assert_eq!(decisions(&mut imported.profile), []);
}

#[test]
fn waits_end_at_the_persons_own_time_of_day() {
    let config = journeys(
        r#"
        [[journey]]
        id = "morning"
        trigger = { event = "Login" }
        [[journey.step]]
        wait = { until = "09:00", weekdays = ["wed"] }
        [[journey.step]]
        channel = "mail"
        template = "help"
        "#,
    );
    // 2 March 2026 is a Monday. Nine in the morning of Wednesday is midnight in UTC there.
    for (zone, hours) in [("Asia/Tokyo", 38), ("UTC", 47), ("Nowhere/At-All", 47)] {
        let mut person = Person::new("u");
        let identify = EventBuilder::identify("i", "u", None).with_trait("timezone", zone).at(start()).build();
        person.feed(&config, &[identify, event("m0", "Login", start())], start());
        assert_eq!(shown(&play(&config, &mut person, plus_days(start(), 9))), [("help", hours)], "{zone}");
    }
}

#[test]
fn a_split_gives_each_way_its_share_and_everyone_always_the_same() {
    let config = journeys(
        r#"
        [[journey]]
        id = "offer"
        trigger = { event = "Login" }
        reentry = "always"
        [[journey.step]]
        split = { short = 30, long = 70 }
        [[journey.step]]
        id = "short"
        channel = "mail"
        template = "help"
        then = "end"
        [[journey.step]]
        id = "long"
        channel = "mail"
        template = "chat"
        "#,
    );
    let mut short = 0;
    for n in 0..1000 {
        let user = format!("user-{n}");
        let mut person = Person::new(&user);
        let login = |id: &str| EventBuilder::track(id, &user, "Login").at(start()).build();
        person.feed(&config, &[login("m0")], start());
        let first = decisions(&mut person.profile);
        person.feed(&config, &[login("m1")], start());
        let second = decisions(&mut person.profile);
        assert_eq!((first.len(), &first[0].template), (1, &second[0].template));
        assert_ne!(first[0].id, second[0].id, "another cause, another message");
        short += i32::from(first[0].template == "help");
    }
    // Three standard deviations of a binomial distribution of 1,000 at 0.3 are 43.
    assert!((short - 300).abs() < 44, "{short}");
}

#[test]
fn what_a_journey_counts_and_writes_is_no_activity_of_the_person() {
    let config = journeys(
        r#"
        [[journey]]
        id = "mark"
        trigger = { event = "Login" }
        [[journey.step]]
        event = "Rescue Begun"
        [[journey.step]]
        traits = { rescue = "begun" }
        "#,
    );
    let mut person = Person::new("u");
    person.feed(&config, &[event("m0", "Login", start())], start());
    let own: Vec<Event> = std::mem::take(&mut person.profile.outbox)
        .into_iter()
        .filter_map(|action| if let Action::Count { event } = action { Some(event) } else { None })
        .collect();
    assert_eq!(own.len(), 2);
    let later = plus_days(start(), 1);
    let counted = person.feed(&config, &own, later).counted;
    assert_eq!((counted, person.feed(&config, &own, later).counted), (2, 0), "each counts once");
    let view = person.profile.view();
    assert_eq!(view.counts.get("Rescue Begun"), 1);
    assert_eq!(view.text_trait("rescue").as_deref(), Some("begun"));
    assert_eq!(view.seen.unwrap().last_at(), start());
}

#[test]
fn a_second_cause_on_the_way_does_not_begin_it_twice_and_a_repeat_makes_the_same_decision() {
    let config = journeys(
        r#"
        [[journey]]
        id = "way"
        trigger = { event = "Login" }
        reentry = "always"
        [[journey.step]]
        channel = "in_app"
        template = "help"
        [[journey.step]]
        wait = { days = 1 }
        [[journey.step]]
        channel = "mail"
        template = "chat"
        "#,
    );
    let run = || {
        let mut person = Person::new("u");
        person.feed(&config, &[event("m0", "Login", start()), event("m1", "Login", start())], start());
        let mut all = decisions(&mut person.profile);
        let due = person.profile.due_at.unwrap();
        tick(&Moment::new(&config, due), &mut person.profile);
        tick(&Moment::new(&config, due), &mut person.profile);
        all.extend(decisions(&mut person.profile));
        all
    };
    let (once, again) = (run(), run());
    assert_eq!(once, again);
    assert_eq!(once.iter().map(|decision| decision.template.as_str()).collect::<Vec<_>>(), ["help", "chat"]);
    assert!(
        once.iter()
            .all(|decision| matches!(&decision.cause, Cause::Event { message_id, .. } if message_id.as_str() == "m0"))
    );
    assert_ne!(once[0].id, once[1].id);
}

#[test]
fn who_is_on_the_way_when_a_journey_changes_goes_on_at_the_step_of_the_same_id() {
    let with =
        |steps: &str| journeys(&format!("[[journey]]\nid = \"way\"\ntrigger = {{ event = \"Login\" }}\n{steps}"));
    let wait = "[[journey.step]]\nid = \"pause\"\nwait = { days = 2 }\n";
    let send = |template: &str| format!("[[journey.step]]\nchannel = \"mail\"\ntemplate = \"{template}\"\n");
    let old = with(&format!("{wait}{}", send("help")));
    let cases = [
        (with(&format!("{}{wait}{}", send("call"), send("chat"))), vec!["chat"]),
        (with(&send("chat")), vec![]),
        (with(&format!("[[journey.step]]\nid = \"pause\"\nevent = \"Passed\"\n{}", send("chat"))), vec!["chat"]),
        (journeys(""), vec![]),
    ];
    for (new, expected) in cases {
        let mut person = Person::new("u");
        person.feed(&old, &[event("m0", "Login", start())], start());
        let sent = play(&new, &mut person, plus_days(start(), 9));
        assert_eq!(sent.iter().map(|(template, _)| template.as_str()).collect::<Vec<_>>(), expected);
        assert!(person.profile.facts().runs.is_empty());
    }
}

#[test]
fn two_who_turn_out_to_be_one_go_on_once_and_leave_together() {
    let config = journeys(
        r#"
        [[journey]]
        id = "course"
        trigger = { event = "Login" }
        reentry = "always"
        [[journey.step]]
        wait = { days = 1 }
        [[journey.step]]
        channel = "mail"
        template = "help"
        [[journey.step]]
        wait = { days = 1 }
        [[journey.step]]
        channel = "mail"
        template = "chat"
        "#,
    );
    let login = |user: &str, at| EventBuilder::track(user, user, "Login").at(at).build();
    let mut first = Person::new("u");
    first.feed(&config, &[login("u", start())], start());
    let mut second = Person::new("v");
    let later = at("2026-03-02T15:00:00Z");
    second.feed(&config, &[login("v", later)], later);
    let (own, alone) = (second.profile.parts[0].clone(), second.profile.clone());
    first.profile.parts.extend(second.profile.parts);
    assert_eq!(shown(&play(&config, &mut first, plus_days(start(), 9))), [("help", 24), ("chat", 48)]);
    assert!(first.profile.facts().runs.is_empty(), "neither goes on alone after that");
    // If they turn out to be two people, the second continues from where they were.
    let parted = first.profile.parts.pop().unwrap();
    let key = |part: &Part| part.facts.runs.iter().map(|(key, run)| (*key, run.step, run.due)).collect::<Vec<_>>();
    assert_eq!(key(&parted), key(&own));
    second.profile = Profile { parts: vec![parted], ..alone };
    assert_eq!(shown(&play(&config, &mut second, plus_days(start(), 9))), [("help", 29), ("chat", 53)]);
    assert!(first.profile.facts().runs.is_empty() && second.profile.facts().runs.is_empty());
}

#[test]
fn what_a_journey_counts_and_the_outbox_sends_again_is_nobodys_repetition() {
    let config = journeys(
        "[[journey]]\nid = \"way\"\ntrigger = { event = \"Login\" }\n[[journey.step]]\nevent = \"Way Begun\"\n",
    );
    let mut person = Person::new("u");
    person.feed(&config, &[event("m0", "Login", start())], start());
    let counted = |action| if let Action::Count { event } = action { Some(event) } else { None };
    let own: Vec<Event> = std::mem::take(&mut person.profile.outbox).into_iter().filter_map(counted).collect();
    assert_eq!(own.len(), 1);
    let sent = [own[0].clone(), event("m0", "Login", start())];
    let mut feed = |events: &[Event]| {
        let processed = person.feed(&config, events, start());
        (processed.counted, processed.duplicates)
    };
    assert_eq!(feed(&sent), (1, 1));
    assert_eq!(feed(&sent), (0, 1), "of the two repetitions one was sent by someone");
}
