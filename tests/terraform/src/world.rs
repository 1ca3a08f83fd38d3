//! Names in AWS: one account and region in which both sides are evaluated, so that references become comparable texts.

/// The account.
pub(crate) const ACCOUNT: &str = "111122223333";
/// The partition.
pub(crate) const PARTITION: &str = "aws";
/// The region.
pub(crate) const REGION: &str = "eu-central-1";

/// Returns the property with the name of a resource of a CloudFormation type; `None` if AWS names it or it has none.
///
/// Roles are identified by their description: CloudFormation generates their names.
pub(crate) fn name_property(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "AWS::CloudWatch::Alarm" => "AlarmName",
        "AWS::CloudWatch::Dashboard" => "DashboardName",
        "AWS::DynamoDB::Table" => "TableName",
        "AWS::IAM::Role" => "Description",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::Logs::LogGroup" => "LogGroupName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SES::EmailIdentity" => "EmailIdentity",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SES::ConfigurationSet"
        | "AWS::Scheduler::Schedule"
        | "AWS::Scheduler::ScheduleGroup"
        | "AWS::SecretsManager::Secret" => "Name",
        _ => return None,
    })
}

/// Returns the value of CloudFormation's `Ref` and of Terraform's `id` for the resource called `name`.
pub(crate) fn reference(kind: &str, name: &str) -> String {
    match kind {
        "AWS::SQS::Queue" => format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"),
        "AWS::SNS::Topic" | "AWS::SecretsManager::Secret" => arn(kind, name),
        _ => name.to_owned(),
    }
}

/// Returns the ARN of the resource called `name`.
pub(crate) fn arn(kind: &str, name: &str) -> String {
    let (service, resource) = match kind {
        "AWS::CloudWatch::Alarm" => ("cloudwatch", format!("alarm:{name}")),
        "AWS::DynamoDB::Table" => ("dynamodb", format!("table/{name}")),
        "AWS::IAM::Role" => return format!("arn:{PARTITION}:iam::{ACCOUNT}:role/{name}"),
        "AWS::Lambda::Function" => ("lambda", format!("function:{name}")),
        "AWS::Logs::LogGroup" => ("logs", format!("log-group:{name}")),
        "AWS::S3::Bucket" => return format!("arn:{PARTITION}:s3:::{name}"),
        "AWS::SES::ConfigurationSet" => ("ses", format!("configuration-set/{name}")),
        "AWS::Scheduler::ScheduleGroup" => ("scheduler", format!("schedule-group/{name}")),
        "AWS::SecretsManager::Secret" => ("secretsmanager", format!("secret:{name}-AbCdEf")),
        "AWS::SNS::Topic" => ("sns", name.to_owned()),
        "AWS::SQS::Queue" => ("sqs", name.to_owned()),
        other => ("unknown", format!("{other}/{name}")),
    };
    format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// Returns the HTTPS URL of the function called `name`.
pub(crate) fn function_url(name: &str) -> String {
    format!("https://{name}.lambda-url.{REGION}.on.aws/")
}

/// The present value of the secret with this ARN, as CloudFormation writes it.
pub(crate) fn secret_value(arn: &str) -> String {
    format!("{{{{resolve:secretsmanager:{arn}:SecretString:::}}}}")
}

/// The token by which SES verifies a domain, 1 to 3.
pub(crate) fn dkim_token(number: usize) -> String {
    format!("token{number}")
}
