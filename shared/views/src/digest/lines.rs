//! The parts of a digest, in words.

use super::{Group, RENEWAL_DAYS, Row, SegmentLine, SentLine, Source, Week};
use crate::lists::AccountRow;
use crate::today::{AccountCall, PersonCall, may_call};
use crate::words::{capital, counted, money, plain};
use jiff::ToSpan;
use jiff::civil::Date;
use perennial_domain::Likelihood;
use perennial_reports::{Cell, Report, shown};

/// Returns the week of a digest that is sent on `today`: it describes the seven closed days before the reports.
pub(super) fn week(today: Date, source: &Source<'_>) -> Week {
    let last = source.messages.as_ref().map_or(today, |report| report.to).yesterday().unwrap_or(today);
    let first = last.checked_sub(6.days()).unwrap_or(last);
    let iso = today.iso_week_date();
    Week {
        name: format!("{}-W{:02}", iso.year(), iso.week()),
        title: format!("Week {}", iso.week()),
        days: format!("{} to {}", first.strftime("%a %-d %b"), last.strftime("%a %-d %b %Y")),
    }
}

/// Returns the segments of a colleague, in the configuration's order.
pub(super) fn segments(owner: &str, source: &Source<'_>) -> Vec<SegmentLine> {
    let own = source.config.segments.all.iter().filter(|segment| segment.owner.as_deref() == Some(owner));
    let line = |segment: &perennial_config::segments::Segment| {
        let (retention, tone) = retention(&segment.name, segment.retention_target, source.retention.as_ref());
        SegmentLine {
            name: capital(&plain(&segment.name)),
            description: segment.description.clone(),
            retention,
            tone: tone.to_owned(),
            revenue: revenue(&segment.name, source.risk.as_ref()),
        }
    };
    own.map(line).collect()
}

/// Returns the rows of a segment in the first table of a report.
fn rows<'r>(report: Option<&'r Report>, table: &'r str, first: &'r str) -> impl Iterator<Item = &'r Vec<Cell>> {
    let tables = report.into_iter().flat_map(|report| &report.tables).filter(move |of| of.name == table);
    tables.flat_map(|table| &table.rows).filter(move |row| row.first() == Some(&Cell::text(first)))
}

/// Returns a segment's retention against its target, and the tone of that.
fn retention(segment: &str, target: Option<u8>, report: Option<&Report>) -> (String, &'static str) {
    let Some(target) = target else { return ("No retention target is set.".to_owned(), "mute") };
    let row = rows(report, "segments", segment).next().map(Vec::as_slice);
    let Some([_, days, _, Cell::Count(then), Cell::Count(now), share, _]) = row else {
        return (format!("Target {target} %: too little history to compare."), "mute");
    };
    let reaches = u128::from(*now) * 100 >= u128::from(*then) * u128::from(target);
    let verdict = if reaches { "on target" } else { "below target" };
    let text = format!(
        "{} of {then} stayed over {} days: {}, target {target} %, {verdict}.",
        now,
        shown::text(days),
        shown::text(share)
    );
    (text, if reaches { "good" } else { "bad" })
}

/// Returns a segment's recurring revenue, a line for each currency.
fn revenue(segment: &str, report: Option<&Report>) -> Vec<String> {
    let lines = rows(report, "segments", segment).filter_map(|row| match row.as_slice() {
        [_, _, _, Cell::Money { minor, currency }, _, Cell::Money { minor: at_risk, .. }, ..] if *minor > 0 => {
            Some(format!("{} a month, {} of it at risk", money(*minor, *currency), money(*at_risk, *currency)))
        }
        _ => None,
    });
    lines.collect()
}

/// Returns who needs the colleague, by reason.
pub(super) fn needs(source: &Source<'_>) -> Vec<Group> {
    let today = &source.today;
    let group = |title: String, rows: Vec<Row>| Group { title, rows };
    let health = |call: &AccountCall| {
        let health = call.row.health.map_or_else(String::new, |health| format!("health {}", health.get()));
        account(&call.row, health, &call.because)
    };
    let ready =
        |call: &AccountCall| account(&call.row, format!("readiness {}", call.row.readiness.get()), &call.because);
    let renewal = |row: &AccountRow| {
        let zone = source.config.limits.time_zone.clone();
        let day = row.renews_at.map(|at| at.to_zoned(zone).strftime("renews on %a %-d %b %Y").to_string());
        account(row, day.unwrap_or_default(), "")
    };
    vec![
        group("Accounts at risk".to_owned(), today.unhealthy.iter().map(health).collect()),
        group("People who may leave".to_owned(), today.leaving.iter().map(|call| person(call, source)).collect()),
        group(format!("Renewals within {RENEWAL_DAYS} days"), source.renewals.iter().map(renewal).collect()),
        group("Accounts ready to buy".to_owned(), today.ready.iter().map(ready).collect()),
    ]
}

fn account(row: &AccountRow, fact: String, why: &str) -> Row {
    let value = row.value.zip(row.currency).map(|(value, currency)| format!("{} a year", money(value, currency)));
    let facts: Vec<String> = [fact].into_iter().filter(|fact| !fact.is_empty()).chain(value).collect();
    Row {
        name: row.name.clone().unwrap_or_else(|| row.id.to_string()),
        facts: facts.join(", "),
        why: why.to_owned(),
        contact: String::new(),
        tone: "mute".to_owned(),
        link: String::new(),
    }
}

fn person(call: &PersonCall, source: &Source<'_>) -> Row {
    let row = &call.row;
    let name = row.name.as_ref().or(row.email.as_ref()).or(row.identity.as_ref());
    let churn = row.scores.get(Likelihood::Churn).map(|churn| format!("churn {}", churn.get()));
    let company = row.company.clone().or_else(|| row.account.as_ref().map(ToString::to_string));
    let may_call = may_call(source.config, row);
    // Never a number beside a ban, wherever it comes from.
    let phone = call.phone.as_deref().filter(|_| may_call).map(|phone| format!("Phone {phone}"));
    let contact = if may_call { phone.unwrap_or_default() } else { "Do not call: a segment forbids it.".to_owned() };
    Row {
        name: name.cloned().unwrap_or_else(|| row.id.to_string()),
        facts: churn.into_iter().chain(company).collect::<Vec<_>>().join(", "),
        why: call.because.clone(),
        contact,
        tone: if may_call { "mute" } else { "bad" }.to_owned(),
        link: source.config.channels.page_of(row.id).unwrap_or_default(),
    }
}

/// Returns the messages of the week to people of the colleague's segments.
pub(super) fn sent(owner: &str, source: &Source<'_>) -> Vec<SentLine> {
    let lines = rows(source.messages.as_ref(), "owners", owner).filter_map(|row| {
        let [_, Cell::Text(journey), Cell::Text(channel), counts @ ..] = row.as_slice() else { return None };
        let named = ["sent", "withheld", "failed", "under way"].into_iter().zip(counts);
        let counts = named.filter_map(|(name, cell)| match cell {
            Cell::Count(count) if *count > 0 => Some(format!("{count} {name}")),
            _ => None,
        });
        let channel = match channel.as_str() {
            "mail" => "mails",
            "in_app" => "messages in the product",
            _ => "tasks and calls of webhooks",
        };
        let journey = capital(&plain(journey));
        Some(SentLine { journey, channel: channel.to_owned(), result: counts.collect::<Vec<_>>().join(", ") })
    });
    lines.collect()
}

/// Returns the most important facts in one line.
pub(super) fn preview(segments: &[SegmentLine], needs: &[Group]) -> String {
    let needed: u64 = needs.iter().map(|group| group.rows.len() as u64).sum();
    let below = segments.iter().filter(|segment| segment.tone == "bad").count() as u64;
    let of_needs = match needed {
        0 => "nobody needs you".to_owned(),
        1 => "1 needs you".to_owned(),
        needed => format!("{needed} need you"),
    };
    match below {
        0 => of_needs,
        below => format!("{of_needs}, {} below target", counted(below, "segment", "segments")),
    }
}

/// Returns how to read the digest, and what is missing.
pub(super) fn notes(source: &Source<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    match &source.messages {
        Some(report) => {
            let at = report.at.to_zoned(source.config.limits.time_zone.clone());
            notes.push(format!("Figures are those of the reports of {}.", at.strftime("%a %-d %b %Y %H:%M %Z")));
        }
        None => notes.push("The reports were not made yet: retention, revenue and messages are missing.".to_owned()),
    }
    if source.config.channels.person_page.is_none() {
        notes.push("For links to people, set person_page in channels.toml.".to_owned());
    }
    notes
}
