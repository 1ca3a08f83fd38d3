//! CEL's operators on values, after the specification's "Standard Definitions".
//!
//! With two additions. Forms, CSV files and some languages send numbers and booleans as text: a text compared with a
//! number or a boolean is converted if it spells one. Otherwise the specification's rules apply. And `null` and empty
//! text count as absent for `has()`.

use super::EvalError;
use super::ast::{Arithmetic, Comparison};
use super::value::{List, Value};
use perennial_domain::scalar;
use std::borrow::Cow;
use std::cmp::Ordering;

/// 2 to the 63rd, the first number that a whole number of 64 bits cannot hold.
const BEYOND_INT: f64 = 9_223_372_036_854_775_808.0;

/// Returns whether `left` and `right` compare this way. Equality is defined for all values; order only for numbers
/// (across their types), texts (by code point) and booleans (false first).
pub(super) fn compare(comparison: Comparison, left: &Value<'_>, right: &Value<'_>) -> Result<bool, EvalError> {
    match comparison {
        Comparison::Equal => return Ok(equal(left, right)),
        Comparison::NotEqual => return Ok(!equal(left, right)),
        _ => {}
    }
    if let Some((left, right)) = alike(left, right) {
        return compare(comparison, &left, &right);
    }
    let order = match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Double(b)) => int_to_double(*a, *b),
        (Value::Double(a), Value::Int(b)) => int_to_double(*b, *a).map(Ordering::reverse),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => return Err(EvalError::Types),
    };
    // NaN has no order: every comparison with it is false.
    Ok(order.is_some_and(|order| comparison.holds(order)))
}

/// Returns whether two values are equal: numbers across their types, lists and objects element by element. Values of
/// different types are unequal, which is not an error.
pub(super) fn equal(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Double(a), Value::Double(b)) => a == b,
        (Value::Int(a), Value::Double(b)) | (Value::Double(b), Value::Int(a)) => {
            int_to_double(*a, *b) == Some(Ordering::Equal)
        }
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(&a, &b)),
        (Value::Map(a), Value::Map(b)) => {
            let same = |(key, value)| b.get(key).is_some_and(|other| equal(&Value::from(value), &Value::from(other)));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => alike(left, right).is_some_and(|(left, right)| equal(&left, &right)),
    }
}

/// Converts a text and a number or boolean to two of the latter; `None` for other values, or if the text does not spell
/// one.
#[inline(never)]
fn alike<'v>(left: &'v Value<'_>, right: &'v Value<'_>) -> Option<(Value<'v>, Value<'v>)> {
    match (left, right) {
        (Value::Text(text), Value::Int(_) | Value::Double(_)) => Some((number(text)?, right.borrow())),
        (Value::Int(_) | Value::Double(_), Value::Text(text)) => Some((left.borrow(), number(text)?)),
        (Value::Text(text), Value::Bool(_)) => Some((Value::Bool(scalar::truth(text)?), right.borrow())),
        (Value::Bool(_), Value::Text(text)) => Some((left.borrow(), Value::Bool(scalar::truth(text)?))),
        _ => None,
    }
}

/// Returns whether `has()` holds for a present value: `null` and empty text are absent.
pub(super) fn holds_something(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Text(text) => !text.trim().is_empty(),
        _ => true,
    }
}

/// Returns whether any of the texts spells `value`, which is not a text.
#[inline(never)]
pub(super) fn is_spelled(value: &Value<'_>, texts: &[Box<str>]) -> bool {
    texts.iter().any(|known| equal(value, &Value::from(&**known)))
}

/// The number that a text spells, whole where it can be.
fn number(text: &str) -> Option<Value<'static>> {
    let whole = || text.trim().parse().ok().map(Value::Int);
    whole().or_else(|| scalar::number(text).map(Value::Double))
}

/// Returns the boolean of a value; other values that do not spell one are an error.
pub(super) fn truth(value: &Value<'_>) -> Result<bool, EvalError> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Text(text) => scalar::truth(text).ok_or(EvalError::Types),
        _ => Err(EvalError::Types),
    }
}

/// The exact order of a whole number and one with a fraction: rounding the whole number would make neighbours equal.
fn int_to_double(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        None
    } else if double >= BEYOND_INT {
        Some(Ordering::Less)
    } else if double < -BEYOND_INT {
        Some(Ordering::Greater)
    } else {
        let whole = double.trunc();
        Some(int.cmp(&(whole as i64)).then(whole.total_cmp(&double)))
    }
}

/// Returns whether `item` is an element of a list, or a key of an object. An item that cannot be a key of any map is an
/// error, as in the interpreter of crate `cel`; the specification leaves it open.
pub(super) fn contains(item: &Value<'_>, within: &Value<'_>) -> Result<bool, EvalError> {
    match within {
        Value::List(list) => Ok(match (item, list) {
            (Value::Text(text), List::Texts(texts)) => texts.iter().any(|element| element == text),
            (Value::Text(text), List::Json(values)) => values.iter().any(|element| match element.as_str() {
                Some(element) => element == text,
                None => equal(item, &Value::from(element)),
            }),
            _ => list.iter().any(|element| equal(item, &element)),
        }),
        Value::Map(map) => match item {
            Value::Text(key) => Ok(map.contains_key(key.as_ref())),
            Value::Bool(_) | Value::Int(_) | Value::Double(_) => Ok(false),
            Value::Null | Value::List(_) | Value::Map(_) => Err(EvalError::Types),
        },
        _ => Err(EvalError::Types),
    }
}

/// `left` and `right` computed with. The types have to be the same: CEL does not mix whole numbers with others.
pub(super) fn arithmetic<'a>(operator: Arithmetic, left: Value<'a>, right: Value<'a>) -> Result<Value<'a>, EvalError> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => whole(operator, a, b).map(Value::Int),
        (Value::Double(a), Value::Double(b)) => match operator {
            Arithmetic::Add => Ok(Value::Double(a + b)),
            Arithmetic::Subtract => Ok(Value::Double(a - b)),
            Arithmetic::Multiply => Ok(Value::Double(a * b)),
            Arithmetic::Divide => Ok(Value::Double(a / b)),
            Arithmetic::Remainder => Err(EvalError::Types),
        },
        (Value::Text(a), Value::Text(b)) if operator == Arithmetic::Add => {
            Ok(Value::Text(Cow::Owned(a.into_owned() + &b)))
        }
        (Value::List(a), Value::List(b)) if operator == Arithmetic::Add => Ok(Value::List(List::Owned(a.join(b)))),
        _ => Err(EvalError::Types),
    }
}

fn whole(operator: Arithmetic, a: i64, b: i64) -> Result<i64, EvalError> {
    if b == 0 && matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) {
        return Err(EvalError::DivisionByZero);
    }
    let result = match operator {
        Arithmetic::Add => a.checked_add(b),
        Arithmetic::Subtract => a.checked_sub(b),
        Arithmetic::Multiply => a.checked_mul(b),
        Arithmetic::Divide => a.checked_div(b),
        Arithmetic::Remainder => a.checked_rem(b),
    };
    result.ok_or(EvalError::Overflow)
}

/// `-value`.
pub(super) fn negate(value: &Value<'_>) -> Result<Value<'static>, EvalError> {
    match value {
        Value::Int(i) => i.checked_neg().map(Value::Int).ok_or(EvalError::Overflow),
        Value::Double(d) => Ok(Value::Double(-d)),
        _ => Err(EvalError::Types),
    }
}

/// Returns the number of characters, elements or keys.
pub(super) fn size(value: &Value<'_>) -> Result<i64, EvalError> {
    let size = match value {
        Value::Text(text) => text.chars().count(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => return Err(EvalError::Types),
    };
    i64::try_from(size).map_err(|_| EvalError::Overflow)
}

/// The element of a list, or the key of an object.
pub(super) fn index<'a>(value: Value<'a>, at: &Value<'_>) -> Result<Value<'a>, EvalError> {
    match (value, at) {
        (Value::Map(map), Value::Text(key)) => map.get(key.as_ref()).map(Value::from).ok_or(EvalError::NoSuchElement),
        (Value::List(list), Value::Int(at)) => {
            usize::try_from(*at).ok().and_then(|at| list.take(at)).ok_or(EvalError::NoSuchElement)
        }
        (Value::List(list), Value::Double(at)) if at.fract() == 0.0 && *at >= 0.0 && *at < BEYOND_INT => {
            list.take(*at as usize).ok_or(EvalError::NoSuchElement)
        }
        _ => Err(EvalError::Types),
    }
}

/// A whole number from a number (its fraction is dropped) or from the text of one.
pub(super) fn to_int(value: &Value<'_>) -> Result<i64, EvalError> {
    match value {
        Value::Int(i) => Ok(*i),
        Value::Double(d) if *d > -BEYOND_INT && *d < BEYOND_INT => Ok(*d as i64),
        Value::Double(_) => Err(EvalError::Conversion),
        Value::Text(text) => text.parse().map_err(|_| EvalError::Conversion),
        _ => Err(EvalError::Types),
    }
}

/// A number with a fraction from a number or from the text of one.
pub(super) fn to_double(value: &Value<'_>) -> Result<f64, EvalError> {
    match value {
        Value::Int(i) => Ok(*i as f64),
        Value::Double(d) => Ok(*d),
        Value::Text(text) => text.parse().map_err(|_| EvalError::Conversion),
        _ => Err(EvalError::Types),
    }
}

/// The text with `A` to `Z` in lower case, and everything else as it is.
pub(super) fn lower_ascii(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|b| b.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}
