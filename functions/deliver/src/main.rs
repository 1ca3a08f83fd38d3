//! Wiring.

use lambda_runtime::{LambdaEvent, run, service_fn};
use perennial_channels::endpoint::EndpointSender;
use perennial_channels::mail::Mailer;
use perennial_channels::secrets::Extension;
use perennial_deliver::deps::Parts;
use perennial_deliver::secrets::Secrets;
use perennial_deliver::{Deps, Settings, handler};
use perennial_lambda_kit::queue::Queue;
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_store::{ConfigHandle, Store};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let env = Env::process();
    telemetry::init("deliver", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let mailer = Mailer::new(&aws).with_configuration_set(settings.configuration_set);
    let (config, _) = tokio::join!(ConfigHandle::load(store.clone()), prime("sesv2", mailer.account()));
    let extension = Extension::new(settings.extension_port, settings.session_token.expose());
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let queue = |url: String| Arc::new(Queue::new(sqs.clone(), url));
    let mailer = Arc::new(mailer);
    let deps = Deps::new(Parts {
        store,
        config: config?,
        mail: Arc::<Mailer>::clone(&mailer),
        account: mailer,
        endpoints: Arc::new(EndpointSender::new()),
        events: queue(settings.events_queue_url),
        messages: queue(settings.messages_queue_url),
        essential: queue(settings.essential_queue_url),
        clock: Clock::system(),
        secrets: Secrets::new(env, Arc::new(extension)),
        public_url: settings.public_url,
        keys: settings.unsubscribe_keys,
    });
    let deps = &deps;
    let work = |event: LambdaEvent<_>| async move {
        handler::handle(deps, event.payload).await.map_err(lambda_runtime::Error::from)
    };
    run(service_fn(work)).await
}
