//! A visitor who may see pages.

use crate::role::Role;
use crate::session::Session;
use perennial_store::audit::Actor;

/// The subject of everyone on loopback, in the audit log.
const LOCAL: &str = "local";

/// A visitor who may see pages.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) subject: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The value that the tokens of this visitor's forms are bound to: nobody else has it.
    pub(crate) session: String,
    /// `true` on the embedded stack without sign-in.
    pub(crate) is_local: bool,
}

impl Visitor {
    /// Returns everyone on loopback.
    pub(crate) fn local() -> Self {
        let local = LOCAL.to_owned();
        Self { subject: local.clone(), name: local.clone(), role: Role::Admin, session: local, is_local: true }
    }

    /// Returns the visitor of a session, whose cookie has this value.
    pub(crate) fn of(session: Session, cookie: &str) -> Self {
        let signature = cookie.rsplit_once('.').map_or(cookie, |(_, signature)| signature);
        let Session { subject, name, role, .. } = session;
        Self { subject, name, role, session: signature.to_owned(), is_local: false }
    }

    /// Returns the visitor's name with the subject, which alone identifies them: at many providers people choose their names.
    pub(crate) fn named(&self) -> String {
        if self.name == self.subject { self.name.clone() } else { format!("{} ({})", self.name, self.subject) }
    }

    /// Returns the visitor as the audit log names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor { subject: self.subject.clone(), name: self.name.clone(), role: self.role.as_str().to_owned() }
    }
}
