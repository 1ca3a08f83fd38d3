//! The findings, check by check. Pure: everything is judged by facts that were read before.

use super::facts::{Facts, Finding};
use super::{links, reports, sender};

/// Judges everything, worst first within its order of checks.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = sender::findings(facts);
    all.push(reports::finding(facts));
    all.extend(links::findings(facts));
    all.push(dead_letters(facts));
    all.push(alarms(facts));
    all.push(config(facts));
    all.push(schedules(facts));
    all
}

fn dead_letters(facts: &Facts) -> Finding {
    const CHECK: &str = "dead letters";
    match &facts.dead {
        Err(why) => Finding::not_checked(CHECK, why),
        Ok(queues) => match queues.iter().filter(|(_, dead)| *dead > 0).max_by_key(|(_, dead)| *dead) {
            None => Finding::ok(CHECK, "none"),
            Some((worst, _)) => {
                let all: Vec<String> = queues
                    .iter()
                    .filter(|(_, dead)| *dead > 0)
                    .map(|(name, dead)| format!("{dead} of {name}"))
                    .collect();
                let fix = format!(
                    "perennial redrive {worst}{} (once the cause is fixed: the function's log names it)",
                    facts.target
                );
                Finding::error(CHECK, all.join(", "), fix)
            }
        },
    }
}

fn alarms(facts: &Facts) -> Finding {
    const CHECK: &str = "alarms";
    match &facts.alarms {
        Err(why) => Finding::not_checked(CHECK, why),
        Ok(None) => Finding::not_checked(CHECK, "a stack on this machine has none"),
        Ok(Some(ringing)) if ringing.is_empty() => Finding::ok(CHECK, "none rings"),
        Ok(Some(ringing)) => {
            let names: Vec<&str> = ringing.iter().map(|alarm| alarm.name.as_str()).collect();
            Finding::error(
                CHECK,
                names.join(", "),
                format!("perennial status{} (infra/README.md describes each)", facts.target),
            )
        }
    }
}

fn config(facts: &Facts) -> Finding {
    const CHECK: &str = "config";
    match facts.config_since {
        Some(since) => Finding::ok(CHECK, format!("active since {since:.0}")),
        None => Finding::error(CHECK, "none was pushed", format!("perennial config push infra/config{}", facts.target)),
    }
}

/// The number of missed periods after which the sweep is late.
const RATES: i32 = 3;

fn schedules(facts: &Facts) -> Finding {
    const CHECK: &str = "schedules";
    let fix = || match facts.target.trim() {
        "" => "restart the stack: perennial up".to_owned(),
        target => {
            let stack = target.rsplit(' ').next().unwrap_or_default();
            format!(
                "aws scheduler get-schedule --group-name {stack} --name {stack}-sweep (is it ENABLED? a deployment restores it)"
            )
        }
    };
    match &facts.swept {
        Err(why) => Finding::not_checked(CHECK, why),
        Ok(Some(sweep)) if sweep.failed => {
            Finding::error(CHECK, format!("the sweep of {:.0} did not read all of the due index", sweep.at), fix())
        }
        Ok(swept) => {
            let since = swept.map(|sweep| sweep.at).or(facts.config_since);
            match since {
                Some(since) if facts.now.duration_since(since) > facts.sweep_every * RATES => {
                    let found = swept.map_or_else(
                        || "the sweep has never run".to_owned(),
                        |sweep| format!("the sweep last ran at {:.0}", sweep.at),
                    );
                    Finding::error(CHECK, found, fix())
                }
                _ => Finding::ok(CHECK, "the sweep runs"),
            }
        }
    }
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
