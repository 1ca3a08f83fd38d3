//! Reads what billing events say in their properties.

use crate::hygiene::text::{is_absent, trimmed};
use crate::{Currency, Money, Properties, scalar};
use serde_json::Value;

/// The currency of amounts without one.
pub const DEFAULT_CURRENCY: Currency = Currency::USD;

/// The properties with the amount of a payment, the first that is there. `revenue` and `total` are the names of Segment's
/// e-commerce specification, where `total` includes shipping and taxes; many shops send it alone.
pub const PAID: &[&str] = &["revenue", "total"];

/// Returns the first of the properties `names` that contains an id or a word: a text, a number, or an object with an
/// `id`, such as Stripe's expanded objects.
pub fn text(said: &Properties, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match said.get(*name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object.get("id")?.as_str().map(str::to_owned),
        _ => None,
    })
}

/// Returns the first of the properties `names` that is a whole number from 0, or its text.
pub fn count(said: &Properties, names: &[&str]) -> Option<u32> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => scalar::number(text),
        _ => None,
    };
    let number = names.iter().find_map(|name| read(said.get(*name)?))?;
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_whole.then_some(number as u32)
}

/// Returns the currency in the properties, or [`DEFAULT_CURRENCY`] where there is none: empty text and words such as `null`
/// are none, as clients write them. `None` if the value is not a currency, or not text.
pub fn currency(said: &Properties) -> Option<Currency> {
    let code = match said.get("currency") {
        None | Some(Value::Null) => return Some(DEFAULT_CURRENCY),
        Some(value) => trimmed(value.as_str()?),
    };
    if is_absent(code) { Some(DEFAULT_CURRENCY) } else { Currency::parse(code).ok() }
}

/// Returns the first of the properties `names` that is an amount in whole units of `currency`, in minor units.
pub fn amount(said: &Properties, names: &[&str], currency: Currency) -> Option<i64> {
    let parse = |text: &str| Money::parse(text, currency).ok().map(|money| money.minor);
    names.iter().find_map(|name| match said.get(*name)? {
        Value::Number(number) => parse(&number.to_string()),
        Value::String(text) => parse(text),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn currency_that_says_nothing_is_the_default_one() {
        let of = |value: Value| currency(&Properties::from_iter([("currency".to_owned(), value)]));
        for nothing in [json!(null), json!(""), json!("  "), json!("null"), json!("undefined")] {
            assert_eq!(of(nothing.clone()), Some(DEFAULT_CURRENCY), "{nothing}");
        }
        assert_eq!(of(json!(" eur ")), Currency::parse("EUR").ok());
        for wrong in [json!("euros and more"), json!({ "code": "EUR" }), json!(["EUR"]), json!(978), json!(true)] {
            assert_eq!(of(wrong.clone()), None, "{wrong}");
        }
        assert_eq!(currency(&Properties::new()), Some(DEFAULT_CURRENCY));
    }
}
