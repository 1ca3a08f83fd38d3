//! The recipients of an event, in any of the forms in which servers write addresses.

use perennial_domain::hygiene::MailAddress;

/// Returns the recipients that an event is about: those of its addresses that the mail was sent to. Returns the mail's
/// own recipients if no address can be read, or if the mail's only recipient is not among them (as after forwarding).
pub(super) fn of(named: &[String], destination: &[String]) -> Vec<MailAddress> {
    let (named, destination) = (readable(named), readable(destination));
    let known: Vec<MailAddress> = named.iter().filter(|address| destination.contains(address)).cloned().collect();
    match (known.is_empty(), named.is_empty(), destination.len()) {
        (false, ..) => known,
        (true, true, _) | (true, false, 1) => destination,
        (true, false, _) => named,
    }
}

fn readable(texts: &[String]) -> Vec<MailAddress> {
    let mut found: Vec<MailAddress> = texts.iter().filter_map(|text| MailAddress::parse(text).ok()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(named: &[&str], destination: &[&str]) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        of(&owned(named), &owned(destination)).iter().map(|address| address.key().into_owned()).collect()
    }

    #[test]
    fn an_address_is_one_however_it_is_written() {
        for text in [
            "ada@example.com",
            "Ada@EXAMPLE.COM",
            "<ada@example.com>",
            "\"Ada Byron\" <ada@example.com>",
            "Ada Byron <ADA@example.com>",
            "Byron, Ada <ada@example.com>",
            "=?utf-8?q?Ad=C3=A4?= <ada@example.com>",
            " ada@example.com ",
            "'ada@example.com'",
            "\"ada@example.com\"",
            "\"ada\"@example.com",
            "<\"ada\"@example.com>",
            "Ada <\"ada\"@example.com>",
            "rfc822; ada@example.com",
            "RFC822;<ada@example.com>",
            "ada@example.com (Ada Byron)",
            "mailto:ada@example.com",
        ] {
            assert_eq!(found(&[text], &["ada@example.com"]), ["ada@example.com"], "{text}");
            assert_eq!(found(&[], &[text]), ["ada@example.com"], "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_is_not_there_means_the_mails_own_address() {
        for named in
            [vec![], vec![""], vec!["undisclosed-recipients:;"], vec!["unknown"], vec!["forwarded@elsewhere.example"]]
        {
            assert_eq!(found(&named, &["Ada <ada@example.com>"]), ["ada@example.com"], "{named:?}");
        }
    }

    #[test]
    fn of_a_mail_to_several_only_those_are_meant_who_are_named() {
        let to = ["a@example.com", "b@example.com", "c@example.com"];
        assert_eq!(found(&["<B@example.com>", "nonsense"], &to), ["b@example.com"]);
        assert_eq!(
            found(&["a@example.com", "A <a@example.com>", "c@example.com"], &to),
            ["a@example.com", "c@example.com"]
        );
        assert_eq!(found(&["d@elsewhere.example"], &to), ["d@elsewhere.example"]);
        assert_eq!(found(&["d@elsewhere.example"], &[]), ["d@elsewhere.example"]);
    }
}
