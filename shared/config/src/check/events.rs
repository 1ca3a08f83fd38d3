//! Finds event names that are spelled in two ways, or are probably a better known name.

mod alike;

use super::Remarks;
use super::cases::CALLS;
use super::conditions::{on_events, on_persons};
use super::places::Part::{self, At, Key, Text};
use crate::cel::compared_texts;
use crate::config::Config;
use crate::journeys::{Does, GoalBy, Trigger, Wait};
use crate::scoring::SurveyKind;
use crate::spelling::{nearest, plain};
use crate::vocabulary::PersonSlot;
use alike::{alike, is_past};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The names of mail events in a profile's history.
const MAIL_EVENTS: [&str; 10] = [
    "Email Delivered",
    "Email Bounced",
    "Email Complained",
    "Email Marked Not Spam",
    "Email Opened",
    "Email Prefetched",
    "Email Clicked",
    "Email Scanned",
    "Subscribed",
    "Unsubscribed",
];

/// Names that many SaaS products send, from the specifications of analytics tools. Of two equally frequent names, such
/// a one is right.
const USUAL: [&str; 14] = [
    "Account Created",
    "Account Deleted",
    "Demo Requested",
    "Invite Sent",
    "Order Completed",
    "Signed In",
    "Signed Out",
    "Signed Up",
    "Subscription Cancelled",
    "Subscription Started",
    "Survey Answered",
    "Trial Ended",
    "Trial Started",
    "Webinar Attended",
];

/// One mention of an event.
struct Mention<'a> {
    name: Cow<'a, str>,
    file: &'static str,
    path: Vec<Part<'a>>,
    /// `true` if events are created under this name, rather than looked up.
    is_sent: bool,
}

/// How well a name is known: of two that are probably one, the greater is right. Definitions count first, then the
/// number of mentions, then the first position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    is_sent: bool,
    times: usize,
    is_usual: bool,
    /// `true` if rules, features or milestones define it, rather than conditions only referring to it.
    is_defined: bool,
    is_past: bool,
    first: Reverse<usize>,
}

/// A name and its first mention; `None` for the mail service's names.
struct Known<'a> {
    standing: Standing,
    at: Option<&'a Mention<'a>>,
}

pub(super) fn remark(config: &Config, remarks: &mut Remarks<'_>) {
    let mentions = mentions(config);
    let names = known(&mentions);
    let meant: BTreeMap<&str, (&str, &Known<'_>)> =
        names.iter().filter_map(|(name, own)| Some((*name, meant(name, own, &names)?))).collect();
    for mention in mentions.iter().filter(|mention| !mention.is_sent) {
        let name = mention.name.as_ref();
        if let Some(call) = name.strip_prefix('$') {
            if !CALLS.contains(&call) {
                let near = nearest(call, CALLS).map_or_else(String::new, |near| format!("; did you mean `${near}`?"));
                let message = format!("no event is called `{name}`{near} Calls are counted as ${}", CALLS.join(", $"));
                remarks.with(mention.file, &mention.path, &message);
            }
        } else if let Some((right, known)) = meant.get(name) {
            let message = message(name, right, known, remarks);
            remarks.with(mention.file, &mention.path, &message);
        }
    }
}

/// Returns all names with how well each is known.
fn known<'a>(mentions: &'a [Mention<'a>]) -> BTreeMap<&'a str, Known<'a>> {
    let mut names: BTreeMap<&str, Known<'a>> = BTreeMap::new();
    for (at, mention) in mentions.iter().enumerate() {
        let name = mention.name.as_ref();
        let known = names.entry(name).or_insert_with(|| Known {
            standing: Standing {
                is_sent: false,
                times: 0,
                is_usual: USUAL.contains(&name),
                is_defined: false,
                is_past: is_past(name),
                first: Reverse(at),
            },
            at: Some(mention),
        });
        known.standing.times += 1;
        known.standing.is_sent |= mention.is_sent;
        known.standing.is_defined |=
            ["billing.toml", "features.toml", "lifecycle.toml", "scoring.toml"].contains(&mention.file);
    }
    for name in MAIL_EVENTS {
        let standing =
            Standing { is_sent: true, times: 1, is_usual: true, is_defined: true, is_past: true, first: Reverse(0) };
        names.insert(name, Known { standing, at: None });
    }
    names
}

/// Returns the likely intended name for `name`: the best known of those that differ in spelling, form, order or by a
/// typing error; `None` if it is the best known itself.
fn meant<'n, 'a>(
    name: &str,
    own: &Known<'a>,
    names: &'n BTreeMap<&'a str, Known<'a>>,
) -> Option<(&'a str, &'n Known<'a>)> {
    let same_signs = plain(name);
    let is_like = |other: &str| same_signs == plain(other) || (!own.standing.is_sent && alike(name, other));
    let better = names.iter().filter(|(other, known)| known.standing > own.standing && !other.starts_with('$'));
    let found = better.filter(|(other, _)| is_like(other)).max_by_key(|(_, known)| known.standing)?;
    Some((found.0, found.1))
}

fn message(name: &str, right: &str, known: &Known<'_>, remarks: &Remarks<'_>) -> String {
    let said = if known.standing.is_sent {
        "is what is sent".to_owned()
    } else {
        format!("is written {} elsewhere", often(known.standing.times))
    };
    let place = known.at.map_or_else(
        || "the mail service's reports".to_owned(),
        |mention| {
            let (line, _) = remarks.places.of(mention.file, &mention.path);
            format!("{}:{line}", mention.file)
        },
    );
    let differs = if plain(name) == plain(right) {
        format!("`{name}` differs only in spaces, signs or capitals from `{right}`, which")
    } else {
        format!("nothing else is called `{name}`, and `{right}`")
    };
    format!("{differs} {said}: did you mean that? See {place}. Events count by their exact name")
}

fn often(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
}

/// Returns every event in the configuration, files that create events first, then those that define and refer to them.
fn mentions(config: &Config) -> Vec<Mention<'_>> {
    let mut all = Vec::new();
    sent(config, &mut all);
    defined(config, &mut all);
    listened(config, &mut all);
    asked(config, &mut all);
    all.retain(|mention| !mention.name.trim().is_empty());
    all
}

fn mention<'a>(
    name: impl Into<Cow<'a, str>>,
    file: &'static str,
    path: impl Into<Vec<Part<'a>>>,
    is_sent: bool,
) -> Mention<'a> {
    Mention { name: name.into(), file, path: path.into(), is_sent }
}

/// Names that webhooks, imports, pages and steps of journeys give to events.
fn sent<'a>(config: &'a Config, all: &mut Vec<Mention<'a>>) {
    for (at, source) in config.sources.iter().enumerate() {
        for (number, map) in source.hook.iter().flat_map(|hook| hook.maps().unwrap_or_default().iter().enumerate()) {
            let path = [Key("source"), At(at), Key("map"), At(number), Key("event")];
            all.extend(map.event.as_ref().map(|name| mention(name.as_str(), "sources.toml", path, true)));
        }
    }
    for (at, import) in config.imports.iter().enumerate() {
        for (number, map) in import.own_maps().iter().enumerate() {
            let path = [Key("import"), At(at), Key("map"), At(number), Key("event")];
            all.extend(map.event.as_ref().map(|name| mention(name.as_str(), "imports.toml", path, true)));
        }
    }
    for (at, name) in config.pages.events().enumerate() {
        all.push(mention(name, "sources.toml", [Key("page"), At(at), Key("event")], true));
    }
    for (at, journey) in config.journeys.all.iter().enumerate() {
        for (number, step) in journey.steps.iter().enumerate() {
            if let Does::Event { name } = &step.does {
                let path = [Key("journey"), At(at), Key("step"), At(number), Key("event")];
                all.push(mention(name.as_str(), "journeys.toml", path, true));
            }
        }
    }
}

/// Names in features, points, milestones and accounts.
fn defined<'a>(config: &'a Config, all: &mut Vec<Mention<'a>>) {
    let mut add = |name: &'a str, file, path: &[Part<'a>]| all.push(mention(name, file, path, false));
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
    for survey in &config.scoring.surveys {
        let table = match survey.kind {
            SurveyKind::Nps => "nps",
            SurveyKind::Csat => "csat",
        };
        add(&survey.event, "scoring.toml", &[Key(table), Key("event")]);
    }
    // Maps and sets have no order of their own.
    let milestones: BTreeMap<_, _> = config.lifecycle.milestones.iter().collect();
    for (event, milestones) in milestones {
        for milestone in milestones {
            add(event, "lifecycle.toml", &[Key("milestones"), Key(milestone.as_str()), Text(event)]);
        }
    }
    let mut passive: Vec<&String> = config.lifecycle.passive.iter().collect();
    passive.sort_unstable();
    for event in passive {
        add(event, "lifecycle.toml", &[Key("activity"), Key("passive"), Text(event)]);
    }
    for (section, list, events) in config.billing.lists() {
        let mut events: Vec<&String> = events.iter().filter(|_| config.billing.is_written).collect();
        events.sort_unstable();
        for event in events {
            add(event, "billing.toml", &[Key(section), Key(list), Text(event)]);
        }
    }
    let accounts = &config.accounts;
    for event in &accounts.stage_events {
        add(event, "accounts.toml", &[Key("stage"), Key("events"), Text(event)]);
    }
    for event in &accounts.renewal.events {
        add(event, "accounts.toml", &[Key("renewal"), Key("events"), Text(event)]);
    }
    // Those of the other two are members without being written.
    for event in accounts.member_events.difference(&accounts.stage_events) {
        if !accounts.renewal.events.contains(event) {
            add(event, "accounts.toml", &[Key("members"), Key("events"), Text(event)]);
        }
    }
}

/// Names that journeys wait for.
fn listened<'a>(config: &'a Config, all: &mut Vec<Mention<'a>>) {
    let mut add = |name: &'a str, path: &[Part<'a>]| all.push(mention(name, "journeys.toml", path, false));
    for (at, journey) in config.journeys.all.iter().enumerate() {
        if let Trigger::Event { event, .. } = &journey.trigger {
            add(event, &[Key("journey"), At(at), Key("trigger"), Key("event")]);
        }
        if let Some(GoalBy::Event { event, .. }) = journey.goal.as_ref().map(|goal| &goal.by) {
            add(event, &[Key("journey"), At(at), Key("goal"), Key("event")]);
        }
        for (number, step) in journey.steps.iter().enumerate() {
            if let Does::Wait(Wait::Event { events, .. }) = &step.does {
                let wait = [Key("journey"), At(at), Key("step"), At(number), Key("wait")];
                match events.as_slice() {
                    [event] => add(event, &[wait.as_slice(), &[Key("event")]].concat()),
                    events => {
                        let place = |event: &'a str| [wait.as_slice(), &[Key("events"), Text(event)]].concat();
                        events.iter().for_each(|event| add(event, &place(event)));
                    }
                }
            }
        }
    }
}

/// Names that conditions refer to.
fn asked<'a>(config: &'a Config, all: &mut Vec<Mention<'a>>) {
    for condition in on_persons(config) {
        for slot in condition.program.slots() {
            if let PersonSlot::Count { event }
            | PersonSlot::CountWithin { event, .. }
            | PersonSlot::CountHours { event, .. }
            | PersonSlot::DaysSince { event, .. } = slot
            {
                all.push(mention(event, condition.file, condition.path.clone(), false));
            }
        }
    }
    for condition in on_events(config) {
        for compared in compared_texts(condition.program.source()) {
            if compared.name == "event" {
                all.push(mention(compared.text, condition.file, condition.path.clone(), false));
            }
        }
    }
}
