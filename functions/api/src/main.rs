//! Wiring.

use lambda_http::{run, service_fn};
use perennial_api::{Deps, Settings, handler};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, telemetry};
use perennial_store::{ConfigHandle, Store};
use perennial_views::{MaxAge, Status, Views};
use std::convert::Infallible;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let env = Env::process();
    telemetry::init("api", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let events = settings.queues.first().map(|queue| queue.url.clone()).unwrap_or_default();
    let max_age = MaxAge { busy: settings.status_max_age, idle: settings.status_max_age };
    let status = Status::new(settings.queues, Arc::new(sqs.clone()), max_age);
    let config = ConfigHandle::load(store.clone()).await?;
    let events = Arc::new(Queue::new(sqs, events));
    let views = Views { store, config, status, clock: Clock::system() };
    let deps = Deps::new(views, events, settings.access, settings.unsubscribe_keys);
    let deps = deps.with_tokens(settings.tokens);
    let deps = &deps;
    run(service_fn(|request| async move { Ok::<_, Infallible>(handler::handle(deps, request).await) })).await
}
