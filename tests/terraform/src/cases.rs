//! The cases in which both renderings are compared: options and configs.

use crate::by_nature::Exceptions;
use crate::error::Unreadable;
use crate::{compare, map, template};
use serde_json::{Map, Value as Json};
use std::path::Path;

/// One stage, rendered by both.
#[derive(Debug)]
pub struct Case {
    /// CDK's template.
    template: Json,
    /// The module's variables.
    variables: Map<String, Json>,
}

impl Case {
    /// Reads `template.json`, `variables.json` (all variables of the module but `config`) and `config.json` (what `perennial config deployment`
    /// prints) in `directory`.
    ///
    /// # Errors
    /// Where a file is missing or no JSON.
    pub fn read(directory: &Path) -> Result<Self, Unreadable> {
        let mut variables = match json(&directory.join("variables.json"))? {
            Json::Object(map) => map,
            other => return Err(Unreadable::Template(format!("{other} are no variables"))),
        };
        variables.insert("config".to_owned(), json(&directory.join("config.json"))?);
        Ok(Self { template: json(&directory.join("template.json"))?, variables })
    }

    /// Creates a case.
    #[must_use]
    pub fn new(template: Json, variables: Map<String, Json>) -> Self {
        Self { template, variables }
    }

    /// Returns all differences between the template and the module in `module`, in words.
    ///
    /// # Errors
    /// If the template or the module cannot be read.
    pub fn differences(&self, module: &Path, exceptions: &mut Exceptions) -> Result<Vec<String>, Unreadable> {
        let form = |error: &dyn std::fmt::Display| Unreadable::Template(error.to_string());
        let mut variables = hcl::Map::new();
        for (name, value) in &self.variables {
            variables.insert(name.clone(), hcl::to_value(value).map_err(|error| form(&error))?);
        }
        let evaluated = crate::evaluate(module, variables)?;
        let resources = map::resources(&evaluated.instances)?;
        let cdk = template::read(&self.template)?;
        let mut out = compare::resources(&cdk.resources, &resources, exceptions);
        let mut told = Map::new();
        for (name, value) in evaluated.outputs {
            told.insert(name, serde_json::to_value(value).map_err(|error| form(&error))?);
        }
        out.extend(compare::outputs(&cdk.outputs, &told));
        Ok(out)
    }

    /// Returns the number of resources in the template.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.template["Resources"].as_object().map_or(0, Map::len)
    }
}

fn json(path: &Path) -> Result<Json, Unreadable> {
    let text = std::fs::read_to_string(path).map_err(|source| Unreadable::File { path: path.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|error| Unreadable::Form { path: path.to_owned(), message: error.to_string() })
}
