//! HubSpot: batch upserts of contacts, companies and tasks, batch reads of companies, and default associations of tasks with contacts and of
//! contacts with companies, API version 2026-03.
//!
//! Sources: as in `perennial_channels::crm::hubspot`. Results come in another order than their inputs, which the documentation allows.

use super::{Call, Faults, Records, Reply, StandIn};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The most inputs of a batch.
const MOST: usize = 100;

#[derive(Debug, Default)]
pub(super) struct HubSpot {
    records: Records,
    /// Task and contact, or contact and company, by HubSpot's own ids.
    associations: BTreeSet<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Input {
    id: String,
    id_property: String,
    properties: Map<String, Value>,
    object_write_trace_id: Option<String>,
}

/// A batch to read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wanted {
    id_property: String,
    inputs: Vec<WantedInput>,
    properties: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedInput {
    id: String,
}

impl StandIn for HubSpot {
    fn answer(&mut self, call: &Call<'_>, faults: &mut Faults) -> Reply {
        if call.bearer.is_none_or(str::is_empty) {
            return error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.");
        }
        let parts: Vec<&str> = call.path.split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            (
                "POST",
                ["crm", "objects", "2026-03", object @ ("contacts" | "companies" | "tasks"), "batch", "upsert"],
            ) => {
                let batch = call.json().and_then(|body| serde_json::from_value::<Batch>(body).ok());
                match batch {
                    Some(batch) => self.upsert(object, batch.inputs, faults),
                    None => error(400, "VALIDATION_ERROR", "Invalid input JSON."),
                }
            }
            ("POST", ["crm", "objects", "2026-03", object @ "companies", "batch", "read"]) => {
                match call.json().and_then(|body| serde_json::from_value::<Wanted>(body).ok()) {
                    Some(wanted) => self.read(object, &wanted),
                    None => error(400, "VALIDATION_ERROR", "Invalid input JSON."),
                }
            }
            ("PUT", ["crm", "objects", "2026-03", object, id, "associations", "default", to, other])
                if matches!((*object, *to), ("tasks", "contacts") | ("contacts", "companies")) =>
            {
                self.associate((*object, *id), (*to, *other))
            }
            _ => error(404, "OBJECT_NOT_FOUND", "There is no such resource."),
        }
    }

    fn kept(&self) -> Value {
        json!({ "records": self.records, "associations": self.associations })
    }
}

impl HubSpot {
    fn upsert(&mut self, object: &str, inputs: Vec<Input>, faults: &mut Faults) -> Reply {
        if inputs.is_empty() || inputs.len() > MOST {
            return error(400, "VALIDATION_ERROR", "A batch has 1 to 100 inputs.");
        }
        let ids: BTreeSet<String> = inputs.iter().map(|input| input.id.to_lowercase()).collect();
        if ids.len() != inputs.len() {
            return error(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input.");
        }
        if inputs.iter().any(|input| input.id_property != inputs[0].id_property) {
            return error(400, "VALIDATION_ERROR", "All inputs must have the same idProperty.");
        }
        let traced = inputs.iter().all(|input| input.object_write_trace_id.is_some());
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for input in inputs.into_iter().rev() {
            match self.check(object, &input, faults) {
                Some((category, code, property)) => errors.push(json!({
                    "status": "error", "category": category, "message": format!("{} was refused", input.id),
                    "context": { "objectWriteTraceId": [input.object_write_trace_id] },
                    "errors": [{ "message": "see the code", "code": code, "context": { "propertyName": [property] } }],
                })),
                None => {
                    let (id, property) = (input.id.to_lowercase(), input.id_property);
                    let mut fields = input.properties;
                    fields.insert(property, json!(id));
                    let own_id = |number| format!("{}{number:04}", object.len());
                    let (kept, is_new) = self.records.upsert(object, &id, fields, own_id);
                    results.push(json!({
                        "id": kept.id, "properties": kept.fields, "new": is_new, "archived": false,
                        "objectWriteTraceId": input.object_write_trace_id,
                    }));
                }
            }
        }
        if errors.is_empty() {
            Reply::new(200, json!({ "status": "COMPLETE", "results": results }))
        } else if traced {
            let count = errors.len();
            Reply::new(207, json!({ "status": "COMPLETE", "results": results, "numErrors": count, "errors": errors }))
        } else {
            // Without trace ids one bad input fails the batch.
            error(400, "VALIDATION_ERROR", "Property values were not valid.")
        }
    }

    /// Returns category, code and property of the error in an input.
    fn check(&self, object: &str, input: &Input, faults: &mut Faults) -> Option<(&'static str, &'static str, String)> {
        let wrong = |code, property: &str| Some(("VALIDATION_ERROR", code, property.to_owned()));
        if faults.refuse.contains(&input.id) {
            return wrong("INVALID_OPTION", &input.id_property);
        }
        if faults.busy.remove(&input.id) {
            return Some(("RATE_LIMITS", "TOO_MANY", input.id_property.clone()));
        }
        if let Some((name, _)) = input.properties.iter().find(|(_, value)| !value.is_string()) {
            return wrong("INVALID_TYPE", name);
        }
        if object == "contacts" && input.id_property == "email" && !input.id.contains('@') {
            return wrong("INVALID_EMAIL", "email");
        }
        let is_new = !self.records.has(object, &input.id.to_lowercase());
        if object == "tasks" && is_new && !input.properties.contains_key("hs_timestamp") {
            return wrong("REQUIRED_FIELD", "hs_timestamp");
        }
        None
    }

    /// A company that is not there is an error of the response with 207, as the documentation says.
    fn read(&self, object: &str, wanted: &Wanted) -> Reply {
        if wanted.inputs.is_empty() || wanted.inputs.len() > MOST {
            return error(400, "VALIDATION_ERROR", "A batch has 1 to 100 inputs.");
        }
        let (mut results, mut missing) = (Vec::new(), Vec::new());
        for WantedInput { id } in &wanted.inputs {
            match self.records.get(object, &id.to_lowercase()) {
                Some(kept) => {
                    let asked = |name: &&String| wanted.properties.contains(name) || **name == wanted.id_property;
                    let properties: Map<String, Value> = kept
                        .fields
                        .iter()
                        .filter(|(name, _)| asked(name))
                        .map(|(name, value)| (name.clone(), value.clone()))
                        .collect();
                    results.push(json!({ "id": kept.id, "properties": properties, "archived": false }));
                }
                None => missing.push(id),
            }
        }
        let body = json!({ "status": "COMPLETE", "results": results });
        if missing.is_empty() {
            return Reply::new(200, body);
        }
        let error = json!({
            "status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some companies",
            "context": { "ids": missing },
        });
        Reply::new(207, json!({ "status": "COMPLETE", "results": results, "numErrors": 1, "errors": [error] }))
    }

    fn associate(&mut self, (object, id): (&str, &str), (to, other): (&str, &str)) -> Reply {
        if !self.records.has_own(object, id) || !self.records.has_own(to, other) {
            return error(404, "OBJECT_NOT_FOUND", "One of the records does not exist.");
        }
        self.associations.insert((id.to_owned(), other.to_owned()));
        let result = json!({ "from": { "id": id }, "to": { "id": other } });
        Reply::new(200, json!({ "status": "COMPLETE", "results": [result] }))
    }
}

fn error(status: u16, category: &str, message: &str) -> Reply {
    Reply::new(status, json!({ "status": "error", "message": message, "category": category, "correlationId": "local" }))
}
