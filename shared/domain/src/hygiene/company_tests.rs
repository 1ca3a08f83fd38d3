//! A company mail domain assigns an account, a free-mail domain never does, and a shared address never merges profiles.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn company(text: &str) -> Option<String> {
    company_domain(&MailAddress::parse(text).unwrap(), &BTreeSet::new()).map(String::from)
}

fn why(host: &str) -> NoCompany {
    CompanyDomain::of_host(host, &BTreeSet::new()).unwrap_err()
}

#[test]
fn a_company_is_known_by_the_domain_that_it_registered() {
    for (address, domain) in [
        ("ada@acme.com", "acme.com"),
        ("ada@mail.eu.acme.co.uk", "acme.co.uk"),
        ("ada@Sub.BÜCHER.de", "xn--bcher-kva.de"),
        ("ada@ada.github.io", "ada.github.io"),
        ("ada@acme.example", "acme.example"),
        ("ada@example.com", "example.com"),
        ("ada@gmail.com.acme.com", "acme.com"),
        ("ada@notgmail.com", "notgmail.com"),
        ("ada@zendesk.com", "zendesk.com"),
    ] {
        assert_eq!(company(address).as_deref(), Some(domain), "{address}");
    }
}

#[test]
fn a_company_mail_domain_is_never_a_free_mail_domain() {
    for domain in FREE_MAIL.0.iter().chain(&*DISPOSABLE.0) {
        assert_eq!(company(&format!("ada@{domain}")), None, "{domain}");
        assert_eq!(company(&format!("ada@mail.{domain}")), None, "mail.{domain}");
    }
    for domain in ["GMAIL.com", "yahoo.co.uk", "qq.com", "web.de", "mailinator.com", "privaterelay.appleid.com"] {
        assert_eq!(company(&format!("ada@{domain}")), None, "{domain}");
    }
    let extra = BTreeSet::from(["acme.com".to_owned()]);
    assert_eq!(CompanyDomain::of_host("mail.acme.com", &extra), Err(NoCompany::FreeMail));
    assert!(is_free_mail("gmail.com") && is_free_mail("x.gmail.com") && !is_free_mail("acme.com"));
    assert!(is_disposable("yopmail.com") && !is_disposable("acme.com"));
}

#[test]
fn what_belongs_to_nobody_or_to_many_is_no_company_and_says_why() {
    for (host, reason) in [
        ("co.uk", NoCompany::NotRegistrable),
        ("github.io", NoCompany::NotRegistrable),
        ("printer.local", NoCompany::NotRegistrable),
        ("acme.con", NoCompany::NotRegistrable),
        ("127.0.0.1", NoCompany::NotADomain),
        ("com", NoCompany::NotADomain),
        ("mailinator.com", NoCompany::Disposable),
        ("acme.onmicrosoft.com", NoCompany::Relay),
        ("users.noreply.github.com", NoCompany::Relay),
    ] {
        assert_eq!(why(host), reason, "{host}");
    }
    assert!(CompanyDomain::try_from("mail.acme.com".to_owned()).is_err(), "stored ones are in their normal form");
    assert!(CompanyDomain::try_from("acme.com".to_owned()).is_ok());
}

#[test]
fn addresses_that_several_people_read_are_known() {
    let shared = |local: &str| is_shared(&MailAddress::parse(&format!("{local}@acme.com")).unwrap());
    for local in [
        "info",
        "INFO",
        "sales",
        "support",
        "no-reply",
        "noreply",
        "No.Reply",
        "do_not_reply",
        "noreply-1234",
        "support+ada",
        "sales.emea",
        "support-de",
        "info2",
        "12345",
        "postmaster",
        "kontakt",
        "hr",
        "bounces-7",
        "mailer-daemon",
    ] {
        assert!(shared(local), "{local}");
    }
    for local in [
        "ada",
        "ada.byron",
        "ada+support",
        "hr.mueller",
        "it.smith",
        "ada-sales",
        "infante",
        "salesman.joe",
        "noah",
        "李",
    ] {
        assert!(!shared(local), "{local}");
    }
}

#[test]
fn the_lists_are_sorted_in_lower_case_without_repeats_or_overlap() {
    for list in [&FREE_MAIL, &DISPOSABLE, &RELAYS_AND_TENANTS] {
        assert!(list.0.is_sorted_by(|a, b| a < b));
        for entry in &*list.0 {
            assert_eq!(host(entry.trim_start_matches('.')).as_deref(), Some(entry.trim_start_matches('.')), "{entry}");
        }
    }
    assert!(FREE_MAIL.0.len() >= 150);
    assert!(DISPOSABLE.0.iter().chain(&*RELAYS_AND_TENANTS.0).all(|entry| !FREE_MAIL.holds(entry)));
    assert!(SHARED_NAMES.0.is_sorted_by(|a, b| a < b));
    assert!(SHARED_NAMES.0.iter().all(|name| name.bytes().all(|c| c.is_ascii_lowercase())));
}

proptest! {
    #[test]
    fn a_company_domain_is_its_own_company_domain(text in "[a-zA-Zä0-9.-]{1,20}\\.(com|co\\.uk|de|kobe\\.jp|ck|io|example|zz)") {
        if let Ok(domain) = CompanyDomain::of_host(&text, &BTreeSet::new()) {
            prop_assert_eq!(CompanyDomain::try_from(domain.to_string()), Ok(domain));
        }
    }

    #[test]
    fn hostile_hosts_never_panic(text in any::<String>()) {
        let _either = CompanyDomain::of_host(&text, &BTreeSet::new()).is_ok();
    }
}

#[test]
fn addresses_that_stand_for_none_are_nobodys() {
    let shared = |text: &str| is_shared(&MailAddress::parse(text).unwrap());
    for text in [
        "none@none.com",
        "undefined@undefined.com",
        "noemail@noemail.com",
        "unknown@unknown.com",
        "no@email.com",
        "none@acme.com",
        "undefined@acme.com",
        "guest@acme.com",
        "anonymous@acme.com",
        "unknown@acme.com",
        "na@acme.com",
        "NOEMAIL@acme.com",
        "ada@none.com",
        "guest123@acme.com",
        "no.email@acme.com",
        "null@acme.com",
        "n-a@acme.com",
        "0@acme.com",
        "unknown.user@acme.com",
        "not_provided@acme.com",
    ] {
        assert!(shared(text), "{text}");
    }
    for text in [
        "ada@email.com",
        "no@acme.com",
        "nora@email.com",
        "nanette@acme.com",
        "nuller@acme.com",
        "ada@acme.example",
        "guestova@acme.com",
    ] {
        assert!(!shared(text), "{text}");
    }
}
