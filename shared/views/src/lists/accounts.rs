//! The list of accounts.

use super::asked::{self, Words};
use super::params::{Params, is_between, not_among};
use super::walk::{self, Page, Rows};
use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::traits::readable;
use perennial_domain::{AccountFacts, AccountId, Currency, Score, Stage, Touch};
use perennial_engine::account::listing::{AccountScale, NAME, words};
use perennial_engine::account::{Account, facts};
use perennial_engine::listing::{ListEntry, owner_key};
use perennial_store::lists::{Kind, Place, Range};
use perennial_store::{Consistency, StoreError};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

const ALLOWED: [&str; 11] =
    ["stage", "touch", "owner", "score", "min", "max", "search", "sort", "limit", "cursor", super::params::FORMAT];
const TOUCHES: [Touch; 3] = [Touch::High, Touch::Low, Touch::None];

/// An account in a list.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its id.
    pub id: AccountId,
    /// The trait `name`.
    pub name: Option<String>,
    /// The colleague in charge.
    pub owner: Option<String>,
    /// The touch model.
    pub touch: Touch,
    /// `null` without events that set it.
    pub stage: Option<Stage>,
    /// The number of its people.
    pub people: u32,
    /// Readiness to buy, the sum over its buyers.
    pub readiness: Score,
    /// `null` if nobody pays.
    pub health: Option<Score>,
    /// The annual value in minor units.
    pub value: Option<i64>,
    /// The currency of `value`.
    pub currency: Option<Currency>,
    /// The latest known renewal date.
    pub renews_at: Option<Timestamp>,
    /// The newest activity of its people.
    pub last_seen: Option<Timestamp>,
}

/// The conditions that all rows meet.
#[derive(Debug, Default)]
struct Filters {
    stage: Option<Stage>,
    touch: Option<Touch>,
    owner: Option<u64>,
    score: Option<(AccountScale, (u8, u8))>,
    words: Words,
    /// `Some(true)` for the lowest score first across all pages, `Some(false)` for the highest.
    is_rising: Option<bool>,
}

impl Filters {
    fn read(params: &Params) -> Result<Self, ViewError> {
        let touch = |name: &str| {
            let found = TOUCHES.into_iter().find(|touch| touch.as_str() == name);
            found.ok_or_else(|| not_among("touch", name, &TOUCHES.map(Touch::as_str)))
        };
        let scale = |name: &str| {
            AccountScale::parse(name)
                .ok_or_else(|| not_among("score", name, &AccountScale::ALL.map(AccountScale::as_str)))
        };
        let scale = params.get("score").map(scale).transpose()?;
        let range = params.range(scale.is_some())?;
        Ok(Self {
            stage: params.stage()?,
            touch: params.get("touch").map(touch).transpose()?,
            owner: params.words("owner").map(|owner| owner_key(&owner)),
            score: scale.map(|scale| (scale, range)),
            words: Words::read(params),
            is_rising: params.is_rising()?,
        })
    }

    /// Returns the indexes that contain all rows. An order across pages is that of one index only.
    fn ranges(&self) -> Vec<Range> {
        let whole = |entry: ListEntry| asked::whole(Kind::Accounts, &entry);
        let of_score = |(scale, range): (AccountScale, (u8, u8))| {
            asked::bands(Kind::Accounts, scale.as_str(), range, self.is_rising)
        };
        let score = self.score.map(of_score);
        let everyone = || of_score((AccountScale::Readiness, (0, 100)));
        if self.is_rising.is_some() {
            return vec![score.unwrap_or_else(everyone)];
        }
        let all = [
            self.words.range(Kind::Accounts),
            self.owner.map(|owner| whole(ListEntry::of_owner(owner))),
            score,
            self.stage.map(|stage| whole(ListEntry::of_stage(stage))),
            self.touch.map(|touch| whole(ListEntry::of_touch(touch.as_str()))),
        ];
        let ranges: Vec<Range> = all.into_iter().flatten().collect();
        if ranges.is_empty() && self.words.is_empty() { vec![everyone()] } else { ranges }
    }

    /// Returns whether an account meets all of them but the search.
    fn hold(&self, facts: &AccountFacts) -> bool {
        let score =
            |(scale, range): (AccountScale, (u8, u8))| scale.of(facts).is_some_and(|score| is_between(score, range));
        self.stage.is_none_or(|stage| facts.stage == Some(stage))
            && self.touch.is_none_or(|touch| facts.touch == touch)
            && self.owner.is_none_or(|asked| facts.owner.as_deref().map(owner_key) == Some(asked))
            && self.score.is_none_or(score)
    }
}

/// Returns a page of accounts.
pub(super) async fn page(views: &Views, query: &str) -> Result<Page<Row>, ViewError> {
    let params = Params::read(query, &ALLOWED)?;
    let (config, now) = (views.config.current().await, views.clock.now());
    let filters = Filters::read(&params)?;
    let list = Accounts { views, config: &config, filters: &filters, now };
    let exact = match params.get("search").filter(|_| params.get("cursor").is_none()) {
        Some(text) => list.exact(text).await?,
        None => None,
    };
    let has_words = filters.words.are_indexed();
    if params.get("search").is_some() && !has_words && exact.is_none() {
        return Err(ViewError::Wrong("search needs the first three letters of a word of the name, or a whole id"));
    }
    let ranges = if params.get("search").is_some() && !has_words { Vec::new() } else { filters.ranges() };
    walk::page(views, &list, &params, &ranges, exact.flatten(), (config.version.as_str(), now)).await
}

struct Accounts<'a> {
    views: &'a Views,
    config: &'a Config,
    filters: &'a Filters,
    now: Timestamp,
}

impl Accounts<'_> {
    /// Returns the row of the account with an id; `Some(None)` if there is one, and a filter leaves it out.
    async fn exact(&self, text: &str) -> Result<Option<Option<(String, Row)>>, ViewError> {
        let Ok(id) = AccountId::parse(text.trim()) else { return Ok(None) };
        let found = self.views.store.account_in_charge(&id, Consistency::Eventual).await?;
        let Some(stored) = found.filter(|stored| !stored.account.is_nothing()) else { return Ok(None) };
        Ok(Some(self.row(&stored.account).map(|row| (row.id.to_string(), row))))
    }

    /// Returns the account's row; `None` if a filter other than the search leaves it out.
    fn row(&self, account: &Account) -> Option<Row> {
        let facts = facts(self.config, account, self.now);
        if !self.filters.hold(&facts) {
            return None;
        }
        let currency = self.config.accounts.value.as_ref().map(|value| value.currency);
        Some(Row {
            id: account.id.clone(),
            name: facts.traits.get(NAME).and_then(readable),
            touch: facts.touch,
            stage: facts.stage,
            people: facts.people,
            readiness: facts.score,
            health: facts.health,
            value: facts.value,
            currency: facts.value.and(currency),
            renews_at: facts.renews_at,
            last_seen: account.summary.as_ref().and_then(|summary| summary.last_seen),
            owner: facts.owner,
        })
    }

    /// Returns whether an entry is one that its account still has, and the one by which a search shows it.
    fn is_entry(&self, list: &str, place: &Place, account: &Account) -> bool {
        let Some(entry) = ListEntry::parse(&format!("{list}#{}", place.order())) else { return false };
        let is_word = entry.list() == ListEntry::of_word("").list();
        if !account.listed.contains(&entry) {
            return false;
        }
        if self.filters.words.is_empty() {
            return true;
        }
        let words = words(&facts(self.config, account, self.now));
        self.filters.words.are_in(&words) && (!is_word || self.filters.words.show_by(place.order(), &words))
    }
}

impl Rows for Accounts<'_> {
    type Row = Row;

    async fn rows(&self, list: &str, places: &[Place]) -> Result<(Vec<Option<Row>>, u64), StoreError> {
        let ids: Vec<Option<AccountId>> = places.iter().map(|place| AccountId::parse(place.id()).ok()).collect();
        let wanted: BTreeSet<AccountId> = ids.iter().flatten().cloned().collect();
        let mut unreadable = ids.iter().filter(|id| id.is_none()).count() as u64;
        let mut accounts = HashMap::new();
        for (id, stored) in self.views.store.accounts_many(&wanted).await? {
            match stored {
                Ok(stored) => drop(accounts.insert(id, stored.account)),
                Err(error) if error.is_unreadable() => unreadable += 1,
                Err(error) => return Err(error),
            }
        }
        let row = |(place, id): (&Place, Option<AccountId>)| {
            let account = id.and_then(|id| accounts.get(&id)).filter(|account| self.is_entry(list, place, account));
            account.and_then(|account| self.row(account))
        };
        Ok((places.iter().zip(ids).map(row).collect(), unreadable))
    }

    fn sort(&self, rows: &mut [Row]) {
        let scale = self.filters.score.map_or(AccountScale::Readiness, |(scale, _)| scale);
        let score = |row: &Row| match scale {
            AccountScale::Readiness => Some(row.readiness),
            AccountScale::Health => row.health,
        };
        rows.sort_by_cached_key(|row| (std::cmp::Reverse(score(row)), row.id.clone()));
        if self.filters.is_rising == Some(true) {
            rows.reverse();
        }
    }
}
