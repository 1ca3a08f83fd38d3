//! Changes of a member's points for the account while the person is inactive.

mod bytes;
mod line;

pub use line::{Knot, Line};

use crate::Stage;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Units of a member's [`Line`] in a point.
pub const UNITS: i64 = 8;
/// Thousandths of a point in a unit.
const THOUSANDTHS: i64 = 1000 / UNITS;
/// The most bytes that an encoded curve takes.
pub const MAX_BYTES: usize = 64;

/// The points of an inactive member over time: for the account's score while the person does not pay, for its health
/// while they do, in each case before the weight of their personas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The points, in [`UNITS`]. A change of the stage between paying and not paying is a jump.
    pub line: Line,
    /// The changes of the stage, the earliest first.
    pub stages: Vec<(i64, Stage)>,
    /// The second of the day at which a day without activity is complete: that of the last activity, 0 where there was none.
    pub phase: u32,
    /// The second since 1970 up to which the curve is known; `None` if nothing changes after its last knot.
    pub end: Option<i64>,
}

impl Curve {
    /// The points at `now`, in thousandths.
    pub fn points(&self, now: Timestamp) -> i64 {
        self.line.value(now.as_second(), THOUSANDTHS)
    }

    /// The stage at `now` of a member who had `first` at the beginning.
    pub fn stage(&self, first: Stage, now: Timestamp) -> Stage {
        let passed = self.stages.iter().take_while(|(at, _)| *at <= now.as_second());
        passed.last().map_or(first, |(_, stage)| *stage)
    }

    /// Returns whether the curve is known up to `at`.
    pub fn reaches(&self, at: Timestamp) -> bool {
        self.end.is_none_or(|end| at.as_second() < end)
    }

    /// Encodes the curve relative to the time of the last activity, which is stored in the same entry: at most
    /// [`MAX_BYTES`] for a curve made by the engine.
    pub fn to_bytes(&self, last_seen: Option<Timestamp>) -> Vec<u8> {
        bytes::write(self, last_seen.map_or(self.phase.into(), Timestamp::as_second))
    }

    /// Reads the compact form; `None` where the bytes are not a curve.
    pub fn from_bytes(bytes: &[u8], last_seen: Option<Timestamp>) -> Option<Self> {
        bytes::read(bytes, last_seen.map_or(0, Timestamp::as_second))
    }
}

impl Serialize for Curve {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.phase, bytes::write(self, self.phase.into())).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Curve {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (phase, bytes) = <(u32, Vec<u8>)>::deserialize(deserializer)?;
        bytes::read(&bytes, phase.into()).ok_or_else(|| D::Error::custom("not a curve"))
    }
}
