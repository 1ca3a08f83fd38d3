//! A small stage that both sides define equally, and the reported differences when either is changed.

#![allow(clippy::unwrap_used)]

use perennial_terraform_test::by_nature::Exceptions;
use perennial_terraform_test::cases::Case;
use serde_json::{Value as Json, json};
use std::path::Path;

const MODULE: &str = r#"
variable "config" {
  type = object({
    batch     = number
    receives  = optional(number, 5)
    schedules = list(object({ id = string, rate = string }))
  })
}

locals {
  name = "stage"
}

resource "aws_sqs_queue" "queue" {
  for_each = { events = "score" }

  name                      = "${local.name}-${each.key}"
  message_retention_seconds = 4 * 24 * 60 * 60
  redrive_policy            = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dlq.arn, maxReceiveCount = var.config.receives })
}

resource "aws_sqs_queue" "dlq" {
  name = "${local.name}-events-dlq"
}

resource "aws_dynamodb_table" "people" {
  name      = local.name
  hash_key  = "pk"
  range_key = "sk"

  dynamic "attribute" {
    for_each = ["pk", "sk"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_role" "score" {
  name               = "stage-score"
  description        = "Permissions of score"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "own" {
  name   = "own"
  role   = aws_iam_role.score.id
  policy = data.aws_iam_policy_document.own.json
}

data "aws_iam_policy_document" "own" {
  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem"]
    resources = [aws_dynamodb_table.people.arn]
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.queue["events"].arn]
  }
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = aws_sqs_queue.queue

  event_source_arn = each.value.arn
  function_name    = "stage-score"
  batch_size       = var.config.batch
}

resource "aws_scheduler_schedule" "schedule" {
  for_each = { for schedule in var.config.schedules : schedule.id => schedule }

  name                = "${local.name}-${each.key}"
  schedule_expression = "rate(${each.value.rate})"
}

resource "aws_cloudwatch_metric_alarm" "dlq" {
  alarm_name = "stage-events-dlq"
  threshold  = 0
  dimensions = { QueueName = aws_sqs_queue.dlq.name }
}

resource "aws_cloudwatch_dashboard" "stage" {
  dashboard_name = "stage"
  dashboard_body = jsonencode({ widgets = [for index, name in ["a", "b"] : { title = upper(name), x = index * 12 }] })
}

output "alarm_topic" {
  value = "topic"
}

output "api_url" {
  value = "https://api"
}

output "dashboard_url" {
  value = "https://dashboard"
}

output "archive_bucket" {
  value = "bucket"
}

output "ingest_url" {
  value = "https://ingest"
}

output "table_name" {
  value = aws_dynamodb_table.people.name
}

output "dkim_records" {
  value = []
}
"#;

fn template() -> Json {
    json!({
        "Resources": {
            "Dlq": { "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "stage-events-dlq" } },
            "Queue": { "Type": "AWS::SQS::Queue", "Properties": {
                "QueueName": "stage-events",
                "MessageRetentionPeriod": 345_600,
                "RedrivePolicy": { "deadLetterTargetArn": { "Fn::GetAtt": ["Dlq", "Arn"] }, "maxReceiveCount": 5 },
            } },
            "Table": { "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "Properties": {
                "TableName": "stage",
                "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }],
                "AttributeDefinitions": [
                    { "AttributeName": "sk", "AttributeType": "S" },
                    { "AttributeName": "pk", "AttributeType": "S" },
                ],
            } },
            "Role": { "Type": "AWS::IAM::Role", "Properties": {
                "Description": "Permissions of score",
                "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
                    { "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" } },
                ] },
                "Policies": [{ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
                    { "Action": "sqs:SendMessage", "Effect": "Allow", "Resource": { "Fn::GetAtt": ["Queue", "Arn"] } },
                    { "Action": "dynamodb:PutItem", "Effect": "Allow", "Resource": { "Fn::GetAtt": ["Table", "Arn"] } },
                    { "Action": ["dynamodb:GetItem"], "Effect": "Allow", "Resource": [{ "Fn::GetAtt": ["Table", "Arn"] }] },
                ] } }],
            } },
            "Mapping": { "Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": { "Fn::GetAtt": ["Queue", "Arn"] },
                "FunctionName": "arn:aws:lambda:eu-central-1:111122223333:function:stage-score",
                "BatchSize": 20,
            } },
            "Schedule": { "Type": "AWS::Scheduler::Schedule", "Properties": {
                "Name": "stage-sweep", "ScheduleExpression": "rate(5 minutes)",
            } },
            "Alarm": { "Type": "AWS::CloudWatch::Alarm", "Properties": {
                "AlarmName": "stage-events-dlq",
                "Threshold": 0,
                "Dimensions": [{ "Name": "QueueName", "Value": { "Fn::GetAtt": ["Dlq", "QueueName"] } }],
            } },
            "Dashboard": { "Type": "AWS::CloudWatch::Dashboard", "Properties": {
                "DashboardName": "stage",
                "DashboardBody": { "Fn::Join": ["", ["{\"widgets\":[{\"title\":\"A\",\"x\":0},{\"title\":\"", "B", "\",\"x\":12}]}"]] },
            } },
        },
        "Outputs": {
            "AlarmTopic": { "Value": "topic" },
            "ApiUrl": { "Value": "https://api" },
            "ArchiveBucket": { "Value": "bucket" },
            "DashboardUrl": { "Value": "https://dashboard" },
            "IngestUrl": { "Value": "https://ingest" },
            "TableName": { "Value": { "Ref": "Table" } },
        },
    })
}

/// Returns the differences of `module` and `template`.
fn told(module: &str, template: Json) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.tf"), module).unwrap();
    let config = json!({ "batch": 20, "schedules": [{ "id": "sweep", "rate": "5 minutes" }] });
    let variables = [("config".to_owned(), config)].into_iter().collect();
    Case::new(template, variables).differences(directory.path(), &mut Exceptions::default()).unwrap()
}

/// Returns the differences after replacing `from` with `to` in the module.
fn edited(from: &str, to: &str) -> Vec<String> {
    assert_eq!(MODULE.matches(from).count(), 1, "{from}");
    told(&MODULE.replace(from, to), template())
}

/// Returns the differences after replacing the template's value at `pointer`; `None` removes it.
fn templated(pointer: &str, value: Option<Json>) -> Vec<String> {
    let mut template = template();
    let (above, name) = pointer.rsplit_once('/').unwrap();
    let within = template.pointer_mut(above).unwrap();
    match value {
        Some(value) => within[name] = value,
        None => assert!(within.as_object_mut().unwrap().remove(name).is_some(), "{pointer}"),
    }
    told(MODULE, template)
}

#[test]
fn what_makes_the_same_differs_in_nothing() {
    assert_eq!(told(MODULE, template()), [] as [&str; 0]);
}

#[test]
fn another_value_in_the_module_is_told() {
    let cases = [
        (edited("= var.config.batch", "= var.config.batch + 1"), "BatchSize is 20 in CDK and 21 in Terraform"),
        (
            edited("optional(number, 5)", "optional(number, 4)"),
            "RedrivePolicy.maxReceiveCount is 5 in CDK and 4 in Terraform",
        ),
        (edited("4 * 24 *", "5 * 24 *"), "MessageRetentionPeriod is 345600 in CDK and 432000 in Terraform"),
        (
            edited("type = \"S\"", "type = attribute.value == \"sk\" ? \"N\" : \"S\""),
            "\"S\" in CDK and \"N\" in Terraform",
        ),
        (
            edited("rate(${each", "rate(1${each"),
            "ScheduleExpression is \"rate(5 minutes)\" in CDK and \"rate(15 minutes)\"",
        ),
        (edited("index * 12", "index * 6"), "DashboardBody.widgets[1].x is 12 in CDK and 6 in Terraform"),
        (edited("prevent_destroy = true", "prevent_destroy = false"), "Kept is true in CDK and nothing in Terraform"),
        (
            edited("QueueName = aws_sqs_queue.dlq.name", "QueueName = \"other\""),
            "Dimensions.QueueName is \"stage-events-dlq\" in CDK",
        ),
    ];
    for (told, expected) in cases {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(expected), "{expected}: {told:?}");
    }
}

#[test]
fn another_value_in_the_template_is_told() {
    let cases = [
        (
            templated("/Resources/Mapping/Properties/BatchSize", Some(json!(10))),
            "BatchSize is 10 in CDK and 20 in Terraform",
        ),
        (templated("/Resources/Table/Properties/KeySchema/1/KeyType", Some(json!("HASH"))), "KeySchema[1].KeyType"),
        (
            templated("/Resources/Queue/Properties/MessageRetentionPeriod", None),
            "MessageRetentionPeriod is nothing in CDK and 345600",
        ),
        (
            templated("/Resources/Queue/Properties/VisibilityTimeout", Some(json!(60))),
            "VisibilityTimeout is 60 in CDK and nothing",
        ),
        (templated("/Resources/Table/DeletionPolicy", None), "Kept is nothing in CDK and true in Terraform"),
    ];
    for (told, expected) in cases {
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(expected), "{expected}: {told:?}");
    }
}

#[test]
fn a_right_too_much_or_too_little_is_told_for_itself() {
    let told = edited("\"dynamodb:GetItem\", \"dynamodb:PutItem\"", "\"dynamodb:GetItem\", \"dynamodb:Scan\"");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("Allow dynamodb:PutItem on arn:aws:dynamodb:") && told[0].contains("nothing in Terraform"),
        "{told:?}"
    );
    assert!(
        told[1].contains("Allow dynamodb:Scan on arn:aws:dynamodb:") && told[1].contains("nothing in CDK"),
        "{told:?}"
    );
    let told = edited("\"lambda.amazonaws.com\"", "\"scheduler.amazonaws.com\"");
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_resource_that_only_one_side_has_is_told() {
    let told = templated("/Resources/Alarm", None);
    assert_eq!(
        told,
        ["AWS::CloudWatch::Alarm stage-events-dlq: Terraform makes it (aws_cloudwatch_metric_alarm.dlq), CDK does not"]
    );
    let told = edited("for_each = aws_sqs_queue.queue\n", "for_each = {}\n");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("CDK makes it (Mapping), Terraform does not"), "{told:?}");
}

#[test]
fn another_output_is_told() {
    assert_eq!(edited("\"https://api\"", "\"https://other\"").len(), 1);
    assert_eq!(templated("/Outputs/Dkim1", Some(json!({ "Value": "a CNAME b" }))).len(), 1);
    assert_eq!(templated("/Outputs/New", Some(json!({ "Value": "x" }))).len(), 1);
}

fn unreadable(module: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.tf"), module).unwrap();
    let case = Case::new(template(), serde_json::Map::new());
    case.differences(directory.path(), &mut Exceptions::default()).unwrap_err().to_string()
}

#[test]
fn what_is_not_understood_is_refused_and_never_passed_over() {
    let cases = [
        ("resource \"aws_sqs_queue\" \"a\" {\n  name = \"a\"\n  fifo_queue = true\n}", "fifo_queue is not known here"),
        ("resource \"aws_instance\" \"a\" {\n}", "aws_instance is not known here"),
        ("data \"aws_vpc\" \"a\" {\n}", "data aws_vpc is not understood"),
        ("moved {\n}", "a block `moved` is not understood"),
        ("locals {\n  a = local.b\n  b = local.a\n}", "local.a: "),
        ("output \"a\" {\n  value = aws_sqs_queue.gone.arn\n}", "output.a: "),
        ("variable \"a\" {\n  type = string\n}", "variable a: has no value"),
        (
            "resource \"aws_sqs_queue\" \"a\" {\n  name = \"a\"\n}\nresource \"aws_sqs_queue\" \"a\" {\n  name = \"b\"\n}",
            "stands twice",
        ),
    ];
    for (module, expected) in cases {
        let error = unreadable(module);
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

fn shipped(edit: impl Fn(&mut Json)) -> Result<usize, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
    let config = std::fs::read_to_string(root.join("terraform/examples/stage/deployment.json")).unwrap();
    let mut given = json!({
        "config": serde_json::from_str::<Json>(&config).unwrap(),
        "config_directory": root.join("config").display().to_string(),
        "packages": "target/lambda",
        "api_key_hashes": ["0".repeat(64)],
    });
    edit(&mut given);
    let variables = given
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .map(|(name, value)| (name, hcl::to_value(value).unwrap()))
        .collect();
    let evaluated = perennial_terraform_test::evaluate(&root.join("terraform"), variables);
    evaluated.map(|evaluated| evaluated.instances.len()).map_err(|error| error.to_string())
}

#[test]
fn the_module_refuses_what_cannot_be_deployed() {
    assert!(shipped(|_| ()).unwrap() > 100);
    let refused = |edit: &dyn Fn(&mut Json)| shipped(edit).unwrap_err();
    assert!(refused(&|of| of["stage"] = json!("Dev")).contains("A stage must be"));
    assert!(refused(&|of| of["api_key_hashes"] = json!([])).contains("At least one SHA-256"));
    assert!(refused(&|of| of["architecture"] = json!("arm")).contains("must be arm64 or x86_64"));
    assert!(refused(&|of| of["public_url"] = json!("https://a.example/path")).contains("https://HOST"));
    assert!(refused(&|of| of["secrets_key_arn"] = json!("key")).contains("by its ARN"));
    assert!(
        refused(&|of| of["config"]["secrets"]["stored"] = json!(["perennial/crm"])).contains("through the extension")
    );
    assert!(refused(&|of| of["config"]["secrets"]["hooks"] = json!(["1A"])).contains("begin with a letter"));
    assert!(refused(&|of| of["config"]["queues"]["max_receives"] = json!("five")).contains("queues: max_receives"));
    assert!(refused(&|of| of["config"]["files"]["sources.toml"] = json!("0")).contains("The config was edited since"));
}

#[test]
fn the_example_is_a_stage_of_the_shipped_config() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/terraform/examples/stage");
    let variables = json!({ "region": "eu-central-1", "api_key_hashes": ["0".repeat(64)] });
    let variables = variables.as_object().unwrap().clone().into_iter();
    let variables = variables.map(|(name, value)| (name, hcl::to_value(value).unwrap())).collect();
    let evaluated = perennial_terraform_test::evaluate(&root, variables).unwrap();
    let functions = evaluated.instances.iter().filter(|instance| instance.kind == "aws_lambda_function");
    assert_eq!(functions.count(), 9);
    assert!(evaluated.outputs.contains_key("perennial"));
}
