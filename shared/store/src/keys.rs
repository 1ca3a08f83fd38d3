//! All keys of the table: `pk`, the partition key, and `sk`, the sort key.

use crate::item::{Item, s};
use jiff::Timestamp;
use jiff::civil::Date;
use perennial_domain::hygiene::mail;
use perennial_domain::{AccountId, DecisionId, PersonId, Subject, hash, time};

/// The attribute of the partition key.
pub const PK: &str = "pk";
/// The attribute of the sort key.
pub const SK: &str = "sk";
/// The sort key of a profile, or of the pointer of a merged one.
pub const PROFILE: &str = "P";
/// The sort key of an account.
pub const ACCOUNT: &str = "A";
/// The sort key of an identity's pointer.
pub const IDENTITY: &str = "I";
/// The sort key of a suppression.
pub const SUPPRESSION: &str = "S";
/// The beginning of a ledger block's sort key.
pub const LEDGER: &str = "L#";
/// The beginning of a message's sort key.
pub const MESSAGE: &str = "M#";
/// The prefix of the sort key of a person's inbox entry. On its own it marks an inbox that contains all of the person's
/// messages.
pub const INBOX: &str = "N#";
/// The beginning of the sort key of an update of a person's CRM record.
pub const UPDATE: &str = "K#";
/// The sort key of which update of an account's or a person's CRM record was done last.
pub const DONE: &str = "U";
/// The beginning of the sort key of an account's claim of a company domain, in the partition of the domain's own account.
pub const CLAIM: &str = "C#";
/// The sort key of what a person chose about mails, whatever their address is.
pub const WISHES: &str = "W";
/// The partition of the config.
pub const CONFIG: &str = "CONFIG";
/// The sort key of the active configuration.
pub const CURRENT: &str = "CURRENT";
/// The sort key of the version that all history was last counted under.
pub const RESCORED: &str = "RESCORED";
/// The beginning of the sort key of a stored version of the config.
pub const VERSION: &str = "V#";
/// The beginning of the sort key of a part of a compiled config.
pub const COMPILED: &str = "B#";
/// The partition of the runs of the sweep, each under the moment at which it began.
pub const SWEEPS: &str = "SWEEPS";
/// The partition of the sweep's progress, each shard of the due index under its name.
pub const SWEPT: &str = "SWEPT";
/// The partition of what the whole table was counted as.
pub const COUNTED: &str = "COUNTED";
/// The sort key of the last count.
pub const LAST: &str = "LAST";
/// The sort key of the pass that counts.
pub const PASS: &str = "PASS";
/// The partition of the run of reports.
pub const FIGURES: &str = "FIGURES";
/// The partition of the counters.
pub const STAT: &str = "STAT";
/// The partition of the journeys that are, or were, paused, each under its own partition's name.
pub const PAUSES: &str = "PAUSES";
/// The partition of the rate at which mails go out.
pub const PACE: &str = "PACE";
/// The partition of what SES reported last.
pub const REPORTS: &str = "REPORTS";
/// The beginning of the partitions of lists.
pub const LIST: &str = "X#";
/// The sort key of the time at which someone was erased.
pub const ERASED: &str = "E";
/// The beginning of the sort key of a journey's day.
pub const DAY: &str = "D#";
/// Partitions of the rejects of a day: each takes 1,000 write units a second.
pub const REJECT_SHARDS: u8 = 8;
/// Shards of the due index: each takes 1,000 writes a second.
pub const DUE_SHARDS: u8 = 16;

/// Returns the partition of a profile, and of an identity's ledger.
pub fn person(person: PersonId) -> String {
    format!("P#{person}")
}

/// Returns the partition of the time at which someone was erased, by a hash of their profile id.
pub fn erased(person: PersonId) -> String {
    format!("E#{}", hash::base32(&hash::sha256(&[b"erased", person.as_bytes()])[..15]))
}

/// Returns the profile id in a partition key or a member's sort key; `None` for other keys.
pub fn person_of(key: &str) -> Option<PersonId> {
    PersonId::parse(key.strip_prefix("P#")?).ok()
}

/// The sort key of ledger block `number`.
pub fn ledger(number: u32) -> String {
    format!("{LEDGER}{number:06}")
}

/// The sort key of a message.
pub fn message(decision: DecisionId) -> String {
    format!("{MESSAGE}{decision}")
}

/// The partition and the sort key of an update of the CRM's record of `subject`.
pub fn update(subject: &Subject, id: DecisionId) -> (String, String) {
    match subject {
        Subject::Account(of) => (account(of), message(id)),
        Subject::Person(of) => (person(*of), format!("{UPDATE}{id}")),
    }
}

/// The sort key of the inbox entry of a message that was decided at `decided`: entries sort by time.
pub fn inbox(decided: Timestamp, decision: DecisionId) -> String {
    // Wide enough for the milliseconds of every year up to 9999, and never negative.
    format!("{INBOX}{:015}#{decision}", decided.as_millisecond().max(0))
}

/// The decision of a message's sort key or of that of its inbox entry; `None` where it is of something else.
pub fn decision_of(key: &str) -> Option<DecisionId> {
    let id = match key.strip_prefix(INBOX) {
        Some(entry) => entry.split_once('#')?.1,
        None => key.strip_prefix(MESSAGE)?,
    };
    DecisionId::parse(id).ok()
}

/// The partition of an account.
pub fn account(account: &AccountId) -> String {
    format!("A#{account}")
}

/// The account of a partition key; `None` where it is of something else.
pub fn account_of(key: &str) -> Option<AccountId> {
    AccountId::parse(key.strip_prefix("A#")?).ok()
}

/// The sort key of the claim that `account` makes of a company domain.
pub fn claim(account: &AccountId) -> String {
    format!("{CLAIM}{account}")
}

/// Returns whether a partition is an account's.
pub fn is_account(partition: &str) -> bool {
    partition.starts_with("A#")
}

/// Returns the partition of a mail address's owners, by the hash of [`mail::key`].
pub fn mail_address(address: &str) -> String {
    format!("I#mail#{}", address_hash(address))
}

/// Returns the partition of the owners of an id in another system, given as `type:id`.
pub fn external_id(id: &str) -> String {
    format!("I#external#{}", hash::base32(&hash::sha256(&[id.as_bytes()])))
}

/// The partition of a suppressed mail address.
pub fn suppression(address: &str) -> String {
    format!("S#{}", address_hash(address))
}

/// The partition of a suppressed mail address of which only the hash is known.
pub fn suppression_hashed(hash: &[u8; 32]) -> String {
    format!("S#{}", hash::base32(hash))
}

/// Returns the partition of rejects on the UTC day of `received`, before rejects had shards, which is also the prefix
/// of the current ones.
pub fn rejects(received: Timestamp) -> String {
    format!("R#{}", time::date_of(time::day_of(received)))
}

/// The key of a reject: on the UTC day of `received`, in one of [`REJECT_SHARDS`] partitions by its id, sorted by the minute. The same event again within the minute is
/// the same item.
pub fn reject(received: Timestamp, id: &str) -> (String, String) {
    let shard = hash::hash64(&[id.as_bytes()]) % u64::from(REJECT_SHARDS);
    (
        rejects_of(received, u8::try_from(shard).unwrap_or_default()),
        format!("{:08}#{id}", received.as_second().div_euclid(60).max(0)),
    )
}

/// Returns the partition of shard `shard` of rejects on the UTC day of `received`.
pub fn rejects_of(received: Timestamp, shard: u8) -> String {
    format!("{}#{}", rejects(received), shard_name(shard))
}

/// The id of a reject by its sort key; of one that was stored before rejects were sorted, the key itself.
pub fn reject_id(key: &str) -> &str {
    key.split_once('#').map_or(key, |(_, id)| id)
}

/// Returns whether a partition contains the rejects of a day.
pub fn is_rejects(partition: &str) -> bool {
    partition.starts_with("R#")
}

/// The partition of the audit log's entries of the UTC day of `at`.
pub fn audit_of(at: Timestamp) -> String {
    audit_on(time::date_of(time::day_of(at)))
}

/// The partition of the audit log's entries of a UTC day.
pub fn audit_on(day: Date) -> String {
    format!("LOG#{day}")
}

/// Returns whether a partition contains entries of the audit log.
pub fn is_audit(partition: &str) -> bool {
    partition.starts_with("LOG#")
}

/// The sort key of an entry of the audit log: entries sort by time.
pub fn audit(at: Timestamp, id: &str) -> String {
    format!("{:015}#{id}", at.as_millisecond().max(0))
}

/// The sort key of the sweep's run that began at `at`.
pub fn sweep(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The partition of a journey's counts.
pub fn journey(name: &str) -> String {
    format!("J#{name}")
}

/// Returns the journey in a key; `None` for other keys.
pub fn journey_of(key: &str) -> Option<&str> {
    key.strip_prefix("J#")
}

/// The sort key of a journey's counts, or of a report, of the UTC day of `at`.
pub fn journey_day(at: Timestamp) -> String {
    day(time::date_of(time::day_of(at)))
}

/// The sort key of something of a UTC day.
pub fn day(date: Date) -> String {
    format!("{DAY}{date}")
}

/// The sort key of a part of a large pass, of which this is the hash.
pub fn pass_part(hash: &str, number: usize) -> String {
    format!("{PASS}#{hash}#{number}")
}

/// The partition of a report.
pub fn figures(report: &str) -> String {
    format!("{FIGURES}#{report}")
}

/// The shards of a journey's counts of harm: a burst of bounces is counted in transactions, and DynamoDB lets two of them on one item fail.
pub const HARM_SHARDS: u8 = 16;

/// The sort key of the shard of a journey's counts of harm of the UTC day of `at` that `decision` belongs to.
pub fn journey_day_shard(at: Timestamp, decision: DecisionId) -> String {
    let shard =
        decision.to_string().bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)) % HARM_SHARDS;
    format!("{}#{}", journey_day(at), shard_name(shard))
}

/// Returns the day in such a sort key, with or without a shard.
pub fn day_of_key(key: &str) -> &str {
    key.get(..DAY.len() + 10).unwrap_or(key)
}

/// Returns a partition of a list: of people (`P`) or accounts (`A`).
pub fn list(kind: char, list: &str, shard: &str) -> String {
    format!("{LIST}{kind}#{list}#{shard}")
}

/// Returns the profile whose entry in a list of people has this key; `None` for other keys.
pub fn listed_person(pk: &str, sk: &str) -> Option<PersonId> {
    pk.strip_prefix(LIST)?.strip_prefix("P#")?;
    PersonId::parse(sk.split_once('#')?.1).ok()
}

/// The sort key of a stored version of the config.
pub fn config_version(version: &str) -> String {
    format!("{VERSION}{version}")
}

/// The sort key of a part, from 0, of a version of the config, compiled in a format.
pub fn compiled_config(version: &str, format: u32, part: usize) -> String {
    format!("{COMPILED}{version}#{format}#{part}")
}

/// Returns the due index's shard of a profile, one hexadecimal digit.
pub fn due_shard(person: PersonId) -> String {
    // Profile ids are hashes: their last bits are evenly distributed.
    let last = person.as_bytes().last().copied().unwrap_or_default();
    shard_name(last % DUE_SHARDS)
}

/// The due index's shard of an account, one hexadecimal digit.
pub fn due_shard_of_account(account: &AccountId) -> String {
    let last = hash::hash64(&[account.as_str().as_bytes()]).to_be_bytes()[7];
    shard_name(last % DUE_SHARDS)
}

/// Returns the name of shard `number`, below [`DUE_SHARDS`].
pub fn shard_name(number: u8) -> String {
    format!("{number:x}")
}

fn address_hash(address: &str) -> String {
    hash::base32(&hash::sha256(&[mail::key(address).as_bytes()]))
}

/// A primary key.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    Item::from([(PK.to_owned(), s(pk)), (SK.to_owned(), s(sk))])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_are_what_the_readme_says() {
        let id = PersonId::derive(&[b"user", b"u-1"]);
        assert_eq!(person(id), format!("P#{id}"));
        assert_eq!(person_of(&person(id)), Some(id));
        assert_eq!(person_of("A#acme"), None);
        assert_eq!(ledger(7), "L#000007");
        let decision = DecisionId::of(id, "j", 0, b"c");
        let entry = inbox("2026-03-01T00:00:00Z".parse().unwrap(), decision);
        assert_eq!(entry, format!("N#001772323200000#{decision}"));
        assert_eq!((decision_of(&entry), decision_of(&message(decision))), (Some(decision), Some(decision)));
        assert_eq!((decision_of(INBOX), decision_of(PROFILE)), (None, None));
        assert_eq!(account(&AccountId::parse("acme").unwrap()), "A#acme");
        assert_eq!(rejects("2026-03-01T23:59:59Z".parse().unwrap()), "R#2026-03-01");
    }

    #[test]
    fn a_mail_address_is_one_key_however_it_is_written_and_never_readable() {
        for same in [" Ada@Example.com", "Ada <ada@example.com>", "mailto:ADA@example.com"] {
            assert_eq!(mail_address(same), mail_address("ada@example.com"), "{same}");
        }
        assert_eq!(suppression("ada@B\u{fc}cher.example"), suppression("ada@xn--bcher-kva.example"));
        assert_ne!(mail_address("ada@example.com"), mail_address("bob@example.com"));
        assert!(!suppression("ada@example.com").contains("ada"));
    }

    #[test]
    fn people_spread_over_all_shards() {
        let shards: std::collections::HashSet<String> =
            (0..400_u32).map(|i| due_shard(PersonId::derive(&[&i.to_be_bytes()]))).collect();
        assert_eq!(shards.len(), usize::from(DUE_SHARDS));
        assert!(shards.contains(&shard_name(15)));
    }
}
