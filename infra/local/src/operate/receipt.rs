//! What is said of an erasure when it is done, without personal data: ids are hashes.

use jiff::Timestamp;
use perennial_domain::PersonId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// What other profiles held of their user ids: that an anonymous id was once said to be theirs.
    #[serde(default)]
    pub(crate) links_of_others: u64,
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

/// What was done.
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
    /// Whether the profile could not be read, so that of its ids and addresses only hashes and the operator's word were known.
    #[serde(default)]
    pub(crate) unreadable_profile: bool,
    /// Items of the table of which it could not be said whether they lead to anybody. They stay.
    #[serde(default)]
    pub(crate) unreadable_items: u64,
    /// Objects and lines of the archive of which the same is true.
    #[serde(default)]
    pub(crate) unreadable_in_archive: u64,
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

/// What stays, and why.
pub(crate) fn kept(is_deployed: bool, forget_suppression: bool, receipt: &Receipt, named_by_others: u64) -> Vec<Kept> {
    let kept = |what: String, why: &str, until: Option<&str>| Kept {
        what,
        why: why.to_owned(),
        until: until.map(str::to_owned),
    };
    let mut all = Vec::new();
    if !forget_suppression && !receipt.addresses.is_empty() {
        all.push(kept(
            "what the reader of each address chose, and whether it gets mails, under a hash of the address".to_owned(),
            "so that an address which bounced, complained or unsubscribed is not written to again; --forget-suppression takes it too",
            None,
        ));
    }
    if receipt.unreadable_profile {
        all.push(kept(
            "what is kept under hashes of mail addresses that are not known: whether they get mails, and what their readers chose".to_owned(),
            "the profile could not be read, and nothing else says which addresses it had",
            None,
        ));
    }
    if receipt.unreadable_items > 0 {
        all.push(kept(
            format!("{} items of the table that cannot be read", receipt.unreadable_items),
            "it cannot be said whether they lead to the person",
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
            "they are the others' events, as where a browser was shared",
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
            "a backup cannot be changed; whoever restores from it has to erase the person again",
            Some("35 days after this"),
        ));
    }
    all.push(kept(
        "messages that were on their way in the queues at that moment".to_owned(),
        "an event among them makes a new, empty profile; erasing again once the queues have run empty takes that too",
        Some("the queues have run empty"),
    ));
    all
}
