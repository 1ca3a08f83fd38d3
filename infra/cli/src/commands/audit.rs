//! `perennial audit`

use super::client::Target;
use super::tables::framed;
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_domain::time;
use perennial_lambda_kit::Clock;
use perennial_store::audit::{AuditEntry, AuditKind};
use perennial_views::words::counted;
use serde::Serialize;
use std::process::ExitCode;

/// Entries of one query.
const PAGE: usize = 500;

/// Which day.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The dashboard notes each read of personal data before it shows it, and each act before and after it. Profiles appear by their ids only. \
    Entries are kept for 400 days, or as long as AUDIT_DAYS of the dashboard says.\n\n  \
    perennial audit                          what was read and changed today, in UTC\n  \
    perennial audit --day 2026-03-01 --json | jq '.entries[] | select(.kind == \"act\")'"
)]
pub(super) struct Args {
    /// The UTC day, such as 2026-01-31; default: today.
    #[arg(long, value_name = "DAY")]
    day: Option<Date>,
    /// The number of entries, the newest first.
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// Print the entries as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Serialize)]
struct Found {
    day: Date,
    /// The newest first.
    entries: Vec<AuditEntry>,
    /// Entries that cannot be read.
    unreadable: u64,
    /// `true` if the day has more than were asked for.
    more: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let operated = args.target.operated().await?;
    let day = args.day.unwrap_or_else(|| today(Clock::system().now()));
    let mut found = Found { day, entries: Vec::new(), unreadable: 0, more: false };
    let mut after = None;
    loop {
        let wanted = (args.limit - found.entries.len()).min(PAGE);
        if wanted == 0 {
            found.more = after.is_some();
            break;
        }
        let page = operated.store.audit(day, wanted, after.as_deref()).await?;
        found.entries.extend(page.entries);
        found.unreadable += page.unreadable;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", shown(&found));
    }
    Ok(ExitCode::SUCCESS)
}

fn today(now: Timestamp) -> Date {
    time::date_of(time::day_of(now))
}

fn shown(found: &Found) -> String {
    let mut out = String::new();
    if found.entries.is_empty() {
        out += &format!("Nothing was noted on {}.\n", found.day);
    } else {
        let mut table = framed(&["when (UTC)", "who", "role", "what", "rows", "profiles", "before and after"]);
        for entry in &found.entries {
            table.add_row(cells(entry));
        }
        out += &format!("{table}\n");
    }
    if found.unreadable > 0 {
        out += &format!("{} cannot be read.\n", counted(found.unreadable, "entry", "entries"));
    }
    if found.more {
        out += "The day has more; --limit shows them.\n";
    }
    out
}

fn cells(entry: &AuditEntry) -> [String; 7] {
    let people = match entry.people.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let change = match (&entry.before, &entry.after) {
        (Some(before), Some(after)) => format!("{before} -> {after}"),
        (Some(before), None) => format!("{before} -> result unknown"),
        _ => String::new(),
    };
    let kind = if entry.kind == AuditKind::Act { "changed" } else { "read" };
    [
        entry.at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M:%S").to_string(),
        format!("{} ({})", entry.actor.name, entry.actor.subject),
        entry.actor.role.clone(),
        format!("{kind} {}", entry.what),
        if entry.rows > 0 { entry.rows.to_string() } else { String::new() },
        people,
        change,
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use perennial_domain::PersonId;
    use perennial_store::audit::Actor;

    #[test]
    fn reads_and_acts_are_listed_with_who_and_what() {
        let entry = AuditEntry {
            at: "2026-03-01T08:15:30.25Z".parse().unwrap(),
            id: "a".to_owned(),
            actor: Actor { subject: "u-1".to_owned(), name: "Eve".to_owned(), role: "operator".to_owned() },
            kind: AuditKind::Read,
            what: "/people?search=hidden".to_owned(),
            people: vec![PersonId::derive(&[b"user", b"ada"]), PersonId::derive(&[b"user", b"bob"])],
            rows: 2,
            before: None,
            after: None,
        };
        let (before, what) = (Some("12 dead letters".to_owned()), "redrive queue events".to_owned());
        let act = AuditEntry { kind: AuditKind::Act, what, people: Vec::new(), rows: 0, before, ..entry.clone() };
        let done = AuditEntry { after: Some("12 moved back to the queue".to_owned()), ..act.clone() };
        let found =
            Found { day: "2026-03-01".parse().unwrap(), entries: vec![done, act, entry], unreadable: 1, more: true };
        insta::assert_snapshot!(shown(&found));
        assert_eq!(today("2026-03-01T23:59:59Z".parse().unwrap()), found.day);
    }
}
