//! The comparison: what one side has and the other has not, or has otherwise.

use crate::by_nature::{Exceptions, Side};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// A resource of either side, in CloudFormation's terms.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its place in the source: an address, or a logical id.
    pub place: String,
    /// Its type: `AWS::SQS::Queue`.
    pub kind: String,
    /// Its key among those of its type.
    pub key: String,
    /// Its properties; policies are single rights, each a key.
    pub properties: Json,
}

/// Returns all differences, in words; none if both sides create the same.
#[must_use]
pub fn resources(cdk: &[Resource], terraform: &[Resource], exceptions: &mut Exceptions) -> Vec<String> {
    let mut out = Vec::new();
    let (cdk, terraform) = (indexed("CDK", cdk, &mut out), indexed("Terraform", terraform, &mut out));
    for ((kind, key), ours) in &cdk {
        match terraform.get(&(*kind, *key)) {
            None => out.push(format!("{kind} {key}: CDK makes it ({}), Terraform does not", ours.place)),
            Some(theirs) => properties(ours, theirs, exceptions, &mut out),
        }
    }
    for ((kind, key), theirs) in &terraform {
        if !cdk.contains_key(&(*kind, *key)) {
            out.push(format!("{kind} {key}: Terraform makes it ({}), CDK does not", theirs.place));
        }
    }
    out
}

type Index<'a> = BTreeMap<(&'a str, &'a str), &'a Resource>;

/// Indexes resources by type and key; two with the same key are a difference of their own, since AWS allows one.
fn indexed<'a>(side: &str, resources: &'a [Resource], out: &mut Vec<String>) -> Index<'a> {
    let mut index = Index::new();
    for resource in resources {
        if let Some(other) = index.insert((&resource.kind, &resource.key), resource) {
            let Resource { kind, key, place, .. } = resource;
            out.push(format!("{kind} {key}: {side} makes it twice ({} and {place})", other.place));
        }
    }
    index
}

fn properties(cdk: &Resource, terraform: &Resource, exceptions: &mut Exceptions, out: &mut Vec<String>) {
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    leaves("", &cdk.properties, &mut ours);
    leaves("", &terraform.properties, &mut theirs);
    let Resource { kind, key, .. } = cdk;
    for (path, value) in &ours {
        match theirs.get(path) {
            Some(other) if same(value, other) => {}
            Some(other) => out.push(format!("{kind} {key}: {path} is {value} in CDK and {other} in Terraform")),
            None if exceptions.allow(Side::Cdk, kind, path, value) => {}
            None => out.push(format!("{kind} {key}: {path} is {value} in CDK and nothing in Terraform")),
        }
    }
    for (path, value) in &theirs {
        if !ours.contains_key(path) && !exceptions.allow(Side::Terraform, kind, path, value) {
            out.push(format!("{kind} {key}: {path} is nothing in CDK and {value} in Terraform"));
        }
    }
}

/// Collects every nested value by its path; an empty list or object is a value.
fn leaves(path: &str, value: &Json, out: &mut BTreeMap<String, Json>) {
    let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Json::Object(map) if !map.is_empty() => map.iter().for_each(|(name, value)| leaves(&within(name), value, out)),
        Json::Array(values) if !values.is_empty() => {
            for (at, value) in values.iter().enumerate() {
                leaves(&format!("{path}[{at}]"), value, out);
            }
        }
        other => {
            out.insert(path.to_owned(), other.clone());
        }
    }
}

/// Returns whether two values are equal; `1` equals `1.0`, and shares may have been computed differently.
fn same(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(b.abs()),
        _ => a == b,
    }
}

/// The common outputs, by CDK's name and by Terraform's.
const OUTPUTS: [(&str, &str); 6] = [
    ("AlarmTopic", "alarm_topic"),
    ("ApiUrl", "api_url"),
    ("ArchiveBucket", "archive_bucket"),
    ("DashboardUrl", "dashboard_url"),
    ("IngestUrl", "ingest_url"),
    ("TableName", "table_name"),
];

/// Returns all differences of the common outputs.
#[must_use]
pub fn outputs(cdk: &Map<String, Json>, terraform: &Map<String, Json>) -> Vec<String> {
    let mut out = Vec::new();
    for (ours, theirs) in OUTPUTS {
        let (a, b) = (cdk.get(ours), terraform.get(theirs));
        if a.is_none() || a != b {
            out.push(format!("output {ours} is {} in CDK and {theirs} is {} in Terraform", told(a), told(b)));
        }
    }
    // CDK has an output for each record.
    let records: Vec<Json> = (1..).map_while(|number| cdk.get(&format!("Dkim{number}")).cloned()).collect();
    let (count, records) = (records.len(), Json::Array(records));
    let listed = terraform.get("dkim_records");
    if listed != Some(&records) {
        out.push(format!("outputs Dkim… are {records} in CDK and dkim_records is {} in Terraform", told(listed)));
    }
    let known = cdk.len() == OUTPUTS.len() + count && terraform.len() == OUTPUTS.len() + 1;
    if !known {
        let names = |outputs: &Map<String, Json>| outputs.keys().cloned().collect::<Vec<_>>().join(", ");
        out.push(format!("an output is new: CDK tells {} and Terraform {}", names(cdk), names(terraform)));
    }
    out
}

fn told(value: Option<&Json>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Json::to_string)
}
