//! Runs compiled conditions.
//!
//! Nothing is allocated for numbers, booleans and borrowed text; only `+` on texts and lists, lists with looked-up
//! elements, and `lowerAscii` of a text with capitals create new values.

use super::EvalError;
use super::ast::Comparison;
use super::node::{FEW_TEXTS, Find, Node};
use super::ops;
use super::value::{List, Lookup, Value};
use std::borrow::Cow;
use std::mem::ManuallyDrop;

/// The element that a condition on a list is at, and those of the lists around it.
pub(super) struct Local<'b, 'a> {
    element: &'b Value<'a>,
    outer: Option<&'b Local<'b, 'a>>,
}

type Locals<'b, 'a> = Option<&'b Local<'b, 'a>>;

/// One evaluation: the slots and their lookup.
pub(super) struct Run<'a, S, L> {
    pub(super) slots: &'a [S],
    pub(super) lookup: &'a L,
}

impl<'a, S, L: Lookup<S>> Run<'a, S, L> {
    #[inline]
    fn slot(&self, slot: u32) -> Result<Value<'a>, EvalError> {
        let value = self.slots.get(slot as usize).and_then(|what| self.lookup.get(what));
        value.ok_or(EvalError::Missing(slot))
    }

    /// Evaluates to a boolean; any other value is an error.
    ///
    /// The most common operations are handled here and inlined into chains and whole conditions. Values that own
    /// nothing are not dropped, which would cost a call each.
    #[inline(always)]
    fn quick_truth(&self, node: &'a Node, locals: Locals<'_, 'a>) -> Result<bool, EvalError> {
        match node {
            Node::IntVersus(comparison, slot, constant) => {
                let value = ManuallyDrop::new(self.slot(*slot)?);
                match *value {
                    Value::Int(value) => Ok(comparison.holds(value.cmp(constant))),
                    _ => versus(*comparison, ManuallyDrop::into_inner(value), &Value::Int(*constant)),
                }
            }
            Node::TextVersus(is, slot, constant) => {
                let value = ManuallyDrop::new(self.slot(*slot)?);
                match *value {
                    Value::Text(Cow::Borrowed(value)) => Ok((*value == **constant) == *is),
                    _ => {
                        let comparison = if *is { Comparison::Equal } else { Comparison::NotEqual };
                        versus(comparison, ManuallyDrop::into_inner(value), &Value::from(&**constant))
                    }
                }
            }
            Node::DoubleVersus(comparison, slot, constant) => {
                let value = ManuallyDrop::new(self.slot(*slot)?);
                match *value {
                    Value::Double(value) => Ok(match value.partial_cmp(constant) {
                        Some(order) => comparison.holds(order),
                        None => *comparison == Comparison::NotEqual,
                    }),
                    _ => versus(*comparison, ManuallyDrop::into_inner(value), &Value::Double(*constant)),
                }
            }
            Node::Slot(slot) => {
                let value = ManuallyDrop::new(self.slot(*slot)?);
                match *value {
                    Value::Bool(truth) => Ok(truth),
                    _ => neither(ManuallyDrop::into_inner(value)),
                }
            }
            Node::And(parts) => self.chain(parts, false, locals),
            Node::Or(parts) => self.chain(parts, true, locals),
            node => self.truth_of_the_rest(node, locals),
        }
    }

    /// The same as a call.
    pub(super) fn truth(&self, node: &'a Node, locals: Locals<'_, 'a>) -> Result<bool, EvalError> {
        self.quick_truth(node, locals)
    }

    #[inline(never)]
    fn truth_of_the_rest(&self, node: &'a Node, locals: Locals<'_, 'a>) -> Result<bool, EvalError> {
        match node {
            Node::Not(part) => self.truth(part, locals).map(|truth| !truth),
            Node::Has(slot) => {
                let value = self.slots.get(*slot as usize).and_then(|what| self.lookup.get(what));
                Ok(value.is_some_and(|value| ops::holds_something(&value)))
            }
            Node::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                self.truth(if self.truth(condition, locals)? { yes } else { no }, locals)
            }
            Node::HasKey(part, key) => match self.value(part, locals)? {
                Value::Map(map) => Ok(map.get(&**key).is_some_and(|value| ops::holds_something(&Value::from(value)))),
                _ => Err(EvalError::Types),
            },
            Node::Compare(comparison, parts) => {
                let [left, right] = &**parts;
                ops::compare(*comparison, &self.value(left, locals)?, &self.value(right, locals)?)
            }
            Node::In(parts) => {
                let [item, within] = &**parts;
                let item = self.value(item, locals)?;
                match within {
                    Node::List(elements) => {
                        let mut found = false;
                        for element in elements {
                            found |= ops::equal(&item, &self.value(element, locals)?);
                        }
                        Ok(found)
                    }
                    within => ops::contains(&item, &self.value(within, locals)?),
                }
            }
            Node::InTexts(item, texts) => match self.value(item, locals)? {
                Value::Text(text) if texts.len() > FEW_TEXTS => {
                    Ok(texts.binary_search_by(|known| (**known).cmp(&text)).is_ok())
                }
                Value::Text(text) => Ok(texts.iter().any(|known| **known == *text)),
                value => Ok(ops::is_spelled(&value, texts)),
            },
            Node::Find(find, parts) => {
                let [text, wanted] = &**parts;
                match (self.value(text, locals)?, self.value(wanted, locals)?) {
                    (Value::Text(text), Value::Text(wanted)) => Ok(match find {
                        Find::Contains => text.contains(&*wanted),
                        Find::StartsWith => text.starts_with(&*wanted),
                        Find::EndsWith => text.ends_with(&*wanted),
                    }),
                    _ => Err(EvalError::Types),
                }
            }
            Node::Matches(text, pattern) => match self.value(text, locals)? {
                Value::Text(text) => pattern.is_match(&text).ok_or(EvalError::Types),
                _ => Err(EvalError::Types),
            },
            Node::Each { all, list, condition } => self.each(*all, list, condition, locals),
            Node::IntVersus(..)
            | Node::DoubleVersus(..)
            | Node::TextVersus(..)
            | Node::Slot(_)
            | Node::And(_)
            | Node::Or(_) => self.truth(node, locals),
            Node::Const(_)
            | Node::Local(_)
            | Node::Select(..)
            | Node::Index(_)
            | Node::List(_)
            | Node::Negate(_)
            | Node::Arithmetic(..)
            | Node::Size(_)
            | Node::ToInt(_)
            | Node::ToDouble(_)
            | Node::LowerAscii(_)
            | Node::Wrong => self.value(node, locals).and_then(neither),
        }
    }

    /// A chain of `&&` (which `false` decides) or of `||` (which `true` decides): what decides it absorbs errors on either side.
    #[inline(never)]
    fn chain(&self, parts: &'a [Node], decisive: bool, locals: Locals<'_, 'a>) -> Result<bool, EvalError> {
        let mut failed = None;
        for part in parts {
            match self.quick_truth(part, locals) {
                Ok(truth) if truth == decisive => return Ok(decisive),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(!decisive), Err)
    }

    /// `list.all(…)` or `list.exists(…)`, over the keys where it is an object.
    fn each(&self, all: bool, list: &'a Node, condition: &'a Node, locals: Locals<'_, 'a>) -> Result<bool, EvalError> {
        let list = self.value(list, locals)?;
        let mut failed = None;
        let decided = match &list {
            Value::List(list) => {
                list.iter().any(|element| decides(self, all, condition, &element, locals, &mut failed))
            }
            Value::Map(map) => {
                map.keys().any(|key| decides(self, all, condition, &Value::from(key.as_str()), locals, &mut failed))
            }
            _ => return Err(EvalError::Types),
        };
        match (decided, failed) {
            (true, _) => Ok(!all),
            (false, Some(error)) => Err(error),
            (false, None) => Ok(all),
        }
    }

    /// The operation's value.
    #[inline]
    pub(super) fn value(&self, node: &'a Node, locals: Locals<'_, 'a>) -> Result<Value<'a>, EvalError> {
        match node {
            Node::Slot(slot) => self.slot(*slot),
            node => self.value_of_the_rest(node, locals),
        }
    }

    #[inline(never)]
    fn value_of_the_rest(&self, node: &'a Node, locals: Locals<'_, 'a>) -> Result<Value<'a>, EvalError> {
        match node {
            Node::Const(value) => Ok(value.borrow()),
            Node::Slot(slot) => self.slot(*slot),
            Node::Local(depth) => {
                let mut local = locals;
                for _ in 0..*depth {
                    local = local.and_then(|local| local.outer);
                }
                local.map(|local| local.element.clone()).ok_or(EvalError::NoSuchElement)
            }
            Node::Select(part, key) => match self.value(part, locals)? {
                Value::Map(map) => map.get(&**key).map(Value::from).ok_or(EvalError::NoSuchElement),
                _ => Err(EvalError::Types),
            },
            Node::Index(parts) => {
                let [value, at] = &**parts;
                ops::index(self.value(value, locals)?, &self.value(at, locals)?)
            }
            Node::List(parts) => {
                let values: Result<Vec<_>, _> = parts.iter().map(|part| self.value(part, locals)).collect();
                values.map(|values| Value::List(List::Owned(values)))
            }
            Node::Negate(part) => ops::negate(&self.value(part, locals)?),
            Node::Choice(parts) => {
                let [condition, yes, no] = &**parts;
                self.value(if self.truth(condition, locals)? { yes } else { no }, locals)
            }
            Node::Arithmetic(operator, parts) => {
                let [left, right] = &**parts;
                ops::arithmetic(*operator, self.value(left, locals)?, self.value(right, locals)?)
            }
            Node::Size(part) => ops::size(&self.value(part, locals)?).map(Value::Int),
            Node::ToInt(part) => ops::to_int(&self.value(part, locals)?).map(Value::Int),
            Node::ToDouble(part) => ops::to_double(&self.value(part, locals)?).map(Value::Double),
            Node::LowerAscii(part) => match self.value(part, locals)? {
                Value::Text(text) => Ok(Value::Text(ops::lower_ascii(text))),
                _ => Err(EvalError::Types),
            },
            Node::Wrong => Err(EvalError::Types),
            Node::IntVersus(..)
            | Node::DoubleVersus(..)
            | Node::TextVersus(..)
            | Node::And(_)
            | Node::Or(_)
            | Node::Not(_)
            | Node::Has(_)
            | Node::HasKey(..)
            | Node::Compare(..)
            | Node::In(_)
            | Node::InTexts(..)
            | Node::Find(..)
            | Node::Matches(..)
            | Node::Each { .. } => self.truth(node, locals).map(Value::Bool),
        }
    }
}

/// Returns whether the condition on `element` decides for the whole list. The lifetime is that of the element, which
/// the list may own.
fn decides<'c, S, L: Lookup<S>>(
    run: &Run<'c, S, L>,
    all: bool,
    condition: &'c Node,
    element: &Value<'c>,
    outer: Locals<'_, 'c>,
    failed: &mut Option<EvalError>,
) -> bool {
    match run.truth(condition, Some(&Local { element, outer })) {
        Ok(truth) => truth != all,
        Err(error) => {
            failed.get_or_insert(error);
            false
        }
    }
}

/// Compares a value with a constant of another type, or an owned text.
#[inline(never)]
fn versus(comparison: Comparison, value: Value<'_>, constant: &Value<'_>) -> Result<bool, EvalError> {
    ops::compare(comparison, &value, constant)
}

/// The truth of a value that is not known to be one.
#[inline(never)]
fn neither(value: Value<'_>) -> Result<bool, EvalError> {
    ops::truth(&value)
}

/// The lookup of a condition without any name.
pub(super) struct Nothing;

impl<S> Lookup<S> for Nothing {
    fn get(&self, _: &S) -> Option<Value<'_>> {
        None
    }
}
