//! The reads of an event of a very active profile: one with a million events, whose id ledger has some 42,000 blocks.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Identity, PersonId, UserId};
use perennial_engine::RolledBlock;
use perennial_store::Consistency;

use crate::bodies;
use crate::progress::Progress;
use crate::report::{Goal, Row};
use crate::road::Road;

/// Events that the profile has.
const EVENTS: u32 = 1_000_000;
/// Ids of a block of the ledger.
const BLOCK: u32 = 24;
/// Over how long the events came.
const DAYS: i64 = 365;
/// Events that make the profile's window full, so that the ledger counts.
const BEFORE: usize = 90;

/// Returns the rows of this part.
pub(crate) fn rows(progress: &mut Progress) -> Result<Vec<Row>> {
    let mut road = Road::start(bodies::START)?;
    let user = UserId::parse("user-00000000").context("a user id")?;
    let person = Identity::User(user).person_id();
    let mut number = 0;
    for _ in 0..BEFORE {
        send(&mut road, &mut number, "\"timestamp\":", Some(bodies::START))?;
    }
    fill(&road, person, progress)?;
    let now = bodies::START;
    let day_late = now.checked_sub(SignedDuration::from_hours(24))?;
    let cases = [
        ("in time", Some(now.checked_add(SignedDuration::from_secs(60))?)),
        ("a day late", Some(day_late)),
        ("without a time", None),
    ];
    let mut rows = Vec::new();
    for (what, at) in cases {
        road.at(now.checked_add(SignedDuration::from_secs(61))?);
        road.reset()?;
        send(&mut road, &mut number, "\"timestamp\":", at)?;
        let read = road.used()?.usage.dynamodb.read_units;
        let name = format!("a profile of {EVENTS} events: read units of an event {what}");
        rows.push(Row::new(name, Goal::Stated, "", Ok::<_, String>(read)));
    }
    Ok(rows)
}

/// Sends one event, and has it counted.
fn send(road: &mut Road, number: &mut usize, key: &str, at: Option<Timestamp>) -> Result<()> {
    let at = at.map(|at| format!("{key}\"{at:.3}\",")).unwrap_or_default();
    let body = format!(
        "{{\"batch\":[{{\"messageId\":\"active-{number}\",\"type\":\"track\",\"event\":\"Feature Used\",{at}\"userId\":\"user-00000000\"}}]}}"
    );
    *number += 1;
    road.post(&body)?;
    road.score()
}

/// Writes the profile's ledger.
fn fill(road: &Road, person: PersonId, progress: &mut Progress) -> Result<()> {
    let blocks = EVENTS / BLOCK;
    let (store, runtime) = (&road.services.store, &road.services.runtime);
    progress.begin("ledger of a very active profile", (blocks / 1000 + 1) as usize);
    let seconds = DAYS * 86_400;
    for from in (0..blocks).step_by(1000) {
        progress.step("thousand blocks");
        let some = (from..blocks.min(from + 1000)).map(|number| {
            let back = seconds - seconds * i64::from(number) / i64::from(blocks);
            let at = bodies::START.checked_sub(SignedDuration::from_secs(back)).unwrap_or(bodies::START);
            let ids = (0..BLOCK).map(|id| u64::from(number * BLOCK + id)).collect();
            RolledBlock { owner: person, number, ids, at }
        });
        runtime.block_on(store.put_blocks(&some.collect::<Vec<_>>()))?;
    }
    runtime.block_on(async {
        let mut stored = store.follow(person, Consistency::Strong).await?.context("the profile is there")?;
        for part in &mut stored.profile.parts {
            part.seen.blocks = blocks;
        }
        store.save(&mut stored).await?;
        anyhow::Ok(())
    })
}
