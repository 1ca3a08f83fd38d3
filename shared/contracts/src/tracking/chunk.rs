//! Text looked at eight bytes at a time.

/// The result of examining eight bytes of text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk {
    /// The number of bytes before the first quote, backslash or control character; 8 if there is none.
    pub(crate) plain: usize,
    /// `true` if all eight are ASCII.
    pub(crate) ascii: bool,
}

impl Chunk {
    /// Examines all eight bytes as one word: <https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord>. Only
    /// a byte that is found borrows from the next, so that the lowest found is exact.
    pub(crate) const fn of(bytes: [u8; 8]) -> Self {
        const ONES: u64 = u64::MAX / 255;
        const HIGH: u64 = ONES << 7;
        let word = u64::from_le_bytes(bytes);
        let quotes = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
        let backslashes = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
        let controls = word.wrapping_sub(ONES * 0x20);
        let found = (quotes | backslashes | controls) & !word & HIGH;
        Self { plain: found.trailing_zeros() as usize / 8, ascii: word & HIGH == 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_word_says_what_its_bytes_say(bytes: [u8; 8]) {
            let plain = bytes.iter().take_while(|byte| **byte >= 0x20 && **byte != b'"' && **byte != b'\\').count();
            let chunk = Chunk::of(bytes);
            prop_assert_eq!((chunk.plain, chunk.ascii), (plain, bytes.is_ascii()));
        }
    }
}
