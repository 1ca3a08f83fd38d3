//! The whole config, checked and compiled.

use crate::accounts::{self, Accounts, PeopleCrm, PersonField, SUBSCRIPTION_EVENTS};
use crate::billing::Billing;
use crate::bundle::Bundle;
use crate::cel::Program;
use crate::channels::{CONFIRMATION, Channels, Template, UnverifiedMail};
use crate::deployment::{self, Deployment};
use crate::error::{ConfigError, ConfigErrors, Reporter};
use crate::features::Features;
use crate::history::History;
use crate::identity::Identities;
use crate::imports::{self, Import};
use crate::journeys::{self, Does, Journey, Journeys};
use crate::lifecycle::{Lifecycle, Milestone};
use crate::limits::{self, Limits};
use crate::personas::Personas;
use crate::schedules::{self, Schedule};
use crate::scoring::{self, Scoring};
use crate::segments::Segments;
use crate::sources::{self, Pages, Source};
use crate::spelling::nearest;
use crate::topics::{self, Topic};
use crate::vocabulary::{AccountField, Level, PersonSlot, PersonVocabulary};
use jiff::{SignedDuration, Timestamp};
use perennial_domain::{Channel, ConfigVersion, Decision, Event, EventKind, scalar};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The trait of a `group` call that ends the person's membership of the account.
pub const LEFT_TRAIT: &str = "left";

/// The compiled configuration of all functions and the engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Config {
    /// The files that it was made from.
    pub version: ConfigVersion,
    /// Since when it is the active configuration, which tells it from those before and after; `None` if it was loaded from files alone.
    #[serde(skip)]
    pub active_since: Option<Timestamp>,
    /// The sources of events.
    pub sources: Vec<Source>,
    /// The pages that stand for an event.
    pub pages: Pages,
    /// How files are imported.
    pub imports: Vec<Import>,
    /// The identity rules.
    pub identity: Identities,
    /// The product's features.
    pub features: Features,
    /// The personas.
    pub personas: Personas,
    /// Points, signals and tallies.
    pub scoring: Scoring,
    /// The life-cycle stages.
    pub lifecycle: Lifecycle,
    /// Subscription and payment events.
    pub billing: Billing,
    /// Accounts and their scores.
    pub accounts: Accounts,
    /// Groups of people by condition.
    pub segments: Segments,
    /// The journeys.
    pub journeys: Journeys,
    /// Caps, quiet hours and holdouts.
    pub limits: Limits,
    /// The history that all of these need.
    pub history: History,
    /// The channels.
    pub channels: Channels,
    /// The message templates, by name.
    pub templates: BTreeMap<String, Template>,
    /// The schedules.
    pub schedules: Vec<Schedule>,
    /// The resources of queues and functions.
    pub deployment: Deployment,
}

/// Returns the error in the mail that asks readers to confirm their addresses; `None` if it is valid.
fn no_confirmation(templates: &BTreeMap<String, Template>) -> Option<String> {
    let file = format!("templates/{CONFIRMATION}.toml");
    let Some(template) = templates.get(CONFIRMATION) else {
        return Some(format!(
            "mail.unverified_mail = \"confirm\" needs the mail that asks for it: {file}, with `{{{{ confirm_url }}}}` in its text"
        ));
    };
    let has_link = |text: &String| text.contains("confirm_url");
    let html = template.html.as_ref().or(template.mjml.as_ref());
    let is_whole = has_link(&template.text) && html.is_none_or(has_link);
    (!is_whole).then(|| {
        format!("mail.unverified_mail = \"confirm\": each part of {file} needs the link `{{{{ confirm_url }}}}`")
    })
}

impl Config {
    /// Checks and compiles `bundle`.
    ///
    /// # Errors
    /// Every error of every file, in the order of the files' names.
    pub fn load(bundle: &Bundle) -> Result<Self, ConfigErrors> {
        let (config, errors) = Self::load_all(bundle);
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }

    /// Compiles the valid parts of `bundle` and returns them with every error: invalid parts are missing, or replaced
    /// with placeholders.
    pub(crate) fn load_all(bundle: &Bundle) -> (Self, Vec<ConfigError>) {
        let mut errors = Vec::new();
        for name in bundle.files.keys() {
            if !KNOWN.contains(&name.as_str()) && template_name(name).is_none() && journeys::retired(name).is_none() {
                let near = nearest(name, KNOWN).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                let allowed = KNOWN.join(", ");
                let message = format!("no config file has this name{near} Allowed: {allowed} and templates/NAME.toml");
                errors.push(ConfigError { file: name.clone(), line: 0, column: 0, message });
            }
        }
        let mut templates = BTreeMap::new();
        for (file, text) in &bundle.files {
            if let Some(name) = template_name(file)
                && let Some(template) = Template::load(&mut Reporter::new(file, text, &mut errors))
            {
                templates.insert(name.to_owned(), template);
            }
        }
        let (sources, pages) = with(bundle, "sources.toml", &mut errors, sources::load);
        let imports = optional(bundle, "imports.toml", &mut errors, imports::load);
        // A folder without it has the documented defaults.
        let identity = bundle.files.get("identity.toml").map_or_else(Identities::default, |text| {
            Identities::load(&mut Reporter::new("identity.toml", text, &mut errors))
        });
        let mut history = History::default();
        let features = optional(bundle, "features.toml", &mut errors, |report| Features::load(report, &mut history));
        // Personas are compiled first, but may refer to tallies of scoring.toml.
        let tallies = bundle.files.get("scoring.toml").map(|text| scoring::tally_names(text)).unwrap_or_default();
        let vocabulary = PersonVocabulary {
            level: Level::Persona,
            features: &features,
            tallies: &tallies,
            titles: &[],
            personas: &[],
            segments: &[],
        };
        let personas =
            optional(bundle, "personas.toml", &mut errors, |report| Personas::load(report, &vocabulary, &mut history));
        let (title_names, persona_names) = (personas.titles.names(), personas.names());
        let scoring = with(bundle, "scoring.toml", &mut errors, |report| {
            scoring::load(report, &features, &title_names, &persona_names, &mut history)
        });
        let vocabulary =
            PersonVocabulary { level: Level::Segment, titles: &title_names, personas: &persona_names, ..vocabulary };
        let segments =
            optional(bundle, "segments.toml", &mut errors, |report| Segments::load(report, vocabulary, &mut history));
        let segment_names = segments.names();
        let lifecycle = with(bundle, "lifecycle.toml", &mut errors, Lifecycle::load);
        let billing = bundle
            .files
            .get("billing.toml")
            .map_or_else(Billing::default, |text| Billing::load(&mut Reporter::new("billing.toml", text, &mut errors)));
        let deployment = optional(bundle, "deployment.toml", &mut errors, deployment::load);
        let channels = with(bundle, "channels.toml", &mut errors, |report| Channels::load(report, &deployment));
        for (file, text) in bundle.files.iter().filter(|(file, _)| template_name(file).is_some()) {
            topics::check_template(&mut Reporter::new(file, text, &mut errors), &channels.topics);
        }
        let schedules = with(bundle, "schedules.toml", &mut errors, schedules::load);
        let names: Vec<&str> = templates.keys().map(String::as_str).collect();
        let endpoints: Vec<&str> = channels.webhook.keys().map(String::as_str).collect();
        let limits = optional(bundle, "limits.toml", &mut errors, limits::load);
        let vocabulary = PersonVocabulary { level: Level::Journey, segments: &segment_names, ..vocabulary };
        // Without the file, accounts have their defaults.
        let accounts = bundle.files.get("accounts.toml").map_or_else(Accounts::default, |text| {
            let report = &mut Reporter::new("accounts.toml", text, &mut errors);
            Accounts::load(report, &channels.webhook, &vocabulary, &mut history)
        });
        let max_age_days = limits.max_age_days;
        let names =
            journeys::Names { templates: &names, endpoints: &endpoints, segments: &segments, vocabulary, max_age_days };
        let mut journeys =
            with(bundle, "journeys.toml", &mut errors, |report| Journeys::load(report, &names, &mut history));
        for (file, text) in bundle.files.iter().filter(|(file, _)| journeys::retired(file).is_some()) {
            let known = errors.len();
            journeys.retire(&mut Reporter::new(file, text, &mut errors), &names, &mut history);
            for error in errors.iter_mut().skip(known) {
                error.message.push_str(RETIRED_HINT);
            }
        }
        if channels.mail.unverified_mail == UnverifiedMail::Confirm
            && let Some(problem) = no_confirmation(&templates)
        {
            let text = bundle.files.get("channels.toml").map(String::as_str).unwrap_or_default();
            let at = text.find("unverified_mail").unwrap_or_default();
            Reporter::new("channels.toml", text, &mut errors).at(at..at + "unverified_mail".len(), problem);
        }
        journeys.ask(&templates, &scoring.answer_properties());
        errors.extend(accounts::unknown_stage_events(bundle, &accounts, &lifecycle));
        errors.sort_by(|a, b| a.place().cmp(&b.place()));
        errors.dedup();
        let config = Self {
            version: bundle.version(),
            active_since: None,
            sources,
            pages,
            imports,
            identity,
            features,
            personas,
            scoring,
            lifecycle,
            billing,
            accounts,
            segments,
            journeys,
            limits,
            history,
            channels,
            templates,
            schedules,
            deployment,
        };
        (config, errors)
    }

    /// Returns the name that an event is counted under: that of the event for its page or its change of price, else its
    /// own, see [`Event::counted_as`].
    pub fn counted_as<'a>(&'a self, event: &'a Event) -> &'a str {
        let own = event.counted_as();
        self.pages.event_of(event).or_else(|| self.billing.change_of(own, event)).unwrap_or(own)
    }

    /// Returns whether `event` assigns its person to the account that it names: a `group` call, or a configured event
    /// of `accounts.toml`. Any other call only mentions an account.
    pub fn names_account(&self, event: &Event) -> bool {
        event.kind == EventKind::Group || self.accounts.member_events.contains(self.counted_as(event))
    }

    /// Returns whether `event` ends its person's membership of the account that it names, or of the primary one if it
    /// names none: the event of `[membership]` in `accounts.toml`, or a `group` call with the trait `left: true`, also as text
    /// or a number as files have it.
    pub fn ends_membership(&self, event: &Event) -> bool {
        let says_left = || event.traits.get(LEFT_TRAIT).is_some_and(|left| scalar::truth_of(left) == Some(true));
        let ends = match event.kind {
            EventKind::Group => says_left(),
            _ => self.counted_as(event) == self.accounts.membership.left_event,
        };
        ends && event.is_trusted()
    }

    /// Returns whether events of this name are about payments or about who is a customer, for which public sources are
    /// not trusted. Events that begin a trial or a free plan are not among them.
    pub fn is_of_money(&self, name: &str) -> bool {
        let of = |milestone: &[Milestone]| {
            let milestones = self.lifecycle.milestones.get(name);
            milestones.is_some_and(|milestones| milestones.iter().any(|each| milestone.contains(each)))
        };
        let billing = &self.billing;
        let lists =
            [&billing.subscription_events, &billing.paid, &billing.corrected, &billing.refunded, &billing.cancelled];
        lists.iter().any(|list| list.contains(name))
            || self.accounts.renewal.events.contains(name)
            || of(&[Milestone::Customer, Milestone::Churned])
            || (self.accounts.member_events.contains(name) && self.lifecycle.passive.contains(name))
    }

    /// Returns whether `event` sets the stage of an account: it names one, and is among the events of `accounts.toml`
    /// that do.
    pub fn tells_stage(&self, event: &Event) -> bool {
        event.account().is_some() && self.accounts.stage_events.contains(self.counted_as(event))
    }

    /// Returns the account milestones of `event`: none if it names no account.
    pub fn account_milestones(&self, event: &Event) -> &[Milestone] {
        if !self.tells_stage(event) {
            return &[];
        }
        self.lifecycle.milestones.get(self.counted_as(event)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the topic of a template's mails; `None` if it has none.
    pub fn topic_of(&self, template: &str) -> Option<&Topic> {
        self.channels.topic(self.templates.get(template)?.topic.as_deref()?)
    }

    /// Returns whether messages of a template are exempt from limits, because the journey or the topic is essential. An
    /// unknown journey is not.
    pub fn is_essential(&self, journey: Option<&Journey>, template: &str) -> bool {
        journey.is_some_and(|journey| journey.essential) || self.topic_of(template).is_some_and(|topic| topic.essential)
    }

    /// Returns whether a decision goes through the separate queue of essential messages: mails and in-app messages of
    /// essential journeys and topics. Webhooks never do, because they may have to wait for their receiver.
    pub fn takes_essential_queue(&self, decision: &Decision) -> bool {
        decision.channel != Channel::Webhook
            && self.is_essential(self.journeys.named(&decision.journey), &decision.template)
    }

    /// Returns how long after it was decided a message may still go out: its step's limit, else its journey's, else that of `limits.toml`.
    pub fn max_age(&self, decision: &Decision) -> SignedDuration {
        let journey = self.journeys.named(&decision.journey);
        let step = journey.and_then(|journey| journey.steps.get(usize::from(decision.step)));
        let own = step.and_then(|step| match &step.does {
            Does::Send(message) if message.template == decision.template => Some(message.rank.max_age_days),
            _ => None,
        });
        let days = own.or_else(|| journey.map(|journey| journey.max_age_days)).unwrap_or(self.limits.max_age_days);
        SignedDuration::from_hours(24 * i64::from(days))
    }

    /// Returns whether the account has to be loaded with the profile: a condition reads it, it names the owner that people
    /// are listed by, or the CRM's contacts have a value of it.
    pub fn asks_account(&self) -> bool {
        self.lifecycle.people_follow_account
            || self.accounts.owner.is_any()
            || self.accounts.people.as_ref().is_some_and(PeopleCrm::asks_account)
            || self.asked().any(PersonSlot::asks_account)
    }

    /// Returns whether a condition, whether a person is a buyer, or what the CRM is to know of them depends on the total count of
    /// events with this name.
    pub fn asks_count(&self, name: &str) -> bool {
        let is_it = |slot: &PersonSlot| matches!(slot, PersonSlot::Count { event } if event == name);
        let is_told = |crm: &PeopleCrm| crm.fields.contains_key(&PersonField::Unsubscribed);
        self.billing.one_time.contains(name)
            || (SUBSCRIPTION_EVENTS.contains(&name) && self.accounts.people.as_ref().is_some_and(is_told))
            || self.asked().any(is_it)
    }

    /// The fields of the account that conditions ask for; one may come several times.
    pub fn asked_of_account(&self) -> impl Iterator<Item = &AccountField> {
        self.asked().filter_map(|slot| match slot {
            PersonSlot::Account(field) => Some(field),
            _ => None,
        })
    }

    /// Returns the integers from 0 to 100 that conditions compare `field` of the account with. `None` if a condition
    /// uses it without such a number, so that any value may matter.
    pub fn account_levels(&self, field: &AccountField) -> Option<BTreeSet<u8>> {
        let mut levels = BTreeSet::new();
        let asks = |slot: &PersonSlot| matches!(slot, PersonSlot::Account(asked) if asked == field);
        for program in self.programs().filter(|program| program.slots().iter().any(asks)) {
            let numbers = program.source().split(|c: char| !c.is_ascii_digit());
            let found: BTreeSet<u8> = numbers.filter_map(|digits| digits.parse().ok()).filter(|n| *n <= 100).collect();
            if found.is_empty() {
                return None;
            }
            levels.extend(found);
        }
        Some(levels)
    }

    /// Returns everything that conditions on people look up.
    fn asked(&self) -> impl Iterator<Item = &PersonSlot> {
        self.programs().flat_map(|program| program.slots())
    }

    /// Returns all conditions on people, and measures of them.
    fn programs(&self) -> impl Iterator<Item = &Program<PersonSlot>> {
        let personas = self.personas.all.iter().filter_map(|persona| persona.when.as_ref());
        let measures = self.scoring.signals.iter().map(|signal| &signal.measure);
        let signals = self.scoring.signals.iter().filter_map(|signal| signal.when.as_ref());
        let applies = self.scoring.scores.iter().filter_map(|score| score.applies.when.as_ref());
        let segments = self.segments.all.iter().map(|segment| &segment.when);
        let journeys = self.journeys.all.iter().chain(&self.journeys.retired).flat_map(Journey::conditions);
        let crm = self.accounts.people.iter().filter_map(|crm| crm.when.as_ref());
        personas.chain(measures).chain(signals).chain(applies).chain(segments).chain(journeys).chain(crm)
    }
}

/// A hint for an error in an earlier version of a journey.
const RETIRED_HINT: &str = " (this is an earlier version of the journey, which people may be on the way through: keep what it \
                            names, or write on_change = \"move\" into the journey)";

const KNOWN: [&str; 15] = [
    "accounts.toml",
    "billing.toml",
    "channels.toml",
    "deployment.toml",
    "features.toml",
    "identity.toml",
    "imports.toml",
    "journeys.toml",
    "lifecycle.toml",
    "limits.toml",
    "personas.toml",
    "schedules.toml",
    "scoring.toml",
    "segments.toml",
    "sources.toml",
];

fn template_name(file: &str) -> Option<&str> {
    file.strip_prefix("templates/")?.strip_suffix(".toml")
}

/// Loads one file; a missing one is an error.
fn with<T: Default>(
    bundle: &Bundle,
    file: &str,
    errors: &mut Vec<ConfigError>,
    load: impl FnOnce(&mut Reporter<'_>) -> T,
) -> T {
    match bundle.files.get(file) {
        Some(text) => load(&mut Reporter::new(file, text, errors)),
        None => {
            errors.push(ConfigError { file: file.to_owned(), line: 0, column: 0, message: "is missing".to_owned() });
            T::default()
        }
    }
}

/// Loads one file; a missing one is the same as an empty one.
fn optional<T>(
    bundle: &Bundle,
    file: &str,
    errors: &mut Vec<ConfigError>,
    load: impl FnOnce(&mut Reporter<'_>) -> T,
) -> T {
    let text = bundle.files.get(file).map_or("", String::as_str);
    load(&mut Reporter::new(file, text, errors))
}
