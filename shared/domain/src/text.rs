//! Texts for display.

/// Returns at most `most` characters, the last one an ellipsis if something is left out.
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_ends_with_an_ellipsis_and_characters_stay_whole() {
        assert_eq!([cut("äöü", 3), cut("äöüß", 3), cut("", 3), cut("ab", 1)], ["äöü", "äö…", "", "…"]);
    }
}
