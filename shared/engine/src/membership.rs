//! Which account someone belongs to.

use crate::register::{Register, write, write_first};
use crate::state::State;
use perennial_config::Config;
use perennial_config::accounts::Domains;
use perennial_domain::hygiene::{CompanyDomain, MailAddress, company_domain};
use perennial_domain::traits::is_same;
use perennial_domain::{AccountId, Event};
use serde_json::Value;

/// The trait that holds a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// The account that someone belongs to:
///
/// 1. that which the latest `group` call, or event of billing (`[members]` of `accounts.toml`), names;
/// 2. else that of the company whose mail address they have, whose id is the company's domain;
/// 3. else that which any other call named first: it gives an account to who has none, and moves nobody.
///
/// An account that names the domain as its own has the domain's people: see [`crate::account::Account::holder`].
pub fn account_of(config: &Config, view: &State) -> Option<AccountId> {
    let by_address = || by_address(&config.accounts.domains, view.text_trait(ADDRESS_TRAIT));
    named(view.account.as_ref()).or_else(by_address).or_else(|| named(view.mentioned.as_ref()))
}

/// Writes down which account `event` names.
pub(crate) fn write_account(config: &Config, state: &mut State, event: &Event) {
    let Some(group) = &event.group_id else { return };
    let named = Register { at: event.timestamp.as_microsecond(), value: group.as_str().to_owned() };
    if config.names_account(event) {
        write(&mut state.account, named);
    } else {
        write_first(&mut state.mentioned, named);
    }
}

/// The account that someone will belong to once `events` are counted. The same as counting them and asking then, whatever
/// part of the person they are of.
pub fn account_after(config: &Config, view: &State, events: &[Event]) -> Option<AccountId> {
    let is_address = |name: &str| is_same(name, ADDRESS_TRAIT);
    let traits = view.traits.iter().filter(|(name, _)| is_address(name));
    let once = view.once.iter().filter(|(name, _)| is_address(name));
    let mut after = State {
        account: view.account.clone(),
        mentioned: view.mentioned.clone(),
        traits: traits.map(|(name, held)| (name.clone(), held.clone())).collect(),
        once: once.map(|(name, held)| (name.clone(), held.clone())).collect(),
        ..State::default()
    };
    for event in events {
        write_account(config, &mut after, event);
        after.write_traits(event, is_address);
    }
    account_of(config, &after)
}

fn named(account: Option<&Register>) -> Option<AccountId> {
    account.and_then(|register| AccountId::parse(&register.value).ok())
}

fn by_address(domains: &Domains, address: Option<String>) -> Option<AccountId> {
    let address = address.filter(|_| domains.company_domain)?;
    let domain = company_domain(&MailAddress::parse(&address).ok()?, &domains.free_mail)?;
    AccountId::parse(domain.as_str()).ok()
}

/// The company domains that a trait's value names: a domain, the address of a website, several of them with commas
/// between, or a list of these. What is nobody's own, such as a free-mail domain, is left out.
pub(crate) fn domains_of(domains: &Domains, value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let each = texts.iter().flat_map(|text| text.split([',', ';', ' ']));
    each.filter_map(|text| CompanyDomain::of_host(host(text), &domains.free_mail).ok())
        .map(|domain| domain.as_str().to_owned())
        .collect()
}

/// The host of `https://www.acme.example/about`, `www.acme.example:443` or `@acme.example`.
fn host(text: &str) -> &str {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn domains() -> Domains {
        Domains {
            company_domain: true,
            free_mail: ["mail.example".to_owned()].into(),
            traits: vec!["website".to_owned()],
        }
    }

    #[test]
    fn a_trait_names_domains_in_any_of_their_spellings() {
        let of = |value| domains_of(&domains(), &value);
        for spelling in
            ["acme.example", "www.Acme.example", "https://www.acme.example/about?x=1", "//acme.example:443/"]
        {
            assert_eq!(of(json!(spelling.trim_start_matches("//"))), ["acme.example"], "{spelling}");
        }
        assert_eq!(of(json!("acme.example, acme.test")), ["acme.example", "acme.test"]);
        assert_eq!(of(json!(["acme.example", 5, "https://acme.test"])), ["acme.example", "acme.test"]);
    }

    #[test]
    fn nobody_can_name_a_domain_under_which_strangers_have_addresses() {
        for strange in [
            json!("gmail.com"),
            json!("https://mail.example"),
            json!("co.uk"),
            json!("localhost"),
            json!(7),
            json!(null),
        ] {
            assert_eq!(domains_of(&domains(), &strange), Vec::<String>::new(), "{strange}");
        }
    }

    #[test]
    fn by_company_domain_and_never_by_a_free_mail_domain() {
        let of = |address: &str| by_address(&domains(), Some(address.to_owned())).map(String::from);
        assert_eq!(of("ada@sales.acme.co.uk").as_deref(), Some("acme.co.uk"));
        assert_eq!(of("Ada@ACME.example").as_deref(), Some("acme.example"));
        for nobody in ["ada@gmail.com", "ada@mail.example", "not an address", ""] {
            assert_eq!(of(nobody), None, "{nobody}");
        }
        let off = Domains { company_domain: false, ..domains() };
        assert_eq!(by_address(&off, Some("ada@acme.example".to_owned())), None);
    }
}
