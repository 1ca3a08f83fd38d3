//! Numbers, amounts and names in words, as the command and the pages write them.

use perennial_domain::Currency;

/// Returns a number with commas between thousands: `1,284`.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Returns a number with its noun, in the singular or plural: `1 person`, `2 people`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

/// Returns an amount rounded to whole major units: `$12,430`, `CHF 900`; with all decimals below 10 units.
#[must_use]
pub fn money(minor: i64, currency: Currency) -> String {
    let decimals = 10_u64.checked_pow(currency.exponent()).unwrap_or(1);
    let (sign, amount) = (if minor < 0 { "−" } else { "" }, minor.unsigned_abs());
    let text = if amount < 10 * decimals && amount % decimals > 0 {
        perennial_reports::shown::major(i64::try_from(amount).unwrap_or(i64::MAX), currency)
    } else {
        number((amount + decimals / 2) / decimals)
    };
    match currency.as_str() {
        "USD" => format!("{sign}${text}"),
        "EUR" => format!("{sign}€{text}"),
        "GBP" => format!("{sign}£{text}"),
        code => format!("{sign}{code} {text}"),
    }
}

/// Returns a name of the configuration for readers: `at_risk` as `at risk`.
#[must_use]
pub fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// Returns text with a capital letter first.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(counted(1, "person", "people"), "1 person");
        assert_eq!(counted(1_000, "person", "people"), "1,000 people");
    }

    #[test]
    fn amounts_are_in_whole_units_and_small_ones_exact() {
        let of = |minor, code| money(minor, Currency::parse(code).unwrap());
        assert_eq!(of(1_243_049, "USD"), "$12,430");
        assert_eq!(of(1_243_050, "USD"), "$12,431");
        assert_eq!(of(-95_000, "EUR"), "−€950");
        assert_eq!(of(499, "GBP"), "£4.99");
        assert_eq!(of(0, "JPY"), "JPY 0");
        assert_eq!(of(i64::MIN, "KWD"), "−KWD 9,223,372,036,854,776");
    }
}
