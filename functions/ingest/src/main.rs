//! Wiring.

use lambda_http::{run, service_fn};
use perennial_ingest::throttle::Throttle;
use perennial_ingest::{Deps, Secrets, Settings, handler};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_store::{ConfigHandle, Store};
use std::convert::Infallible;
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let env = Env::process();
    telemetry::init("ingest", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let ask_sqs = sqs.get_queue_attributes().queue_url(&settings.events_queue_url).send();
    let (config, _) = tokio::join!(ConfigHandle::load(store.clone()), prime("sqs", ask_sqs));
    let events = Arc::new(Queue::new(sqs, settings.events_queue_url));
    let deps =
        Deps::new(config?, events, Arc::new(store), Secrets::from_env(env), Clock::system(), settings.max_in_flight);
    let throttle = settings.public_events_a_second.map(Throttle::new);
    let deps = deps.with_tokens(settings.tokens).with_throttle(throttle);
    let deps = &deps.with_client_ip_header(settings.client_ip_header);
    run(service_fn(|request| async move { Ok::<_, Infallible>(handler::handle(deps, request).await) })).await
}
