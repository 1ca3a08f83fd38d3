//! Wiring.

use aws_lambda_events::event::sqs::SqsEvent;
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_lambda_kit::queue::{Delay, Queue};
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_rollup::{Deps, Parts, Settings, handler};
use perennial_store::{ConfigHandle, Store};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("rollup", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let open_sqs = sqs.get_queue_url().queue_name("perennial").send();
    let (config, _) = tokio::join!(ConfigHandle::load(store.clone()), prime("sqs", open_sqs));
    let queue = |url: String| Arc::new(Queue::new(sqs.clone(), url));
    let deps = &Deps::new(Parts {
        store,
        config: config?,
        messages: queue(settings.messages_queue_url),
        events: queue(settings.events_queue_url),
        accounts: queue(settings.accounts_queue_url),
        clock: Clock::system(),
        wake_pause: SignedDuration::from_secs(settings.wake_pause_seconds.into()),
        wake_after: Delay::at_most(settings.wake_after_seconds.into()),
    });
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        handler::handle(deps, event.payload).await.map_err(Error::from)
    }))
    .await
}
