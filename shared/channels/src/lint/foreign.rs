//! The syntax of Handlebars (and Mustache) and of Liquid, as people bring it from other tools, and what it is here.
//!
//! <https://handlebarsjs.com/guide/> · <https://shopify.github.io/liquid/>

use super::tags::{Kind, Tag, Token, WORDS};
use super::{NAMES, tokens};

/// What other tools call who a message is for.
const PERSON: [&str; 14] = [
    "user",
    "customer",
    "contact",
    "recipient",
    "subscriber",
    "lead",
    "member",
    "traits",
    "attributes",
    "userAttributes",
    "User",
    "visitor",
    "people",
    "client",
];
/// What other tools call the account.
const ACCOUNT: [&str; 7] = ["company", "organization", "organisation", "group", "workspace", "tenant", "org"];
/// What other tools call the link that ends all mail.
const UNSUBSCRIBE: [&str; 7] = [
    "unsubscribe",
    "unsubscribe_link",
    "unsubscribeUrl",
    "unsubscribeLink",
    "unsubscribe_uri",
    "manage_subscription_url",
    "opt_out_url",
];

/// What is wrong with `tag` where it is Handlebars or Liquid; `all` are the tags of the same text.
pub(super) fn problem(tag: &Tag<'_>, all: &[Tag<'_>]) -> Option<String> {
    let locals = locals(all);
    let ours = match tag.kind {
        Kind::Triple => handlebars_triple(tag, &locals),
        Kind::Print => handlebars(tag, all, &locals).or_else(|| liquid_print(tag, &locals)),
        Kind::Block => liquid_block(tag, &locals),
    };
    let (language, instead) = ours?;
    Some(format!("`{}` is {language}; {instead}", one_line(tag.raw)))
}

type Found = Option<(&'static str, String)>;

const HANDLEBARS: &str = "Handlebars";
const LIQUID: &str = "Liquid";

fn write(instead: impl AsRef<str>) -> String {
    format!("write `{}`", instead.as_ref())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn handlebars_triple(tag: &Tag<'_>, locals: &[&str]) -> Found {
    Some((HANDLEBARS, write(format!("{{{{ {}|safe }}}}", expression(tag.inner, locals)))))
}

fn handlebars(tag: &Tag<'_>, all: &[Tag<'_>], locals: &[&str]) -> Found {
    let inner = tag.inner;
    let rest = |sign: char| inner.strip_prefix(sign).map(|rest| rest.trim_start_matches(['#', '-']).trim());
    let instead = if let Some(opened) = rest('#').or_else(|| rest('^').filter(|rest| !rest.is_empty())) {
        let (helper, argument) = opened.split_once(char::is_whitespace).unwrap_or((opened, ""));
        // `as |item|` names what is gone through.
        let (argument, name) = argument.split_once(" as |").map_or((argument, "item"), |(argument, name)| {
            (argument, name.trim_end_matches('|').split_whitespace().next().unwrap_or("item"))
        });
        let argument = expression(argument, locals);
        match helper {
            "if" => write(format!("{{% if {argument} %}}")),
            "unless" => write(format!("{{% if not {argument} %}}")),
            "each" => write(format!("{{% for {name} in {argument} %}}")),
            "with" => write(format!("{{% with it = {argument} %}}")),
            // Mustache's section.
            path if argument.is_empty() => {
                let not = if inner.starts_with('^') { "not " } else { "" };
                write(format!("{{% if {not}{} %}}", expression(path, locals)))
            }
            _ => format!("there is no block `{helper}`; there are {{% if … %}} and {{% for … in … %}}"),
        }
    } else if let Some(closed) = rest('/') {
        match closed {
            "each" => write("{% endfor %}"),
            "with" => write("{% endwith %}"),
            _ => write("{% endif %}"),
        }
    } else if inner == "else" || inner == "^" {
        write("{% else %}")
    } else if let Some(condition) = inner.strip_prefix("else if ") {
        write(format!("{{% elif {} %}}", expression(condition, locals)))
    } else if let Some(comment) = rest('!') {
        write(format!("{{# {} #}}", comment.trim_end_matches('-').trim()))
    } else if let Some(partial) = rest('>') {
        format!("templates cannot take in others: put the text of `{partial}` here")
    } else if let Some(unescaped) = rest('&') {
        write(format!("{{{{ {}|safe }}}}", expression(unescaped, locals)))
    } else if inner == "this" || inner.starts_with("this.") || inner == "." {
        let each = all.iter().any(|tag| tag.inner.starts_with("#each") || tag.word() == Some("for"));
        let name = if each { "item" } else { "person" };
        write(format!("{{{{ {} }}}}", inner.replacen(if inner == "." { "." } else { "this" }, name, 1)))
    } else if let Some(data) = rest('@') {
        let instead = match data {
            "index" => "loop.index0",
            "first" => "loop.first",
            "last" => "loop.last",
            _ => {
                return Some((
                    HANDLEBARS,
                    format!("there is no `@{data}`; in a loop there are loop.index, loop.first and loop.last"),
                ));
            }
        };
        write(format!("{{{{ {instead} }}}}"))
    } else if inner.starts_with("../") {
        write(format!("{{{{ {} }}}}", expression(inner.trim_start_matches("../"), locals)))
    } else if tag.raw.starts_with("{{~") || tag.raw.ends_with("~}}") {
        write(format!("{{{{- {} -}}}}", expression(inner, locals)))
    } else {
        return helper_call(inner, locals);
    };
    Some((HANDLEBARS, instead))
}

/// `helper argument "text"`: two values beside each other are no expression.
fn helper_call(inner: &str, locals: &[&str]) -> Found {
    let tokens = tokens(inner);
    let is_value = |token: &Token<'_>| match token {
        Token::Path(path) => !WORDS.contains(path),
        Token::Literal(_) => true,
        Token::Sign(_) => false,
    };
    let [Token::Path(helper), argument, ..] = tokens[..] else { return None };
    if !(is_value(&tokens[0]) && is_value(&argument)) || inner.contains('|') {
        return None;
    }
    let argument = expression(argument.text(), locals);
    let instead = match helper {
        "uppercase" | "upper" => write(format!("{{{{ {argument}|upper }}}}")),
        "lowercase" | "lower" => write(format!("{{{{ {argument}|lower }}}}")),
        "capitalize" | "capitalizeFirst" => write(format!("{{{{ {argument}|capitalize }}}}")),
        "default" | "fallback" => {
            let other = tokens.get(2).map_or("\"…\"", |token| token.text());
            write(format!("{{{{ {argument}|default({other}) }}}}"))
        }
        _ => {
            format!("`{helper}` would be a helper, and there are filters instead, such as `{{{{ {argument}|upper }}}}`")
        }
    };
    Some((HANDLEBARS, instead))
}

fn liquid_print(tag: &Tag<'_>, locals: &[&str]) -> Found {
    if has_colon_filter(tag.inner) {
        return Some((LIQUID, filtered(tag.inner, locals)));
    }
    None
}

/// Whether a filter's arguments stand after a colon.
fn has_colon_filter(text: &str) -> bool {
    tokens(text).windows(3).any(|three| matches!(three, [Token::Sign("|"), Token::Path(_), Token::Sign(":")]))
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
    let mut out = expression(parts.next().unwrap_or_default(), locals);
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

/// The parts between pipes, not counting those in quotes.
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

fn liquid_block(tag: &Tag<'_>, locals: &[&str]) -> Found {
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
            format!("templates cannot take in others: put the text of {rest} here")
        }
        "increment" => write(format!("{{% set {rest} = {rest} + 1 %}}")),
        "echo" => filtered(rest, locals),
        "if" | "elif" | "for" | "set" if is_liquid_condition(rest) => {
            write(format!("{{% {word} {} %}}", condition(rest, locals)))
        }
        _ => return None,
    };
    Some((LIQUID, instead))
}

fn is_liquid_condition(text: &str) -> bool {
    let words = ["contains", "blank", "empty", "nil", "null"];
    let tokens = tokens(text);
    // After `is` stands the name of a test of ours.
    let is_test = |at: usize| at.checked_sub(1).is_some_and(|before| tokens[before] == Token::Path("is"));
    tokens.iter().enumerate().any(|(at, token)| match token {
        Token::Path(path) => words.contains(path) && !is_test(at),
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
    let said = |token: &Token<'_>| expression(token.text(), locals);
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

/// An expression with the names that other tools use turned into ours.
fn expression(text: &str, locals: &[&str]) -> String {
    let text = text.trim();
    let (mut out, mut done) = (String::new(), 0);
    for token in tokens(text) {
        let Token::Path(path) = token else { continue };
        let Some(at) = text.get(done..).and_then(|rest| rest.find(path)).map(|at| done + at) else { continue };
        out.push_str(&text[done..at]);
        done = at + path.len();
        let head = path.split('.').next().unwrap_or_default();
        let is_filter = text[..at].trim_end().ends_with('|');
        let keep = is_filter || WORDS.contains(&path) || locals.contains(&head) || head == "loop";
        out.push_str(&if keep { path.to_owned() } else { ours(path) });
    }
    out.push_str(&text[done..]);
    out
}

/// What a name is here; the same where it is one of ours.
pub(super) fn ours(path: &str) -> String {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    match rest {
        _ if NAMES.contains(&head) => path.to_owned(),
        _ if UNSUBSCRIBE.contains(&head) => "unsubscribe_url".to_owned(),
        Some(rest) if PERSON.contains(&head) => format!("person.{rest}"),
        Some(rest) if ACCOUNT.contains(&head) => format!("account.{rest}"),
        None if PERSON.contains(&head) => "person.name".to_owned(),
        Some(_) => path.to_owned(),
        None => format!("person.{head}"),
    }
}

/// What to do instead of a filter of other tools that there is not.
pub(super) fn instead_of_filter(name: &str) -> Option<&'static str> {
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
        "strip_html" | "striptags" => "no filter takes HTML out: send the text without it",
        "newline_to_br" | "nl2br" => "write the lines as HTML, or leave `html` out: it is made from the text",
        "url_encode" | "urlencode" | "urlize" => "addresses cannot be encoded here: send the address whole",
        "json" | "tojson" => "values cannot be written as JSON here",
        _ => return None,
    })
}

/// Names that the text itself gives: loop variables and what is set.
fn locals<'a>(all: &[Tag<'a>]) -> Vec<&'a str> {
    let mut found = vec!["item"];
    for tag in all.iter().filter(|tag| tag.kind == Kind::Block) {
        if let (Some("for" | "assign" | "set" | "capture" | "with" | "increment"), Some(Token::Path(name))) =
            (tag.word(), tokens(tag.inner).get(1))
        {
            found.push(name);
        }
    }
    found
}
