//! `GET /api/accounts/{id}`: an account, the reasons of its score and health, and its people.

mod exact;
mod members;

use crate::answer::{self, Failure};
use crate::deps::Deps;
use crate::subscriptions::{self, SubscriptionView};
use http::Response;
use jiff::Timestamp;
use lambda_http::Body;
use perennial_config::Config;
use perennial_domain::{
    AccountId, AccountReason, AccountSummary, Currency, Identity, Measure, Member, PersonId, Score, Stage, Touch,
};
use perennial_engine::account::{Account, TrendPoint, facts};
use perennial_store::updates::UpdateRecord;
use perennial_store::{Consistency, Found, Loaded, Store, StoreError};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Serialize)]
struct AccountView<'a> {
    id: &'a AccountId,
    traits: BTreeMap<&'a str, &'a Value>,
    /// Traits of which something was not kept for its size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped_traits: Vec<&'a str>,
    /// Company domains whose people belong to it.
    domains: Vec<AccountId>,
    /// The account's own stage; `null` without events that set it.
    stage: Option<Stage>,
    /// Its subscriptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subscriptions: Vec<SubscriptionView>,
    /// The number of its renewals.
    renewals: u32,
    /// The latest known renewal date, which may have passed; `null` if unknown, or if the account has left.
    renews_at: Option<Timestamp>,
    /// The annual value, in minor units.
    value: Option<ValueView>,
    touch: Touch,
    owner: Option<String>,
    people: u32,
    /// The number of people whose primary account is another one: their scores count there.
    elsewhere: u32,
    /// The number of people by stage.
    stages: BTreeMap<Stage, u32>,
    last_seen: Option<Timestamp>,
    score: Score,
    /// `true` if score, health, reasons and members are from the current profiles. Otherwise score and health are from
    /// the members' curves, to half a point a member, and reasons from the account's last computation.
    exact: bool,
    /// `true` if the score has reached the threshold.
    ready: bool,
    reasons: Vec<ReasonView<'a>>,
    /// `null` if nobody pays.
    health: Option<Score>,
    health_reasons: Vec<ReasonView<'a>>,
    /// Score and health at the end of the weeks in which they changed, the newest last.
    trend: &'a [TrendPoint],
    /// The CRM updates of the last 90 days, newest first.
    crm: Vec<UpdateRecord>,
    members: Vec<Member>,
    /// Members of this page and updates of the CRM that cannot be read.
    unreadable: u64,
    /// The value of `after` for the next page of members; `null` if there is none.
    next: Option<String>,
    /// The config that score and health were computed under.
    config: Option<&'a str>,
    now: Timestamp,
}

#[derive(Serialize)]
struct ValueView {
    minor: i64,
    currency: Currency,
}

/// A contribution to score or health, with its person.
#[derive(Serialize)]
struct ReasonView<'a> {
    #[serde(flatten)]
    reason: &'a AccountReason,
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    /// The path of the person's own reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
}

/// Answers with the account called `id`, or the one that has the domain `id` as its own. `limit` and `after` choose the page of members.
pub(crate) async fn show(deps: &Deps, id: &str, limit: usize, after: Option<&str>) -> Result<Response<Body>, Failure> {
    const NONE: Failure = Failure::NotFound("no account has this id");
    let asked = AccountId::parse(id).map_err(|_| NONE)?;
    let stored = deps.store.account_in_charge(&asked, Consistency::Eventual).await?;
    let account = stored.map_or_else(|| Account::new(asked), |stored| stored.account);
    let domains = deps.store.domains_of(&account, Consistency::Eventual).await?;
    let page = members::page(&deps.store, &account.id, &domains, limit, after).await?;
    if account.summary.is_none() && !account.is_own() && page.members.is_empty() && after.is_none() {
        return Err(NONE);
    }
    let config = deps.config.current().await;
    let now = deps.clock.now();
    let profiles = exact::people(&deps.store, &config, &account, &domains, now).await?;
    let summary = match &profiles {
        Some(people) => exact::summary(&config, people, now),
        None => AccountSummary {
            score: account.score_at(now),
            health: account.health_at(now),
            ..account.summary.clone().unwrap_or_default()
        },
    };
    let page = page.at(profiles.as_deref(), now);
    let (people, crm) =
        futures::future::try_join(identities(&deps.store, &summary), deps.store.updates(&account.id)).await?;
    let exact = profiles.is_some();
    answer::json(&AccountView { exact, ..view(&config, &account, &summary, &people, domains, crm, page, now) })
}

#[expect(clippy::too_many_arguments, reason = "each is a part of the answer")]
fn view<'a>(
    config: &Config,
    account: &'a Account,
    summary: &'a AccountSummary,
    people: &HashMap<PersonId, String>,
    domains: Vec<AccountId>,
    crm: Found<UpdateRecord>,
    page: members::Page,
    now: Timestamp,
) -> AccountView<'a> {
    let facts = facts(config, account, now);
    let reasons = |reasons: &'a [AccountReason]| reasons.iter().map(|reason| reason_view(reason, people)).collect();
    let currency = config.accounts.value.as_ref().map(|value| value.currency);
    AccountView {
        id: &account.id,
        traits: account.present_traits().collect(),
        dropped_traits: account.dropped_traits().collect(),
        domains,
        stage: facts.stage,
        subscriptions: subscriptions::all(config, &account.billing, now),
        renewals: facts.renewals,
        renews_at: facts.renews_at,
        value: facts.value.zip(currency).map(|(minor, currency)| ValueView { minor, currency }),
        touch: facts.touch,
        owner: facts.owner,
        people: summary.people,
        elsewhere: summary.elsewhere,
        stages: summary.stages.clone(),
        last_seen: summary.last_seen,
        score: summary.score,
        exact: false,
        ready: config.accounts.score.ready.is_some_and(|ready| summary.score.get() >= ready),
        reasons: reasons(&summary.reasons),
        health: summary.health,
        health_reasons: reasons(&summary.health_reasons),
        trend: &account.trend,
        crm: crm.items,
        unreadable: page.unreadable + crm.unreadable,
        members: page.members,
        next: page.next,
        config: summary.config.as_ref().map(|version| version.as_str()),
        now,
    }
}

fn reason_view<'a>(reason: &'a AccountReason, people: &HashMap<PersonId, String>) -> ReasonView<'a> {
    let text = match (reason.measure, reason.person.is_some()) {
        (Measure::Purchase, true) => "is getting ready to buy",
        (Measure::Purchase, false) => "others who are getting ready to buy",
        (Measure::Engagement, true) => "uses the product",
        (Measure::Engagement, false) => "others who use the product",
        (Measure::Success, true) => "succeeds with the product",
        (Measure::Success, false) => "others who succeed with the product",
        (Measure::Churn, true) => "may leave",
        (Measure::Churn, false) => "others who may leave",
        (Measure::Silence, true) => "has been inactive since",
        (Measure::Silence, false) => "others who have been inactive since",
        (Measure::Limit, _) => "a score stays between 0 and 100",
    };
    ReasonView {
        reason,
        text,
        identity: reason.person.and_then(|person| people.get(&person).cloned()),
        profile: reason.person.map(|person| format!("/api/profiles/{person}")),
    }
}

/// Returns the product's ids of the people in the reasons: half a read unit each.
async fn identities(store: &Store, summary: &AccountSummary) -> Result<HashMap<PersonId, String>, StoreError> {
    let named = summary.reasons.iter().chain(&summary.health_reasons).filter_map(|reason| reason.person);
    let named: HashSet<PersonId> = named.collect();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let loaded = store.load_many(&named).await?;
    let name = |(person, loaded)| match loaded {
        Ok(Loaded::Profile(stored)) => {
            let identity =
                crate::event::identity(&stored.profile, person).map(|identity: &Identity| identity.as_str().to_owned());
            identity.map(|identity| (person, identity))
        }
        _ => None,
    };
    Ok(loaded.into_iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests;
