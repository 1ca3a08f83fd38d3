//! The tables: which argument is which property.

use super::As::{Block, Blocks, First, Is, Json, Key, List, Nothing, Prefix, Random};
use super::{Argument as A, Kind};

const fn kind(terraform: &'static str, cloudformation: &'static str, arguments: &'static [A]) -> Kind {
    Kind { terraform, cloudformation, arguments, part_of: None }
}

const fn part(
    terraform: &'static str,
    cloudformation: &'static str,
    of: &'static str,
    arguments: &'static [A],
) -> Kind {
    Kind { terraform, cloudformation, arguments, part_of: Some(of) }
}

/// All types of resources in the module.
pub(super) const KINDS: &[Kind] = &[
    kind(
        "aws_cloudwatch_dashboard",
        "AWS::CloudWatch::Dashboard",
        &[A("dashboard_name", "DashboardName", Is), A("dashboard_body", "DashboardBody", Json)],
    ),
    kind(
        "aws_cloudwatch_log_group",
        "AWS::Logs::LogGroup",
        &[A("name", "LogGroupName", Is), A("retention_in_days", "RetentionInDays", Is), A("tags", "Tags", Is)],
    ),
    kind(
        "aws_cloudwatch_metric_alarm",
        "AWS::CloudWatch::Alarm",
        &[
            A("alarm_actions", "AlarmActions", Is),
            A("alarm_description", "AlarmDescription", Is),
            A("alarm_name", "AlarmName", Is),
            A("comparison_operator", "ComparisonOperator", Is),
            A("datapoints_to_alarm", "DatapointsToAlarm", Is),
            A("dimensions", "Dimensions", Is),
            A("evaluation_periods", "EvaluationPeriods", Is),
            A("metric_name", "MetricName", Is),
            A("namespace", "Namespace", Is),
            A("ok_actions", "OKActions", Is),
            A("period", "Period", Is),
            A("statistic", "Statistic", Is),
            A("tags", "Tags", Is),
            A("threshold", "Threshold", Is),
            A("treat_missing_data", "TreatMissingData", Is),
        ],
    ),
    kind(
        "aws_dynamodb_table",
        "AWS::DynamoDB::Table",
        &[
            A(
                "attribute",
                "AttributeDefinitions",
                Blocks(&[A("name", "AttributeName", Is), A("type", "AttributeType", Is)]),
            ),
            A("billing_mode", "BillingMode", Is),
            A("deletion_protection_enabled", "DeletionProtectionEnabled", Is),
            A(
                "global_secondary_index",
                "GlobalSecondaryIndexes",
                Blocks(&[
                    A(
                        "key_schema",
                        "KeySchema",
                        Blocks(&[A("attribute_name", "AttributeName", Is), A("key_type", "KeyType", Is)]),
                    ),
                    A("name", "IndexName", Is),
                    A("projection_type", "Projection.ProjectionType", Is),
                ]),
            ),
            A("hash_key", "KeySchema", Key("HASH")),
            A("name", "TableName", Is),
            A(
                "point_in_time_recovery",
                "PointInTimeRecoverySpecification",
                Block(&[A("enabled", "PointInTimeRecoveryEnabled", Is)]),
            ),
            A("range_key", "KeySchema", Key("RANGE")),
            A("tags", "Tags", Is),
            A(
                "ttl",
                "TimeToLiveSpecification",
                Block(&[A("attribute_name", "AttributeName", Is), A("enabled", "Enabled", Is)]),
            ),
        ],
    ),
    kind(
        "aws_iam_role",
        "AWS::IAM::Role",
        &[
            A("assume_role_policy", "AssumeRolePolicyDocument", Json),
            A("description", "Description", Is),
            // CloudFormation generates names of roles.
            A("name", "", Nothing),
            A("tags", "Tags", Is),
        ],
    ),
    // Its policies are written below, as a list.
    part(
        "aws_iam_role_policy",
        "AWS::IAM::Role",
        "role",
        &[A("name", "Policies.PolicyName", Is), A("policy", "Policies.PolicyDocument", Json), A("role", "", Nothing)],
    ),
    kind(
        "aws_lambda_event_source_mapping",
        "AWS::Lambda::EventSourceMapping",
        &[
            A("batch_size", "BatchSize", Is),
            A("event_source_arn", "EventSourceArn", Is),
            A("function_name", "FunctionName", Is),
            A("function_response_types", "FunctionResponseTypes", Is),
            A("maximum_batching_window_in_seconds", "MaximumBatchingWindowInSeconds", Is),
            A("scaling_config", "ScalingConfig", Block(&[A("maximum_concurrency", "MaximumConcurrency", Is)])),
            A("tags", "Tags", Is),
        ],
    ),
    kind(
        "aws_lambda_function",
        "AWS::Lambda::Function",
        &[
            A("architectures", "Architectures", Is),
            A("description", "Description", Is),
            A("environment", "Environment", Block(&[A("variables", "Variables", Is)])),
            // CDK puts packages into its own bucket, Terraform hands the file over.
            A("filename", "", Nothing),
            A("function_name", "FunctionName", Is),
            A("handler", "Handler", Is),
            A("layers", "Layers", Is),
            A(
                "logging_config",
                "LoggingConfig",
                Block(&[A("log_format", "LogFormat", Is), A("log_group", "LogGroup", Is)]),
            ),
            A("memory_size", "MemorySize", Is),
            A("reserved_concurrent_executions", "ReservedConcurrentExecutions", Is),
            A("role", "Role", Is),
            A("runtime", "Runtime", Is),
            /* by it Terraform sees that a package is another one; CDK names packages by it */
            A("source_code_hash", "", Nothing),
            A("tags", "Tags", Is),
            A("timeout", "Timeout", Is),
        ],
    ),
    kind(
        "aws_lambda_function_event_invoke_config",
        "AWS::Lambda::EventInvokeConfig",
        &[
            A(
                "destination_config",
                "DestinationConfig",
                Block(&[A("on_failure", "OnFailure", Block(&[A("destination", "Destination", Is)]))]),
            ),
            A("function_name", "FunctionName", Is),
            A("maximum_event_age_in_seconds", "MaximumEventAgeInSeconds", Is),
            A("maximum_retry_attempts", "MaximumRetryAttempts", Is),
            A("qualifier", "Qualifier", Is),
        ],
    ),
    kind(
        "aws_lambda_function_url",
        "AWS::Lambda::Url",
        &[A("authorization_type", "AuthType", Is), A("function_name", "TargetFunctionArn", Is)],
    ),
    kind(
        "aws_lambda_permission",
        "AWS::Lambda::Permission",
        &[
            A("action", "Action", Is),
            A("function_name", "FunctionName", Is),
            A("function_url_auth_type", "FunctionUrlAuthType", Is),
            A("invoked_via_function_url", "InvokedViaFunctionUrl", Is),
            A("principal", "Principal", Is),
        ],
    ),
    kind("aws_s3_bucket", "AWS::S3::Bucket", &[A("bucket", "BucketName", Is), A("tags", "Tags", Is)]),
    part(
        "aws_s3_bucket_lifecycle_configuration",
        "AWS::S3::Bucket",
        "bucket",
        &[
            A("bucket", "", Nothing),
            A(
                "rule",
                "LifecycleConfiguration.Rules",
                Blocks(&[
                    A(
                        "abort_incomplete_multipart_upload",
                        "AbortIncompleteMultipartUpload",
                        Block(&[A("days_after_initiation", "DaysAfterInitiation", Is)]),
                    ),
                    // It must be empty: a rule of the module applies to all objects.
                    A("filter", "Filter", Block(&[])),
                    // The provider wants one, CloudFormation makes it up.
                    A("id", "", Nothing),
                    A(
                        "noncurrent_version_expiration",
                        "NoncurrentVersionExpiration",
                        Block(&[A("noncurrent_days", "NoncurrentDays", Is)]),
                    ),
                    A("status", "Status", Is),
                ]),
            ),
        ],
    ),
    part(
        "aws_s3_bucket_notification",
        "AWS::S3::Bucket",
        "bucket",
        &[
            A("bucket", "", Nothing),
            A(
                "queue",
                "NotificationConfiguration.QueueConfigurations",
                Blocks(&[
                    A("events", "Event", First),
                    A("filter_prefix", "Filter.S3Key.Rules", Prefix),
                    A("queue_arn", "Queue", Is),
                ]),
            ),
        ],
    ),
    part(
        "aws_s3_bucket_ownership_controls",
        "AWS::S3::Bucket",
        "bucket",
        &[
            A("bucket", "", Nothing),
            A("rule", "OwnershipControls.Rules", Blocks(&[A("object_ownership", "ObjectOwnership", Is)])),
        ],
    ),
    kind(
        "aws_s3_bucket_policy",
        "AWS::S3::BucketPolicy",
        &[A("bucket", "Bucket", Is), A("policy", "PolicyDocument", Json)],
    ),
    part(
        "aws_s3_bucket_public_access_block",
        "AWS::S3::Bucket",
        "bucket",
        &[
            A("block_public_acls", "PublicAccessBlockConfiguration.BlockPublicAcls", Is),
            A("block_public_policy", "PublicAccessBlockConfiguration.BlockPublicPolicy", Is),
            A("bucket", "", Nothing),
            A("ignore_public_acls", "PublicAccessBlockConfiguration.IgnorePublicAcls", Is),
            A("restrict_public_buckets", "PublicAccessBlockConfiguration.RestrictPublicBuckets", Is),
        ],
    ),
    part(
        "aws_s3_bucket_server_side_encryption_configuration",
        "AWS::S3::Bucket",
        "bucket",
        &[
            A("bucket", "", Nothing),
            A(
                "rule",
                "BucketEncryption.ServerSideEncryptionConfiguration",
                Blocks(&[A(
                    "apply_server_side_encryption_by_default",
                    "ServerSideEncryptionByDefault",
                    Block(&[A("sse_algorithm", "SSEAlgorithm", Is)]),
                )]),
            ),
        ],
    ),
    part(
        "aws_s3_bucket_versioning",
        "AWS::S3::Bucket",
        "bucket",
        &[
            A("bucket", "", Nothing),
            A("versioning_configuration", "VersioningConfiguration", Block(&[A("status", "Status", Is)])),
        ],
    ),
    kind(
        "aws_scheduler_schedule",
        "AWS::Scheduler::Schedule",
        &[
            A(
                "flexible_time_window",
                "FlexibleTimeWindow",
                Block(&[A("maximum_window_in_minutes", "MaximumWindowInMinutes", Is), A("mode", "Mode", Is)]),
            ),
            A("group_name", "GroupName", Is),
            A("name", "Name", Is),
            A("schedule_expression", "ScheduleExpression", Is),
            A("schedule_expression_timezone", "ScheduleExpressionTimezone", Is),
            A(
                "target",
                "Target",
                Block(&[
                    A("arn", "Arn", Is),
                    A("dead_letter_config", "DeadLetterConfig", Block(&[A("arn", "Arn", Is)])),
                    A(
                        "retry_policy",
                        "RetryPolicy",
                        Block(&[
                            A("maximum_event_age_in_seconds", "MaximumEventAgeInSeconds", Is),
                            A("maximum_retry_attempts", "MaximumRetryAttempts", Is),
                        ]),
                    ),
                    A("role_arn", "RoleArn", Is),
                ]),
            ),
        ],
    ),
    kind(
        "aws_scheduler_schedule_group",
        "AWS::Scheduler::ScheduleGroup",
        &[A("name", "Name", Is), A("tags", "Tags", Is)],
    ),
    kind(
        "aws_secretsmanager_secret",
        "AWS::SecretsManager::Secret",
        &[
            A("description", "Description", Is),
            A("name", "Name", Is),
            // CloudFormation deletes secrets at once, as the 0 does.
            A("recovery_window_in_days", "", Nothing),
            A("tags", "Tags", Is),
        ],
    ),
    part(
        "aws_secretsmanager_secret_version",
        "AWS::SecretsManager::Secret",
        "secret_id",
        &[
            A("secret_id", "", Nothing),
            A("secret_string_wo", "GenerateSecretString", Random),
            // Another one writes the value again: CloudFormation never does.
            A("secret_string_wo_version", "", Nothing),
        ],
    ),
    kind(
        "aws_sesv2_configuration_set",
        "AWS::SES::ConfigurationSet",
        &[
            A("configuration_set_name", "Name", Is),
            A(
                "reputation_options",
                "ReputationOptions",
                Block(&[A("reputation_metrics_enabled", "ReputationMetricsEnabled", Is)]),
            ),
            A("sending_options", "SendingOptions", Block(&[A("sending_enabled", "SendingEnabled", Is)])),
            A("tags", "Tags", Is),
        ],
    ),
    kind(
        "aws_sesv2_configuration_set_event_destination",
        "AWS::SES::ConfigurationSetEventDestination",
        &[
            A("configuration_set_name", "ConfigurationSetName", Is),
            A(
                "event_destination",
                "EventDestination",
                Block(&[
                    A("enabled", "Enabled", Is),
                    A("matching_event_types", "MatchingEventTypes", Is),
                    A("sns_destination", "SnsDestination", Block(&[A("topic_arn", "TopicARN", Is)])),
                ]),
            ),
            A("event_destination_name", "EventDestination.Name", Is),
        ],
    ),
    kind(
        "aws_sesv2_email_identity",
        "AWS::SES::EmailIdentity",
        &[A("email_identity", "EmailIdentity", Is), A("tags", "Tags", Is)],
    ),
    kind("aws_sns_topic", "AWS::SNS::Topic", &[A("name", "TopicName", Is), A("tags", "Tags", Is)]),
    kind(
        "aws_sns_topic_policy",
        "AWS::SNS::TopicPolicy",
        &[A("arn", "Topics", List), A("policy", "PolicyDocument", Json)],
    ),
    kind(
        "aws_sns_topic_subscription",
        "AWS::SNS::Subscription",
        &[
            A("endpoint", "Endpoint", Is),
            A("protocol", "Protocol", Is),
            A("raw_message_delivery", "RawMessageDelivery", Is),
            A("redrive_policy", "RedrivePolicy", Json),
            A("topic_arn", "TopicArn", Is),
        ],
    ),
    kind(
        "aws_sqs_queue",
        "AWS::SQS::Queue",
        &[
            A("message_retention_seconds", "MessageRetentionPeriod", Is),
            A("name", "QueueName", Is),
            A("redrive_policy", "RedrivePolicy", Json),
            A("sqs_managed_sse_enabled", "SqsManagedSseEnabled", Is),
            A("tags", "Tags", Is),
            A("visibility_timeout_seconds", "VisibilityTimeout", Is),
        ],
    ),
    kind(
        "aws_sqs_queue_policy",
        "AWS::SQS::QueuePolicy",
        &[A("policy", "PolicyDocument", Json), A("queue_url", "Queues", List)],
    ),
];
