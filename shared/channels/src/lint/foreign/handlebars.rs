//! Handlebars, and Mustache.

use super::{Found, expression, one_line, tokens, write};
use crate::tags::{Tag, Token, WORDS};

const HANDLEBARS: &str = "Handlebars";

pub(super) fn triple(tag: &Tag<'_>, locals: &[&str]) -> Found {
    Some((HANDLEBARS, write(format!("{{{{ {}|safe }}}}", expression(tag.inner, locals)))))
}

pub(super) fn print(tag: &Tag<'_>, all: &[Tag<'_>], locals: &[&str]) -> Found {
    let inner = tag.inner;
    let rest = |sign: char| inner.strip_prefix(sign).map(|rest| rest.trim_start_matches(['#', '-']).trim());
    let instead = if let Some(opened) = rest('#').or_else(|| rest('^').filter(|rest| !rest.is_empty())) {
        let (helper, argument) = opened.split_once(char::is_whitespace).unwrap_or((opened, ""));
        // `as |item|` names the loop variable.
        let (argument, name) = argument.split_once(" as |").map_or((argument, "item"), |(argument, name)| {
            (argument, name.trim_end_matches('|').split_whitespace().next().unwrap_or("item"))
        });
        let argument = subexpressions(argument, locals);
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
        write(format!("{{% elif {} %}}", subexpressions(condition, locals)))
    } else if let Some(comment) = rest('!') {
        write(format!("{{# {} #}}", comment.trim_end_matches('-').trim()))
    } else if let Some(partial) = rest('>') {
        format!("templates cannot include others: put the text of `{partial}` here")
    } else if let Some(unescaped) = rest('&') {
        write(format!("{{{{ {}|safe }}}}", expression(unescaped, locals)))
    } else if (inner == "this" || inner.starts_with("this.") || inner == ".") && !locals.contains(&"this") {
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

/// Converts an argument with helpers in brackets, such as `(eq plan 'pro')`, to an expression of ours.
fn subexpressions(text: &str, locals: &[&str]) -> String {
    let text = text.trim();
    let Some(call) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        return expression(text, locals);
    };
    let all = arguments(call);
    let Some((helper, arguments)) = all.split_first() else { return expression(text, locals) };
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| {
            let ours = subexpressions(argument, locals);
            if argument.starts_with('(') && ours.contains(' ') { format!("({ours})") } else { ours }
        })
        .collect();
    let between = |sign: &str| arguments.join(&format!(" {sign} "));
    match *helper {
        "eq" | "is" | "equal" | "ifEquals" => between("=="),
        "ne" | "neq" | "isnt" | "not_eq" => between("!="),
        "gt" => between(">"),
        "gte" | "ge" => between(">="),
        "lt" => between("<"),
        "lte" | "le" => between("<="),
        "and" => between("and"),
        "or" => between("or"),
        "not" => format!("not {}", between("and")),
        "contains" | "includes" => between("in"),
        _ => one_line(text),
    }
}

/// Splits the arguments of a call, with quoted or bracketed text in one piece.
fn arguments(text: &str) -> Vec<&str> {
    let (mut found, mut begin, mut depth, mut quote) = (Vec::new(), None, 0_usize, None);
    for (at, c) in text.char_indices() {
        if begin.is_none() && !c.is_whitespace() {
            begin = Some(at);
        }
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, c) if c.is_whitespace() && depth == 0 => {
                found.extend(begin.take().map(|begin| &text[begin..at]));
            }
            _ => {}
        }
    }
    found.extend(begin.map(|begin| &text[begin..]));
    found
}
