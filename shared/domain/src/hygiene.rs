//! Values that people typed or systems wrote carelessly, brought into one normal form.
//!
//! Pure, total and idempotent: the normal form of a normal form is itself, and no text is too hostile to be looked at.

pub mod company;
pub mod mail;

mod text;

pub use company::{CompanyDomain, NoCompany, company_domain, is_disposable, is_free_mail, is_shared};
pub use mail::{InvalidMail, MailAddress};
