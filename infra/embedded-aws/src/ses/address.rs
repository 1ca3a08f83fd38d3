//! Mail addresses in SES's formats: `user@domain` or `Name <user@domain>`.

/// The longest address that SES takes, in bytes.
const MAX_BYTES: usize = 320;

/// The bare address of a header's address, with the domain in lower case; `None` when SES would refuse it.
///
/// Anything with a control character is refused, so that no address can smuggle in a header.
pub(super) fn parse(text: &str) -> Option<String> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let text = text.trim();
    let bare = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<')?.1,
        None => text,
    };
    let (local, domain) = bare.rsplit_once('@')?;
    let local_is_fine = (1..=64).contains(&local.len())
        && local.is_ascii()
        && !local.contains(|character: char| character.is_whitespace() || "<>()[],;:\\\"@".contains(character))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_is_fine = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let domain_is_fine = domain.len() <= 255 && domain.contains('.') && domain.split('.').all(label_is_fine);
    (local_is_fine && domain_is_fine && bare.len() <= MAX_BYTES)
        .then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

/// The address without a label (`user+label@…` is `user@…`): so the simulator reads it.
pub(super) fn without_label(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_names_are_read() {
        assert_eq!(parse("ada@Example.COM").as_deref(), Some("ada@example.com"));
        assert_eq!(parse("Ada, Countess <ada+x@example.com>").as_deref(), Some("ada+x@example.com"));
        assert_eq!(without_label("bounce+7@simulator.amazonses.com"), "bounce@simulator.amazonses.com");
    }

    #[test]
    fn what_is_no_address_or_smuggles_a_header_is_refused() {
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@nodot",
            "a@b@example..com",
            "ada@example.com\r\nBcc: eve@example.com",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
