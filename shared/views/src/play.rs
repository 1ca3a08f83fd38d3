//! Plays a journey for one person on a virtual clock, with every message rendered.
//! Nothing is written or sent.

mod answer;
mod people;
mod render;
mod request;

pub use answer::{Answer, Fate, InvitationView, Kind, MessageView, StepView, Who};
pub use request::{EventRequest, Request, SampleRequest, WrongRequest};

use crate::{ViewError, Views};
use jiff::Timestamp;
use people::{Player, sample};
use perennial_config::journeys::Journey;
use perennial_config::{Config, ConfigErrors};
use perennial_domain::InvalidId;
use perennial_engine::play::{NoSample, Play, PlayError, PlayedStep, What, words};
use perennial_engine::taken::Taken;
use perennial_engine::{Moment, evaluate, time_zone};
use perennial_store::{Store, StoreError};
use render::{Known, Rendering};
use std::sync::Arc;

/// The reason why nothing was played.
#[derive(Debug, thiserror::Error)]
pub enum NotPlayed {
    /// There is no such journey.
    #[error("there is no journey `{name}`; there are {known}")]
    NoJourney {
        /// The requested name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// Nobody is known by that.
    #[error(
        "no person has this person id, user id, anonymous id, id in another system (such as stripe:cus_5) or mail address; leave it out to make someone up"
    )]
    NoPerson,
    /// The request is invalid.
    #[error(transparent)]
    Request(#[from] WrongRequest),
    /// The user id of the invented person.
    #[error(transparent)]
    Id(#[from] InvalidId),
    /// No such person can exist.
    #[error(transparent)]
    Sample(#[from] NoSample),
    /// It has no end, or no beginning.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The config that came along.
    #[error("the config has errors:\n{0}")]
    Config(#[from] ConfigErrors),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NotPlayed> for ViewError {
    fn from(error: NotPlayed) -> Self {
        match error {
            NotPlayed::Store(error) => Self::Store(error),
            NotPlayed::NoJourney { .. } | NotPlayed::NoPerson => Self::Unknown(error.to_string()),
            _ => Self::Invalid(error.to_string()),
        }
    }
}

/// Returns what would happen.
///
/// # Errors
/// [`NotPlayed`] for a journey, a person or a request that cannot be, or if the table fails.
pub async fn test(views: &Views, journey: &str, request: &Request) -> Result<Answer, ViewError> {
    let now = views.clock.now();
    let config = match &request.config {
        Some(bundle) => Arc::new(Config::load(bundle).map_err(NotPlayed::from)?),
        None => views.config.in_force().await?,
    };
    let found = find(&config, journey)?;
    let player = match &request.person {
        Some(identity) => Player::known(&views.store, &config, identity, now).await?,
        None => sample(&config, found, request, now)?,
    };
    Ok(play(&config, found, request, player, Some(&views.store), now).await?)
}

/// Plays `journey` of `config` for an invented person, without any system: nothing is looked up. The `person` and the
/// `config` of the request are ignored.
///
/// # Errors
/// [`NotPlayed`] if there is no such journey, or the request is invalid.
pub async fn play_alone(
    config: &Config,
    journey: &str,
    request: &Request,
    now: Timestamp,
) -> Result<Answer, NotPlayed> {
    let found = find(config, journey)?;
    let player = sample(config, found, request, now)?;
    play(config, found, request, player, None, now).await
}

fn find<'c>(config: &'c Config, name: &str) -> Result<&'c Journey, NotPlayed> {
    config.journeys.named(name).ok_or_else(|| {
        let known: Vec<&str> = config.journeys.all.iter().map(|journey| journey.id.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        NotPlayed::NoJourney { name: name.to_owned(), known }
    })
}

async fn play(
    config: &Config,
    journey: &Journey,
    request: &Request,
    mut player: Player,
    store: Option<&Store>,
    now: Timestamp,
) -> Result<Answer, NotPlayed> {
    let view = player.profile.view();
    let zone = time_zone(config, &view);
    let times = request.times(&zone, now)?;
    if request.anew {
        player.forget(journey);
    }
    let moment = Moment::new(config, times.from).with_account(player.accounts());
    let play = Play {
        config,
        accounts: player.accounts(),
        journey,
        properties: request.properties.clone(),
        supposed: times.supposed,
        // An invented person exists from the start of the play.
        now: if player.sample { times.from } else { now },
        from: times.from,
        until: times.until,
    };
    let who = Who {
        id: player.profile.id,
        name: player.name.clone(),
        sample: player.sample,
        stage: evaluate(&moment, &view).stage,
        time_zone: perennial_domain::hygiene::zone::name_of(&zone),
    };
    let played = play.run(player.profile.clone())?;
    let known = match store {
        Some(store) => Known::look_up(store, &played.steps).await?,
        None => Known::default(),
    };
    let rendering = Rendering::new(config, &player, &known);
    // Being kept out of other journeys is not relevant to this one.
    let told = |step: &&PlayedStep| match &step.what {
        What::Took(taken) => taken.journey == journey.id || !matches!(taken.what, Taken::Refused(_)),
        _ => true,
    };
    let step = |step: &PlayedStep| {
        let (of, id) = match &step.what {
            What::Supposed(_) => (None, None),
            What::Took(taken) | What::Message(taken, _) => (Some(taken.journey.clone()), taken.step.clone()),
        };
        StepView {
            at: step.at,
            stage: step.stage,
            journey: of,
            step: id,
            what: kind(&step.what),
            told: words::step(config, step, &zone),
            message: match &step.what {
                What::Message(_, message) => Some(rendering.of(message)),
                _ => None,
            },
        }
    };
    let steps: Vec<StepView> = played.steps.iter().filter(told).map(step).collect();
    let is_entry = |step: &StepView| step.what == Kind::Entered && step.journey.as_ref() == Some(&journey.id);
    Ok(Answer {
        journey: journey.id.clone(),
        trigger: words::trigger(config, journey),
        config: config.version.clone(),
        person: who,
        from: times.from,
        until: times.until,
        entered: steps.iter().any(is_entry),
        why_not: played.refusal.as_ref().map(ToString::to_string),
        refusal: played.refusal,
        under_way: played.profile.facts().runs.contains_key(&journey.key),
        steps,
    })
}

fn kind(what: &What) -> Kind {
    match what {
        What::Supposed(_) => Kind::Supposed,
        What::Message(..) => Kind::Message,
        What::Took(taken) => match &taken.what {
            Taken::Entered { .. } => Kind::Entered,
            Taken::Refused(_) => Kind::Refused,
            Taken::Decided { .. } => Kind::Message,
            Taken::PutOff { .. } | Taken::Held { .. } => Kind::PutOff,
            Taken::Queued { .. } => Kind::Queued,
            Taken::Waits { .. } => Kind::Waits,
            Taken::Happened { .. } => Kind::Happened,
            Taken::Branched { .. } => Kind::Branched,
            Taken::Split { .. } => Kind::Split,
            Taken::Counted { .. } => Kind::Counted,
            Taken::Wrote { .. } => Kind::Wrote,
            Taken::Skipped => Kind::Skipped,
            Taken::Reached => Kind::Reached,
            Taken::Left(_) => Kind::Left,
            Taken::Ended => Kind::Ended,
        },
    }
}
