//! A compiled condition.

use super::eval::Run;
use super::node::Node;
use super::{EvalError, Lookup, Value};
use serde::{Deserialize, Serialize};

/// A compiled condition: cheap to run, and safe to share between threads.
///
/// Two programs are equal if their sources and slots are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program<S> {
    source: Box<str>,
    slots: Box<[S]>,
    root: Node,
}

impl<S: PartialEq> PartialEq for Program<S> {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.slots == other.slots
    }
}

impl<S: Eq> Eq for Program<S> {}

impl<S> Program<S> {
    /// Returns the program of `root`, whose slots are numbered in `slots`; unused slots are removed.
    pub(super) fn new(source: &str, slots: Vec<S>, mut root: Node) -> Self {
        let mut numbers = Vec::new();
        renumber(&mut root, &mut numbers);
        let mut slots: Vec<Option<S>> = slots.into_iter().map(Some).collect();
        let slots =
            numbers.iter().filter_map(|number| slots.get_mut(*number as usize).and_then(Option::take)).collect();
        Self { source: source.into(), slots, root }
    }

    /// Returns the source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the slots that it looks up, each once, in the order of first use. Slots that constants made unreachable
    /// are not included.
    pub fn slots(&self) -> &[S] {
        &self.slots
    }

    /// Returns its value if it does not depend on any slot, so that a check can warn of a condition that is always
    /// false.
    pub fn constant(&self) -> Option<Value<'_>> {
        match &self.root {
            Node::Const(value) => Some(value.borrow()),
            _ => None,
        }
    }

    /// Returns whether the condition holds. A condition without a value (a missing key, types that do not fit) does not
    /// hold.
    pub fn is_true(&self, lookup: &impl Lookup<S>) -> bool {
        matches!(self.run(lookup).truth(&self.root, None), Ok(true))
    }

    /// Its value as a number; `None` where it has none, or none that is finite.
    pub fn number(&self, lookup: &impl Lookup<S>) -> Option<f64> {
        match self.eval(lookup) {
            Ok(Value::Int(i)) => Some(i as f64),
            Ok(Value::Double(d)) if d.is_finite() => Some(d),
            _ => None,
        }
    }

    /// Returns its value, which may borrow from the program and the lookup.
    pub fn eval<'a>(&'a self, lookup: &'a impl Lookup<S>) -> Result<Value<'a>, EvalError> {
        self.run(lookup).value(&self.root, None)
    }

    /// The whole condition.
    pub(super) fn root(&self) -> &Node {
        &self.root
    }

    fn run<'a, L: Lookup<S>>(&'a self, lookup: &'a L) -> Run<'a, S, L> {
        Run { slots: &self.slots, lookup }
    }
}

/// Numbers the slots of `node` by their first use. `numbers` has the old number at each new one.
fn renumber(node: &mut Node, numbers: &mut Vec<u32>) {
    if let Some(slot) = node.slot() {
        let known = numbers.iter().position(|number| number == slot);
        let new = known.unwrap_or_else(|| {
            numbers.push(*slot);
            numbers.len() - 1
        });
        *slot = new as u32;
    }
    for part in node.parts() {
        renumber(part, numbers);
    }
}
