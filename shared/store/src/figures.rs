//! Reports: the results of the last run, their history by day, and the pass that counts them.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | a report of the last run | `FIGURES#<report>` | `LAST` | `body`: deflated JSON; `ver` when its run began, in milliseconds since 1970 |
//! | a report of a day, kept for 400 days | `FIGURES#<report>` | `D#<yyyy-mm-dd>` | the same; the day's last run |
//! | the last complete run | `FIGURES` | `LAST` | `body`: deflated JSON; `ver` as above |
//! | the pass | `FIGURES` | `PASS` | `at`, `cfg` when it began and under which config; while it is under way, `body`: the count so far, and `from_pk` and `from_sk`, how far it came, or `read` once all profiles are counted; `ver` |
//! | more of a large count, kept for 8 days | `FIGURES` | `PASS#<hash>#<number>` | `body`: what follows in the deflated JSON; the pass has the number of these items as `more`, and the hash of the whole JSON as `of` |

use crate::error::{StoreError, unless_conflict};
use crate::inflate::{deflate, inflate};
use crate::item::{Item, Read, at, b, bounded, n, needed, s};
use crate::keys;
use crate::scan::ScanCursor;
use crate::store::{Condition, Store};
use crate::table;
use flate2::Compression;
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_domain::time::DAY_SECONDS;
use perennial_domain::{ConfigVersion, hash};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The days that a report of a day is kept.
pub const KEPT_DAYS: i64 = 400;
/// The most bytes of a report before it is deflated. What inflates to more is not read.
const MAX_INFLATED: usize = 16 * 1024 * 1024;
const BODY: &str = "body";
/// The most bytes of a pass in one item; the rest goes into further items.
const MOST_IN_ITEM: usize = 256 * 1024;
/// The number of these items, and the hash in their keys.
const MORE: &str = "more";
const OF: &str = "of";
/// The days that they are kept: longer than a pass takes.
const MORE_DAYS: i64 = 8;
/// Marks a pass that has counted all profiles.
const READ: &str = "read";

/// A pass over all profiles. `T` is what is counted.
#[derive(Debug, Clone)]
pub struct Pass<T> {
    /// The time at which it began, and the configuration that it counts under.
    pub began: (Timestamp, ConfigVersion),
    /// The count so far; `None` once the pass is complete.
    pub counted: Option<T>,
    /// How far it came; `None` at the start, and once all profiles are counted.
    pub from: Option<ScanCursor>,
    /// `true` once all profiles are counted.
    pub is_read: bool,
    /// Counts the writes.
    version: u64,
}

impl<T> Pass<T> {
    /// A new pass at `now` after `before`, which has counted nothing yet.
    pub fn new(before: Option<&Self>, now: Timestamp, config: ConfigVersion, counted: T) -> Self {
        let version = before.map_or(0, |before| before.version);
        Self { began: (now, config), counted: Some(counted), from: None, is_read: false, version }
    }
}

/// The pass as it is stored.
#[derive(Debug, Clone)]
pub enum Found<T> {
    /// None was ever made.
    Nothing,
    /// A readable one.
    Pass(Pass<T>),
    /// One that cannot be read, at this version: the next one replaces it.
    Unreadable(u64),
}

impl Store {
    /// Returns the pass that is under way or was made last. Costs a read unit for each 4 KB.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn figures_pass<T: DeserializeOwned>(&self) -> Result<Found<T>, StoreError> {
        let item = self.get("figures_pass", keys::key(keys::FIGURES, keys::PASS), true).await?;
        let Some(item) = item else { return Ok(Found::Nothing) };
        let version = item.number("ver").ok().flatten().unwrap_or_default();
        let body = match item.bytes(BODY) {
            Ok(Some(first)) => self.whole_pass(&item, first.to_vec()).await?,
            _ => None,
        };
        match pass(&item, version, body) {
            Ok(pass) => Ok(Found::Pass(pass)),
            Err(error) => {
                tracing::warn!(%error, "a pass over profiles cannot be read; the next one replaces it");
                Ok(Found::Unreadable(version))
            }
        }
    }

    /// Stores the progress of a pass. Returns `false` if another run has stored its own since.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails: the pass continues from its last stored progress.
    pub async fn note_figures_pass<T: Serialize>(&self, pass: &mut Pass<T>) -> Result<bool, StoreError> {
        let mut item = keys::key(keys::FIGURES, keys::PASS);
        item.insert("at".to_owned(), at(pass.began.0));
        item.insert("cfg".to_owned(), s(pass.began.1.as_str()));
        item.insert("ver".to_owned(), n(pass.version + 1));
        if let Some(counted) = &pass.counted {
            let body = pack(counted)?;
            let mut parts = body.chunks(MOST_IN_ITEM);
            item.insert(BODY.to_owned(), b(parts.next().unwrap_or_default().to_vec()));
            let more = parts.len();
            if more > 0 {
                // Before the pass, which is never without them; by their hash, since another run may write its own.
                let hash = hash::base32(&hash::sha256(&[&body])[..16]);
                item.insert(MORE.to_owned(), n(more));
                item.insert(OF.to_owned(), s(hash.as_str()));
                for (number, part) in parts.enumerate() {
                    let mut item = keys::key(keys::FIGURES, keys::pass_part(&hash, number));
                    item.insert(BODY.to_owned(), b(part.to_vec()));
                    item.insert(table::TTL.to_owned(), n(pass.began.0.as_second() + MORE_DAYS * DAY_SECONDS));
                    self.put("note_figures_pass", item, None).await?;
                }
            }
            if pass.is_read {
                item.insert(READ.to_owned(), n(1));
            }
            for (name, key) in [("from_pk", keys::PK), ("from_sk", keys::SK)] {
                let value = pass.from.as_ref().and_then(|from| from.0.get(key));
                item.extend(value.map(|value| (name.to_owned(), value.clone())));
            }
        }
        let item = bounded("a pass over profiles", item)?;
        let put = self.put("note_figures_pass", item, Some(Condition::version(pass.version))).await;
        let is_stored = unless_conflict(put)?.is_some();
        pass.version += u64::from(is_stored);
        Ok(is_stored)
    }

    /// Returns the whole body of a pass, of which the first part is in its own item; `None` if another part is missing.
    async fn whole_pass(&self, item: &Item, mut body: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
        let more: usize = item.number(MORE).ok().flatten().unwrap_or_default();
        let of = item.text(OF).ok().flatten().unwrap_or_default();
        for number in 0..more {
            let key = keys::key(keys::FIGURES, keys::pass_part(of, number));
            let part = self.get("figures_pass", key, true).await?;
            let Some(part) = part.as_ref().and_then(|part| part.bytes(BODY).ok().flatten()) else { return Ok(None) };
            body.extend_from_slice(part);
        }
        Ok(Some(body))
    }

    /// Stores a report of the run that began at `began`, and as that of its day if `is_kept`. A report of a later run
    /// stays.
    ///
    /// # Errors
    /// [`StoreError`] if a write fails, or the report is too large.
    pub async fn put_report<T: Serialize>(
        &self,
        name: &str,
        began: Timestamp,
        is_kept: bool,
        report: &T,
    ) -> Result<(), StoreError> {
        let body = pack(report)?;
        let day = is_kept.then(|| keys::journey_day(began));
        for sort_key in [keys::LAST.to_owned()].into_iter().chain(day) {
            let mut item = keys::key(keys::figures(name), sort_key.clone());
            item.insert(BODY.to_owned(), b(body.clone()));
            if sort_key != keys::LAST {
                item.insert(table::TTL.to_owned(), n(began.as_second() + KEPT_DAYS * DAY_SECONDS));
            }
            self.put_figures(item, began).await?;
        }
        Ok(())
    }

    /// Stores what describes a complete run.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn put_reports_made<T: Serialize>(&self, began: Timestamp, made: &T) -> Result<(), StoreError> {
        let mut item = keys::key(keys::FIGURES, keys::LAST);
        item.insert(BODY.to_owned(), b(pack(made)?));
        self.put_figures(item, began).await
    }

    async fn put_figures(&self, mut item: Item, began: Timestamp) -> Result<(), StoreError> {
        let version = u64::try_from(began.as_millisecond()).unwrap_or_default();
        item.insert("ver".to_owned(), n(version));
        let item = bounded("a report", item)?;
        // Under simulated time, two runs may begin at the same moment: the later one stays.
        let condition = Condition::newer(version.saturating_add(1));
        unless_conflict(self.put("put_report", item, Some(condition)).await).map(drop)
    }

    /// Returns a report of the last run, or of the last run of a UTC `day`; `None` if there is none. Costs half a read
    /// unit for each 4 KB, however many profiles there are.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails, or the report cannot be read: the next run replaces it.
    pub async fn report<T: DeserializeOwned>(&self, name: &str, day: Option<Date>) -> Result<Option<T>, StoreError> {
        let sort_key = day.map_or_else(|| keys::LAST.to_owned(), keys::day);
        self.figures(keys::key(keys::figures(name), sort_key)).await
    }

    /// Returns what describes the last complete run; `None` before the first one. Costs half a read unit.
    ///
    /// # Errors
    /// As [`Self::report`].
    pub async fn reports_made<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        self.figures(keys::key(keys::FIGURES, keys::LAST)).await
    }

    async fn figures<T: DeserializeOwned>(&self, key: Item) -> Result<Option<T>, StoreError> {
        let Some(item) = self.get("report", key, false).await? else { return Ok(None) };
        unpack(needed(BODY, item.bytes(BODY)?)?).map(Some)
    }
}

fn pass<T: DeserializeOwned>(item: &Item, version: u64, body: Option<Vec<u8>>) -> Result<Pass<T>, StoreError> {
    if item.contains_key(BODY) && body.is_none() {
        return Err(StoreError::corrupt("a part of the pass is missing"));
    }
    let from = match (item.text("from_pk")?, item.text("from_sk")?) {
        (Some(pk), Some(sk)) => Some(ScanCursor(keys::key(pk, sk))),
        _ => None,
    };
    Ok(Pass {
        began: (needed("at", item.moment("at")?)?, needed("cfg", item.parsed("cfg")?)?),
        counted: body.as_deref().map(unpack).transpose()?,
        from,
        is_read: item.number::<u64>(READ)?.is_some(),
        version,
    })
}

fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value).map_err(|error| StoreError::Unstorable(error.to_string()))?;
    deflate(&json, Compression::default())
}

fn unpack<T: DeserializeOwned>(deflated: &[u8]) -> Result<T, StoreError> {
    let json = inflate("a report", deflated, MAX_INFLATED)?;
    serde_json::from_slice(&json).map_err(|_| StoreError::corrupt("no report"))
}

impl<T> Pass<T> {
    /// A new pass in place of one of this `version` that cannot be read.
    pub fn replacing(version: u64, now: Timestamp, config: ConfigVersion, counted: T) -> Self {
        Self { version, ..Self::new(None, now, config, counted) }
    }
}
