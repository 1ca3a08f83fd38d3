//! The vocabulary of a condition: names that resolve to typed slots.

use serde::{Deserialize, Serialize};

/// The type of a value, as far as it is known before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits with a sign.
    Int,
    /// A number with a fraction, as IEEE 754 double.
    Double,
    /// Text in UTF-8.
    Text,
    /// A list of values of any type.
    List,
    /// Known only when the condition runs, such as the content of a JSON document.
    Dyn,
}

impl Type {
    /// The type as it is called in messages and in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Double => "a number with a fraction",
            Self::Text => "a text",
            Self::List => "a list",
            Self::Dyn => "any value",
        }
    }

    /// Returns whether it is a number, or may turn out to be one.
    pub fn may_be_number(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Dyn)
    }

    /// Returns whether a value of this type can ever equal one of `other`: numbers compare across types, all other
    /// types only with themselves.
    pub fn may_equal(self, other: Self) -> bool {
        self == other || self == Self::Dyn || other == Self::Dyn || (self.may_be_number() && other.may_be_number())
    }
}

/// The required result of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// True or false.
    Condition,
    /// A number, such as points.
    Number,
    /// Any value.
    Value,
}

/// A parameter of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name in the documentation, such as `days`.
    pub name: &'static str,
    /// Its type. [`Type::Double`] accepts an integer too; [`Type::Dyn`] accepts any constant.
    pub ty: Type,
    /// `true` if it is optional; only at the end.
    pub optional: bool,
}

/// The form of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `idle_days`.
    Variable,
    /// `properties.plan`, `properties["first name"]`.
    Map,
    /// `count("Pricing Page Viewed", 7)`: arguments are constants.
    Function(&'static [Param]),
}

/// One documented name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The name in source. Those of the language (`has`, `size`, `int`, `double`) are reserved.
    pub name: &'static str,
    /// Its form.
    pub form: Form,
    /// Its type; for a map, the type of its keys unless the vocabulary knows better.
    pub ty: Type,
    /// Its meaning, in a sentence.
    pub doc: &'static str,
}

/// A constant argument of a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Const {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    Text(String),
    /// A list of constants.
    List(Vec<Const>),
}

/// Why a function was not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which argument is at fault, from 0; `None` where it is the whole call.
    pub argument: Option<usize>,
    /// The error, and what is allowed.
    pub message: String,
}

/// The names that a condition can use.
///
/// [`compile`](super::compile) resolves each name once, through this, to a slot, which the program passes to
/// [`Lookup`](super::Lookup) whenever it runs. The types given here are promises: a lookup with another type makes the
/// condition an error at that place, never a panic.
pub trait Vocabulary {
    /// A typed lookup, such as "how often `event` happened within `days`". Equal slots are looked up once.
    type Slot: Clone + PartialEq + std::fmt::Debug;

    /// Returns every name with its documentation, for the reference, for hints, and for the number and types of
    /// arguments.
    fn names(&self) -> &[Name];

    /// Returns the slot of the variable `name`; `None` if there is no such variable.
    fn variable(&self, name: &str) -> Option<(Self::Slot, Type)>;

    /// Returns a hint for a name that only other conditions have; `None` if they do not have it either.
    fn elsewhere(&self, _name: &str) -> Option<&'static str> {
        None
    }

    /// Returns the slot for a key of a map: `["product", "sku"]` of `properties` for `properties.product.sku`. `map` is
    /// a name of [`Form::Map`], and `path` has at least one key. The error says what is allowed.
    fn member(&self, map: &str, path: &[String]) -> Result<(Self::Slot, Type), String>;

    /// Returns the slot of a call. `function` is a name of [`Form::Function`], and `args` match its parameters in
    /// number and type.
    fn call(&self, function: &str, args: &[Const]) -> Result<(Self::Slot, Type), Refused>;
}
