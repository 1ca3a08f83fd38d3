//! Salesforce: access tokens by the client credentials flow, upserts of collections by external id, and the query for accounts by external id.
//!
//! Sources: as in `perennial_channels::crm::salesforce`; the object reference requires `LastName` for a contact and
//! `Name` for an account.

use super::{Call, Faults, Records, Reply, StandIn};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The most records of a collection.
const MOST: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Salesforce {
    records: Records,
    /// Tokens given out so far; the last one is good.
    tokens: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Collection {
    #[serde(default)]
    all_or_none: bool,
    records: Vec<Map<String, Value>>,
}

impl StandIn for Salesforce {
    fn answer(&mut self, call: &Call<'_>, faults: &mut Faults) -> Reply {
        if std::mem::take(&mut faults.expire) {
            self.tokens += 1;
        }
        let parts: Vec<&str> = call.path.split('/').collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("POST", ["services", "oauth2", "token"]) => self.token(call),
            ("PATCH", ["services", "data", version, "composite", "sobjects", object, id]) => {
                if !self.is_signed_in(call) {
                    return error(401, "INVALID_SESSION_ID", "Session expired or invalid");
                }
                let number = version.strip_prefix('v').and_then(|number| number.parse::<f32>().ok());
                let is_known = matches!(*object, "Contact" | "Account" | "Task") && id.ends_with("__c");
                if number.is_none_or(|number| number < 46.0) || !is_known {
                    return error(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible");
                }
                match call.json().and_then(|body| serde_json::from_value::<Collection>(body).ok()) {
                    Some(collection) => self.upsert(object, id, collection, faults),
                    None => error(400, "JSON_PARSER_ERROR", "The body is no collection of records"),
                }
            }
            ("GET", ["services", "data", _, "query"]) => match self.is_signed_in(call) {
                true => self.query(call.query.get("q").map(String::as_str)),
                false => error(401, "INVALID_SESSION_ID", "Session expired or invalid"),
            },
            _ => error(404, "NOT_FOUND", "The requested resource does not exist"),
        }
    }

    fn kept(&self) -> Value {
        json!({ "records": self.records, "tokens": self.tokens })
    }
}

impl Salesforce {
    fn is_signed_in(&self, call: &Call<'_>) -> bool {
        self.tokens > 0 && call.bearer == Some(format!("token-{}", self.tokens).as_str())
    }

    /// Answers the one query that there is: for accounts by external ids, in quotes with backslashes before quotes and backslashes.
    fn query(&self, query: Option<&str>) -> Reply {
        let parsed = query.and_then(|text| {
            let (field, rest) = text.strip_prefix("SELECT Id, ")?.split_once(" FROM Account WHERE ")?;
            let ids = rest.strip_prefix(field)?.strip_prefix(" IN (")?.strip_suffix(')')?;
            Some((field.to_owned(), quoted(ids)?))
        });
        let Some((field, ids)) = parsed else {
            return error(400, "MALFORMED_QUERY", "unexpected token");
        };
        let found = ids.iter().filter_map(|id| Some((id, self.records.get("Account", id)?)));
        let records: Vec<Value> = found
            .map(|(id, kept)| json!({ "attributes": { "type": "Account" }, "Id": kept.id, field.as_str(): id }))
            .collect();
        Reply::new(200, json!({ "totalSize": records.len(), "done": true, "records": records }))
    }

    fn token(&mut self, call: &Call<'_>) -> Reply {
        let refused = |error: &str| Reply::new(400, json!({ "error": error, "error_description": "refused" }));
        let text = String::from_utf8_lossy(call.body);
        let form: BTreeMap<&str, &str> = text.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let given = |name| form.get(name).is_some_and(|value: &&str| !value.is_empty());
        if call.is_json || form.get("grant_type") != Some(&"client_credentials") {
            return refused("unsupported_grant_type");
        }
        if !given("client_id") || !given("client_secret") {
            return refused("invalid_client");
        }
        self.tokens += 1;
        let token = format!("token-{}", self.tokens);
        Reply::new(
            200,
            json!({ "access_token": token, "token_type": "Bearer", "instance_url": "https://local.example" }),
        )
    }

    fn upsert(&mut self, object: &str, id_field: &str, collection: Collection, faults: &mut Faults) -> Reply {
        let Collection { all_or_none, records } = collection;
        if records.is_empty() || records.len() > MOST {
            return error(400, "EXCEEDED_MAX_SIZE_REQUEST", "A collection has 1 to 200 records");
        }
        if all_or_none {
            return error(400, "NOT_SUPPORTED", "The stand-in rolls nothing back");
        }
        let of_type = |record: &Map<String, Value>| {
            record.get("attributes").is_some_and(|attributes| attributes["type"] == object)
        };
        if !records.iter().all(of_type) {
            return error(400, "INVALID_TYPE", "Each record must have the type that the address names");
        }
        let results = records.into_iter().map(|record| self.one(object, id_field, record, faults));
        Reply::new(200, Value::Array(results.collect()))
    }

    fn one(&mut self, object: &str, id_field: &str, mut record: Map<String, Value>, faults: &mut Faults) -> Value {
        let refused = |code: &str, fields: &[&str]| {
            let error = json!({ "statusCode": code, "message": "see the code", "fields": fields });
            json!({ "success": false, "errors": [error] })
        };
        record.remove("attributes");
        if record.contains_key("Id") || record.contains_key("id") {
            return refused("INVALID_FIELD", &["Id"]);
        }
        let Some(id) = record.get(id_field).and_then(Value::as_str).map(str::to_owned) else {
            return refused("MISSING_ARGUMENT", &[id_field]);
        };
        if faults.refuse.contains(&id) {
            return refused("FIELD_CUSTOM_VALIDATION_EXCEPTION", &[]);
        }
        if faults.busy.remove(&id) {
            return refused("UNABLE_TO_LOCK_ROW", &[]);
        }
        let needed = match object {
            "Contact" => Some("LastName"),
            "Account" => Some("Name"),
            _ => None,
        };
        let is_new = !self.records.has(object, &id);
        if let Some(field) = needed.filter(|field| is_new && !record.contains_key(*field)) {
            return refused("REQUIRED_FIELD_MISSING", &[field]);
        }
        for (field, of) in [("WhoId", "Contact"), ("AccountId", "Account")] {
            let other = record.get(field).and_then(Value::as_str);
            if other.is_some_and(|other| !self.records.has_own(of, other)) {
                return refused("INVALID_CROSS_REFERENCE_KEY", &[field]);
            }
        }
        let prefix = match object {
            "Contact" => "003",
            "Account" => "001",
            _ => "00T",
        };
        let (kept, created) = self.records.upsert(object, &id, record, |number| format!("{prefix}{number:015}"));
        json!({ "id": kept.id, "success": true, "created": created, "errors": [] })
    }
}

/// Returns the texts of a list of SOQL literals; `None` if it is no such list.
fn quoted(list: &str) -> Option<Vec<String>> {
    let (mut all, mut chars) = (Vec::new(), list.chars());
    loop {
        if chars.next()? != '\'' {
            return None;
        }
        let mut text = String::new();
        loop {
            match chars.next()? {
                '\'' => break,
                '\\' => text.push(chars.next()?),
                other => text.push(other),
            }
        }
        all.push(text);
        match (chars.next(), chars.next()) {
            (None, _) => return Some(all),
            (Some(','), Some(' ')) => {}
            _ => return None,
        }
    }
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status, json!([{ "errorCode": code, "message": message }]))
}
