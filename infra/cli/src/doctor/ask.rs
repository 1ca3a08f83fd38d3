//! Reads the facts that findings are based on. Anything that cannot be read is reported as not checked.

use super::dns;
use super::facts::{Answerer, ConfigurationSet, Facts, Finding, Identity, LinksPage, Read, Records};
use super::findings::findings;
use crate::operate::alarms;
use crate::operate::{Kind, Operated};
use aws_sdk_sesv2::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sesv2::types::{DkimStatus, HttpsPolicy, MailFromDomainStatus};
use jiff::SignedDuration;
use perennial_api::INVALID_LINK;
use perennial_channels::account::Account;
use perennial_channels::address::Mailbox;
use perennial_channels::mail::Mailer;
use perennial_channels::page::{self, NoPage};
use perennial_config::Config;

/// The resolver of DNS records.
#[derive(Debug, Clone)]
pub(crate) enum Dns {
    /// None.
    Off,
    /// A DNS over HTTPS resolver at this address.
    At(String),
}

/// Examines `system`.
pub(crate) async fn examine(system: &Operated, dns: &Dns) -> anyhow::Result<Vec<Finding>> {
    let current = system.store.current_config().await?;
    let config = match &current {
        Some(_) => system.store.load_config().await.ok(),
        None => None,
    };
    Ok(findings(&facts(system, config.as_ref(), current.map(|current| current.since), dns).await))
}

async fn facts(system: &Operated, config: Option<&Config>, since: Option<jiff::Timestamp>, dns: &Dns) -> Facts {
    let ses = aws_sdk_sesv2::Client::new(&system.aws);
    let mail = config.map(|config| &config.channels.mail);
    let from = mail.and_then(|mail| Mailbox::parse(&mail.from).ok());
    let (address, domain) =
        from.map(|from| (from.address.as_str().to_owned(), from.address.host().to_owned())).unwrap_or_default();
    let (target, stage) = match &system.kind {
        Kind::Deployed(_) => (format!(" --stack {}", system.name), system.name.strip_prefix("perennial-")),
        Kind::Embedded => (String::new(), None),
    };
    let name = mail.map(|mail| mail.configuration_set.clone()).unwrap_or_default();
    let configuration_set = stage.map_or_else(|| name.clone(), |stage| format!("{name}-{stage}"));
    let identity = identity(&ses, &domain, &address).await;
    let mail_from = identity.as_ref().ok().and_then(Option::as_ref).map(|identity| identity.mail_from.clone());
    let set = set_of(&ses, &configuration_set).await;
    let reports = system.store.mail_reports().await.map_err(|error| error.to_string());
    let outside = match (dns, &system.kind) {
        (Dns::Off, _) => Err("DNS is not queried (--no-dns)"),
        (_, Kind::Embedded) => Err("a stack on this machine sends no mail over the Internet"),
        (Dns::At(url), Kind::Deployed(_)) => Ok(url),
    };
    let records = match outside {
        Err(why) => none(why),
        Ok(url) => Records {
            spf: dns::txt(url, mail_from.as_deref().unwrap_or_default()).await,
            dmarc: dmarc(url, &domain).await,
        },
    };
    let page = match (outside, &reports) {
        (Err(why), _) => Err(why.to_owned()),
        (_, Err(why)) => Err(why.clone()),
        (Ok(_), Ok(reports)) => own_page(reports.links.as_deref()).await,
    };
    let counted = match outside {
        Err(why) => Err(why.to_owned()),
        Ok(_) => Ok(counted_page(set.as_ref().ok().and_then(Option::as_ref)).await),
    };
    Facts {
        target,
        now: system.now(),
        configuration_set: configuration_set.clone(),
        account: account(system).await,
        identity,
        set,
        dns: records,
        reports,
        page,
        counted,
        region: system.aws.region().map(ToString::to_string).unwrap_or_default(),
        dead: dead(system).await,
        alarms: match &system.kind {
            Kind::Deployed(aws) => alarms::ringing(&aws_sdk_cloudwatch::Client::new(aws), &system.name).await.map(Some),
            Kind::Embedded => Ok(None),
        },
        config_since: since,
        swept: system.store.sweeps(1).await.map(|sweeps| sweeps.first().copied()).map_err(|error| error.to_string()),
        sweep_every: config.and_then(sweep_every).unwrap_or(SignedDuration::from_mins(5)),
        domain,
    }
}

fn none(why: &str) -> Records {
    Records { spf: Err(why.to_owned()), dmarc: Err(why.to_owned()) }
}

fn sweep_every(config: &Config) -> Option<SignedDuration> {
    let sweep = config.schedules.iter().find(|schedule| schedule.function == "sweep")?;
    sweep.every()
}

async fn account(system: &Operated) -> Read<Account> {
    Mailer::new(&system.aws).account().await.map_err(|error| error.to_string())
}

/// Asks at the address that the links of the last mails lead to for a page that only the api has.
async fn own_page(url: Option<&str>) -> Read<LinksPage> {
    let url = url.ok_or("no mail was sent yet, so it is not known where links lead")?;
    let page = page::read(&format!("{url}/u/doctor"), "text/html").await;
    let answer = page.map(|page| {
        let is_api = page.status == 404 && String::from_utf8_lossy(&page.body).contains(INVALID_LINK);
        if is_api { Answerer::Api } else { Answerer::Other(page.status) }
    });
    Ok(LinksPage { url: url.to_owned(), answer })
}

/// Asks at the domain of counted links for any answer; `None` where there is none of one's own.
async fn counted_page(set: Option<&ConfigurationSet>) -> Option<Result<(), NoPage>> {
    let set = set.filter(|set| !set.link_domain.is_empty())?;
    let scheme = if set.links_need_https { "https" } else { "http" };
    Some(page::read(&format!("{scheme}://{}/", set.link_domain), "text/html").await.map(drop))
}

/// The identity that mails are sent under: that of the domain, else of one above it, which verifies all below, else of the address.
async fn identity(ses: &aws_sdk_sesv2::Client, domain: &str, address: &str) -> Read<Option<Identity>> {
    let above =
        std::iter::successors(Some(domain), |name| Some(name.split_once('.')?.1)).filter(|name| name.contains('.'));
    for name in above.chain([address]).filter(|name| !name.is_empty()) {
        match ses.get_email_identity().email_identity(name).send().await {
            Ok(answer) => {
                let (dkim, from) = (answer.dkim_attributes(), answer.mail_from_attributes());
                return Ok(Some(Identity {
                    name: name.to_owned(),
                    verified: answer.verified_for_sending_status(),
                    dkim_signs: dkim.is_some_and(|dkim| dkim.signing_enabled()),
                    dkim: dkim
                        .and_then(|dkim| dkim.status())
                        .map(DkimStatus::as_str)
                        .unwrap_or("NOT_STARTED")
                        .to_owned(),
                    tokens: dkim.map(|dkim| dkim.tokens().to_vec()).unwrap_or_default(),
                    mail_from: from.map(|from| from.mail_from_domain().to_owned()).unwrap_or_default(),
                    mail_from_status: from
                        .map(|from| from.mail_from_domain_status())
                        .map(MailFromDomainStatus::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                }));
            }
            Err(error) if error.code() == Some("NotFoundException") => {}
            Err(error) => return Err(DisplayErrorContext(error).to_string()),
        }
    }
    Ok(None)
}

async fn set_of(ses: &aws_sdk_sesv2::Client, name: &str) -> Read<Option<ConfigurationSet>> {
    let set = match ses.get_configuration_set().configuration_set_name(name).send().await {
        Ok(set) => set,
        Err(error) if error.code() == Some("NotFoundException") => return Ok(None),
        Err(error) => return Err(DisplayErrorContext(error).to_string()),
    };
    let destinations = ses.get_configuration_set_event_destinations().configuration_set_name(name).send().await;
    let destinations = destinations.map_err(|error| DisplayErrorContext(error).to_string())?;
    let events = destinations.event_destinations().iter().filter(|destination| destination.enabled());
    let events = events.flat_map(|destination| destination.matching_event_types()).map(|kind| kind.as_str().to_owned());
    let link_domain = set.tracking_options().map(|options| options.custom_redirect_domain().to_owned());
    let https = set.tracking_options().and_then(|options| options.https_policy());
    Ok(Some(ConfigurationSet {
        events: events.collect(),
        link_domain: link_domain.unwrap_or_default(),
        links_need_https: https.is_some_and(|policy| *policy != HttpsPolicy::Optional),
    }))
}

/// Returns the record of the domain, else of the parent domain, whose policy applies to all domains below.
async fn dmarc(url: &str, domain: &str) -> Read<Vec<String>> {
    let own = dns::txt(url, &format!("_dmarc.{domain}")).await?;
    match domain.split_once('.').filter(|(_, above)| own.is_empty() && above.contains('.')) {
        Some((_, above)) => dns::txt(url, &format!("_dmarc.{above}")).await,
        None => Ok(own),
    }
}

async fn dead(system: &Operated) -> Read<Vec<(String, u64)>> {
    let mut all = Vec::new();
    for queue in &system.queues {
        let dead = system.waiting(&queue.dlq_url).await.map_err(|error| format!("{error:#}"))?;
        all.push((queue.name.clone(), dead));
    }
    Ok(all)
}
