//! The calls of a service's client, for tests that count them.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::sync::{Arc, Mutex, PoisonError};

/// The operations that a service was asked for, by their names such as `GetItem`: an interceptor of its client.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    made: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Vec<&'static str>>>,
}

impl Calls {
    /// Returns the operations since this was last asked, and forgets them.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes calls of this operation fail from now on.
    pub fn refuse(&self, operation: &'static str) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let is_refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).contains(&operation.as_str());
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
        if is_refused { Err("the call is refused by a test".into()) } else { Ok(()) }
    }
}
