//! Job titles, matched as what someone is: `Group CFO` and `CFO & Co-Founder` are a chief financial officer's, `Assistant to the CFO` is not.
//!
//! A title is read as words. A pattern such as `cfo` or `chief * officer` is found in it where its words stand in a row, and counts unless
//! the words around it say that it is someone else's (`to the CFO`, `CFO's office`), a helper's (`EA, CFO`), or not held (`former CFO`,
//! `deputy CFO`, `CFO designate`).

/// The most words of a title that are looked at.
const MAX_WORDS: usize = 40;
/// The most words that `*` stands for.
const MAX_GAP: usize = 3;

/// Words that lead from what someone is to whose it is.
const TO: [&str; 17] = [
    "assisting",
    "behalf",
    "into",
    "report",
    "reporting",
    "reports",
    "support",
    "supporting",
    "supports",
    "to",
    "under",
    "zum",
    "zur",
    "al",
    "au",
    "aux",
    "till",
];
/// The same, where what follows may be a field of work too: `Head of Security`.
const OF: [&str; 24] = [
    "by", "d", "da", "dal", "de", "del", "della", "dem", "der", "des", "di", "dla", "do", "du", "for", "from", "für",
    "of", "para", "por", "van", "via", "von", "with",
];
/// Helpers: a title beside one of them is that of whom they help.
const HELPERS: [&str; 15] = [
    "aide",
    "asistente",
    "assistant",
    "assistante",
    "assistent",
    "assistente",
    "assistentin",
    "assistenz",
    "asst",
    "ea",
    "pa",
    "sekretariat",
    "sekretärin",
    "shadow",
    "adjoint",
];
/// Words before a title by which it is a lesser one, or none.
const LESSER: [&str; 15] = [
    "associate",
    "deputy",
    "junior",
    "jr",
    "non",
    "not",
    "secretary",
    "stellvertretende",
    "stellvertretender",
    "stv",
    "sub",
    "trainee",
    "vice",
    "vize",
    "zástupce",
];
/// Words before a title that is not held now.
const PAST: [&str; 13] = [
    "aspiring",
    "emeritus",
    "ex",
    "former",
    "formerly",
    "future",
    "incoming",
    "past",
    "previous",
    "previously",
    "prior",
    "retired",
    "wannabe",
];
/// Words that a title may stand behind, or together with.
const BESIDE: [&str; 44] = [
    "a",
    "acting",
    "an",
    "and",
    "ceo",
    "cfo",
    "chairman",
    "chairwoman",
    "chro",
    "cio",
    "ciso",
    "cmo",
    "co",
    "coo",
    "cpo",
    "cro",
    "cso",
    "cto",
    "current",
    "evp",
    "executive",
    "founder",
    "global",
    "group",
    "her",
    "his",
    "interim",
    "l",
    "la",
    "le",
    "el",
    "my",
    "new",
    "our",
    "owner",
    "partner",
    "president",
    "regional",
    "senior",
    "sr",
    "svp",
    "the",
    "their",
    "vp",
];
/// Words after a title by which it is someone else's, or not held yet.
const AFTER: [&str; 21] = [
    "aide",
    "assistant",
    "asst",
    "assistenz",
    "büro",
    "candidate",
    "delegate",
    "designate",
    "ea",
    "elect",
    "emeritus",
    "intern",
    "internship",
    "liaison",
    "office",
    "pa",
    "secretariat",
    "secretary",
    "staff",
    "trainee",
    "associate",
];
/// Words after a chief officer's title by which it is a field of work. After others they name what someone is in charge of: `VP Support`.
const AFTER_CHIEF: [&str; 26] = [
    "advisor",
    "adviser",
    "advisory",
    "analyst",
    "coach",
    "coaching",
    "community",
    "consultant",
    "consulting",
    "coordinator",
    "network",
    "organisation",
    "organization",
    "practice",
    "program",
    "programme",
    "recruiter",
    "recruiting",
    "recruitment",
    "search",
    "service",
    "services",
    "specialist",
    "suite",
    "support",
    "team",
];

/// A job title, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `and`, `&`, `/`: what stands on both sides belongs together.
    Join,
    /// A comma, a bar, a bracket: something new begins.
    Break,
}

/// Words that are looked for in a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    words: Vec<Wanted>,
    /// Whether it is a chief officer's.
    is_chief: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Word(String),
    Prefix(String),
    /// One to [`MAX_GAP`] words.
    Gap,
}

/// What a pattern names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What someone is: `cfo`.
    Position,
    /// A field of work: `security`, held by its head as well as by those who work in it.
    Field,
}

/// Words of a company's own that mean that a title is someone else's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherWords {
    /// Before the title, in lower case.
    pub before: Vec<String>,
    /// After it, in lower case.
    pub after: Vec<String>,
}

impl Title {
    /// Reads a title; any text is one.
    pub fn parse(text: &str) -> Self {
        let text = text.to_lowercase().replace(['’', '‘', '`', '´'], "'");
        let mut tokens = Vec::new();
        for piece in text.split_whitespace() {
            if matches!(piece, "-" | "–" | "—") {
                tokens.push(Token::Break);
                continue;
            }
            push(piece, &mut tokens);
            if tokens.len() > MAX_WORDS {
                break;
            }
        }
        Self(tokens)
    }

    /// Returns whether the title says that someone is what the pattern names.
    pub fn holds(&self, pattern: &Pattern, kind: Kind, others: &OtherWords) -> bool {
        (0..self.0.len()).any(|start| {
            pattern
                .end_at(&self.0, start)
                .is_some_and(|end| self.is_own_before(start, kind, others) && self.is_own_after(end, pattern, others))
        })
    }

    /// Whether nothing before `start` says that what stands there is someone else's, or not held.
    fn is_own_before(&self, start: usize, kind: Kind, others: &OtherWords) -> bool {
        // How far back it is to what is looked at: over words that change nothing, over a join, or over a break.
        let (mut joined, mut broken) = (false, false);
        for at in (0..start).rev() {
            let word = match &self.0[at] {
                Token::Join => {
                    joined = true;
                    continue;
                }
                Token::Break => {
                    broken = true;
                    let before = at.checked_sub(1).and_then(|at| self.0.get(at));
                    let goes_on = |word: &String| HELPERS.contains(&word.as_str()) || is_chief(word);
                    match before {
                        Some(Token::Word(word)) if kind == Kind::Position && goes_on(word) => continue,
                        _ => return true,
                    }
                }
                Token::Word(word) => word.as_str(),
            };
            if others.before.iter().any(|other| other == word) || TO.contains(&word) {
                return false;
            }
            if PAST.contains(&word) {
                return broken;
            }
            if kind == Kind::Field {
                continue;
            }
            if OF.contains(&word) || HELPERS.contains(&word) {
                return false;
            }
            if LESSER.contains(&word) {
                return joined || broken;
            }
            if !BESIDE.contains(&word) {
                return true;
            }
            joined |= is_chief(word);
        }
        true
    }

    /// Whether nothing from `end` on says that what stands before it is someone else's.
    fn is_own_after(&self, end: usize, pattern: &Pattern, others: &OtherWords) -> bool {
        for token in self.0.iter().skip(end) {
            match token {
                Token::Break => return true,
                Token::Join => {}
                Token::Word(word) => {
                    let word = word.as_str();
                    if AFTER.contains(&word) || others.after.iter().any(|other| other == word) {
                        return false;
                    }
                    if pattern.is_chief && AFTER_CHIEF.contains(&word) {
                        return false;
                    }
                    if !(is_chief(word) || matches!(word, "executive" | "personal" | "senior" | "sr" | "jr" | "junior"))
                    {
                        return true;
                    }
                }
            }
        }
        true
    }
}

/// Whether the word is the short form of a chief officer's title: `cfo`, `ciso`.
fn is_chief(word: &str) -> bool {
    (3..=4).contains(&word.len()) && word.starts_with('c') && word.ends_with('o')
}

/// Adds the tokens of a piece without white space: `co-founder`, `cfo/coo`, `c.f.o.`, `cfo,`.
fn push(piece: &str, tokens: &mut Vec<Token>) {
    // `C.F.O.` is one word.
    let spelled = piece.trim_end_matches([',', ';', ')']);
    let letters: Vec<&str> = spelled.split('.').filter(|part| !part.is_empty()).collect();
    let is_spelled = letters.len() > 1 && letters.iter().all(|part| part.chars().count() == 1);
    let text = if is_spelled { piece.replace('.', "") } else { piece.to_owned() };
    let mut word = String::new();
    let flush = |word: &mut String, tokens: &mut Vec<Token>| {
        if !word.is_empty() {
            let word = std::mem::take(word);
            tokens.push(if matches!(word.as_str(), "and" | "und" | "et" | "e" | "y" | "og" | "och" | "en") {
                Token::Join
            } else {
                Token::Word(word)
            });
        }
    };
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || c == '\'' => word.push(c),
            '&' | '+' | '/' => {
                flush(&mut word, tokens);
                tokens.push(Token::Join);
            }
            ',' | ';' | '|' | '(' | ')' | '[' | ']' | ':' | '•' | '·' | '–' | '—' | '@' => {
                flush(&mut word, tokens);
                tokens.push(Token::Break);
            }
            _ => flush(&mut word, tokens),
        }
    }
    flush(&mut word, tokens);
}

impl Pattern {
    /// Parses a pattern: words in a row, of which one may be `*` for one to three words, or end in `*` for any ending. `None` where it
    /// holds no word.
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let words: Vec<Wanted> = lower
            .split(|c: char| c.is_whitespace() || c == '-')
            .filter(|word| !word.is_empty())
            .map(|word| match word.strip_suffix('*') {
                Some("") => Wanted::Gap,
                Some(prefix) => Wanted::Prefix(prefix.to_owned()),
                None => Wanted::Word(word.replace('.', "")),
            })
            .collect();
        let is_word = |wanted: &Wanted| *wanted != Wanted::Gap;
        let bounded = words.first().is_some_and(is_word) && words.last().is_some_and(is_word);
        let is_chief = matches!(words.as_slice(), [Wanted::Word(word)] if is_chief(word)) || lower.ends_with("officer");
        bounded.then_some(Self { words, is_chief })
    }

    /// Where a match that begins at `start` ends.
    fn end_at(&self, tokens: &[Token], start: usize) -> Option<usize> {
        fn find(wanted: &[Wanted], tokens: &[Token], at: usize) -> Option<usize> {
            let Some((first, rest)) = wanted.split_first() else { return Some(at) };
            if *first == Wanted::Gap {
                let words = tokens
                    .get(at..)?
                    .iter()
                    .take_while(|token| matches!(token, Token::Word(_)) || **token == Token::Join);
                let most = words.take(MAX_GAP).count();
                return (1..=most).find_map(|gap| find(rest, tokens, at + gap));
            }
            let Some(Token::Word(word)) = tokens.get(at) else { return None };
            let fits = match first {
                Wanted::Word(wanted) => wanted == word,
                Wanted::Prefix(prefix) => word.starts_with(prefix.as_str()) && !word.contains('\''),
                Wanted::Gap => false,
            };
            if fits { find(rest, tokens, at + 1) } else { None }
        }
        find(&self.words, tokens, start)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn is(title: &str, patterns: &[&str]) -> bool {
        let title = Title::parse(title);
        patterns
            .iter()
            .any(|pattern| title.holds(&Pattern::parse(pattern).unwrap(), Kind::Position, &OtherWords::default()))
    }

    const CFO: [&str; 4] = ["cfo", "chief financial officer", "finance director", "head of finance"];

    #[test]
    fn who_is_a_cfo_in_any_wording_is_one() {
        for title in [
            "CFO",
            "cfo",
            "C.F.O.",
            "Chief Financial Officer",
            "Chief Financial Officer (CFO)",
            "Group CFO",
            "Global CFO",
            "Interim CFO",
            "Acting CFO",
            "Fractional CFO",
            "CFO & Co-Founder",
            "Co-Founder & CFO",
            "Co-founder/CFO",
            "CFO, EMEA",
            "CFO EMEA",
            "CFO - North America",
            "CFO (interim)",
            "CFO at Acme",
            "CFO @ Acme",
            "CFO/COO",
            "COO and CFO",
            "CEO, CFO",
            "VP Finance & CFO",
            "VP of Finance, CFO",
            "Company Secretary & CFO",
            "Company Secretary, CFO",
            "Deputy CEO & CFO",
            "Former CTO, now CFO",
            "CFO | Advisor",
            "CFO | Board Member",
            "EVP, CFO",
            "SVP and Chief Financial Officer",
            "Director, Head of Finance",
            "Finance Director",
            "Group Finance Director",
            "Head of Finance (reports to CFO)",
            "Partner and CFO",
            "Senior Vice President, Chief Financial Officer",
            "Founder, CFO",
            "The CFO",
            "Chief-Financial-Officer",
            "CFO of Acme",
            "CFO to the board",
            "  CFO\t",
            "CFO – Europe",
            "Former CEO, CFO at Acme",
        ] {
            assert!(is(title, &CFO), "{title}");
        }
    }

    #[test]
    fn who_helps_a_cfo_or_was_one_is_none() {
        for title in [
            "Assistant to the CFO",
            "Executive Assistant to the CFO",
            "Executive Assistant to CFO & COO",
            "EA to CFO",
            "EA to the CEO, COO and CFO",
            "EA to CEO/CFO",
            "PA to the Group CFO",
            "EA CFO",
            "EA, CFO",
            "EA - CFO",
            "EA/CFO",
            "Executive Assistant, CFO",
            "Executive Assistant (CFO)",
            "Office of the CFO",
            "Manager, Office of the CFO",
            "Head of CFO Office",
            "CFO Office",
            "CFO's assistant",
            "CFO’s Office",
            "CFO Assistant",
            "CFO Executive Assistant",
            "Chief of Staff to the CFO",
            "Chief of Staff, Office of the Chief Financial Officer",
            "reports to CFO",
            "Controller reporting to the CFO",
            "Controller, reports to CFO",
            "Analyst supporting the CFO",
            "Assistant CFO",
            "Deputy CFO",
            "Vice CFO",
            "Associate CFO",
            "Former CFO",
            "Ex-CFO",
            "ex CFO",
            "Retired CFO",
            "Former CFO and COO",
            "Aspiring CFO",
            "Future CFO",
            "CFO Designate",
            "CFO-elect",
            "CFO Services",
            "Partner, CFO Services",
            "CFO Advisor",
            "CFO Advisory",
            "CFO Coach",
            "CFO recruiter",
            "CFO/COO Office",
            "Secretary to the CFO",
            "Assistentin des CFO",
            "Assistante du CFO",
            "Asistente del CFO",
            "Assistenz CFO",
            "Advisor to CFOs",
            "Not a CFO",
            "On behalf of the CFO",
            "Assistant to the Chief Financial Officer",
            "Assistant to the Head of Finance",
            "Assistant Finance Director",
            "Controller",
            "",
            "CFOX",
            "Financial Officer",
        ] {
            assert!(!is(title, &CFO), "{title}");
        }
    }

    #[test]
    fn other_titles_follow_the_same_rule() {
        let leads = ["chief * officer", "ceo", "vp", "vice president", "founder", "managing director"];
        for title in [
            "Chief Revenue Officer",
            "Chief People and Culture Officer",
            "VP Support",
            "VP, Customer Support",
            "Vice President of Sales",
            "Vice-President",
            "Co-Founder",
            "Managing Director DACH",
            "VP Services",
        ] {
            assert!(is(title, &leads), "{title}");
        }
        for title in [
            "Founder's Associate",
            "Founders' Office",
            "EA to VP",
            "Assistant Vice President",
            "Chief Architect",
            "VP's assistant",
            "Assistant to the Managing Director",
            "Deputy Managing Director",
            "Chief of Staff",
        ] {
            assert!(!is(title, &leads), "{title}");
        }
        assert!(
            !is("Vice President", &["president"])
                && is("President", &["president"])
                && is("President & CEO", &["president"])
        );
    }

    #[test]
    fn fields_of_work_are_held_by_all_who_work_in_them() {
        let field = |title: &str, patterns: &[&str]| {
            let title = Title::parse(title);
            patterns
                .iter()
                .any(|pattern| title.holds(&Pattern::parse(pattern).unwrap(), Kind::Field, &OtherWords::default()))
        };
        for title in [
            "Head of Procurement",
            "Procurement Manager",
            "VP of Purchasing",
            "Senior Buyer",
            "Director, Strategic Procurement",
        ] {
            assert!(field(title, &["procure*", "purchas*", "buyer"]), "{title}");
        }
        for title in ["Assistant to the Head of Procurement", "Former Head of Purchasing", "Sales"] {
            assert!(!field(title, &["procure*", "purchas*", "buyer"]), "{title}");
        }
        assert!(
            field("Head of IT", &["it"]) && !field("Recruiter", &["it"]) && !field("EA to the Head of IT", &["it"])
        );
    }

    #[test]
    fn words_of_ones_own_are_known_and_patterns_hold_words() {
        let others = OtherWords { before: vec!["understudy".to_owned()], after: vec!["guild".to_owned()] };
        let cfo = Pattern::parse("cfo").unwrap();
        for title in ["Understudy CFO", "CFO Guild"] {
            assert!(!Title::parse(title).holds(&cfo, Kind::Position, &others), "{title}");
            assert!(Title::parse(title).holds(&cfo, Kind::Position, &OtherWords::default()), "{title}");
        }
        for text in ["", " ", "*", "* officer", "chief *"] {
            assert_eq!(Pattern::parse(text), None, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_title(text in ".{0,80}", pattern in ".{0,20}") {
            if let Some(pattern) = Pattern::parse(&pattern) {
                Title::parse(&text).holds(&pattern, Kind::Position, &OtherWords::default());
            }
        }
    }
}
