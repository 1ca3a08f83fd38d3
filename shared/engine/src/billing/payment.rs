//! Payments and refunds, each payment by its own id.

use perennial_config::Config;
use perennial_config::lifecycle::Milestone;
use perennial_domain::billing::said::{PAID, amount, currency, text};
use perennial_domain::{Currency, Event, EventKind, Money, Properties, hash};
use serde::{Deserialize, Serialize};

/// An amount and its time. The later one wins; at the same time, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// When, in microseconds since 1970.
    #[serde(with = "crate::instant")]
    pub at: i64,
    /// The amount, in minor units.
    pub minor: i64,
}

/// A payment with an id: an invoice or an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// In which currency; of several the first of the alphabet.
    pub currency: Currency,
    /// The payment; `None` if only a correction has arrived so far.
    pub paid: Option<Said>,
    /// The corrected amount.
    pub corrected: Option<Said>,
    /// `true` if all of it was refunded.
    pub cancelled: bool,
}

impl Payment {
    /// Returns its net amount: 0 before it is paid, or once it is refunded.
    pub fn minor(&self) -> i64 {
        match self.paid {
            Some(paid) if !self.cancelled => self.corrected.filter(|said| said.at >= paid.at).unwrap_or(paid).minor,
            _ => 0,
        }
    }

    /// Returns the time of its newest event; the minimum if it was only cancelled.
    pub fn at(&self) -> i64 {
        [self.paid, self.corrected].into_iter().flatten().map(|said| said.at).max().unwrap_or(i64::MIN)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.currency = self.currency.min(other.currency);
        self.paid = self.paid.max(other.paid);
        self.corrected = self.corrected.max(other.corrected);
        self.cancelled |= other.cancelled;
    }
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// In which currency.
    pub currency: Currency,
    /// The total refund, in minor units, and its time; all of the payment if `None`.
    pub said: Option<Said>,
    /// The payment, if known.
    pub of: Option<u64>,
}

impl Refund {
    pub(super) fn merge(&mut self, other: &Self) {
        self.currency = self.currency.min(other.currency);
        self.said = self.said.max(other.said);
        self.of = self.of.max(other.of);
    }
}

/// The payment data of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// A payment without an id: it counts as often as its event.
    Plain(Money),
    /// A payment by its id.
    Payment(u64, Payment),
    /// A refund by its id.
    Refund(u64, Refund),
}

/// Returns the payment data of `event`: `properties.revenue`, or without it `properties.total`, in major units, a number or
/// its text, in `properties.currency` or US dollars (the names of Segment's e-commerce specification). billing.toml defines which
/// events are payments, corrections and refunds. Invalid amounts, and those of public sources, are ignored.
pub fn movement(config: &Config, event: &Event) -> Option<Movement> {
    if event.kind != EventKind::Track || !event.is_trusted() {
        return None;
    }
    let (name, rules, said) = (config.counted_as(event), &config.billing, &event.properties);
    let currency = currency(said)?;
    let at = event.timestamp.as_microsecond();
    let id = payment_id(said);
    let nothing = Payment { currency, paid: None, corrected: None, cancelled: false };
    let milestones = config.lifecycle.milestones.get(name);
    let is_bought = milestones.is_some_and(|milestones| milestones.contains(&Milestone::Customer));
    if is_bought || rules.paid.contains(name) {
        let minor = amount(said, PAID, currency)?;
        return Some(match id {
            Some(id) => Movement::Payment(id, Payment { paid: Some(Said { at, minor }), ..nothing }),
            None => Movement::Plain(Money { minor, currency }),
        });
    }
    if rules.corrected.contains(name) {
        let minor = amount(said, PAID, currency)?;
        return Some(Movement::Payment(id?, Payment { corrected: Some(Said { at, minor }), ..nothing }));
    }
    if rules.cancelled.contains(name) {
        return Some(Movement::Payment(id?, Payment { cancelled: true, ..nothing }));
    }
    if !rules.refunded.contains(name) {
        return None;
    }
    let minor = amount(said, PAID, currency).or_else(|| amount(said, &["amount"], currency)).map(i64::abs);
    let refund_id = text(said, &["refund", "refund_id", "refundId"]);
    if let (None, None, Some(minor)) = (id, &refund_id, minor) {
        return Some(Movement::Plain(Money { minor: -minor, currency }));
    }
    let key = match &refund_id {
        Some(id) => hash::hash64(&[b"refund", id.as_bytes()]),
        None => event.message_id.hash64(),
    };
    Some(Movement::Refund(key, Refund { currency, said: minor.map(|minor| Said { at, minor }), of: id }))
}

/// Returns the id of the payment in an event.
fn payment_id(said: &Properties) -> Option<u64> {
    let invoice = || text(said, &["invoice", "invoice_id", "invoiceId"]).map(|id| (b"invoice".as_slice(), id));
    let order = || text(said, &["order_id", "orderId", "order"]).map(|id| (b"order".as_slice(), id));
    let payment = || text(said, &["payment", "payment_id", "paymentId"]).map(|id| (b"payment".as_slice(), id));
    let (kind, id) = invoice().or_else(order).or_else(payment)?;
    Some(hash::hash64(&[kind, id.as_bytes()]))
}
