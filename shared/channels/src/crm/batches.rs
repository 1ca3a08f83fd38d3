//! Many records in as few calls as a CRM allows, with an outcome for each.

use super::{Object, Record, Upserted};
use futures::future::BoxFuture;
use std::collections::HashSet;
use std::ops::Range;

/// A parsed response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Something of each record, in their order.
    Each(Vec<Upserted>),
    /// The same for all of them, without an outcome of each; never [`Upserted::Done`].
    Whole(Upserted),
}

/// A CRM with calls for several records of one kind.
pub(crate) trait Upserts: Sync {
    /// The most records of one call.
    const MOST: usize;

    /// Makes one call with at most [`Self::MOST`] records, each with a different id.
    fn upsert_once<'a>(&'a self, object: Object, records: &'a [Record]) -> BoxFuture<'a, Reading>;
}

/// Creates or updates `records`. If a call is rejected as a whole, its halves are tried, so that one invalid record
/// does not block others.
pub(crate) async fn upsert<U: Upserts>(crm: &U, object: Object, records: &[Record]) -> Vec<Upserted> {
    let mut outcomes = vec![Upserted::retry("the CRM said nothing of the record"); records.len()];
    let mut waiting = batches(records, U::MOST);
    waiting.reverse();
    while let Some(range) = waiting.pop() {
        match crm.upsert_once(object, &records[range.clone()]).await {
            Reading::Each(each) => {
                for (outcome, read) in outcomes[range].iter_mut().zip(each) {
                    *outcome = read;
                }
            }
            Reading::Whole(Upserted::Rejected { .. }) if range.len() > 1 => {
                let middle = range.start + range.len() / 2;
                waiting.extend([middle..range.end, range.start..middle]);
            }
            Reading::Whole(outcome) => outcomes[range].fill(outcome),
        }
    }
    outcomes
}

/// Neighbours that can go together: at most `most`, and none twice, which CRMs refuse.
fn batches(records: &[Record], most: usize) -> Vec<Range<usize>> {
    let (mut all, mut start, mut ids) = (Vec::new(), 0, HashSet::new());
    for (index, record) in records.iter().enumerate() {
        if index - start == most || ids.contains(record.id.as_str()) {
            all.push(start..index);
            start = index;
            ids.clear();
        }
        ids.insert(record.id.as_str());
    }
    if start < records.len() {
        all.push(start..records.len());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    /// Refuses every call with a record called `bad`, and keeps the others.
    #[derive(Default)]
    struct Strict(Mutex<Vec<Vec<String>>>);

    impl Upserts for Strict {
        const MOST: usize = 4;

        fn upsert_once<'a>(&'a self, _: Object, records: &'a [Record]) -> BoxFuture<'a, Reading> {
            let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
            let reading = if ids.iter().any(|id| id == "bad") {
                Reading::Whole(Upserted::Rejected { reason: "no".into() })
            } else if ids.iter().any(|id| id == "late") {
                Reading::Whole(Upserted::retry("later"))
            } else {
                Reading::Each(ids.iter().map(|id| Upserted::Done { id: id.clone() }).collect())
            };
            if let Ok(mut calls) = self.0.lock() {
                calls.push(ids);
            }
            async { reading }.boxed()
        }
    }

    fn records(ids: &[&str]) -> Vec<Record> {
        ids.iter().map(|id| Record { id: (*id).to_owned(), fields: BTreeMap::new() }).collect()
    }

    #[tokio::test]
    async fn one_bad_record_keeps_no_other_out() {
        let crm = Strict::default();
        let ids = ["a", "b", "bad", "c", "d", "late"];
        let outcomes = upsert(&crm, Object::Contact, &records(&ids)).await;
        for (id, outcome) in ids.iter().zip(outcomes) {
            match *id {
                "bad" => assert_eq!(outcome, Upserted::Rejected { reason: "no".into() }),
                // With an unknown outcome of their call they are retried.
                "d" | "late" => assert_eq!(outcome, Upserted::retry("later")),
                id => assert_eq!(outcome, Upserted::Done { id: id.to_owned() }),
            }
        }
    }

    #[tokio::test]
    async fn no_call_has_more_than_the_limit_nor_a_record_twice() {
        let crm = Strict::default();
        let ids = ["a", "b", "c", "d", "e", "a", "f", "f"];
        assert_eq!(upsert(&crm, Object::Contact, &records(&ids)).await.len(), 8);
        let calls = crm.0.lock().map(|calls| calls.clone()).unwrap_or_default();
        assert_eq!(calls, [vec!["a", "b", "c", "d"], vec!["e", "a", "f"], vec!["f"]]);
        assert!(batches(&[], 4).is_empty());
    }
}
