//! A mail address is the same in every spelling: for its owner, for look-ups, and for suppression.

use crate::support::{Bench, at};
use perennial_store::suppressions::Reason;
use perennial_testkit::EventBuilder;

/// Spellings of an address, of two sources and of a look-up.
const WRITTEN: [[&str; 3]; 4] = [
    ["Ada <ADA@Example.com>", "ada@example.com", " Ada@EXAMPLE.com "],
    ["ada@B\u{fc}cher.example", "Ada@xn--bcher-kva.example", "ADA@B\u{dc}CHER.example"],
    ["mailto:ada@example.org?subject=hi", "ADA@example.org", "\"Byron, Ada\" <ada@example.org>"],
    ["A\u{308}da@example.net", "\u{e4}da@example.net", "\u{c4}DA@EXAMPLE.NET"],
];

#[tokio::test]
async fn an_address_of_two_sources_makes_one_person_who_is_found_and_spared_by_any_writing_of_it() {
    let bench = Bench::new().await;
    for (n, [product, crm, asked]) in WRITTEN.into_iter().enumerate() {
        let says = |source: &str, address: &str| {
            let said = EventBuilder::identify(&format!("{source}-{n}"), &format!("{source}-user-{n}"), None);
            said.with_trait("email", address).at(at(-60)).build()
        };
        assert!(bench.feed(&[vec![says("product", product)], vec![says("crm", crm)]]).await.is_empty());
        for writing in [product, crm, asked] {
            let found = bench.store.resolve(writing).await.unwrap();
            let parts = found.map_or(0, |found| found.profile.parts.len());
            assert_eq!(parts, 2, "{writing}");
            assert!(bench.store.suppression(writing).await.unwrap().is_none(), "{writing}");
        }
        bench.store.suppress(product, Reason::Bounce, at(0)).await.unwrap();
        for writing in [product, crm, asked] {
            assert!(bench.store.suppression(writing).await.unwrap().is_some(), "{writing}");
        }
    }
}
