//! Plans what happens to a decision, before anything is claimed.

use crate::brief;
use crate::confirm::{self, Consent};
use crate::deps::Deps;
use crate::error::DeliverError;
use crate::jitter;
use crate::pace::{Asking, Turn};
use crate::requeue::Patience;
use jiff::{SignedDuration, Timestamp};
use perennial_channels::address::Address;
use perennial_channels::endpoint::Message;
use perennial_channels::in_app::InAppMessage;
use perennial_channels::mail::Mail;
use perennial_channels::render::{Context, Rendered};
use perennial_channels::unsubscribe::{Unsubscribe, address_hash};
use perennial_config::Config;
use perennial_config::channels::{Endpoint, UnverifiedMail};
use perennial_config::journeys::Reentry;
use perennial_config::limits::Cap;
use perennial_domain::{AccountId, Channel, Decision, Stage};
use perennial_engine::account::{Account, facts};
use perennial_engine::membership::memberships;
use perennial_engine::{Accounts, Evaluation, Moment, Part, Profile, State, evaluate, quiet_until};
use perennial_lambda_kit::Redacted;
use perennial_store::Consistency;
use perennial_store::mails::{Counted, Counting, Mails};
use perennial_store::pace::Lane;

/// The days in which an address gets a mail for one of its profiles only, where a journey is entered once.
const YEAR_DAYS: u16 = 365;
/// The trait with a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// Over how long the mails of a night are spread that wait for the morning.
const MORNING: SignedDuration = SignedDuration::from_secs(30);

/// A plan.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing is sent; the reason.
    Withhold(&'static str),
    /// The journey's mails do harm, and none is sent until it is resumed; the figures.
    Paused(String),
    /// Its address is not confirmed yet, and the reader is asked by this.
    Confirm(Box<Decision>),
    /// Its address got as many mails as a cap allows, or this one for another profile; which.
    Capped(String),
    /// It waits: for the end of quiet hours, or for its place in the rate or the quota of the mail service.
    Wait {
        /// When it is tried next.
        until: Timestamp,
        /// Its attempts so far.
        patience: Patience,
    },
    /// A mail.
    Mail {
        /// Ready to be sent.
        mail: Mail,
        /// The subject, for the record.
        subject: String,
    },
    /// An in-app message.
    InApp(InAppMessage),
    /// Something for an endpoint of the config.
    Endpoint {
        /// The endpoint.
        endpoint: Box<Endpoint>,
        /// The endpoint's secret.
        secret: Redacted<String>,
        /// The message.
        message: Message,
        /// The subject, for the record.
        subject: String,
    },
}

impl Plan {
    /// Returns whether it may be repeated after a delivery that died in the middle: an in-app message is its record,
    /// and a receiver of webhooks or a CRM recognizes a repetition by its id. A mail or a chat message may have been
    /// sent and is not sent again.
    pub(crate) const fn is_repeatable(&self) -> bool {
        match self {
            Self::Mail { .. } => false,
            Self::Withhold(_)
            | Self::Paused(_)
            | Self::Confirm(_)
            | Self::Capped(_)
            | Self::Wait { .. }
            | Self::InApp(_) => true,
            Self::Endpoint { message, .. } => message.is_repeatable(),
        }
    }
}

/// Reads what the plan needs and makes it.
pub(crate) async fn make(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    patience: Patience,
    now: Timestamp,
) -> Result<Plan, DeliverError> {
    let lane = if config.takes_essential_queue(decision) { Lane::Essential } else { Lane::Bulk };
    let warm_up = config.channels.mail.warm_up.as_ref();
    let asking = Asking { id: decision.id, lane, slot: patience.slot, warm_up, now };
    let is_mail = decision.channel == Channel::Mail;
    let _in_hand = (is_mail && asking.place().is_none()).then(|| deps.pace.enter(lane));
    if is_mail && let Some(plan) = deps.pace.wait(&deps.store, &asking).await?.and_then(|turn| waiting(turn, patience))
    {
        return Ok(plan);
    }
    // A decision may come within moments of the write that made it: an older profile could lack the very trait or stage it is about.
    let Some(stored) = deps.store.follow(decision.person, Consistency::Strong).await? else {
        return Ok(Plan::Withhold("the person is no longer known"));
    };
    let view = stored.profile.view();
    let accounts = memberships(config, &view);
    let account = account(deps, config, decision, accounts.first()).await?;
    let facts = account.as_ref().map(|account| facts(config, account, now));
    let pays_elsewhere = deps.store.pays_elsewhere(config, &accounts, facts.as_ref(), now).await?;
    let around = Accounts { primary: facts.as_ref(), pays_elsewhere };
    let moment = Moment::new(config, now).with_account(around);
    let evaluation = evaluate(&moment, &view);
    let about = About {
        decision,
        profile: &stored.profile,
        view: &view,
        evaluation: &evaluation,
        account: account.as_ref(),
        renews_in_days: facts.as_ref().and_then(|facts| facts.renews_in_days(now)),
        owner: evaluation.owner(config, facts.as_ref()),
        may_call: evaluation.may_call(config),
    };
    if !stage_allows(config, decision, evaluation.stage) {
        return Ok(Plan::Withhold("the stage has changed"));
    }
    // Checked at each attempt, so that a message that waited is not sent at night.
    if let Some(morning) = quiet_until(&moment, &view, decision) {
        let until = morning + jitter::up_to(MORNING, &decision.id, now);
        return Ok(Plan::Wait { until, patience: Patience { slot: None, ..patience } });
    }
    match decision.channel {
        Channel::Mail => mail(deps, config, &about, &asking, patience).await,
        Channel::InApp => {
            let context = context(&about);
            let rendered = render(deps, config, decision, &context)?;
            Ok(Plan::InApp(InAppMessage::of(&rendered)))
        }
        Channel::Webhook => endpoint(deps, config, &about, now).await,
    }
}

/// The profile of the decision.
struct About<'a> {
    decision: &'a Decision,
    profile: &'a Profile,
    view: &'a State,
    evaluation: &'a Evaluation,
    account: Option<&'a Account>,
    renews_in_days: Option<i64>,
    owner: Option<&'a str>,
    may_call: bool,
}

/// Returns whether a person in `stage` may still get the journey's messages. A journey that this configuration does not
/// contain, which may be newer or older than the decision's, has no restriction.
fn stage_allows(config: &Config, decision: &Decision, stage: Stage) -> bool {
    config.journeys.named(&decision.journey).is_none_or(|journey| journey.is_for(stage))
}

async fn mail(
    deps: &Deps,
    config: &Config,
    about: &About<'_>,
    asking: &Asking<'_>,
    patience: Patience,
) -> Result<Plan, DeliverError> {
    let (decision, view, now) = (about.decision, about.view, asking.now);
    let Some(address) = view.text_trait(ADDRESS_TRAIT) else {
        // A mail is decided where an address is known: it was removed since.
        let is_removed = view.is_removed_trait(ADDRESS_TRAIT);
        return Ok(Plan::Withhold(if is_removed {
            "the mail address was removed"
        } else {
            "no mail address is known"
        }));
    };
    let is_unverified = view.is_unverified_trait(ADDRESS_TRAIT);
    if config.channels.mail.unverified_mail == UnverifiedMail::Never && is_unverified {
        return Ok(Plan::Withhold("only a public source named the mail address"));
    }
    let Ok(address) = Address::parse(&address) else {
        return Ok(Plan::Withhold("the mail address cannot be written to"));
    };
    let address_hash = address_hash(&address.normalised());
    let topic = config.topic_of(&decision.template);
    let owners = about.profile.parts.iter().map(Part::owner).chain([decision.person]);
    let known = deps.store.preferences_with(&address_hash, owners).await?;
    if let Some(withheld) = known.withholds(topic, now) {
        return Ok(Plan::Withhold(withheld.as_str()));
    }
    match confirm::consent(config, decision, about.profile, (&address_hash, is_unverified), &known, now) {
        Consent::Given => {}
        Consent::Withheld(why) => return Ok(Plan::Withhold(why)),
        Consent::Ask(confirmation) => return Ok(Plan::Confirm(confirmation)),
    }
    // A pause does not stop essential mails such as receipts: other mails of the journey caused it.
    if !topic.is_some_and(|topic| topic.essential)
        && let Some(why) = deps.pauses.why(&deps.store, &decision.journey, &config.channels.pause, now).await?
    {
        return Ok(Plan::Paused(why));
    }
    // One click unsubscribes from this mail's topic; if it has none that can be unsubscribed from, from all that can.
    let topic = topic.filter(|topic| !topic.essential).map(|topic| topic.id.clone());
    let request = Unsubscribe { person: decision.person, address: address_hash, topic };
    let url = deps.unsubscribe_url(&request);
    let mut context = context(about).with_unsubscribe_url(&url);
    if confirm::asks(decision) {
        context = context.with_confirm_url(&confirm::url(deps, decision, address_hash));
    }
    let rendered = render(deps, config, decision, &context)?;
    let workbench = deps.workbench(config);
    let mail = Mail::compose(workbench.letterhead()?, &address, &rendered, decision, &url, now)
        .map_err(DeliverError::Compose)?;
    if let Some(plan) = waiting(deps.pace.turn(&deps.store, asking).await?, patience) {
        return Ok(plan);
    }
    if let Some(why) = over_cap(deps, config, decision, &address_hash, &known.mails).await? {
        return Ok(Plan::Capped(why));
    }
    Ok(Plan::Mail { mail, subject: rendered.subject })
}

/// The plan of a mail whose turn has not come.
fn waiting(turn: Turn, patience: Patience) -> Option<Plan> {
    let (until, slot) = match turn {
        Turn::Now => return None,
        Turn::At(slot) => (slot.at, Some(slot)),
        Turn::Later(until) => (until, None),
    };
    Some(Plan::Wait { until, patience: Patience { slot, ..patience } })
}

/// Returns why the mail's address gets no more mails, or not this one. The engine limits by profile; this also covers an
/// address that several profiles share. The mail is counted before it is claimed, and once however often this is called.
async fn over_cap(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    address: &[u8; 32],
    known: &Mails,
) -> Result<Option<String>, DeliverError> {
    let journey = config.journeys.named(&decision.journey);
    let asking = confirm::asks(decision).then(|| confirm::caps(config));
    let caps = asking.as_deref().unwrap_or(&config.limits.caps);
    if asking.is_none() && config.is_essential(journey, &decision.template) {
        return Ok(None);
    }
    let same_within_days = journey.map_or(0, |journey| same_within_days(journey.reentry));
    let counting = Counting { decision, caps, same_within_days };
    Ok(match deps.store.count_mail(address, known, counting).await? {
        Counted::Within => None,
        Counted::Over(Cap { messages, within_days, .. }) => {
            Some(format!("the address got {messages} mails within {within_days} days, over all profiles"))
        }
        Counted::Same => Some("the address got this mail already, for another profile".to_owned()),
    })
}

/// Returns the days in which an address gets a mail of a journey for one of its profiles only: as long as one profile would
/// not enter the journey again.
fn same_within_days(reentry: Reentry) -> u16 {
    match reentry {
        Reentry::Once => YEAR_DAYS,
        Reentry::AfterDays(days) => days.max(1),
        Reentry::Always => 1,
    }
}

async fn endpoint(deps: &Deps, config: &Config, about: &About<'_>, now: Timestamp) -> Result<Plan, DeliverError> {
    let decision = about.decision;
    let name = decision.endpoint.as_deref().unwrap_or_default();
    let endpoint = config.channels.webhook.get(name).ok_or_else(|| DeliverError::NoEndpoint(name.to_owned()))?;
    let secret = deps.secrets.get(&endpoint.secret, now).await?;
    let context = context(about);
    let rendered = render(deps, config, decision, &context)?;
    let brief =
        brief::of(deps, config, decision, (about.profile, about.evaluation), (about.owner, about.may_call)).await?;
    let identities: Vec<_> = about.profile.parts.iter().map(|part| &part.identity).collect();
    let about = perennial_channels::endpoint::About {
        decision,
        person: about.profile.id,
        identities: &identities,
        context: &context,
        evaluation: about.evaluation,
        brief: &brief,
    };
    let message = Message::about_person(&endpoint.kind, &about, &rendered);
    Ok(Plan::Endpoint { endpoint: Box::new(endpoint.clone()), secret, message, subject: rendered.subject })
}

/// Returns the person's account, loaded only if a condition or the template needs it, or if the message may be a task,
/// which goes to its owner.
async fn account(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    primary: Option<&AccountId>,
) -> Result<Option<Account>, DeliverError> {
    let asks = config.asks_account() || deps.workbench(config).asks_for_account(&decision.template);
    let asks = asks || decision.channel == Channel::Webhook;
    let Some(id) = primary.filter(|_| asks) else { return Ok(None) };
    Ok(deps.store.account_in_charge(id, Consistency::Strong).await?.map(|stored| stored.account))
}

/// Returns the template's context.
fn context(about: &About<'_>) -> Context {
    let context = Context::of(about.decision, about.view, about.evaluation.stage, about.account, about.owner);
    let context = context.with_may_call(about.may_call);
    context.with_renewal(about.renews_in_days).with_profile(about.decision, about.profile)
}

fn render(deps: &Deps, config: &Config, decision: &Decision, context: &Context) -> Result<Rendered, DeliverError> {
    Ok(deps.workbench(config).render(&decision.template, context)?)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
