//! Describes a person's accounts.

use super::listed;
use perennial_domain::AccountId;

/// Describes which other accounts a person belongs to, and where their scores count: a sentence, or none for a person
/// with one account. `accounts` has the primary first, as [`crate::membership::memberships`] returns them.
pub fn memberships(person: &str, accounts: &[AccountId]) -> Option<String> {
    let [primary, others @ ..] = accounts else { return None };
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    let told = format!("{person} also belongs to {}; their scores count in {primary} only.", listed(&others));
    (!others.is_empty()).then_some(told)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn other_accounts_are_listed_and_the_primary_is_named() {
        let accounts = ["a", "b", "c"].map(|account| AccountId::parse(account).unwrap());
        assert_eq!(
            memberships("ada", &accounts).unwrap(),
            "ada also belongs to b and c; their scores count in a only."
        );
        assert_eq!((memberships("ada", &accounts[..1]), memberships("ada", &[])), (None, None));
    }
}
