//! Detects whether a reader or a machine loaded a picture or followed a link.
//!
//! Sources: Apple, "Mail Privacy Protection" (pictures are loaded when the mail arrives, through relays, with the bare
//! user agent `Mozilla/5.0`); Google, "Gmail image proxy"; Yahoo, "YahooMailProxy"; public reports of security gateways
//! that follow every link of a mail within moments of its delivery (mautic/mautic#9798, #8718, #10245). Programs: the
//! user agents that libraries document as their default (Python's urllib, requests, httpx and aiohttp; Go's net/http;
//! Java's HttpURLConnection and HttpClient, Apache HttpClient, OkHttp; Node's undici, node-fetch, axios, got; Guzzle
//! and PHP; Ruby's Net::HTTP; WinHTTP; curl, Wget) and the public lists omrilotan/isbot and
//! monperrus/crawler-user-agents, for programs that prefetch links.

use jiff::{SignedDuration, Timestamp};
use std::net::IpAddr;

/// The time after sending or delivery in which a human cannot yet have read a mail.
const TOO_SOON: SignedDuration = SignedDuration::from_secs(15);

/// Substrings of the user agents of security gateways, of programs that prefetch links, and of libraries: lower case,
/// as [`folded`] returns them.
const MACHINES: [&str; 82] = [
    "aiohttp",
    "apachehttp",
    "appriver",
    "axios",
    "barracuda",
    "bingpreview",
    "bluecoat",
    "checkpoint",
    "clamav",
    "cloudmark",
    "commonshttpclient",
    "crawl",
    "curl/",
    "cyren",
    "edge/12.246mozilla/5.0",
    "embedly",
    "facebookexternalhit",
    "faraday",
    "fireeye",
    "forcepoint",
    "fortiguard",
    "fortimail",
    "fortinet",
    "gohttpclient",
    "guzzle",
    "headless",
    "hornetsecurity",
    "httpclient",
    "httpie",
    "httpx",
    "iframely",
    "ironport",
    "java/",
    "libcurl",
    "libwww",
    "lighthouse",
    "linkcheck",
    "linkexpander",
    "lwp::",
    "mailscanner",
    "mechanize",
    "messagelabs",
    "microsoftbits",
    "microsoftcryptoapi",
    "microsoftofficeexistencediscovery",
    "mimecast",
    "netcraft",
    "nodefetch",
    "okhttp",
    "paloalto",
    "phantomjs",
    "playwright",
    "postmanruntime",
    "preview",
    "proofpoint",
    "puppeteer",
    "python/",
    "pythonhttp",
    "pythonrequests",
    "pythonurllib",
    "reqwest",
    "restsharp",
    "safelinks",
    "scanner",
    "scrapy",
    "selenium",
    "slackimgproxy",
    "slurp",
    "sophos",
    "spider",
    "superagent",
    "symantec",
    "trendmicro",
    "typhoeus",
    "undici",
    "urllib",
    "virustotal",
    "websense",
    "wget/",
    "winhttp",
    "yandeximageresizer",
    "zscaler",
];

/// Beginnings of user agents of programs, in lower case: of words that stand elsewhere in those of browsers, or are too short to be looked for there.
const BEGINNINGS: [&str; 12] =
    ["bot", "dart/", "duckduckgo", "got ", "got/", "java", "node", "perl", "php", "python", "ruby", "whatsapp"];

/// Substrings of the user agents of the relays through which some mail services load pictures, before or while a reader
/// looks at a mail. Same form as [`MACHINES`].
const RELAYS: [&str; 2] = ["ggpht.com", "proxy"];

/// The client that loaded a picture or followed a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agent {
    /// The reader, as far as can be determined.
    Reader,
    /// The relay of a mail service: the reader may have opened the mail, or the service loaded its pictures ahead.
    Relay,
    /// A machine: Apple's privacy protection, a security gateway, a program.
    Machine,
}

impl Agent {
    /// Classifies a request by its user agent and address (`None` if SES does not report them) and by its delay after
    /// sending.
    #[must_use]
    pub fn of(user_agent: Option<&str>, address: Option<&str>, sent: Option<Timestamp>, at: Timestamp) -> Self {
        let agent = user_agent.map(|text| text.trim().to_ascii_lowercase());
        let is_machine = agent.as_deref().is_some_and(is_machine) || address.is_some_and(is_apple);
        let own = if is_machine {
            Self::Machine
        } else if agent.is_some_and(|agent| holds_any(&folded(&agent), &RELAYS)) {
            Self::Relay
        } else {
            Self::Reader
        };
        own.after(sent, at)
    }

    /// Returns the agent corrected by the time the mail was sent or delivered, if known: a request too soon after it
    /// comes from a machine, whatever its user agent.
    #[must_use]
    pub fn after(self, arrived: Option<Timestamp>, at: Timestamp) -> Self {
        if arrived.is_some_and(|arrived| at.duration_since(arrived) < TOO_SOON) { Self::Machine } else { self }
    }
}

/// `agent` without spaces, hyphens and underscores: `Trend Micro` and `trend-micro` are `trendmicro`.
fn folded(agent: &str) -> String {
    agent.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect()
}

fn holds_any(agent: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| agent.contains(part))
}

/// Returns whether no mail program or browser sends this user agent.
fn is_machine(agent: &str) -> bool {
    // Apple's relays send this and nothing more; every browser and mail program names itself.
    agent.is_empty()
        || agent == "mozilla/5.0"
        || BEGINNINGS.iter().any(|known| agent.starts_with(known))
        || holds_any(&folded(agent), &MACHINES)
        // Cubot makes telephones.
        || agent.replace("cubot", "").contains("bot")
}

/// Returns whether the address is in Apple's network, 17.0.0.0/8, which loads pictures ahead of time.
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
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15 Ddg/17.5",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:126.0) Gecko/20100101 Firefox/126.0",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0 Mobile Safari/537.36 GSA/15.20",
            "Opera/9.80 (Android; Opera Mini/36.2/119.132; U; en) Presto/2.12.423 Version/12.16",
            "Outlook-iOS/723.4027091.prod.iphone (4.28.0)",
            "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)",
            "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP1A)",
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
            "Go-http-client/2.0",
            "python-httpx/0.27.0",
            "Python/3.9 aiohttp/3.8.4",
            "Python-urllib/3.11",
            "GuzzleHttp/7",
            "GuzzleHttp/6.5.5 curl/7.68.0 PHP/7.4.3",
            "Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)",
            "undici",
            "node",
            "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
            "got (https://github.com/sindresorhus/got)",
            "Java/17.0.2",
            "Java-http-client/17.0.2",
            "Apache-HttpClient/4.5.13 (Java/11.0.11)",
            "Jakarta Commons-HttpClient/3.1",
            "okhttp/4.12.0",
            "Ruby",
            "rest-client/2.1.0 (linux x86_64) ruby/3.1.2p20 libcurl",
            "PHP/8.1.2",
            "WhatsApp/2.23.20.0 A",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Twitterbot/1.0",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Slack-ImgProxy (+https://api.slack.com/robots)",
            "Mozilla/5.0 (compatible; Trend Micro Web Reputation)",
            "TrendMicro WRS",
            "Mozilla/5.0 (Windows NT 10.0; Link Check; rv:11.0)",
            "curl/8.5.0",
        ] {
            assert_eq!(of(machine, "192.0.2.1", 3600), Agent::Machine, "{machine}");
        }
        for relay in [
            "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
            "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
            "Mozilla/5.0 (compatible; Outlook Image Proxy)",
            "Mozilla/5.0 (compatible; DuckDuckGo-Proxy; +https://duckduckgo.com)",
            "Some-Mail Image-Proxy/2",
        ] {
            assert_eq!(of(relay, "66.249.84.1", 3600), Agent::Relay, "{relay}");
        }
    }

    #[test]
    fn nobody_reads_a_mail_within_seconds_or_from_apples_network() {
        assert_eq!((of(PHONE, "192.0.2.1", 3), of(PHONE, "192.0.2.1", 60)), (Agent::Machine, Agent::Reader));
        assert_eq!(of(PHONE, "17.58.97.12", 3600), Agent::Machine);
        let delivered: Timestamp = "2026-03-02T11:00:00Z".parse().unwrap();
        let after = |seconds| Agent::Reader.after(Some(delivered), delivered + SignedDuration::from_secs(seconds));
        assert_eq!(
            (after(3), after(60), Agent::Relay.after(None, delivered)),
            (Agent::Machine, Agent::Reader, Agent::Relay)
        );
        assert_eq!(of("Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "66.249.84.1", 2), Agent::Machine);
        // Without information about the request, the agent is taken for a reader.
        assert_eq!(Agent::of(None, None, None, Timestamp::UNIX_EPOCH), Agent::Reader);
    }
}
