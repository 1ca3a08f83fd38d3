//! Names of events that are written in two ways, or that nothing sends and nearly match one that is.

use super::Remarks;
use super::cases::CALLS;
use super::conditions::on_persons;
use super::places::Part::{self, At, Key};
use crate::config::Config;
use crate::error::{distance, nearest, plain};
use crate::journeys::{Does, GoalBy, Journey, Trigger, Wait};
use crate::scoring::SurveyKind;
use crate::vocabulary::PersonSlot;
use std::collections::{BTreeMap, HashSet};

/// What the mail service's reports are called in someone's history.
const MAIL_EVENTS: [&str; 9] = [
    "Email Delivered",
    "Email Bounced",
    "Email Complained",
    "Email Marked Not Spam",
    "Email Opened",
    "Email Prefetched",
    "Email Clicked",
    "Email Scanned",
    "Unsubscribed",
];

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
    for name in config.pages.events() {
        count(name, SENT);
    }
    for name in config.journeys.all.iter().flat_map(Journey::counts) {
        count(name, SENT);
    }
    let defines = |mention: &&Mention<'_>| ["features.toml", "lifecycle.toml", "scoring.toml"].contains(&mention.file);
    let defined: HashSet<&str> = mentions.iter().filter(defines).map(|mention| mention.name).collect();
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
        if of.len() == 1
            && let Some((right, times)) = typed_wrong(name, &spellings, &defined)
        {
            let message = format!(
                "nothing else is called `{name}`, and `{right}` {}: did you mean that? Events count by their exact name",
                said(times)
            );
            remarks.at(mention.file, &mention.path, message);
            continue;
        }
        // Of several that are written as often, the first by alphabet is taken to be right.
        let Some((right, times)) = of.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))) else { continue };
        if *right != name {
            let by = said(*times);
            let message = format!(
                "`{name}` differs only in spaces, signs or capitals from `{right}`, which {by}: did you mean that? Events count by their exact name"
            );
            remarks.at(mention.file, &mention.path, message);
        }
    }
}

/// How a name is known that counts `times`.
fn said(times: usize) -> String {
    if times >= SENT { "is what is sent".to_owned() } else { format!("is written {} elsewhere", often(times)) }
}

/// The name that was probably meant by `name`, which nothing sends, and how often that is written: it is known better, and differs in a typing error.
/// Of two that are written as often, those of `defined` are known better: rules and features say what is sent, conditions ask for it.
fn typed_wrong<'a>(
    name: &str,
    spellings: &BTreeMap<String, BTreeMap<&'a str, usize>>,
    defined: &HashSet<&str>,
) -> Option<(&'a str, usize)> {
    let times = |of: &BTreeMap<&str, usize>| of.values().sum::<usize>();
    let own = spellings.get(&plain(name)).map_or(0, times);
    if own >= SENT {
        return None;
    }
    let others = spellings.iter().filter(|(spelling, _)| **spelling != plain(name)).map(|(_, of)| of);
    let meant =
        others.filter_map(|of| of.iter().max_by_key(|(_, times)| **times)).map(|(right, times)| (*right, *times));
    let is_known_better =
        |right: &str, times: usize| times > own || (times == own && defined.contains(right) && !defined.contains(name));
    meant
        .filter(|(right, times)| is_known_better(right, *times))
        .filter(|(right, _)| is_typed_wrong(name, right))
        .max_by_key(|(right, times)| (*times, std::cmp::Reverse(*right)))
}

/// Whether the two differ in a typing error of one word: one sign, or two in a word of nine or more. Digits count as meant.
fn is_typed_wrong(name: &str, other: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let letters = |text: &str| {
        let mut all: Vec<char> = text.chars().collect();
        all.sort_unstable();
        all
    };
    let close = |one: &str, other: &str| {
        let (long, short) =
            (one.chars().count().max(other.chars().count()), one.chars().count().min(other.chars().count()));
        match distance(one, other) {
            // In a short word another sign makes another word more often than a missing or a swapped one.
            1 => short >= 5 || (short >= 4 && long > short) || (short >= 3 && letters(one) == letters(other)),
            2 => short >= 9,
            _ => false,
        }
    };
    if digits(name) != digits(other) {
        return false;
    }
    let (one, two) = (words(name), words(other));
    if one.len() != two.len() {
        return close(&plain(name), &plain(other));
    }
    let mut different = one.iter().zip(&two).filter(|(one, two)| one != two);
    matches!((different.next(), different.next()), (Some((one, two)), None) if close(one, two))
}

fn often(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{times} times") }
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
    for survey in &config.scoring.surveys {
        let table = match survey.kind {
            SurveyKind::Nps => "nps",
            SurveyKind::Csat => "csat",
        };
        add(&survey.event, "scoring.toml", &[Key(table), Key("event")]);
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
    for event in &config.accounts.renewal.events {
        add(event.as_str(), "accounts.toml", &[Key("renewal"), Key("events")]);
    }
    for event in config.lifecycle.milestones.keys() {
        add(event, "lifecycle.toml", &[Key("milestones")]);
    }
    for event in &config.lifecycle.passive {
        add(event, "lifecycle.toml", &[Key("activity"), Key("passive")]);
    }
    for condition in on_persons(config) {
        for slot in condition.program.slots() {
            if let PersonSlot::Count { event }
            | PersonSlot::CountWithin { event, .. }
            | PersonSlot::DaysSince { event, .. } = slot
            {
                all.push(Mention { name: event.as_str(), file: condition.file, path: condition.path.clone() });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_is_one_of_a_word() {
        for (wrong, right) in [
            ("Trial Startd", "Trial Started"),
            ("Feature Usde", "Feature Used"),
            ("Invites Sent", "Invite Sent"),
            ("Subscription Canceled", "Subscription Cancelled"),
            ("trial startd", "Trial Started"),
            ("TrialStartd", "Trial Started"),
        ] {
            assert!(is_typed_wrong(wrong, right), "{wrong}");
        }
        for (one, other) in [
            ("Signed In", "Signed Up"),
            ("Trial Started", "Trial Ended"),
            ("Plan Upgraded", "Plan Downgraded"),
            ("Email Opened", "Email Clicked"),
            ("Step 1", "Step 2"),
            ("Card Added", "Cart Added"),
            ("Login", "Logout"),
        ] {
            assert!(!is_typed_wrong(one, other), "{one}");
        }
    }
}
