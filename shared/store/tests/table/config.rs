//! The config in force.

use crate::support::{at, bundle, store};
use perennial_config::Bundle;
use perennial_store::{ConfigHandle, ConfigStoreError};
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

#[tokio::test]
async fn a_handle_takes_up_what_is_pushed_and_looks_only_now_and_then() {
    let store = store().await;
    let first = store.push_config(&bundle(1), at(1)).await.unwrap();
    let patient = ConfigHandle::load(store.clone()).await.unwrap();
    let eager = patient.clone().with_refresh(Duration::ZERO);
    let second = store.push_config(&bundle(2), at(2)).await.unwrap();
    assert_eq!(patient.current().await.version, first);
    assert_eq!(eager.current().await.version, second);
    assert_eq!(eager.clone().current().await.version, second);
}
