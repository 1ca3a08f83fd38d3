//! Describes the steps of a journey's run.

use super::{PlayedStep, What};
use crate::candidate::WaitsFor;
use crate::candidates::WaitingMessage;
use crate::explain::words::{event_name, name};
use crate::taken::{Left, StepTaken, Taken};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use perennial_config::Config;
use perennial_config::journeys::{Does, GoalBy, Journey, Trigger};
use perennial_domain::{Cause, Withheld};

/// Describes a journey's trigger: `"Trial Started" happens`.
pub fn trigger(config: &Config, journey: &Journey) -> String {
    match &journey.trigger {
        Trigger::Event { event, times, within_days, .. } => {
            let filter = journey.filter.as_ref().map(|filter| format!(" with {}", filter.source())).unwrap_or_default();
            match (times, within_days) {
                (0 | 1, _) => format!("{} happens{filter}", quoted(event)),
                (times, 1) => format!("{} happens {} in a day", quoted(event), in_times(*times)),
                (times, days) => format!("{} happens {} in {days} days", quoted(event), in_times(*times)),
            }
        }
        Trigger::Idle { days: 1 } => "nothing happens for a day".to_owned(),
        Trigger::Idle { days } => format!("nothing happens for {days} days"),
        Trigger::Score { score, above } => format!("{} rises to {above} or over it", name(*score)),
        Trigger::Segment { segment, entered } => {
            let segment = config.segments.all.get(*segment).map_or("", |segment| segment.name.as_str());
            format!("they {} the segment {segment}", if *entered { "enter" } else { "leave" })
        }
        Trigger::Becomes { when } => format!("it comes to hold that {}", one_line(when.source())),
    }
}

/// Describes the cause of an entry: `"Trial Started" happened`.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Event { name, .. } => format!("{} happened", quoted(name)),
        Cause::Quiet { days: 1, .. } => "nothing happened for a day".to_owned(),
        Cause::Quiet { days, .. } => format!("nothing happened for {days} days"),
        Cause::Score { score, value } => format!("{} rose to {}", name(*score), value.get()),
        Cause::Segment { name, entered } => {
            format!("they {} the segment {name}", if *entered { "entered" } else { "left" })
        }
        Cause::Became { condition } => format!("it came to hold that {}", one_line(condition)),
    }
}

/// Describes a step, without its time: "waits for "Login", until Thu 5 Mar 10:00 at most". Times are in `zone`.
pub fn step(config: &Config, played: &PlayedStep, zone: &TimeZone) -> String {
    match &played.what {
        What::Supposed(event) => format!("{} happens", quoted(event)),
        What::Message(_, message) => {
            let decision = &message.decision;
            let what = format!("{} {}", decision.channel.as_str(), decision.template);
            match decision.withheld {
                None => what,
                Some(withheld) => format!("{what}: {}", why_withheld(withheld)),
            }
        }
        What::Took(taken) => took(config, played, taken, zone),
    }
}

/// Why a message is only written down.
pub fn why_withheld(withheld: Withheld) -> &'static str {
    match withheld {
        Withheld::Capped => "not sent: they have had as many messages as limits.toml allows",
        Withheld::HeldOut => "not sent: they are held out, to measure what happens without it",
        Withheld::Expired => {
            "dropped: its turn did not come before it was older than its journey's limit (max_age_days)"
        }
        Withheld::Displaced => {
            "dropped: as many better messages wait as a profile keeps, or a journey that replaces what is due came first"
        }
    }
}

/// Describes a message that waits for its turn: "waits: another message was sent Thu 5 Mar 10:00; next look Fri 6 Mar
/// 10:00".
pub fn waits(message: &WaitingMessage, zone: &TimeZone) -> String {
    format!("waits: {}; next look {}", waits_for_what(message.waits_for, zone), clock(message.next_look, zone))
}

/// Describes what a message waits for: "another message was sent Thu 5 Mar 10:00". Times are in `zone`.
pub fn waits_for_what(waits_for: WaitsFor, zone: &TimeZone) -> String {
    match waits_for {
        WaitsFor::Gap { sent } => format!("another message was sent {}", clock(sent, zone)),
        WaitsFor::Turn => "another message is sent when the quiet hours end".to_owned(),
        WaitsFor::QuietHours => "it is its turn, and the quiet hours have to end".to_owned(),
        WaitsFor::Cap => "they have had as many messages as limits.toml allows".to_owned(),
        WaitsFor::Address => "no mail address is known".to_owned(),
    }
}

fn took(config: &Config, played: &PlayedStep, taken: &StepTaken, zone: &TimeZone) -> String {
    let journey = config.journeys.named(&taken.journey);
    let step = journey.and_then(|journey| journey.steps.iter().find(|step| Some(&step.id) == taken.step.as_ref()));
    match &taken.what {
        Taken::Entered { cause: because } => format!("enters, as {}", cause(because)),
        Taken::Refused(refusal) => format!("does not enter: {refusal}"),
        Taken::Decided { withheld, .. } => withheld.map_or("a message", why_withheld).to_owned(),
        Taken::PutOff { until } => format!("quiet hours: the message waits until {}", clock(*until, zone)),
        Taken::Queued { waits_for, until } => {
            format!("waits: {}; next look {}", waits_for_what(*waits_for, zone), clock(*until, zone))
        }
        Taken::Held { until } => {
            format!("no mail address is known: the mail waits for one until {}", clock(*until, zone))
        }
        Taken::Waits { until, event: None } => format!("waits until {}", clock(*until, zone)),
        Taken::Waits { until, event: Some(event) } => {
            format!("waits for {}, until {} at most", quoted(event), clock(*until, zone))
        }
        Taken::Happened { event } => format!("has waited for {}, and goes on", quoted(event)),
        Taken::Branched { held } => {
            let condition = step.and_then(|step| match &step.does {
                Does::Branch { when, .. } => Some(one_line(when.source())),
                _ => None,
            });
            format!("{}: {}", condition.unwrap_or_else(|| "branch".to_owned()), if *held { "yes" } else { "no" })
        }
        Taken::Split { way } => format!("is assigned to the way {way}"),
        Taken::Counted { event } => format!("counts {} for them", quoted(event)),
        Taken::Wrote { traits } => format!("writes of them: {}", traits.join(", ")),
        Taken::Skipped => "counts and writes nothing, as they are held out".to_owned(),
        Taken::Reached => match journey.and_then(|journey| journey.goal.as_ref()).map(|goal| &goal.by) {
            Some(GoalBy::Event { event, .. }) => format!("reaches the goal, {}, and leaves", quoted(event)),
            Some(GoalBy::State(when)) => format!("reaches the goal, {}, and leaves", one_line(when.source())),
            None => "reaches the goal, and leaves".to_owned(),
        },
        Taken::Left(Left::Stage) => format!("leaves: the journey is not for the stage {}", played.stage),
        Taken::Left(Left::Exit) => {
            let exit = journey.and_then(|journey| journey.exit.as_ref()).map(|exit| one_line(exit.source()));
            format!("leaves: its exit holds, {}", exit.unwrap_or_default())
        }
        Taken::Left(Left::Gone) => "leaves: the step at which they waited is there no more".to_owned(),
        Taken::Ended => "comes to the end".to_owned(),
    }
}

/// "Thu 5 Mar 10:00".
fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %-d %b %H:%M").to_string()
}

/// Returns an event's name for readers.
fn quoted(event: &str) -> String {
    match event_name(event) {
        call if event.starts_with('$') => format!("a {call}"),
        name => format!("\"{name}\""),
    }
}

fn in_times(times: u16) -> String {
    match times {
        2 => "twice".to_owned(),
        times => format!("{times} times"),
    }
}

fn one_line(condition: &str) -> String {
    condition.split_whitespace().collect::<Vec<_>>().join(" ")
}
