//! The embedded services as the functions find them: a table with the default config in it, the queues, the meter.

use std::time::Duration;

use anyhow::{Context, Result};
use perennial_config::deployment::Deployment;
use perennial_embedded_aws::{EmbeddedAws, Meter, Options};
use perennial_lambda_kit::aws::{AwsCredentials, AwsEnv, Endpoints, http_client, sdk_config};
use perennial_lambda_kit::env::Env;
use perennial_local::stack::queues::{self, QueueUrls};
use perennial_store::Store;
use tokio::runtime::Runtime;

use crate::house;

/// The table's name.
pub(crate) const TABLE: &str = "perennial";
const REGION: &str = "eu-central-1";
/// Longer than the benchmark takes.
const VISIBILITY: Duration = Duration::from_secs(3600);

/// The running services, and clients of them.
pub(crate) struct Services {
    aws: EmbeddedAws,
    /// The runtime of the benchmark's own calls.
    pub(crate) runtime: Runtime,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) store: Store,
    pub(crate) queues: QueueUrls,
}

impl Services {
    /// Starts them in memory.
    pub(crate) fn start() -> Result<Self> {
        let aws = EmbeddedAws::start(Options { meter: true, ..Options::default() })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let at = aws.endpoints();
        let env = AwsEnv {
            region: REGION.to_owned(),
            credentials: AwsCredentials::local(),
            endpoints: Endpoints {
                dynamodb: Some(at.dynamodb.clone()),
                sqs: Some(at.sqs.clone()),
                sesv2: Some(at.sesv2.clone()),
                ..Endpoints::default()
            },
        };
        let config = sdk_config(&env, http_client(&Env::from_pairs::<&str, &str>([]))?);
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let sqs = aws_sdk_sqs::Client::new(&config);
        let store = Store::new(dynamodb.clone(), TABLE);
        let queues = runtime.block_on(async {
            store.create_table().await.context("the table cannot be made")?;
            store
                .push_config(&perennial_local::bundle::embedded(), house::now())
                .await
                .context("the config cannot be stored")?;
            queues::create(&sqs, &Deployment::default().queues, VISIBILITY).await
        })?;
        Ok(Self { aws, runtime, dynamodb, sqs, store, queues })
    }

    /// Returns the meter.
    pub(crate) fn meter(&self) -> Result<&Meter> {
        self.aws.meter().context("the services run without a meter")
    }

    /// The environment that every function finds here.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let at = self.aws.endpoints();
        let pairs = [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &at.dynamodb),
            ("AWS_ENDPOINT_URL_SQS", &at.sqs),
            ("AWS_ENDPOINT_URL_SESV2", &at.sesv2),
            ("TABLE", TABLE),
        ];
        let mut variables = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let queues = [
            ("EVENTS", &self.queues.events),
            ("MESSAGES", &self.queues.messages),
            ("ESSENTIAL", &self.queues.essential),
            ("ACCOUNTS", &self.queues.accounts),
            ("MAIL_EVENTS", &self.queues.mail_events),
            ("IMPORTS", &self.queues.imports),
            ("INCOMING", &self.queues.incoming),
        ];
        for (name, url) in queues {
            variables.push((format!("{name}_QUEUE_URL"), url.clone()));
            variables.push((format!("{name}_DLQ_URL"), format!("{url}-dlq")));
        }
        variables
    }
}
