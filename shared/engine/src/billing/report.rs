//! What one event says of a subscription.

use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::{Interval, Renewal, Status, SubscriptionReport};
use perennial_domain::traits::readable;
use perennial_domain::{Currency, Event, Identity, Money, Properties, hash, scalar, timestamp};
use serde_json::Value;

/// The bytes that are kept of a plan's name.
const MAX_PLAN_BYTES: usize = 64;

/// What `event` says of a subscription; `None` where it says nothing.
///
/// An event is about a subscription where it is the milestone `trial`, `customer` or `churned` and no one-time purchase, or stands in
/// `[subscriptions]` of billing.toml. Its property `status` says what the status is from then on; else the milestone does. A renewal that
/// names its invoice says only that the invoice was paid: the last one of a subscription may be paid after its end.
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
    let said = &event.properties;
    let id = text(said, &["subscription", "subscription_id", "subscriptionId"]);
    let told = text(said, &["status"]).and_then(|text| Status::parse(&text));
    let invoice = text(said, &["invoice", "invoice_id", "invoiceId"]);
    let is_renewal = config.accounts.renewal.events.contains(name);
    let is_paid = config.billing.paid.contains(name) || (is_renewal && invoice.is_some());
    let status = told.or(implied.filter(|status| !(invoice.is_some() && *status == Status::Active)));
    if status.is_none() && id.is_none() {
        return None;
    }
    let before = text(said, &["previous_status"]).and_then(|text| Status::parse(&text));
    let at = event.timestamp.as_microsecond();
    let from = time(said, &["period_start"]).unwrap_or(at);
    let renewal_id = |invoice: &String| hash::hash64(&[b"invoice", invoice.as_bytes()]);
    let renewal_id = invoice.as_ref().map_or_else(|| event.message_id.hash64(), renewal_id);
    Some(SubscriptionReport {
        key: key(id.as_deref(), event)?,
        named: id.is_some(),
        at,
        rank: status.map_or(0, |status| status.rank(before)),
        status,
        paid: is_paid && status.is_none(),
        renewal: is_renewal.then_some(Renewal { id: renewal_id, from }),
        plan: said.get("plan").and_then(readable).map(shorten),
        price: price(said),
        quantity: said.get("quantity").and_then(number).and_then(|n| u32::try_from(n).ok()),
        interval: text(said, &["interval", "billing_period"]).and_then(|text| Interval::parse(&text)),
        period_end: time(
            said,
            &[config.accounts.renewal.r#trait.as_deref().unwrap_or("renews_at"), "current_period_end"],
        ),
        trial_end: time(said, &["trial_end", "trial_ends_at", "trialEnd"]),
        cancels: said.get("cancel_at_period_end").and_then(truth),
        account: event.group_id.clone(),
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
    Some(match (id, &event.group_id) {
        (Some(id), _) => hash::hash64(&[b"subscription", id.as_bytes()]),
        (None, Some(account)) => hash::hash64(&[b"subscription of account", account.as_str().as_bytes()]),
        (None, None) => match event.identity()? {
            Identity::User(id) => hash::hash64(&[b"subscription of user", id.as_str().as_bytes()]),
            Identity::Anonymous(id) => hash::hash64(&[b"subscription of visitor", id.as_str().as_bytes()]),
        },
    })
}

/// The first of these properties that holds an id or a word.
pub(super) fn text(said: &Properties, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match said.get(*name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        // An expanded object of Stripe's.
        Value::Object(object) => object.get("id")?.as_str().map(str::to_owned),
        _ => None,
    })
}

fn time(said: &Properties, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| timestamp::of_json(said.get(*name)?)).map(|at| at.as_microsecond())
}

fn number(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => scalar::number(text),
        _ => None,
    };
    number.filter(|number| number.fract() == 0.0).map(|number| number as i64)
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => scalar::truth(text),
        _ => None,
    }
}

fn price(said: &Properties) -> Option<Money> {
    let currency = super::payment::currency(said)?;
    super::payment::amount(said, &["price"], currency).map(|minor| Money { minor, currency })
}

fn shorten(mut plan: String) -> String {
    plan.truncate(plan.floor_char_boundary(MAX_PLAN_BYTES));
    plan
}

/// What nothing says is taken for this currency.
pub(super) const DEFAULT_CURRENCY: Currency = Currency::USD;
