//! Placeholders in the text itself, outside of tags: `*|FNAME|*`, `%%first_name%%`, `<%= name %>`, `[[ first_name ]]`,
//! `${name}`, `{first_name}`, `%FIRST_NAME%`.

use super::{ACCOUNT, NAMES, PERSON, UNSUBSCRIBE, expression, ours, write};
use perennial_domain::traits::Fact;

/// One language's delimiters of a name.
struct Marker {
    language: &'static str,
    open: &'static str,
    close: &'static str,
    /// `true` if the text may contain these delimiters for other reasons, so that only a known name is reported.
    is_ambiguous: bool,
}

const MARKERS: [Marker; 9] = [
    Marker { language: "Mailchimp", open: "*|", close: "|*", is_ambiguous: false },
    Marker { language: "ERB or EJS", open: "<%=", close: "%>", is_ambiguous: false },
    Marker { language: "ERB or EJS", open: "<%-", close: "%>", is_ambiguous: false },
    Marker { language: "ERB or EJS", open: "<%", close: "%>", is_ambiguous: false },
    Marker { language: "Salesforce", open: "%%", close: "%%", is_ambiguous: false },
    Marker { language: "another language", open: "[[", close: "]]", is_ambiguous: true },
    Marker { language: "JavaScript", open: "${", close: "}", is_ambiguous: true },
    Marker { language: "another language", open: "{", close: "}", is_ambiguous: true },
    Marker { language: "another language", open: "%", close: "%", is_ambiguous: true },
];

/// The longest text between two signs.
const MAX_BYTES: usize = 120;

/// Returns the problems of `text`, which contains no tags: their positions, and the replacements.
pub(in crate::lint) fn in_text(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        let marker = MARKERS.iter().find_map(|marker| Some((marker, between(marker, rest)?)));
        if let Some((marker, inner)) = marker
            && let Some(instead) = instead(marker, inner.trim())
        {
            let whole = marker.open.len() + inner.len() + marker.close.len();
            found.push((at, format!("`{}` is {}; {instead}", &rest[..whole], marker.language)));
            at += whole;
        } else {
            at += c.len_utf8();
        }
    }
    found
}

fn between<'a>(marker: &Marker, text: &'a str) -> Option<&'a str> {
    let rest = text.strip_prefix(marker.open)?;
    let inner = &rest[..rest.find(marker.close)?];
    (!inner.trim().is_empty() && inner.len() <= MAX_BYTES && !inner.contains('\n')).then_some(inner)
}

fn instead(marker: &Marker, inner: &str) -> Option<String> {
    let is_path = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '@')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@'))
    };
    match marker.open {
        "*|" => mailchimp(inner),
        "%%" => {
            let name = inner.to_lowercase().replace(' ', "_");
            let is_name = is_path(&name) && (!inner.contains(' ') || is_known(&name));
            is_name.then(|| write(format!("{{{{ {} }}}}", ours(&name))))
        }
        "%" => {
            let name = inner.to_lowercase();
            (is_path(&name) && is_known(&name)).then(|| write(format!("{{{{ {} }}}}", ours(&name))))
        }
        "<%" => statement(inner),
        "<%=" | "<%-" => {
            let path = inner.trim_end_matches('-').trim().trim_start_matches('@');
            Some(write(format!("{{{{ {} }}}}", expression(path, &[]))))
        }
        _ => (is_path(inner) && (!marker.is_ambiguous || is_known(inner)))
            .then(|| write(format!("{{{{ {} }}}}", ours(inner)))),
    }
}

/// Mailchimp's merge tags. <https://mailchimp.com/help/all-the-merge-tags-cheat-sheet/>
fn mailchimp(inner: &str) -> Option<String> {
    let (name, rest) = inner.split_once(':').map_or((inner, None), |(name, rest)| (name, Some(rest)));
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let path = |name: &str| match name {
        "FNAME" => "person.first_name".to_owned(),
        "LNAME" => "person.last_name".to_owned(),
        "COMPANY" => "person.company".to_owned(),
        "UNSUB" => "unsubscribe_url".to_owned(),
        name => format!("person.{}", name.to_lowercase()),
    };
    match (name, rest) {
        _ if !is_name && name != "END" => None,
        ("IF", Some(condition)) => {
            let (name, test) = condition.split_once('=').map_or((condition, None), |(name, value)| (name, Some(value)));
            let test = test.map_or_else(String::new, |value| format!(" == \"{}\"", value.trim()));
            Some(write(format!("{{% if {}{test} %}}", path(name.trim()))))
        }
        ("IFNOT", Some(name)) => Some(write(format!("{{% if not {} %}}", path(name.trim())))),
        ("ELSEIF", Some(name)) => Some(write(format!("{{% elif {} %}}", path(name.trim())))),
        ("ELSE", _) => Some(write("{% else %}")),
        ("END", Some("IF")) => Some(write("{% endif %}")),
        ("TITLE" | "LOWER" | "UPPER", Some(name)) => {
            let filter = inner.split(':').next().unwrap_or_default().to_lowercase();
            Some(write(format!("{{{{ {}|{filter} }}}}", path(name))))
        }
        _ => Some(write(format!("{{{{ {} }}}}", path(name)))),
    }
}

/// A statement of ERB or EJS; `None` where the text may as well be plain words.
fn statement(inner: &str) -> Option<String> {
    let inner = inner.trim();
    let (word, rest) = inner
        .split_once(|c: char| !c.is_ascii_alphabetic())
        .map_or((inner, ""), |(word, _)| (word, &inner[word.len()..]));
    let condition = rest.trim().trim_end_matches('{').trim().trim_start_matches('(').trim_end_matches(')').trim();
    match word {
        "if" if !condition.is_empty() => Some(write(format!("{{% if {} %}}", expression(condition, &[])))),
        "elsif" | "else" if condition.starts_with("if") || word == "elsif" => Some(write("{% elif … %}")),
        "else" => Some(write("{% else %}")),
        "end" => Some("write `{% endif %}` or `{% endfor %}`".to_owned()),
        "for" => Some(write("{% for … in … %}")),
        _ if inner == "}" || inner == "})" || inner == "});" => {
            Some("write `{% endif %}` or `{% endfor %}`".to_owned())
        }
        _ if inner.starts_with('}') && inner.contains("else") => Some(write("{% else %}")),
        _ if rest.contains(".each") || rest.contains(".forEach") => Some(write("{% for … in … %}")),
        _ => None,
    }
}

/// Returns whether a name is known as one of a person, an account or a message.
fn is_known(path: &str) -> bool {
    let head = path.split('.').next().unwrap_or_default();
    let is_dotted = head.len() < path.len();
    let known = |names: &[&str]| names.contains(&head);
    UNSUBSCRIBE.contains(&path)
        || path == "unsubscribe_url"
        || (is_dotted && (known(&PERSON) || known(&ACCOUNT) || known(&NAMES)))
        || (path.contains('_') && Fact::of(path).is_some())
}
