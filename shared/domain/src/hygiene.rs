//! Normalizes values that people typed or systems wrote carelessly.
//!
//! | value | normal form | rules |
//! |---|---|---|
//! | mail address | as written before the `@`, the domain in lower case and ASCII | [`mail`] |
//! | company of an address | the registrable domain; never free mail, disposable mail, a relay or a public suffix | [`company`] |
//! | name | NFC, single spaces, nothing invisible; title case if it was all of one case | [`name`] |
//! | country | two letters of ISO 3166-1 | [`country`] |
//! | phone number | E.164 | [`phone`] |
//! | website | its host | [`website`] |
//! | time zone | IANA's name, or an offset such as `+05:30` | [`zone`] |
//!
//! [`traits`] applies them to an event and reports the changes. Timestamps are corrected and checked when calls are
//! read.
//!
//! Pure, total and idempotent: the normal form of a normal form is itself, and any text is accepted as input.

pub mod company;
pub mod country;
pub mod mail;
pub mod name;
pub mod note;
pub mod phone;
pub mod traits;
pub mod website;
pub mod zone;

pub(crate) mod text;

pub use company::{CompanyDomain, NoCompany, company_domain, is_disposable, is_free_mail, is_shared};
pub use country::{Country, InvalidCountry};
pub use mail::{InvalidMail, MailAddress};
pub use name::{InvalidName, NamePart, company_name, name_part, person_name};
pub use note::{Change, Note, Outcome, Reason};
pub use phone::{InvalidPhone, e164};
pub use website::{InvalidWebsite, website};
pub use zone::{InvalidZone, Zone};
