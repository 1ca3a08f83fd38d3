//! Exports everything about a person, as one JSON document.

use super::Operated;
use super::erase::{Asked, Progress, traces};
use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use perennial_domain::{Event, PersonId};
use perennial_engine::Part;
use perennial_engine::instant::timestamp;
use perennial_engine::register::Register;
use perennial_store::audit::AuditEntry;
use perennial_store::preferences::{Choice, Preferences};
use perennial_store::traces::{Subject, Trace, Traces};
use perennial_store::{Consistency, keys};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// Objects of the archive that are read at once.
const CONCURRENCY: usize = 8;

/// Writes everything about the person: the profile as the api shows it, its identity states as stored, messages,
/// preferences and suppressions, accounts, rejects that name them, and last, streamed, every archived event. Returns
/// the number of events.
///
/// # Errors
/// If a service fails, `out` cannot be written, or nothing at all is known of them.
pub(crate) async fn export(
    operated: &Operated,
    asked: &Asked,
    tell: &(dyn Fn(Progress) + Sync),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<u64> {
    let subject = asked.subject();
    let mut document = Map::new();
    document.insert("exported_at".to_owned(), json!(operated.now()));
    document.insert("stack".to_owned(), json!(operated.name));
    let person = asked.person().filter(|_| asked.has_profile());
    if let Some(person) = person {
        if asked.is_unreadable() {
            // The rest is known all the same.
            document.insert("profile".to_owned(), json!({ "error": "the profile cannot be read" }));
        } else {
            readable(operated, person, &mut document).await?;
        }
    }
    let Traces { found, unreadable } = traces(operated, subject, tell).await?;
    let has_any = person.is_some() || !found.is_empty();
    let (messages, unreadable_messages) = messages(operated, &subject.people).await?;
    document.insert("messages".to_owned(), messages);
    let (updates, unreadable_updates) = updates(operated, &subject.people).await?;
    document.insert("crm_updates".to_owned(), updates);
    let unreadable = unreadable + unreadable_messages + unreadable_updates;
    document.insert("addresses".to_owned(), addresses(operated, subject).await?);
    document.insert("mail_choices".to_owned(), choices(operated, &subject.people).await?);
    let (traces, unreadable_traces) = in_the_table(operated, found).await?;
    document.extend(traces);
    let unreadable = unreadable + unreadable_traces;
    if unreadable > 0 {
        document.insert("unreadable_items".to_owned(), json!(unreadable));
    }
    let mut text = serde_json::to_string_pretty(&document)?;
    // The document is open until all events are in it.
    text.truncate(text.trim_end_matches(['\n', '}']).len());
    write!(out, "{text},\n  \"archive\": [")?;
    let (events, unreadable) = archived(operated, asked, tell, out).await?;
    let unreadable =
        if unreadable > 0 { format!(",\n  \"unreadable_in_archive\": {unreadable}") } else { String::new() };
    writeln!(out, "\n  ]{unreadable}\n}}")?;
    out.flush()?;
    anyhow::ensure!(has_any || events > 0, "nothing is stored about them: no profile, no message, no event");
    Ok(events)
}

/// Adds the content of the profile.
async fn readable(operated: &Operated, person: PersonId, document: &mut Map<String, Value>) -> anyhow::Result<()> {
    document.insert("profile".to_owned(), profile(operated, person).await?);
    let stored = operated.store.follow(person, Consistency::Strong).await?.context("the person is gone")?;
    document.insert("parts".to_owned(), stored.profile.parts.iter().map(part).collect());
    document.insert("pending".to_owned(), json!(stored.profile.outbox));
    Ok(())
}

async fn profile(operated: &Operated, person: PersonId) -> anyhow::Result<Value> {
    let path = format!("/api/profiles/{}", utf8_percent_encode(&person.to_string(), NON_ALPHANUMERIC));
    let (status, answer) = operated.ask(&Method::GET, &path, None).await?;
    anyhow::ensure!(status.is_success(), "the profile could not be shown ({status})");
    Ok(serde_json::from_slice(&answer)?)
}

/// Returns the identity state of one identity of the profile. Journeys, segments, experiments and scores are the
/// profile's own.
fn part(part: &Part) -> Value {
    let state = &part.state;
    let written = |register: &Register| {
        let value = serde_json::from_str::<Value>(&register.value).unwrap_or(Value::Null);
        json!({ "value": value, "at": timestamp(register.at) })
    };
    let traits = state.traits.iter().map(|(name, register)| (name.clone(), written(register)));
    let once = state.once.iter().map(|(name, once)| {
        let said = [Some(&once.first), once.last.as_ref()].into_iter().flatten();
        (name.clone(), said.map(written).collect())
    });
    json!({
        "identity": part.identity,
        "person": part.owner(),
        "links": part.links,
        "claims": part.claims,
        "notes": part.notes,
        "first_seen": state.seen.map(|seen| seen.first_at()),
        "last_seen": state.seen.map(|seen| seen.last_at()),
        "traits": traits.collect::<Map<_, _>>(),
        "traits_set_once": once.collect::<Map<_, _>>(),
        "traits_not_kept": state.dropped_traits().collect::<Vec<_>>(),
        // Less is kept of the identity than usual, as the profile would not fit into an item.
        "reduced": state.room.is_reduced(),
        "counts": state.counts.iter().collect::<BTreeMap<_, _>>(),
        "events": state.counts.total(),
        "tallies": state.tallies,
        "milestones": state.milestones.iter().map(|(name, span)| json!([name, span.first_at(), span.last_at()])).collect::<Vec<_>>(),
        "revenue": state.revenues(),
        "subscriptions": state.billing.subscriptions.values().collect::<Vec<_>>(),
        "payments": state.billing.payments.values().collect::<Vec<_>>(),
        "refunds": state.billing.refunds.values().collect::<Vec<_>>(),
        "memberships": state.memberships,
        "survey": state.nps.map(|answer| json!({ "answer": answer.points, "at": timestamp(answer.at) })),
    })
}

/// Their messages, and how many of them cannot be read.
async fn messages(operated: &Operated, people: &BTreeSet<PersonId>) -> anyhow::Result<(Value, u64)> {
    let (mut all, mut unreadable) = (Vec::new(), 0);
    for person in people {
        let found = operated.store.messages(*person).await?;
        all.extend(found.items);
        unreadable += found.unreadable;
    }
    all.sort_by_key(|record| record.decided_at);
    Ok((json!(all), unreadable))
}

/// The updates of their contacts in the CRM, and how many of them cannot be read.
async fn updates(operated: &Operated, people: &BTreeSet<PersonId>) -> anyhow::Result<(Value, u64)> {
    let (mut all, mut unreadable) = (Vec::new(), 0);
    for person in people {
        let found = operated.store.updates(&perennial_domain::Subject::Person(*person)).await?;
        all.extend(found.items);
        unreadable += found.unreadable;
    }
    all.sort_by_key(|record| record.decided_at);
    Ok((json!(all), unreadable))
}

/// Returns the state of each mail address: whether mails are sent to it, and its reader's preferences.
async fn addresses(operated: &Operated, subject: &Subject) -> anyhow::Result<Value> {
    let mut all = BTreeMap::new();
    for address in &subject.addresses {
        let known = operated.store.preferences_of(address).await?;
        all.insert(address.clone(), shown(&known));
    }
    Ok(json!(all))
}

/// Returns the mail preferences of each of their identities, for any address.
async fn choices(operated: &Operated, people: &BTreeSet<PersonId>) -> anyhow::Result<Value> {
    let mut all = BTreeMap::new();
    for person in people {
        let known = operated.store.wishes(*person).await?;
        if known != Preferences::default() {
            all.insert(person.to_string(), shown(&known));
        }
    }
    Ok(json!(all))
}

fn shown(known: &Preferences) -> Value {
    let suppressed = known.suppression.map(|found| json!({ "why": found.reason, "since": found.since }));
    let choices = |choices: &BTreeMap<String, Choice>| -> Map<String, Value> {
        let shown = |choice: &Choice| json!({ "wants": choice.wants, "since": choice.since });
        choices.iter().map(|(name, choice)| (name.clone(), shown(choice))).collect()
    };
    let mut shown =
        json!({ "suppressed": suppressed, "held_until": known.held_until, "topics": choices(&known.topics) });
    if !known.confirmed.is_empty() {
        // By the hash of each address.
        shown["confirmed_addresses"] = choices(&known.confirmed).into();
    }
    shown
}

/// Where they are found beside their own partitions, and how many of these items cannot be read.
async fn in_the_table(operated: &Operated, traces: BTreeSet<Trace>) -> anyhow::Result<(Map<String, Value>, u64)> {
    let (mut accounts, mut found_by, mut rejects) = (BTreeSet::new(), Vec::new(), Vec::new());
    let (mut lists, mut blocks, mut unreadable) = (Vec::new(), 0_u64, 0_u64);
    let mut looks = Vec::new();
    for trace in traces {
        match trace {
            Trace::Own { sk, .. } => blocks += u64::from(sk.starts_with(keys::LEDGER)),
            Trace::Member { account, .. } | Trace::LeadingBuyer { account } => {
                accounts.insert(account);
            }
            Trace::Pointer { pk } => found_by.push(pk),
            Trace::Listed { pk, sk } => lists.push(format!("{pk} {sk}")),
            Trace::Reject { pk, id } => match operated.store.reject(&pk, &id).await {
                Err(error) if error.is_unreadable() => unreadable += 1,
                read => rejects.extend(read?),
            },
            Trace::Noted { pk, sk } => match operated.store.audit_entry(&pk, &sk).await {
                Err(error) if error.is_unreadable() => unreadable += 1,
                read => looks.extend(read?.as_ref().map(look)),
            },
            // It is the other one's profile.
            Trace::Link { .. } => {}
        }
    }
    let all = [
        ("accounts", json!(accounts)),
        // Kinds and hashes of the values: nothing else is stored there.
        ("found_by", json!(found_by)),
        // Entries of lists, and what is left of those that it has left: each by its list and its place there.
        ("lists", json!(lists)),
        // Hashes of message ids of old events, which identify repeats.
        ("ledger_blocks", json!(blocks)),
        ("rejected_events", json!(rejects)),
        ("audit_log", json!(looks)),
    ];
    Ok((all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(), unreadable))
}

/// Returns an entry of the audit log as the person may see it: when and what, and the role of the colleague, whose name is
/// not the person's data.
fn look(entry: &AuditEntry) -> Value {
    json!({ "at": entry.at, "kind": entry.kind, "what": entry.what, "role": entry.actor.role, "before": entry.before, "after": entry.after })
}

/// Writes each archived event, and what was said of the person by hand, on a line of its own. Returns how many those are, and how many objects and lines of
/// the archive, which may be theirs, cannot be read.
async fn archived(
    operated: &Operated,
    asked: &Asked,
    tell: &(dyn Fn(Progress) + Sync),
    out: &mut (dyn Write + Send),
) -> anyhow::Result<(u64, u64)> {
    let archive = &operated.archive;
    let objects = archive.objects_since(asked.from()).await?;
    let total = objects.len() as u64;
    let shares = stream::iter(objects).map(|object| async move { archive.share(&object, asked.subject()).await });
    let mut shares = std::pin::pin!(shares.buffered(CONCURRENCY));
    let (mut events, mut unreadable, mut done) = (0, 0, 0);
    // In another batching an event may stand twice.
    let mut seen = BTreeSet::new();
    while let Some(share) = shares.try_next().await? {
        done += 1;
        tell(Progress::Archive(done, total));
        unreadable += share.unreadable;
        let is_new = |event: &&Event| seen.insert((event.source.clone(), event.message_id.clone()));
        let lines = share.events.iter().filter(is_new).map(serde_json::to_string);
        let lines =
            lines.chain(share.unmerges.iter().map(|unmerge| serde_json::to_string(&json!({ "unmerge": unmerge }))));
        for line in lines {
            let comma = if events == 0 { "" } else { "," };
            write!(out, "{comma}\n    {}", line?)?;
            events += 1;
        }
    }
    Ok((events, unreadable))
}
