//! Ingest's work on bytes: verify, parse, check, write again. Beside it, on the same bytes, the least that sonic-rs needs for the same result.

use std::borrow::Cow;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use perennial_contracts::tracking::{self, Dialect, Received, Route};
use perennial_domain::SourceId;
use ring::hmac;
use serde::{Deserialize, Serialize};
use sonic_rs::LazyValue;

use crate::progress::Progress;
use crate::report::{Goal, Row, median};
use crate::{bodies, callgrind, house};

/// Events of a body.
const EVENTS: usize = 100;
/// Runs of each side, alternating.
const ROUNDS: usize = 21;
/// The shortest duration of one run.
const RUN: Duration = Duration::from_millis(60);
/// The workload that callgrind looks at: [`ours`] without the signature.
pub(crate) const PROBE: &str = "parse";

/// Returns the rows of this part.
pub(crate) fn rows(progress: &mut Progress) -> Result<Vec<Row>> {
    let body = bodies::batch(EVENTS, 3, 0, 0, bodies::START);
    let bytes = body.len() / EVENTS;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a key of the benchmark's own, 32b");
    let tag = hmac::sign(&key, body.as_bytes());
    let verify = |body: &str| hmac::verify(&key, body.as_bytes(), tag.as_ref()).is_ok();
    let mut out = String::with_capacity(2 * body.len());

    progress.begin("parsing", ROUNDS);
    let (mut our_rates, mut ceiling_rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        progress.step("ingest, sonic-rs");
        our_rates.push(rate(|| verify(&body) && ours(&body, &mut out).is_ok())?);
        ceiling_rates.push(rate(|| verify(&body) && ceiling(&body, &mut out).is_ok())?);
    }
    let ratios = our_rates.iter().zip(&ceiling_rates).map(|(ours, ceiling)| ours / ceiling);
    let ratio = median(ratios).context("no run was measured")? * 100.0;
    let ours_per_second = median(our_rates).unwrap_or_default();
    let ceiling_per_second = median(ceiling_rates).unwrap_or_default();
    let instructions = callgrind::instructions_each(PROBE, 20, EVENTS as u64).map_err(|error| format!("{error:#}"));
    Ok(vec![
        Row::new(
            "ingest: verify, parse, write again, against sonic-rs",
            Goal::AtLeast(80.0),
            " %",
            Ok::<_, String>(ratio),
        )
        .note(format!(
            "{:.2} M events/s a core against {:.2} M, {bytes} B an event, batch of {EVENTS}",
            ours_per_second / 1e6,
            ceiling_per_second / 1e6
        )),
        Row::new(
            "ingest: parse, write again, without the signature",
            Goal::AtMost(13.0),
            " k instr/event",
            instructions.map(|n| n / 1e3),
        ),
    ])
}

/// Events a second of `work`, which does [`EVENTS`] of them.
fn rate(mut work: impl FnMut() -> bool) -> Result<f64> {
    let started = Instant::now();
    let mut done = 0.0;
    while started.elapsed() < RUN {
        ensure!(black_box(work()), "the workload fails");
        done += EVENTS as f64;
    }
    Ok(done / started.elapsed().as_secs_f64())
}

/// Does what ingest does between a body's bytes and the queue's: all of its events, validated and in the queue's
/// format.
fn ours(body: &str, out: &mut String) -> Result<()> {
    out.clear();
    let read = tracking::read(Route::Batch(Dialect::Segment), body).ok().context("the body cannot be read")?;
    let mut received = Received::new(SourceId::parse("bench")?, house::now(), read.sent_at(), [0; 16]);
    let mut accepted = Vec::with_capacity(read.items.len());
    for item in &read.items {
        item.accept(&mut received, out, &mut accepted).ok().context("an event is refused")?;
    }
    black_box(accepted);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeastBody<'a> {
    #[serde(borrow)]
    batch: Vec<LeastCall<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LeastCall<'a> {
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    properties: LazyValue<'a>,
    #[serde(borrow)]
    context: LazyValue<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LeastEvent<'a> {
    message_id: &'a str,
    r#type: &'a str,
    user_id: &'a str,
    timestamp: &'a str,
    original_timestamp: &'a str,
    received_at: &'a str,
    source: &'a str,
    event: &'a str,
    properties: &'a LazyValue<'a>,
    context: &'a LazyValue<'a>,
}

/// The least: borrowed fields, properties and context taken over unread, times checked and not corrected, no ids but non-empty ones.
fn ceiling(body: &str, out: &mut String) -> Result<()> {
    out.clear();
    let body: LeastBody<'_> = sonic_rs::from_str(body)?;
    let mut bytes = std::mem::take(out).into_bytes();
    for call in &body.batch {
        if call.message_id.is_empty() || call.user_id.is_empty() || call.event.is_empty() || call.r#type != "track" {
            bail!("an event is refused");
        }
        black_box(call.timestamp.parse::<jiff::Timestamp>()?);
        let event = LeastEvent {
            message_id: &call.message_id,
            r#type: &call.r#type,
            user_id: &call.user_id,
            timestamp: &call.timestamp,
            original_timestamp: &call.timestamp,
            received_at: "2026-01-01T00:00:10Z",
            source: "bench",
            event: &call.event,
            properties: &call.properties,
            context: &call.context,
        };
        sonic_rs::to_writer(&mut bytes, &event)?;
    }
    *out = String::from_utf8(bytes)?;
    Ok(())
}

/// Performs the probe's workload.
pub(crate) fn probe(times: u64) -> Result<()> {
    let body = bodies::batch(EVENTS, 3, 0, 0, bodies::START);
    let mut out = String::with_capacity(2 * body.len());
    for _ in 0..times {
        ours(black_box(&body), &mut out)?;
    }
    Ok(())
}
