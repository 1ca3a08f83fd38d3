//! Access control.

use crate::keys::Keys;
use crate::sign_in::SignIn;
use std::sync::Arc;

/// The access of visitors.
#[derive(Debug, Clone)]
pub enum Access {
    /// Everyone who reaches the function may see and do everything: for the embedded stack on loopback.
    Open,
    /// Nobody: sign-in is not configured. Every page is the same refusal, and no data is read.
    Refused,
    /// Everyone who signs in at a provider and has a role.
    SignIn(Arc<SignIn>),
}

impl Access {
    /// Returns the keys of forms: those of sessions, which all instances of a function share, or those of this process.
    pub(crate) fn keys(&self) -> Keys {
        match self {
            Self::SignIn(sign_in) => sign_in.keys().clone(),
            Self::Open | Self::Refused => Keys::random(),
        }
    }
}
