//! Names, keys and calls of the vocabulary.

use super::super::ast::{Expr, Kind, Word};
use super::super::node::Node;
use super::super::value::Value;
use super::super::{Const, Form, Param, Type, Vocabulary};
use super::{Checker, Typed, key_of};
use crate::spelling::nearest;
use std::ops::Range;

/// Functions of the language itself.
const OWN: [&str; 4] = ["double", "has", "int", "size"];

impl<V: Vocabulary> Checker<'_, V> {
    fn form(&self, name: &str) -> Option<Form> {
        self.vocabulary.names().iter().find(|known| known.name == name).map(|known| known.form)
    }

    /// Returns the nesting distance of the element called `name`; 0 is the innermost.
    fn local(&self, name: &str) -> Option<u32> {
        self.locals.iter().rev().position(|local| local == name).map(|depth| depth as u32)
    }

    pub(super) fn name(&mut self, at: &Range<usize>, name: &str) -> Typed {
        if let Some(depth) = self.local(name) {
            return Typed::new(Node::Local(depth), Type::Dyn);
        }
        if let Some((slot, ty)) = self.vocabulary.variable(name) {
            return Typed::new(Node::Slot(self.slot(slot)), ty);
        }
        let message = match self.form(name) {
            Some(Form::Map) => format!("`{name}` has keys: write `{name}.KEY` or `{name}[\"KEY\"]`"),
            Some(Form::Function(params)) => format!("`{name}` is a function: write `{}`", usage(name, params)),
            Some(Form::Variable) => format!("`{name}` cannot be asked here"),
            None if OWN.contains(&name) => format!("`{name}` is a function: write `{name}(…)`"),
            None => self.unknown(name),
        };
        self.wrong(at, message)
    }

    /// Returns the error for an unknown name, with the nearest one, or all names if none is near.
    fn unknown(&self, name: &str) -> String {
        if let Some(elsewhere) = self.vocabulary.elsewhere(name) {
            return format!("`{name}` {elsewhere}");
        }
        let words = ["true", "false", "null"];
        let locals = self.locals.iter().map(String::as_str);
        let known = self.vocabulary.names().iter().map(|known| known.name).chain(locals);
        if let Some(near) = nearest(name, known.clone().chain(words)) {
            return format!("`{name}` is no known name; did you mean `{near}`?");
        }
        let mut all: Vec<&str> = known.collect();
        all.sort_unstable();
        if all.is_empty() {
            return format!("`{name}` is no known name, and none is known here; a text stands in quotes");
        }
        format!("`{name}` is no known name (a text stands in quotes). Known: {}", all.join(", "))
    }

    /// Returns the map that `expr` names without a key.
    pub(super) fn bare_map<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        match &expr.kind {
            Kind::Name(name) if self.local(name).is_none() && self.form(name) == Some(Form::Map) => Some(name),
            _ => None,
        }
    }

    /// The map and the keys that `expr` walks along: `properties.product["sku"]`.
    fn path<'e>(&self, expr: &'e Expr) -> Option<(&'e str, Vec<String>)> {
        let mut keys = Vec::new();
        let mut expr = expr;
        loop {
            let (operand, key) = match &expr.kind {
                Kind::Select(operand, key) => (operand, &key.text),
                Kind::Index(operand, index) => match &index.kind {
                    Kind::Text(key) => (operand, key),
                    _ => return None,
                },
                _ => {
                    let map = self.bare_map(expr)?;
                    keys.reverse();
                    return (!keys.is_empty()).then_some((map, keys));
                }
            };
            keys.push(key.clone());
            expr = operand;
        }
    }

    /// The slot of a map's key.
    pub(super) fn member(&mut self, at: &Range<usize>, map: &str, path: &[String]) -> Option<(u32, Type)> {
        match self.vocabulary.member(map, path) {
            Ok((slot, ty)) => Some((self.slot(slot), ty)),
            Err(message) => {
                self.wrong(at, message);
                None
            }
        }
    }

    /// `operand.key`.
    pub(super) fn select(&mut self, expr: &Expr, operand: &Expr, key: &Word) -> Typed {
        if let Some(typed) = self.walked(expr) {
            return typed;
        }
        let (key, at) = key_of(key);
        let operand = match self.keyed(operand, at) {
            Some(operand) => operand,
            None => return Typed::wrong(),
        };
        self.fold(&expr.at, Node::Select(Box::new(operand.node), key.into()), Type::Dyn)
    }

    fn walked(&mut self, expr: &Expr) -> Option<Typed> {
        let (map, path) = self.path(expr)?;
        Some(match self.member(&expr.at, map, &path) {
            Some((slot, ty)) => Typed::new(Node::Slot(slot), ty),
            None => Typed::wrong(),
        })
    }

    /// Checks `operand`, which has to have keys because `key` is looked up in it.
    fn keyed(&mut self, operand: &Expr, key: &Range<usize>) -> Option<Typed> {
        let typed = self.expr(operand);
        if typed.is_wrong() {
            return None;
        }
        if typed.ty == Type::Dyn && !typed.is_null() {
            return Some(typed);
        }
        let name = self.text(key).into_owned();
        let hint = match name.as_str() {
            "length" | "len" | "count" => "; its size is `size(…)`",
            _ => "",
        };
        let message =
            format!("`{}` is {} and has no keys such as `{name}`{hint}", self.text(&operand.at), typed.kind());
        self.wrong(key, message);
        None
    }

    /// `has(operand.key)`. A key is missing as well where what should have it is missing: CEL makes that an error, which
    /// would make `!has(properties.product.sku)` false for an event without a product.
    pub(super) fn has(&mut self, at: &Range<usize>, operand: &Expr, key: &Word) -> Typed {
        let walked = match self.bare_map(operand) {
            Some(map) => Some((map, Vec::new())),
            None => self.path(operand),
        };
        if let Some((map, mut path)) = walked {
            path.push(key.text.clone());
            return match self.member(&(operand.at.start..key.at.end), map, &path) {
                Some((slot, _)) => Typed::new(Node::Has(slot), Type::Bool),
                None => Typed::wrong(),
            };
        }
        let (key, place) = key_of(key);
        match self.keyed(operand, place) {
            Some(operand) => self.fold(at, Node::HasKey(Box::new(operand.node), key.into()), Type::Bool),
            None => Typed::wrong(),
        }
    }

    /// `operand[index]`.
    pub(super) fn index(&mut self, expr: &Expr, operand: &Expr, index: &Expr) -> Typed {
        if let Some(typed) = self.walked(expr) {
            return typed;
        }
        if let Some(map) = self.bare_map(operand) {
            let message = format!("a key of `{map}` is a text in quotes, such as `{map}[\"KEY\"]`");
            return self.wrong(&index.at, message);
        }
        let (value, at) = (self.expr(operand), self.expr(index));
        if value.is_wrong() || at.is_wrong() {
            return Typed::wrong();
        }
        if !value.may_be(Type::List) {
            let message = format!("`{}` is {} and has no elements", self.text(&operand.at), value.kind());
            return self.wrong(&operand.at, message);
        }
        let fits = at.may_be_number() || (value.ty == Type::Dyn && at.may_be(Type::Text));
        if !fits {
            let message = format!("an index is a whole number from 0, and `{}` is {}", self.text(&index.at), at.kind());
            return self.wrong(&index.at, message);
        }
        self.fold(&expr.at, Node::Index(Box::new([value.node, at.node])), Type::Dyn)
    }

    /// `function(arguments)`.
    pub(super) fn call(&mut self, at: &Range<usize>, name: &Word, arguments: &[Expr]) -> Typed {
        if OWN.contains(&name.text.as_str()) {
            return self.own_call(at, name, arguments);
        }
        match self.form(&name.text) {
            Some(Form::Function(params)) => self.vocabulary_call(at, name, params, arguments),
            Some(form) => {
                let brackets =
                    if form == Form::Map { "key, not a call: write `.KEY`" } else { "name without brackets" };
                let message = format!("`{}` is no function: it takes a {brackets}", name.text);
                self.wrong(&name.at, message)
            }
            None => {
                let message = self.unknown_function(&name.text);
                self.wrong(&name.at, message)
            }
        }
    }

    fn unknown_function(&self, name: &str) -> String {
        if super::methods::METHODS.contains(&name) {
            return format!("`{name}` follows what it asks of: write `x.{name}(…)`");
        }
        let names = self.vocabulary.names().iter();
        let functions =
            names.filter(|known| matches!(known.form, Form::Function(_))).map(|known| known.name).chain(OWN);
        match nearest(name, functions.clone()) {
            Some(near) => format!("`{name}` is no function; did you mean `{near}`?"),
            None => {
                let mut all: Vec<&str> = functions.collect();
                all.sort_unstable();
                format!("`{name}` is no function. Known: {}", all.join(", "))
            }
        }
    }

    fn own_call(&mut self, at: &Range<usize>, name: &Word, arguments: &[Expr]) -> Typed {
        let [argument] = arguments else {
            let message = format!("`{}` takes one argument, and {} are given", name.text, arguments.len());
            return self.wrong(at, message);
        };
        match name.text.as_str() {
            "size" => self.size(at, argument),
            "int" => self.convert(at, argument, Type::Int),
            "double" => self.convert(at, argument, Type::Double),
            _ => self.wrong(at, "`has()` asks for a key: write `has(properties.plan)`"),
        }
    }

    /// `int(x)` and `double(x)`.
    fn convert(&mut self, at: &Range<usize>, argument: &Expr, to: Type) -> Typed {
        let part = self.expr(argument);
        if part.is_wrong() {
            return part;
        }
        if !part.may_be_number() && !part.may_be(Type::Text) {
            let message = format!(
                "a number is made of a number or of a text, and `{}` is {}",
                self.text(&argument.at),
                part.kind()
            );
            return self.wrong(&argument.at, message);
        }
        let part = Box::new(part.node);
        let node = if to == Type::Int { Node::ToInt(part) } else { Node::ToDouble(part) };
        self.fold(at, node, to)
    }

    fn vocabulary_call(
        &mut self,
        at: &Range<usize>,
        name: &Word,
        params: &'static [Param],
        arguments: &[Expr],
    ) -> Typed {
        let typed: Vec<Typed> = arguments.iter().map(|argument| self.expr(argument)).collect();
        let needed = params.iter().filter(|param| !param.optional).count();
        if arguments.len() < needed || arguments.len() > params.len() {
            let given = match arguments.len() {
                0 => "none is given".to_owned(),
                1 => "one is given".to_owned(),
                n => format!("{n} are given"),
            };
            let usage = usage(&name.text, params);
            let message =
                format!("`{}` takes {}, and {given}: write `{usage}`", name.text, how_many(needed, params.len()));
            return self.wrong(at, message);
        }
        let before = self.errors.len();
        let mut constants = Vec::new();
        for ((argument, typed), param) in arguments.iter().zip(typed).zip(params) {
            match typed.node {
                Node::Const(value) => match constant(&value, param.ty) {
                    Some(constant) => constants.push(constant),
                    None => {
                        let given =
                            if matches!(value, Value::Null) { "`null`" } else { super::type_of(&value).as_str() };
                        let message = format!("`{}` has to be {}, and this is {given}", param.name, param.ty.as_str());
                        self.wrong(&argument.at, message);
                    }
                },
                Node::Wrong => return Typed::wrong(),
                _ => {
                    let message =
                        format!("`{}` has to be written out: it cannot depend on what is looked up", param.name);
                    self.wrong(&argument.at, message);
                }
            }
        }
        if self.errors.len() > before {
            return Typed::wrong();
        }
        match self.vocabulary.call(&name.text, &constants) {
            Ok((slot, ty)) => Typed::new(Node::Slot(self.slot(slot)), ty),
            Err(refused) => {
                let place = refused.argument.and_then(|at| arguments.get(at)).map_or(at, |argument| &argument.at);
                self.wrong(place, refused.message)
            }
        }
    }
}

/// `value` as an argument of type `ty`, if it fits.
fn constant(value: &Value<'_>, ty: Type) -> Option<Const> {
    Some(match (value, ty) {
        (Value::Int(i), Type::Double) => Const::Double(*i as f64),
        (value, ty) if ty != Type::Dyn && (super::type_of(value) != ty || matches!(value, Value::Null)) => return None,
        (Value::Null, _) => Const::Null,
        (Value::Bool(b), _) => Const::Bool(*b),
        (Value::Int(i), _) => Const::Int(*i),
        (Value::Double(d), _) => Const::Double(*d),
        (Value::Text(text), _) => Const::Text(text.clone().into_owned()),
        (Value::List(list), _) => {
            Const::List(list.iter().map(|element| constant(&element, Type::Dyn)).collect::<Option<_>>()?)
        }
        (Value::Map(_), _) => return None,
    })
}

/// Returns the signature of a function: `count(event, days)`.
fn usage(name: &str, params: &[Param]) -> String {
    let params: Vec<String> = params
        .iter()
        .map(|param| match (param.ty, param.optional) {
            (Type::Text, false) => format!("\"{}\"", param.name.to_uppercase()),
            (Type::Text, true) => format!("[\"{}\"]", param.name.to_uppercase()),
            (_, false) => param.name.to_uppercase(),
            (_, true) => format!("[{}]", param.name.to_uppercase()),
        })
        .collect();
    format!("{name}({})", params.join(", "))
}

fn how_many(least: usize, most: usize) -> String {
    match (least, most) {
        (0, 0) => "no argument".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) if least + 1 == most => format!("{least} or {most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}
