//! The weekly digest of a colleague: the retention of their segments, who needs them and why, and what was sent on their behalf.
//!
//! Data come from stored reports and lists, so the cost does not depend on how many profiles there are.

mod lines;

use crate::lists::{self, AccountRow};
use crate::today::{self, Today};
use crate::{ViewError, Views};
use jiff::{SignedDuration, Timestamp};
use perennial_channels::digest;
use perennial_channels::render::Rendered;
use perennial_config::Config;
use perennial_reports::{Name, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// People and accounts of each kind that are shown.
const MOST: usize = 8;
/// The days before a renewal from which it is due.
pub const RENEWAL_DAYS: i64 = 30;

/// A digest, in the words of its mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The colleague or team, as in segments.toml.
    pub owner: String,
    /// The week that it is of.
    pub week: Week,
    /// The most important facts in one line.
    pub preview: String,
    /// The segments that the colleague is in charge of, in the configuration's order.
    pub segments: Vec<SegmentLine>,
    /// The people and accounts that need the colleague, by reason.
    pub needs: Vec<Group>,
    /// The messages of the week, by journey and channel.
    pub sent: Vec<SentLine>,
    /// How to read it, and what is missing.
    pub notes: Vec<String>,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Week {
    /// The ISO week, such as `2026-W49`, in which the digest is sent.
    pub name: String,
    /// The title.
    pub title: String,
    /// The days that are described.
    pub days: String,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentLine {
    /// Its name.
    pub name: String,
    /// Its purpose.
    pub description: String,
    /// Its retention against the target.
    pub retention: String,
    /// `good`, `bad` or `mute`.
    pub tone: String,
    /// Its recurring revenue and how much of it is at risk, by currency.
    pub revenue: Vec<String>,
}

/// People or accounts that need the colleague for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The reason.
    pub title: String,
    /// The most urgent first.
    pub rows: Vec<Row>,
}

/// A person or an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The name.
    pub name: String,
    /// The score, account or date that the reason is about.
    pub facts: String,
    /// The main contribution to the score; empty if none is known.
    pub why: String,
    /// How to reach the person, or that calls are forbidden; empty for accounts.
    pub contact: String,
    /// `bad` if calls are forbidden, else `mute`.
    pub tone: String,
    /// The page for colleagues; empty if none is configured.
    pub link: String,
}

/// The messages of a journey through a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentLine {
    /// The journey.
    pub journey: String,
    /// The channel, in words.
    pub channel: String,
    /// How many were sent, withheld and failed.
    pub result: String,
}

/// A digest with its mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The digest.
    #[serde(flatten)]
    pub digest: Digest,
    /// The subject of the mail.
    pub subject: String,
    /// Its plain text.
    pub text: String,
    /// Its HTML.
    pub html: String,
}

/// The data of a digest.
#[derive(Debug)]
pub struct Source<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The report of retention; `None` before the first run of reports, as for the others.
    pub retention: Option<Report>,
    /// The report of revenue at risk.
    pub risk: Option<Report>,
    /// The report of messages.
    pub messages: Option<Report>,
    /// The people and accounts that need the colleague.
    pub today: Today,
    /// The accounts whose renewal is due, the next one first.
    pub renewals: Vec<AccountRow>,
    /// The time of the digest.
    pub now: Timestamp,
}

impl Digest {
    /// Returns the digest of the colleague who is called `owner`. Days are those of the configuration's time zone.
    pub fn of(owner: &str, source: &Source<'_>) -> Self {
        let segments: Vec<SegmentLine> = lines::segments(owner, source);
        let needs = lines::needs(source);
        let sent = lines::sent(owner, source);
        let today = source.now.to_zoned(source.config.limits.time_zone.clone()).date();
        Self {
            owner: owner.to_owned(),
            week: lines::week(today, source),
            preview: lines::preview(&segments, &needs),
            segments,
            needs,
            sent,
            notes: lines::notes(source),
        }
    }

    /// Returns the mail.
    ///
    /// # Errors
    /// [`ViewError::Invalid`] if it is too long.
    pub fn mail(&self) -> Result<Rendered, ViewError> {
        digest::mail(self).map_err(|error| ViewError::Invalid(format!("the digest cannot be written: {error}")))
    }
}

/// Returns the digest of a colleague with its mail, as it would be now. Sends nothing.
///
/// # Errors
/// [`ViewError::Unknown`] if no segment has the owner, or if the table fails.
pub async fn preview(views: &Views, owner: &str) -> Result<Preview, ViewError> {
    let (config, now) = (views.config.current().await, views.clock.now());
    let owners: BTreeSet<&str> = config.segments.all.iter().filter_map(|segment| segment.owner.as_deref()).collect();
    let Some(owner) = owners.iter().find(|known| known.eq_ignore_ascii_case(owner.trim())).copied() else {
        let owners = owners.into_iter().collect::<Vec<_>>().join(", ");
        return Err(ViewError::Unknown(format!(
            "no segment has the owner `{owner}`; the owners of segments.toml are: {owners}"
        )));
    };
    let report = |name: Name| views.store.report::<Report>(name.as_str(), None);
    let (retention, risk, messages) =
        futures::try_join!(report(Name::Retention), report(Name::Risk), report(Name::Messages))?;
    let today = today::of_owner(views, owner, MOST).await?;
    let renewals = renewals(views, owner, now).await?;
    let digest = Digest::of(owner, &Source { config: &config, retention, risk, messages, today, renewals, now });
    let Rendered { subject, text, html, .. } = digest.mail()?;
    Ok(Preview { digest, subject, text, html: html.unwrap_or_default() })
}

/// Returns the accounts of a colleague whose renewal is due, the next one first, of the first page of their list.
async fn renewals(views: &Views, owner: &str, now: Timestamp) -> Result<Vec<AccountRow>, ViewError> {
    let query = format!("owner={}&limit=500", today::encoded(owner));
    let mut rows = lists::accounts(views, &query).await?.rows;
    let last = now.checked_add(SignedDuration::from_hours(24 * RENEWAL_DAYS)).unwrap_or(Timestamp::MAX);
    rows.retain(|row| row.renews_at.is_some_and(|at| at >= now && at <= last));
    rows.sort_by_key(|row| row.renews_at);
    rows.truncate(MOST);
    Ok(rows)
}

#[cfg(test)]
mod tests;
