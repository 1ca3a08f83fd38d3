//! Mails that wait for an address.
//!
//! The calls of one sign-up do not arrive in order: an event that starts a journey may be counted seconds before the
//! `identify` call with the mail address. So a mail that lacks an address is kept in the profile, for as long as
//! `mail.wait_for_address_minutes` of `channels.toml` says; the due index wakes the profile then. As soon as an address
//! is known the mail is sent. Once the wait is over it is passed to `deliver` all the same, which records that it was
//! not deliverable. The journey itself does not wait.
//!
//! The call with the address may contain more: a time zone in which it is night, a payment, a link to a person who had
//! the mail already. So before a mail is sent everything is checked again that was checked when it was decided: the
//! journey's conditions, quiet hours, holdouts, caps. It counts toward caps when it is sent. If an address is new, its
//! other owners are found first ([`Action::LookAgain`]): of two runs that one person could not have had, one mail is
//! sent.

use crate::action::Action;
use crate::candidates::Waiting;
use crate::facts::Entered;
use crate::instant::moment as entered_at;
use crate::known::has_address;
use crate::limits;
use crate::moment::Moment;
use crate::profile::{Part, Profile};
use crate::refusal::Refusal;
use crate::situation::Situation;
use crate::start::position;
use crate::state::State;
use crate::taken::Taken;
use jiff::{SignedDuration, Timestamp};
use perennial_config::Config;
use perennial_config::journeys::{Journey, Message, Rank, Reentry};
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Cause, Channel, Decision};

/// The most waiting mails of one profile. Further ones do not wait.
const MAX_HELD: usize = 20;
impl Action {
    /// Returns whether it stays in the profile: nothing is executed now, and the next write keeps it.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Hold(_) | Self::Recall { .. } | Self::Defer { .. })
    }
}

/// Returns the waiting mails of a profile, each with the end of its wait.
pub fn held<'a>(config: &Config, profile: &'a Profile) -> impl Iterator<Item = (&'a Decision, Timestamp)> {
    profile.outbox.iter().filter_map(|action| match action {
        Action::Hold(decision) => Some((decision, until(config, decision))),
        _ => None,
    })
}

/// When a mail has waited long enough for an address.
pub(crate) fn until(config: &Config, decision: &Decision) -> Timestamp {
    let wait = SignedDuration::from_mins(config.channels.mail.wait_for_address_minutes.into());
    decision.decided_at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// When held mails have to be looked at: the first that has waited long enough, rounded up to a second; or, where an address is known, when the
/// night is over in which they may not go out, else at once.
pub(crate) fn next_due(moment: &Moment<'_>, profile: &Profile, view: &State) -> Option<Timestamp> {
    let first = held(moment.config, profile).map(|(_, until)| until).min()?;
    let second = if has_address(view) {
        limits::night_over(moment, view, Channel::Mail).unwrap_or(moment.now.as_second())
    } else {
        first.as_second() + i64::from(first.subsec_nanosecond() > 0)
    };
    Timestamp::from_second(second).ok()
}

impl Situation<'_, '_> {
    /// Returns whether a message that is decided now has to wait for an address.
    pub(crate) fn waits_for_address(&self, decision: &Decision) -> bool {
        decision.channel == Channel::Mail
            && decision.withheld.is_none()
            && !has_address(self.person.state)
            && until(self.config(), decision) > self.now()
            && self.profile.outbox.iter().filter(|action| matches!(action, Action::Hold(_))).count() < MAX_HELD
    }

    /// Releases the waiting mails that have an address by now, or have waited long enough; the earliest first. If
    /// `is_open`, the other owners of the address are yet to be found, and the mails are checked after that. Returns
    /// whether anything changed.
    pub(crate) fn release(&mut self, is_open: bool) -> bool {
        let (config, now) = (self.config(), self.now());
        let is_known = has_address(self.person.state);
        let over = held(config, self.profile).filter(|(_, until)| is_known || *until <= now);
        let mut over: Vec<Decision> = over.map(|(decision, _)| decision.clone()).collect();
        over.sort_by_key(|decision| decision.decided_at);
        let mut changed = false;
        for mut decision in over {
            if let Some(journey) = config.journeys.named(&decision.journey) {
                if let Some(why) = self.why_not_any_more(journey, &decision) {
                    self.take_out(&decision);
                    self.tell(journey, None, why);
                    changed = true;
                    continue;
                }
                let Decision { channel, template, endpoint, .. } = decision.clone();
                let message = Message { channel, template, endpoint, rank: Rank::default() };
                // An undeliverable mail is only recorded: at any hour, and without counting toward a cap.
                if is_known {
                    if is_open || self.quiet_until(journey, &message).is_some() {
                        continue;
                    }
                    decision.withheld = self.withheld(journey, &message);
                    if decision.withheld.is_none() {
                        self.note_sent(journey, &message);
                    }
                }
            }
            self.take_out(&decision);
            self.profile.outbox.push(Action::Send(Decision { decided_at: now, ..decision }));
            changed = true;
        }
        let asks = is_open && held(config, self.profile).next().is_some();
        if asks {
            self.profile.outbox.push(Action::LookAgain { at: now });
        }
        changed || asks
    }

    fn take_out(&mut self, decision: &Decision) {
        self.profile.outbox.retain(|action| !matches!(action, Action::Hold(held) if held.id == decision.id));
    }

    /// Returns why a mail is no longer for the person, now that more is known of them.
    fn why_not_any_more(&self, journey: &Journey, decision: &Decision) -> Option<Taken> {
        if self.facts.entered.get(&journey.key).is_some_and(|entered| entered.reached.is_some()) {
            return Some(Taken::Reached);
        }
        // A new entry has to meet all of the journey's conditions, an existing run only those that would have ended it.
        let decided = decision.decided_at.as_millisecond();
        let mut entered = self.profile.parts.iter().filter_map(|part| part.facts.entered.get(&journey.key));
        let why = if entered.any(|entered| entered.last == decided) {
            self.not_for(journey).map(Taken::Refused)
        } else {
            self.why_out(journey).map(Taken::Left)
        };
        why.or_else(|| self.went_another_way(journey, decision).map(Taken::Refused))
    }

    /// Returns what would have kept the person out, had it been known that the profiles that entered are one: of
    /// several runs that one person cannot have, the mail of the first is sent, or the one that was sent before that
    /// was known. While the mails of both wait, neither is the surplus one.
    fn went_another_way(&self, journey: &Journey, decision: &Decision) -> Option<Refusal> {
        let own = self.part_of(journey, decision)?;
        let holds = |part: &Part| self.holds(part, journey, decision);
        self.other_way(journey, own, decision.step.into(), holds).map(|(refusal, _)| refusal)
    }

    /// Returns why the message of a candidate is surplus, because the same person had it before their profiles were
    /// merged; with whether the other run is still in progress.
    pub(crate) fn had_elsewhere(&self, waiting: &Waiting<'_>) -> Option<(Refusal, bool)> {
        let key = &waiting.journey.key;
        let is_own = |part: &&Part| part.facts.runs.get(key).is_some_and(|run| run.is_of(&waiting.run));
        let own = self.profile.parts.iter().find(is_own)?;
        let (refusal, other) = self.other_way(waiting.journey, own, waiting.at, |_| false)?;
        Some((refusal, other.facts.runs.contains_key(key)))
    }

    /// Returns the identity that has had the message of a step in place of `own`, and why `own` may not have it too.
    fn other_way(
        &self,
        journey: &Journey,
        own: &Part,
        step: usize,
        holds: impl Fn(&Part) -> bool,
    ) -> Option<(Refusal, &Part)> {
        let key = &journey.key;
        let mine = own.facts.entered.get(key)?;
        let is_before = |part: &Part, entered: &Entered| (entered.last, part.owner()) < (mine.last, own.owner());
        let others = self.profile.parts.iter().filter(|part| part.identity != own.identity);
        others.filter_map(|part| Some((part, part.facts.entered.get(key)?))).find_map(|(part, entered)| {
            let refusal = match journey.reentry {
                Reentry::Once => Refusal::Once { entered: entered_at(entered.last) },
                Reentry::AfterDays(days) => {
                    let apart = mine.last.abs_diff(entered.last);
                    if apart >= u64::from(days) * DAY_SECONDS.unsigned_abs() * 1000 {
                        return None;
                    }
                    Refusal::TooSoon { entered: entered_at(entered.last), days }
                }
                Reentry::Always => {
                    part.facts.runs.get(key)?;
                    let refusal = Refusal::UnderWay { since: entered_at(entered.last) };
                    return is_before(part, entered).then_some((refusal, part));
                }
            };
            let is_over = !holds(part) && (is_before(part, entered) || !is_coming(part, journey, step));
            is_over.then_some((refusal, part))
        })
    }

    /// Returns whether a mail of the same step in this identity's run is waiting.
    fn holds(&self, part: &Part, journey: &Journey, decision: &Decision) -> bool {
        held(self.config(), self.profile).any(|(other, _)| {
            (&other.journey, other.step) == (&decision.journey, decision.step)
                && self.part_of(journey, other).is_some_and(|of| of.identity == part.identity)
        })
    }

    /// Returns the identity because of which the mail's journey was entered: the one with its event, else the one that
    /// entered last before the mail was decided.
    fn part_of(&self, journey: &Journey, decision: &Decision) -> Option<&Part> {
        let entered = self.profile.parts.iter().filter(|part| part.facts.entered.contains_key(&journey.key));
        let by_event = match &decision.cause {
            Cause::Event { message_id, .. } => {
                let ids = [message_id.hash64(), message_id.hash64_public()];
                entered.clone().find(|part| ids.iter().any(|id| part.seen.contains(*id)))
            }
            _ => None,
        };
        let last = |part: &&Part| part.facts.entered.get(&journey.key).map_or(0, |entered| entered.last);
        let decided = decision.decided_at.as_millisecond();
        by_event.or_else(|| entered.filter(|part| last(part) <= decided).max_by_key(last))
    }
}

/// Returns whether the run of this identity has yet to reach the step of the message.
fn is_coming(part: &Part, journey: &Journey, step: usize) -> bool {
    let run = part.facts.runs.get(&journey.key);
    run.and_then(|run| position(journey, run)).is_some_and(|(at, _)| at <= step)
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

    /// Returns the channels of the mails that are sent now and of those that wait; the next write keeps the latter.
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

    /// Returns the same once the other owners of an address are known, if that was requested.
    fn settled(config: &Config, profile: &mut Profile, now: Timestamp) -> Vec<(Channel, bool)> {
        assert!(profile.due_at.is_some_and(|due| due <= now), "the due index knows, should the question be lost");
        tick(&Moment::new(config, now), profile);
        taken(profile)
    }

    #[test]
    fn a_mail_waits_for_the_address_that_comes_seconds_later() {
        let (config, now) = (config(10), at("2026-03-02T10:00:00.5Z"));
        let mut profile = Profile::new(started().identity().unwrap());
        let first = feed(&config, &mut profile, &[started()], now);
        assert_eq!(first, [(Channel::Mail, true), (Channel::InApp, false)], "the journey goes on meanwhile");
        assert_eq!(profile.due_at, Some(at("2026-03-02T10:10:01Z")));
        let later = at("2026-03-02T10:00:10Z");
        assert_eq!(feed(&config, &mut profile, &[identified(later)], later), [(Channel::Mail, true)]);
        assert_eq!(settled(&config, &mut profile, later), [(Channel::Mail, false)]);
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
            tick(&Moment::new(&config, now), &mut profile);
            sent.extend(taken(&mut profile));
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
