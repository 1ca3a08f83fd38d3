//! Describes a profile's identities: why several ids are linked, and which were kept separate or unmerged.

use super::{ago, listed};
use crate::instant;
use crate::joins::{Evidence, Join, Limit, Note, Noted};
use crate::profile::Profile;
use jiff::Timestamp;
use perennial_domain::time::days_between;

/// The most lines of a kind; the rest is in the profile.
const LINES: usize = 8;
/// The most ids in a line.
const NAMED: usize = 3;

/// Describes why the profile's ids are linked, and then which are not, although a link was reported: a sentence each,
/// the earliest first. Empty for a profile of one id without such reports. `person` is the id that the reader knows.
pub fn identities(profile: &Profile, person: &str, now: Timestamp) -> Vec<String> {
    let joins = profile.joins();
    let mut groups: Vec<Vec<&Join<'_>>> = Vec::new();
    for join in &joins {
        // Browsers are many and similar; each user id has a separate line.
        let alike = |group: &&mut Vec<&Join<'_>>| {
            group.first().is_some_and(|first| {
                first.identity.is_anonymous()
                    && join.identity.is_anonymous()
                    && (first.with, first.evidence) == (join.with, join.evidence)
            })
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(join),
            None => groups.push(vec![join]),
        }
    }
    let mut lines: Vec<String> = groups.iter().take(LINES).filter_map(|group| joined(group, person, now)).collect();
    let untold: usize = groups.iter().skip(LINES).map(Vec::len).sum();
    if untold > 0 {
        lines.push(format!("{untold} more ids are theirs; the profile says why."));
    }
    lines.extend(given_up(profile, now).into_iter().rev().take(LINES).rev());
    let mut notes: Vec<&Note> = profile.parts.iter().flat_map(|part| &part.notes).collect();
    // Both sides of an unmerge keep a note, and may be merged again.
    notes.sort_by_key(|note| (note.at, note.other));
    lines.extend(notes.iter().rev().take(LINES).rev().map(|note| apart(note, now)));
    lines
}

/// Describes the mail addresses that the profile's ids gave up and none of them has now: the earliest first.
fn given_up(profile: &Profile, now: Timestamp) -> Vec<String> {
    let users = || profile.parts.iter().filter(|part| !part.identity.is_anonymous());
    let has = |key| {
        users()
            .flat_map(|part| part.held().map(move |claim| (part, claim)))
            .any(|(part, claim)| claim.key == key && part.given_up(claim).is_none())
    };
    let mut all = Vec::new();
    for part in users() {
        for claim in part.held().filter(|claim| claim.evidence == Evidence::Mail && !has(claim.key)) {
            all.extend(part.given_up(claim).map(|until| (until, part.identity.as_str(), claim.shown.as_str())));
        }
    }
    all.sort_unstable();
    let line = |(until, id, shown): (i64, &str, &str)| {
        let when = ago(days_between(instant::timestamp(until), now));
        format!("{id} gave up the mail address {shown} {when}: who is given it later is someone else.")
    };
    all.into_iter().map(line).collect()
}

/// Describes the links of one user by the same identifier.
fn joined(group: &[&Join<'_>], person: &str, now: Timestamp) -> Option<String> {
    let last = group.last()?;
    let (mut subject, mut with) = (last.identity.as_str(), last.with.as_str());
    let when = ago(days_between(last.at, now));
    let ids: Vec<&str> = group.iter().map(|join| join.identity.as_str()).collect();
    let is_symmetric = matches!(last.evidence, Evidence::Mail | Evidence::External);
    if is_symmetric && subject == person {
        (subject, with) = (with, subject);
    }
    Some(match (last.evidence, ids.as_slice()) {
        (Evidence::Identify, [id]) => format!("{id} is theirs: {with} signed in there {when}."),
        (Evidence::Identify, ids) => format!("{} are theirs: {with} signed in there, last {when}.", some(ids)),
        (Evidence::Alias, [id]) if last.identity.is_user() => {
            format!("{id} is theirs: an alias call said {when} that it is an earlier id of {with}.")
        }
        (Evidence::Alias, [id]) => format!("{id} is theirs: an alias call said {when} that it is {with}."),
        (Evidence::Alias, ids) => {
            format!("{} are theirs: alias calls said that they are {with}, last {when}.", some(ids))
        }
        (Evidence::Mail, _) => {
            format!("{subject} is theirs: it and {with} gave the same mail address, {}, the second {when}.", last.shown)
        }
        (Evidence::External, _) => {
            format!("{subject} is theirs: it and {with} have the same {}, the second since {when}.", last.shown)
        }
    })
}

fn apart(note: &Note, now: Timestamp) -> String {
    let when = ago(days_between(Timestamp::from_millisecond(note.at).unwrap_or(now), now));
    match &note.what {
        Noted::Parted { by, why } => {
            let why = printable(why);
            let why = if why.is_empty() { String::new() } else { format!(": {why}") };
            format!("Not {}: taken apart {when} by {}{why}.", note.other, printable(by))
        }
        Noted::TurnedAway { evidence, limit } => {
            let although = match evidence {
                Evidence::Identify => "one signed in where the other had been",
                Evidence::Alias => "an alias call says so",
                Evidence::Mail => "both gave the same mail address",
                Evidence::External => "both have the same id in another system",
            };
            let many = match limit {
                Limit::Identities => "ids",
                Limit::UserIds => "user ids",
                Limit::AnonymousIds => "anonymous ids",
                Limit::Addresses => "mail addresses",
                Limit::ExternalIds => "ids in other systems",
            };
            format!("Not {}, although {although} ({when}): together they would have too many {many}.", note.other)
        }
    }
}

/// "a, b and c"; "a, b, c and 4 more".
fn some(ids: &[&str]) -> String {
    let mut named: Vec<String> = ids.iter().take(NAMED).map(|id| (*id).to_owned()).collect();
    if ids.len() > NAMED {
        named.push(format!("{} more", ids.len() - NAMED));
    }
    listed(&named)
}

/// Makes a user-supplied text safe for a terminal and for the end of a sentence.
fn printable(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::joins::{Claim, Digest, Link, Standing};
    use crate::profile::Part;
    use perennial_domain::{AnonymousId, Identity, MessageId, PersonId, UserId};

    fn user(id: &str) -> Identity {
        Identity::User(UserId::parse(id).unwrap())
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn days_ago(days: i64) -> i64 {
        now().as_millisecond() - days * 86_400_000
    }

    fn claim(evidence: Evidence, value: &str, shown: &str, days: i64) -> Claim {
        Claim {
            evidence,
            key: Digest::of_value(evidence, value),
            standing: Standing::Holds,
            at: days_ago(days) * 1000,
            last: days_ago(days) * 1000,
            message: Digest::of_message(&MessageId::parse("m").unwrap()),
            shown: shown.to_owned(),
        }
    }

    fn browser(id: &str, user: &str, evidence: Evidence, days: i64) -> Part {
        let mut part = Part::new(Identity::Anonymous(AnonymousId::parse(id).unwrap()));
        part.add_link(Link {
            at: days_ago(days) * 1000,
            user: UserId::parse(user).unwrap(),
            message: Digest::of_message(&MessageId::parse(id).unwrap()),
            evidence,
            standing: Standing::Holds,
        });
        part
    }

    fn profile(mut parts: Vec<Part>) -> Profile {
        parts.sort_by(|a, b| a.identity.cmp(&b.identity));
        Profile { parts, ..Profile::new(user("ada")) }
    }

    #[test]
    fn someone_of_one_id_needs_no_words() {
        assert!(identities(&profile(vec![Part::new(user("ada"))]), "ada", now()).is_empty());
    }

    #[test]
    fn every_reason_has_its_sentence_and_browsers_share_one() {
        let (mut ada, mut work, mut crm, old) =
            (Part::new(user("ada")), Part::new(user("ada-work")), Part::new(user("crm-7")), Part::new(user("old")));
        ada.claims = vec![
            claim(Evidence::Alias, "old", "", 9),
            claim(Evidence::Mail, "a", "a…@acme.example", 5),
            claim(Evidence::External, "b", "crm_id", 7),
        ];
        work.claims = vec![claim(Evidence::Mail, "a", "a…@acme.example", 6)];
        crm.claims = vec![claim(Evidence::External, "b", "crm_id", 4)];
        let mut parts = vec![ada, work, crm, old, browser("app", "old", Evidence::Alias, 8)];
        parts.extend((1..=5).map(|n| browser(&format!("b{n}"), "ada", Evidence::Identify, 40 - n)));
        assert_eq!(
            identities(&profile(parts), "ada", now()),
            [
                "b1, b2, b3 and 2 more are theirs: ada signed in there, last 35 days ago.",
                "old is theirs: an alias call said 9 days ago that it is an earlier id of ada.",
                "app is theirs: an alias call said 8 days ago that it is old.",
                // Ada gave it second, and still it is the other id that is hers.
                "ada-work is theirs: it and ada gave the same mail address, a…@acme.example, the second 5 days ago.",
                "crm-7 is theirs: it and ada have the same crm_id, the second since 4 days ago.",
            ]
        );
    }

    #[test]
    fn who_was_taken_apart_or_kept_apart_is_said_without_what_a_terminal_would_obey() {
        let mut ada = Part::new(user("ada"));
        let other = PersonId::derive(&[b"other"]);
        let limit = Limit::UserIds;
        ada.notes = vec![
            Note { at: days_ago(0), other, what: Noted::TurnedAway { evidence: Evidence::Mail, limit } },
            Note {
                at: days_ago(1),
                other,
                what: Noted::Parted { by: "eve".to_owned(), why: "a shared desk.\n\u{1b}[2J".to_owned() },
            },
            Note { at: days_ago(2), other, what: Noted::Parted { by: "cli".to_owned(), why: String::new() } },
        ];
        assert_eq!(
            identities(&profile(vec![ada]), "ada", now()),
            [
                format!("Not {other}: taken apart 2 days ago by cli."),
                format!("Not {other}: taken apart 1 day ago by eve: a shared desk.  [2J."),
                format!(
                    "Not {other}, although both gave the same mail address (today): together they would have too many user ids."
                ),
            ]
        );
    }

    #[test]
    fn an_address_that_was_given_up_has_its_sentence() {
        let mut ada = Part::new(user("ada"));
        ada.claims = vec![
            claim(Evidence::Mail, "role", "r…@acme.example", 40),
            claim(Evidence::Mail, "own", "a…@home.example", 12),
        ];
        assert_eq!(
            identities(&profile(vec![ada]), "ada", now()),
            ["ada gave up the mail address r…@acme.example 12 days ago: who is given it later is someone else."]
        );
    }

    #[test]
    fn of_very_many_ids_the_first_are_told() {
        let parts = (0..12).map(|n| {
            let mut part = Part::new(user(&format!("u{n:02}")));
            part.claims = vec![claim(Evidence::Mail, "a", "a…@acme.example", 20 - n)];
            part
        });
        let told = identities(&profile(parts.collect()), "u00", now());
        assert_eq!(told.len(), LINES + 1);
        assert_eq!(told[LINES], "3 more ids are theirs; the profile says why.");
    }
}
