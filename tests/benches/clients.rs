//! A function with the product's three service clients and nothing else: the cost of the AWS clients at start.

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use perennial_lambda_kit::env::Env;
use perennial_lambda_kit::{aws, telemetry};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    telemetry::init("clients", &env)?;
    let config = aws::sdk_config(&aws::AwsEnv::from_env(&env)?, aws::http_client(&env)?);
    let dynamodb = &aws_sdk_dynamodb::Client::new(&config);
    let sqs = &aws_sdk_sqs::Client::new(&config);
    let mail = &aws_sdk_sesv2::Client::new(&config);
    let table: &String = &env.required("TABLE", "the name of a table")?;
    let queue: &String = &env.required("EVENTS_QUEUE_URL", "the URL of a queue")?;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        dynamodb
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S("BENCH".to_owned()))
            .key("sk", AttributeValue::S("BENCH".to_owned()))
            .update_expression("ADD n :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .send()
            .await?;
        sqs.send_message().queue_url(queue).message_body("{}").send().await?;
        if event.payload["mail"].as_bool() == Some(true) {
            mail.get_account().send().await?;
        }
        Ok::<Value, Error>(event.payload)
    }))
    .await
}
