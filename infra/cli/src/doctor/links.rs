//! The domains that the links of mails lead to: that of the stack's own pages, such as those to unsubscribe on, and that of counted links.

use super::facts::{Answerer, Facts, Finding};
use perennial_channels::page::NoPage;

/// The links of the stack itself.
const OWN: &str = "own links";
/// Links that SES counts clicks of.
const COUNTED: &str = "links";
/// How the hosts of function URLs end.
const FUNCTION_URL: &str = ".on.aws";

pub(super) fn findings(facts: &Facts) -> impl Iterator<Item = Finding> {
    [Some(own(facts)), counted(facts)].into_iter().flatten()
}

fn own(facts: &Facts) -> Finding {
    let page = match &facts.page {
        Err(why) => return Finding::not_checked(OWN, why),
        Ok(page) => page,
    };
    let host = page.url.strip_prefix("https://").unwrap_or(&page.url).trim_end_matches('/');
    let is_function = host.ends_with(FUNCTION_URL);
    match page.answer {
        Ok(Answerer::Api) if is_function => Finding::warning(
            OWN,
            format!("links to unsubscribe lead to {host}: readers and spam filters know your domain, and not this one"),
            format!(
                "put a CloudFront distribution for mail.{} in front of the api's function URL, then deploy with -c publicUrl=https://mail.{0} (Terraform: public_url)",
                facts.domain
            ),
        ),
        Ok(Answerer::Api) => Finding::ok(OWN, format!("{host} answers with a valid certificate")),
        Ok(Answerer::Other(status)) => Finding::error(
            OWN,
            format!("{host} answers {status}, and not as this stack: nobody can unsubscribe"),
            format!(
                "aws lambda get-function-url-config --function-name {}-api (its FunctionUrl has to be the origin behind {host}, for all paths and methods)",
                stack(facts)
            ),
        ),
        Err(_) if is_function => Finding::error(
            OWN,
            format!("{host} does not answer: nobody can unsubscribe"),
            "deploy the stack: (cd infra/cdk && npx cdk deploy), or terraform apply",
        ),
        Err(NoPage::Unresolved) => Finding::error(
            OWN,
            format!("{host} does not resolve: nobody can unsubscribe"),
            format!(
                "set in the DNS: {host} CNAME and the DomainName of aws cloudfront list-distributions --query \"DistributionList.Items[].[DomainName,Aliases.Items]\""
            ),
        ),
        Err(NoPage::Certificate(why)) => Finding::error(
            OWN,
            format!("{host}: {why}, so no browser opens links to unsubscribe"),
            format!(
                "aws acm request-certificate --region us-east-1 --domain-name {host} --validation-method DNS (and name it in the distribution)"
            ),
        ),
        Err(NoPage::NoAnswer(why)) => Finding::error(
            OWN,
            format!("{host}: {why}; nobody can unsubscribe"),
            "aws cloudfront list-distributions --query \"DistributionList.Items[].[DomainName,Aliases.Items,Status,Enabled]\"",
        ),
    }
}

/// Nothing where there is no configuration set to count links with, which `events` reports.
fn counted(facts: &Facts) -> Option<Finding> {
    if facts.target.is_empty() {
        return Some(Finding::ok(COUNTED, "no link is rewritten here"));
    }
    let (set, domain) = match &facts.set {
        Err(why) => return Some(Finding::not_checked(COUNTED, why)),
        Ok(set) => (&facts.configuration_set, &set.as_ref()?.link_domain),
    };
    let options = "aws sesv2 put-configuration-set-tracking-options --configuration-set-name";
    if domain.is_empty() {
        return Some(Finding::warning(
            COUNTED,
            "counted links lead over awstrack.me, which every other sender uses too",
            format!("{options} {set} --custom-redirect-domain click.{}", facts.domain),
        ));
    }
    let target = format!("r.{}.awstrack.me", facts.region);
    Some(match &facts.counted {
        Err(why) => Finding::not_checked(COUNTED, why),
        Ok(None | Some(Ok(()))) => Finding::ok(COUNTED, &**domain),
        Ok(Some(Err(NoPage::Certificate(why)))) => Finding::error(
            COUNTED,
            format!("{domain}: {why}, so no browser opens the links of mails"),
            format!(
                "{options} {set} --custom-redirect-domain {domain} --https-policy OPTIONAL (or put CloudFront with a certificate for {domain} in front of {target})"
            ),
        ),
        Ok(Some(Err(why))) => Finding::error(
            COUNTED,
            format!("{domain}: {why}; the links of mails lead nowhere"),
            format!("set in the DNS: {domain} CNAME {target}"),
        ),
    })
}

fn stack(facts: &Facts) -> &str {
    facts.target.rsplit(' ').next().unwrap_or_default()
}
