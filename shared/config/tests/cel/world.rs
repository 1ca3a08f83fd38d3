//! A small vocabulary with names of every form and type, and facts to look them up in.

use perennial_config::cel::{
    self, CelError, Const, Form, Lookup, Name, Param, Program, Refused, Type, Value, Vocabulary, Wanted,
};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The path of a name into the facts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path(pub(crate) Vec<String>);

/// The vocabulary of these tests.
pub(crate) struct World;

const EVENT: Param = Param { name: "event", ty: Type::Text, optional: false };
const DAYS: Param = Param { name: "days", ty: Type::Int, optional: true };

static NAMES: [Name; 12] = [
    variable("idle_days", Type::Int),
    variable("visits", Type::Int),
    variable("sentiment", Type::Double),
    variable("engagement", Type::Double),
    variable("stage", Type::Text),
    variable("source", Type::Text),
    variable("pays", Type::Bool),
    variable("segments", Type::List),
    variable("anything", Type::Dyn),
    Name { name: "properties", form: Form::Map, ty: Type::Dyn, doc: "" },
    Name { name: "account", form: Form::Map, ty: Type::Dyn, doc: "" },
    Name { name: "count", form: Form::Function(&[EVENT, DAYS]), ty: Type::Int, doc: "" },
];

const fn variable(name: &'static str, ty: Type) -> Name {
    Name { name, form: Form::Variable, ty, doc: "" }
}

impl Vocabulary for World {
    type Slot = Path;

    fn names(&self) -> &[Name] {
        &NAMES
    }

    fn variable(&self, name: &str) -> Option<(Path, Type)> {
        let known = NAMES.iter().find(|known| known.name == name && known.form == Form::Variable)?;
        Some((Path(vec![name.to_owned()]), known.ty))
    }

    fn member(&self, map: &str, path: &[String]) -> Result<(Path, Type), String> {
        if map == "account" && path != ["people"] {
            return Err(format!("`account` has no `{}`; known: people", path.join(".")));
        }
        let whole = std::iter::once(map.to_owned()).chain(path.iter().cloned());
        Ok((Path(whole.collect()), if map == "account" { Type::Int } else { Type::Dyn }))
    }

    fn call(&self, function: &str, args: &[Const]) -> Result<(Path, Type), Refused> {
        let Some(Const::Text(event)) = args.first() else { panic!("arguments are checked before") };
        match args.get(1) {
            Some(Const::Int(days)) if !(1..=28).contains(days) => {
                Err(Refused { argument: Some(1), message: "days go from 1 to 28".to_owned() })
            }
            Some(Const::Int(days)) => Ok((Path(vec![function.to_owned(), format!("{event}/{days}")]), Type::Int)),
            _ => Ok((Path(vec![function.to_owned(), event.clone()]), Type::Int)),
        }
    }
}

/// The facts: values for some of the names. A function's results are under its name, by arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts(pub(crate) BTreeMap<String, Json>);

impl Lookup<Path> for Facts {
    fn get(&self, slot: &Path) -> Option<Value<'_>> {
        let (first, rest) = slot.0.split_first()?;
        let whole = self.0.get(first)?;
        rest.iter().try_fold(whole, |value, key| value.get(key)).map(Value::from)
    }
}

impl Facts {
    /// The same without the members of objects that are `null` or empty text.
    pub(crate) fn without_nothing(&self) -> Self {
        fn filled(value: &Json) -> Json {
            let is_nothing =
                |value: &Json| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
            match value {
                Json::Object(members) => {
                    let members = members.iter().filter(|(_, value)| !is_nothing(value));
                    members.map(|(name, value)| (name.clone(), filled(value))).collect()
                }
                Json::Array(elements) => elements.iter().map(filled).collect(),
                other => other.clone(),
            }
        }
        Self(self.0.iter().map(|(name, value)| (name.clone(), filled(value))).collect())
    }
}

/// Facts of a JSON object.
pub(crate) fn facts(json: Json) -> Facts {
    Facts(serde_json::from_value(json).unwrap())
}

pub(crate) fn compile(source: &str, wanted: Wanted) -> Result<Program<Path>, Vec<CelError>> {
    cel::compile(source, &World, wanted)
}

/// A condition that is right.
pub(crate) fn condition(source: &str) -> Program<Path> {
    compile(source, Wanted::Condition).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}
