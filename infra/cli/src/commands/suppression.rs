//! `perennial suppression`

use super::client::Target;
use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use perennial_channels::address::Address;
use perennial_domain::SuppressionReason;
use perennial_store::suppressions::Suppression;
use serde_json::json;
use std::process::ExitCode;

/// The address, and the change.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A suppressed address gets no mail at all, whichever profile it belongs to. Hard bounces, complaints and unsubscriptions suppress \
    an address by themselves, and `perennial import` takes whole lists of them. Only a hash of the address is stored.\n\n  \
    perennial suppression ada@example.com                   whether it gets mails, and why not\n  \
    perennial suppression ada@example.com --add unsubscribe  no mail from now on\n  \
    perennial suppression ada@example.com --lift             mails again: after the mailbox was repaired, or on its reader's request\n\n\
    SES has a suppression list of its own, with bounces and complaints of your account. It is not changed here:\n  \
    aws sesv2 delete-suppressed-destination --email-address ADDRESS"
)]
pub(super) struct Args {
    /// The mail address.
    address: String,
    /// Suppress it, for this reason.
    #[arg(long, value_name = "REASON", conflicts_with = "lift",
        value_parser = PossibleValuesParser::new(SuppressionReason::ALL.map(SuppressionReason::as_str)))]
    add: Option<String>,
    /// Lift its suppression, whatever the reason.
    #[arg(long)]
    lift: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let parsed = Address::parse(&args.address);
    let address = parsed.with_context(|| format!("`{}` is not a mail address", args.address))?.normalised();
    let operated = args.target.operated().await?;
    let store = &operated.store;
    let before = store.suppression(&address).await?;
    if let Some(reason) = args.add.as_deref().and_then(SuppressionReason::of_service) {
        store.suppress(&address, reason, operated.now()).await?;
    } else if args.lift {
        store.lift_suppression(&address).await?;
    }
    let now = if args.add.is_some() || args.lift { store.suppression(&address).await? } else { before };
    if args.json {
        let of = |one: Option<Suppression>| one.map(|one| json!({ "reason": one.reason.as_str(), "since": one.since }));
        let told = json!({ "address": address, "suppression": of(now), "before": of(before) });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        println!("{}", told(&address, before, now));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the state of the address in words, and what it was if that changed.
fn told(address: &str, before: Option<Suppression>, now: Option<Suppression>) -> String {
    let was = |one: Suppression| format!("{} since {:.0}", one.reason.as_str(), one.since);
    match (before, now) {
        (None, None) => format!("{address} is not suppressed"),
        (Some(before), None) => format!("{address} is not suppressed any more (it was: {})", was(before)),
        (None, Some(now)) => format!("{address} is suppressed now: {}", was(now)),
        (Some(before), Some(now)) if before == now => format!("{address} is suppressed: {}", was(now)),
        (Some(before), Some(now)) => format!("{address} is suppressed: {} (it was: {})", was(now), was(before)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_change_are_told() {
        let since = jiff::Timestamp::UNIX_EPOCH;
        let of = |reason| Some(Suppression { reason, since });
        let (bounce, unsubscribe) = (of(SuppressionReason::Bounce), of(SuppressionReason::Unsubscribe));
        assert_eq!(told("a@b.example", None, None), "a@b.example is not suppressed");
        assert_eq!(
            told("a@b.example", bounce, None),
            "a@b.example is not suppressed any more (it was: bounce since 1970-01-01T00:00:00Z)"
        );
        assert_eq!(
            told("a@b.example", None, bounce),
            "a@b.example is suppressed now: bounce since 1970-01-01T00:00:00Z"
        );
        assert_eq!(told("a@b.example", bounce, bounce), "a@b.example is suppressed: bounce since 1970-01-01T00:00:00Z");
        assert!(told("a@b.example", unsubscribe, bounce).ends_with("(it was: unsubscribe since 1970-01-01T00:00:00Z)"));
    }
}
