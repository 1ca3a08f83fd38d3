//! Which language a text is in.

use super::english;
use super::language::Language;
use super::lexicon::{self, tokens};
use super::others;

/// The languages in Latin script; with equal evidence the first counts.
const LATIN: [Language; 11] = [
    Language::English,
    Language::Spanish,
    Language::Portuguese,
    Language::French,
    Language::German,
    Language::Italian,
    Language::Dutch,
    Language::Croatian,
    Language::Polish,
    Language::Turkish,
    Language::Indonesian,
];
/// The share of a text's words that has to be known in the detected language, for texts of more than a few words.
const KNOWN: f64 = 0.2;
/// Up to this number of words one known word is enough.
const FEW: usize = 4;

/// Returns the language of a text; `None` if it is not supported.
pub fn language(text: &str) -> Option<Language> {
    match script(text)? {
        Script::Latin => latin(text),
        Script::Han => Some(Language::Chinese),
        Script::Kana => Some(Language::Japanese),
        Script::Hangul => Some(Language::Korean),
        // The letters of Ukrainian, Belarusian, Serbian and Macedonian.
        Script::Cyrillic => known(text, Language::Russian, "іїєґўјљњћђџѓќѕ"),
        // The letters of Persian and Urdu.
        Script::Arabic => known(text, Language::Arabic, "پچژگکیےٹڈڑں"),
        Script::Devanagari => known(text, Language::Hindi, "ळ"),
        Script::None => (english::score(text) != 0.0).then_some(Language::English),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Han,
    Kana,
    Hangul,
    Cyrillic,
    Arabic,
    Devanagari,
    /// No letters at all.
    None,
}

/// The script of most letters; `None` where that is another than the known ones.
fn script(text: &str) -> Option<Script> {
    let mut counts = [0_usize; 7];
    let mut others = 0;
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
            '\u{3040}'..='\u{30ff}' => Script::Kana,
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Script::Han,
            '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' => Script::Hangul,
            '\u{400}'..='\u{52f}' => Script::Cyrillic,
            '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => Script::Arabic,
            '\u{900}'..='\u{97f}' => Script::Devanagari,
            _ => {
                others += 1;
                continue;
            }
        };
        // A syllable of these is equivalent to two or three letters.
        counts[script as usize] += if matches!(script, Script::Han | Script::Kana | Script::Hangul) { 3 } else { 1 };
    }
    let [latin, han, kana, hangul, cyrillic, arabic, devanagari] = counts;
    let japanese = if kana > 0 { han + kana } else { 0 };
    let all = [
        (latin, Script::Latin),
        (if kana > 0 { 0 } else { han }, Script::Han),
        (japanese, Script::Kana),
        (hangul, Script::Hangul),
        (cyrillic, Script::Cyrillic),
        (arabic, Script::Arabic),
        (devanagari, Script::Devanagari),
    ];
    let (most, script) = all.into_iter().max_by_key(|(count, _)| *count)?;
    match most {
        0 if others == 0 => Some(Script::None),
        most if most > others => Some(script),
        _ => None,
    }
}

/// Returns `language` if a word of it is present, no letter of its neighbours, and no more words of them.
fn known(text: &str, language: Language, foreign: &str) -> Option<Language> {
    let tokens = tokens(text);
    let evidence = lexicon::of(language).evidence(&tokens);
    (evidence > 0.0
        && evidence >= others::evidence(&tokens, 0.0)
        && !text.to_lowercase().contains(|c| foreign.contains(c)))
    .then_some(language)
}

/// The language of a text in Latin letters: that of which most of its words are known.
fn latin(text: &str) -> Option<Language> {
    let tokens = tokens(text);
    let mut best = (0.0, Language::English);
    for language in LATIN {
        let evidence = lexicon::of(language).evidence(&tokens);
        if evidence > best.0 {
            best = (evidence, language);
        }
    }
    let (evidence, language) = best;
    let indonesian = if language == Language::Indonesian { evidence } else { 0.0 };
    let is_foreign = others::evidence(&tokens, indonesian) > evidence
        || (language != Language::English && text.contains(is_of_another));
    let is_known = evidence > 0.0 && (tokens.len() <= FEW || evidence >= KNOWN * tokens.len() as f64);
    if is_known && !is_foreign {
        return Some(language);
    }
    // A word or two that only VADER knows: "Awesome!"
    (!is_foreign && !is_known && english::score(text) != 0.0).then_some(Language::English)
}

/// Returns whether `c` is a letter of an unsupported language in Latin script: Czech, Slovak, Romanian, Hungarian,
/// Danish, Norwegian, Swedish, the Baltic ones, Icelandic, Vietnamese, Azerbaijani.
fn is_of_another(c: char) -> bool {
    matches!(
        c,
        'ě' | 'ř'
            | 'ů'
            | 'ť'
            | 'ď'
            | 'ň'
            | 'ľ'
            | 'ĺ'
            | 'ŕ'
            | 'ă'
            | 'ș'
            | 'ț'
            | 'ţ'
            | 'ő'
            | 'ű'
            | 'å'
            | 'ø'
            | 'æ'
            | 'ė'
            | 'į'
            | 'ų'
            | 'ū'
            | 'ā'
            | 'ē'
            | 'ī'
            | 'ņ'
            | 'ķ'
            | 'ģ'
            | 'ð'
            | 'ə'
            | 'þ'
            | 'ơ'
            | 'ư'
            | '\u{1ea0}'..='\u{1ef9}'
    )
}
