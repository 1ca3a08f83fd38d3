//! The sender: identity, DKIM, MAIL FROM, SPF, DMARC, the account.
//!
//! Sources: SES API v2 reference, `GetAccount`, `GetEmailIdentity`; SES developer guide, "Using a custom MAIL FROM domain" and "Complying with DMARC";
//! RFC 7208 and RFC 7489.

use super::facts::{Facts, Finding, Identity};
use perennial_channels::account::{Account, Allowance};

/// The share of the quota from which its use is reported, in percent.
const NEARLY: u64 = 80;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = Vec::new();
    match &facts.account {
        Ok(account) => all.extend([sandbox(account), sending(account), quota(account)]),
        Err(why) => all.push(Finding::not_checked("account", why)),
    }
    match &facts.identity {
        Err(why) => all.push(Finding::not_checked("identity", why)),
        Ok(None) => all.push(Finding::error(
            "identity",
            format!("{} is no identity of SES: it refuses every mail", facts.domain),
            format!("aws sesv2 create-email-identity --email-identity {}", facts.domain),
        )),
        Ok(Some(identity)) => {
            all.extend([
                verified(facts, identity),
                dkim(facts, identity),
                mail_from(facts, identity),
                spf(facts, identity),
            ]);
        }
    }
    all.push(dmarc(facts));
    all
}

fn sandbox(account: &Account) -> Finding {
    if account.production {
        return Finding::ok("sandbox", "the account can send to any address");
    }
    Finding::error(
        "sandbox",
        "the account is in the sandbox: SES refuses mails to all but verified addresses, 200 a day, 1 a second",
        "aws sesv2 put-account-details --production-access-enabled --mail-type MARKETING --website-url URL --use-case-description TEXT",
    )
}

fn sending(account: &Account) -> Finding {
    if !account.sending {
        return Finding::error(
            "sending",
            "sending is paused for the account",
            "aws sesv2 put-account-sending-attributes --sending-enabled",
        );
    }
    if !account.healthy {
        return Finding::error(
            "sending",
            "SES has put the account under review or on probation",
            "answer SES's case in the AWS Support Center; `perennial journey list` shows which journeys bounce",
        );
    }
    Finding::ok("sending", "enabled, and the account is in good standing")
}

fn quota(account: &Account) -> Finding {
    let Allowance { per_second, per_day, sent } = account.allowance;
    let any = || "any number of".to_owned();
    let rate = per_second.map_or_else(any, |rate| rate.to_string());
    let quota = per_day.map_or_else(any, |quota| quota.to_string());
    let found = format!("{rate} mails a second and {quota} in 24 hours, of which {sent} are used");
    if per_day.is_some_and(|most| sent.saturating_mul(100) >= most.saturating_mul(NEARLY)) {
        return Finding::warning(
            "quota",
            found,
            "aws service-quotas request-service-quota-increase --service-code ses --quota-code L-804C8AE8 --desired-value NUMBER",
        );
    }
    Finding::ok("quota", found)
}

fn verified(facts: &Facts, identity: &Identity) -> Finding {
    if identity.verified {
        return Finding::ok("identity", format!("{} is verified", identity.name));
    }
    Finding::error(
        "identity",
        format!("{} is not verified: SES refuses every mail", identity.name),
        dkim_records(facts, identity),
    )
}

/// The records that verify a domain and sign its mails.
fn dkim_records(facts: &Facts, identity: &Identity) -> String {
    if identity.tokens.is_empty() {
        return format!(
            "aws sesv2 put-email-identity-dkim-attributes --email-identity {} --signing-enabled",
            identity.name
        );
    }
    let record = |token: &String| format!("{token}._domainkey.{0} CNAME {token}.dkim.amazonses.com", facts.domain);
    let records: Vec<String> = identity.tokens.iter().map(record).collect();
    format!("set in the DNS of {}: {}", facts.domain, records.join("; "))
}

fn dkim(facts: &Facts, identity: &Identity) -> Finding {
    if !identity.dkim_signs {
        return Finding::error(
            "dkim",
            "mails are not signed: Gmail and Yahoo refuse unsigned bulk mails",
            format!(
                "aws sesv2 put-email-identity-dkim-attributes --email-identity {} --signing-enabled",
                identity.name
            ),
        );
    }
    match identity.dkim.as_str() {
        "SUCCESS" => Finding::ok("dkim", "mails are signed"),
        "TEMPORARY_FAILURE" => {
            Finding::warning("dkim", "SES cannot find the records at the moment", dkim_records(facts, identity))
        }
        status => {
            Finding::error("dkim", format!("the records are not there ({status})"), dkim_records(facts, identity))
        }
    }
}

fn mail_from(facts: &Facts, identity: &Identity) -> Finding {
    let name = &identity.name;
    if identity.mail_from.is_empty() {
        return Finding::warning(
            "mail from",
            "bounces go to amazonses.com, so SPF does not vouch for your domain",
            format!(
                "aws sesv2 put-email-identity-mail-from-attributes --email-identity {name} --mail-from-domain bounce.{}",
                facts.domain
            ),
        );
    }
    if identity.mail_from_status == "SUCCESS" {
        return Finding::ok("mail from", &*identity.mail_from);
    }
    Finding::error(
        "mail from",
        format!("SES does not find the MX record of {} ({})", identity.mail_from, identity.mail_from_status),
        format!("set in the DNS: {} MX 10 feedback-smtp.REGION.amazonses.com", identity.mail_from),
    )
}

fn spf(facts: &Facts, identity: &Identity) -> Finding {
    if identity.mail_from.is_empty() {
        return Finding::ok("spf", "that of amazonses.com, which is not aligned with your domain (see mail from)");
    }
    let fix = || format!("set in the DNS: {} TXT \"v=spf1 include:amazonses.com ~all\"", identity.mail_from);
    match &facts.dns.spf {
        Err(why) => Finding::not_checked("spf", why),
        Ok(records) => {
            let own: Vec<&String> = records.iter().filter(|record| is_version(record, "v=spf1")).collect();
            match own.as_slice() {
                [] => Finding::error("spf", format!("{} has no SPF record", identity.mail_from), fix()),
                [record] if record.to_ascii_lowercase().contains("include:amazonses.com") => {
                    Finding::ok("spf", &**record)
                }
                [record] => Finding::error("spf", format!("`{record}` does not allow SES"), fix()),
                _ => Finding::error(
                    "spf",
                    format!("{} has {} SPF records, so none is valid (RFC 7208)", identity.mail_from, own.len()),
                    fix(),
                ),
            }
        }
    }
}

fn dmarc(facts: &Facts) -> Finding {
    let fix = format!("set in the DNS: _dmarc.{0} TXT \"v=DMARC1; p=none; rua=mailto:dmarc@{0}\"", facts.domain);
    match &facts.dns.dmarc {
        Err(why) => Finding::not_checked("dmarc", why),
        Ok(records) => match records
            .iter()
            .filter(|record| is_version(record, "v=DMARC1"))
            .collect::<Vec<_>>()
            .as_slice()
        {
            [] => Finding::error("dmarc", "there is no DMARC record: Gmail and Yahoo require one of bulk senders", fix),
            [record] if record.to_ascii_lowercase().replace(' ', "").contains(";p=") => Finding::ok("dmarc", &**record),
            [record] => Finding::error("dmarc", format!("`{record}` has no policy (p=)"), fix),
            _ => Finding::error("dmarc", "there are several DMARC records, so none is valid (RFC 7489)", fix),
        },
    }
}

/// Returns whether a TXT record has this version: the tag ends at a space, a semicolon or the record's end.
fn is_version(record: &str, version: &str) -> bool {
    let record = record.trim_matches(|c: char| c == '"' || c.is_whitespace());
    let Some(start) = record.get(..version.len()) else { return false };
    let rest = &record[version.len()..];
    start.eq_ignore_ascii_case(version) && (rest.is_empty() || rest.starts_with([' ', ';', '\t']))
}
