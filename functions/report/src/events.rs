//! The reports of events about subscriptions, the texts of survey answers and the day's event catalogue, from the archive: read once for
//! each day, and kept beside it.

use crate::deps::Deps;
use crate::error::ReportError;
use futures::TryStreamExt;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use perennial_config::Config;
use perennial_domain::time::{date_of, day_of, day_of_date};
use perennial_reports::{Answer, Archived, Catalogue, Notice, Surveyed, answer, notice, rules, surveyed};
use perennial_store::archive::undamaged;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// The kind of extracts, and of the facts of accounts that stay when a person is erased: [`Notice`]s.
pub const SUBSCRIPTIONS: &str = "subscriptions";
/// Days after which nothing is added to a day of receipt any more: a message waits in a queue for four days, and as a
/// dead letter for 14 at most.
const CLOSED_AFTER: i64 = 18;

/// The notices of a day of receipt.
#[derive(Debug, Serialize, Deserialize)]
struct Extract {
    /// The rules under which they were read.
    rules: u64,
    /// The objects that the day had.
    objects: u64,
    /// Objects and lines that cannot be read.
    damaged: u64,
    notices: Vec<Notice>,
    /// The day's events; `None` in extracts of earlier versions, which are made again.
    events: Option<Catalogue>,
    /// The texts of the day's survey answers.
    #[serde(default)]
    answers: Vec<Answer>,
    /// The day's answers to the recommendation survey; `None` as above.
    surveys: Option<Vec<Surveyed>>,
}

/// Returns what all events that were received until `at` say; `None` if the run that began at `began` is over before: the next one
/// continues with the days that are not kept yet.
pub(crate) async fn archived(
    deps: &Deps,
    config: &Config,
    at: Timestamp,
    began: Timestamp,
) -> Result<Option<Archived>, ReportError> {
    let mut archived = Archived::default();
    let rules = rules(config);
    let today = date_of(day_of(at));
    let mut days: BTreeSet<Date> = deps.archive.days_of_receipt().await?.into_iter().collect();
    days.extend(deps.archive.days_kept(SUBSCRIPTIONS).await?);
    for day in days.into_iter().filter(|day| *day <= today) {
        let extract = match kept(deps, day, today, rules).await? {
            Some(extract) => extract,
            None if deps.is_over(began) => return Ok(None),
            None => read(deps, config, day, rules).await?,
        };
        archived.ledger.unreadable += extract.damaged;
        extract.notices.into_iter().for_each(|notice| archived.ledger.add(notice));
        archived.answers.extend(extract.answers);
        archived.surveys.extend(extract.surveys.unwrap_or_default());
        if let Some(events) = extract.events {
            archived.catalogue.add_day(day_of_date(day), events, at);
        }
    }
    Ok(Some(archived))
}

/// Returns the kept extract of `day`; `None` if it is to be read again: under other rules, or because objects came since.
async fn kept(deps: &Deps, day: Date, today: Date, rules: u64) -> Result<Option<Extract>, ReportError> {
    let Some(extract) = deps.archive.extract::<Extract>(SUBSCRIPTIONS, day).await? else { return Ok(None) };
    if extract.rules != rules || extract.events.is_none() || extract.surveys.is_none() {
        return Ok(None);
    }
    let is_closed = day.checked_add(CLOSED_AFTER.days()).is_ok_and(|closed| closed < today);
    Ok((is_closed || deps.archive.objects_of(day).await? == extract.objects).then_some(extract))
}

/// Reads the events of a day, and keeps what they say.
async fn read(deps: &Deps, config: &Config, day: Date, rules: u64) -> Result<Extract, ReportError> {
    // Before the events are read: an object that comes meanwhile is read again, rather than missed.
    let objects = deps.archive.objects_of(day).await?;
    let damaged = AtomicU64::new(0);
    // The facts of accounts whose events were erased.
    let erased = deps.archive.kept::<Notice>(SUBSCRIPTIONS, day).await?;
    let (mut notices, mut answers, mut surveys, mut seen) = (erased, Vec::new(), Vec::new(), Catalogue::default());
    {
        let mut events = std::pin::pin!(undamaged(deps.archive.read(day, day).await?, &damaged));
        while let Some(event) = events.try_next().await? {
            notices.extend(notice(config, &event));
            answers.extend(answer(config, &event));
            surveys.extend(surveyed(config, &event));
            seen.add(&event);
        }
    }
    let damaged = damaged.load(Ordering::Relaxed);
    let extract = Extract { rules, objects, damaged, notices, events: Some(seen), answers, surveys: Some(surveys) };
    deps.archive.put_extract(SUBSCRIPTIONS, day, &extract).await?;
    Ok(extract)
}
