//! Caps of messages, and what happens to messages over them.

use super::{Person, config, each, templates};
use crate::support::at;
use perennial_domain::Withheld;
use perennial_domain::time::plus_days;

#[test]
fn caps_count_by_channel_and_together_over_their_days_and_what_is_over_waits() {
    let limits =
        "[[cap]]\nmessages = 2\nwithin_days = 7\nchannels = [\"mail\"]\n[[cap]]\nmessages = 3\nwithin_days = 1\n";
    let journeys =
        [each("Mail", "mail", "news", ""), each("Show", "in_app", "offer", ""), each("Bill", "mail", "bill", "")];
    let config = config(&journeys.concat(), limits);
    let mut person = Person::new("u");
    person.has_address(&config, at("2026-03-02T09:00:00Z"));
    let mut sent = |name: &str, now: &str| person.does(&config, name, at(now)).len();
    assert_eq!(sent("Mail", "2026-03-02T10:00:00Z"), 1);
    assert_eq!(sent("Mail", "2026-03-02T10:01:00Z"), 1);
    assert_eq!(sent("Mail", "2026-03-02T10:02:00Z"), 0, "the third mail of the week");
    assert_eq!(sent("Show", "2026-03-02T10:03:00Z"), 1, "what waits does not count");
    assert_eq!(sent("Show", "2026-03-02T10:04:00Z"), 0, "the fourth message of the day");
    assert_eq!(sent("Bill", "2026-03-02T10:05:00Z"), 1, "what must be known is not held back");
    let mut next = || {
        let (when, decided) = person.due(&config);
        let decided: Vec<_> = decided.iter().map(|one| (one.template.clone(), one.withheld)).collect();
        (when, decided)
    };
    // The day's cap has room at 10:01, and a day lies between this one and the last message that was not essential.
    assert_eq!(next(), (at("2026-03-03T10:03:00Z"), vec![("offer".to_owned(), None)]), "a day later");
    // The week's cap would have room on 9 March.
    let capped = vec![("news".to_owned(), Some(Withheld::Capped))];
    assert_eq!(next(), (at("2026-03-05T10:02:01Z"), capped), "older than three days");
    assert!(person.does(&config, "Mail", at("2026-03-09T10:00:30Z")).is_empty(), "of the week before, two still count");
    let (when, decided) = person.due(&config);
    assert_eq!((when, templates(&decided)), (at("2026-03-09T10:01:00Z"), vec![("news", None)]), "one still counts");
    person.does(&config, "Something", at("2026-03-09T10:06:00Z"));
    assert!(person.profile.facts().sent.len() <= 3, "what no cap asks for any more is forgotten");
}

#[test]
fn two_identities_of_one_person_have_one_cap() {
    let config = config(&each("Mail", "mail", "news", ""), "[[cap]]\nmessages = 1\nwithin_days = 7\n");
    let now = at("2026-03-02T10:00:00Z");
    let (mut first, mut second) = (Person::new("u"), Person::new("v"));
    first.has_address(&config, now);
    assert_eq!(templates(&second.does(&config, "Mail", now)), [("news", None)]);
    first.profile.parts.append(&mut second.profile.parts);
    assert_eq!(templates(&first.does(&config, "Mail", plus_days(now, 1))), [], "waits");
    let (when, dropped) = first.due(&config);
    assert_eq!((when, templates(&dropped)), (at("2026-03-06T10:00:01Z"), vec![("news", Some(Withheld::Capped))]));
}

#[test]
fn a_journey_waits_with_a_message_that_is_over_a_cap_and_its_next_wait_counts_from_the_sending() {
    let course = format!(
        "{}[[journey.step]]\nwait = {{ days = 2 }}\n[[journey.step]]\nchannel = \"mail\"\ntemplate = \"offer\"\n",
        each("Course", "mail", "news", "")
    );
    let config =
        config(&format!("{}{course}", each("Mail", "mail", "offer", "")), "[[cap]]\nmessages = 1\nwithin_days = 1\n");
    let mut person = Person::new("u");
    person.has_address(&config, at("2026-03-02T08:00:00Z"));
    assert_eq!(templates(&person.does(&config, "Mail", at("2026-03-02T09:00:00Z"))), [("offer", None)]);
    assert_eq!(templates(&person.does(&config, "Course", at("2026-03-02T10:00:00Z"))), []);
    let (when, decided) = person.due(&config);
    assert_eq!((when, templates(&decided)), (at("2026-03-03T09:00:00Z"), vec![("news", None)]));
    let (when, decided) = person.due(&config);
    assert_eq!((when, templates(&decided)), (at("2026-03-05T09:00:00Z"), vec![("offer", None)]));
}

#[test]
fn a_message_that_a_cap_holds_back_for_too_long_is_dropped_and_its_journey_continues() {
    let course = format!(
        "{}[[journey.step]]\nwait = {{ days = 2 }}\n[[journey.step]]\nchannel = \"in_app\"\ntemplate = \"offer\"\n",
        each("Course", "mail", "news", "max_age_days = 1")
    );
    let limits = "[[cap]]\nmessages = 1\nwithin_days = 30\nchannels = [\"mail\"]\n";
    let config = config(&format!("{}{course}", each("Mail", "mail", "offer", "")), limits);
    let mut person = Person::new("u");
    person.has_address(&config, at("2026-03-02T08:00:00Z"));
    person.does(&config, "Mail", at("2026-03-02T09:00:00Z"));
    assert_eq!(templates(&person.does(&config, "Course", at("2026-03-02T10:00:00Z"))), []);
    let (when, decided) = person.due(&config);
    assert_eq!((when, templates(&decided)), (at("2026-03-03T10:00:01Z"), vec![("news", Some(Withheld::Capped))]));
    let (when, decided) = person.due(&config);
    assert_eq!((when, templates(&decided)), (at("2026-03-05T10:00:01Z"), vec![("offer", None)]));
}
