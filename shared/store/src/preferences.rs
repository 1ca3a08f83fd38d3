//! The reader's preferences and the state of an address: whether mails may be sent to it.
//!
//! Preferences are stored twice: with the address, by its hash, and with the mail's person, in the partition of the
//! identity that was the recipient. So they apply to anyone else with the address, and to the person when they change
//! it, and they follow the identity when profiles are merged and unmerged.

use crate::dated::Dated;
use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, needed, s};
use crate::keys;
use crate::mails::Mails;
use crate::reads::Consistency;
use crate::store::Store;
use crate::suppressions::{self, Reason, Suppression};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use perennial_config::soft_bounces::SoftBounces;
use perennial_config::topics::Topic;
use perennial_domain::{PersonId, hash};
use std::collections::{BTreeMap, BTreeSet};

/// The beginning of the attributes that hold choices; the topic's id follows.
const TOPIC: &str = "t:";
/// The beginning of the attributes that hold which addresses a person confirmed or refused; the address's hash follows.
const ADDRESS: &str = "c:";
/// The most addresses of which it is kept: the newest. A person rarely has two.
const MAX_ADDRESSES: usize = 16;
/// The attribute of the soft bounces.
const SOFT: &str = "soft";
/// The attribute of the moment until which soft bounces hold mails back, in milliseconds since 1970.
const UNTIL: &str = "until";
/// The most attempts to count a temporary bounce after concurrent counts.
const ATTEMPTS: u32 = 5;

/// A reader's choice about a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Wants it; else does not.
    pub wants: bool,
    /// Since when.
    pub since: Timestamp,
}

/// The state of an address. Empty if it has no item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// Why it gets no mail, if it does not.
    pub suppression: Option<Suppression>,
    /// Until when soft bounces hold mails back, if they do.
    pub held_until: Option<Timestamp>,
    /// Its reader's choices by topic; other topics have their configured default.
    pub topics: BTreeMap<String, Choice>,
    /// Of a person: the addresses, by their hashes in base32, of which they said that they want mails there, or that they do not.
    pub confirmed: BTreeMap<String, Choice>,
    /// The mails that went to it lately, whatever profile they were for.
    pub mails: Mails,
}

/// Why a mail does not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// The address bounced, its reader complained, or wants no mails at all.
    Suppressed(Reason),
    /// It has too many temporary bounces, and is paused.
    SoftBounces,
    /// The reader does not want this topic.
    Topic,
}

impl Withheld {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed(Reason::Unsubscribe) => "unsubscribed",
            Self::Suppressed(Reason::Bounce) => "the address bounced before",
            Self::Suppressed(Reason::Complaint) => "the reader complained before",
            Self::SoftBounces => "the address had too many temporary bounces, and is paused",
            Self::Topic => "the reader does not want this topic",
        }
    }
}

impl Preferences {
    /// Returns whether the reader is subscribed to `topic`, by choice or by default. Readers cannot choose an essential
    /// topic.
    pub fn wants(&self, topic: &Topic) -> bool {
        topic.essential || self.topics.get(&topic.id).map_or(topic.default, |choice| choice.wants)
    }

    /// Returns why a mail about `topic` (`None` without a topic) must not be sent at `now`; `None` if it may. An
    /// essential mail, such as one about a failed payment, is sent to people who unsubscribed, but never to an address
    /// that bounced or complained.
    pub fn withholds(&self, topic: Option<&Topic>, now: Timestamp) -> Option<Withheld> {
        let essential = topic.is_some_and(|topic| topic.essential);
        if let Some(suppression) = self.suppression.filter(|it| !(essential && it.reason.can_be_lifted())) {
            return Some(Withheld::Suppressed(suppression.reason));
        }
        if self.held_until.is_some_and(|until| now < until) {
            return Some(Withheld::SoftBounces);
        }
        topic.is_some_and(|topic| !self.wants(topic)).then_some(Withheld::Topic)
    }

    /// Combines the preferences of an address with `other`, those of its person or one of their identities: no mails if
    /// either has unsubscribed from all, and of two choices about one topic the later one counts.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        let is_weaker = |it: &Suppression| it.reason.can_be_lifted();
        if self.suppression.as_ref().is_none_or(is_weaker) && other.suppression.is_some_and(|it| !is_weaker(&it)) {
            self.suppression = other.suppression;
        }
        self.suppression = self.suppression.or(other.suppression);
        for (mine, others) in [(&mut self.topics, other.topics), (&mut self.confirmed, other.confirmed)] {
            for (name, choice) in others {
                let is_newer = |own: &Choice| own.since < choice.since || (own.since == choice.since && !choice.wants);
                if mine.get(&name).is_none_or(is_newer) {
                    mine.insert(name, choice);
                }
            }
        }
        self
    }

    /// Returns the person's answer when asked to confirm the address with this hash; `None` if they have not answered.
    pub fn confirmation(&self, address: &[u8; 32]) -> Option<Choice> {
        self.confirmed.get(&hash::base32(address)).copied()
    }
}

impl Store {
    /// Returns the state of an address, by its hash as in [`Store::suppress_hashed`]. Read consistently, so that a
    /// recent choice applies.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn preferences(&self, address: &[u8; 32]) -> Result<Preferences, StoreError> {
        self.preferences_at(keys::suppression_hashed(address)).await
    }

    /// The same of an address in plain text.
    ///
    /// # Errors
    /// [`StoreError`] where the read fails.
    pub async fn preferences_of(&self, address: &str) -> Result<Preferences, StoreError> {
        self.preferences_at(keys::suppression(address)).await
    }

    /// Returns the state of an address whose reader is `people`, the identities of one profile by their own profile
    /// ids: choices of any of them count as well. Read consistently, in one call; a read unit for the address and for each identity.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn preferences_with(
        &self,
        address: &[u8; 32],
        people: impl IntoIterator<Item = PersonId>,
    ) -> Result<Preferences, StoreError> {
        let at_address = keys::suppression_hashed(address);
        let known = self.preferences_of_keys(people, vec![keys::key(at_address.clone(), keys::SUPPRESSION)]).await?;
        let (address, wishes): (Vec<_>, Vec<_>) = known.into_iter().partition(|(pk, _)| *pk == at_address);
        let address = address.into_iter().next().map(|(_, known)| known).unwrap_or_default();
        Ok(wishes.into_iter().map(|(_, wishes)| wishes).fold(address, Preferences::with))
    }

    /// Returns the preferences of each of `people`, like [`Self::wishes`] of one; several are read at once.
    ///
    /// # Errors
    /// [`StoreError`] if a read fails.
    pub async fn wishes_of(
        &self,
        people: impl IntoIterator<Item = PersonId>,
    ) -> Result<BTreeMap<PersonId, Preferences>, StoreError> {
        let people: BTreeSet<PersonId> = people.into_iter().collect();
        let mut known = self.preferences_of_keys(people.iter().copied(), Vec::new()).await?;
        let mut wishes = |person: &PersonId| known.remove(&keys::person(*person)).unwrap_or_default();
        Ok(people.iter().map(|person| (*person, wishes(person))).collect())
    }

    /// Returns what `people` and the items under `others` say, by partition, in one call. What has no item is missing.
    async fn preferences_of_keys(
        &self,
        people: impl IntoIterator<Item = PersonId>,
        others: Vec<Item>,
    ) -> Result<BTreeMap<String, Preferences>, StoreError> {
        let people: BTreeSet<PersonId> = people.into_iter().collect();
        let mut keys = others;
        keys.extend(people.into_iter().map(|person| keys::key(keys::person(person), keys::WISHES)));
        let items = self.get_many("preferences", keys, Consistency::Strong).await?;
        let with_key = |item: &Item| Ok((needed(keys::PK, item.text(keys::PK)?)?.to_owned(), read(item)?));
        items.iter().map(with_key).collect()
    }

    /// Returns a person's preferences, by the identity's own profile id. Read consistently.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn wishes(&self, person: PersonId) -> Result<Preferences, StoreError> {
        self.preferences_of_key(keys::key(keys::person(person), keys::WISHES)).await
    }

    async fn preferences_at(&self, pk: String) -> Result<Preferences, StoreError> {
        self.preferences_of_key(keys::key(pk, keys::SUPPRESSION)).await
    }

    async fn preferences_of_key(&self, key: Item) -> Result<Preferences, StoreError> {
        let item = self.get("preferences", key, true).await?;
        item.map_or_else(|| Ok(Preferences::default()), |item| read(&item))
    }

    /// Stores what a reader chose, by topic. Other topics stay as they are, and so does a suppression.
    ///
    /// # Errors
    /// [`StoreError`] where the write fails.
    pub async fn choose(
        &self,
        address: &[u8; 32],
        topics: &BTreeMap<String, bool>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.choose_at(keys::key(keys::suppression_hashed(address), keys::SUPPRESSION), topics, now).await
    }

    /// Stores a person's choices by topic, for any address of theirs.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn choose_for(
        &self,
        person: PersonId,
        topics: &BTreeMap<String, bool>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.choose_at(keys::key(keys::person(person), keys::WISHES), topics, now).await
    }

    /// Stores that a person confirmed the address of this hash, or that they do not want mails there. What they said before and say again keeps its time.
    ///
    /// # Errors
    /// [`StoreError`] if a read or the write fails.
    pub async fn confirm_address(
        &self,
        person: PersonId,
        address: &[u8; 32],
        wants: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let before = self.wishes(person).await?;
        if before.confirmation(address).is_some_and(|choice| choice.wants == wants) {
            return Ok(());
        }
        let own = hash::base32(address);
        let key = keys::key(keys::person(person), keys::WISHES);
        let mut update = self.client.update_item().table_name(&*self.table).set_key(Some(key));
        let mut expression = "SET #own = :said".to_owned();
        let mut others: Vec<_> = before.confirmed.iter().filter(|(name, _)| **name != own).collect();
        others.sort_by_key(|(_, choice)| choice.since);
        let over = (others.len() + 1).saturating_sub(MAX_ADDRESSES);
        for (number, (name, _)) in others.iter().take(over).enumerate() {
            expression.push_str(if number == 0 { " REMOVE " } else { ", " });
            expression.push_str(&format!("#o{number}"));
            update = update.expression_attribute_names(format!("#o{number}"), format!("{ADDRESS}{name}"));
        }
        let update = update
            .update_expression(expression)
            .expression_attribute_names("#own", format!("{ADDRESS}{own}"))
            .expression_attribute_values(":said", s(said(wants, now)));
        update.send().await.map(drop).map_err(|error| sort("confirm_address", error))
    }

    async fn choose_at(&self, key: Item, topics: &BTreeMap<String, bool>, now: Timestamp) -> Result<(), StoreError> {
        if topics.is_empty() {
            return Ok(());
        }
        let mut update = self.client.update_item().table_name(&*self.table).set_key(Some(key));
        let mut sets = Vec::new();
        for (number, (topic, wants)) in topics.iter().enumerate() {
            sets.push(format!("#t{number} = :t{number}"));
            update = update
                .expression_attribute_names(format!("#t{number}"), format!("{TOPIC}{topic}"))
                .expression_attribute_values(format!(":t{number}"), s(said(*wants, now)));
        }
        let update = update.update_expression(format!("SET {}", sets.join(", ")));
        update.send().await.map(drop).map_err(|error| sort("choose", error))
    }

    /// Counts a temporary bounce of `address` at `at`, and pauses the address if there are too many. `mail` identifies
    /// this bounce: a repeated report counts once. Returns the end of the pause, if this bounce caused it.
    ///
    /// # Errors
    /// [`StoreError`] if a read or the write fails.
    pub async fn soft_bounce(
        &self,
        address: &str,
        mail: &str,
        at: Timestamp,
        policy: &SoftBounces,
    ) -> Result<Option<Timestamp>, StoreError> {
        let key = keys::key(keys::suppression(address), keys::SUPPRESSION);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let item = self.get("soft_bounce", key.clone(), true).await?.unwrap_or_default();
            let before = Bounces::parse(item.text(SOFT)?.unwrap_or_default())?;
            let Some(bounces) = before.clone().with(mail, at, policy) else { return Ok(None) };
            let until = bounces.hold_until(policy)?;
            let update = self.client.update_item().table_name(&*self.table).set_key(Some(key.clone()));
            let mut update = bounces.0.in_place_of(&before.0, SOFT, update);
            let mut expression = "SET #dated = :after".to_owned();
            if let Some(until) = until {
                expression.push_str(", #until = :until");
                update = update
                    .expression_attribute_names("#until", UNTIL)
                    .expression_attribute_values(":until", crate::item::at(until));
            }
            let sent = update.update_expression(expression).send().await;
            match unless_conflict(sent.map(drop).map_err(|error| sort("soft_bounce", error)))? {
                Some(()) => return Ok(until),
                None if attempt < ATTEMPTS => {}
                None => return Err(StoreError::Conflict { operation: "soft_bounce" }),
            }
        }
    }
}

/// The soft bounces that still count: when, and of which mail (the hash of its id).
#[derive(Debug, Clone)]
struct Bounces(Dated);

impl Bounces {
    fn parse(text: &str) -> Result<Self, StoreError> {
        Dated::parse(text, SOFT).map(Self)
    }

    /// Adds one, and removes those that are too old compared with the newest; `None` if it is counted already, or too
    /// old itself.
    fn with(mut self, mail: &str, at: Timestamp, policy: &SoftBounces) -> Option<Self> {
        let (mail, at) = (perennial_domain::hash::hash32(mail), at.as_millisecond());
        let all = &mut self.0.0;
        if all.contains_key(&mail) {
            return None;
        }
        all.insert(mail, at);
        let newest = all.values().copied().max().unwrap_or(at);
        all.retain(|_, own| *own > newest - policy.within().as_millis() as i64);
        // More than decide are not kept: the newest do.
        self.0.bound(policy.count.into());
        self.0.0.contains_key(&mail).then_some(self)
    }

    /// Returns the end of the pause, if there are enough.
    fn hold_until(&self, policy: &SoftBounces) -> Result<Option<Timestamp>, StoreError> {
        if self.0.0.len() < usize::from(policy.count) {
            return Ok(None);
        }
        let newest = self.0.0.values().copied().max().unwrap_or_default();
        let until = Timestamp::from_millisecond(newest).and_then(|newest| newest.checked_add(policy.rest()));
        until.map(Some).map_err(|error| StoreError::Unstorable(error.to_string()))
    }
}

fn read(item: &Item) -> Result<Preferences, StoreError> {
    let (topics, confirmed) = (choices(item, TOPIC)?, choices(item, ADDRESS)?);
    let mails = Mails::of(item)?;
    Ok(Preferences {
        suppression: suppressions::read(item)?,
        held_until: item.moment(UNTIL)?,
        topics,
        confirmed,
        mails,
    })
}

/// The choices in the attributes that begin with `prefix`, by what follows it.
fn choices(item: &Item, prefix: &str) -> Result<BTreeMap<String, Choice>, StoreError> {
    let named = item.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    let read = |(name, value): (&str, &AttributeValue)| {
        let choice = value.as_s().ok().and_then(|text| choice(text));
        Ok((name.to_owned(), choice.ok_or_else(|| StoreError::corrupt("a choice is not of its form"))?))
    };
    named.map(read).collect()
}

/// A choice as it is stored.
fn said(wants: bool, since: Timestamp) -> String {
    format!("{} {}", if wants { "on" } else { "off" }, since.as_millisecond())
}

fn choice(text: &str) -> Option<Choice> {
    let (wants, since) = text.split_once(' ')?;
    let wants = match wants {
        "on" => true,
        "off" => false,
        _ => return None,
    };
    Some(Choice { wants, since: Timestamp::from_millisecond(since.parse().ok()?).ok()? })
}
