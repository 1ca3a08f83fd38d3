//! The table itself: what infrastructure creates in an account, and the embedded stack creates here.

use crate::error::{StoreError, sort};
use crate::keys::{PK, SK};
use crate::store::Store;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification,
};

/// The default name of the table.
pub const DEFAULT_NAME: &str = "perennial";
/// The sparse index of due timers.
pub const DUE_INDEX: &str = "due";
/// The attribute of the index's partition key: a string, one of 16.
pub const DUE_SHARD: &str = "due_shard";
/// The attribute of the index's sort key: seconds since 1970.
pub const DUE_AT: &str = "due_at";
/// The attribute after which DynamoDB deletes an item: seconds since 1970.
pub const TTL: &str = "ttl";

impl Store {
    /// Creates the table, billed by request, with its index and its time to live; an existing table is unchanged.
    ///
    /// # Errors
    /// [`StoreError`] if DynamoDB rejects it.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        let attribute =
            |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
        let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let built = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Unstorable(error.to_string());
        let index = GlobalSecondaryIndex::builder()
            .index_name(DUE_INDEX)
            .key_schema(element(DUE_SHARD, KeyType::Hash).map_err(built)?)
            .key_schema(element(DUE_AT, KeyType::Range).map_err(built)?)
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .map_err(built)?;
        let created = self
            .client
            .create_table()
            .table_name(&*self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute(PK, ScalarAttributeType::S).map_err(built)?)
            .attribute_definitions(attribute(SK, ScalarAttributeType::S).map_err(built)?)
            .attribute_definitions(attribute(DUE_SHARD, ScalarAttributeType::S).map_err(built)?)
            .attribute_definitions(attribute(DUE_AT, ScalarAttributeType::N).map_err(built)?)
            .key_schema(element(PK, KeyType::Hash).map_err(built)?)
            .key_schema(element(SK, KeyType::Range).map_err(built)?)
            .global_secondary_indexes(index)
            .send()
            .await;
        match created.map_err(|error| sort("create_table", error)) {
            Ok(_) => {}
            Err(StoreError::Refused { code, .. }) if code == "ResourceInUseException" => return Ok(()),
            Err(error) => return Err(error),
        }
        let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(TTL).build().map_err(built)?;
        let update = self.client.update_time_to_live().table_name(&*self.table).time_to_live_specification(ttl);
        update.send().await.map(drop).map_err(|error| sort("create_table", error))
    }
}
