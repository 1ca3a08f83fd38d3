//! Wiring.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_import::handler::{self, Arrivals};
use perennial_import::{Deps, Settings};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, telemetry};
use perennial_store::archive::incoming::Incoming;
use perennial_store::archive::s3::S3Access;
use perennial_store::{Archive, ConfigHandle, Store};
use std::sync::Arc;
use tokio::sync::OnceCell;

// Reading waits for the bucket in threads of its own.
#[tokio::main]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("import", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let access = S3Access::new(&aws, aws::http_connector(&env)?);
    let clock = Clock::system();
    let bucket = &Incoming::open(&settings.bucket, &access)?;
    let notices = &Queue::new(sqs.clone(), settings.incoming_queue_url);
    // S3's test event comes with the first deployment, before there is a configuration.
    let (arrivals, configured) = (&OnceCell::new(), &store.clone());
    let arrive = async || {
        let config = ConfigHandle::load(configured.clone()).await?;
        let notices = Arc::new(notices.clone());
        Ok::<_, Error>(Arrivals { bucket: bucket.clone(), notices, config })
    };
    let arrive = &arrive;
    let deps = &Deps {
        archive: Archive::open(&settings.archive, &access)?,
        rejects: Arc::new(store.clone()),
        suppressions: Arc::new(store),
        imports: Arc::new(Queue::new(sqs, settings.imports_queue_url)),
        backlog: None,
        clock: clock.clone(),
    };
    let clock = &clock;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let deadline = Timestamp::from_millisecond(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
        let end = handler::last_start(clock.now(), deadline.unwrap_or(Timestamp::MAX));
        let clock = clock.clone();
        let has_time = move || clock.now() < end;
        if handler::names_no_file(&event.payload) {
            return Ok(SqsBatchResponse::default());
        }
        // Boxed: together with the runtime's own, the types of their states would be nested too deeply for the compiler.
        let arrivals = Box::pin(arrivals.get_or_try_init(arrive)).await?;
        Box::pin(handler::handle(deps, arrivals, event.payload, &has_time)).await.map_err(Error::from)
    }))
    .await
}
