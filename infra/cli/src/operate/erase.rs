//! Erases a person: everything about them is removed, and a receipt lists what was.
//!
//! The archive comes first, and the profile last except for the ledger that it counts. As long as the profile exists,
//! an interrupted run is restarted from it: every step skips what is gone already. After that, the receipt of the
//! interrupted run identifies the person by hashes. Concurrent writers fail on conditions: a pending write of `score`
//! fails, is retried, and finds no profile.

use super::receipt::{self, Receipt, Removed};
use super::{Kind, Operated, account_facts};
use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::civil::Date;
use perennial_config::Config;
use perennial_contracts::queue::AccountsPayload;
use perennial_domain::time::{date_of, day_of};
use perennial_domain::{AccountId, PersonId};
use perennial_engine::Profile;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::archive::people::Object;
use perennial_store::config::ConfigStoreError;
use perennial_store::heads::Head;
use perennial_store::traces::{Subject, Trace, Traces};
use perennial_store::{Consistency, Stored, keys};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// Objects of the archive that are worked on at once.
const CONCURRENCY: usize = 8;
/// The most repetitions if the person was written meanwhile.
const ROUNDS: u32 = 10;
/// Days before a person's first event from which their data may have been received: an event's time may be a day ahead
/// of its receipt.
const AHEAD_DAYS: i64 = 2;

/// The person to erase.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    subject: Subject,
    /// The day on which the first event of theirs can have been received; `None` where that is not known.
    from: Option<Date>,
    /// The profile's id and version; `None` if there is none.
    holder: Option<(PersonId, u64)>,
    /// The operator's identifier, if the profile cannot be read, because its identities are unknown then.
    named_by: Option<String>,
    /// The accounts that have the subscriptions which were reported for the person, by the subscriptions' keys.
    payers: BTreeMap<u64, AccountId>,
}

impl Asked {
    /// Finds who has `text` as profile id, user id, anonymous id, id in another system (`TYPE:ID`) or mail address.
    /// Without a profile, remaining data under that exact text is looked for.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(crate) async fn find(operated: &Operated, text: &str) -> anyhow::Result<Self> {
        match operated.store.resolve(text).await {
            Ok(Some(stored)) => Ok(Self::of(&stored)),
            Ok(None) => {
                let subject = Subject::named(text);
                Ok(Self { subject, from: None, holder: None, named_by: None, payers: BTreeMap::new() })
            }
            Err(error) if error.is_unreadable() => {
                let head = operated.store.resolve_head(text).await?.context("the person is gone")?;
                Self::unreadable(operated, head, text).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the person as they are now; `None` if the profile no longer exists.
    async fn again(&self, operated: &Operated, holder: PersonId) -> anyhow::Result<Option<Self>> {
        match operated.store.follow(holder, Consistency::Strong).await {
            Ok(found) => Ok(found.as_ref().map(Self::of)),
            Err(error) if error.is_unreadable() => {
                let Some(head) = operated.store.follow_head(holder).await? else { return Ok(None) };
                let named_by = self.named_by.as_deref().unwrap_or_default();
                Self::unreadable(operated, head, named_by).await.map(Some)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn of(stored: &Stored) -> Self {
        let profile = &stored.profile;
        let holder = Some((profile.id, stored.version));
        let payers = account_facts::payers(profile);
        Self { subject: Subject::of(profile), from: first_day(profile), holder, named_by: None, payers }
    }

    /// Returns a person whose profile cannot be read: their identities are those whose pointers lead to it.
    async fn unreadable(operated: &Operated, head: Head, text: &str) -> anyhow::Result<Self> {
        let people = operated.store.pointers_to(head.person, &|_| {}).await?;
        let subject = Subject::unreadable(head.person, people, text);
        let holder = Some((head.person, head.version));
        Ok(Self { subject, from: None, holder, named_by: Some(text.to_owned()), payers: BTreeMap::new() })
    }

    /// Returns whether there is a profile that cannot be read.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.named_by.is_some()
    }

    /// Returns whether there is a profile.
    pub(crate) fn has_profile(&self) -> bool {
        self.holder.is_some()
    }

    /// Returns the subject of the erasure.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The day on which the first event of theirs can have been received.
    pub(crate) fn from(&self) -> Option<Date> {
        self.from
    }

    /// Returns the profile id; without a profile, the first that the text could mean.
    pub(crate) fn person(&self) -> Option<PersonId> {
        self.holder.map(|(person, _)| person).or_else(|| self.subject.people.first().copied())
    }
}

fn first_day(profile: &Profile) -> Option<Date> {
    let first = profile.view().seen?.first_at();
    Some(date_of(day_of(perennial_domain::time::plus_days(first, -AHEAD_DAYS))))
}

/// The progress of an erasure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress {
    /// Objects of the archive that were read, and their number.
    Archive(u64, u64),
    /// Items of the table that were read, and their approximate number.
    Table(u64, u64),
}

/// A run of it.
pub(crate) struct Erasure<'a> {
    operated: &'a Operated,
    tell: &'a (dyn Fn(Progress) + Sync),
    /// Called with the current receipt after each step, and before the last one, after which no data remains to restart
    /// from.
    keep: &'a (dyn Fn(&Receipt) -> anyhow::Result<()> + Sync),
    forget_suppression: bool,
    receipt: Receipt,
    /// The active configuration, which says which events are about subscriptions.
    config: Option<Config>,
    looked_at: BTreeSet<Object>,
    /// The number of unreadable entries, by object.
    damaged: BTreeMap<Object, u64>,
    accounts: BTreeSet<AccountId>,
    /// The keys of their entries in lists, which a writer that had loaded the profile before may write again.
    listed: BTreeSet<(String, String)>,
    named_by_others: u64,
}

impl<'a> Erasure<'a> {
    /// Prepares an erasure without changing anything. `before` is the receipt of an interrupted run, which this one
    /// continues.
    ///
    /// # Errors
    /// If the table does not respond.
    pub(crate) async fn new(
        operated: &'a Operated,
        tell: &'a (dyn Fn(Progress) + Sync),
        keep: &'a (dyn Fn(&Receipt) -> anyhow::Result<()> + Sync),
        forget_suppression: bool,
        before: Option<Receipt>,
    ) -> anyhow::Result<Self> {
        let config = match operated.store.load_config().await {
            Ok(config) => Some(config),
            Err(ConfigStoreError::Store(error)) if !error.is_unreadable() => return Err(error.into()),
            // No configuration, or one that does not compile any more, is no reason to keep a person.
            Err(_) => None,
        };
        let receipt = before.unwrap_or_else(|| Receipt {
            stack: operated.name.clone(),
            person: None,
            identities: BTreeSet::new(),
            addresses: BTreeSet::new(),
            begun_at: operated.now(),
            completed_at: None,
            removed: Removed::default(),
            archive_objects_read: 0,
            archive_objects_rewritten: 0,
            archive_objects_deleted: 0,
            accounts: 0,
            unreadable_profile: false,
            unreadable_items: 0,
            unreadable_in_archive: 0,
            audit_entries: 0,
            account_facts: 0,
            kept: Vec::new(),
            config: config.as_ref().map(|config| config.version.to_string()),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        });
        Ok(Self {
            operated,
            tell,
            keep,
            forget_suppression,
            receipt,
            config,
            looked_at: BTreeSet::new(),
            damaged: BTreeMap::new(),
            accounts: BTreeSet::new(),
            listed: BTreeSet::new(),
            named_by_others: 0,
        })
    }

    /// Erases the person, including identities that are linked to them meanwhile.
    ///
    /// # Errors
    /// If a service fails, or the person is written all the time. Running it again continues.
    pub(crate) async fn run(mut self, mut asked: Asked) -> anyhow::Result<Receipt> {
        if asked.holder.is_none() && !self.receipt.identities.is_empty() {
            // The profile is gone already. Who it was is known by hashes alone, so every line of the archive is looked at.
            asked.subject.people.extend(&self.receipt.identities);
            asked.subject.ids.clear();
        }
        for _ in 0..ROUNDS {
            self.note_who(&asked);
            self.clean_archive(&asked).await?;
            self.clean_table(&asked).await?;
            // Data that arrived meanwhile: an event is in the archive before it is in the profile.
            self.clean_archive(&asked).await?;
            self.settle_accounts(&asked).await?;
            let now = self.look_again(&asked).await?;
            if now.holder != asked.holder {
                if now.subject.people != asked.subject.people {
                    // Objects were looked at for fewer identities than there are.
                    self.looked_at.clear();
                }
                asked = now;
                continue;
            }
            (self.keep)(&self.receipt)?;
            // Before the profile is gone: an import of older history must find it. A mistyped id is nobody's erasure.
            if asked.holder.is_some() || self.receipt.found_anything() {
                self.operated.store.note_erased(&self.receipt.identities, self.operated.now()).await?;
            }
            let (holder, version) = asked.holder.or_else(|| Some((asked.person()?, 0))).context("nobody was named")?;
            match self.operated.store.delete_person(&asked.subject, holder, version).await {
                Ok(deleted) => self.receipt.removed.profiles += deleted,
                Err(error) if error.is_conflict() => {
                    asked = self.look_again(&asked).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            return self.finish(&asked).await;
        }
        anyhow::bail!("the profile was written all the time; run it again to remove the rest")
    }

    fn note_who(&mut self, asked: &Asked) {
        self.receipt.person = self.receipt.person.or(asked.person());
        self.receipt.identities.extend(&asked.subject.people);
        self.receipt.unreadable_profile |= asked.is_unreadable();
        let hashes = asked.subject.suppressions();
        self.receipt.addresses.extend(hashes.iter().filter_map(|pk| pk.strip_prefix("S#")).map(str::to_owned));
    }

    /// Returns the person as they are now, or as they were if the profile no longer exists.
    async fn look_again(&self, asked: &Asked) -> anyhow::Result<Asked> {
        let Some((holder, _)) = asked.holder else { return Ok(asked.clone()) };
        let now = asked.again(self.operated, holder).await?;
        Ok(now.unwrap_or_else(|| Asked { holder: None, ..asked.clone() }))
    }

    async fn clean_archive(&mut self, asked: &Asked) -> anyhow::Result<()> {
        let archive = &self.operated.archive;
        let mut objects = archive.objects_since(asked.from).await?;
        objects.retain(|object| !self.looked_at.contains(object));
        let total = objects.len() as u64;
        let config = self.config.as_ref();
        let looked = stream::iter(objects).map(|object| async move {
            let share = archive.share(&object, &asked.subject).await?;
            let facts = config.map(|config| account_facts::of(config, &share.events, &asked.payers, &asked.subject));
            let facts = facts.unwrap_or_default();
            let kept = facts.len() as u64;
            archive.keep(perennial_report::SUBSCRIPTIONS, &object, facts).await?;
            archive.take_out(&object, &share).await?;
            anyhow::Ok((object, share, kept))
        });
        let mut looked = std::pin::pin!(looked.buffer_unordered(CONCURRENCY));
        let mut done = 0;
        while let Some((object, share, kept)) = looked.try_next().await? {
            done += 1;
            (self.tell)(Progress::Archive(done, total));
            let receipt = &mut self.receipt;
            receipt.account_facts += kept;
            receipt.removed.archived_events += share.events.len() as u64;
            receipt.removed.archived_unmerges += share.unmerges.len() as u64;
            receipt.archive_objects_deleted += u64::from(share.is_all());
            receipt.archive_objects_rewritten += u64::from(!share.is_empty() && !share.is_all());
            self.named_by_others += share.named_by_others;
            self.damaged.insert(object.clone(), share.unreadable);
            self.looked_at.insert(object);
        }
        self.receipt.unreadable_in_archive = self.damaged.values().sum();
        self.receipt.archive_objects_read += total;
        (self.keep)(&self.receipt)
    }

    async fn clean_table(&mut self, asked: &Asked) -> anyhow::Result<()> {
        let (store, people) = (&self.operated.store, &asked.subject.people);
        let (mut items, mut own) = (Vec::new(), BTreeSet::new());
        let Traces { found, unreadable } = traces(self.operated, &asked.subject, self.tell).await?;
        self.receipt.unreadable_items = unreadable;
        self.receipt.audit_entries = 0;
        for trace in found {
            match trace {
                Trace::Own { person, .. } => {
                    own.insert(person);
                }
                Trace::Member { account, person } => {
                    self.receipt.removed.account_memberships += 1;
                    items.push((keys::account(&account), keys::person(person)));
                    self.accounts.insert(account);
                }
                Trace::LeadingBuyer { account } => {
                    self.accounts.insert(account);
                }
                Trace::Link { person } => {
                    self.receipt.removed.links_of_others += store.forget_links(person, &asked.subject).await?;
                }
                Trace::Listed { pk, sk } => {
                    self.receipt.removed.list_entries += 1;
                    items.push((pk.clone(), sk.clone()));
                    self.listed.insert((pk, sk));
                }
                Trace::Pointer { pk } => {
                    self.receipt.removed.identity_pointers += 1;
                    store.release_pointer(&pk, people).await?;
                }
                Trace::Reject { pk, id } => {
                    self.receipt.removed.rejected_events += 1;
                    items.push((pk, id));
                }
                // It says what colleagues did.
                Trace::Noted { .. } => self.receipt.audit_entries += 1,
            }
        }
        store.delete_keys(items).await?;
        if self.forget_suppression {
            let suppressions = store.has_suppressions(&asked.subject).await?;
            self.receipt.removed.suppressions += suppressions.values().filter(|is_there| **is_there).count() as u64;
            store.delete_keys(suppressions.into_keys().map(|pk| (pk, keys::SUPPRESSION.to_owned()))).await?;
        }
        // The ledger stays as long as the profile, which counts its blocks.
        self.clean_own(own, |sk| !sk.starts_with(keys::LEDGER)).await?;
        (self.keep)(&self.receipt)
    }

    async fn clean_own(
        &mut self,
        people: impl IntoIterator<Item = PersonId>,
        is_meant: impl Fn(&str) -> bool + Sync,
    ) -> anyhow::Result<()> {
        for person in people {
            for sk in self.operated.store.delete_own(person, &is_meant).await? {
                let removed = &mut self.receipt.removed;
                *match sk.as_str() {
                    sk if sk.starts_with(keys::MESSAGE) => &mut removed.messages,
                    sk if sk.starts_with(keys::LEDGER) => &mut removed.ledger_blocks,
                    _ => &mut removed.other_items,
                } += 1;
            }
        }
        Ok(())
    }

    /// Removes the rest of the person from their accounts, and requests a recomputation of these.
    async fn settle_accounts(&mut self, asked: &Asked) -> anyhow::Result<()> {
        let (store, people) = (&self.operated.store, &asked.subject.people);
        let mut bodies = Vec::new();
        for account in &self.accounts {
            let members = people.iter().map(|person| (keys::account(account), keys::person(*person)));
            store.delete_keys(members).await?;
            store.forget_leading_buyer(account, people).await?;
            bodies.push(serde_json::to_string(&AccountsPayload::anew(account.clone()))?);
        }
        self.receipt.accounts = bodies.len() as u64;
        let sent = self.operated.sender("accounts")?.send(bodies, Delay::NONE).await;
        sent.into_result().context("failed to request a recomputation of the accounts")
    }

    /// Finishes after the profile is gone and nobody can restore it: a writer that had loaded it before may have
    /// written other items.
    async fn finish(mut self, asked: &Asked) -> anyhow::Result<Receipt> {
        (self.keep)(&self.receipt)?;
        self.clean_own(asked.subject.people.clone(), |sk| sk != keys::PROFILE).await?;
        self.operated.store.delete_keys(std::mem::take(&mut self.listed)).await?;
        self.settle_accounts(asked).await?;
        let is_deployed = matches!(self.operated.kind, Kind::Deployed(_));
        self.receipt.kept = receipt::kept(is_deployed, self.forget_suppression, &self.receipt, self.named_by_others);
        self.receipt.completed_at = Some(self.operated.now());
        (self.keep)(&self.receipt)?;
        Ok(self.receipt)
    }
}

/// Everything in the table that leads to the subject.
pub(crate) async fn traces(
    operated: &Operated,
    subject: &Subject,
    tell: &(dyn Fn(Progress) + Sync),
) -> anyhow::Result<Traces> {
    // Only for the progress bar: without the permission it shows the number so far.
    let about = operated.store.about_how_many().await.unwrap_or(0);
    let passed = AtomicU64::new(0);
    let told = |items| {
        let passed = passed.fetch_add(items, Ordering::Relaxed) + items;
        tell(Progress::Table(passed, about.max(passed)));
    };
    Ok(operated.store.traces(subject, &told).await?)
}

#[cfg(test)]
#[path = "erase_tests.rs"]
mod tests;
