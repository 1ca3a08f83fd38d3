//! The record of SES's reports on mails: when SES last accepted a mail, and when it last reported on one.
//!
//! | item | pk | sk | attributes |
//! |---|---|---|---|
//! | the reports of mails | `REPORTS` | `MAIL` | `sent`, `reported`: the moments, written at most once an hour each; `links`: the address that the links of mails lead to |

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Item, Read, at, s};
use crate::keys;
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};

/// The minimum time between two writes of either time.
pub const STEP: SignedDuration = SignedDuration::from_hours(1);

/// The recorded times of SES's reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailReports {
    /// The time at which SES accepted a mail, and perhaps others in the hour after.
    pub sent: Option<Timestamp>,
    /// The time at which SES reported on a mail, and perhaps on others in the hour after.
    pub reported: Option<Timestamp>,
    /// The address that the links of the mail of `sent` lead to.
    pub links: Option<String>,
}

impl Store {
    /// Reads the record of SES's reports.
    ///
    /// # Errors
    /// [`StoreError`] if the read fails.
    pub async fn mail_reports(&self) -> Result<MailReports, StoreError> {
        let Some(item) = self.get("mail_reports", key(), false).await? else { return Ok(MailReports::default()) };
        Ok(MailReports {
            sent: item.moment("sent")?,
            reported: item.moment("reported")?,
            links: item.text("links")?.map(str::to_owned),
        })
    }

    /// Records that SES accepted a mail at `now` whose links lead to `links`, unless that was recorded within the last
    /// hour.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn note_mail_sent(&self, links: &str, now: Timestamp) -> Result<(), StoreError> {
        self.note_moment("sent", Some(links), now).await
    }

    /// Records that SES reported on a mail at `now`, unless that was recorded within the last hour.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn note_mail_reported(&self, now: Timestamp) -> Result<(), StoreError> {
        self.note_moment("reported", None, now).await
    }

    async fn note_moment(&self, moment: &str, links: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key()))
            .condition_expression("attribute_not_exists(#moment) OR #moment <= :before")
            .expression_attribute_names("#moment", moment)
            .expression_attribute_values(":now", at(now))
            .expression_attribute_values(":before", at(now - STEP));
        update = match links {
            None => update.update_expression("SET #moment = :now"),
            Some(links) => update
                .update_expression("SET #moment = :now, #links = :links")
                .expression_attribute_names("#links", "links")
                .expression_attribute_values(":links", s(links)),
        };
        let sent = update.send().await.map(drop).map_err(|error| sort("note_mail_reports", error));
        unless_conflict(sent).map(drop)
    }
}

fn key() -> Item {
    keys::key(keys::REPORTS, "MAIL")
}
