//! Random numbers: reproducible ones for the fault layer, unique ids for messages and mails.

use std::sync::atomic::{AtomicU64, Ordering};

use ring::rand::{SecureRandom as _, SystemRandom};

/// SplitMix64 (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, 2014). The same seed produces the
/// same numbers on every machine.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(u64);

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN_GAMMA);
        mix(self.0)
    }

    /// A number in `[0, 1)`, of 53 random bits.
    pub(crate) fn next_unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let bits = (self.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }
}

/// The system gave no random numbers.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the operating system's random numbers are not available")]
pub struct NoRandomness;

/// A source of unique ids: 128 random bits from the system at its creation, combined with a counter. Unique also across
/// restarts. They are names, not secrets.
#[derive(Debug)]
pub(crate) struct Ids {
    keys: [u64; 2],
    next: AtomicU64,
}

impl Ids {
    pub(crate) fn new() -> Result<Self, NoRandomness> {
        let mut bytes = [0_u8; 16];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        let number = u128::from_le_bytes(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
        Ok(Self { keys: [number as u64, (number >> 64) as u64], next: AtomicU64::new(1) })
    }

    /// Sixteen bytes that no other call returns.
    pub(crate) fn bytes(&self) -> [u8; 16] {
        let step = self.next.fetch_add(1, Ordering::Relaxed).wrapping_mul(GOLDEN_GAMMA);
        let mut bytes = [0; 16];
        let halves = self.keys.map(|key| mix(key.wrapping_add(step)).to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(halves.iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = self.bytes();
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_generator_gives_the_published_sequence() {
        // First outputs for seed 1234567, as in the reference implementation (prng.di.unimi.it/splitmix64.c).
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn ids_differ_within_and_between_sources() {
        let (one, two) = (Ids::new().unwrap(), Ids::new().unwrap());
        let all: std::collections::BTreeSet<_> = (0..1000).flat_map(|_| [one.uuid(), two.uuid()]).collect();
        assert_eq!(all.len(), 2000);
        assert!(all.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
    }
}
