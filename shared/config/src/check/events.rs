//! Names of events that are written in two ways.

use super::Remarks;
use super::cases::CALLS;
use super::places::Part::{self, At, Key};
use crate::cel::Program;
use crate::config::Config;
use crate::error::nearest;
use crate::journeys::{Does, GoalBy, Trigger, Wait};
use crate::vocabulary::PersonSlot;
use std::collections::BTreeMap;

/// What the mail service's reports are called in someone's history.
const MAIL_EVENTS: [&str; 6] =
    ["Email Delivered", "Email Bounced", "Email Complained", "Email Opened", "Email Clicked", "Unsubscribed"];

/// How much more a name counts that a file or the system sends than one that a rule asks for.
const SENT: usize = 1000;

/// One mention of an event.
struct Mention<'a> {
    name: &'a str,
    file: &'static str,
    path: Vec<Part<'static>>,
}

pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    let mentions = mentions(config);
    // By what they have in common, the spellings and how often each is written.
    let mut spellings: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut count = |name, times| *spellings.entry(plain(name)).or_default().entry(name).or_default() += times;
    mentions.iter().for_each(|mention| count(mention.name, 1));
    MAIL_EVENTS.into_iter().for_each(|name| count(name, SENT));
    let maps = config.sources.iter().filter_map(|source| source.hook.as_ref()).flat_map(|hook| &hook.maps);
    for name in maps.filter_map(|map| map.event.as_ref()) {
        count(name.as_str(), SENT);
    }
    for mention in &mentions {
        let name = mention.name;
        if let Some(call) = name.strip_prefix('$') {
            if !CALLS.contains(&call) {
                let near = nearest(call, CALLS).map_or_else(String::new, |near| format!("; did you mean `${near}`?"));
                let message = format!("no event is called `{name}`{near} Calls are counted as ${}", CALLS.join(", $"));
                remarks.at(mention.file, &mention.path, message);
            }
            continue;
        }
        let Some(of) = spellings.get(&plain(name)) else { continue };
        // Of several that are written as often, the first by alphabet is taken to be right.
        let Some((right, times)) = of.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))) else { continue };
        if *right != name {
            let by = if *times >= SENT {
                "is what is sent".to_owned()
            } else {
                format!("is written {} elsewhere", often(*times))
            };
            let message = format!(
                "`{name}` differs only in spaces, signs or capitals from `{right}`, which {by}: did you mean that? Events count by their exact name"
            );
            remarks.at(mention.file, &mention.path, message);
        }
    }
}

fn often(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

/// The name without what typing errors change.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric() || *c == '$').flat_map(char::to_lowercase).collect()
}

fn mentions<'a>(config: &'a Config) -> Vec<Mention<'a>> {
    let mut all = Vec::new();
    let mut add = |name: &'a str, file: &'static str, path: &[Part<'static>]| {
        all.push(Mention { name, file, path: path.to_vec() })
    };
    for (at, feature) in config.features.all.iter().enumerate() {
        add(feature.event.as_str(), "features.toml", &[Key("feature"), At(at), Key("event")]);
    }
    for (at, rule) in config.scoring.rules.iter().enumerate() {
        add(&rule.event, "scoring.toml", &[Key("rule"), At(at), Key("event")]);
    }
    for (at, tally) in config.scoring.tally_rules.iter().enumerate() {
        for (number, event) in tally.events.iter().enumerate() {
            add(event, "scoring.toml", &[Key("tally"), At(at), Key("events"), At(number)]);
        }
    }
    if !config.scoring.nps.event.is_empty() {
        add(&config.scoring.nps.event, "scoring.toml", &[Key("nps"), Key("event")]);
    }
    for (at, journey) in config.journeys.all.iter().enumerate() {
        if let Trigger::Event { event, .. } = &journey.trigger {
            add(event, "journeys.toml", &[Key("journey"), At(at), Key("trigger"), Key("event")]);
        }
        if let Some(GoalBy::Event { event, .. }) = journey.goal.as_ref().map(|goal| &goal.by) {
            add(event, "journeys.toml", &[Key("journey"), At(at), Key("goal"), Key("event")]);
        }
        for (number, step) in journey.steps.iter().enumerate() {
            if let Does::Wait(Wait::Event { event, .. }) = &step.does {
                let wait = [Key("journey"), At(at), Key("step"), At(number), Key("wait"), Key("event")];
                add(event, "journeys.toml", &wait);
            }
        }
    }
    for event in config.lifecycle.milestones.keys() {
        add(event, "lifecycle.toml", &[Key("milestones")]);
    }
    for event in &config.lifecycle.passive {
        add(event, "lifecycle.toml", &[Key("activity"), Key("passive")]);
    }
    let mut asked = |program: Option<&'a Program<PersonSlot>>, file: &'static str, path: &[Part<'static>]| {
        for slot in program.map(Program::slots).unwrap_or_default() {
            if let PersonSlot::Count { event }
            | PersonSlot::CountWithin { event, .. }
            | PersonSlot::DaysSince { event, .. } = slot
            {
                all.push(Mention { name: event.as_str(), file, path: path.to_vec() });
            }
        }
    };
    for (at, persona) in config.personas.all.iter().enumerate() {
        asked(persona.when.as_ref(), "personas.toml", &[Key("persona"), At(at), Key("when")]);
    }
    for (at, signal) in config.scoring.signals.iter().enumerate() {
        asked(Some(&signal.measure), "scoring.toml", &[Key("signal"), At(at), Key("measure")]);
        asked(signal.when.as_ref(), "scoring.toml", &[Key("signal"), At(at), Key("when")]);
    }
    for (at, segment) in config.segments.all.iter().enumerate() {
        asked(Some(&segment.when), "segments.toml", &[Key("segment"), At(at), Key("when")]);
    }
    for (at, journey) in config.journeys.all.iter().enumerate() {
        asked(journey.when.as_ref(), "journeys.toml", &[Key("journey"), At(at), Key("when")]);
        if let Trigger::Becomes { when } = &journey.trigger {
            asked(Some(when), "journeys.toml", &[Key("journey"), At(at), Key("trigger"), Key("becomes")]);
        }
        if let Some(GoalBy::State(when)) = journey.goal.as_ref().map(|goal| &goal.by) {
            asked(Some(when), "journeys.toml", &[Key("journey"), At(at), Key("goal"), Key("when")]);
        }
        asked(journey.exit.as_ref(), "journeys.toml", &[Key("journey"), At(at), Key("exit")]);
        for (number, step) in journey.steps.iter().enumerate() {
            if let Does::Branch { when, .. } = &step.does {
                let branch = [Key("journey"), At(at), Key("step"), At(number), Key("branch"), Key("when")];
                asked(Some(when), "journeys.toml", &branch);
            }
        }
    }
    all
}
