//! A person's accounts, as the API shows them.

use jiff::Timestamp;
use jiff::civil::Date;
use perennial_config::Config;
use perennial_domain::AccountId;
use perennial_domain::time::date_of;
use perennial_engine::State;
use perennial_engine::instant::timestamp;
use perennial_engine::membership::{last_active_in, memberships};
use serde::Serialize;

/// A membership of an account.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct MembershipView {
    /// The account.
    pub account: AccountId,
    /// `true` if the person's scores count in it.
    pub primary: bool,
    /// When a `group` call or a billing event last named it; `null` if it is derived from the mail address or another
    /// call.
    pub named_at: Option<Timestamp>,
    /// The day, in UTC, of the newest activity that names it; `null` without any.
    pub last_active: Option<Date>,
}

/// Returns the accounts of the person whose combined state is `view`, the primary first.
pub fn all(config: &Config, view: &State) -> Vec<MembershipView> {
    let accounts = memberships(config, view).into_iter().enumerate();
    let show = |(nth, account): (usize, AccountId)| MembershipView {
        primary: nth == 0,
        named_at: view.memberships.said.get(account.as_str()).map(|said| timestamp(said.at)),
        last_active: last_active_in(view, &account).map(date_of),
        account,
    };
    accounts.map(show).collect()
}
