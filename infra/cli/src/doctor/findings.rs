//! The findings and their severity. Pure: everything is judged by facts that were read before.

use super::sender;
use super::{links, reports};
use crate::operate::alarms::Alarm;
use jiff::{SignedDuration, Timestamp};
use perennial_channels::account::Account;
use perennial_channels::page::NoPage;
use perennial_store::reports::MailReports;
use perennial_store::sweeps::Sweep;
use serde::Serialize;

/// The severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// In order.
    Ok,
    /// It could not be checked.
    NotChecked,
    /// It works, but could be improved.
    Warning,
    /// Mails do not go out, or do not arrive.
    Error,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The check, such as `dkim`.
    pub(crate) check: &'static str,
    /// The severity.
    pub(crate) level: Level,
    /// The finding.
    pub(crate) found: String,
    /// The command, or the record, that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, found: found.into(), fix: None }
    }

    pub(super) fn not_checked(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, level: Level::NotChecked, found: why.into(), fix: None }
    }

    pub(super) fn warning(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, found: found.into(), fix: Some(fix.into()) }
    }

    pub(super) fn error(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, level: Level::Error, found: found.into(), fix: Some(fix.into()) }
    }
}

/// Something that was read, or why it could not be.
pub(super) type Read<T> = Result<T, String>;

/// All facts about a system.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// The option of commands: `--stack NAME`, or empty for the embedded stack.
    pub(super) target: String,
    /// When it was read.
    pub(super) now: Timestamp,
    /// The domain of `mail.from`.
    pub(super) domain: String,
    /// The configuration set that mails are sent with.
    pub(super) configuration_set: String,
    /// The account of the mail service.
    pub(super) account: Read<Account>,
    /// The identity of the sender: of its domain, else of its address; `None` if neither exists.
    pub(super) identity: Read<Option<Identity>>,
    /// The configuration set; `None` if it does not exist.
    pub(super) set: Read<Option<ConfigurationSet>>,
    /// DNS records.
    pub(super) dns: Records,
    /// When SES last accepted a mail and last reported on one.
    pub(super) reports: Read<MailReports>,
    /// The response at the address that links in mails lead to.
    pub(super) page: Read<LinksPage>,
    /// The response at the domain of counted links; `None` if SES's own domain is used.
    pub(super) counted: Read<Option<Result<(), NoPage>>>,
    /// The region of the stack.
    pub(super) region: String,
    /// Messages of each dead-letter queue.
    pub(super) dead: Read<Vec<(String, u64)>>,
    /// The alarms that are in alarm; `None` if the stack has none.
    pub(super) alarms: Read<Option<Vec<Alarm>>>,
    /// When the active configuration was activated.
    pub(super) config_since: Option<Timestamp>,
    /// The last run of the sweep.
    pub(super) swept: Read<Option<Sweep>>,
    /// The period of the sweep.
    pub(super) sweep_every: SignedDuration,
}

/// The page behind a link of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinksPage {
    /// The address that links lead to, such as `https://mail.acme.example`.
    pub(super) url: String,
    /// The response at that address.
    pub(super) answer: Result<Answerer, NoPage>,
}

/// The server that answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answerer {
    /// The deployed `api`, by itself or behind something.
    Api,
    /// Something else, with this HTTP status.
    Other(u16),
}

/// The response of `GetEmailIdentity`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// The identity: a domain or an address.
    pub(super) name: String,
    /// Mails may be sent from it.
    pub(super) verified: bool,
    /// Mails are signed.
    pub(super) dkim_signs: bool,
    /// `SUCCESS`, `PENDING`, `FAILED`, `TEMPORARY_FAILURE` or `NOT_STARTED`.
    pub(super) dkim: String,
    /// The names of the DKIM records.
    pub(super) tokens: Vec<String>,
    /// The domain of the envelope's sender; empty for SES's own.
    pub(super) mail_from: String,
    /// `SUCCESS`, `PENDING`, `FAILED` or `TEMPORARY_FAILURE`.
    pub(super) mail_from_status: String,
}

/// The facts about the configuration set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ConfigurationSet {
    /// Kinds of events that an enabled destination publishes.
    pub(super) events: Vec<String>,
    /// The domain of links that are counted; empty for SES's own.
    pub(super) link_domain: String,
    /// Counted links begin with `https://`.
    pub(super) links_need_https: bool,
}

/// TXT records: none if the name does not exist.
#[derive(Debug, Clone)]
pub(super) struct Records {
    /// Of the domain of the envelope sender, if it is a custom one.
    pub(super) spf: Read<Vec<String>>,
    /// Of `_dmarc` at the sender's domain, else at the parent domain.
    pub(super) dmarc: Read<Vec<String>>,
}

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
