//! The handler's dependencies.

use crate::access::Access;
use crate::config::AUDIT_DAYS;
use crate::form::Tokens;
use perennial_lambda_kit::queue::Sender;
use perennial_views::Views;
use std::sync::Arc;

/// The handler's dependencies, one for the whole process.
pub struct Deps {
    pub(crate) views: Views,
    pub(crate) events: Arc<dyn Sender>,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) access: Access,
    pub(crate) tokens: Tokens,
    /// Days for which entries of the audit log are kept.
    pub(crate) audit_days: u16,
}

impl Deps {
    /// `events` is the events queue, and `sqs` the client by which dead letters are redriven.
    #[must_use]
    pub fn new(views: Views, events: Arc<dyn Sender>, sqs: aws_sdk_sqs::Client, access: Access) -> Self {
        let tokens = Tokens::new(access.keys());
        Self { views, events, sqs, access, tokens, audit_days: AUDIT_DAYS }
    }

    /// Sets the days for which entries of the audit log are kept.
    #[must_use]
    pub fn with_audit_days(self, audit_days: u16) -> Self {
        Self { audit_days, ..self }
    }
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("views", &self.views).field("access", &self.access).finish_non_exhaustive()
    }
}
