//! Splits a full name, as far as that is safe.

use crate::traits::find;
use serde_json::{Map, Value};

/// Titles before a name that are not part of it, in lower case and without their full stop.
const HONORIFICS: [&str; 30] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "sir",
    "madam",
    "herr",
    "frau",
    "m",
    "mme",
    "mlle",
    "sr",
    "sra",
    "srta",
    "sig",
    "dhr",
    "mevr",
    "professor",
    "h.c",
    "dipl.-ing",
    "dipl",
    "ing",
    "mag",
    "dott",
    "drs",
    "rev",
    "lic",
];

/// Degrees, generations and forms of companies behind a name and a comma that are not a given name, in lower case and without
/// full stops and hyphens.
const BEHIND: [&str; 46] = [
    "phd", "md", "mba", "jr", "sr", "ii", "iii", "iv", "esq", "cpa", "cfa", "cfp", "rn", "dds", "dvm", "jd", "llm",
    "llb", "msc", "bsc", "ma", "ba", "bs", "ms", "meng", "beng", "pe", "pmp", "cissp", "dipling", "ing", "inc", "ltd",
    "llc", "llp", "gmbh", "ag", "corp", "sarl", "bv", "plc", "kg", "oy", "ab", "srl", "pty",
];

/// Returns the given and the family name of a whole name, `None` for a part that cannot be told.
///
/// `Byron, Ada` and `Ada Byron` are the same; titles in front are left out. A single word is a given name, unless a title says otherwise. A name in
/// Chinese, Japanese or Korean script stays whole: which part comes first cannot be told. An address or a link is no name.
///
/// ```
/// use perennial_domain::full_name::split;
///
/// assert_eq!(split("Dr. Ada Byron"), (Some("Ada"), Some("Byron".to_owned())));
/// assert_eq!(split("Byron, Ada"), (Some("Ada"), Some("Byron".to_owned())));
/// ```
pub fn split(name: &str) -> (Option<&str>, Option<String>) {
    let name = name.trim();
    if name.is_empty() || name.contains(['@', '/', '\\', '<', '>']) {
        return (None, None);
    }
    if name.chars().any(is_east_asian) {
        return (Some(name), None);
    }
    // Two people, of whom nobody can be greeted by one name.
    if name.contains(['&', '+']) {
        return (None, None);
    }
    let name = without_what_is_behind(name);
    if let Some((family, given)) = name.split_once(',') {
        let family = family.trim();
        let given = without_honorific(given).0.first().copied();
        return (given, (!family.is_empty()).then(|| family.to_owned()));
    }
    match without_honorific(name) {
        (words, true) if words.len() == 1 => (None, words.first().map(|word| (*word).to_owned())),
        (words, _) => {
            let family = words.get(1..).filter(|rest| !rest.is_empty()).map(|rest| rest.join(" "));
            (words.first().copied(), family)
        }
    }
}

/// Returns the full name from an object's members: `formatted` or `name`, else the given name and the family name, in
/// any spelling.
pub fn of_parts(parts: &Map<String, Value>) -> Option<String> {
    let text = |names: &[&str]| {
        names.iter().filter_map(|name| find(parts, name)?.as_str()).map(str::trim).find(|text| !text.is_empty())
    };
    if let Some(whole) = text(&["formatted", "name"]) {
        return Some(whole.to_owned());
    }
    let parts: Vec<&str> =
        [text(&["first_name", "first"]), text(&["last_name", "last"])].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Returns `name` without the degrees and the like behind its commas: `John Smith, PhD` and `Smith, John, Jr.`.
fn without_what_is_behind(name: &str) -> &str {
    let mut rest = name.trim_end();
    while let Some((before, last)) = rest.rsplit_once(',') {
        let mut words = last.split_whitespace();
        let letters = |word: &str| word.chars().filter(|c| !matches!(c, '.' | '-')).collect::<String>();
        // `Jane Doe, FRCPC`, but not `Tolkien, JRR` or `DOE, JANE`.
        let is_short = |word: &str| (2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let has_whole_name = before.split_whitespace().count() > 1 && before.contains(char::is_lowercase);
        let is_behind = |word: &str| {
            let word = letters(word);
            BEHIND.contains(&word.to_lowercase().as_str()) || (has_whole_name && is_short(&word))
        };
        let is_company = has_whole_name
            && words.clone().last().is_some_and(|word| BEHIND.contains(&letters(word).to_lowercase().as_str()));
        if last.trim().is_empty() || (!is_company && !words.all(is_behind)) {
            break;
        }
        rest = before.trim_end();
    }
    rest
}

/// The words after titles, and whether there were any.
fn without_honorific(name: &str) -> (Vec<&str>, bool) {
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_honorific = |word: &&str| {
        let word = word.trim_end_matches('.').to_lowercase();
        HONORIFICS.contains(&word.as_str())
    };
    // A single word is never left out.
    let titles = words.iter().take_while(|word| is_honorific(word)).count().min(words.len().saturating_sub(1));
    (words.get(titles..).unwrap_or_default().to_vec(), titles > 0)
}

fn is_east_asian(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_gives_its_parts_only_where_they_can_be_told() {
        let cases: [(&str, Option<&str>, Option<&str>); 33] = [
            ("Ada Byron", Some("Ada"), Some("Byron")),
            ("  Ada   King  Byron ", Some("Ada"), Some("King Byron")),
            ("Ada", Some("Ada"), None),
            ("Byron, Ada", Some("Ada"), Some("Byron")),
            ("Byron, Dr. Ada Augusta", Some("Ada"), Some("Byron")),
            ("Prof. Dr. Ada Byron", Some("Ada"), Some("Byron")),
            ("Mr. Smith", None, Some("Smith")),
            ("M", Some("M"), None),
            ("王小明", Some("王小明"), None),
            ("山田 太郎", Some("山田 太郎"), None),
            ("ada@example.com", None, None),
            ("https://ada.example", None, None),
            (" ", None, None),
            ("John Smith, PhD", Some("John"), Some("Smith")),
            ("Jane Doe, MBA", Some("Jane"), Some("Doe")),
            ("Sammy Davis, Jr.", Some("Sammy"), Some("Davis")),
            ("Mary Major, M.D.", Some("Mary"), Some("Major")),
            ("Tom Jones, III", Some("Tom"), Some("Jones")),
            ("Max Muster, Dipl.-Ing.", Some("Max"), Some("Muster")),
            ("Ann Lee, Acme Inc.", Some("Ann"), Some("Lee")),
            ("Li Wei, CFA, CFP", Some("Li"), Some("Wei")),
            ("Jane Doe, FRCPC", Some("Jane"), Some("Doe")),
            ("Smith, John, Jr.", Some("John"), Some("Smith")),
            ("Tolkien, JRR", Some("JRR"), Some("Tolkien")),
            ("Tolkien, J.R.R.", Some("J.R.R."), Some("Tolkien")),
            ("O'NEIL, SHAUN", Some("SHAUN"), Some("O'NEIL")),
            ("van der Berg, Jan", Some("Jan"), Some("van der Berg")),
            ("Smith,", None, Some("Smith")),
            ("Mr. & Mrs. Smith", None, None),
            ("Ada & Bob Byron", None, None),
            ("Prof. Dr. h.c. Hans Huber", Some("Hans"), Some("Huber")),
            ("Dipl.-Ing. Max Muster", Some("Max"), Some("Muster")),
            ("Byron, Ada", Some("Ada"), Some("Byron")),
        ];
        for (name, given, family) in cases {
            assert_eq!(split(name), (given, family.map(str::to_owned)), "{name}");
        }
    }
}
