//! Assigns variants.
//!
//! A person's variant is derived from the experiment's id, the variants' ids and the profile id alone, by weighted
//! rendezvous hashing (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker 2005): each variant draws
//! a number for the person, its cost is `-log2(draw) / weight`, and the cheapest variant wins. Such a cost is
//! exponentially distributed with the weight as its rate, so a variant wins with probability `weight / sum of weights`.
//! This gives the properties that experiments need:
//!
//! - a variant whose weight rises only gains people, and one whose weight falls only loses them; between the others
//!   nobody moves. So no assignment moves fewer people;
//! - the order of the variants does not matter, and another experiment draws other numbers.
//!
//! All arithmetic is in integers, so that every machine and every build has the same result.

use perennial_domain::PersonId;
use perennial_domain::hash::hash64;

/// The number of parts in a whole: a share of 250 is 2.5 %.
pub const WHOLE: u16 = 10_000;

/// Binary digits after the point of a logarithm.
const FRACTION: u32 = 40;

/// A share of all people, in parts of [`WHOLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

/// The number is more than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is a number of parts of 10000, from 0 to 10000, and not {0}")]
pub struct InvalidShare(pub u16);

impl Share {
    /// Returns a share of `parts`, 0 to [`WHOLE`].
    ///
    /// # Errors
    /// [`InvalidShare`] if it is more.
    pub fn parse(parts: u16) -> Result<Self, InvalidShare> {
        if parts <= WHOLE { Ok(Self(parts)) } else { Err(InvalidShare(parts)) }
    }

    /// Returns a share in percent, at most the whole.
    pub fn percent(percent: u16) -> Self {
        Self(percent.saturating_mul(WHOLE / 100).min(WHOLE))
    }

    /// Returns the parts of [`WHOLE`].
    pub fn parts(self) -> u16 {
        self.0
    }
}

/// A variant of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant<'a> {
    /// Its name, unique in the experiment. A renamed variant is another one.
    pub id: &'a str,
    /// Its weight, in proportion to the sum of all weights. A variant without weight gets nobody.
    pub weight: Share,
}

/// Which holdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holdout<'a> {
    /// The people who receive nothing from any journey, by the deployment's own salt. Another salt selects other
    /// people.
    Always {
        /// The salt.
        salt: &'a str,
    },
    /// The people who receive nothing from one journey.
    Journey {
        /// The journey's id.
        id: &'a str,
    },
}

/// Returns the variant (an index of `variants`) of `person` in `experiment`, always the same; `None` if no variant has
/// weight.
pub fn assign(experiment: &str, person: PersonId, variants: &[Variant<'_>]) -> Option<usize> {
    let drawn = variants.iter().enumerate().filter(|(_, variant)| variant.weight.parts() > 0).map(|(at, variant)| {
        let parts: [&[u8]; 4] = [b"experiment", experiment.as_bytes(), variant.id.as_bytes(), person.as_bytes()];
        (at, variant, cost(hash64(&parts)))
    });
    // cost / weight, compared without dividing; equal costs are ordered by name, so that the order in the file does not
    // matter.
    let cheapest = drawn.min_by(|(_, a, cost_a), (_, b, cost_b)| {
        let (left, right) = (cost_a * u64::from(b.weight.parts()), cost_b * u64::from(a.weight.parts()));
        left.cmp(&right).then_with(|| a.id.cmp(b.id))
    });
    cheapest.map(|(at, ..)| at)
}

/// Returns whether `person` is in the `share` of all people that is held out. A person who is held out at a share is
/// held out at every larger one.
pub fn held_out(holdout: Holdout<'_>, person: PersonId, share: Share) -> bool {
    let draw = match holdout {
        Holdout::Always { salt } => hash64(&[b"holdout-always", salt.as_bytes(), person.as_bytes()]),
        Holdout::Journey { id } => hash64(&[b"holdout-journey", id.as_bytes(), person.as_bytes()]),
    };
    let part = (u128::from(draw) * u128::from(WHOLE)) >> 64;
    part < u128::from(share.parts())
}

/// `-log2((draw + 1) / 2^64)`, with [`FRACTION`] binary digits after the point: 0 to 64 * 2^40.
fn cost(draw: u64) -> u64 {
    let Some(number) = draw.checked_add(1) else { return 0 };
    let whole = u64::from(number.ilog2());
    let mut mantissa = u128::from(number) << number.leading_zeros();
    let mut fraction = 0;
    for _ in 0..FRACTION {
        // The square of a number with logarithm f has logarithm 2 f: its whole part is the next digit of f.
        mantissa = (mantissa * mantissa) >> 63;
        let digit = (mantissa >> 64) as u64;
        mantissa >>= digit;
        fraction = (fraction << 1) | digit;
    }
    (64 << FRACTION) - ((whole << FRACTION) | fraction)
}

#[cfg(test)]
#[path = "assign_tests.rs"]
mod tests;
