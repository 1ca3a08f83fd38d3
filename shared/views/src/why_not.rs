//! Why a journey did not reach a person: the rules of the engine, and what only the table knows: consent, and pauses.

use crate::person::Found;
use crate::{ViewError, Views};
use perennial_channels::address::Address;
use perennial_channels::unsubscribe::address_hash;
use perennial_config::Config;
use perennial_config::journeys::Journey;
use perennial_domain::Channel;
use perennial_engine::Part;
use perennial_engine::explain::why_not::{Check, Outcome, Rule, WhyNot, why_not};
use perennial_store::StoreError;

/// The trait with a person's mail address.
const ADDRESS_TRAIT: &str = "email";

/// Returns every rule of the journey for a person who was found, with the values now. Costs a read of the address's
/// preferences, and of the paused journeys.
///
/// # Errors
/// [`ViewError::Unknown`] if there is no such journey, or if the table fails.
pub async fn view(views: &Views, found: &Found, journey: &str) -> Result<WhyNot, ViewError> {
    let journey = named(&found.config, journey)?;
    let checks = mail_checks(views, found, journey).await?;
    Ok(why_not(&found.moment(), &found.profile, journey).with(checks))
}

fn named<'c>(config: &'c Config, name: &str) -> Result<&'c Journey, ViewError> {
    config.journeys.named(name).ok_or_else(|| {
        let known: Vec<&str> = config.journeys.all.iter().map(|journey| journey.id.as_str()).collect();
        ViewError::Unknown(format!("there is no journey `{name}`; there are {}", known.join(", ")))
    })
}

/// Returns whether its mails can be sent to the person; nothing for a journey without mails.
async fn mail_checks(views: &Views, found: &Found, journey: &Journey) -> Result<Vec<Check>, StoreError> {
    let Some(mail) = journey.messages().find(|message| message.channel == Channel::Mail) else { return Ok(Vec::new()) };
    let mut checks = vec![consent(views, found, &mail.template).await?];
    let topic = found.config.topic_of(&mail.template);
    let is_essential = journey.essential || topic.is_some_and(|topic| topic.essential);
    if !is_essential {
        let paused = views.store.paused_journeys().await?;
        let paused = paused.iter().find(|paused| paused.journey == journey.id);
        checks.push(match paused {
            Some(paused) => {
                let told = format!(
                    "its mails are paused since {:.0}: too many bounced or were reported as spam",
                    paused.since
                );
                Check::new(Rule::Pause, Outcome::Blocks, told)
            }
            None => Check::new(Rule::Pause, Outcome::Passes, "its mails are not paused"),
        });
    }
    Ok(checks)
}

async fn consent(views: &Views, found: &Found, template: &str) -> Result<Check, StoreError> {
    let check = |outcome, told: &str| Check::new(Rule::Consent, outcome, told);
    let address = found.state.text_trait(ADDRESS_TRAIT).filter(|address| !address.trim().is_empty());
    let Some(address) = address else {
        return Ok(check(Outcome::Waits, "no mail address of theirs is known: a mail waits for one"));
    };
    let Ok(address) = Address::parse(&address) else {
        return Ok(check(Outcome::Blocks, "their mail address cannot be written to"));
    };
    let hash = address_hash(&address.normalised());
    let known = views.store.preferences_with(&hash, found.profile.parts.iter().map(Part::owner)).await?;
    Ok(match known.withholds(found.config.topic_of(template), found.now) {
        Some(why) => check(Outcome::Blocks, &format!("mails to their address are withheld: {}", why.as_str())),
        None => check(Outcome::Passes, "mails to their address are wanted, as far as is known"),
    })
}
