//! `[crm]`: what of accounts and people is written into the CRM.

use crate::cel::Program;
use crate::channels::{Endpoint, FieldsOf, Kind};
use crate::condition;
use crate::error::Reporter;
use crate::history::History;
use crate::spanned::Spanned;
use crate::spelling::unknown;
use crate::vocabulary::{PersonSlot, PersonVocabulary};
use perennial_domain::Likelihood;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The default of an account's `least_change`, in points.
const LEAST_CHANGE: u8 = 5;
/// The default of a person's: people are many.
const LEAST_CHANGE_OF_PEOPLE: u8 = 10;

/// The events by which a person's wish to get mails changes.
pub const SUBSCRIPTION_EVENTS: [&str; 2] = ["Subscribed", "Unsubscribed"];

/// A value of an account that can be written to the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmField {
    /// Readiness to buy, 0 to 100.
    Score,
    /// Health, 0 to 100.
    Health,
    /// Tests whether the score has reached the threshold.
    Ready,
    /// The touch model.
    Touch,
    /// The account's stage.
    Stage,
    /// The owner.
    Owner,
    /// The annual value, in whole units of the currency.
    Value,
}

/// The CRM endpoint and fields of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crm {
    /// An endpoint of `channels.toml`.
    pub endpoint: String,
    /// The least change of score or health that is worth a webhook, in points: 1 to 100.
    pub least_change: u8,
    /// The CRM field for each value; at least one.
    pub fields: BTreeMap<CrmField, String>,
}

/// A value of a person that can be written to the CRM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PersonField {
    /// The lifecycle stage.
    Stage,
    /// One of the nine scores.
    Score(Likelihood),
    /// The latest answer to the survey, 0 to 10.
    Nps,
    /// Promoter, passive, detractor or none.
    NpsClass,
    /// The personas.
    Personas,
    /// The first of the person's segments, in the file's order.
    Segment,
    /// The owner.
    Owner,
    /// The account's readiness to buy.
    AccountScore,
    /// The account's health.
    AccountHealth,
    /// The day of the last activity, in UTC.
    LastActivity,
    /// The day of the account's next renewal, in UTC.
    NextRenewal,
    /// Tests whether the person has unsubscribed from all mails.
    Unsubscribed,
}

impl PersonField {
    /// Returns all of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [
            Self::Nps,
            Self::NpsClass,
            Self::Personas,
            Self::Segment,
            Self::Owner,
            Self::AccountScore,
            Self::AccountHealth,
            Self::LastActivity,
            Self::NextRenewal,
            Self::Unsubscribed,
        ];
        [Self::Stage].into_iter().chain(Likelihood::ALL.map(Self::Score)).chain(others)
    }

    /// Returns the name in the file, such as `churn` or `last_activity`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Score(likelihood) => likelihood.as_str(),
            Self::Nps => "nps",
            Self::NpsClass => "nps_class",
            Self::Personas => "personas",
            Self::Segment => "segment",
            Self::Owner => "owner",
            Self::AccountScore => "account_score",
            Self::AccountHealth => "account_health",
            Self::LastActivity => "last_activity",
            Self::NextRenewal => "next_renewal",
            Self::Unsubscribed => "unsubscribed",
        }
    }

    /// Returns whether it is known only with the person's account.
    pub const fn asks_account(self) -> bool {
        matches!(self, Self::Owner | Self::AccountScore | Self::AccountHealth | Self::NextRenewal)
    }
}

/// The CRM endpoint and fields of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeopleCrm {
    /// An endpoint of `channels.toml`.
    pub endpoint: String,
    /// The condition of who is written; `None` for everyone with a mail address who is no visitor.
    pub when: Option<Program<PersonSlot>>,
    /// The least change of a score that is worth a write, in points: 1 to 100.
    pub least_change: u8,
    /// The CRM field for each value; at least one.
    pub fields: BTreeMap<PersonField, String>,
}

impl PeopleCrm {
    /// Returns whether any of the values is known only with the person's account.
    pub fn asks_account(&self) -> bool {
        self.fields.keys().any(|field| field.asks_account())
    }
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RawCrm {
    /// An endpoint of channels.toml that is no chat. A signed webhook goes there for each change that is worth writing, or the CRM's
    /// record of the account is made or changed.
    endpoint: Spanned<String>,
    /// The smallest change of an account's score or health that is written, 1 to 100 points; default: 5.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    least_change: Option<Spanned<u8>>,
    /// The CRM's account field for each value, by the field's name. `value` is in whole units of the
    /// currency a year, `ready` is whether the score has reached the threshold. Default: accounts are not written.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::CrmFieldName, String>"))]
    fields: BTreeMap<CrmField, Spanned<String>>,
    /// The people who are kept current in the CRM. Default: people reach it only with a task.
    people: Option<Spanned<RawPeople>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawPeople {
    /// Another endpoint of channels.toml for people; default: that of accounts.
    endpoint: Option<Spanned<String>>,
    /// A condition: who is kept current. People who no longer fulfil it keep the last written values. Default: everyone with a mail address who
    /// is no visitor.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::PersonCondition>"))]
    when: Option<Spanned<String>>,
    /// The smallest change of a score that is written, 1 to 100 points; default: 10. Any other change is written, except that a later day of activity is
    /// written when it is a week later, or with another change.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    least_change: Option<Spanned<u8>>,
    /// The CRM's contact field for each value; at least one. `nps` is the latest answer, `segment` the first one of segments.toml that the person is
    /// in. Values that are not known are empty.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<crate::schema::PersonFieldName, String>"))]
    fields: BTreeMap<Spanned<String>, Spanned<String>>,
}

/// Checks and compiles what is written of accounts, and of people.
pub(super) fn load_crm(
    report: &mut Reporter<'_>,
    raw: Spanned<RawCrm>,
    endpoints: &BTreeMap<String, Endpoint>,
    vocabulary: &PersonVocabulary<'_>,
    history: &mut History,
) -> (Option<Crm>, Option<PeopleCrm>) {
    let (span, raw) = (raw.span(), raw.into_inner());
    let kind = endpoint_of(report, "crm", &raw.endpoint, endpoints);
    let least_change = least_change(report, "crm", raw.least_change.as_ref(), LEAST_CHANGE);
    if raw.fields.is_empty() && raw.people.is_none() {
        report.at(span, "crm.fields is empty: name at least one field, such as score = \"account_score\"");
    }
    check_names(report, kind, raw.fields.values(), |_| None);
    let fields: BTreeMap<_, _> = raw.fields.into_iter().map(|(field, name)| (field, name.into_inner())).collect();
    let people = raw.people.map(|people| load_people(report, people, &raw.endpoint, endpoints, (vocabulary, history)));
    let crm = Crm { endpoint: raw.endpoint.into_inner(), least_change, fields };
    (Some(crm).filter(|crm| !crm.fields.is_empty()), people)
}

fn load_people(
    report: &mut Reporter<'_>,
    raw: Spanned<RawPeople>,
    of_accounts: &Spanned<String>,
    endpoints: &BTreeMap<String, Endpoint>,
    (vocabulary, history): (&PersonVocabulary<'_>, &mut History),
) -> PeopleCrm {
    let (span, raw) = (raw.span(), raw.into_inner());
    let (endpoint, kind) = match &raw.endpoint {
        Some(own) => (own.get_ref(), endpoint_of(report, "crm.people", own, endpoints)),
        // Errors in it are reported once, for accounts.
        None => (of_accounts.get_ref(), endpoints.get(of_accounts.get_ref()).map(|endpoint| &endpoint.kind)),
    };
    // An invalid condition holds for nobody.
    let when = raw
        .when
        .as_ref()
        .and_then(|when| condition::on_person(report, when, vocabulary).or_else(|| condition::never(vocabulary)));
    if let Some(when) = &when {
        history.ask(when.slots());
    }
    let least_change = least_change(report, "crm.people", raw.least_change.as_ref(), LEAST_CHANGE_OF_PEOPLE);
    if raw.fields.is_empty() {
        report.at(span, "crm.people.fields is empty: name at least one field, such as churn = \"churn_risk\"");
    }
    check_names(report, kind, raw.fields.values(), |name| {
        let (Kind::HubSpot(records) | Kind::Salesforce(records)) = kind? else { return None };
        match records.contact.fields.get(name) {
            _ if *name == records.contact.id => {
                Some(format!("`{name}` is what the contact is found by, and filled by itself"))
            }
            Some(from) => Some(format!("`{name}` is filled from the trait `{from}` already, in channels.toml")),
            None => None,
        }
    });
    let mut fields = BTreeMap::new();
    for (value, name) in raw.fields {
        let text = value.get_ref().as_str();
        match PersonField::all().find(|field| field.as_str() == text) {
            Some(field) => drop(fields.insert(field, name.into_inner())),
            None => {
                let known: Vec<&str> = PersonField::all().map(PersonField::as_str).collect();
                report.at(value.span(), unknown("value of a person", text, known.iter().copied()));
            }
        }
    }
    PeopleCrm { endpoint: endpoint.clone(), when, least_change, fields }
}

/// Returns the kind of an endpoint that keeps records, and reports any other.
fn endpoint_of<'e>(
    report: &mut Reporter<'_>,
    path: &str,
    written: &Spanned<String>,
    endpoints: &'e BTreeMap<String, Endpoint>,
) -> Option<&'e Kind> {
    let name = written.get_ref().as_str();
    let kind = endpoints.get(name).map(|endpoint| &endpoint.kind);
    match kind {
        None => {
            let known = endpoints.keys().map(String::as_str);
            report.at(written.span(), unknown("endpoint of channels.toml", name, known));
        }
        Some(Kind::Slack) => report.at(
            written.span(),
            format!("{path}.endpoint: `{name}` is a chat, which keeps no records of accounts or people; name a CRM or a signed webhook"),
        ),
        Some(Kind::Standard | Kind::HubSpot(_) | Kind::Salesforce(_)) => {}
    }
    kind
}

fn least_change(report: &mut Reporter<'_>, path: &str, written: Option<&Spanned<u8>>, default: u8) -> u8 {
    let Some(written) = written else { return default };
    if !(1..=100).contains(written.get_ref()) {
        report.at(written.span(), format!("{path}.least_change must be from 1 to 100 points"));
    }
    *written.get_ref()
}

/// Checks the names of a CRM's fields, each of which gets one value. `taken` returns why a name is not free.
fn check_names<'n>(
    report: &mut Reporter<'_>,
    kind: Option<&Kind>,
    names: impl Iterator<Item = &'n Spanned<String>>,
    taken: impl Fn(&String) -> Option<String>,
) {
    let fields_of = kind.and_then(FieldsOf::of);
    let mut known = BTreeSet::new();
    for name in names {
        let span: Range<usize> = name.span();
        let problem = fields_of.and_then(|of| of.problem(name.get_ref()));
        if name.get_ref().trim().is_empty() {
            report.at(span, "a field of the CRM needs a name");
        } else if !known.insert(name.get_ref()) {
            report.at(span, format!("two values cannot be written into one field, `{}`", name.get_ref()));
        } else if let Some(problem) = problem.or_else(|| taken(name.get_ref())) {
            report.at(span, problem);
        }
    }
}
