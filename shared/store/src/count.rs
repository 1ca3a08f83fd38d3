//! Counting the whole table, so that a request does not have to: the sweep reads it a part at a time, by passes, and stores what the last pass found. A table
//! of a few MB is counted at once.
//!
//! | item | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | what the last pass found | `COUNTED` | `LAST` | `body`: a [`Count`] as deflated JSON; `ver` when its pass began, in milliseconds since 1970 |
//! | the pass | `COUNTED` | `PASS` | while it is under way, `body`: the [`Count`] so far, and `from_pk` and `from_sk`, how far it came; `at`, `cfg` when it began and under which config; `ver` |

use crate::codec;
use crate::error::{StoreError, sort, unless_conflict};
use crate::inflate::{deflate, inflate};
use crate::item::{Item, Read, at, b, bounded, n, needed, s};
use crate::keys;
use crate::store::{Condition, Store};
use crate::stored::Loaded;
use crate::table;
use crate::totals::{self, Totals};
use flate2::Compression;
use jiff::Timestamp;
use perennial_config::Config;
use perennial_domain::ConfigVersion;
use perennial_engine::Figures;
use serde::{Deserialize, Serialize};

/// Segments that are scanned side by side.
const SEGMENTS: i32 = 4;
/// The most bytes of a count before it is deflated. What inflates to more is not read.
const MAX_INFLATED: usize = 16 * 1024 * 1024;
/// The attributes of a profile that its figures need, beside those of its totals.
const OF_PROFILES: [&str; 3] = ["ver", "state", table::DUE_AT];
/// The attribute of a count.
const BODY: &str = "body";

/// The whole table in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// The time at which counting began. Later changes may be counted, or not.
    pub at: Timestamp,
    /// The config whose features, journeys and experiments are counted.
    pub config: ConfigVersion,
    /// Pages of at most 1 MB that the table was read in.
    pub pages: u64,
    /// The totals of the plain attributes.
    pub totals: Totals,
    /// The figures of the profiles.
    pub figures: Figures,
}

/// A pass over the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The time at which it began, and the configuration that it counts under; `None` if these cannot be read.
    pub began: Option<(Timestamp, ConfigVersion)>,
    /// The count so far; `None` once the pass is complete.
    under_way: Option<UnderWay>,
    /// Counts the writes.
    version: u64,
}

#[derive(Debug, Clone, PartialEq)]
struct UnderWay {
    count: Count,
    /// The key of the last item that was counted.
    from: Option<Item>,
}

impl Pass {
    /// Returns whether there is more to count.
    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }
}

impl Count {
    fn new(config: &Config, at: Timestamp) -> Self {
        let (totals, figures) = (Totals::default(), Figures::new(config, at));
        Self { at, config: config.version.clone(), pages: 0, totals, figures }
    }

    /// Counts a page of items.
    fn add(&mut self, config: &Config, items: &[Item]) {
        self.pages += 1;
        add_to(&mut self.totals, items);
        for item in items.iter().filter(|item| matches!(item.text(keys::SK), Ok(Some(keys::PROFILE)))) {
            match codec::decode(item) {
                Ok(Loaded::Profile(stored)) if !stored.summary.external => self.figures.add(config, &stored.profile),
                Ok(_) => {}
                Err(_) => self.figures.unreadable += 1,
            }
        }
    }

    /// As deflated JSON: fields that a later version adds are not missed, and the numbers of days compress well.
    fn pack(&self) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_vec(self).map_err(|error| StoreError::Unstorable(error.to_string()))?;
        deflate(&json, Compression::default())
    }

    fn unpack(deflated: &[u8]) -> Result<Self, StoreError> {
        let json = inflate("a count", deflated, MAX_INFLATED)?;
        serde_json::from_slice(&json).map_err(|_| StoreError::corrupt("no count"))
    }
}

fn add_to(totals: &mut Totals, items: &[Item]) {
    for item in items {
        // What of the item was counted before it could not be read any further is right.
        totals.unreadable += u64::from(totals.count(item).is_err());
    }
}

impl Store {
    /// Counts everything by the plain attributes, at once. Half a read unit for each 4 KB of the table: not for a request.
    ///
    /// # Errors
    /// [`StoreError`] where the scan fails. An item that cannot be read is counted as such.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        self.totals_within(u64::MAX).await.map(Option::unwrap_or_default)
    }

    /// Counts everything by the plain attributes where the table has `most` pages of 1 MB or fewer; `None` where it has more, of which no more than so many
    /// are read, and at least [`SEGMENTS`].
    ///
    /// # Errors
    /// As of [`Self::totals`].
    pub async fn totals_within(&self, most: u64) -> Result<Option<Totals>, StoreError> {
        let each = most.div_ceil(u64::from(SEGMENTS.unsigned_abs()));
        let segments = (0..SEGMENTS).map(|segment| self.segment_totals(segment, each));
        let mut totals = Totals::default();
        for of in futures::future::try_join_all(segments).await? {
            let Some(of) = of else { return Ok(None) };
            totals.add(of);
        }
        Ok(Some(totals))
    }

    async fn segment_totals(&self, segment: i32, most: u64) -> Result<Option<Totals>, StoreError> {
        let (mut totals, mut from, mut pages) = (Totals::default(), None, 0);
        while pages < most {
            let page = self.count_scan(Some(segment), &[], from).await?;
            add_to(&mut totals, &page.items);
            pages += 1;
            from = page.next;
            if from.is_none() {
                return Ok(Some(totals));
            }
        }
        Ok(None)
    }

    /// Counts everything where the table has `most` pages of 1 MB or fewer; `None` where it has more, of which no more than so many are read.
    ///
    /// # Errors
    /// As of [`Self::totals`].
    pub async fn count_within(&self, config: &Config, most: u64, now: Timestamp) -> Result<Option<Count>, StoreError> {
        let (mut count, mut from) = (Count::new(config, now), None);
        while count.pages < most {
            let page = self.count_scan(None, &OF_PROFILES, from).await?;
            count.add(config, &page.items);
            from = page.next;
            if from.is_none() {
                return Ok(Some(count));
            }
        }
        Ok(None)
    }

    /// A page of all items that are counted, with the attributes that totals need and `more`.
    async fn count_scan(
        &self,
        segment: Option<i32>,
        more: &[&str],
        from: Option<Item>,
    ) -> Result<CountedPage, StoreError> {
        let mut scan = self
            .client
            .scan()
            .table_name(&*self.table)
            .set_segment(segment)
            .set_total_segments(segment.map(|_| SEGMENTS))
            .filter_expression("NOT begins_with(#sk, :ledger)")
            .expression_attribute_names("#pk", keys::PK)
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":ledger", s(keys::LEDGER))
            .set_exclusive_start_key(from);
        let mut projection = "#pk, #sk".to_owned();
        for name in totals::ATTRIBUTES.iter().chain(more) {
            scan = scan.expression_attribute_names(format!("#{name}"), *name);
            projection += &format!(", #{name}");
        }
        let page = scan.projection_expression(projection).send().await.map_err(|error| sort("count", error))?;
        Ok(CountedPage { items: page.items.unwrap_or_default(), next: page.last_evaluated_key })
    }

    /// Returns the count of the last complete pass; `None` before the first one, and if another version stored it in a
    /// format that this one cannot read: the next pass replaces it. Costs half a read unit for each 4 KB, some 5 in
    /// all.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn last_count(&self) -> Result<Option<Count>, StoreError> {
        let item = self.get("last_count", keys::key(keys::COUNTED, keys::LAST), false).await?;
        let read = |item: Item| Count::unpack(needed(BODY, item.bytes(BODY)?)?);
        readable_or_none(item.map(read).transpose())
    }

    /// The pass that is under way or was made last. A read unit where none is under way.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails. One that cannot be read is none: the next one replaces it.
    pub async fn count_pass(&self) -> Result<Option<Pass>, StoreError> {
        let item = self.get("count_pass", keys::key(keys::COUNTED, keys::PASS), true).await?;
        let Some(item) = item else { return Ok(None) };
        // Whatever else is damaged, the next write must know what it replaces.
        let version = item.number("ver").ok().flatten().unwrap_or_default();
        let read = || {
            let body = item.bytes(BODY)?.map(Count::unpack).transpose()?;
            let from = match (item.text("from_pk")?, item.text("from_sk")?) {
                (Some(pk), Some(sk)) => Some(keys::key(pk, sk)),
                _ => None,
            };
            let began = (needed("at", item.moment("at")?)?, needed("cfg", item.parsed("cfg")?)?);
            let under_way = body.map(|count| UnderWay { count, from });
            Ok(Some(Pass { began: Some(began), under_way, version }))
        };
        Ok(Some(readable_or_none(read())?.unwrap_or(Pass { began: None, under_way: None, version })))
    }

    /// Counts on, by at most one page of 1 MB. Returns whether that was the last. Half a read unit for each 4 KB of it.
    ///
    /// # Errors
    /// [`StoreError`] where the scan fails: the pass is as it was.
    pub async fn count_page(&self, pass: &mut Pass, config: &Config) -> Result<bool, StoreError> {
        let Some(UnderWay { count, from }) = &mut pass.under_way else { return Ok(true) };
        let page = self.count_scan(None, &OF_PROFILES, from.clone()).await?;
        count.add(config, &page.items);
        *from = page.next;
        Ok(from.is_none())
    }

    /// Stores the progress of a pass, or its count once it is complete. Returns `false` if another run has continued
    /// the pass and stored its own progress, which includes this run's share or will.
    ///
    /// # Errors
    /// [`StoreError`] if a write fails: the pass continues from its last stored progress.
    pub async fn note_count(&self, pass: &mut Pass) -> Result<bool, StoreError> {
        let mut item = keys::key(keys::COUNTED, keys::PASS);
        let Some((began, config)) = &pass.began else { return Ok(false) };
        if pass.under_way.as_ref().is_some_and(|under_way| under_way.count.pages == 0) {
            return Ok(true);
        }
        item.insert("at".to_owned(), at(*began));
        item.insert("cfg".to_owned(), s(config.as_str()));
        item.insert("ver".to_owned(), n(pass.version + 1));
        match &pass.under_way {
            Some(UnderWay { count, from: Some(from) }) => {
                item.insert(BODY.to_owned(), b(count.pack()?));
                for (name, key) in [("from_pk", keys::PK), ("from_sk", keys::SK)] {
                    item.extend(from.get(key).map(|value| (name.to_owned(), value.clone())));
                }
            }
            Some(UnderWay { count, from: None }) => {
                // Before it is noted as through: where that fails, its last part is counted and stored again.
                let mut last = keys::key(keys::COUNTED, keys::LAST);
                let began = u64::try_from(began.as_millisecond()).unwrap_or_default();
                last.insert(BODY.to_owned(), b(count.pack()?));
                last.insert("ver".to_owned(), n(began));
                let last = bounded("a count", last)?;
                unless_conflict(self.put("note_count", last, Some(Condition::newer(began))).await)?;
                pass.under_way = None;
            }
            None => {}
        }
        let item = bounded("a count", item)?;
        let condition = Condition::version(pass.version);
        if unless_conflict(self.put("note_count", item, Some(condition)).await)?.is_none() {
            return Ok(false);
        }
        pass.version += 1;
        Ok(true)
    }
}

/// A new pass after `before`, which counts under `config` from `now` on.
pub fn new_pass(before: Option<&Pass>, config: &Config, now: Timestamp) -> Pass {
    Pass {
        began: Some((now, config.version.clone())),
        under_way: Some(UnderWay { count: Count::new(config, now), from: None }),
        version: before.map_or(0, |before| before.version),
    }
}

struct CountedPage {
    items: Vec<Item>,
    next: Option<Item>,
}

/// `None` of what cannot be read.
fn readable_or_none<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(error) if error.is_unreadable() => {
            tracing::warn!(%error, "a stored count cannot be read; the next one replaces it");
            Ok(None)
        }
        read => read,
    }
}
