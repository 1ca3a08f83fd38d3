//! `GET /api/accounts/{id}`: an account and its people.

use crate::answer::{self, Failure};
use crate::deps::Deps;
use http::Response;
use lambda_http::Body;
use perennial_domain::{AccountId, Member};
use perennial_store::accounts::{Account, AccountSummary};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct AccountView {
    id: AccountId,
    traits: BTreeMap<String, Value>,
    /// `null` until the account was first rolled up: people, stages, score, health, reasons, last_seen.
    summary: Option<AccountSummary>,
    members: Vec<Member>,
    /// Whether there are more than are shown.
    more_members: bool,
}

/// Answers with the account called `id`.
pub(crate) async fn show(deps: &Deps, id: &str) -> Result<Response<Body>, Failure> {
    const NONE: Failure = Failure::NotFound("no account has this id");
    let id = AccountId::parse(id).map_err(|_| NONE)?;
    let (account, page) = futures::future::try_join(deps.store.account(&id), deps.store.members(&id, None)).await?;
    if account.is_none() && page.members.is_empty() {
        return Err(NONE);
    }
    let account = account.unwrap_or_else(|| Account::new(id));
    answer::json(&AccountView {
        id: account.id,
        traits: account.traits.into_iter().map(|(name, held)| (name, held.value)).collect(),
        summary: account.summary,
        members: page.members,
        more_members: page.next.is_some(),
    })
}
