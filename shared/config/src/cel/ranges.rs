//! Evaluates conditions for many values at once: what may come of a condition whose slots have values within ranges. The answer is a superset:
//! what it leaves out is impossible, and not all that it contains is possible.

use super::Lookup;
use super::ast::Comparison;
use super::eval::Run;
use super::node::Node;
use super::program::Program;
use std::cmp::Ordering;

/// The values that a slot may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Range {
    /// That of the lookup, or none where the lookup has none.
    Same,
    /// None.
    Missing,
    /// Whole numbers, from the first to the second.
    Ints(i64, i64),
    /// Numbers, from the first to the second.
    Doubles(f64, f64),
    /// These truths.
    Truths(Outcomes),
    /// Any, or none.
    Any,
}

/// A source of the ranges of a program's slots. The lookup has one value of each range.
pub trait Ranges<S>: Lookup<S> {
    /// Returns the values that `slot` may have.
    fn range(&self, slot: &S) -> Range;
}

/// The possible results of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcomes(u8);

impl Outcomes {
    /// It holds.
    pub const TRUE: Self = Self(1);
    /// It does not hold.
    pub const FALSE: Self = Self(2);
    /// It has no value.
    const ERROR: Self = Self(4);
    /// Anything.
    pub const ANY: Self = Self(7);
    const NONE: Self = Self(0);

    /// Returns the outcome that is certain, as conditions count: what has no value does not hold. `None` if either is possible.
    #[must_use]
    pub fn certain(self) -> Option<bool> {
        match (self.may(Self::TRUE), self.may(Self::FALSE) || self.may(Self::ERROR)) {
            (true, true) => None,
            (holds, _) => Some(holds),
        }
    }

    /// Both, as of one or the other.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn may(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn of(truth: bool) -> Self {
        if truth { Self::TRUE } else { Self::FALSE }
    }

    const fn flipped(self) -> Self {
        Self((self.0 & 1) << 1 | (self.0 & 2) >> 1 | self.0 & 4)
    }
}

impl<S> Program<S> {
    /// Returns what may come of the condition.
    pub fn outcomes(&self, ranges: &impl Ranges<S>) -> Outcomes {
        self.over(ranges).outcomes(self.root())
    }

    /// Returns the range of its value as a number; [`Range::Any`] where that is not known.
    pub fn bounds(&self, ranges: &impl Ranges<S>) -> Range {
        let over = self.over(ranges);
        match self.root() {
            Node::Slot(slot) => over.range(*slot),
            root if over.is_same(root) => Range::Same,
            _ => Range::Any,
        }
    }

    fn over<'a, R: Ranges<S>>(&'a self, ranges: &'a R) -> Over<'a, S, R> {
        Over(Run { slots: self.slots(), lookup: ranges })
    }
}

/// An evaluation over ranges.
struct Over<'a, S, R>(Run<'a, S, R>);

impl<'a, S, R: Ranges<S>> Over<'a, S, R> {
    fn range(&self, slot: u32) -> Range {
        self.0.slots.get(slot as usize).map_or(Range::Missing, |slot| self.0.lookup.range(slot))
    }

    /// Returns whether an operation has one value only: that of the lookup.
    fn is_same(&self, node: &Node) -> bool {
        let all = |parts: &[Node]| parts.iter().all(|part| self.is_same(part));
        match node {
            Node::Const(_) => true,
            Node::Slot(slot)
            | Node::Has(slot)
            | Node::IntVersus(_, slot, _)
            | Node::DoubleVersus(_, slot, _)
            | Node::TextVersus(_, slot, _) => self.range(*slot) == Range::Same,
            Node::Select(part, _)
            | Node::HasKey(part, _)
            | Node::Not(part)
            | Node::Negate(part)
            | Node::InTexts(part, _)
            | Node::Size(part)
            | Node::ToInt(part)
            | Node::ToDouble(part)
            | Node::Matches(part, _)
            | Node::LowerAscii(part) => self.is_same(part),
            Node::Index(parts)
            | Node::Compare(_, parts)
            | Node::In(parts)
            | Node::Arithmetic(_, parts)
            | Node::Find(_, parts) => all(&**parts),
            Node::Choice(parts) => all(&**parts),
            Node::List(parts) | Node::And(parts) | Node::Or(parts) => all(parts),
            Node::Local(_) | Node::Each { .. } | Node::Wrong => false,
        }
    }

    fn outcomes(&self, node: &'a Node) -> Outcomes {
        match node {
            Node::And(parts) => self.chain(parts),
            // Neither holds if both do not.
            Node::Or(parts) => self.alternatives(parts),
            Node::Not(part) => self.outcomes(part).flipped(),
            Node::Slot(slot) => match self.range(*slot) {
                Range::Same => self.exactly(node),
                Range::Truths(truths) => truths,
                Range::Missing => Outcomes::ERROR,
                Range::Ints(..) | Range::Doubles(..) | Range::Any => Outcomes::ANY,
            },
            Node::IntVersus(comparison, slot, constant) => match self.range(*slot) {
                Range::Same => self.exactly(node),
                Range::Ints(low, high) => compared(*comparison, low.cmp(constant), high.cmp(constant)),
                Range::Doubles(low, high) => beside(*comparison, (low, high), *constant as f64),
                Range::Missing => Outcomes::ERROR,
                Range::Truths(_) | Range::Any => Outcomes::ANY,
            },
            Node::DoubleVersus(comparison, slot, constant) => match self.range(*slot) {
                Range::Same => self.exactly(node),
                Range::Ints(low, high) => beside(*comparison, (low as f64, high as f64), *constant),
                Range::Doubles(low, high) => beside(*comparison, (low, high), *constant),
                Range::Missing => Outcomes::ERROR,
                Range::Truths(_) | Range::Any => Outcomes::ANY,
            },
            node if self.is_same(node) => self.exactly(node),
            _ => Outcomes::ANY,
        }
    }

    fn exactly(&self, node: &'a Node) -> Outcomes {
        self.0.truth(node, None).map_or(Outcomes::ERROR, Outcomes::of)
    }

    /// `&&`: false decides, whatever else fails.
    fn chain(&self, parts: &'a [Node]) -> Outcomes {
        let mut all = Outcomes::TRUE;
        for part in parts {
            let part = self.outcomes(part);
            all = joined(all, part);
            if all == Outcomes::FALSE {
                break;
            }
        }
        all
    }

    /// `||`: true decides, whatever else fails.
    fn alternatives(&self, parts: &'a [Node]) -> Outcomes {
        let mut none = Outcomes::TRUE;
        for part in parts {
            none = joined(none, self.outcomes(part).flipped());
            if none == Outcomes::FALSE {
                break;
            }
        }
        none.flipped()
    }
}

/// The outcomes of two conditions that both have to hold.
fn joined(a: Outcomes, b: Outcomes) -> Outcomes {
    let mut joined = Outcomes::NONE;
    if a.may(Outcomes::FALSE) || b.may(Outcomes::FALSE) {
        joined = joined.or(Outcomes::FALSE);
    }
    if a.may(Outcomes::TRUE) && b.may(Outcomes::TRUE) {
        joined = joined.or(Outcomes::TRUE);
    }
    let fails =
        |one: Outcomes, other: Outcomes| one.may(Outcomes::ERROR) && other.may(Outcomes::TRUE.or(Outcomes::ERROR));
    if fails(a, b) || fails(b, a) {
        joined = joined.or(Outcomes::ERROR);
    }
    joined
}

/// A comparison with a constant, by the order of the ends of the range.
fn compared(comparison: Comparison, low: Ordering, high: Ordering) -> Outcomes {
    let possible = [Ordering::Less, Ordering::Equal, Ordering::Greater].into_iter();
    let possible = possible.filter(|order| (low..=high).contains(order));
    possible.map(|order| Outcomes::of(comparison.holds(order))).fold(Outcomes::NONE, Outcomes::or)
}

fn beside(comparison: Comparison, (low, high): (f64, f64), constant: f64) -> Outcomes {
    match (low.partial_cmp(&constant), high.partial_cmp(&constant)) {
        (Some(low), Some(high)) => compared(comparison, low, high),
        _ => Outcomes::ANY,
    }
}
