//! An account, the reasons of its score and health, and its people.

mod exact;
mod members;

use crate::subscriptions::{self, SubscriptionView};
use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{
    AccountId, AccountReason, AccountSummary, Currency, Identity, Measure, Member, PersonId, Score, Stage, Subject,
    Touch,
};
use perennial_engine::account::{Account, TrendPoint, facts};
use perennial_store::updates::UpdateRecord;
use perennial_store::{Consistency, Found, Loaded, Store, StoreError};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// An account as of now.
#[derive(Debug, Serialize)]
pub struct AccountView<'a> {
    /// Its id.
    pub id: &'a AccountId,
    /// Its traits.
    pub traits: BTreeMap<&'a str, &'a Value>,
    /// Traits of which something was not kept for its size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_traits: Vec<&'a str>,
    /// Company domains whose people belong to it.
    pub domains: &'a [AccountId],
    /// The account's own stage; `null` without events that set it.
    pub stage: Option<Stage>,
    /// Its subscriptions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<SubscriptionView>,
    /// The number of its renewals.
    pub renewals: u32,
    /// The latest known renewal date, which may have passed; `null` if unknown, or if the account has left.
    pub renews_at: Option<Timestamp>,
    /// The annual value, in minor units.
    pub value: Option<ValueView>,
    /// The touch model.
    pub touch: Touch,
    /// The colleague in charge.
    pub owner: Option<String>,
    /// The number of its people.
    pub people: u32,
    /// The number of people whose primary account is another one: their scores count there.
    pub elsewhere: u32,
    /// The number of people by stage.
    pub stages: &'a BTreeMap<Stage, u32>,
    /// The newest activity of its people.
    pub last_seen: Option<Timestamp>,
    /// Readiness to buy, 0 to 100.
    pub score: Score,
    /// `true` if score, health, reasons and members are from the current profiles. Otherwise score and health are from
    /// the members' curves, to half a point a member, and reasons from the account's last computation.
    pub exact: bool,
    /// `true` if the score has reached the threshold.
    pub ready: bool,
    /// The contributions to the score.
    pub reasons: Vec<ReasonView<'a>>,
    /// `null` if nobody pays.
    pub health: Option<Score>,
    /// The contributions to health.
    pub health_reasons: Vec<ReasonView<'a>>,
    /// Score and health at the end of the weeks in which they changed, the newest last.
    pub trend: &'a [TrendPoint],
    /// The CRM updates of the last 90 days, newest first.
    pub crm: &'a [UpdateRecord],
    /// A page of its people.
    pub members: &'a [Member],
    /// Members of this page and updates of the CRM that cannot be read.
    pub unreadable: u64,
    /// The value of `after` for the next page of members; `null` if there is none.
    pub next: Option<&'a str>,
    /// The config that score and health were computed under.
    pub config: Option<&'a str>,
    /// The time that it is of.
    pub now: Timestamp,
}

/// An amount of money.
#[derive(Debug, Serialize)]
pub struct ValueView {
    /// In minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// A contribution to score or health, with its person.
#[derive(Debug, Serialize)]
pub struct ReasonView<'a> {
    /// The contribution.
    #[serde(flatten)]
    pub reason: &'a AccountReason,
    /// The contribution in words.
    pub text: &'static str,
    /// The product's id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The path of the person's own reasons in the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

/// An account that was found, with its people.
pub struct FoundAccount {
    /// The account; one of which only members are known has no summary.
    pub account: Account,
    /// Company domains whose people belong to it.
    pub domains: Vec<AccountId>,
    /// The aggregate of its people, at `now`.
    pub summary: AccountSummary,
    /// `true` if the summary is from the current profiles of all people.
    pub exact: bool,
    /// The configuration that it is evaluated under.
    pub config: Arc<Config>,
    /// The time that it is evaluated at.
    pub now: Timestamp,
    page: members::Page,
    /// The product's ids of the people in the reasons.
    people: HashMap<PersonId, String>,
    crm: Found<UpdateRecord>,
}

impl FoundAccount {
    /// Looks up the account called `id`, or the one that has the domain `id` as its own. `limit` and `after` choose the page of
    /// members. Costs half a read unit for each 4 KB of the account, of its members on the page, and of up to 100 profiles.
    ///
    /// # Errors
    /// [`ViewError::NotFound`] if there is none, [`ViewError::Wrong`] for an `after` that no page returned, or if the table
    /// fails.
    pub async fn look_up(views: &Views, id: &str, limit: usize, after: Option<&str>) -> Result<Self, ViewError> {
        const NONE: ViewError = ViewError::NotFound("no account has this id");
        let asked = AccountId::parse(id).map_err(|_| NONE)?;
        let stored = views.store.account_in_charge(&asked, Consistency::Eventual).await?;
        let account = stored.map_or_else(|| Account::new(asked), |stored| stored.account);
        let domains = views.store.domains_of(&account, Consistency::Eventual).await?;
        let page = members::page(&views.store, &account.id, &domains, limit, after).await?;
        if account.summary.is_none() && !account.is_own() && page.members.is_empty() && after.is_none() {
            return Err(NONE);
        }
        let config = views.config.current().await;
        let now = views.clock.now();
        let profiles = exact::people(&views.store, &config, &account, &domains, now).await?;
        let summary = match &profiles {
            Some(people) => exact::summary(&config, people, now),
            None => AccountSummary {
                score: account.score_at(now),
                health: account.health_at(now),
                ..account.summary.clone().unwrap_or_default()
            },
        };
        let page = page.at(profiles.as_deref(), now);
        let subject = Subject::Account(account.id.clone());
        let (people, crm) =
            futures::future::try_join(identities(&views.store, &summary), views.store.updates(&subject)).await?;
        Ok(Self { account, domains, summary, exact: profiles.is_some(), config, now, page, people, crm })
    }

    /// Returns the account with the reasons of its score and health, and a page of its people.
    #[must_use]
    pub fn view(&self) -> AccountView<'_> {
        let Self { account, summary, config, now, people, page, crm, .. } = self;
        let facts = facts(config, account, *now);
        let currency = config.accounts.value.as_ref().map(|value| value.currency);
        AccountView {
            id: &account.id,
            traits: account.present_traits().collect(),
            dropped_traits: account.dropped_traits().collect(),
            domains: &self.domains,
            stage: facts.stage,
            subscriptions: subscriptions::all(config, &account.billing, *now),
            renewals: facts.renewals,
            renews_at: facts.renews_at,
            value: facts.value.zip(currency).map(|(minor, currency)| ValueView { minor, currency }),
            touch: facts.touch,
            owner: facts.owner,
            people: summary.people,
            elsewhere: summary.elsewhere,
            stages: &summary.stages,
            last_seen: summary.last_seen,
            score: summary.score,
            exact: self.exact,
            ready: config.accounts.score.ready.is_some_and(|ready| summary.score.get() >= ready),
            reasons: reason_views(&summary.reasons, people),
            health: summary.health,
            health_reasons: reason_views(&summary.health_reasons, people),
            trend: &account.trend,
            crm: &crm.items,
            unreadable: page.unreadable + crm.unreadable,
            members: &page.members,
            next: page.next.as_deref(),
            config: summary.config.as_ref().map(|version| version.as_str()),
            now: *now,
        }
    }
}

/// Returns a contribution in words, as what its person is or does.
#[must_use]
pub fn reason_text(reason: &AccountReason) -> &'static str {
    match (reason.measure, reason.person.is_some()) {
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
    }
}

fn reason_views<'a>(reasons: &'a [AccountReason], people: &HashMap<PersonId, String>) -> Vec<ReasonView<'a>> {
    reasons.iter().map(|reason| reason_view(reason, people)).collect()
}

fn reason_view<'a>(reason: &'a AccountReason, people: &HashMap<PersonId, String>) -> ReasonView<'a> {
    ReasonView {
        reason,
        text: reason_text(reason),
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
            let identity = crate::person::identity(&stored.profile, person)
                .map(|identity: &Identity| identity.as_str().to_owned());
            identity.map(|identity| (person, identity))
        }
        _ => None,
    };
    Ok(loaded.into_iter().filter_map(name).collect())
}
