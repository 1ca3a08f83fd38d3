//! The facts about a system that the checks judge, and the form of their findings.

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
