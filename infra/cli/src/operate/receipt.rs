//! The receipt of an erasure, without personal data: ids are hashed.

use jiff::Timestamp;
use perennial_domain::PersonId;
use perennial_views::words::counted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The removed data, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    /// Profiles, and pointers of identities that had been merged.
    pub(crate) profiles: u64,
    pub(crate) messages: u64,
    /// Blocks of ids of events.
    pub(crate) ledger_blocks: u64,
    /// Other items in the person's own partitions.
    pub(crate) other_items: u64,
    pub(crate) account_memberships: u64,
    /// Index entries of the person, such as those of mail addresses.
    pub(crate) identity_pointers: u64,
    /// Entries of lists.
    #[serde(default)]
    pub(crate) list_entries: u64,
    /// Links of an anonymous id to one of their user ids, in other profiles.
    #[serde(default)]
    pub(crate) links_of_others: u64,
    pub(crate) rejected_events: u64,
    pub(crate) suppressions: u64,
    pub(crate) archived_events: u64,
    /// Manual unmerges of their identities, in the archive.
    pub(crate) archived_unmerges: u64,
}

/// Data that is kept although it concerns the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) what: String,
    pub(crate) why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
}

/// The receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Which system.
    pub(crate) stack: String,
    /// The profile id.
    pub(crate) person: Option<PersonId>,
    /// The hash of each user id and anonymous id.
    pub(crate) identities: BTreeSet<PersonId>,
    /// The hash of each mail address that was known, as suppressions have it.
    pub(crate) addresses: BTreeSet<String>,
    pub(crate) begun_at: Timestamp,
    /// When everything was removed; `None` in the receipt of an interrupted run.
    pub(crate) completed_at: Option<Timestamp>,
    pub(crate) removed: Removed,
    pub(crate) archive_objects_read: u64,
    pub(crate) archive_objects_rewritten: u64,
    pub(crate) archive_objects_deleted: u64,
    /// Accounts that are computed again without them.
    pub(crate) accounts: u64,
    /// `true` if the profile could not be read, so that only hashes and the operator's input identified its ids and
    /// addresses.
    #[serde(default)]
    pub(crate) unreadable_profile: bool,
    /// Items of the table that may or may not refer to a person. They are kept.
    #[serde(default)]
    pub(crate) unreadable_items: u64,
    /// Objects and lines of the archive of which the same is true.
    #[serde(default)]
    pub(crate) unreadable_in_archive: u64,
    /// Entries of the dashboard's audit log with the profile's id. They are kept.
    #[serde(default)]
    pub(crate) audit_entries: u64,
    /// Reports about the subscriptions of accounts. They are kept, without the person.
    #[serde(default)]
    pub(crate) account_facts: u64,
    pub(crate) kept: Vec<Kept>,
    /// The active configuration.
    pub(crate) config: Option<String>,
    /// The version of this tool.
    pub(crate) tool: String,
}

impl Receipt {
    /// Returns whether anything about the person was found.
    pub(crate) fn found_anything(&self) -> bool {
        self.removed != Removed::default()
    }
}

/// Returns what is kept, and why.
pub(crate) fn kept(is_deployed: bool, forget_suppression: bool, receipt: &Receipt, named_by_others: u64) -> Vec<Kept> {
    let kept = |what: String, why: &str, until: Option<&str>| Kept {
        what,
        why: why.to_owned(),
        until: until.map(str::to_owned),
    };
    let mut all = Vec::new();
    if !forget_suppression && !receipt.addresses.is_empty() {
        all.push(kept(
            "the mail preferences of each address, and whether mails are sent to it, under a hash of the address".to_owned(),
            "so that no mails are sent to an address which bounced, complained or unsubscribed; --forget-suppression removes it too",
            None,
        ));
    }
    all.push(kept(
        "a hash of each id, with the time of the erasure".to_owned(),
        "so that history from before it is left out when a file with it is imported again",
        None,
    ));
    if receipt.unreadable_profile {
        all.push(kept(
            "data under hashes of unknown mail addresses: whether mails are sent to them, and their mail preferences"
                .to_owned(),
            "the profile could not be read, and its addresses are not stored elsewhere",
            None,
        ));
    }
    if receipt.unreadable_items > 0 {
        all.push(kept(
            format!("{} items of the table that cannot be read", receipt.unreadable_items),
            "it is unknown whether they refer to the person",
            None,
        ));
    }
    if receipt.unreadable_in_archive > 0 {
        all.push(kept(
            format!("{} objects or lines of the archive that cannot be read", receipt.unreadable_in_archive),
            "it cannot be said whether they are of the person; the log names the objects",
            None,
        ));
    }
    if named_by_others > 0 {
        all.push(kept(
            format!("{named_by_others} archived events of other people that name one of the ids"),
            "they are events of other people, as with a shared browser",
            None,
        ));
    }
    if receipt.account_facts > 0 {
        let reports = counted(receipt.account_facts, "report", "reports");
        all.push(kept(
            format!("{reports} of what accounts pay for their subscriptions, without the person"),
            "the account still pays, or did, and its revenue is its own; they have neither an id nor an address of the person",
            None,
        ));
    }
    if is_deployed {
        all.push(kept(
            "earlier versions of rewritten and deleted objects of the archive".to_owned(),
            "the bucket keeps versions against mistakes",
            Some("30 days after this"),
        ));
        all.push(kept(
            "backups of the table by point-in-time recovery".to_owned(),
            "a backup cannot be changed; after a restore the person has to be erased again",
            Some("35 days after this"),
        ));
    }
    if receipt.audit_entries > 0 {
        all.push(kept(
            format!(
                "{} of the dashboard's audit log, with the profile's id",
                counted(receipt.audit_entries, "entry", "entries")
            ),
            "they say which colleagues saw and changed the profile; the id is a hash, and they have neither name nor address",
            Some("400 days after each entry, or as long as AUDIT_DAYS of the dashboard says"),
        ));
    }
    all.push(kept(
        "messages that were in the queues at that moment".to_owned(),
        "an event among them creates a new, empty profile; erasing again once the queues are empty removes that too",
        Some("the queues have run empty"),
    ));
    all
}
