//! Mail addresses are cleaned and standardized, or rejected with a reason.
#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

#[test]
fn addresses_are_standardised() {
    for (text, expected) in [
        ("ada@example.com", "ada@example.com"),
        (" Ada.Byron+x@Mail.Example.COM\r\n", "Ada.Byron+x@mail.example.com"),
        ("\u{feff}ada@example.com\u{200b}", "ada@example.com"),
        ("<ada@example.com>", "ada@example.com"),
        ("Ada Byron <ada@example.com>", "ada@example.com"),
        ("Byron, Ada <ada@example.com>", "ada@example.com"),
        ("ada@example.com <ada@example.com>", "ada@example.com"),
        ("mailto:ada@example.com", "ada@example.com"),
        ("MAILTO:ada%2Bx@example.com?subject=Hi@you", "ada+x@example.com"),
        ("<mailto:ada@example.com>", "ada@example.com"),
        ("ada@example.com;", "ada@example.com"),
        ("ada@example.com.", "ada@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("o'neil@example.co.uk", "o'neil@example.co.uk"),
        ("ade\u{301}le@example.com", "adéle@example.com"),
        ("1@2.de", "1@2.de"),
        ("'ada@example.com'", "ada@example.com"),
        ("\"ada@example.com\"", "ada@example.com"),
        ("\"ada\"@example.com", "ada@example.com"),
        ("Ada <\"ada\"@example.com>", "ada@example.com"),
        ("\"'ada@example.com'\"", "ada@example.com"),
        ("ada@example.com (Ada Byron)", "ada@example.com"),
        ("%22ada@example.com%22", "ada@example.com"),
        ("ada%40example.com", "ada@example.com"),
        ("a%22b@example.com", "a%22b@example.com"),
        ("rfc822; <ada@example.com>", "ada@example.com"),
    ] {
        assert_eq!(MailAddress::parse(text).as_ref().map(MailAddress::as_str), Ok(expected), "{text:?}");
    }
}

#[test]
fn rubbish_is_rejected_with_a_reason() {
    use InvalidMail::{Domain, Empty, Local, NoAt, SeveralAt, TooLong};
    let long = format!("{}@example.com", "a".repeat(65));
    let longer = format!("a@{}.com", vec!["b".repeat(62); 4].join("."));
    let huge = "a@".repeat(5_000);
    for (text, reason) in [
        ("", Empty),
        (" \t\u{200b}", Empty),
        ("<>", Empty),
        ("ada", NoAt),
        ("null", NoAt),
        ("ada at example.com", NoAt),
        ("a@b@example.com", SeveralAt),
        ("ada@example.com, eve@example.com", SeveralAt),
        ("ada@example.com, Eve <eve@example.com>", SeveralAt),
        ("<ada@example.com>, <eve@example.com>", SeveralAt),
        ("@example.com", Local),
        ("a b@example.com", Local),
        ("a..b@example.com", Local),
        (".a@example.com", Local),
        ("\"a b\"@example.com", Local),
        ("a\u{200d}b@example.com", Local),
        ("ada,x@example.com", Local),
        ("ada@example.com>", Local),
        ("ada@", Domain),
        ("ada@localhost", Domain),
        ("ada@example", Domain),
        ("ada@127.0.0.1", Domain),
        ("ada@[127.0.0.1]", Domain),
        ("ada@example..com", Domain),
        ("ada@-example.com", Domain),
        ("ada@exa_mple.com", Domain),
        ("ada@example.com\r\nBcc: eve", Domain),
        ("ada@example.com eve", Domain),
        ("ada@xn--a.com", Domain),
        (&long, TooLong),
        (&longer, Domain),
        (&huge, TooLong),
    ] {
        assert_eq!(MailAddress::parse(text), Err(reason), "{text:?}");
    }
    assert_eq!(InvalidMail::NoAt.to_string(), "no @");
}

#[test]
fn addresses_are_compared_without_regard_to_case_and_kept_as_written() {
    let [a, b] = ["Ada@Example.com", "aDA@example.COM"].map(|text| MailAddress::parse(text).unwrap());
    assert_eq!(a, b);
    assert_eq!((a.as_str(), a.local(), a.domain()), ("Ada@example.com", "Ada", "example.com"));
    assert_eq!(std::collections::HashSet::from([a.clone(), b]).len(), 1);
    assert_eq!(key(" <ADA@EXAMPLE.com> "), a.key());
    assert_eq!(key(" No Address "), "no address");
    assert_eq!(serde_json::to_string(&a).unwrap(), "\"Ada@example.com\"");
    assert!(serde_json::from_str::<MailAddress>("\"ada\"").is_err());
}

#[test]
fn an_address_does_not_print_itself() {
    let address = MailAddress::parse("ada@example.com").unwrap();
    assert_eq!(format!("{address:?}"), "MailAddress(15 bytes)");
}

proptest! {
    #[test]
    fn hostile_text_never_panics_and_what_is_accepted_is_a_normal_form(text in any::<String>()) {
        prop_assert!(is_settled(&text));
    }

    #[test]
    fn what_looks_like_an_address_is_an_address_or_not_but_always_settled(
        text in "(mailto:|\"?[A-Z, ]{0,4}\"? ?<| |;)?[a-zA-Z0-9äİΣß'+._%\u{301}\u{200b}-]{1,12}@[a-zA-Z0-9äßİ.。\u{ad}-]{1,16}\\.[a-zA-Z]{2,3}[>;. ]{0,2}"
    ) {
        prop_assert!(is_settled(&text));
    }
}

/// Returns whether the normal form is stable and cannot become a second address or a header.
fn is_settled(text: &str) -> bool {
    let Ok(address) = MailAddress::parse(text) else { return true };
    let again = MailAddress::parse(address.as_str()).map(|again| again.as_str().to_owned());
    let key = MailAddress::parse(&address.key()).map(|lowered| lowered.key().into_owned());
    again.as_deref() == Ok(address.as_str())
        && key.as_deref() == Ok(&*address.key())
        && address.as_str().matches('@').count() == 1
        && !address.as_str().contains(|c: char| c.is_control() || c.is_whitespace() || ",;:<>\"()[]\\".contains(c))
}
