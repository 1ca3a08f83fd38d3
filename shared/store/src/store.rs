//! The table, and the calls that every module makes.

use crate::error::{StoreError, sort};
use crate::item::{Item, n};
use crate::keys;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) table: Arc<str>,
    /// The number of configuration changes that this process made or was notified of; clones share it.
    pub(crate) config_changes: Arc<AtomicU64>,
    /// The number of configurations that were compiled because their compiled form was missing; clones share it.
    pub(crate) compiled_configs: Arc<AtomicU64>,
}

impl Store {
    /// The table called `table`, reached by `client`.
    pub fn new(client: Client, table: impl Into<Arc<str>>) -> Self {
        Self { client, table: table.into(), config_changes: Arc::default(), compiled_configs: Arc::default() }
    }

    pub(crate) fn config_changes(&self) -> u64 {
        self.config_changes.load(Ordering::Acquire)
    }

    /// Returns the table's name.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The client that reaches it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The cheapest call there is, for opening the connection while a function starts: half a read unit for an item that
    /// is not there.
    ///
    /// # Errors
    /// [`StoreError`] where the table does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.get("ping", keys::key(keys::STAT, "ping"), false).await.map(drop)
    }

    /// Adds `by` to the best-effort counter `name`, which a crash may lose or count twice.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn count(&self, name: &str, by: u64) -> Result<(), StoreError> {
        let update = self.client.update_item().table_name(&*self.table).set_key(Some(keys::key(keys::STAT, name)));
        let update = update
            .update_expression("ADD #n :by")
            .expression_attribute_names("#n", "n")
            .expression_attribute_values(":by", n(by));
        update.send().await.map(drop).map_err(|error| sort("count", error))
    }

    pub(crate) async fn get(
        &self,
        operation: &'static str,
        key: Item,
        consistent: bool,
    ) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key)).consistent_read(consistent);
        get.send().await.map(|answer| answer.item).map_err(|error| sort(operation, error))
    }

    /// Puts `item` if `condition` holds.
    pub(crate) async fn put(
        &self,
        operation: &'static str,
        item: Item,
        condition: Option<Condition>,
    ) -> Result<(), StoreError> {
        let mut put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
        if let Some(condition) = condition {
            put = put
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names))
                .set_expression_attribute_values(condition.values);
        }
        put.send().await.map(drop).map_err(|error| sort(operation, error))
    }

    /// Does all of `writes`, or nothing if a condition does not hold or another write interferes: then [`StoreError::Conflict`].
    pub(crate) async fn transact(
        &self,
        operation: &'static str,
        writes: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        answer.map(drop).map_err(|error| {
            let service = error.as_service_error();
            let cancelled = service.is_some_and(TransactWriteItemsError::is_transaction_canceled_exception);
            let lost = service.is_some_and(|service| service.code() == Some("TransactionInProgressException"));
            if cancelled || lost { StoreError::Conflict { operation } } else { sort(operation, error) }
        })
    }

    /// The write of a transaction that puts `item` if `condition` holds.
    pub(crate) fn putting(&self, item: Item, condition: Option<Condition>) -> Result<TransactWriteItem, StoreError> {
        let mut put = Put::builder().table_name(&*self.table).set_item(Some(item));
        if let Some(condition) = condition {
            put = put
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names))
                .set_expression_attribute_values(condition.values);
        }
        let put = put.build().map_err(|error| StoreError::Unstorable(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A query for the items of a partition whose sort key begins with `prefix` (all, if that is empty).
    pub(crate) fn query(&self, pk: String, prefix: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&*self.table);
        let query =
            query.expression_attribute_names("#pk", keys::PK).expression_attribute_values(":pk", crate::item::s(pk));
        if prefix.is_empty() {
            return query.key_condition_expression("#pk = :pk");
        }
        query
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :sk)")
            .expression_attribute_names("#sk", keys::SK)
            .expression_attribute_values(":sk", crate::item::s(prefix))
    }

    /// Every item of a partition whose sort key begins with `prefix` (all, where that is empty), in order.
    pub(crate) async fn partition(
        &self,
        operation: &'static str,
        pk: String,
        prefix: &str,
        consistent: bool,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let query = self.query(pk.clone(), prefix).consistent_read(consistent).set_exclusive_start_key(from);
            let page = query.send().await.map_err(|error| sort(operation, error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }
}

/// The condition of a write.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) expression: &'static str,
    pub(crate) names: std::collections::HashMap<String, String>,
    /// `None` if the expression has no values: DynamoDB rejects an empty map.
    pub(crate) values: Option<Item>,
}

impl Condition {
    /// The item does not exist yet.
    pub(crate) fn absent() -> Self {
        Self {
            expression: "attribute_not_exists(#pk)",
            names: [("#pk".to_owned(), keys::PK.to_owned())].into(),
            values: None,
        }
    }

    /// The item still has `version`; version 0 is that of an item which is not there.
    pub(crate) fn version(version: u64) -> Self {
        if version == 0 {
            return Self::absent();
        }
        Self {
            expression: "#ver = :ver",
            names: [("#ver".to_owned(), "ver".to_owned())].into(),
            values: Some([(":ver".to_owned(), n(version))].into()),
        }
    }

    /// The item does not exist, or its version is below `version`.
    pub(crate) fn newer(version: u64) -> Self {
        Self {
            expression: "attribute_not_exists(#ver) OR #ver < :ver",
            names: [("#ver".to_owned(), "ver".to_owned())].into(),
            values: Some([(":ver".to_owned(), n(version))].into()),
        }
    }

    /// The item does not exist, or its version is at most `version`.
    pub(crate) fn not_older(version: u64) -> Self {
        Self { expression: "attribute_not_exists(#ver) OR #ver <= :ver", ..Self::newer(version) }
    }
}

/// Returns whether an attribute is true.
pub(crate) fn is_true(value: Option<&AttributeValue>) -> bool {
    matches!(value, Some(AttributeValue::Bool(true)))
}
