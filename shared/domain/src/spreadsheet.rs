//! Texts in tables that people open in a spreadsheet, which takes some of them for formulas and runs them.
//!
//! Source: OWASP, "CSV Injection", <https://owasp.org/www-community/attacks/CSV_Injection>.

use std::borrow::Cow;

/// Characters that begin a formula, and the full-width ones that some spreadsheets read as the same.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// Returns a text that no spreadsheet takes for a formula, also not behind spaces or line ends: one that it would take for
/// one has an apostrophe before it.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(FORMULA);
    if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_as_a_formula_gets_an_apostrophe() {
        for text in ["+49 30 1", "-x", "@sum", "\t=1", "\rx", "\nx", "  =1", "\u{ff0b}1", "\u{a0}@x"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["Ada", "ada@example.com", "a=b", "", "'x", "O'Brien - Sons"] {
            assert_eq!(harmless(text), text);
        }
    }
}
