//! What a condition may speak of: names that lead to typed slots.

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
    /// Known only when the condition runs: what a JSON document holds.
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

    /// Whether it is a number, or may turn out to be one.
    pub fn may_be_number(self) -> bool {
        matches!(self, Self::Int | Self::Double | Self::Dyn)
    }

    /// Whether a value of this type can ever equal one of `other`: numbers compare across types, everything else only with its like.
    pub fn may_equal(self, other: Self) -> bool {
        self == other || self == Self::Dyn || other == Self::Dyn || (self.may_be_number() && other.may_be_number())
    }
}

/// What a condition has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// True or false.
    Condition,
    /// A number, such as points.
    Number,
}

/// One argument of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name in the documentation, such as `days`.
    pub name: &'static str,
    /// What it has to be. [`Type::Double`] takes a whole number too; [`Type::Dyn`] takes any constant.
    pub ty: Type,
    /// Whether it may be left away; only at the end.
    pub optional: bool,
}

/// How a name is written.
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
    /// The name as it is written. Those of the language (`has`, `size`, `int`, `double`) are taken.
    pub name: &'static str,
    /// How it is written.
    pub form: Form,
    /// What it gives; for a map, what its keys give where the vocabulary does not know better.
    pub ty: Type,
    /// What it means, in a sentence.
    pub doc: &'static str,
}

/// A constant argument of a function.
#[derive(Debug, Clone, PartialEq)]
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
    /// What is wrong, and what is allowed.
    pub message: String,
}

/// What a condition may speak of.
///
/// [`compile`](super::compile) resolves each name once, through this; what a name stands for is kept as a slot, which the
/// program hands to [`Lookup`](super::Lookup) whenever it runs. The types given here are promises: a lookup that gives
/// another type makes the condition an error at that place, never a panic.
pub trait Vocabulary {
    /// A typed "what to look up", such as "how often `event` was done within `days`". Equal slots are looked up as one.
    type Slot: Clone + PartialEq + std::fmt::Debug;

    /// Every name with its documentation, for the reference, for hints, and for the number and types of arguments.
    fn names(&self) -> &[Name];

    /// What the variable `name` stands for; `None` where there is no such variable.
    fn variable(&self, name: &str) -> Option<(Self::Slot, Type)>;

    /// What to do about a name that only other conditions know; `None` where they do not know it either.
    fn elsewhere(&self, _name: &str) -> Option<&'static str> {
        None
    }

    /// What the key of a map stands for: `["product", "sku"]` of `properties` for `properties.product.sku`.
    /// `map` is a name of [`Form::Map`], and `path` has at least one key. The error says what is allowed.
    fn member(&self, map: &str, path: &[String]) -> Result<(Self::Slot, Type), String>;

    /// What a call stands for. `function` is a name of [`Form::Function`], and `args` fit its parameters in number and type.
    fn call(&self, function: &str, args: &[Const]) -> Result<(Self::Slot, Type), Refused>;
}
