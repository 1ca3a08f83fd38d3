//! Pacing: mails are sent at the account's rate, whichever instance sends them, and wait without an attempt if the rate
//! is used up.
//!
//! The rate and the quota are what SES's `GetAccount` says, asked for every five minutes. All instances share one line in the table, see
//! [`perennial_store::pace`]: each batch reserves a place for each of its mails in one write. A mail whose place is more than a second ahead waits
//! in the queue until then and goes out without another reservation. Bulk mails get nine tenths of the rate; essential mails may use all of it, and
//! bulk mails give way to them.
//!
//! A mail that has to wait costs its queue and nothing else: whether there is room is known before its profile is read. A place is reserved only for a
//! mail that was rendered, so one that fails uses up neither rate nor ramp.

use crate::error::DeliverError;
use crate::jitter;
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use perennial_channels::account::{Allowance, NotRead};
use perennial_channels::mail::Mailer;
use perennial_config::warm_up::WarmUp;
use perennial_contracts::queue::Slot;
use perennial_domain::DecisionId;
use perennial_domain::time::{self, DAY_SECONDS};
use perennial_store::Store;
use perennial_store::pace::{Lane, Line, Reserved};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long the account's limits are cached.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The same where the daily quota is nearly used up, or SES gave no answer.
const FRESH_WHEN_SCARCE: SignedDuration = SignedDuration::from_secs(30);
/// One part in this many of rate and quota is reserved for essential mails.
const ESSENTIAL_SHARE: u32 = 10;
/// How far ahead places of bulk mails are reserved: as long as SQS delays a message.
const HORIZON: SignedDuration = SignedDuration::from_mins(15);
/// A place that is no further ahead is used at once: SES allows short bursts, and SQS counts delays in seconds.
const EARLY: SignedDuration = SignedDuration::from_secs(1);
/// A place that is longer ago is not used any more: where many are, they would make a burst.
const LATE: SignedDuration = SignedDuration::from_mins(1);
/// How long the state of the line is cached.
const LINE_FRESH: SignedDuration = SignedDuration::from_secs(1);
/// When to look at a used-up quota again.
const QUOTA_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// Reads the limits of the mail service's account.
pub trait MailAccount: Send + Sync {
    /// Its rate and quota.
    fn allowance(&self) -> BoxFuture<'_, Result<Allowance, NotRead>>;
}

impl MailAccount for Mailer {
    fn allowance(&self) -> BoxFuture<'_, Result<Allowance, NotRead>> {
        async move { Ok(self.account().await?.allowance) }.boxed()
    }
}

/// A mail's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It is sent now.
    Now,
    /// Its place is reserved for later.
    At(Slot),
    /// There is no place: ask again at that moment.
    Later(Timestamp),
}

/// A request for a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    /// The mail.
    pub(crate) id: DecisionId,
    /// Its lane.
    pub(crate) lane: Lane,
    /// A place that was reserved for it before.
    pub(crate) slot: Option<Slot>,
    /// The ramp of a new sender.
    pub(crate) warm_up: Option<&'a WarmUp>,
    /// When it is.
    pub(crate) now: Timestamp,
}

impl Asking<'_> {
    /// The place that was reserved for the mail, unless it is too long ago.
    pub(crate) fn place(&self) -> Option<Slot> {
        self.slot.filter(|slot| self.now.duration_since(slot.at) < LATE)
    }
}

/// The pace of this process.
pub(crate) struct Pace {
    account: Arc<dyn MailAccount>,
    /// The account's limits, and when they were read. Locked while they are read, so that a batch reads them once.
    known: tokio::sync::Mutex<Option<(Timestamp, Option<Allowance>)>>,
    /// Mails sent by this process since the limits were read.
    taken: AtomicU64,
    /// SES refused a mail for its quota: none is tried before.
    hold: Mutex<Option<Timestamp>>,
    /// Mails of the current batch without a place, by lane.
    in_hand: [AtomicU32; 2],
    /// Places that were reserved with another mail's. Held while some are reserved, so that a batch reserves once.
    spare: [tokio::sync::Mutex<VecDeque<Slot>>; 2],
    /// The last known state of the line, which never moves back.
    line: Mutex<Option<(Timestamp, Line)>>,
}

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace").finish_non_exhaustive()
    }
}

/// A mail of the batch that may ask for a place.
pub(crate) struct InHand<'a>(&'a AtomicU32);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn index(lane: Lane) -> usize {
    match lane {
        Lane::Bulk => 0,
        Lane::Essential => 1,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pace {
    pub(crate) fn new(account: Arc<dyn MailAccount>) -> Self {
        Self {
            account,
            known: tokio::sync::Mutex::default(),
            taken: AtomicU64::default(),
            hold: Mutex::default(),
            in_hand: Default::default(),
            spare: Default::default(),
            line: Mutex::default(),
        }
    }

    /// Records that a mail of `lane` is in progress and may request a place. Places for all such mails are reserved in
    /// one write.
    pub(crate) fn enter(&self, lane: Lane) -> InHand<'_> {
        let count = &self.in_hand[index(lane)];
        count.fetch_add(1, Ordering::Relaxed);
        InHand(count)
    }

    /// Records that SES accepted no mail because the quota is used up, and that no mail should be tried before `until`.
    pub(crate) fn hold(&self, until: Timestamp) {
        *lock(&self.hold) = Some(until);
    }

    /// Returns when a mail is to be tried that cannot go out now, whatever it says; `None` where it may have room. Reserves nothing.
    ///
    /// # Errors
    /// [`DeliverError::Store`] where the table does not answer.
    pub(crate) async fn wait(&self, store: &Store, asking: &Asking<'_>) -> Result<Option<Turn>, DeliverError> {
        let now = asking.now;
        if let Some(until) = lock(&self.hold).filter(|until| *until > now) {
            return Ok(Some(Turn::Later(until + jitter::up_to(SignedDuration::from_mins(5), &asking.id, now))));
        }
        let Some(allowance) = self.allowance(now).await else { return Ok(None) };
        if let Some(turn) = used_up(&allowance, asking) {
            return Ok(Some(turn));
        }
        if allowance.per_second.is_none() {
            return Ok(None);
        }
        if let Some(place) = asking.place() {
            let place = self.moved(store, place, asking).await?;
            return Ok((!is_near(place, now)).then_some(Turn::At(place)));
        }
        let is_full = asking.lane == Lane::Bulk && self.is_full(now) && !self.has_spare(asking.lane, now).await;
        Ok(is_full.then(|| Turn::Later(after_horizon(now, &asking.id))))
    }

    /// Finds out when a mail may go out, and reserves its place.
    ///
    /// # Errors
    /// [`DeliverError::Store`] where the table does not answer.
    pub(crate) async fn turn(&self, store: &Store, asking: &Asking<'_>) -> Result<Turn, DeliverError> {
        if let Some(turn) = self.wait(store, asking).await? {
            return Ok(turn);
        }
        let allowance = self.allowance(asking.now).await;
        // Another mail of the batch may have taken the last of it.
        if let Some(turn) = allowance.and_then(|allowance| used_up(&allowance, asking)) {
            return Ok(turn);
        }
        // Counted at once, so that the others of the batch see it, and taken back where it does not go out now.
        self.taken.fetch_add(1, Ordering::Relaxed);
        let turn = self.placed(store, asking, allowance).await;
        if !matches!(turn, Ok(Turn::Now)) {
            // A new request for the account's quota may have restarted the count.
            self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| taken.checked_sub(1)).ok();
        }
        turn
    }

    /// Returns the mail's turn by rate and ramp, if the quota has room for it.
    async fn placed(
        &self,
        store: &Store,
        asking: &Asking<'_>,
        allowance: Option<Allowance>,
    ) -> Result<Turn, DeliverError> {
        let now = asking.now;
        let turn = match allowance.and_then(|allowance| allowance.per_second) {
            Some(rate) => self.in_line(store, asking, rate).await?,
            None => Turn::Now,
        };
        if let (Turn::Now, Lane::Bulk, Some(ramp)) = (turn, asking.lane, asking.warm_up)
            && let Some((day, most)) = ramp.limit_at(now)
            && !store.count_ramp(day, most, now).await?
        {
            return Ok(Turn::Later(tomorrow(now, &asking.id)));
        }
        Ok(turn)
    }

    /// Returns the account's limits; `None` if they are unknown, and SES has to decide mail by mail.
    async fn allowance(&self, now: Timestamp) -> Option<Allowance> {
        let mut known = self.known.lock().await;
        let with_taken = |allowance: Option<Allowance>| {
            let taken = self.taken.load(Ordering::Relaxed);
            allowance.map(|allowance| Allowance { sent: allowance.sent.saturating_add(taken), ..allowance })
        };
        if let Some((at, allowance)) = &*known {
            let allowance = with_taken(*allowance);
            let is_scarce = allowance.is_none_or(|allowance| is_scarce(&allowance));
            let fresh = if is_scarce { FRESH_WHEN_SCARCE } else { FRESH };
            if now.duration_since(*at).abs() < fresh {
                return allowance;
            }
        }
        let allowance = match self.account.allowance().await {
            Ok(allowance) => {
                self.taken.store(0, Ordering::Relaxed);
                Some(allowance)
            }
            Err(error) => {
                tracing::warn!(%error, "failed to read the account's rate and quota; mails are sent as long as SES accepts them");
                // The last known limits are better than none.
                known.as_ref().and_then(|(_, allowance)| *allowance)
            }
        };
        *known = Some((now, allowance));
        with_taken(allowance)
    }

    /// The mail's place in the line that all instances share.
    async fn in_line(&self, store: &Store, asking: &Asking<'_>, rate: f64) -> Result<Turn, DeliverError> {
        let now = asking.now;
        if asking.place().is_some() {
            // It is near, or the mail would have been told to wait.
            return Ok(Turn::Now);
        }
        let turn_at = |place: Slot| if is_near(place, now) { Turn::Now } else { Turn::At(place) };
        let mut spare = self.spare[index(asking.lane)].lock().await;
        while let Some(place) = spare.pop_front() {
            if is_usable(place, now) {
                return Ok(turn_at(place));
            }
        }
        // Another mail of the batch may have found it full.
        if asking.lane == Lane::Bulk && self.is_full(now) {
            return Ok(Turn::Later(after_horizon(now, &asking.id)));
        }
        let places = self.in_hand[index(asking.lane)].load(Ordering::Relaxed).max(1);
        let distance = distance(rate, asking.lane);
        let waits = lock(&self.line).is_some_and(|(_, line)| line.next(asking.lane) >= now.as_microsecond());
        match store.reserve_mails(asking.lane, places, distance, HORIZON, now, waits).await? {
            Reserved::Full(line) => {
                *lock(&self.line) = Some((now, line));
                Ok(Turn::Later(after_horizon(now, &asking.id)))
            }
            Reserved::From(first, line) => {
                *lock(&self.line) = Some((now, line));
                let place = |number: u32| {
                    let at = first.saturating_add(micros(distance).saturating_mul(i64::from(number)));
                    Slot { at: Timestamp::from_microsecond(at).unwrap_or(now), yielded: line.yielded }
                };
                spare.extend((1..places).map(place));
                Ok(turn_at(place(0)))
            }
        }
    }

    /// Returns the current position of the place: further back by as much as bulk mails have yielded since it was
    /// reserved.
    async fn moved(&self, store: &Store, slot: Slot, asking: &Asking<'_>) -> Result<Slot, DeliverError> {
        if asking.lane == Lane::Essential {
            return Ok(slot);
        }
        let line = match self.seen(asking.now) {
            Some(line) => line,
            None => {
                let line = store.mail_line().await?;
                *lock(&self.line) = Some((asking.now, line));
                line
            }
        };
        let back = SignedDuration::from_micros(line.yielded.saturating_sub(slot.yielded).max(0));
        Ok(Slot { at: slot.at.checked_add(back).unwrap_or(slot.at), yielded: line.yielded.max(slot.yielded) })
    }

    /// Returns whether the line is reserved beyond the horizon. The age of the last known state does not matter, since
    /// the line never moves back.
    fn is_full(&self, now: Timestamp) -> bool {
        lock(&self.line).is_some_and(|(_, line)| line.bulk > (now + HORIZON).as_microsecond())
    }

    async fn has_spare(&self, lane: Lane, now: Timestamp) -> bool {
        self.spare[index(lane)].lock().await.iter().any(|place| is_usable(*place, now))
    }

    fn seen(&self, now: Timestamp) -> Option<Line> {
        let seen = (*lock(&self.line))?;
        (now.duration_since(seen.0).abs() < LINE_FRESH).then_some(seen.1)
    }
}

/// Returns whether a place is near enough to send its mail now.
fn is_near(place: Slot, now: Timestamp) -> bool {
    place.at.duration_since(now) <= EARLY
}

/// Returns whether a place that was reserved with another mail's is recent enough to use.
fn is_usable(place: Slot, now: Timestamp) -> bool {
    now.duration_since(place.at) < EARLY
}

/// When a mail is to be tried for which the daily quota has no room.
fn used_up(allowance: &Allowance, asking: &Asking<'_>) -> Option<Turn> {
    let jitter = jitter::up_to(SignedDuration::from_mins(5), &asking.id, asking.now);
    is_used_up(allowance, asking.lane).then(|| {
        tracing::debug!(sent = allowance.sent, "the daily quota is used up");
        Turn::Later(asking.now + QUOTA_WAIT + jitter)
    })
}

/// Returns whether mails of `lane` have to wait for the quota: its last tenth is reserved for essential mails.
fn is_used_up(allowance: &Allowance, lane: Lane) -> bool {
    let Some((left, most)) = allowance.left().zip(allowance.per_day) else { return false };
    match lane {
        Lane::Essential => left == 0,
        Lane::Bulk => left <= most / u64::from(ESSENTIAL_SHARE),
    }
}

/// Returns whether the quota may be used up before the limits are read again after [`FRESH`].
fn is_scarce(allowance: &Allowance) -> bool {
    let Some((left, most)) = allowance.left().zip(allowance.per_day) else { return false };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of mails, above zero")]
    let soon = allowance.per_second.map_or(0, |rate| (rate * FRESH.as_secs_f64()) as u64);
    left <= soon.saturating_add(most / u64::from(ESSENTIAL_SHARE))
}

/// The time between two mails of `lane`.
fn distance(rate: f64, lane: Lane) -> SignedDuration {
    let share = match lane {
        Lane::Bulk => 1.0 - 1.0 / f64::from(ESSENTIAL_SHARE),
        Lane::Essential => 1.0,
    };
    SignedDuration::try_from_secs_f64(1.0 / (rate * share)).unwrap_or(SignedDuration::from_hours(1))
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Returns when a mail should try again if the line is full: while the second half of the reserved places is sent, at a
/// different time for each mail.
fn after_horizon(now: Timestamp, id: &DecisionId) -> Timestamp {
    now + HORIZON / 2 + jitter::up_to(HORIZON / 2, id, now)
}

/// A moment in the first hour of the next UTC day.
fn tomorrow(now: Timestamp, id: &DecisionId) -> Timestamp {
    let midnight = Timestamp::from_second((now.as_second().div_euclid(DAY_SECONDS) + 1) * DAY_SECONDS);
    midnight.unwrap_or_else(|_| time::plus_days(now, 1)) + jitter::up_to(SignedDuration::from_hours(1), id, now)
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
