//! Words by which people and accounts are found: case and accents are folded, so that `Zoë`, `zoe` and `ZOE` are one word.

use icu_normalizer::DecomposingNormalizerBorrowed;
use std::collections::BTreeSet;

/// The most words that one name, or several of one profile together, is found by.
pub const MAX_WORDS: usize = 8;
/// The most bytes of a word; the rest of a longer one is not searched.
pub const MAX_WORD_BYTES: usize = 32;
/// The fewest bytes of a word, and of the beginning of one that is searched: three Latin letters, two Cyrillic ones, or one
/// Chinese character.
pub const MIN_WORD_BYTES: usize = 3;
/// The bytes of a text that are looked at.
const MAX_TEXT_BYTES: usize = 512;

/// Returns `text` in lower case, without accents, and with letters such as `ß` and `ø` in basic Latin.
pub fn fold(text: &str) -> String {
    let shown = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize(shown);
    let mut folded = String::with_capacity(plain.len());
    for c in plain.chars().flat_map(char::to_lowercase).filter(|c| !is_mark(*c)) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

/// Returns whether a character is an accent that follows its letter. The marks of Indic scripts are vowels, and stay.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Returns the words of a search in their order, folded, each at most [`MAX_WORD_BYTES`] long, short ones included.
pub fn asked(text: &str) -> Vec<String> {
    let folded = fold(text);
    let words = folded.split(|c: char| !is_of_word(c)).map(|word| cut(&joined(word)).to_owned());
    words.filter(|word| !word.is_empty()).take(MAX_WORDS).collect()
}

/// Returns the first [`MAX_WORDS`] different words of `names`, in alphabetical order: those of at least [`MIN_WORD_BYTES`].
/// `O'Brien` is found as `obrien` and as `brien`.
pub fn words<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for name in names {
        let folded = fold(name);
        for word in folded.split(|c: char| !is_of_word(c)) {
            let whole = joined(word);
            let last = word.rsplit(is_apostrophe).next().unwrap_or_default();
            for found in [whole.as_str(), last].map(cut).into_iter().filter(|found| found.len() >= MIN_WORD_BYTES) {
                if words.len() < MAX_WORDS {
                    words.insert(found.to_owned());
                }
            }
        }
    }
    words
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2bc}')
}

/// Letters, digits, and the vowel signs of scripts that write them as marks.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || is_apostrophe(c) || matches!(c, '\u{93e}'..='\u{94d}' | '\u{e31}'..='\u{e4e}')
}

fn joined(word: &str) -> String {
    word.chars().filter(|c| !is_apostrophe(*c)).collect()
}

fn cut(word: &str) -> &str {
    &word[..word.floor_char_boundary(MAX_WORD_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(name: &str) -> Vec<String> {
        words([name]).into_iter().collect()
    }

    #[test]
    fn case_and_accents_are_folded() {
        for (name, found) in [
            ("Zoë ZELLWEGER", vec!["zellweger", "zoe"]),
            ("Bjørn Łukasz Straße", vec!["bjorn", "lukasz", "strasse"]),
            ("Seán O'Brien", vec!["brien", "obrien", "sean"]),
            ("D\u{2019}Angelo", vec!["angelo", "dangelo"]),
            ("Jean-Luc", vec!["jean", "luc"]),
            ("Ｆｕｌｌ ﬁne", vec!["fine", "full"]),
            ("Ёлкин Юрий", vec!["елкин", "юрии"]),
            ("王伟", vec!["王伟"]),
            ("İstanbul Ltd.", vec!["istanbul", "ltd"]),
            ("Li Wu", vec![]),
            ("#\u{0}\n=cmd|' /C", vec!["cmd"]),
            ("", vec![]),
        ] {
            assert_eq!(of(name), found, "{name}");
        }
    }

    #[test]
    fn words_of_a_search_match_the_words_of_the_name() {
        assert_eq!(asked(" O'Bri  zoë "), ["obri", "zoe"]);
        assert_eq!(asked("#$%"), Vec::<String>::new());
    }

    #[test]
    fn long_names_are_bounded() {
        let long = "a".repeat(10_000);
        assert_eq!(of(&long), ["a".repeat(MAX_WORD_BYTES)]);
        let many: String = (0..500).map(|n| format!("word{n} ")).collect();
        assert_eq!(of(&many).len(), MAX_WORDS);
    }

    proptest! {
        #[test]
        fn every_word_is_found_by_each_of_its_beginnings_however_it_is_written(name in "\\PC{0,40}") {
            for word in words([name.as_str()]) {
                prop_assert!((MIN_WORD_BYTES..=MAX_WORD_BYTES).contains(&word.len()));
                prop_assert!(!word.contains('#'));
                prop_assert_eq!(&fold(&word), &word, "folding is stable");
                prop_assert_eq!(asked(&word), vec![word.clone()]);
            }
        }
    }
}
