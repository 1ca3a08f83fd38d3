//! Money as integer minor units.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An ISO 4217 currency code, upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why a text or number is not money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMoney {
    /// Not three letters.
    #[error("a currency is three letters of ISO 4217, such as USD")]
    Currency,
    /// Not a decimal number.
    #[error("an amount is a decimal number, such as 19.90")]
    Amount,
    /// Beyond what 64 bits of minor units hold.
    #[error("the amount is out of range")]
    Range,
}

impl Currency {
    /// US dollars, what an event without a currency is taken to mean.
    pub const USD: Self = Self(*b"USD");

    /// Parses three letters, in either case.
    ///
    /// # Errors
    /// [`InvalidMoney::Currency`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidMoney> {
        let bytes: [u8; 3] = text.trim().as_bytes().try_into().map_err(|_| InvalidMoney::Currency)?;
        if bytes.iter().all(u8::is_ascii_alphabetic) {
            Ok(Self(bytes.map(|b| b.to_ascii_uppercase())))
        } else {
            Err(InvalidMoney::Currency)
        }
    }

    /// How many decimal places the currency's minor unit has (ISO 4217).
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF" | b"UGX"
            | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// The code's letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidMoney;
    fn try_from(text: String) -> Result<Self, InvalidMoney> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in its currency's minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units: cents of a dollar, whole yen.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}

impl Money {
    /// Parses a decimal number in major units (`"30.72"`), rounding half away from zero beyond the minor unit.
    ///
    /// # Errors
    /// [`InvalidMoney`] where it is no decimal number or too large.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, InvalidMoney> {
        let text = text.trim();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match digits.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| InvalidMoney::Amount)?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if (whole.is_empty() && fraction.is_empty())
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return Err(InvalidMoney::Amount);
        }
        let mut value: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(i128::from(digit - b'0')))
                .ok_or(InvalidMoney::Range)?;
        }
        // Senders choose both numbers, and either may be as large as their types hold.
        let places = i64::try_from(fraction.len()).map_err(|_| InvalidMoney::Range)?;
        let scale = i64::from(currency.exponent()) - places + i64::from(power);
        let factor = u32::try_from(scale.unsigned_abs()).ok().and_then(|scale| 10_i128.checked_pow(scale));
        let minor = match factor {
            _ if value == 0 => 0,
            Some(factor) if scale >= 0 => value.checked_mul(factor).ok_or(InvalidMoney::Range)?,
            Some(divisor) => {
                let rest = value % divisor;
                value / divisor + i128::from(rest >= divisor - rest)
            }
            None if scale >= 0 => return Err(InvalidMoney::Range),
            None => 0,
        };
        let minor = i64::try_from(if negative { -minor } else { minor }).map_err(|_| InvalidMoney::Range)?;
        Ok(Self { minor, currency })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_become_exact_minor_units() {
        let usd = |text| Money::parse(text, Currency::USD).map(|m| m.minor);
        assert_eq!(usd("30.72"), Ok(3072));
        assert_eq!(usd("14"), Ok(1400));
        assert_eq!(usd("-0.005"), Ok(-1));
        assert_eq!(usd("1e3"), Ok(100_000));
        assert_eq!(usd("1.5e-300"), Ok(0));
        assert_eq!(usd("12x"), Err(InvalidMoney::Amount));
        assert_eq!(usd("."), Err(InvalidMoney::Amount));
        assert_eq!(usd("1e40"), Err(InvalidMoney::Range));
        assert_eq!(usd("1e2147483647"), Err(InvalidMoney::Range));
        assert_eq!(usd("0e2147483647"), Ok(0));
        assert_eq!(usd("1e-2147483648"), Ok(0));
        assert_eq!(usd("1.5e-2147483648"), Ok(0));
        assert_eq!(usd("1e99999999999"), Err(InvalidMoney::Amount));
        assert_eq!(usd("170141183460469231731687303715884105727e-40"), Ok(2));
        assert_eq!(Money::parse("1200", Currency::parse("jpy").unwrap()).unwrap().minor, 1200);
    }

    proptest::proptest! {
        #[test]
        fn any_number_is_an_amount_or_an_error(text in "-?[0-9]{0,45}(\\.[0-9]{0,45})?([eE]-?[0-9]{1,11})?") {
            let parsed = Money::parse(&text, Currency::USD);
            if let (Ok(money), Ok(float)) = (parsed, text.parse::<f64>()) {
                let float = float * 100.0;
                proptest::prop_assert!((money.minor as f64 - float).abs() <= 1.0 + float.abs() * 1e-9, "{text}");
            }
        }
    }
}
