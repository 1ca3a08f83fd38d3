//! The lists that an account is in.

use crate::support::{ACCOUNTS, Bench, member};
use perennial_engine::listing::ListEntry;
use perennial_store::lists::{Kind, Range};

/// Returns the bands of readiness in which the account is listed.
async fn bands(bench: &Bench) -> Vec<String> {
    let range = Range::new(Kind::Accounts, &ListEntry::of_band("readiness", 0), &ListEntry::of_band("readiness", 9));
    let page = bench.store.list_page(&range, None, 100).await.unwrap();
    page.places.iter().map(|place| place.order().to_owned()).collect()
}

#[tokio::test]
async fn a_change_and_its_reversal_within_one_moment_are_executed_each_time() {
    let bench = Bench::new(ACCOUNTS).await;
    for (version, purchase, band) in [(1, 85, "8"), (2, 5, "0"), (3, 85, "8"), (4, 5, "0"), (5, 85, "8")] {
        bench.put("acme", &member("a", purchase), version).await;
        bench.roll_up("acme").await;
        assert_eq!(bands(&bench).await, [band], "write {version}");
    }
}
