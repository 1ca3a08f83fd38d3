//! Compiled conditions: a small tree of typed operations, in which names are slot numbers.

use super::ast::{Arithmetic, Comparison};
use super::pattern::Pattern;
use super::value::{List, Value};
use serde::{Deserialize, Serialize};

/// An operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Node {
    Const(#[serde(with = "super::constant")] Value<'static>),
    /// The value of a slot.
    Slot(u32),
    /// Tests whether a slot has a value.
    Has(u32),
    /// The element that an enclosing [`Node::Each`] is at; 0 is the innermost.
    Local(u32),
    /// A key of a value.
    Select(Box<Node>, Box<str>),
    /// Tests whether a value has a key.
    HasKey(Box<Node>, Box<str>),
    Index(Box<[Node; 2]>),
    List(Box<[Node]>),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// All of these hold.
    And(Box<[Node]>),
    /// At least one of these holds.
    Or(Box<[Node]>),
    Choice(Box<[Node; 3]>),
    Compare(Comparison, Box<[Node; 2]>),
    /// A slot against a constant, which is what most conditions are: a whole number,
    IntVersus(Comparison, u32, i64),
    /// a number with a fraction,
    DoubleVersus(Comparison, u32, f64),
    /// or a text, that it is or is not.
    TextVersus(bool, u32, Box<str>),
    In(Box<[Node; 2]>),
    /// Tests whether a value is one of these texts, which are sorted if there are many.
    InTexts(Box<Node>, Box<[Box<str>]>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Size(Box<Node>),
    ToInt(Box<Node>),
    ToDouble(Box<Node>),
    Find(Find, Box<[Node; 2]>),
    Matches(Box<Node>, Box<Pattern>),
    LowerAscii(Box<Node>),
    /// Tests whether a condition holds for every (`all`) or for some element of a list.
    Each {
        all: bool,
        list: Box<Node>,
        condition: Box<Node>,
    },
    /// Stands in for what was reported; never runs.
    Wrong,
}

/// The largest number of texts that is searched linearly; more are sorted and searched by bisection.
pub(super) const FEW_TEXTS: usize = 8;

/// The kind of a text search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Find {
    Contains,
    StartsWith,
    EndsWith,
}

impl Node {
    /// Returns whether it is a constant, or a list of constants.
    pub(super) fn is_const(&self) -> bool {
        matches!(self, Self::Const(_))
    }

    /// Returns its operands, in the order of the source.
    pub(super) fn parts(&mut self) -> Vec<&mut Node> {
        match self {
            Self::Const(_) | Self::Slot(_) | Self::Has(_) | Self::Local(_) | Self::Wrong => Vec::new(),
            Self::IntVersus(..) | Self::DoubleVersus(..) | Self::TextVersus(..) => Vec::new(),
            Self::Select(part, _)
            | Self::HasKey(part, _)
            | Self::Not(part)
            | Self::Negate(part)
            | Self::InTexts(part, _)
            | Self::Size(part)
            | Self::ToInt(part)
            | Self::ToDouble(part)
            | Self::Matches(part, _)
            | Self::LowerAscii(part) => vec![part.as_mut()],
            Self::Index(parts)
            | Self::Compare(_, parts)
            | Self::In(parts)
            | Self::Arithmetic(_, parts)
            | Self::Find(_, parts) => parts.iter_mut().collect(),
            Self::Choice(parts) => parts.iter_mut().collect(),
            Self::List(parts) | Self::And(parts) | Self::Or(parts) => parts.iter_mut().collect(),
            Self::Each { list, condition, .. } => vec![list.as_mut(), condition.as_mut()],
        }
    }

    /// The slot that this operation looks up itself.
    pub(super) fn slot(&mut self) -> Option<&mut u32> {
        match self {
            Self::Slot(slot) | Self::Has(slot) => Some(slot),
            Self::IntVersus(_, slot, _) | Self::DoubleVersus(_, slot, _) | Self::TextVersus(_, slot, _) => Some(slot),
            _ => None,
        }
    }

    /// A slot compared with a constant.
    fn versus(comparison: Comparison, slot: u32, constant: Value<'static>) -> Self {
        match constant {
            Value::Int(constant) => Self::IntVersus(comparison, slot, constant),
            Value::Double(constant) => Self::DoubleVersus(comparison, slot, constant),
            Value::Text(text) if comparison.is_equality() => {
                Self::TextVersus(comparison == Comparison::Equal, slot, text.into_owned().into_boxed_str())
            }
            constant => Self::Compare(comparison, Box::new([Self::Slot(slot), Self::Const(constant)])),
        }
    }

    /// Returns the same operation in its fastest form. Its operands are in theirs already.
    pub(super) fn quickened(self) -> Self {
        match self {
            Self::Compare(comparison, parts) => match *parts {
                [Self::Slot(slot), Self::Const(value)] => Self::versus(comparison, slot, value),
                [Self::Const(value), Self::Slot(slot)] => Self::versus(comparison.flipped(), slot, value),
                parts => Self::Compare(comparison, Box::new(parts)),
            },
            Self::In(parts) => match *parts {
                [item, Self::Const(list)] => match sorted_texts(&list) {
                    Some(texts) => Self::InTexts(Box::new(item), texts),
                    None => Self::In(Box::new([item, Self::Const(list)])),
                },
                parts => Self::In(Box::new(parts)),
            },
            other => other,
        }
    }
}

/// Returns the texts of a list that has nothing else, sorted.
fn sorted_texts(list: &Value<'_>) -> Option<Box<[Box<str>]>> {
    let Value::List(list) = list else { return None };
    let mut texts = collect_texts(list)?;
    texts.sort_unstable();
    texts.dedup();
    Some(texts.into_boxed_slice())
}

fn collect_texts(list: &List<'_>) -> Option<Vec<Box<str>>> {
    list.iter()
        .map(|value| match value {
            Value::Text(text) => Some(text.into()),
            _ => None,
        })
        .collect()
}
