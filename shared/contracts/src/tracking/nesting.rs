//! The open objects and arrays around a place in JSON, in one bit a level.

/// Which objects (1) and arrays (0) are open, the innermost in the lowest bit; any number of them.
#[derive(Debug, Default)]
pub(crate) struct Open {
    bits: u64,
    depth: usize,
    outer: Vec<u64>,
}

impl Open {
    /// Opens a level and returns the depth.
    pub(crate) fn push(&mut self, object: bool) -> usize {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
        self.depth
    }

    pub(crate) fn pop(&mut self) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.bits = self.outer.pop().unwrap_or_default();
        }
    }

    pub(crate) const fn innermost(&self) -> Option<bool> {
        if self.depth == 0 { None } else { Some(self.bits & 1 == 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_remembered_beyond_a_word() {
        let mut open = Open::default();
        let is_object = |level: usize| level.is_multiple_of(3);
        for level in 0..1_000 {
            assert_eq!(open.push(is_object(level)), level + 1);
        }
        for level in (0..1_000).rev() {
            assert_eq!(open.innermost(), Some(is_object(level)));
            open.pop();
        }
        assert_eq!(open.innermost(), None);
    }
}
