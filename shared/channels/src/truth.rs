//! Booleans as text: `true` and `false` wherever a template converts one to text.
//!
//! The template engine concatenates texts (`~`) as Python does, with `True`. Here `"a" ~ true` reads as `a{{ true }}`
//! does.

use crate::tags::{Token, tags_of, tokens};
use minijinja::value::ValueKind;
use minijinja::{Environment, Value};
use std::collections::BTreeSet;

/// The filter that is put around what `~` puts together.
const AS_TEXT: &str = "truth_as_text";
/// Words that no operand of `~` contains by itself.
const BOUNDS: [&str; 13] =
    ["and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "with", "filter", "recursive"];

/// Adds what [`prepared`] templates need, and the filter that makes texts.
pub(crate) fn add_to(env: &mut Environment<'_>) {
    env.add_filter(AS_TEXT, as_text);
    env.add_filter("string", |value: Value| Value::from(as_text(value).to_string()));
}

/// A truth value as `true` or `false`, any other as it is.
pub(crate) fn as_text(value: Value) -> Value {
    if value.kind() == ValueKind::Bool { Value::from(if value.is_true() { "true" } else { "false" }) } else { value }
}

/// `source` with each operand of `~` made text first.
pub(crate) fn prepared(source: &str) -> String {
    let mut inserted: BTreeSet<(usize, usize, String)> = BTreeSet::new();
    let start = source.as_ptr() as usize;
    for inner in tags_of(source).filter(|inner| inner.contains('~')) {
        let tokens = tokens(inner);
        let offset = |at: usize| tokens[at].text().as_ptr() as usize - start;
        let tildes = tokens.iter().enumerate().filter(|(_, token)| **token == Token::Sign("~"));
        for (at, _) in tildes {
            for (first, last) in [left(&tokens, at), right(&tokens, at)].into_iter().flatten() {
                let end = offset(last) + tokens[last].text().len();
                // Of operands that begin or end together the longer is opened first and closed last.
                inserted.insert((offset(first), usize::MAX - end, "(".to_owned()));
                inserted.insert((end, usize::MAX - offset(first), format!(")|{AS_TEXT}")));
            }
        }
    }
    let (mut out, mut done) = (String::new(), 0);
    for (at, _, text) in inserted {
        out.push_str(&source[done..at]);
        out.push_str(&text);
        done = at;
    }
    out.push_str(&source[done..]);
    out
}

/// The tokens of the operand before the `~` at `at`: its first and its last.
fn left(tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    let mut first = at;
    for before in (0..at).rev() {
        match tokens[before] {
            Token::Sign(")" | "]" | "}") => depth += 1,
            Token::Sign("(" | "[" | "{") if depth > 0 => depth -= 1,
            token if depth == 0 && is_bound(token) && !is_unary(tokens, before) => break,
            _ => {}
        }
        first = before;
    }
    (first < at).then(|| (first, at - 1))
}

/// The tokens of the operand after the `~` at `at`.
fn right(tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    let mut last = at;
    for (after, token) in tokens.iter().enumerate().skip(at + 1) {
        match *token {
            Token::Sign("(" | "[" | "{") => depth += 1,
            Token::Sign(")" | "]" | "}") if depth > 0 => depth -= 1,
            token if depth == 0 && is_bound(token) && !is_unary(tokens, after) => break,
            _ => {}
        }
        last = after;
    }
    (last > at).then_some((at + 1, last))
}

/// Returns whether an operand of `~` ends at the token: only products, powers, filters and brackets bind closer.
fn is_bound(token: Token<'_>) -> bool {
    match token {
        Token::Path(word) => BOUNDS.contains(&word),
        Token::Literal(_) => false,
        Token::Sign(sign) => {
            matches!(
                sign,
                "~" | "+"
                    | "-"
                    | ","
                    | ":"
                    | "="
                    | "=="
                    | "!="
                    | "<"
                    | ">"
                    | "<="
                    | ">="
                    | "("
                    | "["
                    | "{"
                    | ")"
                    | "]"
                    | "}"
            )
        }
    }
}

/// Returns whether a minus is a number's sign rather than an operator.
fn is_unary(tokens: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| tokens[before]);
    tokens[at] == Token::Sign("-")
        && before.is_none_or(|before| match before {
            Token::Path(word) => BOUNDS.contains(&word),
            Token::Literal(_) => false,
            Token::Sign(sign) => !matches!(sign, ")" | "]" | "}"),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::render::environment;

    fn rendered(source: &str) -> String {
        let person = serde_json::json!({"yes": true, "no": false, "n": 2, "list": [true, 1]});
        environment()
            .render_str(&prepared(source), minijinja::context! { person => crate::values::value(&person) })
            .unwrap()
    }

    #[test]
    fn a_truth_reads_the_same_wherever_text_is_made_of_it() {
        for (source, text) in [
            ("{{ true }}", "true"),
            ("{{ \"a\" ~ true }}", "atrue"),
            ("{{ person.yes ~ person.no ~ \"x\" }}", "truefalsex"),
            ("{{ \"a\" ~ (\"x\" if person.no else \"y\" ~ person.yes) }}", "aytrue"),
            ("{{ \"a\" ~ person.n * 3 ~ -1 }}", "a6-1"),
            ("{{ \"a\" ~ person.yes|upper }}", "aTRUE"),
            ("{{ \"a\" ~ (not person.yes) }}", "afalse"),
            ("{% if \"a\" ~ person.yes == \"atrue\" and person.n ~ \"\" == \"2\" %}y{% endif %}", "y"),
            ("{% set x = person.yes ~ \"!\" %}{{ x }}", "true!"),
            ("{{ [\"a\" ~ true, {\"b\": \"c\" ~ false}.b]|join(\"-\") }}", "atrue-cfalse"),
            ("{{ person.yes|string ~ [person.no]|join }}", "truefalse"),
            ("{{ \"a~b\" ~ \"~\" ~ person.yes }}", "a~b~true"),
            ("{{ (1 + 2) ~ \"a\" }}{{ \"x\"[0] ~ {\"k\": true}[\"k\"] }}", "3axtrue"),
            ("{{ person.yes == true }} {{ person.yes is boolean }}", "true true"),
        ] {
            assert_eq!(rendered(source), text, "{source}");
        }
    }

    #[test]
    fn templates_without_it_stay_as_they_are() {
        for source in ["~ {{ person.yes }} ~", "{# a ~ b #}", "{% raw %}{{ a ~ b }}{% endraw %}", "{{ \"~\" }}", "{{ a"]
        {
            assert_eq!(prepared(source), source);
        }
    }
}
