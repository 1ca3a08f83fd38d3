//! Finds what keeps mails from arriving: the sender, its DNS records, SES limits, and the stack around it.

mod ask;
mod dns;
mod facts;
mod findings;
mod links;
mod reports;
mod sender;

pub(crate) use ask::{Dns, examine};
pub(crate) use facts::{Finding, Level};
