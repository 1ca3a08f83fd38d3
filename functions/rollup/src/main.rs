//! Wiring.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_rollup::{Deps, Settings, handler};
use perennial_store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("rollup", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    prime("dynamodb", store.ping()).await;
    let deps = &Deps::new(store, Clock::system());
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        handler::handle(deps, event.payload).await.map_err(Error::from)
    }))
    .await
}
