//! Who loaded a picture or followed a link: a reader, or a machine on the way to one.
//!
//! Sources: Apple, "Mail Privacy Protection" (pictures are loaded when the mail arrives, through relays, with the bare user agent `Mozilla/5.0`); Google,
//! "Gmail image proxy"; Yahoo, "YahooMailProxy"; public reports of security gateways that follow every link of a mail within moments of its delivery
//! (mautic/mautic#9798, #8718, #10245).

use jiff::Timestamp;
use std::net::IpAddr;

/// Seconds after the sending within which nobody has read a mail yet: it has to arrive, be seen and be opened.
const TOO_SOON_SECONDS: i64 = 15;

/// Parts of the user agents of security gateways, of programs that look at links for others, and of libraries. In lower case.
const MACHINES: [&str; 44] = [
    "apache-httpclient",
    "appriver",
    "axios",
    "barracuda",
    "bingpreview",
    "checkpoint",
    "cloudmark",
    "crawl",
    "curl/",
    "edge/12.246 mozilla/5.0",
    "facebookexternalhit",
    "fireeye",
    "forcepoint",
    "fortiguard",
    "fortimail",
    "go-http-client",
    "headless",
    "hornetsecurity",
    "ironport",
    "java/",
    "libwww-perl",
    "link check",
    "linkcheck",
    "mailscanner",
    "messagelabs",
    "microsoft office existence discovery",
    "mimecast",
    "node-fetch",
    "okhttp",
    "phantomjs",
    "preview",
    "proofpoint",
    "python-requests",
    "python-urllib",
    "safelinks",
    "scanner",
    "slurp",
    "sophos",
    "spider",
    "symantec",
    "trendmicro",
    "wget/",
    "yandeximageresizer",
    "zscaler",
];

/// Parts of the user agents of the relays through which some mail services load pictures, before or while a reader looks at a mail. In lower case.
const RELAYS: [&str; 4] = ["googleimageproxy", "ggpht.com", "yahoomailproxy", "imageproxy"];

/// Who loaded a picture or followed a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agent {
    /// The reader, as far as can be told.
    Reader,
    /// The relay of a mail service: the reader may have opened the mail, or the service loaded its pictures ahead.
    Relay,
    /// A machine: Apple's privacy protection, a security gateway, a program.
    Machine,
}

impl Agent {
    /// Returns who it was, by what the request said of itself (`None` where SES does not tell) and by how long after the sending it came.
    #[must_use]
    pub fn of(user_agent: Option<&str>, address: Option<&str>, sent: Option<Timestamp>, at: Timestamp) -> Self {
        let agent = user_agent.map(|text| text.trim().to_ascii_lowercase());
        let is_machine = agent.as_deref().is_some_and(is_machine) || address.is_some_and(is_apple);
        let too_soon = sent.is_some_and(|sent| at.duration_since(sent).as_secs() < TOO_SOON_SECONDS);
        if is_machine || too_soon {
            Self::Machine
        } else if agent.is_some_and(|agent| RELAYS.iter().any(|relay| agent.contains(relay))) {
            Self::Relay
        } else {
            Self::Reader
        }
    }
}

/// Whether no reader's program says this of itself.
fn is_machine(agent: &str) -> bool {
    // Apple's relays say this and no more; every browser and mail program says what it is.
    agent.is_empty()
        || agent == "mozilla/5.0"
        || MACHINES.iter().any(|known| agent.contains(known))
        // Cubot makes telephones.
        || agent.replace("cubot", "").contains("bot")
}

/// Whether it is an address of Apple's own network, 17.0.0.0/8, from which pictures are loaded ahead.
fn is_apple(address: &str) -> bool {
    matches!(address.trim().parse(), Ok(IpAddr::V4(address)) if address.octets()[0] == 17)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

    fn of(user_agent: &str, address: &str, seconds: i64) -> Agent {
        let sent: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let at = sent.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        Agent::of(Some(user_agent), Some(address), Some(sent), at)
    }

    #[test]
    fn readers_are_told_from_machines_by_what_they_say() {
        let outlook =
            "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.5278; ms-office; MSOffice 16)";
        for reader in [
            PHONE,
            outlook,
            "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.9.0",
            "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
        ] {
            assert_eq!(of(reader, "192.0.2.1", 3600), Agent::Reader, "{reader}");
        }
        for machine in [
            "Mozilla/5.0",
            " mozilla/5.0 ",
            "",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "BarracudaCentral/1.0",
            "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
            "Microsoft Office Existence Discovery",
            "Mozilla/5.0 (compatible; YandexImageResizer/2.0)",
            "python-requests/2.31.0",
            "Go-http-client/1.1",
        ] {
            assert_eq!(of(machine, "192.0.2.1", 3600), Agent::Machine, "{machine}");
        }
        for relay in [
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        ] {
            assert_eq!(of(relay, "66.249.84.1", 3600), Agent::Relay, "{relay}");
        }
    }

    #[test]
    fn nobody_reads_a_mail_within_seconds_or_from_apples_network() {
        assert_eq!((of(PHONE, "192.0.2.1", 3), of(PHONE, "192.0.2.1", 60)), (Agent::Machine, Agent::Reader));
        assert_eq!(of(PHONE, "17.58.97.12", 3600), Agent::Machine);
        assert_eq!(of("Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "66.249.84.1", 2), Agent::Machine);
        // Where SES says nothing of the request, nothing speaks against a reader.
        assert_eq!(Agent::of(None, None, None, Timestamp::UNIX_EPOCH), Agent::Reader);
    }
}
