//! SDK clients for the embedded services.

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use perennial_embedded_aws::{EmbeddedAws, Options};

/// The services with a client each, which does not retry by default.
pub(crate) struct Stack {
    pub(crate) aws: EmbeddedAws,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) ses: aws_sdk_sesv2::Client,
}

macro_rules! client {
    ($sdk:ident, $url:expr, $attempts:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("us-east-1"))
                .credentials_provider(Credentials::new("local", "local", None, None, "test"))
                .endpoint_url($url)
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .retry_config(RetryConfig::standard().with_max_attempts($attempts))
                .build(),
        )
    };
}

pub(crate) fn start_with_attempts(options: Options, attempts: u32) -> Stack {
    let aws = EmbeddedAws::start(options).unwrap();
    let endpoints = aws.endpoints().clone();
    Stack {
        aws,
        dynamodb: client!(aws_sdk_dynamodb, &endpoints.dynamodb, attempts),
        sqs: client!(aws_sdk_sqs, &endpoints.sqs, attempts),
        ses: client!(aws_sdk_sesv2, &endpoints.sesv2, attempts),
    }
}

pub(crate) fn start(options: Options) -> Stack {
    start_with_attempts(options, 1)
}

impl Stack {
    /// Creates a queue with attributes; its URL.
    pub(crate) async fn queue(&self, name: &str, attributes: &[(&str, &str)]) -> String {
        let mut create = self.sqs.create_queue().queue_name(name);
        for (name, value) in attributes {
            create = create.attributes((*name).into(), *value);
        }
        create.send().await.unwrap().queue_url.unwrap()
    }

    /// Creates table `items` with string keys `pk` and `sk` and a sparse index `due`.
    pub(crate) async fn table(&self) {
        use aws_sdk_dynamodb::types::{
            AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
            ProjectionType, ScalarAttributeType,
        };
        let attribute = |name: &str, kind| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
        };
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
        let due = GlobalSecondaryIndex::builder()
            .index_name("due")
            .key_schema(key("due_shard", KeyType::Hash))
            .key_schema(key("due_at", KeyType::Range))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .unwrap();
        self.dynamodb
            .create_table()
            .table_name("items")
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S))
            .attribute_definitions(attribute("sk", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_shard", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .global_secondary_indexes(due)
            .send()
            .await
            .unwrap();
    }
}
