//! What is settled before the story begins: how an account's trial ends, and what its people are like.

use super::{DAYS, rng::Rng};

/// Days that a trial lasts.
pub(super) const TRIAL_DAYS: i64 = 14;
/// Days between two invoices.
pub(super) const MONTH: i64 = 30;

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

/// What becomes of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Buys at the end of the trial.
    Buys,
    /// Stays on the free plan, and uses it.
    StaysFree,
    /// Loses interest during the trial.
    Lapses,
}

/// How an account's life goes. Days are counted from the start of the story.
#[derive(Debug, Clone)]
pub(super) struct Plot {
    pub(super) number: u64,
    pub(super) trial: i64,
    pub(super) outcome: Outcome,
    pub(super) people: u64,
    /// The day on which it cancels, if it buys at all and does.
    pub(super) cancels: Option<i64>,
}

impl Plot {
    pub(super) fn draw(number: u64, rng: &mut Rng) -> Self {
        // Two of five began early enough to be long-standing customers at the end.
        let trial = if rng.percent(40) { rng.between(4, 14) } else { rng.between(10, DAYS - 6) };
        let outcome = match rng.between(1, 10) {
            1..=6 => Outcome::Buys,
            7 | 8 => Outcome::StaysFree,
            _ => Outcome::Lapses,
        };
        let people = rng.between(5, 15) as u64;
        let cancels = (outcome == Outcome::Buys && rng.percent(15)).then(|| trial + TRIAL_DAYS + rng.between(25, 75));
        Self { number, trial, outcome, people, cancels }
    }

    pub(super) fn account_id(&self) -> String {
        format!("customer-{:02}", self.number)
    }

    /// The day on which it pays for the first time.
    pub(super) fn pays(&self) -> Option<i64> {
        (self.outcome == Outcome::Buys).then_some(self.trial + TRIAL_DAYS)
    }

    /// Whether it pays on `day`.
    pub(super) fn is_paying(&self, day: i64) -> bool {
        self.pays().is_some_and(|since| day >= since) && self.cancels.is_none_or(|until| day < until)
    }
}

/// Someone's part in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Administrator,
    Buyer,
    ExecutiveSponsor,
    PowerUser,
    EndUser,
    It,
}

impl Role {
    /// The trait's value.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Buyer => "buyer",
            Self::ExecutiveSponsor => "executive_sponsor",
            Self::PowerUser => "power_user",
            Self::EndUser => "end_user",
            Self::It => "it",
        }
    }

    fn of(position: u64, rng: &mut Rng) -> Self {
        match position {
            0 => Self::Administrator,
            1 => Self::Buyer,
            2 => Self::ExecutiveSponsor,
            _ => rng.pick([
                Self::PowerUser,
                Self::PowerUser,
                Self::EndUser,
                Self::EndUser,
                Self::EndUser,
                Self::EndUser,
                Self::It,
            ]),
        }
    }

    /// Percent of working days on which someone of this role uses the product.
    fn habit(self) -> u32 {
        match self {
            Self::Administrator => 45,
            Self::PowerUser => 65,
            Self::EndUser => 25,
            Self::It => 15,
            Self::Buyer | Self::ExecutiveSponsor => 10,
        }
    }
}

/// A person of an account.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) user: String,
    pub(super) mail: String,
    pub(super) role: Role,
    /// The day on which they sign up.
    pub(super) joins: i64,
    /// The anonymous id that their browser had before.
    pub(super) browser: Option<String>,
    /// Percent of working days on which they use the product.
    pub(super) habit: u32,
    /// The day from which they are not seen any more.
    pub(super) quiet: Option<i64>,
    /// Whether the product gives them trouble.
    pub(super) unlucky: bool,
    /// Whether they want more than the free plan gives.
    pub(super) bumping: bool,
    /// Whether they compare, read and ask before they sign up.
    pub(super) keen: bool,
}

impl Person {
    pub(super) fn draw(plot: &Plot, position: u64, rng: &mut Rng) -> Self {
        let role = Role::of(position, rng);
        let joins = if position == 0 { plot.trial } else { plot.trial + rng.between(0, 6 + position as i64 * 2) };
        let lapse = (plot.outcome == Outcome::Lapses).then(|| plot.trial + rng.between(2, 8));
        let fade = rng.percent(18).then(|| joins + rng.between(10, 60));
        let user = format!("user-{:04}", plot.number * 20 + position);
        Self {
            mail: format!("{user}@{}.example", plot.account_id()),
            browser: (position <= 1 || rng.percent(30)).then(|| format!("browser-{:016x}", rng.next())),
            user,
            role,
            joins,
            habit: role.habit(),
            quiet: lapse.or(fade),
            unlucky: rng.percent(10),
            bumping: rng.percent(30),
            keen: position == 1 && rng.percent(70),
        }
    }

    /// Whether they are still about on `day`.
    pub(super) fn is_here(&self, day: i64) -> bool {
        day >= self.joins && self.quiet.is_none_or(|quiet| day < quiet)
    }
}
