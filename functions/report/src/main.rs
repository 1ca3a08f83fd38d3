//! Wiring.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_lambda_kit::{Clock, Env, aws, prime::prime, telemetry};
use perennial_report::{Deps, Settings, handler};
use perennial_store::archive::s3::S3Access;
use perennial_store::{Archive, Store};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("report", &env)?;
    let settings = Settings::from_env(&env)?;
    let aws = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), settings.table);
    let archive = Archive::open(&settings.archive, &S3Access::new(&aws, aws::http_connector(&env)?))?;
    tokio::join!(prime("dynamodb", store.ping()), prime("archive", archive.knock()));
    let deps = &Deps::new(store, archive, Clock::system());
    run(service_fn(|event: LambdaEvent<serde_json::Value>| async move {
        let request = handler::Request::of(&event.payload);
        handler::handle(deps, request).await.map_err(Error::from)
    }))
    .await
}
