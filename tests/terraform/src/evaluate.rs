//! A module's resources with every expression evaluated, as `terraform plan` would have them for a new stage.

use crate::computed;
use crate::error::Unreadable;
use crate::functions::{self, sorted};
use crate::types::convert;
use hcl::eval::{Context, Evaluate};
use hcl::{Attribute, Block, Body, Expression, Map, Value};
use std::path::{Path, PathBuf};

/// A resource that would be made.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its address: `module.score.aws_lambda_function.function`, `aws_sqs_queue.queue["events"]`.
    pub address: String,
    /// Its type: `aws_sqs_queue`.
    pub kind: String,
    /// Its arguments that have a value, by name; each kind of block is a list of them.
    pub attributes: Map<String, Value>,
    /// `true` if Terraform refuses to destroy it.
    pub kept: bool,
}

/// The result of evaluating a module.
#[derive(Debug, Clone, Default)]
pub struct Evaluated {
    /// Its resources and those of the modules that it calls.
    pub instances: Vec<Instance>,
    /// Its outputs, by name.
    pub outputs: Map<String, Value>,
}

/// Reads the module in `directory` and evaluates it for `variables`.
///
/// # Errors
/// Any problem with a file, a variable or an expression.
pub fn evaluate(directory: &Path, variables: Map<String, Value>) -> Result<Evaluated, Unreadable> {
    let blocks = read(directory)?;
    let mut scope = Scope::new(directory);
    scope.declare(&blocks, variables)?;
    let locals = blocks.iter().filter(|block| block.identifier() == "locals");
    let locals = locals.flat_map(|block| block.body.attributes()).map(Node::Local);
    let rest = blocks
        .iter()
        .filter(|block| matches!(block.identifier(), "resource" | "data" | "ephemeral" | "module" | "output"));
    let mut pending: Vec<Node<'_>> = locals.chain(rest.map(Node::Block)).collect();
    // An expression that refers to something without a value yet is retried in the next round.
    while !pending.is_empty() {
        let (before, mut problems) = (pending.len(), Vec::new());
        let mut left = Vec::new();
        for node in pending {
            if let Err(problem) = scope.resolve(&node) {
                problems.push(format!("{}: {problem}", node.name()));
                left.push(node);
            }
        }
        if left.len() == before {
            return Err(Unreadable::NoValue(problems));
        }
        pending = left;
    }
    Ok(scope.done)
}

fn read(directory: &Path) -> Result<Vec<Block>, Unreadable> {
    let wrong = |path: &Path, source| Unreadable::File { path: path.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|source| wrong(directory, source))? {
        let path = entry.map_err(|source| wrong(directory, source))?.path();
        if path.extension().is_some_and(|extension| extension == "tf") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut blocks: Vec<Block> = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(|source| wrong(&path, source))?;
        let form = |message| Unreadable::Form { path: path.clone(), message };
        let body: Body = hcl::parse(&text).map_err(|error| form(error.to_string()))?;
        for block in body.into_blocks() {
            let known =
                ["terraform", "provider", "variable", "locals", "data", "resource", "ephemeral", "module", "output"];
            if !known.contains(&block.identifier()) {
                return Err(form(format!("a block `{}` is not understood", block.identifier())));
            }
            let alike = |other: &Block| other.identifier == block.identifier && other.labels == block.labels;
            if !block.labels.is_empty() && blocks.iter().any(alike) {
                return Err(form(format!("{} stands twice", Node::Block(&block).name())));
            }
            blocks.push(block);
        }
    }
    Ok(blocks)
}

/// A block that gets a value.
enum Node<'a> {
    Local(&'a Attribute),
    Block(&'a Block),
}

impl Node<'_> {
    fn name(&self) -> String {
        match self {
            Self::Local(attribute) => format!("local.{}", attribute.key()),
            Self::Block(block) => {
                let labels = block.labels.iter().map(|label| label.as_str());
                [block.identifier()].into_iter().chain(labels).collect::<Vec<_>>().join(".")
            }
        }
    }
}

/// The names within a module.
struct Scope {
    directory: PathBuf,
    names: Map<String, Value>,
    done: Evaluated,
}

type Tried<T> = Result<T, String>;

/// Arguments that define how a resource is created rather than its properties.
const META: [&str; 4] = ["for_each", "count", "provider", "source"];

impl Scope {
    fn new(directory: &Path) -> Self {
        let path: Map<String, Value> =
            [("module".to_owned(), directory.display().to_string().into())].into_iter().collect();
        let names = [("path".to_owned(), Value::Object(path))].into_iter().collect();
        Self { directory: directory.to_owned(), names, done: Evaluated::default() }
    }

    /// Sets the variables' values, and checks their validations.
    fn declare(&mut self, blocks: &[Block], mut given: Map<String, Value>) -> Result<(), Unreadable> {
        let variables: Vec<&Block> = blocks.iter().filter(|block| block.identifier() == "variable").collect();
        self.put(&["var"], Value::Object(Map::new()));
        for block in &variables {
            let name = label(block, 0).to_owned();
            let wrong = |message| Unreadable::Variable { name: name.clone(), message };
            let value = match (given.swap_remove(&name), argument(&block.body, "default")) {
                (Some(value), _) => value,
                (None, Some(default)) => default.evaluate(&self.context()).map_err(|error| wrong(error.to_string()))?,
                (None, None) => return Err(wrong("has no value".to_owned())),
            };
            let wanted = argument(&block.body, "type").ok_or_else(|| wrong("has no type".to_owned()))?;
            let value = convert(value, wanted).map_err(wrong)?;
            self.put(&["var", &name], value);
        }
        if let Some((name, _)) = given.into_iter().next() {
            return Err(Unreadable::Variable { name, message: "is not known".to_owned() });
        }
        for block in variables {
            let wrong = |message| Unreadable::Variable { name: label(block, 0).to_owned(), message };
            for validation in block.body.blocks().filter(|block| block.identifier() == "validation") {
                let ask =
                    |name| argument(&validation.body, name).ok_or_else(|| wrong(format!("a validation has no {name}")));
                let holds = ask("condition")?.evaluate(&self.context()).map_err(|error| wrong(error.to_string()))?;
                if holds != Value::Bool(true) {
                    return Err(wrong(ask("error_message")?.to_string()));
                }
            }
        }
        Ok(())
    }

    fn context(&self) -> Context<'static> {
        let mut context = Context::new();
        functions::declare(&mut context);
        for (name, value) in &self.names {
            context.declare_var(name.as_str(), value.clone());
        }
        context
    }

    /// Sets `value` at a path of names.
    fn put(&mut self, path: &[&str], value: Value) {
        let Some((last, above)) = path.split_last() else { return };
        let mut map = &mut self.names;
        for name in above {
            let entry = map.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(within) = entry else { return };
            map = within;
        }
        map.insert((*last).to_owned(), sorted(value));
    }

    fn resolve(&mut self, node: &Node<'_>) -> Tried<()> {
        let block = match node {
            Node::Local(attribute) => {
                let value = value_of(attribute.expr(), &self.context())?;
                self.put(&["local", attribute.key()], value);
                return Ok(());
            }
            Node::Block(block) => *block,
        };
        match block.identifier() {
            "output" => {
                let value = argument(&block.body, "value").ok_or("has no value")?;
                let value = sorted(value_of(value, &self.context())?);
                self.done.outputs.insert(label(block, 0).to_owned(), value);
            }
            "module" => {
                let arguments = body(&block.body, &self.context())?;
                let source = argument(&block.body, "source").ok_or("has no source")?;
                let source = value_of(source, &self.context())?;
                let directory = self.directory.join(source.as_str().ok_or("the source must be a path")?);
                let called = evaluate(&directory, arguments).map_err(|error| error.to_string())?;
                let name = label(block, 0);
                for mut instance in called.instances {
                    instance.address = format!("module.{name}.{}", instance.address);
                    self.done.instances.push(instance);
                }
                self.put(&["module", name], Value::Object(called.outputs));
            }
            space => {
                let (kind, name) = (label(block, 0), label(block, 1));
                let value = self.instances(block, space, kind, name)?;
                match space {
                    "resource" => self.put(&[kind, name], value),
                    other => self.put(&[other, kind, name], value),
                }
            }
        }
        Ok(())
    }

    /// Returns all instances of a resource, as expressions see them.
    fn instances(&mut self, block: &Block, space: &str, kind: &str, name: &str) -> Tried<Value> {
        let context = self.context();
        let (for_each, count) = (argument(&block.body, "for_each"), argument(&block.body, "count"));
        let mut made: Vec<Instance> = Vec::new();
        let mut make = |address: String, context: &Context<'_>| -> Tried<Value> {
            let attributes = body(&block.body, context)?;
            let kept = is_kept(&block.body);
            let mut seen = attributes.clone();
            seen.extend(computed::attributes(space, kind, &attributes)?);
            made.push(Instance { address, kind: kind.to_owned(), attributes, kept });
            Ok(Value::Object(seen))
        };
        let value = match (for_each, count) {
            (Some(each), None) => {
                let mut all = Map::new();
                for (key, value) in elements(value_of(each, &context)?)? {
                    let mut context = context.clone();
                    let each = [("key".to_owned(), key.as_str().into()), ("value".to_owned(), value)];
                    context.declare_var("each", Value::Object(each.into_iter().collect()));
                    let value = make(format!("{kind}.{name}[\"{key}\"]"), &context)?;
                    all.insert(key, value);
                }
                Value::Object(all)
            }
            (None, Some(count)) => {
                let count = value_of(count, &context)?.as_u64().ok_or("count must be a number")?;
                let mut all = Vec::new();
                for index in 0..count {
                    let mut context = context.clone();
                    let index_map = [("index".to_owned(), Value::from(index))];
                    context.declare_var("count", Value::Object(index_map.into_iter().collect()));
                    all.push(make(format!("{kind}.{name}[{index}]"), &context)?);
                }
                Value::Array(all)
            }
            (None, None) => make(format!("{kind}.{name}"), &context)?,
            (Some(_), Some(_)) => return Err("has both for_each and count".to_owned()),
        };
        if space == "resource" {
            self.done.instances.append(&mut made);
        }
        Ok(value)
    }
}

fn label(block: &Block, index: usize) -> &str {
    block.labels.get(index).map_or("", |label| label.as_str())
}

fn argument<'a>(body: &'a Body, name: &str) -> Option<&'a Expression> {
    body.attributes().find(|attribute| attribute.key() == name).map(Attribute::expr)
}

fn value_of(expression: &Expression, context: &Context<'_>) -> Tried<Value> {
    expression.evaluate(context).map_err(|error| error.to_string())
}

fn is_kept(body: &Body) -> bool {
    let mut lifecycles = body.blocks().filter(|block| block.identifier() == "lifecycle");
    lifecycles.any(|block| argument(&block.body, "prevent_destroy") == Some(&Expression::Bool(true)))
}

/// Returns the elements of a `for_each`: a map, or a set whose elements are their own keys.
fn elements(value: Value) -> Tried<Vec<(String, Value)>> {
    match sorted(value) {
        Value::Object(map) => Ok(map.into_iter().collect()),
        Value::Array(values) => {
            let keyed = values.into_iter().map(|value| match &value {
                Value::String(key) => Ok((key.clone(), value)),
                other => Err(format!("for_each takes a map or a set of strings, and not {other}")),
            });
            keyed.collect()
        }
        other => Err(format!("for_each takes a map or a set of strings, and not {other}")),
    }
}

/// Evaluates the arguments and blocks of a body; null ones are left out, as in Terraform.
fn body(body: &Body, context: &Context<'_>) -> Tried<Map<String, Value>> {
    let mut out = Map::new();
    for attribute in body.attributes().filter(|attribute| !META.contains(&attribute.key())) {
        let value = value_of(attribute.expr(), context).map_err(|problem| format!("{}: {problem}", attribute.key()))?;
        // The resource it names must exist; the order is left to Terraform.
        if attribute.key() != "depends_on" && !value.is_null() {
            out.insert(attribute.key().to_owned(), sorted(value));
        }
    }
    for block in body.blocks().filter(|block| block.identifier() != "lifecycle") {
        let (name, found) = match block.identifier() {
            "dynamic" => (label(block, 0), dynamic(block, context)?),
            name => (name, vec![self::body(&block.body, context)?]),
        };
        let list = out.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        let list = list.as_array_mut().ok_or_else(|| format!("{name} is an argument and a block"))?;
        list.extend(found.into_iter().map(Value::Object));
    }
    Ok(out)
}

fn dynamic(block: &Block, context: &Context<'_>) -> Tried<Vec<Map<String, Value>>> {
    let name = label(block, 0);
    let each = argument(&block.body, "for_each").ok_or("a dynamic block has no for_each")?;
    let content = block.body.blocks().find(|block| block.identifier() == "content");
    let content = content.ok_or("a dynamic block has no content")?;
    let of = match value_of(each, context)? {
        Value::Array(values) => values.into_iter().enumerate().map(|(at, value)| (Value::from(at), value)).collect(),
        other => elements(other)?.into_iter().map(|(key, value)| (key.into(), value)).collect::<Vec<_>>(),
    };
    let made = of.into_iter().map(|(key, value)| {
        let mut context = context.clone();
        let iterator = [("key".to_owned(), key), ("value".to_owned(), value)];
        context.declare_var(name, Value::Object(iterator.into_iter().collect()));
        body(&content.body, &context)
    });
    made.collect()
}
