//! What is to become of a decision, decided before anything is claimed.

use crate::deps::Deps;
use crate::error::DeliverError;
use jiff::Timestamp;
use perennial_channels::address::Address;
use perennial_channels::in_app::InAppMessage;
use perennial_channels::mail::Mail;
use perennial_channels::render::{Context, Rendered};
use perennial_channels::unsubscribe::{Unsubscribe, address_hash};
use perennial_channels::webhook;
use perennial_config::Config;
use perennial_config::channels::Endpoint;
use perennial_domain::{Channel, Decision, Stage};
use perennial_engine::{Evaluation, Moment, Profile, State, evaluate};
use perennial_lambda_kit::Redacted;
use perennial_store::Consistency;
use perennial_store::suppressions::Reason;

/// The trait that holds a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Plan {
    /// Nothing goes out; why.
    Withhold(&'static str),
    /// A mail.
    Mail {
        /// Ready to be sent.
        mail: Mail,
        /// For the record.
        subject: String,
    },
    /// An in-app message.
    InApp(InAppMessage),
    /// A webhook.
    Webhook {
        /// Where to.
        endpoint: Endpoint,
        /// Signs it.
        secret: Redacted<String>,
        /// What it says.
        body: String,
        /// For the record.
        subject: String,
    },
}

/// Reads what the plan needs and makes it.
pub(crate) async fn make(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    now: Timestamp,
) -> Result<Plan, DeliverError> {
    // A decision may come within moments of the write that made it: an older profile could lack the very trait or stage it is about.
    let Some(stored) = deps.store.follow(decision.person, Consistency::Strong).await? else {
        return Ok(Plan::Withhold("the person is no longer known"));
    };
    let view = stored.profile.view();
    let evaluation = evaluate(&Moment::new(config, now), &view);
    if !stage_allows(config, decision, evaluation.stage) {
        return Ok(Plan::Withhold("the stage has changed"));
    }
    match decision.channel {
        Channel::Mail => mail(deps, config, decision, &view, &evaluation, now).await,
        Channel::InApp => {
            let context = context(deps, config, decision, &view, &evaluation).await?;
            let rendered = render(deps, config, decision, &context)?;
            Ok(Plan::InApp(InAppMessage::of(&rendered)))
        }
        Channel::Webhook => webhook(deps, config, decision, &stored.profile, &view, &evaluation).await,
    }
}

/// Whether someone who stands at `stage` may still get the journey's messages. A journey that this config does not know, which may be newer or
/// older than the decision's, has no gate.
fn stage_allows(config: &Config, decision: &Decision, stage: Stage) -> bool {
    let journey = config.journeys.all.iter().find(|journey| journey.id == decision.journey);
    journey.is_none_or(|journey| journey.stages.is_empty() || journey.stages.contains(&stage))
}

async fn mail(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    view: &State,
    evaluation: &Evaluation,
    now: Timestamp,
) -> Result<Plan, DeliverError> {
    let Some(address) = view.text_trait(ADDRESS_TRAIT) else { return Ok(Plan::Withhold("no mail address is known")) };
    let Ok(address) = Address::parse(&address) else {
        return Ok(Plan::Withhold("the mail address cannot be written to"));
    };
    let normalised = address.normalised();
    if let Some(suppression) = deps.store.suppression(&normalised).await? {
        return Ok(Plan::Withhold(match suppression.reason {
            Reason::Unsubscribe => "unsubscribed",
            Reason::Bounce => "the address bounced before",
            Reason::Complaint => "the reader complained before",
        }));
    }
    let request = Unsubscribe { person: decision.person, address: address_hash(&normalised), topic: None };
    let url = format!("{}/u/{}", deps.public_url, deps.keys.sign(&request));
    let context = context(deps, config, decision, view, evaluation).await?.with_unsubscribe_url(&url);
    let rendered = render(deps, config, decision, &context)?;
    let workbench = deps.workbench(config);
    let mail = Mail::compose(workbench.letterhead()?, &address, &rendered, decision, &url, now)
        .map_err(DeliverError::Compose)?;
    Ok(Plan::Mail { mail, subject: rendered.subject })
}

async fn webhook(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    profile: &Profile,
    view: &State,
    evaluation: &Evaluation,
) -> Result<Plan, DeliverError> {
    let name = decision.endpoint.as_deref().unwrap_or_default();
    let endpoint = config.channels.webhook.get(name).ok_or_else(|| DeliverError::NoEndpoint(name.to_owned()))?;
    let secret = deps.secret(&endpoint.secret_env)?;
    let context = context(deps, config, decision, view, evaluation).await?;
    let rendered = render(deps, config, decision, &context)?;
    let identities: Vec<_> = profile.parts.iter().map(|part| &part.identity).collect();
    let body = webhook::payload(decision, &identities, &context, evaluation, &rendered);
    Ok(Plan::Webhook { endpoint: endpoint.clone(), secret, body, subject: rendered.subject })
}

/// What the template can name; the account is read only where it asks for it.
async fn context(
    deps: &Deps,
    config: &Config,
    decision: &Decision,
    view: &State,
    evaluation: &Evaluation,
) -> Result<Context, DeliverError> {
    let context = Context::new(decision, view, evaluation.stage);
    let asks = deps.workbench(config).renderer.asks_for_account(&decision.template);
    let Some(id) = view.account_id().filter(|_| asks) else { return Ok(context) };
    let account = deps.store.account_in_charge(&id, Consistency::Strong).await?;
    let traits = account.into_iter().flat_map(|stored| stored.account.traits).map(|(name, held)| (name, held.value));
    Ok(context.with_account_traits(traits.collect()))
}

fn render(deps: &Deps, config: &Config, decision: &Decision, context: &Context) -> Result<Rendered, DeliverError> {
    Ok(deps.workbench(config).renderer.render(&decision.template, context)?)
}
