//! The active configuration.

use crate::support::{at, bundle, store};
use perennial_config::Bundle;
use perennial_store::{ConfigHandle, ConfigStoreError, Store};
use std::time::Duration;

#[tokio::test]
async fn what_is_pushed_is_in_force_until_it_is_rolled_back() {
    let store = store().await;
    assert!(matches!(store.load_config().await, Err(ConfigStoreError::Nothing)));
    assert!(matches!(store.rollback_config(None, at(0)).await, Err(ConfigStoreError::Nothing)));
    let first = store.push_config(&bundle(1), at(1)).await.unwrap();
    assert!(matches!(store.rollback_config(None, at(1)).await, Err(ConfigStoreError::NothingEarlier)));
    let second = store.push_config(&bundle(2), at(2)).await.unwrap();
    assert_eq!(store.push_config(&bundle(2), at(3)).await.unwrap(), second);
    assert_eq!(store.current_config().await.unwrap().unwrap().since, at(2), "pushing the same again changes nothing");
    assert_eq!(store.load_config().await.unwrap().version, second);
    assert_eq!(store.rollback_config(None, at(4)).await.unwrap(), first);
    assert_eq!(store.load_config().await.unwrap().version, first);
    assert_eq!(store.rollback_config(Some(second.clone()), at(5)).await.unwrap(), second);
    let nowhere = perennial_domain::ConfigVersion::parse("nowhere").unwrap();
    assert!(matches!(store.rollback_config(Some(nowhere), at(6)).await, Err(ConfigStoreError::Unknown(_))));
    assert_eq!(store.bundle(&first).await.unwrap(), bundle(1));
}

#[tokio::test]
async fn what_does_not_compile_is_never_pushed() {
    let store = store().await;
    assert!(matches!(store.push_config(&Bundle::default(), at(0)).await, Err(ConfigStoreError::Invalid(_))));
    assert_eq!(store.current_config().await.unwrap(), None);
}

/// The same table as another process reaches it, which knows of no push but its own.
fn elsewhere(store: &Store) -> Store {
    Store::new(store.client().clone(), store.table())
}

#[tokio::test]
async fn push_by_another_process_is_taken_up_after_the_refresh_interval() {
    let store = store().await;
    let first = store.push_config(&bundle(1), at(1)).await.unwrap();
    let patient = ConfigHandle::load(elsewhere(&store)).await.unwrap();
    let eager = patient.clone().with_refresh(Duration::ZERO);
    let second = store.push_config(&bundle(2), at(2)).await.unwrap();
    assert_eq!(patient.current().await.version, first);
    assert_eq!(eager.current().await.version, second);
    assert_eq!(eager.clone().current().await.version, second);
}

#[tokio::test]
async fn push_that_the_process_made_or_was_told_of_is_in_force_at_once() {
    let store = store().await;
    let first = store.push_config(&bundle(1), at(1)).await.unwrap();
    let (own, told) = (store.clone(), elsewhere(&store));
    let handles = [ConfigHandle::load(own).await.unwrap(), ConfigHandle::load(told.clone()).await.unwrap()];
    let second = store.push_config(&bundle(2), at(2)).await.unwrap();
    assert_eq!(handles[0].current().await.version, second);
    assert_eq!(handles[1].current().await.version, first);
    told.config_changed();
    let all = futures::future::join_all((0..8).map(|_| handles[1].current())).await;
    assert!(all.iter().all(|config| config.version == second), "nobody works by the old one meanwhile");
    store.rollback_config(None, at(3)).await.unwrap();
    assert_eq!(handles[0].current().await.version, first);
}

#[tokio::test]
async fn version_in_force_is_read_freshly_where_it_is_asked_for() {
    let store = store().await;
    let first = store.push_config(&bundle(1), at(1)).await.unwrap();
    let handle = ConfigHandle::load(elsewhere(&store)).await.unwrap();
    let second = store.push_config(&bundle(2), at(2)).await.unwrap();
    assert_eq!(handle.current().await.version, first);
    assert_eq!(handle.in_force().await.unwrap().version, second);
    assert_eq!(handle.current().await.version, second, "what was read is kept");
}
