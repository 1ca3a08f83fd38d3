//! Wiring.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_score::{Deps, Parts, Settings, handler};
use perennial_store::archive::s3::S3Access;
use perennial_store::{Archive, ConfigHandle, Store};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("score", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let open_sqs = sqs.get_queue_url().queue_name("perennial").send();
    let archive = Archive::open(&settings.archive, &S3Access::new(&aws, aws::http_connector(&env)?))?;
    let (config, ..) =
        tokio::join!(ConfigHandle::load(store.clone()), prime("sqs", open_sqs), prime("archive", archive.knock()));
    let deps = Deps::new(Parts {
        store,
        archive,
        messages: Arc::new(Queue::new(sqs.clone(), settings.messages_queue_url)),
        essential: Arc::new(Queue::new(sqs.clone(), settings.essential_queue_url)),
        accounts: Arc::new(Queue::new(sqs.clone(), settings.accounts_queue_url)),
        events: Arc::new(Queue::new(sqs, settings.events_queue_url)),
        config: config?,
        clock: Clock::system(),
        debounce: settings.debounce,
    });
    let deps = &deps;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        handler::handle(deps, event.payload).await.map_err(Error::from)
    }))
    .await
}
