//! Liquid, and what Braze adds to it.

use super::{Found, NAMES, expression, ours, tokens, write};
use crate::tags::{Tag, Token};

const LIQUID: &str = "Liquid";
const BRAZE: &str = "Braze";

pub(super) fn print(tag: &Tag<'_>, all: &[Tag<'_>], locals: &[&str]) -> Found {
    if has_colon_filter(tag.inner) || has_liquid_member(tag, all, locals) {
        return Some((LIQUID, filtered(tag.inner, locals)));
    }
    None
}

/// Returns whether a filter's arguments follow a colon. Within brackets a colon may be that of a slice or of an object.
fn has_colon_filter(text: &str) -> bool {
    let tokens = tokens(text);
    let mut depth = 0_usize;
    tokens.iter().enumerate().any(|(at, token)| {
        match token {
            Token::Sign("[" | "{") => depth += 1,
            Token::Sign("]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(tokens[at..], [Token::Sign("|"), Token::Path(_), Token::Sign(":"), ..])
    })
}

/// Returns whether a path ends with Liquid's length, first or last of a list, or is Liquid's loop object. A trait may
/// have a member `size` or `first`, so this applies only to lists that the same text loops over, and to names that are
/// not ours.
fn has_liquid_member(tag: &Tag<'_>, all: &[Tag<'_>], locals: &[&str]) -> bool {
    let is_list = |owner: &str| {
        let head = owner.split('.').next().unwrap_or_default();
        let is_foreign = !NAMES.contains(&head) && !locals.contains(&head) && head != "loop";
        let looped = |tag: &Tag<'_>| {
            let tokens = tokens(tag.inner);
            let after_in =
                tokens.iter().position(|token| *token == Token::Path("in")).and_then(|at| tokens.get(at + 1));
            tag.word() == Some("for") && after_in == Some(&Token::Path(owner))
        };
        is_foreign || all.iter().any(looped)
    };
    tag.paths().into_iter().any(|path| {
        let is_loop = path.split('.').next() == Some("forloop") && !locals.contains(&"forloop");
        is_loop || list_member(path).is_some_and(|(owner, _)| is_list(owner))
    })
}

/// A path without its last member, and the filter that the member is.
fn list_member(path: &str) -> Option<(&str, &'static str)> {
    let (owner, member) = path.rsplit_once('.')?;
    let filter = match member {
        "size" => "length",
        "first" => "first",
        "last" => "last",
        _ => return None,
    };
    Some((owner, filter))
}

/// An expression of Liquid's without filters: its loop, and the members that lists have there, are ours.
fn plain(text: &str, locals: &[&str]) -> String {
    let (mut out, mut done) = (String::new(), 0);
    for token in tokens(text) {
        let Token::Path(path) = token else { continue };
        let Some(at) = text.get(done..).and_then(|rest| rest.find(path)).map(|at| done + at) else { continue };
        let head = path.split('.').next().unwrap_or_default();
        let ours = if head == "forloop" && !locals.contains(&"forloop") {
            let member = path.split('.').nth(1).unwrap_or("index");
            format!(
                "loop.{}",
                if member == "rindex" {
                    "revindex"
                } else if member == "rindex0" {
                    "revindex0"
                } else {
                    member
                }
            )
        } else if let Some((owner, filter)) = list_member(path) {
            format!("{}|{filter}", expression(owner, locals))
        } else {
            expression(path, locals)
        };
        out.push_str(&text[done..at]);
        out.push_str(&ours);
        done = at + path.len();
    }
    out.push_str(&text[done..]);
    out
}

fn filtered(inner: &str, locals: &[&str]) -> String {
    match piped(inner, locals) {
        Ok(ours) => write(format!("{{{{ {ours} }}}}")),
        Err(filter) => filter,
    }
}

/// An expression with Liquid's filters, as one of ours; otherwise what to do instead of a filter that there is not.
fn piped(text: &str, locals: &[&str]) -> Result<String, String> {
    let mut parts = split_pipes(text).into_iter();
    let mut out = plain(parts.next().unwrap_or_default().trim(), locals);
    for part in parts {
        let (name, arguments) = part.split_once(':').unwrap_or((part, ""));
        let (name, arguments) = (name.trim(), arguments.trim());
        let arguments: Vec<String> = if arguments.is_empty() {
            Vec::new()
        } else {
            arguments.split(',').map(|one| expression(one, locals)).collect()
        };
        let first = arguments.first().cloned().unwrap_or_default();
        out = match name {
            "append" => format!("{out} ~ {first}"),
            "prepend" => format!("{first} ~ {out}"),
            "plus" => format!("({out} + {first})"),
            "minus" => format!("({out} - {first})"),
            "times" => format!("({out} * {first})"),
            "divided_by" => format!("({out} / {first})"),
            "modulo" => format!("({out} % {first})"),
            _ => {
                let name = match name {
                    "upcase" => "upper",
                    "downcase" => "lower",
                    "size" => "length",
                    "strip" | "lstrip" | "rstrip" => "trim",
                    "uniq" => "unique",
                    "remove" => return Ok(format!("{out}|replace({first}, \"\")")),
                    name if instead_of_filter(name).is_some() => {
                        return Err(instead_of_filter(name).unwrap_or_default().to_owned());
                    }
                    name => name,
                };
                let arguments =
                    if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
                format!("{out}|{name}{arguments}")
            }
        };
    }
    Ok(out)
}

/// Splits at pipes outside quotes.
fn split_pipes(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quote) = (Vec::new(), 0, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '|') => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

pub(super) fn block(tag: &Tag<'_>, all: &[Tag<'_>], locals: &[&str]) -> Found {
    let word = tag.word()?;
    let rest = tag.inner.get(word.len()..).unwrap_or_default().trim();
    let instead = match word {
        "assign" => {
            let (name, value) = rest.split_once('=')?;
            match piped(value, locals) {
                Ok(value) => write(format!("{{% set {} = {value} %}}", name.trim())),
                Err(filter) => filter,
            }
        }
        "capture" => write(format!("{{% set {rest} %}}")),
        "endcapture" => write("{% endset %}"),
        "elsif" | "elseif" => write(format!("{{% elif {} %}}", condition(rest, locals))),
        "unless" => write(format!("{{% if not ({}) %}}", condition(rest, locals))),
        "endunless" | "endcase" => write("{% endif %}"),
        "case" => format!("write `{{% if {} == … %}}` and `{{% elif … %}}`", expression(rest, locals)),
        "when" => format!("write `{{% elif … == {} %}}`, and `if` for the first", expression(rest, locals)),
        "comment" => write("{# … #}"),
        "endcomment" => "the comment ends with `#}`".to_owned(),
        "include" | "render" | "section" | "layout" => {
            format!("templates cannot include others: put the text of {rest} here")
        }
        "increment" => write(format!("{{% set {rest} = {rest} + 1 %}}")),
        "echo" => filtered(rest, locals),
        "cycle" => {
            let (_, rest) = rest.split_once(':').unwrap_or(("", rest));
            write(format!("{{{{ loop.cycle({}) }}}}", rest.trim()))
        }
        "break" | "continue" => format!("a loop cannot {word} here: write `{{% for … in … if … %}}`"),
        "liquid" => "write each line as a tag of its own".to_owned(),
        "tablerow" | "endtablerow" => "write the table as HTML, with `{% for … in … %}`".to_owned(),
        "connected_content" | "catalog_items" => {
            return Some((BRAZE, "nothing is fetched here: send the data as a trait or property".to_owned()));
        }
        "abort_message" => {
            return Some((BRAZE, "write the condition into the journey, as `when` or `exit`".to_owned()));
        }
        "message_extras" => return Some((BRAZE, "leave it out".to_owned())),
        "for" if let Some(instead) = liquid_loop(rest, locals) => instead,
        "if" | "elif" | "for" | "set" if is_liquid_condition(rest, locals) || has_liquid_member(tag, all, locals) => {
            write(format!("{{% {word} {} %}}", condition(rest, locals)))
        }
        _ => return None,
    };
    Some((LIQUID, instead))
}

/// A loop over a range, or with `limit`, `offset` or `reversed`, as one of ours; `None` for any other.
fn liquid_loop(text: &str, locals: &[&str]) -> Option<String> {
    let (name, rest) = text.split_once(" in ")?;
    let rest = rest.trim();
    let (over, options) = match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((range, options)) if range.contains("..") => {
            let (from, to) = range.split_once("..")?;
            let (from, to) = (plain(from.trim(), locals), plain(to.trim_start_matches('.').trim(), locals));
            let end = to.parse::<i64>().map_or_else(|_| format!("{to} + 1"), |to| to.saturating_add(1).to_string());
            (format!("range({from}, {end})"), options)
        }
        _ => {
            let (over, options) = rest.split_once(char::is_whitespace)?;
            (plain(over, locals), options)
        }
    };
    let tokens = tokens(options);
    let option = |name: &str| {
        let at = tokens.iter().position(|token| *token == Token::Path(name))?;
        (tokens.get(at + 1)? == &Token::Sign(":"))
            .then(|| plain(tokens.get(at + 2).map_or("", |token| token.text()), locals))
    };
    let (limit, offset) = (option("limit"), option("offset"));
    let is_reversed =
        tokens.first() == Some(&Token::Path("reversed")) || tokens.last() == Some(&Token::Path("reversed"));
    let slice = match (&offset, &limit) {
        (None, None) => String::new(),
        (None, Some(limit)) => format!("[:{limit}]"),
        (Some(offset), None) => format!("[{offset}:]"),
        (Some(offset), Some(limit)) => match (offset.parse::<i64>(), limit.parse::<i64>()) {
            (Ok(from), Ok(many)) => format!("[{from}:{}]", from.saturating_add(many)),
            _ => format!("[{offset}:{offset} + {limit}]"),
        },
    };
    if slice.is_empty() && !is_reversed && !over.starts_with("range(") || rest.starts_with("range(") {
        return None;
    }
    let reverse = if is_reversed { "|reverse" } else { "" };
    Some(write(format!("{{% for {} in {over}{slice}{reverse} %}}", name.trim())))
}

/// Braze's `{{${first_name}}}` and `{{custom_attribute.${plan}}}`.
pub(super) fn braze(tag: &Tag<'_>, locals: &[&str]) -> Found {
    let (before, rest) = tag.inner.split_once("${")?;
    // The tag ends at the first two of the three brackets.
    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
    let name = name.trim();
    let ours = match before.trim().trim_end_matches('.') {
        "" | "custom_attribute" => match ours(name) {
            path if path.starts_with("person.") || path == "unsubscribe_url" => path,
            _ => format!("person.{name}"),
        },
        "event_properties" | "api_trigger_properties" | "canvas_entry_properties" => format!("event.properties.{name}"),
        "content_blocks" => {
            return Some((BRAZE, format!("templates cannot include others: put the text of `{name}` here")));
        }
        _ => {
            return Some((
                BRAZE,
                "write the name of a trait or property without `$`, such as `{{ person.first_name }}`".to_owned(),
            ));
        }
    };
    let ours = if name.contains(' ') { format!("person['{name}']") } else { ours };
    Some((BRAZE, filtered(&format!("{ours}{after}"), locals)))
}

fn is_liquid_condition(text: &str, locals: &[&str]) -> bool {
    let words = ["contains", "blank", "empty", "nil", "null"];
    let tokens = tokens(text);
    // `is` is followed by the name of a test.
    let is_test = |at: usize| at.checked_sub(1).is_some_and(|before| tokens[before] == Token::Path("is"));
    tokens.iter().enumerate().any(|(at, token)| match token {
        Token::Path(path) => words.contains(path) && !locals.contains(path) && !is_test(at),
        Token::Sign(sign) => matches!(*sign, "&&" | "||"),
        Token::Literal(_) => false,
    }) || has_colon_filter(text)
}

/// A condition of Liquid's, as one of ours.
fn condition(text: &str, locals: &[&str]) -> String {
    if has_colon_filter(text) {
        return piped(text, locals).unwrap_or_else(|_| text.to_owned());
    }
    let tokens = tokens(text);
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    let said = |token: &Token<'_>| plain(token.text(), locals);
    while at < tokens.len() {
        match tokens[at..] {
            [left, Token::Path("contains"), right, ..] => {
                out.push(format!("{} in {}", said(&right), said(&left)));
                at += 3;
            }
            [left, Token::Sign(equals @ ("==" | "!=")), Token::Path("blank" | "empty" | "nil" | "null"), ..] => {
                let not = if equals == "==" { "not " } else { "" };
                out.push(format!("{not}{}", said(&left)));
                at += 3;
            }
            [Token::Sign("&&"), ..] => {
                out.push("and".to_owned());
                at += 1;
            }
            [Token::Sign("||"), ..] => {
                out.push("or".to_owned());
                at += 1;
            }
            [token, ..] => {
                out.push(said(&token));
                at += 1;
            }
            [] => break,
        }
    }
    out.join(" ")
}

/// Returns the replacement for a filter of other tools that does not exist here.
pub(in crate::lint) fn instead_of_filter(name: &str) -> Option<&'static str> {
    Some(match name {
        "upcase" => "write `|upper`",
        "downcase" => "write `|lower`",
        "size" => "write `|length`",
        "strip" | "lstrip" | "rstrip" => "write `|trim`",
        "uniq" => "write `|unique`",
        "date" | "strftime" | "dateformat" | "format_date" => {
            "dates cannot be formatted here: send the date as it should be read, as a trait or property"
        }
        "money" | "money_with_currency" | "currency" | "number_with_delimiter" => {
            "amounts cannot be formatted here: send the amount as it should be read, as a trait or property"
        }
        "truncate" | "truncatewords" => "texts cannot be cut here: send the text as long as it should be",
        "strip_html" | "striptags" => "no filter removes HTML: send the text without it",
        "newline_to_br" | "nl2br" => "write the lines as HTML, or leave `html` out: it is made from the text",
        "url_encode" | "urlencode" | "urlize" => "addresses cannot be encoded here: send the address whole",
        "json" | "tojson" => "values cannot be written as JSON here",
        _ => return None,
    })
}
