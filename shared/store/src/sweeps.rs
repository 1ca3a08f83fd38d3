//! What the sweep did: one small item a run, so that whoever looks sees when it last ran, and how far it got.

use crate::due::DuePosition;
use crate::error::{StoreError, sort};
use crate::item::{Item, Read, json, logged, n, needed, readable, s};
use crate::store::{Store, is_true};
use crate::{keys, table};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_domain::time::DAY_SECONDS;
use serde::{Deserialize, Serialize};

/// Days that a run is remembered.
const KEPT_DAYS: i64 = 7;

/// One run of the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// People who were due and got a tick.
    pub sent: u64,
    /// People who were due and whose tick the queue did not take: the next run finds them again.
    pub unsent: u64,
    /// Whether more were due than one run may send.
    pub more: bool,
    /// Whether a part of the due index could not be read.
    pub failed: bool,
}

/// How far the sweep has come in a shard of the due index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// All up to here were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DuePosition>,
    /// Those beyond it that were sent, by [`crate::due::DueItem::hash`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<u64>,
    /// When `until` was noted, in seconds since 1970.
    #[serde(default)]
    pub noted: i64,
    /// All who were due before this moment, in seconds since 1970, had been sent by `noted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// What is sent again at present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// A walk over those who were sent before and whose timer still stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// It ends before those who are due at this moment, in seconds since 1970.
    pub until: i64,
    /// How far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DuePosition>,
}

impl Store {
    /// How far the sweep has come in shard `shard`; nowhere, where that is not known or cannot be read. A read unit.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn progress(&self, shard: u8) -> Result<Progress, StoreError> {
        let key = keys::key(keys::SWEPT, keys::shard_name(shard));
        let Some(item) = self.get("progress", key, true).await? else { return Ok(Progress::default()) };
        Ok(item.json("progress").ok().flatten().unwrap_or_default())
    }

    /// Notes how far the sweep has come in shard `shard`. A write unit or a few.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn note_progress(&self, shard: u8, progress: &Progress) -> Result<(), StoreError> {
        let mut item = keys::key(keys::SWEPT, keys::shard_name(shard));
        item.insert("progress".to_owned(), json(progress)?);
        self.put("note_progress", item, None).await
    }

    /// Notes a run. A write unit.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn note_sweep(&self, sweep: &Sweep) -> Result<(), StoreError> {
        let mut item = keys::key(keys::SWEEPS, keys::sweep(sweep.at));
        let mut set = |name: &str, value| item.insert(name.to_owned(), value);
        set("took", n(sweep.took_ms));
        set("sent", n(sweep.sent));
        set("unsent", n(sweep.unsent));
        if sweep.more {
            set("more", AttributeValue::Bool(true));
        }
        if sweep.failed {
            set("failed", AttributeValue::Bool(true));
        }
        set(table::TTL, n(sweep.at.as_second() + KEPT_DAYS * DAY_SECONDS));
        self.put("note_sweep", item, None).await
    }

    /// The last `limit` runs of the last week, the newest first, without those that cannot be read. Half a read unit for some 50.
    ///
    /// # Errors
    /// [`StoreError`] where the query fails.
    pub async fn sweeps(&self, limit: u16) -> Result<Vec<Sweep>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_values(":pk", s(keys::SWEEPS))
            .scan_index_forward(false)
            .limit(i32::from(limit));
        let page = query.send().await.map_err(|error| sort("sweeps", error))?;
        Ok(logged("runs of the sweep", readable(page.items(), |item| read(item).map(Some))))
    }

    /// Since when the longest overdue person is due at `now`; `None` where nobody is. Eight read units.
    ///
    /// # Errors
    /// [`StoreError`] where a query fails.
    pub async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.next_due(Timestamp::MIN).await?.filter(|due_at| *due_at <= now))
    }
}

fn read(item: &Item) -> Result<Sweep, StoreError> {
    let at = needed(keys::SK, item.text(keys::SK)?)?.parse();
    Ok(Sweep {
        at: at.map_err(|_| StoreError::corrupt("no sweep's key"))?,
        took_ms: needed("took", item.number("took")?)?,
        sent: needed("sent", item.number("sent")?)?,
        unsent: needed("unsent", item.number("unsent")?)?,
        more: is_true(item.get("more")),
        failed: is_true(item.get("failed")),
    })
}
