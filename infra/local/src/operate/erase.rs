//! Erasing a person: everything of them goes, and a receipt says what did.
//!
//! The archive comes first and the profile last. As long as the profile stands, whatever stopped half-way is begun again from it: every step leaves alone
//! what is gone already. Whoever writes meanwhile is met by conditions: what `score` was about to write of them fails, is read again, and finds nobody.

use super::Operated;
use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_contracts::queue::AccountsPayload;
use perennial_domain::time::{date_of, day_of};
use perennial_domain::{AccountId, PersonId};
use perennial_engine::Profile;
use perennial_lambda_kit::queue::{Delay, Sender};
use perennial_store::archive::people::Object;
use perennial_store::traces::{Subject, Trace};
use perennial_store::{Consistency, Stored, keys};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Objects of the archive that are worked on at once.
const CONCURRENCY: usize = 8;
/// How often all is looked at again because the person was written meanwhile.
const ROUNDS: u32 = 10;
/// Days before the first event of a person from which on something of theirs may have been received: an event's time may lie a day ahead of its receipt.
const AHEAD_DAYS: i64 = 2;

/// Who is to be erased.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    subject: Subject,
    /// The day on which the first event of theirs can have been received; `None` where that is not known.
    from: Option<Date>,
    /// The person's own id and the version of their profile; `None` where there is none.
    holder: Option<(PersonId, u64)>,
}

impl Asked {
    /// Who has `text` for a person id, user id, anonymous id or mail address. Where there is no profile, what was left behind under that very text is
    /// looked for.
    ///
    /// # Errors
    /// Where the table does not answer.
    pub(crate) async fn find(operated: &Operated, text: &str) -> anyhow::Result<Self> {
        let found = operated.store.resolve(text).await?;
        Ok(match found {
            Some(stored) => Self::of(&stored),
            None => Self { subject: Subject::named(text), from: None, holder: None },
        })
    }

    fn of(stored: &Stored) -> Self {
        let profile = &stored.profile;
        Self { subject: Subject::of(profile), from: first_day(profile), holder: Some((profile.id, stored.version)) }
    }

    /// Whether there is a profile.
    pub(crate) fn has_profile(&self) -> bool {
        self.holder.is_some()
    }

    /// Who it is about.
    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The day on which the first event of theirs can have been received.
    pub(crate) fn from(&self) -> Option<Date> {
        self.from
    }

    /// The person's id; the first that the text could stand for where there is no profile.
    pub(crate) fn person(&self) -> Option<PersonId> {
        self.holder.map(|(person, _)| person).or_else(|| self.subject.people.first().copied())
    }
}

fn first_day(profile: &Profile) -> Option<Date> {
    let first = profile.view().seen?.first_at();
    Some(date_of(day_of(perennial_domain::time::plus_days(first, -AHEAD_DAYS))))
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Progress {
    /// So many of so many objects of the archive were looked at.
    Archive(u64, u64),
    /// So many of about so many items of the table were looked at.
    Table(u64, u64),
}

/// What went, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    /// Profiles, and pointers of identities that had become part of one.
    pub(crate) profiles: u64,
    pub(crate) messages: u64,
    /// Blocks of ids of events.
    pub(crate) ledger_blocks: u64,
    /// Anything else in the person's own partitions.
    pub(crate) other_items: u64,
    pub(crate) account_memberships: u64,
    /// Values that the person was found by, such as mail addresses.
    pub(crate) identity_pointers: u64,
    pub(crate) rejected_events: u64,
    pub(crate) suppressions: u64,
    pub(crate) archived_events: u64,
    /// What was said of their identities by hand, in the archive.
    pub(crate) archived_unmerges: u64,
}

/// What stays although it has to do with the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) what: String,
    pub(crate) why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
}

/// What was done, without personal data: ids are hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Which system.
    pub(crate) stack: String,
    /// The person's id.
    pub(crate) person: Option<PersonId>,
    /// The hash of each user id and anonymous id.
    pub(crate) identities: BTreeSet<PersonId>,
    /// The hash of each mail address that was known, as suppressions have it.
    pub(crate) addresses: BTreeSet<String>,
    pub(crate) begun_at: Timestamp,
    /// When all of it was gone; `None` in the receipt of a run that did not come to its end.
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) removed: Removed,
    pub(crate) archive_objects_read: u64,
    pub(crate) archive_objects_rewritten: u64,
    pub(crate) archive_objects_deleted: u64,
    /// Accounts that are worked out anew without them.
    pub(crate) accounts: u64,
    pub(crate) kept: Vec<Kept>,
    /// The config in force.
    pub(crate) config: Option<String>,
    /// The version of this tool.
    pub(crate) tool: String,
}

impl Receipt {
    /// Whether anything of the person was found.
    pub(crate) fn found_anything(&self) -> bool {
        self.removed != Removed::default()
    }
}

/// A run of it.
pub(crate) struct Erasure<'a> {
    operated: &'a Operated,
    tell: &'a (dyn Fn(Progress) + Sync),
    /// Called with the receipt so far after each step, and before the last, after which nothing of the person can be found to begin again with.
    keep: &'a (dyn Fn(&Receipt) -> anyhow::Result<()> + Sync),
    forget_suppression: bool,
    receipt: Receipt,
    looked_at: BTreeSet<Object>,
    accounts: BTreeSet<AccountId>,
    named_by_others: u64,
}

impl<'a> Erasure<'a> {
    /// Makes ready; nothing is done yet. `before` is the receipt of an earlier run that did not come to its end: this one goes on with it.
    ///
    /// # Errors
    /// Where the table does not answer.
    pub(crate) async fn new(
        operated: &'a Operated,
        tell: &'a (dyn Fn(Progress) + Sync),
        keep: &'a (dyn Fn(&Receipt) -> anyhow::Result<()> + Sync),
        forget_suppression: bool,
        before: Option<Receipt>,
    ) -> anyhow::Result<Self> {
        let config = operated.store.current_config().await?.map(|current| current.version.to_string());
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
            kept: Vec::new(),
            config,
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        });
        let (looked_at, accounts) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self { operated, tell, keep, forget_suppression, receipt, looked_at, accounts, named_by_others: 0 })
    }

    /// Erases who was asked for, and whoever they turn out to be meanwhile: identities that join them are erased with them.
    ///
    /// # Errors
    /// Where a service fails, or the person is written all the time. Run again, it goes on.
    pub(crate) async fn run(mut self, mut asked: Asked) -> anyhow::Result<Receipt> {
        for _ in 0..ROUNDS {
            self.note_who(&asked);
            self.clean_archive(&asked).await?;
            (self.keep)(&self.receipt)?;
            self.clean_table(&asked).await?;
            (self.keep)(&self.receipt)?;
            // What came meanwhile: an event is in the archive before it is in the profile.
            self.clean_archive(&asked).await?;
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
            let store = &self.operated.store;
            let (holder, version) = asked.holder.or_else(|| Some((asked.person()?, 0))).context("nobody was named")?;
            match store.delete_person(&asked.subject, holder, version).await {
                Ok(deleted) => self.receipt.removed.profiles += deleted,
                Err(error) if error.is_conflict() => {
                    asked = self.look_again(&asked).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            return self.finish(&asked).await;
        }
        anyhow::bail!("the person was written all the time; what is gone is gone, run it again for the rest")
    }

    fn note_who(&mut self, asked: &Asked) {
        self.receipt.person = self.receipt.person.or(asked.person());
        self.receipt.identities.extend(&asked.subject.people);
        let hashes = asked.subject.suppressions();
        self.receipt.addresses.extend(hashes.iter().filter_map(|pk| pk.strip_prefix("S#")).map(str::to_owned));
    }

    /// The person as they are now; who they were where there is no profile any more.
    async fn look_again(&self, asked: &Asked) -> anyhow::Result<Asked> {
        let Some((holder, _)) = asked.holder else { return Ok(asked.clone()) };
        let now = self.operated.store.follow(holder, Consistency::Strong).await?;
        Ok(match now {
            Some(stored) => Asked::of(&stored),
            None => Asked { holder: None, ..asked.clone() },
        })
    }

    async fn clean_archive(&mut self, asked: &Asked) -> anyhow::Result<()> {
        let archive = &self.operated.archive;
        let mut objects = archive.objects_since(asked.from).await?;
        objects.retain(|object| !self.looked_at.contains(object));
        let total = objects.len() as u64;
        let looked = stream::iter(objects).map(|object| async move {
            let share = archive.share(&object, &asked.subject).await?;
            archive.take_out(&object, &share).await?;
            anyhow::Ok((object, share))
        });
        let mut looked = std::pin::pin!(looked.buffer_unordered(CONCURRENCY));
        let mut done = 0;
        while let Some((object, share)) = looked.try_next().await? {
            done += 1;
            (self.tell)(Progress::Archive(done, total));
            let receipt = &mut self.receipt;
            receipt.removed.archived_events += share.events.len() as u64;
            receipt.removed.archived_unmerges += share.unmerges.len() as u64;
            receipt.archive_objects_deleted += u64::from(share.is_all());
            receipt.archive_objects_rewritten += u64::from(!share.is_empty() && !share.is_all());
            self.named_by_others += share.named_by_others;
            self.looked_at.insert(object);
        }
        self.receipt.archive_objects_read += total;
        Ok(())
    }

    async fn clean_table(&mut self, asked: &Asked) -> anyhow::Result<()> {
        let (operated, tell) = (self.operated, self.tell);
        let store = &operated.store;
        let about = store.about_how_many().await.unwrap_or(0);
        let passed = std::sync::atomic::AtomicU64::new(0);
        let told = |items| {
            let passed = passed.fetch_add(items, std::sync::atomic::Ordering::Relaxed) + items;
            tell(Progress::Table(passed, about.max(passed)));
        };
        let (mut items, mut own) = (Vec::new(), BTreeSet::new());
        for trace in store.traces(&asked.subject, &told).await? {
            match trace {
                Trace::Own { person, .. } => {
                    own.insert(person);
                }
                Trace::Member { account, person } => {
                    self.receipt.removed.account_memberships += 1;
                    items.push((keys::account(&account), keys::person(person)));
                    self.accounts.insert(account);
                }
                Trace::Pointer { pk } => {
                    self.receipt.removed.identity_pointers += 1;
                    store.release_pointer(&pk, &asked.subject.people).await?;
                }
                Trace::Reject { pk, id } => {
                    self.receipt.removed.rejected_events += 1;
                    items.push((pk, id));
                }
            }
        }
        store.delete_keys(items).await?;
        self.clean_own(own).await
    }

    async fn clean_own(&mut self, people: impl IntoIterator<Item = PersonId>) -> anyhow::Result<()> {
        for person in people {
            for sk in self.operated.store.delete_own(person).await? {
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

    /// What can only be done once the profile is gone, so that nobody brings it back.
    async fn finish(mut self, asked: &Asked) -> anyhow::Result<Receipt> {
        let store = &self.operated.store;
        // Whoever had loaded the profile before it went may have written beside it.
        let people = asked.subject.people.clone();
        for account in &self.accounts {
            let members = people.iter().map(|person| (keys::account(account), keys::person(*person)));
            store.delete_keys(members).await?;
            store.forget_leading_buyer(account, &people).await?;
        }
        self.clean_own(people).await?;
        let bodies: Result<Vec<String>, _> = self
            .accounts
            .iter()
            .map(|account| serde_json::to_string(&AccountsPayload::anew(account.clone())))
            .collect();
        let sent = self.operated.sender("accounts")?.send(bodies?, Delay::NONE).await;
        sent.into_result().context("the person is gone; their accounts could not be asked to be worked out anew")?;
        self.receipt.accounts = self.accounts.len() as u64;
        if self.forget_suppression {
            let suppressions: BTreeMap<String, bool> = store.has_suppressions(&asked.subject).await?;
            self.receipt.removed.suppressions = suppressions.values().filter(|is_there| **is_there).count() as u64;
            store.delete_keys(suppressions.into_keys().map(|pk| (pk, keys::SUPPRESSION.to_owned()))).await?;
        }
        self.receipt.kept = self.kept();
        self.receipt.completed_at = Some(self.operated.now());
        (self.keep)(&self.receipt)?;
        Ok(self.receipt)
    }

    fn kept(&self) -> Vec<Kept> {
        let kept = |what: &str, why: &str, until: Option<&str>| Kept {
            what: what.to_owned(),
            why: why.to_owned(),
            until: until.map(str::to_owned),
        };
        let mut all = Vec::new();
        if !self.forget_suppression && !self.receipt.addresses.is_empty() {
            all.push(kept(
                "what the reader of each address chose, and whether it gets mails, under a hash of the address",
                "so that an address which bounced, complained or unsubscribed is not written to again; --forget-suppression takes it too",
                None,
            ));
        }
        if self.named_by_others > 0 {
            all.push(kept(
                &format!("{} archived events of other people that name one of the ids", self.named_by_others),
                "they are the others' events, as where a browser was shared",
                None,
            ));
        }
        if matches!(self.operated.kind, super::Kind::Deployed(_)) {
            all.push(kept(
                "earlier versions of rewritten and deleted objects of the archive",
                "the bucket keeps versions against mistakes",
                Some("30 days after this"),
            ));
            all.push(kept(
                "the table's point-in-time recovery",
                "a backup cannot be changed; whoever restores from it has to erase again, by this receipt's person",
                Some("35 days after this"),
            ));
        }
        all.push(kept(
            "messages that were on their way in the queues at that moment",
            "an event among them makes a new, empty profile; it goes by erasing again once the queues have run empty",
            Some("the queues' retention, 4 days where nothing else is configured"),
        ));
        all
    }
}
