//! Delivers one update of a CRM's record of an account or a person: claims, sends and records it.

use crate::delivered::{Delivered, later};
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::requeue::{self, Patience};
use perennial_channels::Outcome;
use perennial_channels::address::Address;
use perennial_channels::endpoint::{Message, Person};
use perennial_channels::unsubscribe::address_hash;
use perennial_config::Config;
use perennial_config::accounts::PersonField;
use perennial_config::channels::Kind;
use perennial_contracts::queue::MessagesPayload;
use perennial_domain::traits::Fact;
use perennial_domain::{AccountId, CrmUpdate, PersonId, Subject, SuppressionReason};
use perennial_engine::membership::account_of;
use perennial_engine::{Part, State};
use perennial_store::accounts::StoredAccount;
use perennial_store::messages::{MessageState, Outcome as Recorded};
use perennial_store::{Consistency, Stored};

/// The subject of an update as it is now. What is read here is at least as new as the update: it was written before the update was
/// sent.
enum Known {
    Account(AccountId, Option<Box<StoredAccount>>),
    /// The profile, and its account if the CRM has that.
    Person(Box<Stored>, Option<AccountId>),
    /// The person was erased, or merged into another, who is written instead.
    Gone,
}

impl Known {
    async fn read(deps: &Deps, config: &Config, update: &CrmUpdate) -> Result<Self, DeliverError> {
        Ok(match &update.subject {
            Subject::Account(account) => {
                let stored = deps.store.account(account, Consistency::Strong).await?;
                Self::Account(account.clone(), stored.map(Box::new))
            }
            Subject::Person(person) => match deps.store.follow(*person, Consistency::Strong).await? {
                Some(stored) if stored.profile.id == *person => {
                    let company = company(deps, config, update, &stored).await?;
                    Self::Person(Box::new(stored), company)
                }
                Some(_) | None => Self::Gone,
            },
        })
    }

    /// Returns the number of the newest update.
    fn newest(&self) -> u64 {
        let written = match self {
            Self::Account(_, stored) => stored.as_ref().and_then(|stored| stored.account.written.as_ref()),
            Self::Person(stored, _) => stored.profile.written.as_ref(),
            Self::Gone => None,
        };
        written.map_or(0, |written| written.number)
    }

    /// Returns the message for an endpoint of this kind; `None` if it cannot have one.
    fn message(&self, config: &Config, kind: &Kind, update: &CrmUpdate) -> Option<Message> {
        match self {
            Self::Account(id, stored) => {
                Message::about_account(kind, update, id, stored.as_ref().map(|stored| &stored.account))
            }
            Self::Person(stored, company) => {
                let view = stored.profile.view();
                let account = account_of(config, &view);
                let (account, company) = (account.as_ref(), company.as_ref());
                let person = Person { profile: &stored.profile, view: &view, account, company };
                Message::about_contact(kind, update, &person)
            }
            Self::Gone => None,
        }
    }
}

/// Delivers `update`, or finds that it was delivered, or that a later one replaces it. `claimant` identifies this
/// delivery.
///
/// # Errors
/// [`DeliverError`] if the queue is to retry; the receiver recognizes a repetition by its id.
pub(crate) async fn deliver(
    deps: &Deps,
    update: &CrmUpdate,
    claimant: &str,
    patience: Patience,
) -> Result<Delivered, DeliverError> {
    let now = deps.clock.now();
    let config = deps.config.current().await;
    let endpoint = config.channels.webhook.get(&update.endpoint);
    let endpoint = endpoint.ok_or_else(|| DeliverError::NoEndpoint(update.endpoint.clone()))?;
    let secret = deps.secrets.get(&endpoint.secret, now).await?;
    let known = Known::read(deps, &config, update).await?;
    if matches!(known, Known::Gone) {
        // Nothing is written about an erased person.
        return Ok(Delivered::Withheld);
    }
    // Its record may be forgotten by now.
    if deps.store.is_update_done(update).await? {
        return Ok(Delivered::Before);
    }
    let complete = complete(deps, &config, update, &known).await?;
    let update = &complete;
    if deps.store.claim_update(update, claimant, now).await?.is_some_and(|state| state != MessageState::Claimed) {
        // The process that recorded the outcome may have stopped before this write.
        deps.store.note_update_done(update).await?;
        return Ok(Delivered::Before);
    }
    if known.newest() > update.number {
        finish(deps, update, MessageState::Suppressed, Some("a later update replaces it".to_owned())).await?;
        return Ok(Delivered::Withheld);
    }
    let Some(message) = known.message(&config, &endpoint.kind, update) else {
        if matches!(endpoint.kind, Kind::Standard | Kind::Slack) {
            return Err(DeliverError::NoRecords(update.endpoint.clone()));
        }
        let why = "the person has no value by which the CRM finds contacts".to_owned();
        finish(deps, update, MessageState::Suppressed, Some(why)).await?;
        return Ok(Delivered::Withheld);
    };
    let sent = deps.endpoints.send(endpoint, secret.expose(), &update.id.to_string(), &message, now).await;
    match sent {
        Outcome::Sent { .. } => {
            finish(deps, update, MessageState::Sent, None).await?;
            Ok(Delivered::Sent)
        }
        Outcome::Rejected { reason } => {
            finish(deps, update, MessageState::Failed, Some(reason)).await?;
            Ok(Delivered::Failed)
        }
        Outcome::Retry { .. } | Outcome::Unknown { .. } | Outcome::Paused { .. } => {
            let is_news = patience.tries == 0 || !matches!(sent, Outcome::Paused { .. });
            let (reason, after) = later(sent);
            // The claim stays: the next delivery sends under the same id.
            if is_news {
                record(deps, update, MessageState::Claimed, Some(reason.clone())).await?;
            }
            let now = deps.clock.now();
            if now.duration_since(update.at) > config.limits.max_age() {
                // The data of a record does not become outdated like a message: it moves to the dead-letter queue, and can be
                // redriven.
                return Err(DeliverError::Refused { channel: endpoint.kind.as_str(), reason });
            }
            let (until, patience) = patience.next(after, &update.id, now);
            requeue::wait(deps, MessagesPayload::update(update.clone()), until, patience).await?;
            Ok(Delivered::Deferred)
        }
        Outcome::Refused { reason } => {
            record(deps, update, MessageState::Claimed, Some(reason.clone())).await?;
            Err(DeliverError::Refused { channel: endpoint.kind.as_str(), reason })
        }
    }
}

/// Returns the person's account if it was written to the endpoint of the update, which then has a record of it.
async fn company(
    deps: &Deps,
    config: &Config,
    update: &CrmUpdate,
    stored: &Stored,
) -> Result<Option<AccountId>, DeliverError> {
    if config.accounts.crm.as_ref().is_none_or(|crm| crm.endpoint != update.endpoint) {
        return Ok(None);
    }
    let Some(id) = account_of(config, &stored.profile.view()) else { return Ok(None) };
    let account = deps.store.account_in_charge(&id, Consistency::Eventual).await?;
    Ok(account.map(|stored| stored.account).filter(|account| account.written.is_some()).map(|account| account.id))
}

/// Returns the update with what the profile does not know: whether the person wants mails.
async fn complete(deps: &Deps, config: &Config, update: &CrmUpdate, known: &Known) -> Result<CrmUpdate, DeliverError> {
    let mut update = update.clone();
    let people = config.accounts.people.as_ref();
    let name = people.and_then(|crm| crm.fields.get(&PersonField::Unsubscribed));
    if let (Known::Person(stored, _), Some(value)) = (known, name.and_then(|name| update.fields.get_mut(name))) {
        let owners = stored.profile.parts.iter().map(Part::owner).chain([stored.profile.id]);
        *value = is_unsubscribed(deps, &stored.profile.view(), owners).await?.into();
    }
    Ok(update)
}

/// Returns whether the person has unsubscribed from all mails, as the owner of their address or of one of their identities.
async fn is_unsubscribed(
    deps: &Deps,
    view: &State,
    owners: impl Iterator<Item = PersonId>,
) -> Result<bool, DeliverError> {
    let address = view.text_trait(Fact::Email.as_str()).and_then(|address| Address::parse(&address).ok());
    let Some(address) = address else { return Ok(false) };
    let known = deps.store.preferences_with(&address_hash(&address.normalised()), owners).await?;
    Ok(known.suppression.is_some_and(|suppression| suppression.reason == SuppressionReason::Unsubscribe))
}

/// Records what came of the update for good.
async fn finish(
    deps: &Deps,
    update: &CrmUpdate,
    state: MessageState,
    detail: Option<String>,
) -> Result<(), DeliverError> {
    record(deps, update, state, detail).await?;
    Ok(deps.store.note_update_done(update).await?)
}

async fn record(
    deps: &Deps,
    update: &CrmUpdate,
    state: MessageState,
    detail: Option<String>,
) -> Result<(), DeliverError> {
    let outcome = Recorded { detail, ..Recorded::new(state, deps.clock.now()) };
    let first = deps.store.record_update(&update.subject, update.id, &outcome).await;
    // The result should not be lost because of one lost response: recording is idempotent.
    if first.is_err() {
        deps.store.record_update(&update.subject, update.id, &outcome).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "person_update_tests.rs"]
mod person_tests;
