#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::facts::{Answerer, ConfigurationSet, Identity, Level, LinksPage, Records};
use super::*;
use jiff::SignedDuration;
use perennial_channels::account::{Account, Allowance};
use perennial_channels::page::NoPage;
use perennial_store::reports::MailReports;
use perennial_store::sweeps::Sweep;

/// Returns the facts of a system without problems.
fn facts() -> Facts {
    let now = "2026-03-02T08:00:00Z".parse().unwrap();
    Facts {
        target: " --stack perennial".to_owned(),
        now,
        domain: "acme.example".to_owned(),
        configuration_set: "perennial".to_owned(),
        account: Ok(Account {
            production: true,
            sending: true,
            healthy: true,
            allowance: Allowance { per_second: Some(14.0), per_day: Some(50_000), sent: 120 },
        }),
        identity: Ok(Some(Identity {
            name: "acme.example".to_owned(),
            verified: true,
            dkim_signs: true,
            dkim: "SUCCESS".to_owned(),
            tokens: vec!["abc".to_owned(), "def".to_owned()],
            mail_from: "bounce.acme.example".to_owned(),
            mail_from_status: "SUCCESS".to_owned(),
        })),
        set: Ok(Some(ConfigurationSet {
            events: ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "OPEN"].map(str::to_owned).to_vec(),
            link_domain: "click.acme.example".to_owned(),
            links_need_https: false,
        })),
        dns: Records {
            spf: Ok(vec!["other".to_owned(), "v=spf1 include:amazonses.com ~all".to_owned()]),
            dmarc: Ok(vec!["v=DMARC1; p=quarantine; rua=mailto:d@acme.example".to_owned()]),
        },
        reports: Ok(MailReports {
            sent: Some(now - SignedDuration::from_mins(20)),
            reported: Some(now - SignedDuration::from_mins(20)),
            links: Some("https://mail.acme.example".to_owned()),
        }),
        page: Ok(LinksPage { url: "https://mail.acme.example".to_owned(), answer: Ok(Answerer::Api) }),
        counted: Ok(Some(Ok(()))),
        region: "eu-central-1".to_owned(),
        dead: Ok(vec![("events".to_owned(), 0), ("messages".to_owned(), 0)]),
        alarms: Ok(Some(Vec::new())),
        config_since: Some(now),
        swept: Ok(Some(Sweep { at: now, took_ms: 4, sent: 0, unsent: 0, more: false, failed: false })),
        sweep_every: SignedDuration::from_mins(5),
    }
}

/// The one finding that is not in order once `change` was made.
fn only(change: impl FnOnce(&mut Facts)) -> Finding {
    let mut facts = facts();
    change(&mut facts);
    let wrong: Vec<Finding> = findings(&facts).into_iter().filter(|finding| finding.level != Level::Ok).collect();
    let [finding] = wrong.as_slice() else { panic!("{wrong:?}") };
    finding.clone()
}

fn identity(facts: &mut Facts) -> &mut Identity {
    facts.identity.as_mut().unwrap().as_mut().unwrap()
}

fn account(facts: &mut Facts) -> &mut Account {
    facts.account.as_mut().unwrap()
}

#[track_caller]
fn is(finding: &Finding, check: &str, level: Level, fix: &str) {
    assert_eq!((finding.check, finding.level), (check, level), "{finding:?}");
    assert!(finding.fix.as_deref().unwrap_or_default().contains(fix), "{finding:?}");
}

#[test]
fn nothing_is_wrong_where_all_is_in_order() {
    let all = findings(&facts());
    assert!(all.iter().all(|finding| finding.level == Level::Ok && finding.fix.is_none()), "{all:?}");
    let checks: Vec<&str> = all.iter().map(|finding| finding.check).collect();
    assert_eq!(
        checks,
        [
            "sandbox",
            "sending",
            "quota",
            "identity",
            "dkim",
            "mail from",
            "spf",
            "dmarc",
            "events",
            "own links",
            "links",
            "dead letters",
            "alarms",
            "config",
            "schedules"
        ]
    );
}

#[test]
fn account_in_the_sandbox_paused_or_under_review_is_an_error() {
    is(
        &only(|facts| account(facts).production = false),
        "sandbox",
        Level::Error,
        "put-account-details --production-access-enabled",
    );
    is(
        &only(|facts| account(facts).sending = false),
        "sending",
        Level::Error,
        "put-account-sending-attributes --sending-enabled",
    );
    is(&only(|facts| account(facts).healthy = false), "sending", Level::Error, "Support Center");
}

#[test]
fn quota_is_told_before_it_is_used_up_and_one_without_a_limit_never() {
    is(
        &only(|facts| account(facts).allowance.sent = 40_000),
        "quota",
        Level::Warning,
        "request-service-quota-increase",
    );
    let mut unlimited = facts();
    account(&mut unlimited).allowance.per_day = None;
    account(&mut unlimited).allowance.sent = 1_000_000_000;
    assert!(findings(&unlimited).iter().all(|finding| finding.level == Level::Ok));
}

#[test]
fn sender_without_an_identity_or_with_a_pending_one_gets_the_records() {
    is(
        &only(|facts| facts.identity = Ok(None)),
        "identity",
        Level::Error,
        "create-email-identity --email-identity acme.example",
    );
    let mut pending = facts();
    identity(&mut pending).verified = false;
    identity(&mut pending).dkim = "PENDING".to_owned();
    let wrong: Vec<Finding> = findings(&pending).into_iter().filter(|finding| finding.level != Level::Ok).collect();
    assert_eq!(wrong.iter().map(|finding| finding.check).collect::<Vec<_>>(), ["identity", "dkim"]);
    let fix = "abc._domainkey.acme.example CNAME abc.dkim.amazonses.com; def._domainkey.acme.example CNAME def.dkim.amazonses.com";
    assert!(wrong.iter().all(|finding| finding.fix.as_deref().unwrap().contains(fix)), "{wrong:?}");
}

#[test]
fn dkim_that_fails_is_an_error_and_one_that_is_gone_for_now_a_warning() {
    for status in ["FAILED", "NOT_STARTED", "PENDING"] {
        is(&only(|facts| identity(facts).dkim = status.to_owned()), "dkim", Level::Error, "_domainkey");
    }
    is(&only(|facts| identity(facts).dkim = "TEMPORARY_FAILURE".to_owned()), "dkim", Level::Warning, "_domainkey");
    is(&only(|facts| identity(facts).dkim_signs = false), "dkim", Level::Error, "--signing-enabled");
}

#[test]
fn envelope_of_ses_is_a_warning_and_one_without_its_record_an_error() {
    is(
        &only(|facts| identity(facts).mail_from.clear()),
        "mail from",
        Level::Warning,
        "--mail-from-domain bounce.acme.example",
    );
    is(
        &only(|facts| identity(facts).mail_from_status = "FAILED".to_owned()),
        "mail from",
        Level::Error,
        "bounce.acme.example MX 10",
    );
}

#[test]
fn spf_record_has_to_be_there_once_and_allow_ses() {
    let with = |records: &[&str]| {
        let records = records.iter().map(|record| (*record).to_owned()).collect();
        only(|facts| facts.dns.spf = Ok(records))
    };
    for records in [
        &[][..],
        &["v=spf10 include:amazonses.com"],
        &["v=spf1 include:_spf.google.com ~all"],
        &["v=spf1 include:amazonses.com ~all", "V=SPF1 -all"],
    ] {
        is(&with(records), "spf", Level::Error, "TXT \"v=spf1 include:amazonses.com ~all\"");
    }
    is(&only(|facts| facts.dns.spf = Err("no answer".to_owned())), "spf", Level::NotChecked, "");
}

#[test]
fn dmarc_record_has_to_be_there_once_with_a_policy() {
    for records in
        [&[][..], &["v=DMARC1; rua=mailto:x@y.z"], &["v=DMARC1; p=none", "v=DMARC1; p=reject"], &["v=DMARC12; p=none"]]
    {
        let records = records.iter().map(|record| (*record).to_owned()).collect();
        is(
            &only(|facts| facts.dns.dmarc = Ok(records)),
            "dmarc",
            Level::Error,
            "_dmarc.acme.example TXT \"v=DMARC1; p=none;",
        );
    }
    for record in ["v=DMARC1;p=none", "\"v=DMARC1; p=none\"", "v=dmarc1 ; p=reject"] {
        let mut facts = facts();
        facts.dns.dmarc = Ok(vec![record.to_owned()]);
        assert!(findings(&facts).iter().all(|finding| finding.level == Level::Ok), "{record}");
    }
}

#[test]
fn events_that_are_not_reported_are_named() {
    let finding = only(|facts| facts.set.as_mut().unwrap().as_mut().unwrap().events.retain(|kind| kind != "BOUNCE"));
    is(&finding, "events", Level::Error, "cdk deploy");
    assert!(finding.found.contains("bounce:"), "{finding:?}");
    is(&only(|facts| facts.set = Ok(None)), "events", Level::Error, "deploy");
    let links = only(|facts| facts.set.as_mut().unwrap().as_mut().unwrap().link_domain.clear());
    is(&links, "links", Level::Warning, "--custom-redirect-domain click.acme.example");
}

#[test]
fn dead_letters_alarms_config_and_schedules_name_their_commands() {
    let dead = only(|facts| facts.dead = Ok(vec![("events".to_owned(), 1), ("messages".to_owned(), 7)]));
    is(&dead, "dead letters", Level::Error, "perennial redrive messages --stack perennial");
    assert_eq!(dead.found, "1 of events, 7 of messages");
    is(
        &only(|facts| facts.config_since = None),
        "config",
        Level::Error,
        "perennial config push infra/config --stack perennial",
    );
    let hour = SignedDuration::from_hours(1);
    is(
        &only(|facts| facts.now += hour),
        "schedules",
        Level::Error,
        "aws scheduler get-schedule --group-name perennial",
    );
    is(
        &only(|facts| facts.swept.as_mut().unwrap().as_mut().unwrap().failed = true),
        "schedules",
        Level::Error,
        "scheduler",
    );
    is(&only(|facts| facts.alarms = Err("denied".to_owned())), "alarms", Level::NotChecked, "");
}

/// Each moment stands for the hour after it.
#[test]
fn reports_are_judged_by_what_arrived() {
    let with = |sent: i64, reported: Option<i64>| {
        move |facts: &mut Facts| {
            let ago = |minutes: i64| facts.now - SignedDuration::from_mins(minutes);
            let links = facts.reports.as_ref().unwrap().links.clone();
            facts.reports = Ok(MailReports { sent: Some(ago(sent)), reported: reported.map(ago), links });
        }
    };
    for (sent, reported) in [(14, None), (16, Some(76)), (600, Some(660)), (600, Some(1))] {
        let mut facts = facts();
        with(sent, reported)(&mut facts);
        let all = findings(&facts);
        assert!(all.iter().all(|finding| finding.level == Level::Ok), "{sent} {reported:?}: {all:?}");
    }
    for (sent, reported) in [(16, None), (16, Some(77)), (6000, Some(6061))] {
        let finding = only(with(sent, reported));
        is(&finding, "events", Level::Error, "aws sns list-subscriptions");
        assert!(finding.fix.unwrap().contains(":perennial-mail-events"));
    }
    is(&only(|facts| facts.reports = Err("denied".to_owned())), "events", Level::NotChecked, "");
}

#[test]
fn domain_of_own_links_has_to_resolve_and_answer_as_the_api_with_a_valid_certificate() {
    let with = |answer| only(|facts| facts.page.as_mut().unwrap().answer = answer);
    is(&with(Err(NoPage::Unresolved)), "own links", Level::Error, "mail.acme.example CNAME");
    let expired = with(Err(NoPage::Certificate("the certificate has expired")));
    is(
        &expired,
        "own links",
        Level::Error,
        "aws acm request-certificate --region us-east-1 --domain-name mail.acme.example",
    );
    is(&with(Err(NoPage::NoAnswer("no answer"))), "own links", Level::Error, "aws cloudfront list-distributions");
    let other = with(Ok(Answerer::Other(200)));
    is(&other, "own links", Level::Error, "aws lambda get-function-url-config --function-name perennial-api");
    let function = |answer| {
        let url = "https://abc.lambda-url.eu-central-1.on.aws/".to_owned();
        only(|facts| facts.page = Ok(LinksPage { url, answer }))
    };
    is(&function(Ok(Answerer::Api)), "own links", Level::Warning, "publicUrl=https://mail.acme.example");
    is(&function(Err(NoPage::NoAnswer("no answer"))), "own links", Level::Error, "deploy");
    is(&only(|facts| facts.page = Err("no mail yet".to_owned())), "own links", Level::NotChecked, "");
}

#[test]
fn domain_of_counted_links_has_to_answer() {
    let with = |answer| only(|facts| facts.counted = Ok(Some(Err(answer))));
    is(&with(NoPage::Unresolved), "links", Level::Error, "click.acme.example CNAME r.eu-central-1.awstrack.me");
    is(&with(NoPage::NoAnswer("no answer")), "links", Level::Error, "r.eu-central-1.awstrack.me");
    let other = with(NoPage::Certificate("the certificate is for another name"));
    is(&other, "links", Level::Error, "--https-policy OPTIONAL");
    is(&only(|facts| facts.counted = Err("not asked".to_owned())), "links", Level::NotChecked, "");
}
