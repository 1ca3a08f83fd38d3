//! JSON Schemas of the files, for editors, and for the reference page. Only the command line carries them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// A file's name and its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct FileSchema {
    /// The file's name without its extension, such as `scoring`; `template` for all of the folder templates/.
    pub name: &'static str,
    /// JSON Schema, draft 7, which editors of TOML know best.
    pub schema: Value,
}

impl FileSchema {
    /// Returns the name of the file that it describes: `scoring.toml`, `templates/NAME.toml`.
    pub fn file(&self) -> String {
        match self.name {
            "template" => "templates/NAME.toml".to_owned(),
            name => format!("{name}.toml"),
        }
    }

    /// Returns the name of the schema's own file in the folder schema/.
    pub fn file_name(&self) -> String {
        format!("{}.schema.json", self.name)
    }

    /// The schema as the text of its file.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.schema).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Returns the schemas of all files, in the order of their names.
pub fn schemas() -> Vec<FileSchema> {
    vec![
        of::<crate::accounts::File>("accounts"),
        of::<crate::billing::File>("billing"),
        of::<crate::channels::File>("channels"),
        of::<crate::deployment::File>("deployment"),
        of::<crate::features::File>("features"),
        of::<crate::identity::File>("identity"),
        of::<crate::imports::File>("imports"),
        of::<crate::journeys::File>("journeys"),
        of::<crate::lifecycle::File>("lifecycle"),
        of::<crate::limits::File>("limits"),
        of::<crate::personas::File>("personas"),
        of::<crate::schedules::File>("schedules"),
        of::<crate::scoring::File>("scoring"),
        of::<crate::segments::File>("segments"),
        of::<crate::sources::File>("sources"),
        of::<crate::channels::Template>("template"),
    ]
}

fn of<T: JsonSchema>(name: &'static str) -> FileSchema {
    let settings = SchemaSettings::draft07().for_deserialize().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".to_owned(), format!("Perennial: {name}").into());
    }
    FileSchema { name, schema }
}

/// Removes null, which TOML does not have, and properties that are of no use to a reader.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            // If these names contain tables, they are fields of a file.
            if map.get("format").is_some_and(Value::is_string) {
                map.remove("format");
            }
            if map.get("description").is_some_and(Value::is_string) && map.get("title").is_some_and(Value::is_string) {
                map.remove("title");
            }
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|one| one != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    map.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(values)) = map.get_mut("enum") {
                values.retain(|one| !one.is_null());
            }
            if map.get("default").is_some_and(Value::is_null) {
                map.remove("default");
            }
            if let Some(Value::Array(of)) = map.get_mut("anyOf") {
                of.retain(|one| one.get("type").is_none_or(|kind| kind != "null"));
                if let [one] = of.as_mut_slice() {
                    let one = std::mem::take(one);
                    map.remove("anyOf");
                    if let Value::Object(one) = one {
                        for (key, value) in one {
                            map.entry(key).or_insert(value);
                        }
                    }
                }
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// A type that replaces, in a schema, a type of another crate, or one that JSON Schema cannot express.
macro_rules! stands_in {
    ($($(#[$doc:meta])* $name:ident => $schema:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

stands_in! {
    /// A score.
    ScoreName => names(&perennial_domain::Likelihood::ALL.map(perennial_domain::Likelihood::as_str));
    /// A stage.
    StageName => names(&perennial_domain::Stage::ALL.map(perennial_domain::Stage::as_str));
    /// A channel.
    ChannelName => names(&perennial_domain::Channel::ALL.map(perennial_domain::Channel::as_str));
    /// A call of the tracking API.
    CallName => names(&["track", "identify", "page", "screen", "group", "alias"]);
    /// A milestone of lifecycle.toml.
    MilestoneName => names(&["lead", "trial", "freemium", "customer", "churned"]);
    /// A value of an account for the CRM.
    CrmFieldName => names(&["score", "health", "ready", "touch", "stage", "owner", "value"]);
    /// A value of a person for the CRM.
    PersonFieldName => names(&crate::accounts::PersonField::all().map(|field| field.as_str()).collect::<Vec<_>>());
    /// A whole number from 0 to 100.
    WholePercent => json_schema!({"type": "integer", "minimum": 0, "maximum": 100});
    /// A number from 0 to 100.
    Percent => json_schema!({"type": "number", "minimum": 0, "maximum": 100});
    /// A value, or a list of allowed ones.
    OneOf => json_schema!({"anyOf": [
        {"type": ["string", "number", "boolean"]},
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
    ]});
    /// Traits and their values.
    Traits => json_schema!({"type": "object", "minProperties": 1});
    /// A condition on one event.
    EventCondition => json_schema!({"type": "string", "x-cel": "event"});
    /// A condition on a person.
    PersonCondition => json_schema!({"type": "string", "x-cel": "person"});
    /// A measure of a person.
    PersonNumber => json_schema!({"type": "string", "x-cel": "number"});
}

fn names(names: &[&str]) -> Schema {
    json_schema!({"type": "string", "enum": names})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_one_schema_in_the_order_of_names() {
        let names: Vec<&str> = schemas().iter().map(|schema| schema.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
