//! Scores as the lists have them: in bands.

use perennial_domain::{Likelihood, Score};

/// The number of bands: 0 to 9, 10 to 19, and so on, and 90 to 100.
pub const BANDS: u8 = 10;
/// Points that a score may be outside of its band before an evaluation moves its entry.
pub const SLACK: u8 = 6;
/// Points that silence may take a score outside of its band before a timer moves its entry.
pub const DRIFT: u8 = 8;
/// Points beyond a band within which a reader finds all of its profiles: more than [`DRIFT`], as timers fire within a day.
pub const REACH: u8 = 10;

/// A number from 0 to 100 by which people are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// One of the nine scores.
    Score(Likelihood),
    /// Frequency and amount of activity.
    Engagement,
}

impl Scale {
    /// Returns all of them: the nine scores, then engagement.
    pub fn all() -> impl Iterator<Item = Self> {
        Likelihood::ALL.into_iter().map(Self::Score).chain([Self::Engagement])
    }

    /// Returns the name in queries, such as `churn` or `engagement`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Score(likelihood) => likelihood.as_str(),
            Self::Engagement => "engagement",
        }
    }

    /// Returns the scale with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|scale| scale.as_str() == name)
    }

    fn index(self) -> usize {
        match self {
            Self::Score(likelihood) => likelihood as usize,
            Self::Engagement => Likelihood::ALL.len(),
        }
    }
}

/// Returns the band of a score, 0 to 9.
pub fn band(score: Score) -> u8 {
    (score.get() / 10).min(BANDS - 1)
}

/// Returns the lowest and the highest score within `slack` points of a band.
pub fn around(band: u8, slack: u8) -> (u8, u8) {
    let highest = if band + 1 >= BANDS { 100 } else { band * 10 + 9 };
    ((band * 10).saturating_sub(slack), highest.saturating_add(slack).min(100))
}

/// Returns the bands in which a reader finds every score from `min` to `max`, as the first and the last.
pub fn bands_of(min: u8, max: u8) -> (u8, u8) {
    (band(Score::from(min.saturating_sub(REACH))), band(Score::from(max.saturating_add(REACH))))
}

/// The band of each scale; a score that does not apply has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bands(pub(super) [Option<u8>; 10]);

impl Bands {
    /// Returns the bands of `value`, which stay as in `before` where the value is within [`SLACK`] points.
    pub fn new(before: Option<&Self>, value: impl Fn(Scale) -> Option<Score>) -> Self {
        let mut bands = Self::default();
        for scale in Scale::all() {
            let kept = |score: Score| {
                let band = before.and_then(|before| before.get(scale))?;
                is_within(band, SLACK, score).then_some(band)
            };
            bands.0[scale.index()] = value(scale).map(|score| kept(score).unwrap_or_else(|| band(score)));
        }
        bands
    }

    /// Returns the band of a scale.
    pub fn get(&self, scale: Scale) -> Option<u8> {
        self.0[scale.index()]
    }

    /// Returns whether a value is [`DRIFT`] points outside of its band, or applies now and did not, or the reverse.
    pub(crate) fn is_left_by(&self, value: impl Fn(Scale) -> Option<Score>) -> bool {
        Scale::all().any(|scale| match (self.get(scale), value(scale)) {
            (Some(band), Some(score)) => !is_within(band, DRIFT, score),
            (None, None) => false,
            _ => true,
        })
    }

    /// Returns the bands in 5 bytes, half a byte each.
    pub fn to_bytes(self) -> [u8; 5] {
        let mut bytes = [0; 5];
        for (byte, pair) in bytes.iter_mut().zip(self.0.chunks(2)) {
            let half = |at: usize| pair.get(at).copied().flatten().unwrap_or(0xf);
            *byte = half(0) << 4 | half(1);
        }
        bytes
    }

    /// Returns the bands of [`Self::to_bytes`].
    pub fn from_bytes(bytes: [u8; 5]) -> Self {
        let mut bands = Self::default();
        for (pair, byte) in bands.0.chunks_mut(2).zip(bytes) {
            for (band, half) in pair.iter_mut().zip([byte >> 4, byte & 0xf]) {
                *band = (half < BANDS).then_some(half);
            }
        }
        bands
    }
}

/// Returns whether a score is within `slack` points of a band.
pub fn is_within(band: u8, slack: u8, score: Score) -> bool {
    let (low, high) = around(band, slack);
    (low..=high).contains(&score.get())
}
