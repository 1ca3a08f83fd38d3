//! The nine likelihoods, each 0 to 100.

use serde::{Deserialize, Serialize};

/// The likelihood that a score measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likelihood {
    /// Buys for the first time.
    Purchase,
    /// Converts from free to paid.
    Conversion,
    /// The trial succeeds.
    TrialSuccess,
    /// Buys more.
    Upgrade,
    /// Succeeds with the product.
    Success,
    /// Leaves.
    Churn,
    /// Recommends the product to others.
    Recommendation,
    /// Influences colleagues inside the company.
    InfluenceInside,
    /// Influences people outside it.
    InfluenceOutside,
}

impl Likelihood {
    /// All nine, in display order.
    pub const ALL: [Self; 9] = [
        Self::Purchase,
        Self::Conversion,
        Self::TrialSuccess,
        Self::Upgrade,
        Self::Success,
        Self::Churn,
        Self::Recommendation,
        Self::InfluenceInside,
        Self::InfluenceOutside,
    ];

    /// Returns the name in config and JSON, such as `trial_success`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Conversion => "conversion",
            Self::TrialSuccess => "trial_success",
            Self::Upgrade => "upgrade",
            Self::Success => "success",
            Self::Churn => "churn",
            Self::Recommendation => "recommendation",
            Self::InfluenceInside => "influence_inside",
            Self::InfluenceOutside => "influence_outside",
        }
    }
}

/// A score: a whole number from 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct Score(u8);

impl Score {
    /// `points` brought into 0..=100 and rounded to the nearest whole.
    pub fn from_points(points: f64) -> Self {
        // `as` maps NaN to 0; the clamp keeps the rest in range.
        Self(points.clamp(0.0, 100.0).round() as u8)
    }

    /// The number, 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl From<u8> for Score {
    fn from(value: u8) -> Self {
        Self(value.min(100))
    }
}

impl From<Score> for u8 {
    fn from(score: Score) -> u8 {
        score.0
    }
}

/// The likelihoods of a profile. One that does not apply, such as trial success without a trial, is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scores([Option<Score>; 9]);

impl Scores {
    /// Creates the scores from `value`; `None` for one that does not apply.
    pub fn new(mut value: impl FnMut(Likelihood) -> Option<Score>) -> Self {
        Self(Likelihood::ALL.map(&mut value))
    }

    /// Returns one of them; `None` where it does not apply.
    pub fn get(&self, likelihood: Likelihood) -> Option<Score> {
        self.0[likelihood as usize]
    }

    /// Returns whether it applies and is at least `threshold`.
    pub fn reaches(&self, likelihood: Likelihood, threshold: u8) -> bool {
        self.get(likelihood).is_some_and(|score| score.get() >= threshold)
    }

    /// Returns those that apply, in the order of [`Likelihood::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Likelihood, Score)> + '_ {
        Likelihood::ALL.into_iter().zip(self.0).filter_map(|(likelihood, score)| Some((likelihood, score?)))
    }
}

impl Serialize for Scores {
    /// Serializes a map from name to value, of those that apply.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
