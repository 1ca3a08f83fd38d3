//! Wiring.

use lambda_runtime::{LambdaEvent, run, service_fn};
use perennial_lambda_kit::metrics::Metrics;
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_store::Store;
use perennial_sweep::{Deps, Settings, handler};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = Env::process();
    telemetry::init("sweep", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    prime("dynamodb", store.ping()).await;
    let events = Arc::new(Queue::new(aws_sdk_sqs::Client::new(&aws), settings.events_queue_url));
    let deps = &Deps { store, events, clock: Clock::system(), max_people: settings.max_people };
    run(service_fn(|_: LambdaEvent<serde_json::Value>| async move {
        let swept = handler::handle(deps).await?;
        Metrics::new("sweep").count("PeopleDue", swept.due as u64).emit(deps.clock.now());
        Ok::<_, lambda_runtime::Error>(swept)
    }))
    .await
}
