//! The syntax of other template languages, as people bring it from other tools, and its equivalent here: Handlebars
//! (and Mustache) and Liquid in tags, and the placeholders of Mailchimp, Salesforce and others in the text.
//!
//! <https://handlebarsjs.com/guide/> · <https://shopify.github.io/liquid/> ·
//! <https://www.braze.com/docs/user_guide/personalization_and_dynamic_content/liquid/>

mod handlebars;
mod liquid;
mod markers;

use super::NAMES;
use crate::tags::{Kind, Tag, Token, WORDS, tokens};

pub(super) use liquid::instead_of_filter;
pub(super) use markers::in_text;

/// Other tools' names for the recipient.
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
/// Other tools' names for the account.
const ACCOUNT: [&str; 7] = ["company", "organization", "organisation", "group", "workspace", "tenant", "org"];
/// Other tools' names for the unsubscribe link.
const UNSUBSCRIBE: [&str; 7] = [
    "unsubscribe",
    "unsubscribe_link",
    "unsubscribeUrl",
    "unsubscribeLink",
    "unsubscribe_uri",
    "manage_subscription_url",
    "opt_out_url",
];
/// Returns the problem with `tag` if it is of another language; `all` are the tags of the same text.
pub(super) fn problem(tag: &Tag<'_>, all: &[Tag<'_>]) -> Option<String> {
    let locals = locals(all);
    let ours = match tag.kind {
        Kind::Triple => handlebars::triple(tag, &locals),
        Kind::Print => liquid::braze(tag, &locals)
            .or_else(|| handlebars::print(tag, all, &locals))
            .or_else(|| liquid::print(tag, all, &locals)),
        Kind::Block => liquid::block(tag, all, &locals),
    };
    let (language, instead) = ours?;
    Some(format!("`{}` is {language}; {instead}", one_line(tag.raw)))
}

/// The language, and what to do instead.
type Found = Option<(&'static str, String)>;

fn write(instead: impl AsRef<str>) -> String {
    format!("write `{}`", instead.as_ref())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Converts an expression with names of other tools to ours.
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

/// Returns our equivalent of a name; a name of ours is unchanged.
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

/// Returns the names that the text itself defines: loop variables and what is set.
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
