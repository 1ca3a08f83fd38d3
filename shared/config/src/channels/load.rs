//! The file as written, and its checks.

use super::endpoint::HUBSPOT;
use super::{
    AccountRecords, Channels, ContactId, ContactRecords, CrmRecords, Endpoint, FieldsOf, Kind, Mail, PERSON,
    SecretPlace, TaskRecords, UnverifiedMail,
};
use crate::deployment::Deployment;
use crate::error::Reporter;
use crate::pause::{self, RawPause};
use crate::soft_bounces::{self, RawSoftBounces};
use crate::spanned::Spanned;
use crate::topics::{self, RawTopic};
use crate::warm_up::{self, RawWarmUp};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The default identifying field: a text field with unique values, to be created in the CRM.
const HUBSPOT_ID: &str = "perennial_id";
/// The same in Salesforce, where fields of one's own end in `__c`: an external id.
const SALESFORCE_ID: &str = "Perennial_Id__c";

/// Senders, endpoints and topics of messages.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Events older than this, in hours from 1 to 65535, trigger nothing: an import of last year's events sends no
    /// messages.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    max_event_age_hours: Spanned<u16>,
    /// The address of a person's page for colleagues, which tasks link to: https://…, with {id} in place of the id of the profile. Default: tasks have no
    /// link to a person.
    person_page: Option<Spanned<String>>,
    /// Mail, by SES.
    mail: RawMail,
    /// The bounce and complaint rates at which a journey stops sending mails, until it is resumed.
    #[serde(default)]
    pause: RawPause,
    /// Receivers of messages, tasks and account updates, by names of your own.
    #[serde(default)]
    webhook: BTreeMap<Spanned<String>, RawEndpoint>,
    /// The topics of mails that readers choose from on the preference page, in this order.
    #[serde(default)]
    topic: Vec<Spanned<RawTopic>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawMail {
    /// The sender: an address, or `Name <address>`. It must be an identity that is verified in SES.
    from: Spanned<String>,
    /// The reply-to address, in the form of `from`; default: the sender.
    reply_to: Option<Spanned<String>>,
    /// The SES configuration set that reports deliveries, bounces, complaints, opens and clicks back.
    configuration_set: Spanned<String>,
    /// The number of temporary bounces, such as from a full mailbox, after which an address is paused.
    #[serde(default)]
    soft_bounces: RawSoftBounces,
    /// The daily ramp of a new sender; without it only the account's own quota limits the mails of a day.
    warm_up: Option<RawWarmUp>,
    /// Minutes, 5 to 1440, after which a mail with an unknown delivery outcome (a process that died, a lost response)
    /// is sent again unless SES has reported it; default: 60. 0: never, and the mail stays `unknown`. A report that
    /// comes later than this makes a second mail, so it must be longer than reports ever take.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1440)))]
    resend_unknown_after_minutes: Option<Spanned<u16>>,
    /// Minutes, 0 to 1440, that a mail waits in the profile for an address that is unknown when it is decided: `identify` and `track` calls
    /// of one sign-up come in any order. Then it counts as not deliverable. Default: 10.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1440)))]
    wait_for_address_minutes: Option<Spanned<u16>>,
    /// The handling of mails to an address that only a public source has named, such as a web page without the user's
    /// token. With "confirm" the address gets one mail, of templates/confirm_address.toml, with a link (`confirm_url`)
    /// that its reader follows to get the others (double opt-in). Default: "send".
    #[serde(default)]
    unverified_mail: UnverifiedMail,
}

/// Minutes that a mail waits for an address by default: SDKs send within seconds, webhooks and batches of a server within minutes.
const WAIT_FOR_ADDRESS_MINUTES: u16 = 10;
/// The most minutes that a mail may wait for an address: a day.
const MAX_WAIT_FOR_ADDRESS_MINUTES: u16 = 1440;

/// The default minutes after which a mail with an unknown outcome is sent again. SES reports a mail within seconds, but
/// a report that fails in `deliver` is retried five times, six function timeouts apart: for half an hour as deployed.
const RESEND_UNKNOWN_AFTER_MINUTES: u16 = 60;

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    /// The protocol of the receiver: webhooks signed after the Standard Webhooks specification, incoming webhooks of
    /// Slack, or the API of a CRM.
    #[serde(default)]
    kind: RawKind,
    /// Its URL, https://…: the address to post to, or Salesforce's host, https://NAME.my.salesforce.com. HubSpot needs
    /// none, and that of Slack is its secret.
    url: Option<Spanned<String>>,
    /// The environment variable with the secret, in capitals, digits and `_`; never the secret itself. It contains the
    /// signing secret (whsec_…), Slack's https://hooks.slack.com/…, HubSpot's access token, or for Salesforce
    /// {"client_id": "…", "client_secret": "…"} of a connected app with the client credentials flow.
    secret_env: Option<Spanned<String>>,
    /// Instead of `secret_env`: the name or ARN of the secret in AWS Secrets Manager, or of a parameter, which begins with /. The
    /// function needs the AWS Parameters and Secrets Lambda Extension.
    secret: Option<Spanned<String>>,
    /// `true` if http:// and private addresses are allowed: for tests, and receivers inside your own network.
    #[serde(default)]
    allow_private: bool,
    /// For a CRM: how people become its contacts.
    contact: Option<Spanned<RawContact>>,
    /// For a CRM: how accounts become its companies or accounts.
    account: Option<Spanned<RawAccount>>,
    /// For a CRM: how tasks become its tasks.
    task: Option<Spanned<RawTask>>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
enum RawKind {
    #[default]
    Standard,
    Slack,
    Hubspot,
    Salesforce,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawContact {
    /// The CRM's field that identifies a contact; its values must be unique there. Default: `email` in HubSpot, and
    /// Perennial_Id__c in Salesforce, which you create as an external id.
    id: Option<Spanned<String>>,
    /// The content of that field; default: `email` for HubSpot's `email`, else `person_id`.
    holds: Option<ContactId>,
    /// The CRM's fields, and the person's trait that each is filled from. Include the fields that the CRM requires.
    #[serde(default)]
    fields: BTreeMap<Spanned<String>, String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawAccount {
    /// The CRM's field that identifies an account by its id; its values must be unique there. Default: perennial_id in
    /// HubSpot and Perennial_Id__c in Salesforce.
    id: Option<Spanned<String>>,
    /// The CRM's fields, and the account's trait that each is filled from, beside those of accounts.toml.
    #[serde(default)]
    fields: BTreeMap<Spanned<String>, String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawTask {
    /// The CRM's field that identifies a task, so that none is created twice; its values must be unique there. Default:
    /// perennial_id in HubSpot and Perennial_Id__c in Salesforce.
    id: Option<Spanned<String>>,
    /// The CRM's fields with the same value in every task, such as hs_task_priority = "HIGH".
    #[serde(default)]
    values: BTreeMap<Spanned<String>, String>,
    /// The CRM's ids of owners, by their names in accounts.toml and segments.toml: "key accounts" = "1234567". The task of an owner who is not listed belongs
    /// to nobody, and names the owner in its text.
    #[serde(default)]
    owners: BTreeMap<String, Spanned<String>>,
}

impl Channels {
    /// Checks the file, also against what queues and functions get.
    pub(crate) fn load(report: &mut Reporter<'_>, deployment: &Deployment) -> Self {
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        if *file.max_event_age_hours.get_ref() == 0 {
            report.at(file.max_event_age_hours.span(), "max_event_age_hours must be at least 1");
        }
        let mut webhook = BTreeMap::new();
        for (name, endpoint) in file.webhook {
            report.name("an endpoint", &name);
            let endpoint = load_endpoint(report, &name, endpoint);
            webhook.insert(name.into_inner(), endpoint);
        }
        let mail = load_mail(report, file.mail, deployment);
        let pause = pause::load(report, file.pause);
        let topics = topics::load(report, file.topic);
        let person_page = file.person_page.map(|page| {
            let is_fine = |page: &str| {
                (page.starts_with("https://") || page.starts_with("http://")) && page.contains(PERSON) && !page.contains(char::is_whitespace)
            };
            if !is_fine(page.get_ref()) {
                report.at(page.span(), "person_page is an address with {id} in place of the profile's id, such as https://crm.example/people/{id}");
            }
            page.into_inner()
        });
        Self { max_event_age_hours: file.max_event_age_hours.into_inner(), mail, pause, webhook, person_page, topics }
    }
}

fn load_mail(report: &mut Reporter<'_>, mail: RawMail, deployment: &Deployment) -> Mail {
    for (key, value) in [("from", Some(&mail.from)), ("reply_to", mail.reply_to.as_ref())] {
        if let Some(value) = value.filter(|value| !is_sender(value.get_ref())) {
            report.at(value.span(), format!("mail.{key} must be an address, or `Name <address>`, on one line"));
        }
    }
    if mail.configuration_set.get_ref().trim().is_empty() {
        let message = "mail.configuration_set is empty: without it SES does not report what became of a mail";
        report.at(mail.configuration_set.span(), message);
    }
    let minutes = mail.resend_unknown_after_minutes;
    if let Some(minutes) = minutes.as_ref().filter(|minutes| !matches!(minutes.get_ref(), 0 | 5..=1440)) {
        report.at(minutes.span(), "mail.resend_unknown_after_minutes must be 0, for never, or from 5 to 1440");
    }
    let place = minutes.as_ref().map_or_else(|| mail.configuration_set.span(), Spanned::span);
    let minutes = minutes.map_or(RESEND_UNKNOWN_AFTER_MINUTES, Spanned::into_inner);
    // A mail without a report in time is sent again, so all retries of the report must fit into this time.
    let tried = deployment.tried_for_seconds(deployment.deliver) / 60;
    if minutes != 0 && u64::from(minutes) <= tried {
        let message = format!(
            "mail.resend_unknown_after_minutes must be above {tried}, the minutes in which a failing report of a mail is tried to its \
             end (deployment.toml: queues.max_receives and functions.deliver.timeout_seconds)"
        );
        report.at(place, message);
    }
    let wait = mail.wait_for_address_minutes;
    if let Some(wait) = wait.as_ref().filter(|wait| *wait.get_ref() > MAX_WAIT_FOR_ADDRESS_MINUTES) {
        let message = format!("mail.wait_for_address_minutes must be from 0 to {MAX_WAIT_FOR_ADDRESS_MINUTES}");
        report.at(wait.span(), message);
    }
    Mail {
        from: mail.from.into_inner(),
        wait_for_address_minutes: wait.map_or(WAIT_FOR_ADDRESS_MINUTES, Spanned::into_inner),
        reply_to: mail.reply_to.map(Spanned::into_inner),
        configuration_set: mail.configuration_set.into_inner(),
        soft_bounces: soft_bounces::load(report, mail.soft_bounces),
        resend_unknown_after_minutes: minutes,
        unverified_mail: mail.unverified_mail,
        warm_up: mail.warm_up.and_then(|raw| warm_up::load(report, raw)),
    }
}

fn load_endpoint(report: &mut Reporter<'_>, name: &Spanned<String>, raw: RawEndpoint) -> Endpoint {
    let path = format!("webhook.{}", name.get_ref());
    let secret = load_secret(report, &path, name, raw.secret_env.as_ref(), raw.secret.as_ref());
    let url = load_url(report, &path, name, &raw);
    if !matches!(raw.kind, RawKind::Hubspot | RawKind::Salesforce) {
        let spans = [raw.contact.as_ref().map(Spanned::span), raw.account.as_ref().map(Spanned::span)];
        for span in spans.into_iter().chain([raw.task.as_ref().map(Spanned::span)]).flatten() {
            report.at(
                span,
                format!("{path}: only kind = \"hubspot\" and kind = \"salesforce\" have contact, account and task"),
            );
        }
    }
    let kind = match raw.kind {
        RawKind::Standard => Kind::Standard,
        RawKind::Slack => Kind::Slack,
        RawKind::Hubspot => {
            Kind::HubSpot(load_records(report, &path, FieldsOf::HubSpot, raw.contact, raw.account, raw.task))
        }
        RawKind::Salesforce => {
            Kind::Salesforce(load_records(report, &path, FieldsOf::Salesforce, raw.contact, raw.account, raw.task))
        }
    };
    Endpoint { kind, url, secret, allow_private: raw.allow_private }
}

fn load_secret(
    report: &mut Reporter<'_>,
    path: &str,
    name: &Spanned<String>,
    variable: Option<&Spanned<String>>,
    stored: Option<&Spanned<String>>,
) -> SecretPlace {
    let is_secret = |text: &str| ["whsec_", "http://", "https://", "{"].iter().any(|begin| text.starts_with(begin));
    match (variable, stored) {
        (Some(variable), None) => {
            let text = variable.get_ref();
            if is_secret(text) {
                let message = format!(
                    "{path}.secret_env names an environment variable; the secret itself never stands in a file"
                );
                report.at(variable.span(), message);
            } else if !is_variable(text) {
                let message = format!(
                    "{path}.secret_env must be the name of an environment variable, such as TASKS_WEBHOOK_SECRET"
                );
                report.at(variable.span(), message);
            }
            SecretPlace::Env(text.clone())
        }
        (None, Some(stored)) => {
            let text = stored.get_ref();
            let is_name = |b: u8| b.is_ascii_alphanumeric() || b"/_+=.@-:".contains(&b);
            if is_secret(text) {
                let message =
                    format!("{path}.secret is the secret's name or ARN; the secret itself never stands in a file");
                report.at(stored.span(), message);
            } else if text.is_empty() || !text.bytes().all(is_name) {
                let message = format!(
                    "{path}.secret must be the name or ARN of a secret, such as perennial/hubspot, or of a parameter, such as /perennial/hubspot"
                );
                report.at(stored.span(), message);
            }
            SecretPlace::Store(text.clone())
        }
        (Some(_), Some(stored)) => {
            report.at(stored.span(), format!("{path} has one secret: write secret_env or secret, not both"));
            SecretPlace::Store(stored.get_ref().clone())
        }
        (None, None) => {
            let message = format!(
                "{path} needs `secret_env`, the environment variable that holds its secret, or `secret`, its name in AWS Secrets Manager"
            );
            report.at(name.span(), message);
            SecretPlace::Env(String::new())
        }
    }
}

/// The endpoint's address; an empty text where it has none, or must not have one.
fn load_url(report: &mut Reporter<'_>, path: &str, name: &Spanned<String>, raw: &RawEndpoint) -> String {
    match (&raw.url, raw.kind) {
        (Some(url), RawKind::Slack) => {
            report.at(url.span(), format!("{path}.url: an incoming webhook's address is its secret, and so never stands in a file: leave `url` out and put the address where secret_env says"));
            String::new()
        }
        (None, RawKind::Slack) => String::new(),
        (None, RawKind::Hubspot) => HUBSPOT.to_owned(),
        (None, RawKind::Standard) => {
            report.at(name.span(), format!("{path} needs `url`: where to post, https://…"));
            String::new()
        }
        (None, RawKind::Salesforce) => {
            report.at(name.span(), format!("{path} needs `url`: Salesforce's host, https://NAME.my.salesforce.com"));
            String::new()
        }
        (Some(written), kind) => {
            let url = written.get_ref().as_str();
            if !(url.starts_with("https://") || (raw.allow_private && url.starts_with("http://"))) {
                let message = format!("{path}.url must begin with https:// (http:// only with allow_private = true)");
                report.at(written.span(), message);
            } else if kind != RawKind::Standard && url.contains(['?', '#']) {
                report.at(written.span(), format!("{path}.url is the CRM's host, without ? and #"));
            }
            if kind == RawKind::Standard { url.to_owned() } else { url.trim_end_matches('/').to_owned() }
        }
    }
}

fn load_records(
    report: &mut Reporter<'_>,
    path: &str,
    kind: FieldsOf,
    contact: Option<Spanned<RawContact>>,
    account: Option<Spanned<RawAccount>>,
    task: Option<Spanned<RawTask>>,
) -> CrmRecords {
    let contact = contact.map(Spanned::into_inner).unwrap_or_default();
    let account = account.map(Spanned::into_inner).unwrap_or_default();
    let task = task.map(Spanned::into_inner).unwrap_or_default();
    let own = if kind == FieldsOf::HubSpot { HUBSPOT_ID } else { SALESFORCE_ID };
    let contact_id = if kind == FieldsOf::HubSpot { "email" } else { own };
    let mut fields = Fields { report, path, kind };
    let contact_id = fields.id("contact", contact.id, contact_id);
    let is_email = kind == FieldsOf::HubSpot && contact_id == "email";
    let holds = contact.holds.unwrap_or(if is_email { ContactId::Email } else { ContactId::PersonId });
    CrmRecords {
        contact: ContactRecords { fields: fields.all("contact", &contact_id, contact.fields), id: contact_id, holds },
        account: {
            let id = fields.id("account", account.id, own);
            AccountRecords { fields: fields.all("account", &id, account.fields), id }
        },
        task: {
            let id = fields.id("task", task.id, own);
            TaskRecords { values: fields.all("task", &id, task.values), owners: fields.owners(task.owners), id }
        },
    }
}

/// Checks the names of a CRM's fields.
struct Fields<'r, 'f> {
    report: &'r mut Reporter<'f>,
    path: &'r str,
    kind: FieldsOf,
}

impl Fields<'_, '_> {
    fn id(&mut self, of: &str, written: Option<Spanned<String>>, default: &str) -> String {
        let Some(written) = written else { return default.to_owned() };
        self.check(of, &written);
        written.into_inner()
    }

    fn all(&mut self, of: &str, id: &str, written: BTreeMap<Spanned<String>, String>) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        for (name, value) in written {
            self.check(of, &name);
            if name.get_ref() == id {
                let message =
                    format!("{}.{of}: `{id}` is what the record is found by, and filled by itself", self.path);
                self.report.at(name.span(), message);
            }
            fields.insert(name.into_inner(), value);
        }
        fields
    }

    /// Returns the CRM's ids of owners, which are letters and digits.
    fn owners(&mut self, written: BTreeMap<String, Spanned<String>>) -> BTreeMap<String, String> {
        for id in written.values() {
            if id.get_ref().is_empty() || !id.get_ref().chars().all(|c| c.is_ascii_alphanumeric()) {
                let message = format!(
                    "{}.task.owners: `{}` is no id of a user of the CRM: letters and digits",
                    self.path,
                    id.get_ref()
                );
                self.report.at(id.span(), message);
            }
        }
        written.into_iter().map(|(owner, id)| (owner, id.into_inner())).collect()
    }

    /// Reports a name that no field of the CRM can have.
    fn check(&mut self, of: &str, name: &Spanned<String>) {
        if let Some(problem) = self.kind.problem(name.get_ref()) {
            self.report.at(name.span(), format!("{}.{of}: {problem}", self.path));
        }
    }
}

/// Returns whether `text` can be the name of an environment variable.
fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Returns whether `text` can be a mail's sender; SES decides whether it is one.
fn is_sender(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.trim_end().strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let parts = address.trim().split_once('@');
    !text.chars().any(char::is_control)
        && parts.is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains([' ', '@', '<'])
        })
}
