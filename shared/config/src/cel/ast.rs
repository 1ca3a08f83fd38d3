//! The syntax tree of a condition, with source positions.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::ops::Range;

/// An expression and its place.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: Range<usize>,
    pub(super) kind: Kind,
}

/// A name or a key, and its position.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

/// The kind of an expression.
#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Expr>),
    Name(String),
    /// `operand.key`.
    Select(Box<Expr>, Word),
    /// `has(operand.key)`.
    Has(Box<Expr>, Word),
    /// `operand[index]`.
    Index(Box<Expr>, Box<Expr>),
    /// `function(arguments)`.
    Call(Word, Vec<Expr>),
    /// `operand.method(arguments)`.
    Method(Box<Expr>, Word, Vec<Expr>),
    /// `list.exists(variable, condition)` or `list.all(variable, condition)`.
    Each {
        all: bool,
        list: Box<Expr>,
        variable: String,
        condition: Box<Expr>,
    },
    Not(Box<Expr>),
    Negate(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Choice(Box<[Expr; 3]>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// Not part of the language; already reported.
    Wrong,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Returns whether the comparison holds for this order of left and right.
    #[inline]
    pub(super) fn holds(self, order: Ordering) -> bool {
        let (less, equal, greater) = (1, 2, 4);
        let orders = match self {
            Self::Equal => equal,
            Self::NotEqual => less | greater,
            Self::Less => less,
            Self::LessOrEqual => less | equal,
            Self::Greater => greater,
            Self::GreaterOrEqual => greater | equal,
        };
        let this = match order {
            Ordering::Less => less,
            Ordering::Equal => equal,
            Ordering::Greater => greater,
        };
        orders & this != 0
    }

    /// Returns the comparison for `b, a` that is equivalent to this one for `a, b`.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// Returns whether it tests only equality, which all values support.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
