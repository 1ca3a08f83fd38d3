//! On which days and in which months someone was active, as bitmaps that end at the newest one.

use serde::{Deserialize, Serialize};

macro_rules! bitmap {
    ($(#[$doc:meta])* $name:ident, $bits:ty, $unit:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name {
            newest: i32,
            bits: $bits,
        }

        impl $name {
            #[doc = concat!("How many ", $unit, "s back from the newest it reaches.")]
            pub const LENGTH: u32 = <$bits>::BITS;

            #[doc = concat!("Marks a ", $unit, "; what is older than the bitmap reaches is left out, whenever it comes.")]
            pub fn mark(&mut self, at: i32) {
                self.merge(&Self { newest: at, bits: 1 });
            }

            /// The union of both, as far back as the bitmap reaches.
            pub fn merge(&mut self, other: &Self) {
                if other.bits == 0 {
                    return;
                }
                if self.bits == 0 {
                    *self = *other;
                    return;
                }
                let newest = self.newest.max(other.newest);
                let bits = self.seen_from(newest) | other.seen_from(newest);
                *self = Self { newest, bits };
            }

            /// The bits as they stand when `newest`, which is not older, is the last one.
            fn seen_from(&self, newest: i32) -> $bits {
                self.bits.checked_shl(newest.abs_diff(self.newest)).unwrap_or(0)
            }

            #[doc = concat!("How many of the `length` ", $unit, "s that end with `last` are marked.")]
            pub fn active(&self, last: i32, length: u32) -> u32 {
                let bits = if last >= self.newest {
                    self.seen_from(last)
                } else {
                    self.bits.checked_shr(self.newest.abs_diff(last)).unwrap_or(0)
                };
                let mask = if length >= Self::LENGTH { <$bits>::MAX } else { ((1 as $bits) << length) - 1 };
                (bits & mask).count_ones()
            }
        }
    };
}

bitmap!(
    /// Active days, since 1970-01-01.
    Days, u128, "day"
);
bitmap!(
    /// Active months, since January 1970.
    Months, u64, "month"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_within_their_window_in_any_order() {
        let (mut a, mut b) = (Days::default(), Days::default());
        for day in [100, 90, 101, 400, 399, 273, 272] {
            a.mark(day);
        }
        for day in [272, 399, 101, 400, 273, 90, 100] {
            b.mark(day);
        }
        assert_eq!(a, b);
        assert_eq!(a.active(400, 28), 2);
        assert_eq!(a.active(400, 128), 3, "day 273 is the last that 128 days reach");
        assert_eq!(a.active(399, 1), 1);
        assert_eq!(a.active(500, 28), 0);
    }
}
