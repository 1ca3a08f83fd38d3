//! Limits of messages: quiet hours, caps and holdouts; and the assignment of split variants.

use crate::experiment::{self, Share, Variant};
use crate::facts::{Assigned, Facts, Sent, always_key, holdout_key, split_key};
use crate::moment::Moment;
use crate::profile::{Part, Profile};
use crate::pushes;
use crate::situation::Situation;
use crate::starts;
use crate::state::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_config::Config;
use perennial_config::journeys::{Does, Journey, Message, Step, Way};
use perennial_config::limits::Cap;
use perennial_domain::hash::hash32;
use perennial_domain::hygiene::Zone;
use perennial_domain::hygiene::zone::FACTS;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{Channel, Decision, Withheld};
use serde_json::Value;

/// Returns the time zone of the person whose combined state is `view`: that of their traits, else of the context of
/// their newest call, else of `limits.toml`.
pub fn time_zone(config: &Config, view: &State) -> TimeZone {
    let named = FACTS.iter().filter_map(|fact| {
        let value = serde_json::from_str(view.newest_json(fact.as_str())?).ok()?;
        match value {
            Value::String(text) => Zone::parse_fact(*fact, &text).ok(),
            Value::Number(number) => Zone::parse_fact(*fact, &number.to_string()).ok(),
            _ => None,
        }
    });
    let context = view.zone.iter().filter_map(|zone| Zone::parse(&zone.value).ok());
    let known = named.chain(context).next();
    known.map_or_else(|| config.limits.time_zone.clone(), |zone| zone.time_zone().clone())
}

/// Returns when the channel's current quiet hours end for the person, in seconds since 1970; `None` outside of them.
pub(crate) fn night_over(moment: &Moment<'_>, view: &State, channel: Channel) -> Option<i64> {
    let quiet = moment.config.limits.quiet_hours.as_ref().filter(|quiet| quiet.channels.contains(&channel))?;
    let zone = time_zone(moment.config, view);
    let here = moment.now.to_zoned(zone.clone());
    quiet.hold_at(here.time()).then(|| crate::clock_time::next_time(moment.now, &zone, quiet.to, &[]))
}

/// Returns when the quiet hours end that defer a decided message; `None` if it may be sent now. `view` is the combined
/// state of the person as it is known now. An essential message is sent at any hour, as is one whose journey allows it.
pub fn quiet_until(moment: &Moment<'_>, view: &State, decision: &Decision) -> Option<Timestamp> {
    let config = moment.config;
    let journey = config.journeys.named(&decision.journey);
    if journey.is_some_and(|journey| journey.any_hour) || config.is_essential(journey, &decision.template) {
        return None;
    }
    let second = night_over(moment, view, decision.channel)?;
    Timestamp::from_second(second).ok()
}

/// Removes the sent messages that neither a cap nor the gap needs any more. Call it when the profile is written anyway.
pub(crate) fn forget(moment: &Moment<'_>, profile: &mut Profile) {
    let since = moment.now.as_second() - moment.config.limits.remembered();
    for part in &mut profile.parts {
        part.facts.imported = part.facts.imported.filter(|at| starts::is_of_import(Some(*at), moment.now));
        part.facts.noted_under = part.facts.noted_under.filter(|at| pushes::is_lately(*at, moment.now));
        part.facts.sent.retain(|sent| sent.at > since);
        part.facts.exempt.retain(|sent| sent.at > since);
    }
}

impl Situation<'_, '_> {
    /// Returns the person's time zone.
    pub(crate) fn time_zone(&self) -> TimeZone {
        time_zone(self.config(), self.person.state)
    }

    /// Returns whether the message is exempt from limits.
    pub(crate) fn is_essential(&self, journey: &Journey, message: &Message) -> bool {
        self.config().is_essential(Some(journey), &message.template)
    }

    /// When the quiet hours end in which the message may not go out now, in seconds since 1970.
    pub(crate) fn quiet_until(&self, journey: &Journey, message: &Message) -> Option<i64> {
        if journey.any_hour || self.is_essential(journey, message) || self.is_held_out(journey) {
            return None;
        }
        night_over(&self.person.moment, self.person.state, message.channel)
    }

    /// Why the message is only written down, where that is so.
    pub(crate) fn withheld(&self, journey: &Journey, message: &Message) -> Option<Withheld> {
        if self.is_essential(journey, message) {
            None
        } else if self.is_held_out(journey) {
            Some(Withheld::HeldOut)
        } else {
            self.over_caps_until(message.channel).map(|_| Withheld::Capped)
        }
    }

    /// Returns the second at which all caps have room again for a message of this channel; `None` if they have it now.
    pub(crate) fn over_caps_until(&self, channel: Channel) -> Option<i64> {
        let caps = self.config().limits.caps.iter().filter(|cap| cap.channels.contains(&channel));
        caps.filter_map(|cap| self.over_until(cap)).max()
    }

    /// Returns the second at which a cap has room again; `None` if it has it now.
    fn over_until(&self, cap: &Cap) -> Option<i64> {
        let within = i64::from(cap.within_days) * DAY_SECONDS;
        let since = self.now().as_second() - within;
        let counted =
            self.facts.sent.iter().rev().filter(|sent| sent.at > since && cap.channels.contains(&sent.channel));
        // The cap has room as soon as the oldest of the newest `messages` has left its period.
        let oldest = counted.take(cap.messages.into()).enumerate().last();
        oldest.filter(|(at, _)| at + 1 == usize::from(cap.messages)).map(|(_, sent)| sent.at + within)
    }

    /// Records a decided message, for as long as a cap or the gap may need it, in the identity that caused the
    /// journey's entry.
    pub(crate) fn note_sent(&mut self, journey: &Journey, message: &Message) {
        let (limits, channel) = (&self.config().limits, message.channel);
        let is_counted = limits.caps.iter().any(|cap| cap.channels.contains(&channel));
        let takes_turn = limits.gap_hours > 0 && matches!(channel, Channel::Mail | Channel::InApp);
        let is_exempt = self.is_essential(journey, message);
        if !is_counted && (!takes_turn || is_exempt) {
            return;
        }
        let sent = Sent { at: self.now().as_second(), channel };
        let note = |facts: &mut Facts| {
            facts.sent.push(sent);
            facts.sent.sort_unstable();
            if takes_turn && is_exempt {
                facts.exempt.push(sent);
                facts.exempt.sort_unstable();
            }
        };
        note(&mut self.facts);
        if let Some(part) = self.entered_part(journey) {
            note(&mut part.facts);
        }
    }

    /// Decides whether the entering person is in a holdout of the journey, and records it.
    pub(crate) fn hold_out(&mut self, journey: &Journey) {
        if journey.essential {
            return;
        }
        let person = self.profile.id;
        let out = |holdout, percent: u8| experiment::held_out(holdout, person, Share::percent(percent.into()));
        if let Some(always) = &self.config().limits.holdout
            && out(experiment::Holdout::Always { salt: &always.name }, always.percent)
        {
            self.assign(journey, always_key(&always.name), 0);
        }
        if journey.holdout > 0 && out(experiment::Holdout::Journey { id: &journey.id }, journey.holdout) {
            self.assign(journey, holdout_key(&journey.id), 0);
        }
    }

    /// Returns whether the person is in a holdout that the configuration still has.
    pub(crate) fn is_held_out(&self, journey: &Journey) -> bool {
        let is = |key: u32| self.facts.assigned.contains_key(&key);
        let always = self.config().limits.holdout.as_ref();
        !journey.essential
            && (always.is_some_and(|always| is(always_key(&always.name)))
                || (journey.holdout > 0 && is(holdout_key(&journey.id))))
    }

    /// Returns the person's variant of a split: the recorded one, or one by their id, which is then recorded.
    pub(crate) fn way<'j>(&mut self, journey: &Journey, step: &Step, ways: &'j [Way]) -> Option<&'j Way> {
        let key = split_key(&journey.id, &step.id);
        if let Some(assigned) = self.facts.assigned.get(&key)
            && let Some(way) = ways.iter().find(|way| hash32(&way.name) == assigned.way)
        {
            return Some(way);
        }
        let variants: Vec<Variant<'_>> =
            ways.iter().map(|way| Variant { id: &way.name, weight: Share::percent(way.share) }).collect();
        let at = experiment::assign(&format!("{}/{}", journey.id, step.id), self.profile.id, &variants)?;
        let way = ways.get(at)?;
        self.assign(journey, key, hash32(&way.name));
        Some(way)
    }

    /// Returns the newest split before the step at index `at` in which the person was assigned, as `step=way`.
    pub(crate) fn variant(&self, journey: &Journey, at: usize) -> Option<String> {
        let before = journey.steps.get(..at).unwrap_or_default();
        before.iter().rev().find_map(|step| {
            let Does::Split { ways } = &step.does else { return None };
            let assigned = self.facts.assigned.get(&split_key(&journey.id, &step.id))?;
            let way = ways.iter().find(|way| hash32(&way.name) == assigned.way)?;
            Some(format!("{}={}", step.id, way.name))
        })
    }

    fn assign(&mut self, journey: &Journey, key: u32, way: u32) {
        let assigned = Assigned { at: self.now().as_second(), way };
        if let Some(part) = self.entered_part(journey) {
            part.facts.assigned.insert(key, assigned);
        }
        self.facts.assigned.insert(key, assigned);
    }

    /// Returns the identity that caused the journey's last entry.
    fn entered_part(&mut self, journey: &Journey) -> Option<&mut Part> {
        let last = |facts: &Facts| facts.entered.get(&journey.key).map(|entered| entered.last);
        let newest = last(&self.facts);
        let at = self.profile.parts.iter().position(|part| last(&part.facts) == newest).unwrap_or(0);
        self.profile.parts.get_mut(at)
    }
}
