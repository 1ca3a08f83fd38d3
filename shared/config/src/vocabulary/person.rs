//! Conditions on a person: facts, activity and inactivity, and their account.

use super::event::EVENT_NAMES;
use super::person_names::PERSON_NAMES;
use super::{number, refused, text};
use crate::cel::{Const, Form, Name, Refused, Type, Vocabulary};
use crate::features::{ERROR_DAYS, Features};
use crate::history::{MAX_WINDOW_DAYS, MAX_WINDOW_HOURS, event_key, hours_key};
use crate::spelling::unknown;
use perennial_domain::{Currency, Likelihood};
use serde::{Deserialize, Serialize};

/// The names available to a condition: a value is not available to values that are computed before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Personas: from facts alone.
    Persona,
    /// Signals of scores: personas too.
    Score,
    /// Segments: scores and earlier segments too.
    Segment,
    /// Journeys: everything.
    Journey,
}

/// A lookup of a condition on a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PersonSlot {
    /// The stage's name.
    Stage,
    /// Tests whether they pay now.
    Pays,
    /// Tests whether a paid subscription ends with its period.
    Cancels,
    /// Tests whether a payment for a subscription is overdue.
    PastDue,
    /// Whole days since the last activity.
    IdleDays,
    /// Whole days since the first activity.
    TenureDays,
    /// Whole days since the first payment.
    CustomerDays,
    /// Whole days since a trial ended without a payment.
    LostTrialDays,
    /// Frequency and amount of activity, 0 to 100.
    Engagement,
    /// Events counted in all.
    Events,
    /// The latest survey answer.
    Nps,
    /// `promoter`, `passive`, `detractor` or `none`.
    NpsClass,
    /// Whole days since the latest survey answer.
    NpsDays,
    /// The latest answer to the satisfaction survey.
    Csat,
    /// Whole days since the latest answer to the satisfaction survey.
    CsatDays,
    /// The sentiment of their texts of the last three months, -1 to 1.
    Sentiment,
    /// The domain of the mail address.
    MailDomain,
    /// A trait, by its path.
    Trait(Vec<String>),
    /// A score.
    Score(Likelihood),
    /// A tally, by its name.
    Tally(String),
    /// Something of the account.
    Account(AccountField),
    /// The number of times an event happened.
    Count {
        /// The event's name.
        event: String,
    },
    /// The number of times an event happened in the last days, today included.
    CountWithin {
        /// The event's name.
        event: String,
        /// Its history's key.
        key: u32,
        /// 1 to [`MAX_WINDOW_DAYS`].
        days: u16,
    },
    /// The number of times an event happened in the last hours.
    CountHours {
        /// The event's name.
        event: String,
        /// The key of its history by hours.
        key: u32,
        /// 1 to [`MAX_WINDOW_HOURS`].
        hours: u16,
    },
    /// Whole days since an event last happened.
    DaysSince {
        /// The event's name.
        event: String,
        /// Its history's key.
        key: u32,
    },
    /// Active days of the last days.
    ActiveDays(u16),
    /// Active months of the last months.
    ActiveMonths(u16),
    /// The change of activity from one span of days to the next.
    ActivityChange(u16),
    /// Days of the last days on which a feature was used.
    UsedDays {
        /// The feature's key.
        key: u32,
        /// 1 to 128.
        days: u16,
    },
    /// Tests whether a feature was ever used.
    EverUsed {
        /// The feature's key.
        key: u32,
    },
    /// Whole days since a feature was released.
    ReleasedDays {
        /// The day of its release, counted from 1970-01-01.
        released: i32,
    },
    /// The number of high-value features used in the last days.
    HighValueUsed(u16),
    /// The share of all high-value features that was used in the last days.
    HighValueShare(u16),
    /// The number of errors in a feature in the last days.
    Errors {
        /// The key of the feature's errors.
        key: u32,
        /// 1 to [`ERROR_DAYS`].
        days: u16,
    },
    /// The most errors in one feature in the last days, 1 to [`ERROR_DAYS`].
    MostErrors(u16),
    /// Tests whether a person has a job title, by its index.
    Title(usize),
    /// Tests whether a person has a persona, by its index.
    Persona(usize),
    /// Tests whether a person is in a segment, by its index.
    Segment(usize),
    /// The amount that a person paid, in minor units.
    Revenue(Currency),
}

/// Something of the account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccountField {
    /// Its id.
    Id,
    /// The number of its people.
    People,
    /// Readiness to buy.
    Score,
    /// Health as a customer.
    Health,
    /// Its annual value, in minor units.
    Value,
    /// The touch model's name.
    Touch,
    /// Which colleague looks after it.
    Owner,
    /// Its stage.
    Stage,
    /// Tests whether the person was the buyer with the most weight when it became ready to buy.
    LeadingBuyer,
    /// The number of its renewals.
    Renewals,
    /// Days until it renews next.
    RenewsInDays,
    /// Tests whether a subscription that it pays for ends with its period.
    Cancels,
    /// Tests whether a payment for one of its subscriptions is overdue.
    PastDue,
    /// A trait, by its path.
    Trait(Vec<String>),
}

impl PersonSlot {
    /// Returns whether it reads the account, which then has to be loaded.
    pub fn asks_account(&self) -> bool {
        matches!(self, Self::Account(_))
    }

    /// Returns the name of the event that it counts, as counted.
    pub fn event(&self) -> Option<&str> {
        match self {
            Self::Count { event }
            | Self::CountWithin { event, .. }
            | Self::CountHours { event, .. }
            | Self::DaysSince { event, .. } => Some(event),
            _ => None,
        }
    }
}

/// The vocabulary of a condition on a person: `idle_days >= 14 && count("Pricing Page Viewed", 7) >= 3`.
#[derive(Debug, Clone, Copy)]
pub struct PersonVocabulary<'a> {
    /// The available names.
    pub level: Level,
    /// The product's features.
    pub features: &'a Features,
    /// Names of tallies.
    pub tallies: &'a [String],
    /// Names of job titles.
    pub titles: &'a [String],
    /// Names of personas.
    pub personas: &'a [String],
    /// Names of the segments before it.
    pub segments: &'a [String],
}

/// The fields of `account`.
pub const ACCOUNT_FIELDS: [&str; 14] = [
    "id",
    "people",
    "score",
    "health",
    "value",
    "touch",
    "owner",
    "stage",
    "renewals",
    "renews_in_days",
    "cancels",
    "past_due",
    "leading_buyer",
    "traits.NAME",
];

impl Vocabulary for PersonVocabulary<'_> {
    type Slot = PersonSlot;

    fn names(&self) -> &[Name] {
        PERSON_NAMES
    }

    fn variable(&self, name: &str) -> Option<(PersonSlot, Type)> {
        Some(match name {
            "stage" => (PersonSlot::Stage, Type::Text),
            "pays" => (PersonSlot::Pays, Type::Bool),
            "cancels" => (PersonSlot::Cancels, Type::Bool),
            "past_due" => (PersonSlot::PastDue, Type::Bool),
            "idle_days" => (PersonSlot::IdleDays, Type::Int),
            "tenure_days" => (PersonSlot::TenureDays, Type::Int),
            "customer_days" => (PersonSlot::CustomerDays, Type::Int),
            "lost_trial_days" => (PersonSlot::LostTrialDays, Type::Int),
            "engagement" => (PersonSlot::Engagement, Type::Int),
            "events" => (PersonSlot::Events, Type::Int),
            "nps" => (PersonSlot::Nps, Type::Int),
            "nps_class" => (PersonSlot::NpsClass, Type::Text),
            "nps_days" => (PersonSlot::NpsDays, Type::Int),
            "csat" => (PersonSlot::Csat, Type::Int),
            "csat_days" => (PersonSlot::CsatDays, Type::Int),
            "sentiment" => (PersonSlot::Sentiment, Type::Double),
            "mail_domain" => (PersonSlot::MailDomain, Type::Text),
            _ => return None,
        })
    }

    fn elsewhere(&self, name: &str) -> Option<&'static str> {
        EVENT_NAMES.iter().any(|known| known.name == name).then_some(
            "is for conditions on events, such as `where` of a rule, feature or trigger; a condition on a person asks for `traits.NAME`, or how often something \
             happened: `count(\"EVENT\", DAYS)`",
        )
    }

    fn member(&self, map: &str, path: &[String]) -> Result<(PersonSlot, Type), String> {
        let name = path.join(".");
        match map {
            "traits" => Ok((PersonSlot::Trait(path.to_vec()), Type::Dyn)),
            "scores" if self.level < Level::Segment => {
                Err("scores are worked out after personas and signals; only segments and journeys may ask for them"
                    .to_owned())
            }
            "scores" => {
                let found = Likelihood::ALL.into_iter().find(|likelihood| likelihood.as_str() == name);
                let score = found.ok_or_else(|| unknown("score", &name, Likelihood::ALL.map(Likelihood::as_str)))?;
                Ok((PersonSlot::Score(score), Type::Int))
            }
            "tallies" => {
                if !self.tallies.contains(&name) {
                    return Err(unknown("tally", &name, self.tallies.iter().map(String::as_str)));
                }
                Ok((PersonSlot::Tally(name), Type::Int))
            }
            "account" => self.account(path),
            other => Err(unknown("name that has members", other, ["traits", "scores", "tallies", "account"])),
        }
    }

    fn call(&self, function: &str, args: &[Const]) -> Result<(PersonSlot, Type), Refused> {
        Ok(match function {
            "count" if args.len() == 1 => (PersonSlot::Count { event: event(args)? }, Type::Int),
            "count" => {
                let event = event(args)?;
                let days = number(args, 1, "days", MAX_WINDOW_DAYS)?;
                (PersonSlot::CountWithin { key: event_key(&event), event, days }, Type::Int)
            }
            "count_hours" => {
                let event = event(args)?;
                let hours = number(args, 1, "hours", MAX_WINDOW_HOURS)?;
                (PersonSlot::CountHours { key: hours_key(&event), event, hours }, Type::Int)
            }
            "days_since" => {
                let event = event(args)?;
                (PersonSlot::DaysSince { key: event_key(&event), event }, Type::Int)
            }
            "active_days" => (PersonSlot::ActiveDays(number(args, 0, "days", 128)?), Type::Int),
            "active_months" => (PersonSlot::ActiveMonths(number(args, 0, "months", 64)?), Type::Int),
            "activity_change" => (PersonSlot::ActivityChange(number(args, 0, "days", 64)?), Type::Double),
            "used_days" => {
                (PersonSlot::UsedDays { key: self.feature(args)?.key, days: number(args, 1, "days", 128)? }, Type::Int)
            }
            "ever_used" => (PersonSlot::EverUsed { key: self.feature(args)?.key }, Type::Bool),
            "released_days" => {
                let feature = self.feature(args)?;
                let released = feature.released.ok_or_else(|| {
                    refused(0, format!("feature `{}` has no `released` date in features.toml", feature.name))
                })?;
                (PersonSlot::ReleasedDays { released }, Type::Int)
            }
            "high_value_used" => (PersonSlot::HighValueUsed(number(args, 0, "days", 128)?), Type::Int),
            "high_value_share" => (PersonSlot::HighValueShare(number(args, 0, "days", 128)?), Type::Double),
            "errors" | "most_errors" if !self.features.has_errors => {
                let message = "features.toml does not say what an error is: describe it there, [errors]".to_owned();
                return Err(Refused { argument: None, message });
            }
            "errors" => {
                let key = self.feature(args)?.errors_key;
                (PersonSlot::Errors { key, days: number(args, 1, "days", ERROR_DAYS)? }, Type::Int)
            }
            "most_errors" => (PersonSlot::MostErrors(number(args, 0, "days", ERROR_DAYS)?), Type::Int),
            "title" => (PersonSlot::Title(index("title of personas.toml", self.titles, args)?), Type::Bool),
            "persona" if self.level < Level::Score => {
                return Err(refused(0, "one persona cannot ask for another; repeat its condition"));
            }
            "persona" => (PersonSlot::Persona(index("persona", self.personas, args)?), Type::Bool),
            "segment" if self.level < Level::Segment => {
                return Err(refused(
                    0,
                    "segments are worked out after personas and scores; only segments and journeys may ask for them",
                ));
            }
            "segment" => {
                (PersonSlot::Segment(index("segment that stands before this", self.segments, args)?), Type::Bool)
            }
            "revenue" => {
                let code = text(args, 0)?;
                let currency =
                    Currency::parse(code).map_err(|_| refused(0, "has to be a currency's code, such as \"USD\""))?;
                (PersonSlot::Revenue(currency), Type::Int)
            }
            other => {
                let functions =
                    PERSON_NAMES.iter().filter(|name| matches!(name.form, Form::Function(_))).map(|name| name.name);
                return Err(Refused { argument: None, message: unknown("function", other, functions) });
            }
        })
    }
}

impl PersonVocabulary<'_> {
    fn account(&self, path: &[String]) -> Result<(PersonSlot, Type), String> {
        let (field, ty) = match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["id"] => (AccountField::Id, Type::Text),
            ["people"] => (AccountField::People, Type::Int),
            ["score"] => (AccountField::Score, Type::Int),
            ["health"] => (AccountField::Health, Type::Int),
            ["value"] => (AccountField::Value, Type::Int),
            ["touch"] => (AccountField::Touch, Type::Text),
            ["owner"] => (AccountField::Owner, Type::Text),
            ["stage"] => (AccountField::Stage, Type::Text),
            ["leading_buyer"] if self.level < Level::Journey => {
                return Err(
                    "account.leading_buyer is for what is done about it; only journeys may ask for it".to_owned()
                );
            }
            ["leading_buyer"] => (AccountField::LeadingBuyer, Type::Bool),
            ["renewals"] => (AccountField::Renewals, Type::Int),
            ["renews_in_days"] => (AccountField::RenewsInDays, Type::Int),
            ["cancels"] => (AccountField::Cancels, Type::Bool),
            ["past_due"] => (AccountField::PastDue, Type::Bool),
            ["traits", rest @ ..] if !rest.is_empty() => {
                let path = rest.iter().map(|name| (*name).to_owned()).collect();
                (AccountField::Trait(path), Type::Dyn)
            }
            other => return Err(unknown("field of account", &other.join("."), ACCOUNT_FIELDS)),
        };
        Ok((PersonSlot::Account(field), ty))
    }

    fn feature(&self, args: &[Const]) -> Result<&crate::features::Feature, Refused> {
        let name = text(args, 0)?;
        self.features.get(name).ok_or_else(|| {
            refused(0, unknown("feature of features.toml", name, self.features.all.iter().map(|f| f.name.as_str())))
        })
    }
}

fn event(args: &[Const]) -> Result<String, Refused> {
    match text(args, 0)? {
        "" => Err(refused(0, "is empty; page calls are \"$page\"")),
        name => Ok(name.to_owned()),
    }
}

fn index(what: &str, names: &[String], args: &[Const]) -> Result<usize, Refused> {
    let wanted = text(args, 0)?;
    let at = names.iter().position(|name| name == wanted);
    at.ok_or_else(|| refused(0, unknown(what, wanted, names.iter().map(String::as_str))))
}
