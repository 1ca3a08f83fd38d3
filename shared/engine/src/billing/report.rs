//! Reads a subscription report from an event.

use super::keys::{implied_key, trial_key};
use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::said::{PAID, amount, currency, text};
use perennial_domain::billing::{Renewal, Status, SubscriptionReport, Terms};
use perennial_domain::traits::readable;
use perennial_domain::{AccountId, Event, Properties, hash, scalar, timestamp};
use serde_json::Value;

/// The most bytes of a plan's name that are kept.
const MAX_PLAN_BYTES: usize = 64;

/// Returns the subscription report in `event`; `None` if it has none. Do not call it for events of public sources that
/// are not trusted about money: such a source can only start a trial.
///
/// An event is about a subscription if it is the milestone `trial`, `customer` or `churned` and not a one-time
/// purchase, or is in `[subscriptions]` of billing.toml. Its property `status` is the status from then on; else the
/// milestone defines it. A renewal that names its invoice reports only that the invoice was paid: the last one of a
/// subscription may be paid after its end. An invoice of zero, such as that of a trial's start, is not a payment.
pub fn report(config: &Config, event: &Event) -> Option<SubscriptionReport> {
    let name = config.counted_as(event);
    if config.billing.one_time.contains(name) {
        return None;
    }
    let implied = config.lifecycle.milestones.get(name).and_then(|all| all.iter().filter_map(|m| implied(*m)).max());
    let is_listed = config.billing.subscription_events.contains(name);
    if implied.is_none() && !is_listed {
        return None;
    }
    // Only that a trial began: neither which, nor its price.
    let nothing = Properties::new();
    let said = if event.is_trusted() { &event.properties } else { &nothing };
    let id = text(said, &["subscription", "subscription_id", "subscriptionId"]);
    let told = text(said, &["status"]).and_then(|text| Status::parse(&text));
    let invoice = text(said, &["invoice", "invoice_id", "invoiceId"]);
    let is_renewal = config.accounts.renewal.events.contains(name);
    let is_of_nothing = currency(said).and_then(|currency| amount(said, PAID, currency)) == Some(0);
    let is_paid = (config.billing.paid.contains(name) || (is_renewal && invoice.is_some())) && !is_of_nothing;
    let is_invoice = is_renewal && invoice.is_some();
    let status = told.or(implied.filter(|status| !(is_invoice && *status == Status::Active)));
    let at = event.timestamp.as_microsecond();
    // Some systems report a cancellation when it is made, with the moment at which it takes effect.
    let ends_later = time(said, &["ends_at", "expires_at"]).filter(|end| status == Some(Status::Canceled) && *end > at);
    let status = status.filter(|_| ends_later.is_none());
    let terms = Terms::of(said);
    let plan = said.get("plan").and_then(readable).map(shorten);
    // Without an id and a status, a change of the price or plan of what is paid for already. It pays for nothing by itself.
    let is_change = status.is_none() && id.is_none() && !is_renewal && ends_later.is_none();
    if is_change && terms == Terms::default() && plan.is_none() {
        return None;
    }
    let before = text(said, &["previous_status"]).and_then(|text| Status::parse(&text));
    let from = time(said, &["period_start"]).unwrap_or(at);
    let renewal_id = |invoice: &String| hash::hash64(&[b"invoice", invoice.as_bytes()]);
    let renewal_id = invoice.as_ref().map_or_else(|| event.message_id.hash64(), renewal_id);
    let renews_at = config.accounts.renewal.r#trait.as_deref().unwrap_or("renews_at");
    // A chosen end, which need not be that of its period.
    let ends_at = ends_later.or_else(|| time(said, &["cancel_at"]));
    let is_last = text(said, &["status"]).is_some_and(|text| Status::is_last_period(&text));
    Some(SubscriptionReport {
        key: key(id.as_deref(), event)?,
        named: id.is_some(),
        at,
        rank: status.map_or(0, |status| status.rank(before)),
        status,
        paid: is_paid && status.is_none() && !is_change,
        renewal: is_renewal.then_some(Renewal { id: renewal_id, from, by_invoice: invoice.is_some() }),
        plan,
        price: terms.price,
        quantity: terms.quantity,
        interval: terms.interval,
        period_end: ends_at.or_else(|| time(said, &[renews_at, "current_period_end"])),
        trial_end: time(said, &["trial_end", "trial_ends_at", "trialEnd"]),
        cancels: ends_at
            .map(|_| true)
            .or(is_last.then_some(true))
            .or_else(|| said.get("cancel_at_period_end").and_then(truth)),
        account: event.account().cloned(),
    })
}

/// The status that a milestone is.
fn implied(milestone: Milestone) -> Option<Status> {
    match milestone {
        Milestone::Trial => Some(Status::Trialing),
        Milestone::Customer => Some(Status::Active),
        Milestone::Churned => Some(Status::Canceled),
        Milestone::Lead | Milestone::Freemium => None,
    }
}

fn key(id: Option<&str>, event: &Event) -> Option<u64> {
    if !event.is_trusted() {
        return Some(trial_key(&event.identity()?));
    }
    match id {
        Some(id) => Some(hash::hash64(&[b"subscription", id.as_bytes()])),
        None => Some(implied_key(event.account().map(AccountId::as_str), &event.identity()?)),
    }
}

fn time(said: &Properties, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| timestamp::of_json(said.get(*name)?)).map(|at| at.as_microsecond())
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => scalar::truth(text),
        _ => None,
    }
}

fn shorten(mut plan: String) -> String {
    plan.truncate(plan.floor_char_boundary(MAX_PLAN_BYTES));
    plan
}
