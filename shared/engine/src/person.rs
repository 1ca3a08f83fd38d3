//! A person at a moment, as the lookup of conditions.

use crate::account::value::{subscribed, touch};
use crate::billing::Standing;
use crate::engagement::Engagement;
use crate::instant;
use crate::known::below;
use crate::membership::account_of;
use crate::moment::Moment;
use crate::stage::{lost_trial, settles_at, stage_of};
use crate::state::State;
use crate::still::{Place, Still};
use jiff::Timestamp;
use perennial_config::cel::{List, Lookup, Program, Value};
use perennial_config::personas::Persona;
use perennial_config::vocabulary::{AccountField, PersonSlot};
use perennial_domain::time::{day_of, days_between, hour_of, month_of};
use perennial_domain::traits::{find, readable};
use perennial_domain::{Scores, Stage};
use std::cell::OnceCell;
use std::rc::Rc;

/// Months of texts that the sentiment is the mean of.
const MOOD_MONTHS: i32 = 3;

/// The class of a survey answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NpsClass {
    /// Answered 9 or 10, and uses the product.
    Promoter,
    /// Answered 7 or 8, or 9 or 10 without using the product.
    Passive,
    /// Answered 6 or less.
    Detractor,
    /// Did not answer.
    #[default]
    None,
}

impl NpsClass {
    /// All classes, in display order.
    pub const ALL: [Self; 4] = [Self::Promoter, Self::Passive, Self::Detractor, Self::None];

    /// Returns the name in conditions and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promoter => "promoter",
            Self::Passive => "passive",
            Self::Detractor => "detractor",
            Self::None => "none",
        }
    }
}

/// A state at a moment, with the values computed so far: stage, then personas, then scores, then segments.
#[derive(Debug, Clone)]
pub(crate) struct Person<'a> {
    pub(crate) moment: Moment<'a>,
    pub(crate) state: &'a State,
    pub(crate) today: i32,
    pub(crate) stage: Stage,
    /// The status by subscriptions and purchases.
    pub(crate) standing: Standing,
    /// Computed on first use, at the moment.
    engaged: OnceCell<Engagement>,
    /// The values that are the same at other moments, shared by looks at them.
    kept: Rc<Kept<'a>>,
    /// One bit for each configured persona.
    pub(crate) personas: u32,
    pub(crate) scores: Scores,
    /// One bit for each configured segment.
    pub(crate) segments: u64,
}

/// The values of a person that are the same at other moments.
#[derive(Debug, Default)]
struct Kept<'a> {
    /// One bit for each configured job title, computed on first use.
    titles: OnceCell<u32>,
    /// `true` if they belong to no account, computed when a condition reads the account.
    is_alone: OnceCell<bool>,
    /// The personas of the trait, computed once.
    said: OnceCell<u32>,
    /// Only where several moments are looked at.
    still: OnceCell<Still<'a>>,
}

impl<'a> Person<'a> {
    /// Creates a person with stage and personas, and without scores and segments.
    pub(crate) fn new(moment: Moment<'a>, state: &'a State) -> Self {
        Self::with(moment, state, Rc::default())
    }

    /// Returns the same person at another moment. Values that do not depend on time are not recomputed.
    pub(crate) fn at(&self, now: Timestamp) -> Self {
        let (config, has_account) = (self.moment.config, self.moment.account.is_some());
        self.kept.still.get_or_init(|| Still::of(config, self.state, has_account));
        Self::with(self.moment.at(now), self.state, Rc::clone(&self.kept))
    }

    fn with(moment: Moment<'a>, state: &'a State, kept: Rc<Kept<'a>>) -> Self {
        let standing = Standing::of(&moment, state);
        let mut person = Self {
            moment,
            state,
            today: day_of(moment.now),
            stage: stage_of(&moment, state, &standing),
            standing,
            engaged: OnceCell::new(),
            kept,
            personas: 0,
            scores: Scores::default(),
            segments: 0,
        };
        person.personas = person.find_personas();
        person
    }

    /// When it is settled that they have stopped paying, or trying; `None` where it is, or they have not.
    pub(crate) fn settles_at(&self) -> Option<Timestamp> {
        settles_at(&self.moment, self.stage, &self.standing)
    }

    /// Returns the engagement.
    pub(crate) fn engagement(&self) -> Engagement {
        let rule = &self.moment.config.scoring.engagement;
        *self.engaged.get_or_init(|| Engagement::of(rule, self.state, self.moment.now))
    }

    /// Returns the average sentiment of the texts of the newest months.
    pub(crate) fn sentiment(&self) -> Option<f64> {
        self.state.mood.mean(month_of(self.moment.now), MOOD_MONTHS)
    }

    /// Texts of the newest months that were not understood.
    pub(crate) fn unread_texts(&self) -> u32 {
        self.state.mood.unread(month_of(self.moment.now), MOOD_MONTHS)
    }

    /// Whole days since the last activity.
    pub(crate) fn idle_days(&self) -> Option<i64> {
        self.state.seen.map(|seen| days_between(seen.last_at(), self.moment.now))
    }

    /// Returns the class of the latest survey answer. The thresholds are those of Reichheld's Net Promoter Score.
    pub(crate) fn nps_class(&self) -> NpsClass {
        let lowest = self.moment.config.scoring.promoter_min_engagement;
        match self.state.nps.map(|answer| answer.points) {
            None => NpsClass::None,
            Some(9..) if self.engagement().value.get() >= lowest => NpsClass::Promoter,
            Some(7..) => NpsClass::Passive,
            Some(_) => NpsClass::Detractor,
        }
    }

    /// The job titles that the traits say.
    fn titles(&self) -> u32 {
        *self.kept.titles.get_or_init(|| {
            let titles = &self.moment.config.personas.titles;
            let said = titles.traits.iter().filter_map(|name| self.state.text_trait(name));
            said.fold(0, |bits, text| bits | titles.of(&text))
        })
    }

    /// Returns the personas of the trait.
    pub(crate) fn said_personas(&self) -> u32 {
        *self.kept.said.get_or_init(|| {
            let personas = &self.moment.config.personas;
            let texts = match self.state.trait_value(personas.r#trait.as_str()) {
                Some(serde_json::Value::Array(texts)) => texts,
                Some(one) => vec![one],
                None => return 0,
            };
            let texts: Vec<&str> = texts.iter().filter_map(serde_json::Value::as_str).collect();
            let is_said = |persona: &Persona| texts.iter().any(|text| persona.is_called(text));
            bits(personas.all.iter().map(is_said))
        })
    }

    /// Returns the personas of the trait, and those whose condition holds.
    fn find_personas(&self) -> u32 {
        let all = &self.moment.config.personas.all;
        let holds = |(at, persona): (usize, &Persona)| {
            persona.when.as_ref().is_some_and(|when| self.holds(Place::Persona(at), when))
        };
        self.said_personas() | bits(all.iter().enumerate().map(holds))
    }

    /// Computes the segments whose conditions hold, in order: each may refer to those before it.
    pub(crate) fn find_segments(&mut self) {
        self.segments = 0;
        let config = self.moment.config;
        for (at, segment) in config.segments.all.iter().enumerate() {
            if self.holds(Place::Segment(at), &segment.when) {
                self.segments |= 1 << at;
            }
        }
    }

    /// Returns whether a condition of the config holds.
    pub(crate) fn holds(&self, place: Place, condition: &Program<PersonSlot>) -> bool {
        match self.still() {
            Some(still) => still.holds(place, || condition.is_true(self)),
            None => condition.is_true(self),
        }
    }

    /// Returns the values that are the same at other moments, if several are looked at.
    pub(crate) fn still(&self) -> Option<&Still<'a>> {
        self.kept.still.get()
    }

    /// Whole days since a moment of the state, to the second as [`crate::due`] looks for it.
    fn days_since(&self, at: i64) -> Value<'a> {
        Value::Int(days_between(instant::timestamp(at), self.moment.now))
    }

    fn high_value_used(&self, days: u16) -> i64 {
        let features = self.moment.config.features.high_value();
        features.filter(|feature| self.used_days(feature.key, days) > 0).count() as i64
    }

    fn used_days(&self, key: u32, days: u16) -> u32 {
        self.state.uses.get(&key).map_or(0, |uses| uses.active(self.today, u32::from(days)))
    }

    fn most_errors(&self, days: u16) -> u32 {
        let features = self.moment.config.features.all.iter();
        features.map(|feature| self.state.windowed(feature.errors_key, self.today, days)).max().unwrap_or(0)
    }

    fn activity_change(&self, days: u16) -> f64 {
        let length = i32::from(days);
        let recent = f64::from(self.state.days.active(self.today, u32::from(days)));
        let before = f64::from(self.state.days.active(self.today - length, u32::from(days)));
        match (recent, before) {
            (0.0, 0.0) => 0.0,
            (_, 0.0) => 1.0,
            (recent, before) => recent / before - 1.0,
        }
    }

    fn account(&self, field: &AccountField) -> Option<Value<'_>> {
        let Some(account) = self.moment.account else { return self.alone(field) };
        match field {
            AccountField::Id => Some(account.id.as_str().into()),
            AccountField::People => Some(Value::Int(account.people.into())),
            AccountField::Score => Some(Value::Int(account.score.get().into())),
            AccountField::Health => account.health.map(|health| Value::Int(health.get().into())),
            AccountField::Value => account.value.map(Value::Int),
            AccountField::Touch => Some(account.touch.as_str().into()),
            AccountField::Owner => account.owner.as_deref().map(Value::from),
            AccountField::Stage => account.stage.map(|stage| stage.as_str().into()),
            AccountField::LeadingBuyer => {
                Some(Value::Bool(account.leading_buyer.is_some() && account.leading_buyer == self.moment.person))
            }
            AccountField::Renewals => Some(Value::Int(account.renewals.into())),
            AccountField::RenewsInDays => account.renews_in_days(self.moment.now).map(Value::Int),
            AccountField::Cancels => Some(Value::Bool(account.cancels)),
            AccountField::PastDue => Some(Value::Bool(account.past_due)),
            AccountField::Trait(path) => {
                let (first, rest) = path.split_first()?;
                let mut value = find(&account.traits, first)?;
                for name in rest {
                    value = value.get(name)?;
                }
                Some(Value::from(value)).filter(|_| !value.is_null())
            }
        }
    }
}

/// Returns one bit for each that is true.
fn bits(all: impl Iterator<Item = bool>) -> u32 {
    all.enumerate().filter(|(_, is)| *is).fold(0, |bits, (at, _)| bits | 1 << at)
}

impl Person<'_> {
    /// Returns a field of the account for a person without an account, as if they were its only member. It has no id,
    /// no score except the person's, and no traits.
    fn alone(&self, field: &AccountField) -> Option<Value<'_>> {
        let config = self.moment.config;
        if !*self.kept.is_alone.get_or_init(|| account_of(config, self.state).is_none()) {
            return None;
        }
        let value = || subscribed(config, self.state.billing.subscriptions.values(), self.moment.now);
        match field {
            AccountField::People => Some(Value::Int(1)),
            AccountField::Value => value().map(Value::Int),
            AccountField::Touch => Some(touch(config, value()).as_str().into()),
            AccountField::Owner => {
                config.accounts.owner.by_touch.get(&touch(config, value())).map(|owner| owner.as_str().into())
            }
            AccountField::Stage => Some(self.stage.as_str().into()),
            AccountField::Cancels => Some(Value::Bool(self.standing.cancels)),
            AccountField::PastDue => Some(Value::Bool(self.standing.past_due)),
            AccountField::Id
            | AccountField::Score
            | AccountField::Health
            | AccountField::LeadingBuyer
            | AccountField::Renewals
            | AccountField::RenewsInDays
            | AccountField::Trait(_) => None,
        }
    }
}

impl Lookup<PersonSlot> for Person<'_> {
    fn get(&self, slot: &PersonSlot) -> Option<Value<'_>> {
        let int = |n: u32| Value::Int(n.into());
        Some(match slot {
            PersonSlot::Stage => self.stage.as_str().into(),
            PersonSlot::Pays => Value::Bool(self.stage.pays()),
            PersonSlot::Cancels => Value::Bool(self.standing.cancels),
            PersonSlot::PastDue => Value::Bool(self.standing.past_due),
            PersonSlot::IdleDays => Value::Int(self.idle_days()?),
            PersonSlot::TenureDays => self.days_since(self.state.seen?.first),
            PersonSlot::CustomerDays => self.days_since(self.standing.paying_since.or(self.standing.first_paid)?),
            PersonSlot::LostTrialDays => {
                let is_open = matches!(self.stage, Stage::Lead | Stage::Freemium);
                let lost = is_open.then(|| lost_trial(&self.moment, self.state, &self.standing)).flatten();
                self.days_since(lost?)
            }
            PersonSlot::Engagement => Value::Int(self.engagement().value.get().into()),
            PersonSlot::Events => Value::Int(i64::try_from(self.state.counts.total()).unwrap_or(i64::MAX)),
            PersonSlot::Nps => Value::Int(self.state.nps?.points.into()),
            PersonSlot::NpsClass => self.nps_class().as_str().into(),
            PersonSlot::NpsDays => self.days_since(self.state.nps?.at),
            PersonSlot::Csat => Value::Int(self.state.csat?.points.into()),
            PersonSlot::CsatDays => self.days_since(self.state.csat?.at),
            PersonSlot::Sentiment => Value::Double(self.sentiment()?),
            PersonSlot::MailDomain => mail_domain(self.state)?.into(),
            PersonSlot::Trait(path) => said(self.state, path)?,
            PersonSlot::Score(likelihood) => Value::Int(self.scores.get(*likelihood)?.get().into()),
            PersonSlot::Tally(name) => int(self.state.tallies.get(name).copied().unwrap_or(0)),
            PersonSlot::Account(field) => self.account(field)?,
            PersonSlot::Count { event } => int(self.state.counts.get(event)),
            PersonSlot::CountWithin { key, days, .. } => int(self.state.windowed(*key, self.today, *days)),
            PersonSlot::CountHours { key, hours, .. } => {
                int(self.state.windowed(*key, hour_of(self.moment.now), *hours))
            }
            PersonSlot::DaysSince { key, .. } => self.days_since(self.state.spans.get(key)?.last),
            PersonSlot::ActiveDays(days) => int(self.state.days.active(self.today, u32::from(*days))),
            PersonSlot::ActiveMonths(months) => {
                int(self.state.months.active(month_of(self.moment.now), u32::from(*months)))
            }
            PersonSlot::ActivityChange(days) => Value::Double(self.activity_change(*days)),
            PersonSlot::UsedDays { key, days } => int(self.used_days(*key, *days)),
            PersonSlot::EverUsed { key } => Value::Bool(self.state.uses.contains_key(key)),
            PersonSlot::ReleasedDays { released } => Value::Int((self.today - released).into()),
            PersonSlot::HighValueUsed(days) => Value::Int(self.high_value_used(*days)),
            PersonSlot::HighValueShare(days) => {
                let all = self.moment.config.features.high_value().count();
                Value::Double(if all == 0 { 0.0 } else { self.high_value_used(*days) as f64 / all as f64 })
            }
            PersonSlot::Errors { key, days } => int(self.state.windowed(*key, self.today, *days)),
            PersonSlot::MostErrors(days) => int(self.most_errors(*days)),
            PersonSlot::Title(at) => Value::Bool(self.titles() & (1 << at) != 0),
            PersonSlot::Persona(at) => Value::Bool(self.personas & (1 << at) != 0),
            PersonSlot::Segment(at) => Value::Bool(self.segments & (1 << at) != 0),
            PersonSlot::Revenue(currency) => Value::Int(self.state.revenue_in(*currency)),
        })
    }
}

/// Returns the domain of the person's latest mail address.
fn mail_domain(state: &State) -> Option<String> {
    let address = state.text_trait("email")?;
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.trim().to_lowercase())
}

/// Returns a trait's value, in any spelling. Plain texts are borrowed; anything else is parsed.
fn said<'a>(state: &'a State, path: &[String]) -> Option<Value<'a>> {
    let (first, rest) = path.split_first()?;
    if rest.is_empty()
        && let Some(json) = state.newest_json(first)
        && let Some(inner) = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'))
        && !inner.contains('\\')
    {
        return Some(inner.into());
    }
    owned(below(first, state.trait_value(first)?, rest).filter(|value| !value.is_null())?)
}

/// Returns the value without borrows: for an object its `name`, and `None` without one, since no condition can compare
/// it.
fn owned(value: serde_json::Value) -> Option<Value<'static>> {
    Some(match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(flag),
        serde_json::Value::Number(number) => {
            number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Double))?
        }
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(all) => Value::List(List::Owned(all.into_iter().filter_map(owned).collect())),
        object @ serde_json::Value::Object(_) => Value::from(readable(&object)?),
    })
}
