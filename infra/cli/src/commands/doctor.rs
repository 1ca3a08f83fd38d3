//! `perennial doctor`

use super::client::Target;
use crate::doctor::{Dns, Finding, Level, examine};
use std::process::ExitCode;

/// The default resolver of SPF and DMARC records.
const RESOLVER: &str = "https://cloudflare-dns.com/dns-query";

/// The system.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Checks the sender (identity, DKIM, SPF, MAIL FROM, DMARC), the SES account (sandbox, standing, rate and quota), \
    whether SES reports on the mails that it accepted, the domains of links (DNS, certificate, and whether the right function \
    answers), dead letters, alarms, the configuration and the schedules. Each problem is listed with the command or DNS record \
    that fixes it.\n\
    Not checked: the DNS records of DKIM and of MAIL FROM's MX themselves (SES reports whether it finds them); the domain's \
    reputation with mailbox providers.\n\
    Requires the permissions ses:GetAccount, GetEmailIdentity, GetConfigurationSet and GetConfigurationSetEventDestinations \
    besides those of `perennial status`.\n\n\
    Exit code: 0 without errors, 1 if something keeps mails from being sent or delivered. Warnings do not count.\n\n  \
    perennial doctor --stack perennial          a deployed stack, with your own AWS credentials\n  \
    perennial doctor --stack perennial --json   for machines"
)]
pub(super) struct Args {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    /// The resolver of DNS records, which must support DNS over HTTPS in its JSON form.
    #[arg(long, value_name = "URL", default_value = RESOLVER)]
    dns: String,
    /// Ask nothing outside of AWS: SPF, DMARC and the domains of links are not checked.
    #[arg(long, conflicts_with = "dns")]
    no_dns: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let dns = if args.no_dns { Dns::Off } else { Dns::At(args.dns) };
    let found = examine(args.target.operated().await?, &dns).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", shown(&found));
    }
    Ok(if found.iter().any(|finding| finding.level == Level::Error) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn shown(found: &[Finding]) -> String {
    let mut out = String::new();
    for finding in found {
        let mark = match finding.level {
            Level::Ok => "ok     ",
            Level::NotChecked => "-      ",
            Level::Warning => "warning",
            Level::Error => "ERROR  ",
        };
        let Finding { check, found, fix, .. } = finding;
        out.push_str(&format!("{mark}  {check:<12}  {found}\n"));
        if let Some(fix) = fix {
            out.push_str(&format!("{:23}-> {fix}\n", ""));
        }
    }
    let count = |level| found.iter().filter(|finding| finding.level == level).count();
    out.push_str(&format!(
        "\n{} errors, {} warnings, {} not checked\n",
        count(Level::Error),
        count(Level::Warning),
        count(Level::NotChecked)
    ));
    out
}
