//! Mails that wait for an address.
//!
//! The calls of one sign-up do not come in order: an event that starts a journey may be counted seconds before the `identify` call with the mail address. So
//! a mail that lacks an address is held in the profile, for as long as `mail.wait_for_address_minutes` of `channels.toml` says; the due index wakes
//! the profile then. As soon as an address is known the mail goes out. Once the wait is over it goes to `deliver` all the same, which records that it
//! was not deliverable. The journey itself does not wait.

use crate::action::Action;
use crate::moment::Moment;
use crate::profile::Profile;
use crate::state::State;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_domain::{Channel, Decision};

/// The most mails that one profile holds. Those beyond it are not held.
const MAX_HELD: usize = 20;
/// The trait that holds a mail address.
const ADDRESS_TRAIT: &str = "email";

impl Action {
    /// Whether it stays in the profile: nothing is to be done now, and the next write keeps it.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Hold(_) | Self::Recall { .. })
    }
}

/// Returns the mails that a profile holds, each with when it has waited long enough.
pub fn held<'a>(config: &Config, profile: &'a Profile) -> impl Iterator<Item = (&'a Decision, Timestamp)> {
    profile.outbox.iter().filter_map(|action| match action {
        Action::Hold(decision) => Some((decision, until(config, decision))),
        _ => None,
    })
}

/// Holds the mails of the outbox that lack an address, and lets those go that have one by now or have waited long enough. `view` is the combined
/// state. Returns whether anything changed.
pub(crate) fn settle(moment: &Moment<'_>, profile: &mut Profile, view: &State) -> bool {
    let is_mail = |action: &Action| match action {
        Action::Hold(_) => true,
        Action::Send(decision) => may_wait(decision),
        _ => false,
    };
    if !profile.outbox.iter().any(is_mail) {
        return false;
    }
    let is_known = view.text_trait(ADDRESS_TRAIT).is_some_and(|address| !address.trim().is_empty());
    let must_wait = |decision: &Decision| !is_known && until(moment.config, decision) > moment.now;
    let (mut kept, mut released, mut held, mut changed) = (Vec::new(), Vec::new(), 0, false);
    for action in std::mem::take(&mut profile.outbox) {
        match action {
            Action::Hold(decision) if !must_wait(&decision) => {
                changed = true;
                released.push(Action::Send(decision));
            }
            Action::Send(decision) if may_wait(&decision) && must_wait(&decision) && held < MAX_HELD => {
                (changed, held) = (true, held + 1);
                kept.push(Action::Hold(decision));
            }
            action => {
                held += usize::from(matches!(action, Action::Hold(_)));
                kept.push(action);
            }
        }
    }
    kept.append(&mut released);
    profile.outbox = kept;
    changed
}

/// When the first held mail has waited long enough, rounded up to a second.
pub(crate) fn next_due(moment: &Moment<'_>, profile: &Profile) -> Option<Timestamp> {
    let first = held(moment.config, profile).map(|(_, until)| until).min()?;
    let second = first.as_second() + i64::from(first.subsec_nanosecond() > 0);
    Timestamp::from_second(second).ok()
}

fn may_wait(decision: &Decision) -> bool {
    decision.channel == Channel::Mail && decision.withheld.is_none()
}

/// When a mail has waited long enough for an address.
pub(crate) fn until(config: &Config, decision: &Decision) -> Timestamp {
    let wait = SignedDuration::from_mins(config.channels.mail.wait_for_address_minutes.into());
    decision.decided_at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::{Mode, process, tick};
    use perennial_domain::Event;
    use perennial_testkit::{ConfigBuilder, EventBuilder};
    use std::collections::HashSet;

    fn config(minutes: u16) -> Config {
        let journey = "[[journey]]\nid = \"welcome\"\ntrigger = { event = \"Trial Started\" }\n\
            step = [{ channel = \"mail\", template = \"t\" }, { channel = \"in_app\", template = \"t\" }]\n";
        let channels = format!(
            "!max_event_age_hours = 48\n[mail]\nfrom = \"a@example.com\"\nconfiguration_set = \"c\"\nwait_for_address_minutes = {minutes}\n"
        );
        let files = [
            ("journeys.toml", journey),
            ("channels.toml", channels.as_str()),
            ("templates/t.toml", "subject = \"s\"\ntext = \"t\"\n"),
        ];
        ConfigBuilder::least().with(&files).load()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn started() -> Event {
        EventBuilder::track("t", "u", "Trial Started").at(at("2026-03-02T10:00:00.5Z")).build()
    }

    fn identified(now: Timestamp) -> Event {
        EventBuilder::identify("i", "u", None).with_trait("email", "u@example.com").at(now).build()
    }

    fn feed(config: &Config, profile: &mut Profile, events: &[Event], now: Timestamp) -> Vec<(Channel, bool)> {
        process(&Moment::new(config, now), profile, events, &HashSet::new(), Mode::Live);
        taken(profile)
    }

    /// What goes out now, by its channel, and what is held; the next write keeps the latter.
    fn taken(profile: &mut Profile) -> Vec<(Channel, bool)> {
        let all = profile.outbox.iter().filter_map(|action| match action {
            Action::Send(decision) => Some((decision.channel, false)),
            Action::Hold(decision) => Some((decision.channel, true)),
            _ => None,
        });
        let all = all.collect();
        profile.outbox.retain(Action::is_held);
        all
    }

    #[test]
    fn a_mail_waits_for_the_address_that_comes_seconds_later() {
        let (config, now) = (config(10), at("2026-03-02T10:00:00.5Z"));
        let mut profile = Profile::new(started().identity().unwrap());
        let first = feed(&config, &mut profile, &[started()], now);
        assert_eq!(first, [(Channel::Mail, true), (Channel::InApp, false)], "the journey goes on meanwhile");
        assert_eq!(profile.due_at, Some(at("2026-03-02T10:10:01Z")));
        let later = at("2026-03-02T10:00:10Z");
        assert_eq!(feed(&config, &mut profile, &[identified(later)], later), [(Channel::Mail, false)]);
        assert_eq!(feed(&config, &mut profile, &[EventBuilder::track("x", "u", "X").at(later).build()], later), []);
    }

    #[test]
    fn a_mail_that_has_waited_long_enough_counts_as_not_deliverable() {
        let (config, now) = (config(10), at("2026-03-02T10:00:00.5Z"));
        let mut profile = Profile::new(started().identity().unwrap());
        feed(&config, &mut profile, &[started()], now);
        let early = at("2026-03-02T10:09:00Z");
        assert!(!tick(&Moment::new(&config, early), &mut profile).changed);
        assert_eq!(taken(&mut profile), [(Channel::Mail, true)]);
        let due = profile.due_at.unwrap();
        assert!(tick(&Moment::new(&config, due), &mut profile).changed);
        assert_eq!(taken(&mut profile), [(Channel::Mail, false)], "deliver records why it does not go out");
    }

    #[test]
    fn the_order_of_two_calls_makes_no_difference() {
        let (config, now) = (config(10), at("2026-03-02T10:00:01Z"));
        let orders = [vec![started(), identified(now)], vec![identified(now), started()]];
        let [one, other] = orders.map(|events| {
            let mut profile = Profile::new(started().identity().unwrap());
            let mut sent = Vec::new();
            for event in &events {
                sent.extend(feed(&config, &mut profile, std::slice::from_ref(event), now));
            }
            sent.retain(|(_, is_held)| !is_held);
            sent.sort_unstable();
            (sent, profile.view().traits, profile.outbox)
        });
        assert_eq!(one, other);
        assert_eq!(one.0, [(Channel::Mail, false), (Channel::InApp, false)]);
    }

    #[test]
    fn nothing_waits_where_the_config_says_so() {
        let (config, now) = (config(0), at("2026-03-02T10:00:01Z"));
        let mut profile = Profile::new(started().identity().unwrap());
        assert_eq!(feed(&config, &mut profile, &[started()], now), [(Channel::Mail, false), (Channel::InApp, false)]);
    }

    #[test]
    fn what_came_with_the_event_is_there_when_the_journey_goes_on() {
        let journey = "[[journey]]\nid = \"course\"\ntrigger = { event = \"Webinar Attended\" }\n[[journey.step]]\nchannel = \"in_app\"\ntemplate = \"t\"\n\
            [[journey.step]]\nwait = { days = 7 }\n[[journey.step]]\nchannel = \"in_app\"\ntemplate = \"t\"\n";
        let template = "subject = \"{{ event.properties.webinar }}\"\ntext = \"{{ event.properties['seats'] }}\"\n";
        let config = ConfigBuilder::least().with(&[("journeys.toml", journey), ("templates/t.toml", template)]).load();
        let now = at("2026-03-02T10:00:00Z");
        let properties = serde_json::json!({"webinar": "start", "seats": 3, "other": "x"});
        let event = EventBuilder::track("w", "u", "Webinar Attended").properties(properties).at(now).build();
        let mut profile = Profile::new(event.identity().unwrap());
        let said = |profile: &mut Profile| {
            let sent = profile.outbox.iter().filter_map(|action| match action {
                Action::Send(decision) => Some(serde_json::Value::from(decision.properties.clone())),
                _ => None,
            });
            let sent: Vec<_> = sent.collect();
            profile.outbox.retain(Action::is_held);
            sent
        };
        process(&Moment::new(&config, now), &mut profile, &[event], &HashSet::new(), Mode::Live);
        let expected = serde_json::json!({"webinar": "start", "seats": 3});
        assert_eq!(said(&mut profile), std::slice::from_ref(&expected), "what no template puts in is not kept");
        let due = profile.due_at.unwrap();
        tick(&Moment::new(&config, due), &mut profile);
        assert_eq!(said(&mut profile), [expected]);
        assert_eq!(profile.outbox, [], "nothing is kept of a journey that has ended");
    }
}
