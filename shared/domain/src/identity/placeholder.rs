//! Placeholders that programs send instead of an id.
//!
//! The words are those of PostHog's and Mixpanel's documented lists, the text that programming languages, databases and
//! spreadsheets write for "no value", and names of fields and variables that an unfilled template contains. Each is
//! recognized in upper and lower case and in every wrapping: quotes, brackets, escapes of JSON, of URLs and of HTML.

use crate::hygiene::text::trimmed;
use std::borrow::Cow;

/// The longest text that is examined, in bytes; no placeholder is longer.
const MAX_BYTES: usize = 120;
/// The most wrappings that are taken off.
const MAX_WRAPPINGS: usize = 8;

/// Words for no value or nobody, in lower case, without spaces, `_` and `-`.
/// The last one is the id that PostHog's browser SDK sends of everyone who has not allowed cookies.
const WORDS: [&str; 54] = [
    "anonymous",
    "anonymoususer",
    "anonymousvisitor",
    "dbnull",
    "defaultuser",
    "empty",
    "false",
    "guest",
    "guestuser",
    "infinity",
    "invalid",
    "lmy47d",
    "loggedout",
    "missing",
    "na",
    "nan",
    "nil",
    "nobody",
    "none",
    "nonetype",
    "noid",
    "notauthenticated",
    "nothing",
    "notavailable",
    "notapplicable",
    "notdefined",
    "notfound",
    "notloggedin",
    "notprovided",
    "notset",
    "notsignedin",
    "nouser",
    "nouserid",
    "null",
    "nullptr",
    "nullref",
    "nulluser",
    "optional.empty",
    "optional(nil)",
    "signedout",
    "system.dbnull",
    "system.object",
    "true",
    "unauthenticated",
    "undef",
    "undefined",
    "undefineduser",
    "unidentified",
    "unknown",
    "unknownuser",
    "unset",
    "visitor",
    "void",
    "posthogcookieless",
];

/// Names of fields and variables that contain ids, in lower case and without separators.
const FIELDS: [&str; 33] = [
    "accountid",
    "anonid",
    "anonymousid",
    "clientid",
    "companyid",
    "contactid",
    "customerid",
    "deviceid",
    "distinctid",
    "email",
    "emailaddress",
    "externalid",
    "groupid",
    "groupkey",
    "guid",
    "id",
    "identifier",
    "memberid",
    "organizationid",
    "orgid",
    "personid",
    "previousid",
    "profileid",
    "sessionid",
    "tenantid",
    "uid",
    "useremail",
    "userid",
    "userprofileid",
    "username",
    "uuid",
    "visitorid",
    "workspaceid",
];

/// Words that never occur in an id unless it was built from absent values, as in `user_undefined`.
const NEVER_A_PART: [&str; 3] = ["null", "undefined", "nan"];
/// Prefixes of composed ids.
const PREFIXES: [&str; 17] = [
    "account",
    "acct",
    "anon",
    "auth0",
    "client",
    "company",
    "customer",
    "group",
    "id",
    "member",
    "org",
    "profile",
    "tenant",
    "u",
    "user",
    "usr",
    "workspace",
];

/// Returns whether `text` is a placeholder: a word such as `null`, `undefined`, `NaN`, `[object Object]`, `anonymous`
/// or `distinct_id`, -1, only zeros and dashes, an unfilled template, or an object or a database value that contains no
/// more than that, in any case, width and wrapping. As an id it would merge everyone who sends it into one profile.
pub fn is_placeholder(text: &str) -> bool {
    if text.len() > MAX_BYTES {
        return false;
    }
    // Nearly every id of an event, and its message id.
    if is_surely_an_id(text) {
        return false;
    }
    let text = &*narrow(text);
    if is_cast(text) {
        return true;
    }
    if is_surely_an_id(text) {
        return false;
    }
    let bare = unwrapped(text);
    is_template(trimmed(text)) || is_template(&bare) || is_nothing(&bare) || is_hollow(text)
}

/// `text` with the ASCII characters that were written in full width in their usual one.
fn narrow(text: &str) -> Cow<'_, str> {
    const WIDE: std::ops::RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';
    const FURTHER: u32 = 0xfee0;
    if !text.contains(|c| WIDE.contains(&c)) {
        return Cow::Borrowed(text);
    }
    let narrow = |c| if WIDE.contains(&c) { char::from_u32(u32::from(c) - FURTHER).unwrap_or(c) } else { c };
    Cow::Owned(text.chars().map(narrow).collect())
}

/// Returns whether it is a typed null, as PostgreSQL writes it: `NULL::varchar`.
fn is_cast(text: &str) -> bool {
    let Some((value, kind)) = text.split_once("::") else { return false };
    let is_type = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '(' | ')' | '[' | ']' | ',');
    kind.starts_with(|c: char| c.is_ascii_alphabetic()) && kind.chars().all(is_type) && is_placeholder(value)
}

/// Returns whether it is an empty object in the notation of JSON or of a language, or an id constructor with an empty
/// value: `{"id":null}`, `{'$oid': '000000000000000000000000'}`, `ObjectId("")`,
/// `urn:uuid:00000000-0000-0000-0000-000000000000`.
fn is_hollow(text: &str) -> bool {
    const CONSTRUCTORS: [&str; 10] =
        ["objectid", "new objectid", "bson.objectid", "uuid", "guid", "string", "str", "some", "just", "ok"];
    let decoded = decoded(trimmed(text));
    let text = trimmed(decoded.as_deref().unwrap_or(text));
    if let Some(members) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return members.split(',').all(|member| member.split_once(':').is_some_and(|(_, value)| is_placeholder(value)));
    }
    let lower = text.to_ascii_lowercase();
    let called = lower.strip_suffix(')').and_then(|rest| rest.split_once('('));
    called.is_some_and(|(name, given)| CONSTRUCTORS.contains(&name) && is_placeholder(given))
        || lower.strip_prefix("urn:uuid:").is_some_and(is_empty)
}

/// Returns `text` in lower case, without white space, quotes, brackets and escapes around it: the same for all wrappings of one text.
pub fn bare_id(text: &str) -> String {
    if text.len() > MAX_BYTES { text.trim().to_lowercase() } else { unwrapped(text).to_lowercase() }
}

/// Returns whether it is clearly an id: letters, digits and common separators with a digit other than 0, as in numbers
/// and UUIDs, and no typed null.
fn is_surely_an_id(text: &str) -> bool {
    const ALSO: [&str; 4] = ["-1", "-1.0", "-2", "lmy47d"];
    let (mut has_digit, mut before) = (false, 0);
    for byte in text.bytes() {
        let is_typed = byte == b':' && before == b':';
        if is_typed || !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'|')) {
            return false;
        }
        has_digit |= matches!(byte, b'1'..=b'9');
        before = byte;
    }
    has_digit && !ALSO.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Returns whether it is empty, a word for no value, or a field's name.
fn is_nothing(bare: &str) -> bool {
    let lower = bare.to_lowercase();
    is_empty(&lower)
        || WORDS.contains(&lower.as_str())
        || WORDS.contains(&joined(&lower).as_str())
        || FIELDS.contains(&joined(strip_your(&lower)).as_str())
        || is_nothing_of_a_program(&lower)
        || is_made_of_nothing(&lower)
}

/// Returns whether it is empty, only zeros, -1 or -2, or the largest UUID.
fn is_empty(lower: &str) -> bool {
    let digits = lower.strip_prefix("0x").unwrap_or(lower);
    let f_only = || lower.len() >= 32 && lower.bytes().all(|byte| matches!(byte, b'f' | b'-'));
    digits.chars().all(|c| c == '0' || !c.is_alphanumeric())
        || matches!(lower, "-1" | "-1.0" | "-2" | "\u{2212}1" | "0n")
        || f_only()
}

/// Returns whether it is more than a word that a language or spreadsheet writes for no value.
fn is_nothing_of_a_program(lower: &str) -> bool {
    // Of JavaScript, Java, Go's formats, Ruby, Python, Perl, Lua and Dart.
    const BEGINNINGS: [&str; 21] = [
        "object ",
        "[native ",
        "[function",
        "function ",
        "function(",
        "java.lang.object@",
        "[ljava.lang.",
        "promise {",
        "typeerror",
        "referenceerror",
        "symbol(",
        "%!",
        "#<",
        "<class '",
        "hash(0x",
        "array(0x",
        "scalar(0x",
        "code(0x",
        "table: 0x",
        "instance of '",
        "<nsnull",
    ];
    const EXACTLY: [&str; 21] = [
        "n/a",
        "n / a",
        "#n/a",
        "#ref!",
        "#value!",
        "#null!",
        "#name?",
        "\\n",
        "()=>{}",
        "1.#qnan",
        "(direct)",
        "(other)",
        "map[]",
        "nsnull",
        "kotlin.unit",
        "system.guid",
        "system.string[]",
        "just nothing",
        "optional[null]",
        "null!",
        "!null",
    ];
    lower.replace(['+', '_'], " ").contains("[object ")
        || BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning))
        || EXACTLY.contains(&lower)
}

/// Returns whether it is an unfilled template, in the syntax of any common language.
fn is_template(bare: &str) -> bool {
    const BEGINNINGS: [&str; 15] =
        ["{{", "{%", "${", "#{", "%{", "$(", "%(", "%%", "*|", "<%", "<?", "[[", "@{", "##", "@Model."];
    let is_name = |text: &str| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-' | ' ');
        let hexadecimal = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        text.chars().all(plain) && text.starts_with(|c: char| !c.is_numeric() && c != '-') && !hexadecimal
    };
    let within = |open: char, close: char| bare.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    BEGINNINGS.iter().any(|beginning| bare.starts_with(beginning))
        || is_format(bare)
        || within('{', '}').is_some_and(|inner| is_name(inner) || inner.bytes().all(|byte| byte.is_ascii_digit()))
        || within('<', '>').is_some_and(is_name)
        || within('%', '%').is_some_and(is_name)
        || within('#', '#').is_some_and(is_name)
}

/// Returns whether it is a conversion of `printf`: `%s`, `%d`, `%@`, `%1$s`, `%-5d`.
fn is_format(bare: &str) -> bool {
    let Some(rest) = bare.strip_prefix('%') else { return false };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '$' | '-' | '+' | '.' | '#' | ' '));
    matches!(rest, "s" | "d" | "i" | "u" | "v" | "r" | "x" | "@" | "ld" | "lu" | "lld" | "llu" | "zu" | "S" | "D" | "q")
}

/// Returns whether it was built from absent values: `user_undefined`, `null-null`, `undefined undefined`, `nullnull`.
fn is_made_of_nothing(lower: &str) -> bool {
    if is_run_of_nothing(lower) {
        return true;
    }
    let parts: Vec<&str> =
        lower.split(['_', '-', ':', '/', '|', '.', ' ', ',', '#', '@']).filter(|part| !part.is_empty()).collect();
    let all_words = || parts.iter().all(|part| WORDS.contains(part));
    let ends_in_nothing = || {
        parts.iter().all(|part| NEVER_A_PART.contains(part) || PREFIXES.contains(part))
            && parts.iter().any(|part| NEVER_A_PART.contains(part))
    };
    parts.len() > 1 && (all_words() || ends_in_nothing())
}

/// Returns whether such words follow each other without separators; `nannan` may be a name.
fn is_run_of_nothing(lower: &str) -> bool {
    let mut rest = lower;
    while let Some(next) = NEVER_A_PART.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = next;
    }
    rest.is_empty() && ["null", "undefined"].iter().any(|word| lower.contains(word))
}

/// Removes a leading `your`, as in the names in documentation: `YOUR_USER_ID`.
fn strip_your(lower: &str) -> &str {
    const FRONTS: [&str; 5] = ["your", "my", "the", "insert", "example"];
    let text = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    let rest = FRONTS.iter().find_map(|front| text.strip_prefix(front)?.strip_prefix(['_', '-', ' ']));
    let rest = rest.unwrap_or(text);
    rest.strip_suffix("_here").or_else(|| rest.strip_suffix(" here")).unwrap_or(rest)
}

/// Without what stands between and around words.
fn joined(lower: &str) -> String {
    lower.chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '.' | '$' | ':' | '@' | '%' | '*' | '~')).collect()
}

/// `text` without white space, quotes, brackets, escapes and closing punctuation around it, as often as they were put.
fn unwrapped(text: &str) -> Cow<'_, str> {
    let mut text: Cow<'_, str> = Cow::Borrowed(text);
    for _ in 0..MAX_WRAPPINGS {
        let decoded = decoded(&text);
        let inner = without_wrapping(decoded.as_deref().unwrap_or(&text)).to_owned();
        if inner == *text {
            break;
        }
        text = Cow::Owned(inner);
    }
    text
}

/// Removes one layer of quotes or brackets, and white space and closing punctuation at the ends.
fn without_wrapping(text: &str) -> &str {
    const QUOTES: [char; 18] =
        ['"', '\'', '`', '´', '“', '”', '„', '‘', '’', '‚', '«', '»', '‹', '›', '＂', '＇', '「', '」'];
    let text = trimmed(text);
    // An empty list or object is a placeholder; the content of others is checked.
    let text = text.trim_end_matches([',', ';']);
    // Python's `b'…'` and `u'…'`.
    let text = match text.as_bytes() {
        [b'b' | b'B' | b'u' | b'U', open @ (b'\'' | b'"'), .., close] if open == close => &text[1..],
        _ => text,
    };
    let unquoted = text.trim_matches(|c| QUOTES.contains(&c) || c == '\\');
    if unquoted.len() < text.len() && !matches!(text, "\\N" | "\\n") {
        return trimmed(unquoted);
    }
    let pairs = [('(', ')'), ('[', ']'), ('<', '>'), ('{', '}')];
    let inner = pairs.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    match inner.map(|inner| trimmed(trimmed(inner).trim_end_matches(','))) {
        // `[object Object]` and `{user_id}` say more with their brackets.
        Some(inner) if is_nothing(inner) => inner,
        Some(inner) if inner.starts_with(QUOTES) || inner.starts_with(['(', '[', '<', '{']) => {
            if text.starts_with("{{") || text.starts_with("[[") { text } else { inner }
        }
        _ => text,
    }
}

/// `text` with escapes of URLs, HTML or JSON resolved; `None` where it has none.
fn decoded(text: &str) -> Option<String> {
    if let Some(at) = text.find('%')
        && text.get(at + 1..at + 3).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        return Some(decoded.replace('+', " "));
    }
    if text.contains('&') && text.contains(';') {
        const ENTITIES: [(&str, &str); 12] = [
            ("&quot;", "\""),
            ("&#34;", "\""),
            ("&#x22;", "\""),
            ("&apos;", "'"),
            ("&#39;", "'"),
            ("&#x27;", "'"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&nbsp;", " "),
            ("&amp;", "&"),
        ];
        let decoded = ENTITIES.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c));
        return (decoded != text).then_some(decoded);
    }
    if text.contains("\\x00") {
        return Some(text.replace("\\x00", ""));
    }
    if text.contains("\\u") || text.contains("\\\"") {
        return serde_json::from_str(&format!("\"{}\"", text.replace("\\\"", "\"").replace('"', "\\\""))).ok();
    }
    None
}

#[cfg(test)]
#[path = "placeholder_tests.rs"]
mod tests;
