//! The accounts and people that need a colleague today, and why: a few accounts and people, the most urgent first.
//!
//! Each part is the first page of a list, so the cost does not depend on how many profiles there are.

use crate::account::reason_text;
use crate::lists::{self, AccountRow, PersonRow};
use crate::person::{Found, names};
use crate::{ViewError, Views};
use futures::future::{try_join_all, try_join3};
use perennial_config::Config;
use perennial_domain::{AccountId, AccountReason, Likelihood, PersonId};
use perennial_engine::explain;
use perennial_engine::explain::words::tell;
use perennial_store::StoreError;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Accounts and people of each kind that are shown.
const MOST: usize = 4;
/// The highest health of an account that needs attention.
pub const LOW_HEALTH: u8 = 40;
/// The least likelihood of churn of a person who needs attention.
pub const HIGH_CHURN: u8 = 60;

/// The accounts and people that need a colleague today.
#[derive(Debug)]
pub struct Today {
    /// Customers of low health, the lowest first.
    pub unhealthy: Vec<AccountCall>,
    /// Accounts that are ready to buy, the readiest first; empty if the configuration has no threshold.
    pub ready: Vec<AccountCall>,
    /// People who may leave, the likeliest first.
    pub leaving: Vec<PersonCall>,
}

impl Today {
    /// Returns whether nobody needs anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.unhealthy.is_empty() && self.ready.is_empty() && self.leaving.is_empty()
    }
}

/// An account that needs a colleague.
#[derive(Debug)]
pub struct AccountCall {
    /// The account.
    pub row: AccountRow,
    /// The contribution that says most about why, in words; empty if none is known.
    pub because: String,
}

/// A person who needs a colleague.
#[derive(Debug)]
pub struct PersonCall {
    /// The person.
    pub row: PersonRow,
    /// The largest contribution to their churn, in words.
    pub because: String,
    /// The trait `phone`, unless one of their segments forbids calls.
    pub phone: Option<String>,
}

/// Returns who needs a colleague today.
///
/// # Errors
/// [`ViewError`] if the table fails.
pub async fn view(views: &Views) -> Result<Today, ViewError> {
    let ready = views.config.current().await.accounts.score.ready;
    let queries = Queries {
        unhealthy: format!("score=health&max={LOW_HEALTH}&sort=lowest&limit={MOST}"),
        ready: ready.map(|ready| format!("score=readiness&min={ready}&sort=highest&limit={MOST}")),
        leaving: format!("score=churn&min={HIGH_CHURN}&sort=highest&limit={MOST}"),
    };
    gather(views, &queries, MOST).await
}

/// Returns who needs the colleague who is called `owner`, of those whom they are in charge of: `most` of each kind.
///
/// # Errors
/// [`ViewError`] if the table fails.
pub async fn of_owner(views: &Views, owner: &str, most: usize) -> Result<Today, ViewError> {
    let ready = views.config.current().await.accounts.score.ready;
    let owner = encoded(owner);
    // The index of the owner is shorter than that of the score, and pages are sorted by the score.
    let queries = Queries {
        unhealthy: format!("owner={owner}&score=health&max={LOW_HEALTH}"),
        ready: ready.map(|ready| format!("owner={owner}&score=readiness&min={ready}")),
        leaving: format!("owner={owner}&score=churn&min={HIGH_CHURN}"),
    };
    gather(views, &queries, most).await
}

/// Returns a value for a query.
pub(crate) fn encoded(value: &str) -> String {
    percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The queries of the three lists.
struct Queries {
    unhealthy: String,
    ready: Option<String>,
    leaving: String,
}

async fn gather(views: &Views, queries: &Queries, most: usize) -> Result<Today, ViewError> {
    let ready = async {
        match &queries.ready {
            Some(query) => Ok(lists::accounts(views, query).await?.rows),
            None => Ok(Vec::new()),
        }
    };
    let (unhealthy, ready, leaving) =
        try_join3(lists::accounts(views, &queries.unhealthy), ready, lists::people(views, &queries.leaving)).await?;
    let (mut unhealthy, mut ready, mut leaving) = (unhealthy.rows, ready, leaving.rows);
    unhealthy.sort_by_key(|row| row.health);
    for rows in [&mut unhealthy, &mut ready] {
        rows.truncate(most);
    }
    leaving.truncate(most);
    let because = because(views, unhealthy.iter().chain(&ready)).await?;
    let call = |of: Side| {
        let because = &because;
        move |row: AccountRow| {
            let because = because.get(&(of, row.id.clone())).cloned().unwrap_or_default();
            AccountCall { row, because }
        }
    };
    let unhealthy = unhealthy.into_iter().map(call(Side::Health)).collect();
    let ready = ready.into_iter().map(call(Side::Readiness)).collect();
    let leaving = try_join_all(leaving.into_iter().map(|row| leaving_call(views, row))).await?;
    Ok(Today { unhealthy, ready, leaving })
}

/// Which of an account's two scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Health,
    Readiness,
}

/// Returns the main contribution to the scores of accounts, from their last computation: one read for the accounts, and one
/// for the people in it.
async fn because<'a>(
    views: &Views,
    rows: impl Iterator<Item = &'a AccountRow>,
) -> Result<HashMap<(Side, AccountId), String>, StoreError> {
    let ids: BTreeSet<AccountId> = rows.map(|row| row.id.clone()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut main: Vec<(Side, AccountId, AccountReason)> = Vec::new();
    for (id, stored) in views.store.accounts_many(&ids).await? {
        let Some(summary) = stored.ok().and_then(|stored| stored.account.summary) else { continue };
        let (worst, best) = (worst(&summary.health_reasons), best(&summary.reasons));
        main.extend(worst.map(|reason| (Side::Health, id.clone(), reason.clone())));
        main.extend(best.map(|reason| (Side::Readiness, id.clone(), reason.clone())));
    }
    let people: HashSet<PersonId> = main.iter().filter_map(|(_, _, reason)| reason.person).collect();
    let names = names(views, &people).await?;
    let told = |(side, id, reason): (Side, AccountId, AccountReason)| {
        let who = match reason.person.and_then(|person| names.get(&person)) {
            Some(name) => format!("{name} "),
            None if reason.people > 1 => format!("{} ", reason.people),
            None => String::new(),
        };
        ((side, id), format!("{who}{} ({})", reason_text(&reason), signed(reason.points)))
    };
    Ok(main.into_iter().map(told).collect())
}

/// Returns whole points with a sign.
fn signed(points: f64) -> String {
    let sign = if points < 0.0 { "−" } else { "+" };
    format!("{sign}{:.0}", points.abs())
}

/// Returns the contribution that takes most.
fn worst(reasons: &[AccountReason]) -> Option<&AccountReason> {
    reasons.iter().filter(|reason| reason.points < 0.0).min_by(|a, b| a.points.total_cmp(&b.points))
}

/// Returns the contribution that gives most.
fn best(reasons: &[AccountReason]) -> Option<&AccountReason> {
    reasons.iter().filter(|reason| reason.points > 0.0).max_by(|a, b| a.points.total_cmp(&b.points))
}

async fn leaving_call(views: &Views, row: PersonRow) -> Result<PersonCall, ViewError> {
    let (because, phone) = match Found::look_up(views, &row.id.to_string()).await {
        Ok(found) => {
            let phone = found.state.text_trait("phone").filter(|_| may_call(&found.config, &row));
            (main_reason(&found, Likelihood::Churn), phone)
        }
        // Merged or erased meanwhile.
        Err(ViewError::NotFound(_)) => (String::new(), None),
        Err(error) => return Err(error),
    };
    Ok(PersonCall { row, because, phone })
}

/// Returns whether none of a person's segments forbids calls.
pub(crate) fn may_call(config: &Config, row: &PersonRow) -> bool {
    row.segments.iter().all(|name| config.segments.get(name).is_none_or(|(_, segment)| segment.phone))
}

/// Returns the largest contribution to a score with its points; empty if the score does not apply.
fn main_reason(found: &Found, likelihood: Likelihood) -> String {
    let Some(explanation) = explain::explain(&found.moment(), &found.state, &found.facts, likelihood) else {
        return String::new();
    };
    let told = tell(&explanation, found.now);
    told.rows.first().map_or_else(String::new, |row| format!("{} ({})", row.why, row.points))
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_domain::Measure;

    #[test]
    fn health_is_explained_by_what_takes_most_and_readiness_by_what_gives_most() {
        let reason = |points| AccountReason { person: None, measure: Measure::Churn, points, people: 1 };
        let reasons = [reason(12.0), reason(-3.0), reason(-20.5), reason(30.0)];
        assert_eq!(worst(&reasons).map(|reason| reason.points), Some(-20.5));
        assert_eq!(best(&reasons).map(|reason| reason.points), Some(30.0));
        assert_eq!(worst(&[reason(1.0)]), None);
    }
}
