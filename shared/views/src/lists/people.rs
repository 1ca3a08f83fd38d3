//! The list of people.

use super::asked::{self, Words};
use super::params::{Params, is_between, not_among};
use super::walk::{self, Page, Rows};
use crate::person;
use crate::{ViewError, Views};
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::{AccountFacts, AccountId, PersonId, Score, Scores, Stage};
use perennial_engine::account::facts;
use perennial_engine::listing::{ListEntry, Scale, owner_key};
use perennial_engine::membership::memberships;
use perennial_engine::{Accounts, Evaluation, Moment, NpsClass, Profile, State, evaluate};
use perennial_store::lists::{Kind, Place, Range};
use perennial_store::{Loaded, StoreError};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};

const ALLOWED: [&str; 12] = [
    "segment",
    "stage",
    "persona",
    "owner",
    "score",
    "min",
    "max",
    "search",
    "sort",
    "limit",
    "cursor",
    super::params::FORMAT,
];

/// A person in a list.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The profile id.
    pub id: PersonId,
    /// The product's id, else another one.
    pub identity: Option<String>,
    /// The trait `name`.
    pub name: Option<String>,
    /// The trait `email`.
    pub email: Option<String>,
    /// The trait `company`.
    pub company: Option<String>,
    /// The primary account.
    pub account: Option<AccountId>,
    /// The colleague in charge.
    pub owner: Option<String>,
    /// The stage.
    pub stage: Stage,
    /// The segments.
    pub segments: Vec<String>,
    /// The personas.
    pub personas: Vec<String>,
    /// The scores that apply.
    pub scores: Scores,
    /// Frequency and amount of activity, 0 to 100.
    pub engagement: Score,
    /// The class of the latest survey answer.
    pub nps: NpsClass,
    /// The time of the newest event.
    pub last_seen: Option<Timestamp>,
    /// Whole days since the last activity.
    pub idle_days: Option<i64>,
    /// The value that the page is sorted by.
    #[serde(skip)]
    pub(crate) sorted_by: Option<Score>,
}

/// The conditions that all rows meet.
#[derive(Debug, Default)]
struct Filters {
    segment: Option<String>,
    stage: Option<Stage>,
    persona: Option<String>,
    owner: Option<u64>,
    score: Option<(Scale, (u8, u8))>,
    words: Words,
    /// `Some(true)` for the lowest score first across all pages, `Some(false)` for the highest.
    is_rising: Option<bool>,
}

impl Filters {
    fn read(params: &Params, config: &Config) -> Result<Self, ViewError> {
        let name = |what: &str, all: Vec<&str>| match params.words(what) {
            Some(name) if !all.contains(&name.as_str()) => Err(not_among(what, &name, &all)),
            name => Ok(name),
        };
        let scale = |name: &str| {
            let all: Vec<&str> = Scale::all().map(Scale::as_str).collect();
            Scale::parse(name).ok_or_else(|| not_among("score", name, &all))
        };
        let scale = params.get("score").map(scale).transpose()?;
        let range = params.range(scale.is_some())?;
        Ok(Self {
            segment: name("segment", config.segments.all.iter().map(|segment| segment.name.as_str()).collect())?,
            stage: params.stage()?,
            persona: name("persona", config.personas.all.iter().map(|persona| persona.name.as_str()).collect())?,
            owner: params.words("owner").map(|owner| owner_key(&owner)),
            score: scale.map(|scale| (scale, range)),
            words: Words::read(params),
            is_rising: params.is_rising()?,
        })
    }

    /// Returns the indexes that contain all rows. An order across pages is that of one index only.
    fn ranges(&self) -> Vec<Range> {
        let whole = |entry: ListEntry| asked::whole(Kind::People, &entry);
        let of_score =
            |(scale, range): (Scale, (u8, u8))| asked::bands(Kind::People, scale.as_str(), range, self.is_rising);
        let score = self.score.map(of_score);
        // Everyone has an engagement.
        let everyone = || of_score((Scale::Engagement, (0, 100)));
        if self.is_rising.is_some() {
            return vec![score.unwrap_or_else(everyone)];
        }
        let all = [
            self.words.range(Kind::People),
            self.owner.map(|owner| whole(ListEntry::of_owner(owner))),
            self.segment.as_deref().map(|name| whole(ListEntry::of_segment(name))),
            self.persona.as_deref().map(|name| whole(ListEntry::of_persona(name))),
            score,
            self.stage.map(|stage| whole(ListEntry::of_stage(stage))),
        ];
        let ranges: Vec<Range> = all.into_iter().flatten().collect();
        if ranges.is_empty() && self.words.is_empty() { vec![everyone()] } else { ranges }
    }

    /// Returns whether a person meets all of them but the search.
    fn hold(&self, config: &Config, evaluation: &Evaluation, owner: Option<&str>) -> bool {
        let score =
            |(scale, range): (Scale, (u8, u8))| scale.of(evaluation).is_some_and(|score| is_between(score, range));
        self.stage.is_none_or(|stage| evaluation.stage == stage)
            && self.owner.is_none_or(|asked| owner.map(owner_key) == Some(asked))
            && self.score.is_none_or(score)
            && self.segment.as_deref().is_none_or(|name| evaluation.segments(config).any(|own| own == name))
            && self.persona.as_deref().is_none_or(|name| evaluation.personas(config).any(|own| own == name))
    }
}

/// Returns a page of people.
pub(super) async fn page(views: &Views, query: &str) -> Result<Page<Row>, ViewError> {
    let params = Params::read(query, &ALLOWED)?;
    let (config, now) = (views.config.current().await, views.clock.now());
    let filters = Filters::read(&params, &config)?;
    let ranges = filters.ranges();
    let list = People { views, config: &config, filters: &filters, now };
    let exact = match params.get("search").filter(|_| params.get("cursor").is_none()) {
        Some(text) => list.exact(text).await?,
        None => None,
    };
    let has_words = filters.words.are_indexed();
    if params.get("search").is_some() && !has_words && exact.is_none() {
        return Err(ViewError::Wrong(
            "search needs the first three letters of a word of the name or company, or a whole id or mail address",
        ));
    }
    let ranges = if params.get("search").is_some() && !has_words { Vec::new() } else { ranges };
    walk::page(views, &list, &params, &ranges, exact.flatten(), (config.version.as_str(), now)).await
}

struct People<'a> {
    views: &'a Views,
    config: &'a Config,
    filters: &'a Filters,
    now: Timestamp,
}

impl People<'_> {
    /// Returns the row of the profile with an id or address; `Some(None)` if there is one, and a filter leaves it out.
    async fn exact(&self, text: &str) -> Result<Option<Option<(String, Row)>>, ViewError> {
        let found = match person::resolve(&self.views.store, self.config, text).await {
            Err(error) if error.is_unreadable() => return Ok(Some(None)),
            found => found?,
        };
        let Some(stored) = found else { return Ok(None) };
        let facts = self.facts([&stored.profile]).await?;
        let row = self.row(&stored.profile, &stored.profile.view(), &facts).await?;
        Ok(Some(row.map(|row| (row.id.to_string(), row))))
    }

    /// Returns the facts of the primary accounts of people, and of those that have these accounts' people.
    async fn facts<'p>(
        &self,
        profiles: impl IntoIterator<Item = &'p Profile>,
    ) -> Result<HashMap<AccountId, AccountFacts>, StoreError> {
        let primary = |profile: &Profile| memberships(self.config, &profile.view()).into_iter().next();
        let ids: BTreeSet<AccountId> = profiles.into_iter().filter_map(primary).collect();
        let mut found = HashMap::new();
        let (mut holders, mut wanted) = (HashMap::new(), ids);
        for _ in 0..2 {
            for (id, stored) in self.views.store.accounts_many(&wanted).await? {
                let Ok(stored) = stored else { continue };
                match stored.account.holder() {
                    Some(holder) => drop(holders.insert(id, holder.clone())),
                    None => drop(found.insert(id, facts(self.config, &stored.account, self.now))),
                }
            }
            wanted = holders.values().filter(|holder| !found.contains_key(*holder)).cloned().collect();
            if wanted.is_empty() {
                break;
            }
        }
        for (id, holder) in holders {
            if let Some(facts) = found.get(&holder).cloned() {
                found.insert(id, facts);
            }
        }
        Ok(found)
    }

    /// Returns the person's row; `None` if a filter other than the search leaves them out.
    async fn row(
        &self,
        profile: &Profile,
        view: &State,
        facts: &HashMap<AccountId, AccountFacts>,
    ) -> Result<Option<Row>, StoreError> {
        let accounts = memberships(self.config, view);
        let primary = accounts.first().and_then(|id| facts.get(id));
        let pays_elsewhere = self.views.store.pays_elsewhere(self.config, &accounts, primary, self.now).await?;
        let around = Accounts { primary, pays_elsewhere };
        let moment = Moment::new(self.config, self.now).with_account(around).of(profile.id);
        let evaluation = evaluate(&moment, view);
        let owner = evaluation.owner(self.config, primary);
        if !self.filters.hold(self.config, &evaluation, owner) {
            return Ok(None);
        }
        let sorted_by = self.filters.score.map_or(Scale::Engagement, |(scale, _)| scale).of(&evaluation);
        let names = |all: &mut dyn Iterator<Item = &str>| all.map(str::to_owned).collect();
        Ok(Some(Row {
            id: profile.id,
            identity: crate::person::identity(profile, profile.id).map(|identity| identity.as_str().to_owned()),
            name: view.text_trait("name"),
            email: view.text_trait("email"),
            company: view.text_trait("company"),
            account: accounts.into_iter().next(),
            owner: owner.map(str::to_owned),
            stage: evaluation.stage,
            segments: names(&mut evaluation.segments(self.config)),
            personas: names(&mut evaluation.personas(self.config)),
            scores: evaluation.scores,
            engagement: evaluation.engagement,
            nps: evaluation.nps,
            last_seen: view.seen.map(|seen| seen.last_at()),
            idle_days: evaluation.idle_days,
            sorted_by,
        }))
    }

    /// Returns whether an entry is one that its profile still has, and the one by which a search shows it.
    fn is_entry(&self, list: &str, place: &Place, profile: &Profile) -> bool {
        let Some(listed) = &profile.listed else { return false };
        let Some(entry) = ListEntry::parse(&format!("{list}#{}", place.order())) else { return false };
        if !listed.entries().contains(&entry) || !self.filters.words.are_in(&listed.words) {
            return false;
        }
        let is_word = entry.list() == ListEntry::of_word("").list();
        !is_word || self.filters.words.show_by(place.order(), &listed.words)
    }
}

impl Rows for People<'_> {
    type Row = Row;

    async fn rows(&self, list: &str, places: &[Place]) -> Result<(Vec<Option<Row>>, u64), StoreError> {
        let ids: Vec<Option<PersonId>> = places.iter().map(|place| PersonId::parse(place.id()).ok()).collect();
        let wanted: HashSet<PersonId> = ids.iter().flatten().copied().collect();
        let mut unreadable = ids.iter().filter(|id| id.is_none()).count() as u64;
        let mut profiles = HashMap::new();
        for (id, loaded) in self.views.store.load_many(&wanted).await? {
            match loaded {
                Ok(Loaded::Profile(stored)) => drop(profiles.insert(id, stored.profile)),
                Ok(Loaded::Absent | Loaded::Moved(_)) => {}
                Err(error) if error.is_unreadable() => unreadable += 1,
                Err(error) => return Err(error),
            }
        }
        let facts = self.facts(profiles.values()).await?;
        let mut rows = Vec::with_capacity(places.len());
        for (place, id) in places.iter().zip(ids) {
            let profile = id.and_then(|id| profiles.get(&id)).filter(|profile| self.is_entry(list, place, profile));
            rows.push(match profile {
                Some(profile) => self.row(profile, &profile.view(), &facts).await?,
                None => None,
            });
        }
        Ok((rows, unreadable))
    }

    fn sort(&self, rows: &mut [Row]) {
        rows.sort_by_key(|row| (std::cmp::Reverse(row.sorted_by), row.id));
        if self.filters.is_rising == Some(true) {
            rows.reverse();
        }
    }
}
