//! Values that must not be printed, and ids that need not be printed whole.

use std::fmt;

/// Wraps a value whose `Debug` and `Display` show `[redacted]`: keys, secrets, addresses, bodies. [`Redacted::expose`]
/// is the only access, so that a search for it finds every place where the value leaves its wrapper.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    /// Wraps `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Do not log it.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> From<T> for Redacted<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Shows the first eight characters of an id and an ellipsis: enough to find an item's lines in a log, too little to use as a key. Ids of up to
/// eight characters are hidden altogether.
#[derive(Debug, Clone, Copy)]
pub struct Short<'a>(&'a str);

/// Shortens `id` for a log line.
#[must_use]
pub const fn short(id: &str) -> Short<'_> {
    Short(id)
}

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        match self.0.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None => f.write_str("…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_value_never_prints_itself() {
        let secret = Redacted::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[redacted] [redacted] Some([redacted])");
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(secret.into_exposed(), "hunter2");
    }

    #[test]
    fn a_shortened_id_keeps_eight_characters_and_never_all_of_it() {
        assert_eq!(short("abcdefghijkl").to_string(), "abcdefgh…");
        assert_eq!(short("äöüäöüäöüäöü").to_string(), "äöüäöüäö…");
        assert_eq!(short("abcdefgh").to_string(), "…");
        assert_eq!(short("").to_string(), "…");
    }
}
