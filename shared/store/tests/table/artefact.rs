//! Compiled configurations in the table.

use crate::bounds::damage;
use crate::support::{at, bundle, store};
use aws_sdk_dynamodb::types::AttributeValue;
use perennial_config::{Bundle, Config, artefact};
use perennial_domain::{ConfigVersion, hash};
use perennial_store::{Store, keys};
use perennial_testkit::ConfigBuilder;

fn part(version: &ConfigVersion, part: usize) -> String {
    keys::compiled_config(version.as_str(), artefact::FORMAT, part)
}

/// Deletes an item of the configuration.
async fn delete(store: &Store, sk: &str) {
    let delete = store.client().delete_item().table_name(store.table());
    let delete = delete.key("pk", AttributeValue::S(keys::CONFIG.to_owned()));
    delete.key("sk", AttributeValue::S(sk.to_owned())).send().await.unwrap();
}

/// Loads the active configuration; returns its bytes, and how many were compiled for that.
async fn loaded(store: &Store) -> (Vec<u8>, u64) {
    let config = store.load_config().await.unwrap();
    (artefact::encode(&config).unwrap(), store.take_compiled_configs())
}

fn expected(bundle: &Bundle) -> Vec<u8> {
    artefact::encode(&Config::load(bundle).unwrap()).unwrap()
}

#[tokio::test]
async fn pushed_config_is_loaded_without_its_files() {
    let store = store().await;
    let version = store.push_config(&bundle(1), at(0)).await.unwrap();
    delete(&store, &keys::config_version(version.as_str())).await;
    assert_eq!(loaded(&store).await, (expected(&bundle(1)), 0));
    assert_eq!(
        store.load_config().await.unwrap().active_since,
        Some(at(0)),
        "which the compiled form does not contain"
    );
}

#[tokio::test]
async fn config_of_another_format_is_compiled_and_counted_until_it_is_pushed_again() {
    let store = store().await;
    let version = store.push_config(&bundle(1), at(0)).await.unwrap();
    delete(&store, &part(&version, 0)).await;
    assert_eq!(loaded(&store).await, (expected(&bundle(1)), 1));
    assert_eq!(loaded(&store).await, (expected(&bundle(1)), 1), "each load is counted once");
    store.push_config(&bundle(1), at(1)).await.unwrap();
    assert_eq!(loaded(&store).await, (expected(&bundle(1)), 0));
    assert_eq!(store.current_config().await.unwrap().unwrap().since, at(0), "which activates nothing");
}

#[tokio::test]
async fn damaged_compiled_config_is_compiled_from_its_files() {
    let store = store().await;
    let version = store.push_config(&bundle(1), at(0)).await.unwrap();
    let other = artefact::encode(&Config::load(&bundle(2)).unwrap()).unwrap();
    let bytes = |bytes: &[u8]| AttributeValue::B(bytes.to_vec().into());
    // No deflate; an empty attribute; an attribute of another type; stored, uncompressed deflate of another version.
    let stored =
        [&[1][..], &u16::try_from(other.len()).unwrap().to_le_bytes(), &(!(other.len() as u16)).to_le_bytes(), &other];
    for damaged in [bytes(b"x"), bytes(b""), AttributeValue::Bool(true), bytes(&stored.concat())] {
        damage(&store, keys::CONFIG, &part(&version, 0), "bytes", damaged.clone()).await;
        assert_eq!(loaded(&store).await, (expected(&bundle(1)), 1), "{damaged:?}");
    }
    store.push_config(&bundle(1), at(1)).await.unwrap();
    assert_eq!(loaded(&store).await.1, 0, "a push replaces what is damaged");
    damage(&store, keys::CONFIG, &part(&version, 0), "parts", AttributeValue::N("3".to_owned())).await;
    assert_eq!(loaded(&store).await.1, 0, "missing parts that nothing needs do no harm");
}

#[tokio::test]
async fn rollback_compiles_what_an_earlier_version_of_the_code_pushed() {
    let store = store().await;
    let first = store.push_config(&bundle(1), at(0)).await.unwrap();
    delete(&store, &part(&first, 0)).await;
    store.push_config(&bundle(2), at(1)).await.unwrap();
    store.rollback_config(None, at(2)).await.unwrap();
    assert_eq!(loaded(&store).await, (expected(&bundle(1)), 0));
}

#[tokio::test]
async fn compiled_config_that_is_too_large_for_an_item_is_stored_in_parts() {
    // Random names of events, each of which a compiled tally has twice: incompressible, and twice as large as the files.
    let names: Vec<String> =
        (0..6500_u32).map(|number| hash::base32(&hash::sha256(&[&number.to_be_bytes()]))).collect();
    let tally = format!("[[tally]]\nname = \"all\"\nevents = {names:?}\n");
    let large = ConfigBuilder::least().with(&[("scoring.toml", &tally)]).bundle();
    let store = store().await;
    let version = store.push_config(&large, at(0)).await.unwrap();
    assert_eq!(loaded(&store).await, (expected(&large), 0));
    assert_eq!(store.config_versions().await.unwrap().len(), 1, "parts are no versions");
    delete(&store, &part(&version, 1)).await;
    assert_eq!(loaded(&store).await, (expected(&large), 1), "a missing part is the same as none");
}
