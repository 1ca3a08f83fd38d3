//! Records of sweeps: one small item a run, to report when it last ran, and how far it got.

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
    /// Its duration in milliseconds.
    pub took_ms: u64,
    /// The number of due entries that got a tick.
    pub sent: u64,
    /// The number of due entries whose tick the queue did not accept: the next run finds them again.
    pub unsent: u64,
    /// `true` if more were due than one run may send.
    pub more: bool,
    /// `true` if a part of the due index could not be read.
    pub failed: bool,
}

/// The sweep's progress in a shard of the due index.
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
    /// All that were due before this time, in seconds since 1970, had been sent by `noted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// The current second pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// A second pass over entries that were sent before and are still due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// It ends before the entries that are due at this time, in seconds since 1970.
    pub until: i64,
    /// Its progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DuePosition>,
}

impl Store {
    /// Returns the sweep's progress in shard `shard`; at the start if it is unknown or cannot be read. Costs a read
    /// unit.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn progress(&self, shard: u8) -> Result<Progress, StoreError> {
        let key = keys::key(keys::SWEPT, keys::shard_name(shard));
        let Some(item) = self.get("progress", key, true).await? else { return Ok(Progress::default()) };
        Ok(item.json("progress").ok().flatten().unwrap_or_default())
    }

    /// Records the sweep's progress in shard `shard`. Costs one write unit or a few.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn note_progress(&self, shard: u8, progress: &Progress) -> Result<(), StoreError> {
        let mut item = keys::key(keys::SWEPT, keys::shard_name(shard));
        item.insert("progress".to_owned(), json(progress)?);
        self.put("note_progress", item, None).await
    }

    /// Records a run. Costs one write unit.
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

    /// Returns when the longest overdue profile at `now` was due; `None` if there is none. Costs eight read units.
    ///
    /// # Errors
    /// [`StoreError`] if a query fails.
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
