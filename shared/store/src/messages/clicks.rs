//! Clicks on the links of one mail that follow each other at once.
//!
//! | attribute | what |
//! |---|---|
//! | `click_at`, `click_link` | the click that was reported last: when, in milliseconds since 1970, and the hash of its link |

use crate::error::{StoreError, sort, unless_conflict};
use crate::item::{Read, at, n};
use crate::keys;
use crate::store::Store;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::{SignedDuration, Timestamp};
use perennial_domain::hash::hash32;
use perennial_domain::{DecisionId, PersonId};

impl Store {
    /// Records a click at `now` and returns whether another link of the same mail was followed within `within` of it,
    /// according to earlier reports, with one write that also reads. Returns `false` for the first click, for a missing
    /// mail, and for a repeated report.
    ///
    /// # Errors
    /// [`StoreError`] if the write fails.
    pub async fn note_click(
        &self,
        person: PersonId,
        id: DecisionId,
        link: &str,
        now: Timestamp,
        within: SignedDuration,
    ) -> Result<bool, StoreError> {
        let link = hash32(link);
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(keys::key(keys::person(person), keys::message(id))))
            .update_expression("SET #at = :at, #link = :link")
            .condition_expression("attribute_exists(#rank)")
            .expression_attribute_names("#at", "click_at")
            .expression_attribute_names("#link", "click_link")
            .expression_attribute_names("#rank", "rank")
            .expression_attribute_values(":at", at(now))
            .expression_attribute_values(":link", n(link))
            .return_values(ReturnValue::UpdatedOld);
        let sent = update.send().await.map_err(|error| sort("note_click", error));
        let Some(before) = unless_conflict(sent)?.and_then(|output| output.attributes) else { return Ok(false) };
        let is_near = before.moment("click_at")?.is_some_and(|last| now.duration_since(last).abs() <= within);
        Ok(is_near && before.number("click_link")? != Some(link))
    }
}
