//! A small random generator whose numbers are the same on every machine and in every version: the sample company must
//! not change because a library did.

/// SplitMix64 (Steele, Lea and Flood: *Fast Splittable Pseudorandom Number Generators*, OOPSLA 2014).
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a separate generator for `tag`: the draws of one person do not shift those of another.
    pub(super) fn fork(&self, tag: u64) -> Self {
        let mut own = Self(self.0 ^ tag.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        own.next();
        own
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number from `low` to `high`, both included; `low` where `high` is not above it.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = (high - low + 1) as u64;
        low + (self.next() % span) as i64
    }

    /// True in `percent` of 100 draws.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    /// Returns one of `all`.
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, all: [T; N]) -> T {
        const { assert!(N > 0) };
        all[self.next() as usize % N]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_the_published_ones() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(
            [rng.next(), rng.next(), rng.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn numbers_stay_between_their_bounds() {
        let mut rng = Rng::new(1);
        assert!((0..1000).map(|_| rng.between(-3, 3)).all(|n| (-3..=3).contains(&n)));
        assert_eq!(rng.between(5, 5), 5);
    }
}
