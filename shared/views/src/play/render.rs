//! Messages as they would go out, by the very code that sends them.

use super::answer::{Fate, InvitationView, MessageView};
use super::people::Player;
use perennial_channels::address::Address;
use perennial_channels::in_app::InAppMessage;
use perennial_channels::mail::Bodies;
use perennial_channels::render::{Context, Noting};
use perennial_channels::unsubscribe::address_hash;
use perennial_config::Config;
use perennial_domain::{Channel, Withheld};
use perennial_engine::Part;
use perennial_engine::play::{PlayedMessage, PlayedStep, What, words};
use perennial_store::preferences::Preferences;
use perennial_store::{Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// The trait with a person's mail address.
const ADDRESS_TRAIT: &str = "email";
/// Replaces the reader's own link, which would work.
const UNSUBSCRIBE_URL: &str = "https://perennial.example/u/the-link-of-this-reader";

/// Why a mail of a journey that is paused does not go out.
const PAUSED: &str = "the journey is paused: too many of its mails bounced or caused complaints";

/// The state of the mail addresses, and of the mails' journeys.
#[derive(Debug, Default)]
pub(super) struct Known {
    addresses: BTreeMap<[u8; 32], Preferences>,
    paused: BTreeSet<String>,
}

impl Known {
    /// Looks up each address once, a read unit each, and the paused journeys.
    pub(super) async fn look_up(store: &Store, steps: &[PlayedStep]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        for step in steps {
            let What::Message(_, message) = &step.what else { continue };
            if message.decision.channel != Channel::Mail {
                continue;
            }
            let Ok(address) = address(message) else { continue };
            let hash = address_hash(&address.normalised());
            if let std::collections::btree_map::Entry::Vacant(entry) = known.addresses.entry(hash) {
                let owners = message.profile.parts.iter().map(Part::owner);
                entry.insert(store.preferences_with(&hash, owners).await?);
            }
        }
        if !known.addresses.is_empty() {
            known.paused = store.paused_journeys().await?.into_iter().map(|paused| paused.journey).collect();
        }
        Ok(known)
    }
}

/// Returns the address of a mail, or why there is none, as `deliver` records it. An empty value is absent, not invalid.
fn address(message: &PlayedMessage) -> Result<Address, &'static str> {
    let address = message.profile.view().text_trait(ADDRESS_TRAIT).filter(|address| !address.trim().is_empty());
    let address = address.ok_or("no mail address is known")?;
    Address::parse(&address).map_err(|_| "the mail address cannot be written to")
}

/// Renders messages.
pub(super) struct Rendering<'a> {
    config: &'a Config,
    player: &'a Player,
    known: &'a Known,
    renderer: Noting,
}

impl<'a> Rendering<'a> {
    pub(super) fn new(config: &'a Config, player: &'a Player, known: &'a Known) -> Self {
        Self { config, player, known, renderer: Noting::new(&config.templates) }
    }

    /// The message, and what would become of it.
    pub(super) fn of(&self, message: &PlayedMessage) -> MessageView {
        let decision = &message.decision;
        let mut view = MessageView {
            channel: decision.channel,
            template: decision.template.clone(),
            endpoint: decision.endpoint.clone(),
            variant: decision.variant.clone(),
            fate: Fate::Sent,
            why: None,
            empty: Vec::new(),
            to: None,
            subject: None,
            text: None,
            html: None,
            link: None,
            invitation: None,
        };
        if decision.channel == Channel::Mail {
            match address(message) {
                Ok(address) => {
                    let known = self.known.addresses.get(&address_hash(&address.normalised()));
                    let topic = self.config.topic_of(&decision.template);
                    let essential = topic.is_some_and(|topic| topic.essential);
                    if let Some(why) = known.and_then(|known| known.withholds(topic, decision.decided_at)) {
                        view.keep_back(Fate::Suppressed, why.as_str());
                    } else if !essential && self.known.paused.contains(&decision.journey) {
                        view.keep_back(Fate::Suppressed, PAUSED);
                    }
                    view.to = Some(address.as_str().to_owned());
                }
                // Not on purpose: the message would be lost.
                Err(why) => view.keep_back(Fate::Failed, why),
            }
        }
        match decision.withheld {
            Some(Withheld::Capped) => view.keep_back(Fate::Capped, words::why_withheld(Withheld::Capped)),
            Some(Withheld::HeldOut) => view.keep_back(Fate::HeldOut, words::why_withheld(Withheld::HeldOut)),
            Some(why @ (Withheld::Expired | Withheld::Displaced)) => {
                view.keep_back(Fate::Dropped, words::why_withheld(why));
            }
            None => {}
        }
        self.render(message, &mut view);
        view
    }

    fn render(&self, message: &PlayedMessage, view: &mut MessageView) {
        let (decision, account) = (&message.decision, self.player.account.as_ref());
        let facts = self.player.facts.as_ref();
        let owner = message.evaluation.owner(self.config, facts);
        let context = Context::of(decision, &message.profile.view(), message.evaluation.stage, account, owner)
            .with_may_call(message.evaluation.may_call(self.config))
            .with_renewal(facts.and_then(|facts| facts.renews_in_days(decision.decided_at)));
        let context = context.with_profile(decision, &message.profile).with_unsubscribe_url(UNSUBSCRIBE_URL);
        let (rendered, empty) = self.renderer.render(&decision.template, &context);
        view.empty = empty;
        let rendered = match rendered {
            Ok(rendered) => rendered,
            // A message that is withheld for another reason is never rendered.
            Err(error) if view.fate == Fate::Sent => return view.keep_back(Fate::Failed, &error.to_string()),
            Err(_) => return,
        };
        view.subject = Some(rendered.subject.clone());
        match decision.channel {
            Channel::Mail => {
                let bodies = Bodies::of(&rendered, UNSUBSCRIBE_URL);
                (view.text, view.html) = (Some(bodies.plain), Some(bodies.html));
                view.invitation = rendered.invitation.map(|invitation| InvitationView {
                    title: invitation.title,
                    start: invitation.start,
                    end: invitation.end,
                    location: invitation.location,
                });
            }
            Channel::InApp => {
                let shown = InAppMessage::of(&rendered);
                (view.subject, view.text, view.link) = (Some(shown.title), Some(shown.body), shown.link);
            }
            Channel::Webhook => (view.text, view.link) = (Some(rendered.text), rendered.link),
        }
    }
}

impl MessageView {
    /// Withholds it. A later reason replaces an earlier one, since it would apply first.
    fn keep_back(&mut self, fate: Fate, why: &str) {
        self.fate = fate;
        self.why = Some(why.to_owned());
    }
}
