//! The plan of the story: how an account's trial ends, and what its people are like.

use super::names;
use super::role::Role;
use super::{DAYS, rng::Rng};
use serde_json::{Value, json};

/// Days that a trial lasts.
pub(super) const TRIAL_DAYS: i64 = 14;
/// Days between two invoices.
pub(super) const MONTH: i64 = 30;
/// The day of the outage.
pub(super) const OUTAGE: i64 = DAYS - 12;
/// The release day of cohorts: 15 July if the story ends with October, as in features.toml.
pub(super) const COHORTS_RELEASED: i64 = DAYS - 109;
/// User ids that an account has to itself.
pub(super) const IDS: u64 = 20;

/// The features of the product, the high-value ones first.
pub(super) const FEATURES: [(&str, bool); 8] = [
    ("forecast", true),
    ("cohorts", true),
    ("alerts", true),
    ("dashboards", false),
    ("exports", false),
    ("comments", false),
    ("filters", false),
    ("themes", false),
];

/// The outcome of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Buys at the end of the trial.
    Buys,
    /// Stays on the free plan, and uses it.
    StaysFree,
    /// Loses interest during the trial.
    Lapses,
}

/// The roles that must exist, whatever the random draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Regardless of the draws.
    Any,
    /// Hundreds of seats.
    Large,
    /// Cancels, and is won back before the end.
    ComesBack,
    /// In its trial when the story ends.
    Trying,
}

impl Part {
    fn of(number: u64) -> Self {
        match number {
            1 | 2 => Self::Large,
            3..=5 => Self::ComesBack,
            6..=8 => Self::Trying,
            _ => Self::Any,
        }
    }
}

/// The course of an account's life. Days are counted from the start of the story.
#[derive(Debug, Clone)]
pub(super) struct Plot {
    pub(super) number: u64,
    pub(super) trial: i64,
    pub(super) outcome: Outcome,
    pub(super) people: u64,
    /// Its seats, if it buys.
    pub(super) seats: i64,
    /// The day on which it cancels, if it buys at all and does.
    pub(super) cancels: Option<i64>,
    /// The day on which it pays again.
    pub(super) returns: Option<i64>,
    part: Part,
}

impl Plot {
    pub(super) fn draw(number: u64, rng: &mut Rng) -> Self {
        let part = Part::of(number);
        // Two of five began early enough to be long-standing customers at the end.
        let trial = match part {
            Part::Large | Part::ComesBack => rng.between(4, 12),
            Part::Trying => rng.between(DAYS - 9, DAYS - 6),
            Part::Any if rng.percent(40) => rng.between(4, 14),
            Part::Any => rng.between(10, DAYS - 6),
        };
        let outcome = match (part, rng.between(1, 10)) {
            (Part::Any, 7 | 8) => Outcome::StaysFree,
            (Part::Any, 9 | 10) => Outcome::Lapses,
            _ => Outcome::Buys,
        };
        let people = match part {
            Part::Large => 18,
            Part::Trying => 12,
            _ => rng.between(5, 15) as u64,
        };
        let seats = if part == Part::Large { rng.between(160, 320) } else { people as i64 };
        let leaves = part == Part::Any && outcome == Outcome::Buys && rng.percent(15);
        let pays = trial + TRIAL_DAYS;
        let (cancels, returns) = match part {
            Part::ComesBack => (Some(pays + rng.between(25, 40)), Some(rng.between(DAYS - 25, DAYS - 15))),
            _ => (leaves.then(|| pays + rng.between(25, 75)), None),
        };
        Self { number, trial, outcome, people, seats, cancels, returns, part }
    }

    pub(super) fn account_id(&self) -> String {
        format!("customer-{:02}", self.number)
    }

    /// Returns the company's domain. All its people have their addresses there.
    pub(super) fn domain(&self) -> String {
        format!("{}.example", self.account_id())
    }

    pub(super) fn name(&self) -> String {
        format!("Customer {}", self.number)
    }

    /// Returns a person's id: `position` counts the account's people from 0.
    pub(super) fn user(&self, position: u64) -> String {
        format!("user-{:04}", self.number * IDS + position)
    }

    /// The day on which it pays for the first time.
    pub(super) fn pays(&self) -> Option<i64> {
        (self.outcome == Outcome::Buys).then_some(self.trial + TRIAL_DAYS)
    }

    /// Returns whether it pays on `day`.
    pub(super) fn is_paying(&self, day: i64) -> bool {
        self.pays().is_some_and(|since| day >= since) && !self.is_gone(day)
    }

    /// Returns whether it has cancelled by `day` and has not returned.
    pub(super) fn is_gone(&self, day: i64) -> bool {
        self.cancels.is_some_and(|end| day >= end) && self.returns.is_none_or(|again| day < again)
    }

    /// Returns whether it is in trial until the story ends.
    pub(super) fn is_trying(&self) -> bool {
        self.part == Part::Trying
    }
}

/// A person of an account.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) user: String,
    pub(super) mail: String,
    pub(super) name: String,
    pub(super) role: Role,
    /// The trait with their role.
    pub(super) role_trait: Option<Value>,
    pub(super) title: Option<&'static str>,
    /// The number of a place, and of a telephone there.
    pub(super) place: Option<(usize, i64)>,
    /// `true` if they write their traits carelessly.
    pub(super) sloppy: bool,
    /// The day on which they sign up.
    pub(super) joins: i64,
    /// The anonymous id that their browser had before.
    pub(super) browser: Option<String>,
    /// Percent of working days on which they use the product.
    pub(super) habit: u32,
    /// The day from which they are not seen any more.
    pub(super) quiet: Option<i64>,
    /// `true` if they meet errors.
    pub(super) unlucky: bool,
    /// `true` if they reach the limits of their plan.
    pub(super) bumping: bool,
    /// `true` if they compare, read and ask before they sign up.
    pub(super) keen: bool,
    /// Which of the features they work with.
    pub(super) depth: Depth,
}

/// How many of the high-value features a person uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// None of them.
    Shallow,
    /// Some of them.
    Mixed,
    /// Mostly that.
    Deep,
    /// Forecasts day by day, and never an alert.
    Forecasts,
}

impl Depth {
    /// A feature, and whether it is of high value.
    pub(super) fn feature(self, rng: &mut Rng) -> (&'static str, bool) {
        let [a, b, c, others @ ..] = FEATURES;
        match self {
            Self::Shallow => rng.pick(others),
            Self::Forecasts if rng.percent(60) => a,
            Self::Forecasts => rng.pick([b, others[0], others[1]]),
            Self::Deep if rng.percent(50) => rng.pick([a, b, c]),
            Self::Mixed | Self::Deep => rng.pick(FEATURES),
        }
    }
}

impl Person {
    pub(super) fn draw(plot: &Plot, position: u64, rng: &mut Rng) -> Self {
        let role = Role::of(position, rng);
        let trying = plot.is_trying();
        let patience = if trying { 3 } else { 6 + position as i64 * 2 };
        let joins = if position == 0 { plot.trial } else { plot.trial + rng.between(0, patience) };
        let lapse = (plot.outcome == Outcome::Lapses).then(|| plot.trial + rng.between(2, 8));
        let fade = rng.percent(18).then(|| joins + rng.between(10, 60));
        let user = plot.user(position);
        // A trial needs at least one serious user.
        let eager = trying && position == 0;
        let devoted = role == Role::PowerUser && rng.percent(30);
        let name = names::name(rng);
        // A third of the accounts have a bookkeeper who receives payment messages.
        let pays_bills = role == Role::EndUser && position == plot.people - 1 && plot.number.is_multiple_of(3);
        Self {
            mail: mail(plot, position, &name),
            name,
            role_trait: if pays_bills { Some(json!(["end_user", "billing_contact"])) } else { role.r#trait(rng) },
            title: names::title(role, rng),
            place: rng.percent(25).then(|| (rng.between(0, 3) as usize, rng.between(100, 899))),
            sloppy: rng.percent(12),
            browser: (position <= 1 || rng.percent(30)).then(|| format!("browser-{:016x}", rng.next())),
            user,
            role,
            joins,
            habit: if eager || devoted { 95 } else { role.habit() },
            quiet: lapse.or(fade).filter(|_| !eager),
            unlucky: rng.percent(10),
            bumping: rng.percent(30) || eager,
            keen: position == 1 && (rng.percent(70) || trying),
            depth: match role {
                _ if eager => Depth::Deep,
                Role::PowerUser if !devoted && rng.percent(20) => Depth::Forecasts,
                Role::PowerUser => Depth::Deep,
                Role::EndUser | Role::It if rng.percent(25) => Depth::Shallow,
                _ => Depth::Mixed,
            },
        }
    }

    /// Returns whether they are still active on `day`.
    pub(super) fn is_here(&self, day: i64) -> bool {
        day >= self.joins && self.quiet.is_none_or(|quiet| day < quiet)
    }
}

/// An address of one's own, except at the reception desks of two companies.
fn mail(plot: &Plot, position: u64, name: &str) -> String {
    match (plot.number, position) {
        (20 | 21, 3 | 4) => format!("info@{}", plot.domain()),
        _ => names::mail(name, plot.number * IDS + position, &plot.domain()),
    }
}
