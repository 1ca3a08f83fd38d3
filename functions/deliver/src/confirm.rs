//! The mail that asks a reader to confirm an address which only a public source named: double opt-in, `unverified_mail = "confirm"`.
//!
//! It is a decision like others, so it is claimed, paced, recorded and reported like others. Its id follows from the identity and the address, so each
//! address of an identity gets one, ever. Until the reader confirms, every other mail to the address is withheld.

use crate::deps::Deps;
use crate::error::DeliverError;
use crate::requeue;
use jiff::{SignedDuration, Timestamp};
use perennial_channels::unsubscribe::{CONFIRM, Unsubscribe, owners_of};
use perennial_config::Config;
use perennial_config::channels::{CONFIRMATION, UnverifiedMail};
use perennial_config::limits::Cap;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::{Channel, Decision, DecisionId, PersonId, Properties};
use perennial_engine::Profile;
use perennial_store::preferences::Preferences;

/// How many mails an address gets in how many days for one that asks for a confirmation to go there, whatever profiles they are for: nobody fills a
/// stranger's mailbox by naming their address for many made-up users.
pub(crate) const CAP: (u16, u16) = (1, 1);

/// The consent to a mail to an unverified address.
#[derive(Debug)]
pub(crate) enum Consent {
    /// The mail is sent.
    Given,
    /// The mail is not sent, for this reason.
    Withheld(&'static str),
    /// The mail is not sent; this decision asks the reader to confirm the address.
    Ask(Box<Decision>),
}

/// Returns whether `decision` is the mail that asks for a confirmation.
pub(crate) fn asks(decision: &Decision) -> bool {
    decision.journey == CONFIRM
}

/// Returns the consent to `decision`, a mail of `profile` to the address with this hash. `known` are the preferences
/// stored for the address and the profile.
pub(crate) fn consent(
    config: &Config,
    decision: &Decision,
    profile: &Profile,
    (address, is_unverified): (&[u8; 32], bool),
    known: &Preferences,
    now: Timestamp,
) -> Consent {
    let is_asked_for = is_unverified && config.channels.mail.unverified_mail == UnverifiedMail::Confirm;
    match (is_asked_for, asks(decision)) {
        (false, false) => return Consent::Given,
        (false, true) => return Consent::Withheld("the mail address needs no confirmation any more"),
        (true, _) => {}
    }
    match known.confirmation(address) {
        Some(choice) if choice.wants && asks(decision) => Consent::Withheld("the mail address is confirmed already"),
        Some(choice) if choice.wants => Consent::Given,
        Some(_) => Consent::Withheld("the reader does not want mails at this address"),
        None => {
            let owner = owners_of(profile, address).min().unwrap_or(profile.id);
            let id = id(owner, address);
            match asks(decision) {
                true if decision.id == id => Consent::Given,
                true => Consent::Withheld("the mail address has changed"),
                false => Consent::Ask(Box::new(confirmation(decision, owner, id, now))),
            }
        }
    }
}

fn id(owner: PersonId, address: &[u8; 32]) -> DecisionId {
    DecisionId::of(owner, CONFIRM, 0, address)
}

/// The decision to ask, because of one that has to wait for the answer.
fn confirmation(because: &Decision, owner: PersonId, id: DecisionId, now: Timestamp) -> Decision {
    Decision {
        id,
        person: owner,
        journey: CONFIRM.to_owned(),
        step: 0,
        channel: Channel::Mail,
        template: CONFIRMATION.to_owned(),
        endpoint: None,
        cause: because.cause.clone(),
        properties: Properties::new(),
        decided_at: now,
        config: because.config.clone(),
        variant: None,
        withheld: None,
    }
}

/// Has the reader asked, unless they were.
pub(crate) async fn ask(deps: &Deps, confirmation: Decision) -> Result<(), DeliverError> {
    if deps.store.message(confirmation.person, confirmation.id).await?.is_some() {
        return Ok(());
    }
    requeue::send_after(deps, MessagesPayload::Decision(confirmation), SignedDuration::ZERO).await
}

/// The page on which the reader of a mail that asks confirms their address.
pub(crate) fn url(deps: &Deps, decision: &Decision, address: [u8; 32]) -> String {
    deps.unsubscribe_url(&Unsubscribe { person: decision.person, address, topic: Some(CONFIRM.to_owned()) })
}

/// The caps of the mail that asks: those of the config, and [`CAP`].
pub(crate) fn caps(config: &Config) -> Vec<Cap> {
    let (messages, within_days) = CAP;
    let own = Cap { messages, within_days, channels: vec![Channel::Mail] };
    config.limits.caps.iter().cloned().chain([own]).collect()
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
