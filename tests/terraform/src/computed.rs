//! Computed attributes of resources and data sources.

use crate::{policy, world};
use hcl::{Map, Value};

/// Resources with a reference and an ARN: their type here and in CloudFormation, and the argument with their name.
const NAMED: [(&str, &str, &str); 12] = [
    ("aws_cloudwatch_log_group", "AWS::Logs::LogGroup", "name"),
    ("aws_cloudwatch_metric_alarm", "AWS::CloudWatch::Alarm", "alarm_name"),
    ("aws_dynamodb_table", "AWS::DynamoDB::Table", "name"),
    ("aws_iam_role", "AWS::IAM::Role", "description"),
    ("aws_lambda_function", "AWS::Lambda::Function", "function_name"),
    ("aws_s3_bucket", "AWS::S3::Bucket", "bucket"),
    ("aws_scheduler_schedule_group", "AWS::Scheduler::ScheduleGroup", "name"),
    ("aws_secretsmanager_secret", "AWS::SecretsManager::Secret", "name"),
    ("aws_sesv2_configuration_set", "AWS::SES::ConfigurationSet", "configuration_set_name"),
    ("aws_sesv2_email_identity", "AWS::SES::EmailIdentity", "email_identity"),
    ("aws_sns_topic", "AWS::SNS::Topic", "name"),
    ("aws_sqs_queue", "AWS::SQS::Queue", "name"),
];

/// Returns the attributes of a `kind` of a `space` (`resource`, `data`, `ephemeral`) that are not arguments.
///
/// # Errors
/// If an argument that they depend on is missing.
pub(crate) fn attributes(
    space: &str,
    kind: &str,
    arguments: &Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).ok_or_else(|| format!("{kind} has no {name}"));
    let mut out: Map<String, Value> = Map::new();
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    if let ("resource", Some((_, cloudformation, named))) = (space, NAMED.iter().find(|(known, ..)| *known == kind)) {
        let name = text(named)?;
        put("arn", world::arn(cloudformation, name).into());
        put("id", world::reference(cloudformation, name).into());
    }
    match (space, kind) {
        ("data", "aws_caller_identity") => put("account_id", world::ACCOUNT.into()),
        ("data", "aws_partition") => put("partition", world::PARTITION.into()),
        ("data", "aws_region") => put("region", world::REGION.into()),
        ("data", "aws_iam_policy_document") => put("json", policy::render(arguments)?.to_string().into()),
        ("data", "aws_secretsmanager_secret_version") => {
            put("secret_string", world::secret_value(text("secret_id")?).into())
        }
        ("ephemeral", "aws_secretsmanager_random_password") => {
            let json = serde_json::to_string(arguments).map_err(|error| error.to_string())?;
            put("random_password", json.into());
        }
        ("resource", "aws_lambda_function_url") => {
            put("function_url", world::function_url(text("function_name")?).into())
        }
        ("resource", "aws_sesv2_email_identity") => {
            let tokens: Vec<String> = (1..=3).map(world::dkim_token).collect();
            let signing: Map<String, Value> = [("tokens".to_owned(), tokens.into())].into_iter().collect();
            put("dkim_signing_attributes", vec![Value::Object(signing)].into());
        }
        ("resource", _) => {}
        (space, kind) => return Err(format!("{space} {kind} is not understood")),
    }
    Ok(out)
}
