//! Converts resources of the AWS provider to CloudFormation's. The tables contain every argument that the module uses:
//! an unknown one is an error, so that nothing is left uncompared by mistake.

mod tables;

use crate::compare::Resource;
use crate::error::Unreadable;
use crate::evaluate::Instance;
use crate::{normal, world};
use serde_json::{Map, Value as Json, json};

/// How an argument's value is converted to a property's.
enum As {
    /// Unchanged.
    Is,
    /// JSON in a text.
    Json,
    /// The only one of a list.
    List,
    /// A list of one, which is that one.
    First,
    /// A prefix: a rule of a filter.
    Prefix,
    /// A block: its arguments are properties within the property.
    Block(&'static [Argument]),
    /// Blocks: a list of such.
    Blocks(&'static [Argument]),
    /// An attribute that is a table's key of this type, `HASH` or `RANGE`.
    Key(&'static str),
    /// The arguments of `aws_secretsmanager_random_password`.
    Random,
    /// Ignored: CloudFormation has no such property, or has it in the parent resource.
    Nothing,
}

/// An argument, the property that it is, as a path with dots, and how.
struct Argument(&'static str, &'static str, As);

/// A type of resource.
struct Kind {
    terraform: &'static str,
    cloudformation: &'static str,
    arguments: &'static [Argument],
    /// The argument that refers to the parent resource; CloudFormation has the part's properties there.
    part_of: Option<&'static str>,
}

/// Returns the resources of a module in CloudFormation's terms.
///
/// # Errors
/// For a type or an argument that is not in the tables, and for a part of a missing resource.
pub(crate) fn resources(instances: &[Instance]) -> Result<Vec<Resource>, Unreadable> {
    let mut whole: Vec<(String, &Kind, Json)> = Vec::new();
    let mut parts: Vec<(String, &Kind, String, Json)> = Vec::new();
    for instance in instances {
        let address = &instance.address;
        let unknown = || Unreadable::Unknown(format!("{address}: {} is not known here", instance.kind));
        let kind = tables::KINDS.iter().find(|kind| kind.terraform == instance.kind).ok_or_else(unknown)?;
        let arguments = serde_json::to_value(&instance.attributes).map_err(|_| unknown())?;
        let mut properties = json!({});
        fill(&mut properties, &arguments, kind.arguments)
            .map_err(|problem| Unreadable::Unknown(format!("{address}: {problem}")))?;
        match kind.part_of {
            Some(argument) => {
                if let Some(policy) = properties.get_mut("Policies") {
                    *policy = json!([policy]);
                }
                let whole = arguments[argument].as_str().unwrap_or_default().to_owned();
                parts.push((address.clone(), kind, whole, properties));
            }
            None => {
                if instance.kept {
                    properties[normal::KEPT] = json!(true);
                }
                whole.push((address.clone(), kind, properties));
            }
        }
    }
    for (address, kind, of, properties) in parts {
        let found = whole.iter_mut().find(|(_, other, properties)| {
            let name = world::name_property(other.cloudformation).map(|name| &properties[name]);
            other.cloudformation == kind.cloudformation
                && name.and_then(Json::as_str).is_some_and(|name| world::reference(other.cloudformation, name) == of)
        });
        let (_, _, whole) =
            found.ok_or_else(|| Unreadable::Unknown(format!("{address}: there is no {of} that it could be of")))?;
        add(whole, properties);
    }
    whole
        .into_iter()
        .map(|(address, kind, properties)| normal::resource(&address, kind.cloudformation, properties))
        .collect()
}

/// Writes `arguments` into `properties` according to `table`.
fn fill(properties: &mut Json, arguments: &Json, table: &[Argument]) -> Result<(), String> {
    for (name, value) in arguments.as_object().into_iter().flatten() {
        let Argument(_, property, way) =
            table.iter().find(|argument| argument.0 == name).ok_or_else(|| format!("{name} is not known here"))?;
        let value = match way {
            // An empty block or list is the same as an absent one.
            As::Block(_) if *value == json!([{}]) => continue,
            As::Is if *value == json!([]) || *value == json!({}) => continue,
            As::Is => value.clone(),
            As::List => json!([value]),
            As::First => match value.as_array().map(Vec::as_slice) {
                Some([only]) => only.clone(),
                _ => return Err(format!("{name} must have one value: each is a configuration of its own there")),
            },
            As::Prefix => json!([{ "Name": "prefix", "Value": value }]),
            As::Json | As::Random => {
                let json = serde_json::from_str(value.as_str().unwrap_or_default())
                    .map_err(|error| format!("{name}: {error}"))?;
                if matches!(way, As::Random) { random(&json) } else { json }
            }
            As::Block(table) => {
                let [block] = value.as_array().map(Vec::as_slice).unwrap_or_default() else {
                    return Err(format!("{name} must stand once"));
                };
                let mut within = json!({});
                fill(&mut within, block, table).map_err(|problem| format!("{name}: {problem}"))?;
                within
            }
            As::Blocks(table) => {
                let each = value.as_array().into_iter().flatten().map(|block| {
                    let mut within = json!({});
                    fill(&mut within, block, table).map_err(|problem| format!("{name}: {problem}")).map(|()| within)
                });
                Json::Array(each.collect::<Result<_, _>>()?)
            }
            As::Key(kind) => json!([{ "AttributeName": value, "KeyType": kind }]),
            As::Nothing => continue,
        };
        let nested = property.rsplit('.').fold(value, |value, name| json!({ name: value }));
        add(properties, nested);
    }
    Ok(())
}

/// Adds properties to the existing ones: lists are appended, and objects merged.
fn add(to: &mut Json, more: Json) {
    match (to, more) {
        (Json::Object(to), Json::Object(more)) => {
            for (name, value) in more {
                match to.get_mut(&name) {
                    Some(there) => add(there, value),
                    None => {
                        to.insert(name, value);
                    }
                }
            }
        }
        (Json::Array(to), Json::Array(more)) => to.extend(more),
        (to, more) => *to = more,
    }
}

/// The characters of Secrets Manager's `exclude_punctuation`.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// `GenerateSecretString` of the arguments of a random password.
fn random(arguments: &Json) -> Json {
    let mut out = Map::new();
    for (name, value) in arguments.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("password_length", length) => out.insert("PasswordLength".to_owned(), length.clone()),
            ("exclude_punctuation", Json::Bool(true)) => out.insert("ExcludeCharacters".to_owned(), json!(PUNCTUATION)),
            (name, value) => out.insert(name.to_owned(), value.clone()),
        };
    }
    Json::Object(out)
}
