//! The file as written, and its checks.

use super::{
    Accounts, Crm, CrmField, Domains, HealthRule, Owner, ScoreRule, THOUSAND, TouchLevels, Value, Weights,
};
use crate::error::{Reporter, unknown};
use crate::lifecycle::Lifecycle;
use perennial_domain::{Currency, Touch};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The greatest weight of a persona.
const MAX_WEIGHT: f64 = 100.0;
/// The points of `least_change` where nothing is written.
const LEAST_CHANGE: u8 = 5;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    value: Option<Spanned<RawValue>>,
    #[serde(default)]
    touch: RawTouch,
    #[serde(default)]
    owner: RawOwner,
    #[serde(default)]
    stage: RawStage,
    #[serde(default)]
    score: RawScore,
    #[serde(default)]
    health: RawHealth,
    #[serde(default)]
    domains: RawDomains,
    crm: Option<Spanned<RawCrm>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValue {
    r#trait: Spanned<String>,
    currency: Spanned<String>,
    per: Period,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Period {
    Month,
    Year,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTouch {
    high: Option<Spanned<i64>>,
    low: Option<Spanned<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOwner {
    r#trait: Option<String>,
    high: Option<String>,
    low: Option<String>,
    none: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStage {
    #[serde(default)]
    events: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScore {
    ready: Option<Spanned<u8>>,
    #[serde(default)]
    buyers: Vec<Spanned<String>>,
    #[serde(default)]
    weights: BTreeMap<Spanned<String>, Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHealth {
    engagement: Option<Spanned<f64>>,
    success: Option<Spanned<f64>>,
    churn: Option<Spanned<f64>>,
    #[serde(default)]
    weights: BTreeMap<Spanned<String>, Spanned<f64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDomains {
    #[serde(default)]
    company_domain: bool,
    #[serde(default)]
    free_mail: Vec<Spanned<String>>,
    #[serde(default)]
    traits: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCrm {
    endpoint: Spanned<String>,
    least_change: Option<Spanned<u8>>,
    fields: BTreeMap<CrmField, Spanned<String>>,
}

impl Accounts {
    /// Checks and compiles the file against the names of the others.
    pub(crate) fn load(
        report: &mut Reporter<'_>,
        endpoints: &[&str],
        lifecycle: &Lifecycle,
        personas: &[String],
    ) -> Self {
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
        let known: Vec<&str> = lifecycle.milestones.keys().map(String::as_str).collect();
        let mut stage_events = BTreeSet::new();
        for event in file.stage.events {
            // Without milestones lifecycle.toml has errors of its own.
            if !known.is_empty() && !known.contains(&event.get_ref().as_str()) {
                report.at(event.span(), unknown("event of lifecycle.toml", event.get_ref(), known.iter().copied()));
            }
            stage_events.insert(event.into_inner());
        }
        Self {
            value,
            touch,
            owner,
            stage_events,
            score: load_score(report, file.score, personas),
            health: load_health(report, file.health, personas),
            domains: load_domains(report, file.domains),
            crm: file.crm.and_then(|crm| load_crm(report, crm, endpoints)),
        }
    }
}

fn load_value(report: &mut Reporter<'_>, raw: RawValue) -> Option<Value> {
    if raw.r#trait.get_ref().trim().is_empty() {
        report.at(raw.r#trait.span(), "value.trait is empty: name the trait that says what an account pays, such as mrr");
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
    let levels = TouchLevels { high: minor("high", &raw.high), low: minor("low", &raw.low) };
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
        report.at(written.span(), "health.engagement and health.success must add up to 1 (each is 0.5 where it is not written)");
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

fn load_crm(report: &mut Reporter<'_>, raw: Spanned<RawCrm>, endpoints: &[&str]) -> Option<Crm> {
    let (span, raw) = (raw.span(), raw.into_inner());
    let endpoint = raw.endpoint.get_ref().as_str();
    if !endpoints.contains(&endpoint) {
        report.at(raw.endpoint.span(), unknown("endpoint of channels.toml", endpoint, endpoints.iter().copied()));
    }
    let least_change = raw.least_change.as_ref().map_or(LEAST_CHANGE, |points| *points.get_ref());
    if let Some(written) = raw.least_change.as_ref().filter(|_| !(1..=100).contains(&least_change)) {
        report.at(written.span(), "crm.least_change must be from 1 to 100 points");
    }
    if raw.fields.is_empty() {
        report.at(span, "crm.fields is empty: name at least one field, such as score = \"account_score\"");
    }
    let mut names = BTreeSet::new();
    for name in raw.fields.values() {
        if name.get_ref().trim().is_empty() {
            report.at(name.span(), "a field of the CRM needs a name");
        } else if !names.insert(name.get_ref()) {
            report.at(name.span(), format!("two values cannot be written into one field, `{}`", name.get_ref()));
        }
    }
    let fields = raw.fields.into_iter().map(|(field, name)| (field, name.into_inner())).collect();
    Some(Crm { endpoint: raw.endpoint.into_inner(), least_change, fields })
}

/// Whole thousandths of `number`, which is checked to be small.
fn thousandths(number: f64) -> i64 {
    (number * 1000.0).round() as i64
}
