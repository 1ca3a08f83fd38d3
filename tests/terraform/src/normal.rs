//! A normal form of both sides: CloudFormation's types and properties, without differences that only look like some.

use crate::compare::Resource;
use crate::error::Unreadable;
use crate::policy;
use serde_json::{Map, Value as Json, json};

/// A property of resources that are retained when a stage is deleted.
pub(crate) const KEPT: &str = "Kept";

/// Returns a resource in the form in which both sides are compared. `place` is its place in the source.
///
/// # Errors
/// If it has no key: its type is unknown here, or the property with its key is missing.
pub(crate) fn resource(place: &str, kind: &str, mut properties: Json) -> Result<Resource, Unreadable> {
    visit(&mut properties, &|name, value| property(kind, name, value));
    let keys = key_properties(kind).ok_or_else(|| Unreadable::Unknown(format!("{place}: {kind} is not known here")))?;
    let missing = |name: &str| Unreadable::Unknown(format!("{place}: a {kind} without {name}"));
    let key = keys.iter().map(|name| {
        let value = properties.pointer(&format!("/{}", name.replace('.', "/")));
        value.map(in_words).ok_or_else(|| missing(name))
    });
    let key = key.collect::<Result<Vec<_>, _>>()?.join(" ");
    Ok(Resource { place: place.to_owned(), kind: kind.to_owned(), key, properties })
}

fn in_words(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Returns the key of a type's resources: the name, or without one, the parent.
fn key_properties(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "AWS::CloudWatch::Alarm" => &["AlarmName"],
        "AWS::CloudWatch::Dashboard" => &["DashboardName"],
        "AWS::DynamoDB::Table" => &["TableName"],
        "AWS::IAM::Role" => &["Description"],
        "AWS::Lambda::EventInvokeConfig" | "AWS::Lambda::Function" => &["FunctionName"],
        "AWS::Lambda::EventSourceMapping" => &["EventSourceArn", "FunctionName"],
        "AWS::Lambda::Permission" => &["FunctionName", "Action", "Principal"],
        "AWS::Lambda::Url" => &["TargetFunctionArn"],
        "AWS::Logs::LogGroup" => &["LogGroupName"],
        "AWS::S3::Bucket" => &["BucketName"],
        "AWS::S3::BucketPolicy" => &["Bucket"],
        "AWS::SES::ConfigurationSetEventDestination" => &["ConfigurationSetName", "EventDestination.Name"],
        "AWS::SES::EmailIdentity" => &["EmailIdentity"],
        "AWS::SNS::Subscription" => &["TopicArn", "Protocol", "Endpoint"],
        "AWS::SNS::Topic" => &["TopicName"],
        "AWS::SNS::TopicPolicy" => &["Topics"],
        "AWS::SQS::Queue" => &["QueueName"],
        "AWS::SQS::QueuePolicy" => &["Queues"],
        "AWS::SES::ConfigurationSet"
        | "AWS::Scheduler::Schedule"
        | "AWS::Scheduler::ScheduleGroup"
        | "AWS::SecretsManager::Secret" => &["Name"],
        _ => return None,
    })
}

/// Shows every property to `change`, those within others first.
fn visit(value: &mut Json, change: &impl Fn(&str, &mut Json)) {
    match value {
        Json::Object(map) => {
            for (name, value) in map {
                visit(value, change);
                change(name, value);
            }
        }
        Json::Array(values) => values.iter_mut().for_each(|value| visit(value, change)),
        _ => {}
    }
}

/// Normalizes one property.
fn property(kind: &str, name: &str, value: &mut Json) {
    match name {
        "PolicyDocument" | "AssumeRolePolicyDocument" => *value = policy::rights(value),
        // By name, as in Terraform.
        "Tags" => *value = by_name(value, "Key", "Value"),
        "Dimensions" => *value = by_name(value, "Name", "Value"),
        "Policies" => *value = by_name(value, "PolicyName", "PolicyDocument"),
        "DashboardBody" => {
            if let Some(body) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
                *value = body;
            }
        }
        // A function may be referenced by its name or its ARN.
        "FunctionName" | "TargetFunctionArn" if kind.starts_with("AWS::Lambda::") => {
            if let Some(name) = value.as_str().map(last_part) {
                *value = json!(name);
            }
        }
        // SEND in one API, send in the other; DELIVERY_DELAY and deliveryDelay.
        "MatchingEventTypes" => {
            for kind in value.as_array_mut().into_iter().flatten() {
                *kind = json!(kind.as_str().unwrap_or_default().replace('_', "").to_lowercase());
            }
            sort(value);
        }
        "AlarmActions"
        | "Architectures"
        | "AttributeDefinitions"
        | "FunctionResponseTypes"
        | "GlobalSecondaryIndexes"
        | "KeySchema"
        | "Layers"
        | "OKActions"
        | "Queues"
        | "Topics" => sort(value),
        _ => {}
    }
}

/// Sorts a list that AWS treats as a set.
fn sort(value: &mut Json) {
    if let Some(values) = value.as_array_mut() {
        values.sort_by_key(Json::to_string);
    }
}

/// Converts `[{ name: "a", value: 1 }]` to `{ "a": 1 }`.
fn by_name(list: &Json, name: &str, value: &str) -> Json {
    let Some(entries) = list.as_array() else { return list.clone() };
    let named = entries.iter().map(|entry| (in_words(&entry[name]), entry[value].clone()));
    Json::Object(named.collect::<Map<_, _>>())
}

/// Returns the text after the last colon: a function's name, from its ARN or itself.
pub(crate) fn last_part(text: &str) -> &str {
    text.rsplit(':').next().unwrap_or(text)
}
