//! A CloudFormation template with every reference resolved.

use crate::compare::Resource;
use crate::error::Unreadable;
use crate::{normal, world};
use serde_json::{Map, Value as Json, json};

/// The resources and outputs of a template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its resources.
    pub resources: Vec<Resource>,
    /// Its outputs, by name.
    pub outputs: Map<String, Json>,
}

/// Reads a template as CDK writes it.
///
/// # Errors
/// Where it refers to something that it does not have, or uses a function that is not understood here.
pub fn read(template: &Json) -> Result<Template, Unreadable> {
    let resolver = Resolver(template);
    let mut resources = Vec::new();
    for (id, resource) in template["Resources"].as_object().into_iter().flatten() {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let mut properties = resolver.resolve(&resource["Properties"]).map_err(|problem| in_template(id, &problem))?;
        if resource["DeletionPolicy"] == "Retain" {
            properties[normal::KEPT] = json!(true);
        }
        resources.push(normal::resource(id, kind, properties)?);
    }
    let mut outputs = Map::new();
    for (id, output) in template["Outputs"].as_object().into_iter().flatten() {
        let value = resolver.resolve(&output["Value"]).map_err(|problem| in_template(id, &problem))?;
        outputs.insert(id.clone(), value);
    }
    Ok(Template { resources, outputs })
}

fn in_template(id: &str, problem: &str) -> Unreadable {
    Unreadable::Template(format!("{id}: {problem}"))
}

struct Resolver<'a>(&'a Json);

impl Resolver<'_> {
    fn resolve(&self, value: &Json) -> Result<Json, String> {
        match value {
            Json::Array(values) => {
                values.iter().map(|value| self.resolve(value)).collect::<Result<_, _>>().map(Json::Array)
            }
            Json::Object(map) => match map.iter().next() {
                Some((function, argument)) if map.len() == 1 && (function == "Ref" || function.starts_with("Fn::")) => {
                    self.call(function, argument)
                }
                _ => {
                    let resolved = map.iter().map(|(key, value)| Ok((key.clone(), self.resolve(value)?)));
                    resolved.collect::<Result<_, String>>().map(Json::Object)
                }
            },
            other => Ok(other.clone()),
        }
    }

    fn call(&self, function: &str, argument: &Json) -> Result<Json, String> {
        let unknown = || format!("{function} of {argument} is not understood");
        match (function, argument) {
            ("Ref", Json::String(id)) => self.reference(id).map(Json::String),
            ("Fn::GetAtt", Json::Array(path)) => match path.as_slice() {
                [Json::String(id), Json::String(attribute)] => self.attribute(id, attribute).map(Json::String),
                _ => Err(unknown()),
            },
            ("Fn::Join", Json::Array(parts)) => {
                let [Json::String(between), Json::Array(parts)] = parts.as_slice() else { return Err(unknown()) };
                let parts = parts.iter().map(|part| match self.resolve(part)? {
                    Json::String(text) => Ok(text),
                    other => Err(format!("{other} cannot be joined")),
                });
                Ok(json!(parts.collect::<Result<Vec<_>, String>>()?.join(between)))
            }
            ("Fn::Sub", Json::String(text)) => {
                let pseudo =
                    [("AccountId", world::ACCOUNT), ("Partition", world::PARTITION), ("Region", world::REGION)];
                let filled = pseudo
                    .iter()
                    .fold(text.clone(), |text, (name, value)| text.replace(&format!("${{AWS::{name}}}"), value));
                if filled.contains("${") { Err(unknown()) } else { Ok(json!(filled)) }
            }
            ("Fn::FindInMap", Json::Array(path)) => {
                let mut found = &self.0["Mappings"];
                for key in path {
                    found = &found[self.resolve(key)?.as_str().ok_or_else(unknown)?];
                }
                if found.is_null() { Err(unknown()) } else { Ok(found.clone()) }
            }
            _ => Err(unknown()),
        }
    }

    /// Returns the type and the name of the resource with this logical id.
    fn named(&self, id: &str) -> Result<(&str, String), String> {
        let resource = &self.0["Resources"][id];
        let kind = resource["Type"].as_str().ok_or_else(|| format!("there is no {id}"))?;
        let property = world::name_property(kind).ok_or_else(|| format!("{id}: nobody refers to a {kind}"))?;
        let name = self.resolve(&resource["Properties"][property])?;
        Ok((kind, name.as_str().ok_or_else(|| format!("{id} has no {property}"))?.to_owned()))
    }

    fn reference(&self, id: &str) -> Result<String, String> {
        Ok(match id {
            "AWS::AccountId" => world::ACCOUNT.to_owned(),
            "AWS::Partition" => world::PARTITION.to_owned(),
            "AWS::Region" => world::REGION.to_owned(),
            id => {
                let (kind, name) = self.named(id)?;
                world::reference(kind, &name)
            }
        })
    }

    fn attribute(&self, id: &str, attribute: &str) -> Result<String, String> {
        let resource = &self.0["Resources"][id];
        if resource["Type"] == "AWS::Lambda::Url" {
            let function = self.resolve(&resource["Properties"]["TargetFunctionArn"])?;
            return Ok(world::function_url(normal::last_part(function.as_str().unwrap_or_default())));
        }
        let (kind, name) = self.named(id)?;
        if let (Some(number), "AWS::SES::EmailIdentity") = (attribute.strip_prefix("DkimDNSTokenName"), kind) {
            return Ok(format!("{}._domainkey.{name}", world::dkim_token(number.parse().unwrap_or_default())));
        }
        if let (Some(number), "AWS::SES::EmailIdentity") = (attribute.strip_prefix("DkimDNSTokenValue"), kind) {
            return Ok(format!("{}.dkim.amazonses.com", world::dkim_token(number.parse().unwrap_or_default())));
        }
        match (attribute, kind) {
            // CloudFormation's covers the streams of the group.
            ("Arn", "AWS::Logs::LogGroup") => Ok(world::arn(kind, &name) + ":*"),
            ("Arn", _) | ("Id", "AWS::SecretsManager::Secret") => Ok(world::arn(kind, &name)),
            ("QueueName", "AWS::SQS::Queue") => Ok(name),
            _ => Err(format!("{attribute} of a {kind} is not understood")),
        }
    }
}
