//! A compiled condition.

use super::{EvalError, Lookup, Value};

/// A condition, compiled for good: cheap to run, and safe to share between threads.
#[derive(Debug, Clone)]
pub struct Program<S> {
    source: Box<str>,
    slots: Box<[S]>,
}

impl<S> Program<S> {
    /// What was compiled.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it looks up, each once, in the order of first use. What constants made unreachable is not among them.
    pub fn slots(&self) -> &[S] {
        &self.slots
    }

    /// Its value where it is the same whatever is looked up: a condition that is always false can be warned of.
    pub fn constant(&self) -> Option<Value<'_>> {
        None
    }

    /// Whether the condition holds. What has no value (a missing key, types that do not fit) does not hold.
    pub fn is_true(&self, lookup: &impl Lookup<S>) -> bool {
        matches!(self.eval(lookup), Ok(Value::Bool(true)))
    }

    /// Its value as a number; `None` where it has none, or none that is finite.
    pub fn number(&self, lookup: &impl Lookup<S>) -> Option<f64> {
        match self.eval(lookup) {
            Ok(Value::Int(i)) => Some(i as f64),
            Ok(Value::Double(d)) if d.is_finite() => Some(d),
            _ => None,
        }
    }

    /// Its value, which may borrow from the program and from what was looked up.
    pub fn eval<'a>(&'a self, _lookup: &'a impl Lookup<S>) -> Result<Value<'a>, EvalError> {
        Err(EvalError::Types)
    }
}
