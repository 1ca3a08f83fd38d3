//! Members that a known name does not have, such as `event.plan`. Traits of people and accounts may have any name.

use perennial_config::error::nearest;

/// The members of the names that have a fixed set of them, in the order of `crate::render::NAMES`; a name with none is a plain value. The members of
/// members are those below a dot.
const MEMBERS: [(&str, &[&str]); 7] = [
    ("profile", &["user_id", "id"]),
    ("event", &["name", "properties"]),
    ("owner", &[]),
    ("stage", &[]),
    ("journey", &[]),
    ("step", &[]),
    ("unsubscribe_url", &[]),
];

/// What [`perennial_domain::Cause`] has, as JSON.
const OF_CAUSE: [(&str, &[&str]); 5] = [
    ("event", &["name", "message_id"]),
    ("quiet", &["since", "days"]),
    ("score", &["score", "value"]),
    ("segment", &["name", "entered"]),
    ("became", &["condition"]),
];

/// What is wrong with a path such as `event.plan`; `None` where it can be filled.
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
