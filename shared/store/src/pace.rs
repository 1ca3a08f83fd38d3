//! The rate of mails, shared by all instances of `deliver`.
//!
//! | item | pk | sk | attributes |
//! |---|---|---|---|
//! | the line of mails | `PACE` | `MAIL` | `bulk`, `essential`: the next free place of each lane; `yielded`: how long bulk mails have yielded to essential ones, all in microseconds |
//! | a day of a new sender's ramp | `PACE` | `W#<yyyy-mm-dd>`, UTC | `sent`: bulk mails of that day; `ttl`: kept for 7 days |
//!
//! A lane is a virtual schedule (GCRA): one conditional write moves its next free place by the number of reserved
//! places, and the places before it belong to the caller. So a batch of ten mails costs one write unit, however many
//! instances there are.

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, n};
use crate::keys;
use crate::store::Store;
use crate::table;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use perennial_domain::time::DAY_SECONDS;

/// Days that the counts of a ramp are kept.
const RAMP_KEPT_DAYS: i64 = 7;
/// The most attempts at a reservation after concurrent moves of the lane.
const ATTEMPTS: u32 = 6;

/// A lane of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Mails that wait when there is too much to send.
    Bulk,
    /// Mails that must be sent now. Bulk mails yield to them.
    Essential,
}

impl Lane {
    fn attribute(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Essential => "essential",
        }
    }
}

/// The state of the line, in microseconds since 1970 (`yielded`: microseconds).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Line {
    /// The next free place of bulk mails.
    pub bulk: i64,
    /// The next free place of essential mails.
    pub essential: i64,
    /// How long bulk mails have yielded in total.
    pub yielded: i64,
}

impl Line {
    fn read(item: &Item) -> Result<Self, StoreError> {
        let number = |name: &str| Ok::<_, StoreError>(item.number::<i64>(name)?.unwrap_or_default());
        Ok(Self { bulk: number("bulk")?, essential: number("essential")?, yielded: number("yielded")? })
    }

    /// The next free place of `lane`.
    #[must_use]
    pub fn next(&self, lane: Lane) -> i64 {
        match lane {
            Lane::Bulk => self.bulk,
            Lane::Essential => self.essential,
        }
    }
}

/// The result of reserving places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// The first place, in microseconds since 1970; the others follow at the requested distance.
    From(i64, Line),
    /// The lane is reserved beyond the horizon.
    Full(Line),
}

impl Store {
    /// Returns the state of the line, with an eventually consistent read.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn mail_line(&self) -> Result<Line, StoreError> {
        let item = self.get("mail_line", line_key(), false).await?;
        item.map_or(Ok(Line::default()), |item| Line::read(&item))
    }

    /// Reserves `places` of `lane`, `distance` apart, from `now` on; none if the next free place of bulk mails is more
    /// than `horizon` ahead. Essential places have no horizon, and move the bulk lane, and its reserved places, by as
    /// much. `waits` says whether others are expected to wait in the lane, and costs a second write unit if it is
    /// wrong.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails. If its response was lost, the places are lost too, which costs some time of
    /// the lane.
    pub async fn reserve_mails(
        &self,
        lane: Lane,
        places: u32,
        distance: SignedDuration,
        horizon: SignedDuration,
        now: Timestamp,
        waits: bool,
    ) -> Result<Reserved, StoreError> {
        let now = now.as_microsecond();
        let most = match lane {
            Lane::Bulk => now.saturating_add(micros(horizon)),
            Lane::Essential => i64::MAX,
        };
        let by = micros(distance).saturating_mul(i64::from(places));
        for _ in 0..ATTEMPTS {
            // An empty lane begins now; otherwise the places follow the reserved ones.
            for waits in [waits, !waits] {
                if let Some(line) = self.move_lane(lane, waits, by, now, most).await? {
                    return Ok(Reserved::From(line.next(lane) - by, line));
                }
            }
            let line = self.mail_line().await?;
            if lane == Lane::Bulk && line.bulk > most {
                return Ok(Reserved::Full(line));
            }
        }
        Err(StoreError::Conflict { operation: "reserve_mails" })
    }

    /// Makes one attempt and returns the new line; `None` if the lane was not as expected, or full.
    async fn move_lane(
        &self,
        lane: Lane,
        waits: bool,
        by: i64,
        now: i64,
        most: i64,
    ) -> Result<Option<Line>, StoreError> {
        let (mut sets, condition) = if waits {
            (vec!["#lane = #lane + :by"], "#lane >= :now AND #lane <= :most")
        } else {
            (vec!["#lane = :after"], "attribute_not_exists(#lane) OR #lane < :now")
        };
        let mut update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(line_key()))
            .condition_expression(condition)
            .expression_attribute_names("#lane", lane.attribute())
            .expression_attribute_values(":now", n(now))
            .return_values(ReturnValue::AllNew);
        update = if waits {
            update.expression_attribute_values(":most", n(most))
        } else {
            update.expression_attribute_values(":after", n(now.saturating_add(by)))
        };
        if waits || lane == Lane::Essential {
            update = update.expression_attribute_values(":by", n(by));
        }
        if lane == Lane::Essential {
            sets.push("#bulk = if_not_exists(#bulk, :zero) + :by");
            sets.push("#yielded = if_not_exists(#yielded, :zero) + :by");
            update = update
                .expression_attribute_names("#bulk", Lane::Bulk.attribute())
                .expression_attribute_names("#yielded", "yielded")
                .expression_attribute_values(":zero", n(0));
        }
        let sent = update.update_expression(format!("SET {}", sets.join(", "))).send().await;
        let Some(answer) = unless_conflict(sent.map_err(|error| sort("reserve_mails", error)))? else {
            return Ok(None);
        };
        Line::read(&answer.attributes.unwrap_or_default()).map(Some)
    }

    /// Counts a bulk mail of `day` among at most `most`. Returns `false`, without counting, if the day is full.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn count_ramp(&self, day: Date, most: u32, now: Timestamp) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::PACE, format!("W#{day}"))))
            .update_expression("ADD #sent :one SET #ttl = :ttl")
            .condition_expression("attribute_not_exists(#sent) OR #sent < :most")
            .expression_attribute_names("#sent", "sent")
            .expression_attribute_names("#ttl", table::TTL)
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":most", n(most))
            .expression_attribute_values(":ttl", n(now.as_second() + RAMP_KEPT_DAYS * DAY_SECONDS));
        let sent = update.send().await.map(drop).map_err(|error| sort("count_ramp", error));
        Ok(unless_conflict(sent)?.is_some())
    }
}

fn line_key() -> Item {
    keys::key(keys::PACE, "MAIL")
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
