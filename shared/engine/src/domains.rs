//! Company domains in traits and mail addresses.

use perennial_config::accounts::Domains;
use perennial_domain::AccountId;
use perennial_domain::hygiene::{CompanyDomain, MailAddress, company_domain};
use serde_json::Value;

/// Returns the account of the company domain in a mail address.
pub(crate) fn by_address(domains: &Domains, address: Option<String>) -> Option<AccountId> {
    let address = address.filter(|_| domains.company_domain)?;
    let domain = company_domain(&MailAddress::parse(&address).ok()?, &domains.free_mail)?;
    AccountId::parse(domain.as_str()).ok()
}

/// Returns the company domains in a trait's value: a domain, the address of a website, several of them separated by
/// commas, or a list of these. Domains that identify nobody, such as free-mail domains, are left out.
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
