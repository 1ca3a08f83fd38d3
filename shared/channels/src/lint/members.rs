//! Finds members that a known name does not have, such as `event.plan`. Traits of people and accounts may have any
//! name.

use perennial_config::spelling::nearest;
use perennial_domain::traits::Fact;

/// The names of facts that are long enough to distinguish a typing error from another word.
const FACTS: [&str; 5] = ["first_name", "last_name", "created_at", "time_zone", "full_name"];

/// The members of the names that have a fixed set of them, in the order of `crate::render::NAMES`; a name with none is a plain value. The members of
/// members are those below a dot.
const MEMBERS: [(&str, &[&str]); 8] = [
    ("profile", &["user_id", "id"]),
    ("event", &["name", "properties"]),
    ("owner", &[]),
    ("stage", &[]),
    ("journey", &[]),
    ("step", &[]),
    ("unsubscribe_url", &[]),
    ("confirm_url", &[]),
];

/// The members of [`perennial_domain::Cause`] as JSON.
const OF_CAUSE: [(&str, &[&str]); 5] = [
    ("event", &["name", "message_id"]),
    ("quiet", &["since", "days"]),
    ("score", &["score", "value"]),
    ("segment", &["name", "entered"]),
    ("became", &["condition"]),
];

/// Returns the problem with a path such as `event.plan`; `None` if it is valid.
pub(super) fn problem(path: &str) -> Option<String> {
    let mut parts = path.split('.');
    let (head, member) = (parts.next()?, parts.next()?);
    if head == "cause" {
        let Some((_, below)) = OF_CAUSE.iter().find(|(name, _)| *name == member) else {
            let all: Vec<&str> = OF_CAUSE.iter().map(|(name, _)| *name).collect();
            return Some(message(path, head, member, &all));
        };
        let last = parts.next().filter(|last| !below.contains(last))?;
        return Some(message(path, &format!("{head}.{member}"), last, below));
    }
    let (_, members) = MEMBERS.iter().find(|(name, _)| *name == head)?;
    (!members.contains(&member)).then(|| message(path, head, member, members))
}

fn message(path: &str, owner: &str, member: &str, members: &[&str]) -> String {
    if members.is_empty() {
        return format!("nothing fills `{path}`: `{owner}` has no parts; write `{{{{ {owner} }}}}`");
    }
    let meant = nearest(member, members.iter().copied()).map(|near| {
        let rest = path.strip_prefix(&format!("{owner}.{member}")).unwrap_or_default();
        format!("{owner}.{near}{rest}")
    });
    // Any other member of an event is likely one of its properties.
    let meant = meant.or_else(|| (owner == "event").then(|| path.replacen("event.", "event.properties.", 1)));
    let meant = super::did_you_mean(meant.as_deref());
    format!("nothing fills `{path}`{meant} `{owner}` has: {}", members.join(", "))
}

/// Returns a warning about a path such as `person.fist_name`; `None` for any other. A trait may have any name, so it
/// may exist.
pub(super) fn near_miss(path: &str) -> Option<String> {
    let name = path.strip_prefix("person.")?.split('.').next()?;
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let own = plain(name);
    if Fact::of(name).is_some() || own.ends_with('s') {
        return None;
    }
    let meant = if own == "emial" || own == "eamil" || own == "emal" {
        "email"
    } else {
        FACTS.into_iter().find(|fact| is_typing_error(&own, &plain(fact)))?
    };
    Some(format!(
        "`{path}` is a trait of its own; did you mean `person.{meant}`, which is found under all of its usual spellings?"
    ))
}

/// Returns whether one letter is wrong, missing or added, or two are swapped.
fn is_typing_error(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (rest, other_rest) = (&one[same..], &other[same..]);
    match (rest, other_rest) {
        ([], []) => false,
        ([a, b, left @ ..], [c, d, right @ ..]) if a == d && b == c && left == right => true,
        ([_, left @ ..], [_, right @ ..]) if left == right => true,
        ([_, left @ ..], right) if left == right => true,
        (left, [_, right @ ..]) if left == right => true,
        _ => false,
    }
}
