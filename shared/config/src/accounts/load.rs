//! The file as written, and its checks.

use super::crm::{RawCrm, load_crm};
use super::membership::{RawMembers, RawMembership, load_membership};
use super::{Accounts, Domains, HealthRule, Owner, Renewal, ScoreRule, THOUSAND, TouchLevels, Value, Weights};
use crate::channels::Endpoint;
use crate::error::Reporter;
use crate::history::History;
use crate::spanned::Spanned;
use crate::spelling::unknown;
use crate::vocabulary::PersonVocabulary;
use jiff::civil::Date;
use perennial_domain::time::{DAY_SECONDS, day_of_date};
use perennial_domain::{Currency, Touch};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The greatest weight of a persona.
const MAX_WEIGHT: f64 = 100.0;

/// Accounts: their value, owners, scores and health, and what is written to the CRM, also of people.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The annual value of the account, from a trait of `group` calls. Without it no account has a value.
    value: Option<Spanned<RawValue>>,
    /// The touch model (the amount of personal attention) by annual value.
    #[serde(default)]
    touch: RawTouch,
    /// The colleague or team that tasks about the account go to.
    #[serde(default)]
    owner: RawOwner,
    /// Which events say who belongs to the account.
    members: Option<RawMembers>,
    /// The number of accounts of a person, and what ends a membership.
    #[serde(default)]
    membership: RawMembership,
    /// The stage of the account as a whole.
    #[serde(default)]
    stage: RawStage,
    /// The account's renewals and its next renewal date.
    #[serde(default)]
    renewal: RawRenewal,
    /// The account's readiness to buy, 0 to 100: the sum of `purchase` over its buyers.
    #[serde(default)]
    score: RawScore,
    /// A customer's health, 0 to 100: the mean of engagement and success over everyone who pays, minus the churn
    /// likelihood.
    #[serde(default)]
    health: RawHealth,
    /// Assigns people to accounts without a `group` call.
    #[serde(default)]
    domains: RawDomains,
    /// The CRM that values of accounts and people are written to. Optional.
    crm: Option<Spanned<RawCrm>>,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawValue {
    /// The trait of the account: a number (or its text) in whole units of the currency, such as 1290 or "1290.50".
    r#trait: Spanned<String>,
    /// The currency's ISO 4217 code, such as "USD".
    currency: Spanned<String>,
    /// The period of the number; a monthly one is multiplied by twelve.
    per: Period,
}

#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Period {
    Month,
    Year,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawTouch {
    /// From this value on, in whole units of the currency a year, an account is looked after by colleagues; above 0.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    high: Option<Spanned<i64>>,
    /// From this value on, in whole units of the currency a year, by automation and a colleague where it matters; above 0 and
    /// below `high`.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    low: Option<Spanned<i64>>,
    /// For a gradual change: until this day, such as "2027-01-01" (UTC), accounts that pay keep the touch model that they had when they were last computed,
    /// and with it their owner, whatever `high`, `low` and their value say. New customers get the new one at once. Default: a change applies at once.
    existing_until: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawOwner {
    /// The trait of the account that contains the owner; if it is missing, the touch model's owner is used.
    r#trait: Option<String>,
    /// The owner of accounts with high touch.
    high: Option<String>,
    /// The owner of accounts with low touch.
    low: Option<String>,
    /// The owner of all others.
    none: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawStage {
    /// Events of lifecycle.toml that say where the whole account stands, where they carry its id.
    #[serde(default)]
    events: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawRenewal {
    /// Events that are one renewal each, if they contain the account's id.
    #[serde(default)]
    events: Vec<Spanned<String>>,
    /// The trait of the account with the next renewal date: a date, a time, or seconds or milliseconds since 1970. It
    /// is read from `group` calls, and from the property of that name of any event that contains the account's id.
    r#trait: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawScore {
    /// The score, 1 to 100, from which the account counts as ready; default: never.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    ready: Option<Spanned<u8>>,
    /// The personas whose readiness counts; default: all. Only people who do not pay yet count.
    #[serde(default)]
    buyers: Vec<Spanned<String>>,
    /// The weight of a persona's readiness, 0 to 100; default: 1. Of several personas the greatest weight counts.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::Percent>"))]
    weights: BTreeMap<Spanned<String>, Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawHealth {
    /// The share of engagement, 0 to 1; default: 0.5.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    engagement: Option<Spanned<f64>>,
    /// The share of success with the product, 0 to 1; default: 0.5. The two shares add up to 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    success: Option<Spanned<f64>>,
    /// The share of the churn likelihood that is subtracted, 0 to 1; default: 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    churn: Option<Spanned<f64>>,
    /// The weight of a persona in the mean, 0 to 100; default: 1.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, crate::schema::Percent>"))]
    weights: BTreeMap<Spanned<String>, Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RawDomains {
    /// `true` if people with a company's mail address belong to the account of its domain. Free-mail addresses never
    /// do.
    #[serde(default)]
    company_domain: bool,
    /// Free-mail domains that are missing in the built-in list, such as "mail.example".
    #[serde(default)]
    free_mail: Vec<Spanned<String>>,
    /// Traits with the account's own domains: a domain, the address of a website, or a list of these.
    #[serde(default)]
    traits: Vec<String>,
}

impl Accounts {
    /// Checks and compiles the file against the names of the other files. `vocabulary` is of
    /// [`crate::vocabulary::Level::Journey`].
    pub(crate) fn load(
        report: &mut Reporter<'_>,
        endpoints: &BTreeMap<String, Endpoint>,
        vocabulary: &PersonVocabulary<'_>,
        history: &mut History,
    ) -> Self {
        let personas = vocabulary.personas;
        let Some(file) = report.parse::<File>() else {
            return Self::default();
        };
        let value = file.value.and_then(|value| load_value(report, value.into_inner()));
        let touch = load_touch(report, file.touch, value.as_ref());
        let owner = file.owner;
        let by_touch = [(Touch::High, owner.high), (Touch::Low, owner.low), (Touch::None, owner.none)];
        let owner = Owner {
            r#trait: owner.r#trait,
            by_touch: by_touch.into_iter().filter_map(|(touch, owner)| Some((touch, owner?))).collect(),
        };
        let stage_events: BTreeSet<String> = file.stage.events.into_iter().map(Spanned::into_inner).collect();
        let renewal = load_renewal(report, file.renewal);
        let member_events = match file.members {
            Some(members) => {
                members.events.iter().for_each(|event| report.event(event));
                members.events.into_iter().map(Spanned::into_inner).collect()
            }
            None => stage_events.union(&renewal.events).cloned().collect(),
        };
        let (crm, people) =
            file.crm.map(|crm| load_crm(report, crm, endpoints, vocabulary, history)).unwrap_or_default();
        Self {
            value,
            touch,
            owner,
            stage_events,
            member_events,
            membership: load_membership(report, file.membership),
            renewal,
            score: load_score(report, file.score, personas),
            health: load_health(report, file.health, personas),
            domains: load_domains(report, file.domains),
            crm,
            people,
        }
    }
}

fn load_value(report: &mut Reporter<'_>, raw: RawValue) -> Option<Value> {
    if raw.r#trait.get_ref().trim().is_empty() {
        report
            .at(raw.r#trait.span(), "value.trait is empty: name the trait that says what an account pays, such as mrr");
    }
    let currency = match Currency::parse(raw.currency.get_ref()) {
        Ok(currency) => currency,
        Err(error) => {
            report.at(raw.currency.span(), format!("value.currency: {error}"));
            return None;
        }
    };
    let times_a_year = match raw.per {
        Period::Month => 12,
        Period::Year => 1,
    };
    Some(Value { r#trait: raw.r#trait.into_inner(), currency, times_a_year })
}

fn load_renewal(report: &mut Reporter<'_>, raw: RawRenewal) -> Renewal {
    raw.events.iter().for_each(|event| report.event(event));
    if let Some(name) = raw.r#trait.as_ref().filter(|name| name.get_ref().trim().is_empty()) {
        report.at(
            name.span(),
            "renewal.trait is empty: name the trait that says when an account renews, such as renews_at",
        );
    }
    Renewal {
        events: raw.events.into_iter().map(Spanned::into_inner).collect(),
        r#trait: raw.r#trait.map(Spanned::into_inner),
    }
}

fn load_touch(report: &mut Reporter<'_>, raw: RawTouch, value: Option<&Value>) -> TouchLevels {
    let mut minor = |name: &str, amount: &Option<Spanned<i64>>| {
        let amount = amount.as_ref()?;
        let Some(value) = value else {
            report.at(amount.span(), format!("touch.{name} needs [value]: without it no account has a value"));
            return None;
        };
        let minor = 10_i64.checked_pow(value.currency.exponent()).and_then(|unit| amount.get_ref().checked_mul(unit));
        if *amount.get_ref() <= 0 || minor.is_none() {
            report.at(amount.span(), format!("touch.{name} must be an amount above 0, in whole units of the currency"));
        }
        minor
    };
    let (high, low) = (minor("high", &raw.high), minor("low", &raw.low));
    let existing_until = raw.existing_until.as_ref().and_then(|until| match until.get_ref().parse::<Date>() {
        Ok(date) => Some(i64::from(day_of_date(date)) * DAY_SECONDS),
        Err(_) => {
            report.at(until.span(), "touch.existing_until has to be a day such as \"2027-01-01\"");
            None
        }
    });
    let levels = TouchLevels { high, low, existing_until };
    if let (Some(high), Some(low)) = (&raw.high, &raw.low)
        && high.get_ref() <= low.get_ref()
    {
        report.at(high.span(), format!("touch.high must be more than touch.low, which is {}", low.get_ref()));
    }
    levels
}

fn load_score(report: &mut Reporter<'_>, raw: RawScore, personas: &[String]) -> ScoreRule {
    if let Some(ready) = raw.ready.as_ref().filter(|ready| !(1..=100).contains(ready.get_ref())) {
        report.at(ready.span(), "score.ready must be from 1 to 100");
    }
    for buyer in &raw.buyers {
        check_persona(report, buyer, personas);
    }
    ScoreRule {
        ready: raw.ready.map(Spanned::into_inner),
        buyers: raw.buyers.into_iter().map(Spanned::into_inner).collect(),
        weights: load_weights(report, raw.weights, personas),
    }
}

fn load_health(report: &mut Reporter<'_>, raw: RawHealth, personas: &[String]) -> HealthRule {
    let default = HealthRule::default();
    let mut share = |name: &str, written: &Option<Spanned<f64>>, default: i64| {
        let Some(written) = written else { return default };
        if !(0.0..=1.0).contains(written.get_ref()) {
            report.at(written.span(), format!("health.{name} must be from 0 to 1"));
        }
        thousandths(*written.get_ref())
    };
    let engagement = share("engagement", &raw.engagement, default.engagement);
    let success = share("success", &raw.success, default.success);
    let churn = share("churn", &raw.churn, default.churn);
    if engagement + success != THOUSAND
        && let Some(written) = raw.success.as_ref().or(raw.engagement.as_ref())
    {
        report.at(
            written.span(),
            "health.engagement and health.success must add up to 1 (each is 0.5 where it is not written)",
        );
    }
    HealthRule { engagement, success, churn, weights: load_weights(report, raw.weights, personas) }
}

fn load_weights(
    report: &mut Reporter<'_>,
    raw: BTreeMap<Spanned<String>, Spanned<f64>>,
    personas: &[String],
) -> Weights {
    let mut weights = BTreeMap::new();
    for (persona, weight) in raw {
        check_persona(report, &persona, personas);
        if !(0.0..=MAX_WEIGHT).contains(weight.get_ref()) {
            report.at(weight.span(), format!("the weight of `{}` must be from 0 to 100", persona.get_ref()));
        }
        weights.insert(persona.into_inner(), thousandths(*weight.get_ref()));
    }
    Weights(weights)
}

fn check_persona(report: &mut Reporter<'_>, persona: &Spanned<String>, personas: &[String]) {
    if !personas.contains(persona.get_ref()) {
        report.at(
            persona.span(),
            unknown("persona of personas.toml", persona.get_ref(), personas.iter().map(String::as_str)),
        );
    }
}

fn load_domains(report: &mut Reporter<'_>, raw: RawDomains) -> Domains {
    let mut free_mail = BTreeSet::new();
    for domain in raw.free_mail {
        let lower = domain.get_ref().trim().to_lowercase();
        if !lower.contains('.') || lower.contains(['@', '/', ' ']) {
            report.at(domain.span(), format!("`{}` is no domain; write one such as mail.example", domain.get_ref()));
        }
        free_mail.insert(lower);
    }
    Domains { company_domain: raw.company_domain, free_mail, traits: raw.traits }
}

/// Whole thousandths of `number`, which is checked to be small.
fn thousandths(number: f64) -> i64 {
    (number * 1000.0).round() as i64
}
