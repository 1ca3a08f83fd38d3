//! Wiring.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_store::Store;
use perennial_sweep::{Deps, Settings, handler};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("sweep", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let events = Arc::new(Queue::new(sqs.clone(), settings.events_queue_url));
    let accounts = Arc::new(Queue::new(sqs, settings.accounts_queue_url));
    prime("dynamodb", store.ping()).await;
    let deps = &Deps::new(store, events, accounts, Clock::system(), settings.limit);
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        handler::handle(deps, event.payload).await.map_err(Error::from)
    }))
    .await
}
