//! Accepted differences, each with its reason. Any other difference is drift.

use serde_json::Value as Json;
use std::collections::BTreeSet;

/// One of the two renderings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The synthesised template.
    Cdk,
    /// The evaluated module.
    Terraform,
}

/// A setting of one side that the other cannot, or need not, have.
struct Exception {
    side: Side,
    kind: &'static str,
    /// The property's path.
    path: &'static str,
    /// The only text that it may be; `None` for anything.
    value: Option<&'static str>,
    reason: &'static str,
}

const fn exception(
    side: Side,
    kind: &'static str,
    path: &'static str,
    value: Option<&'static str>,
    reason: &'static str,
) -> Exception {
    Exception { side, kind, path, value, reason }
}

const PACKAGE: &str = "CDK puts packages into its own bucket, Terraform hands the file over";
const EXTENSION: &str = "CDK writes the extension's own defaults out";
const FUNCTION: &str = "AWS::Lambda::Function";

const EXCEPTIONS: &[Exception] = &[
    exception(Side::Cdk, FUNCTION, "Code.S3Bucket", None, PACKAGE),
    exception(Side::Cdk, FUNCTION, "Code.S3Key", None, PACKAGE),
    exception(
        Side::Cdk,
        FUNCTION,
        "Environment.Variables.SECRETS_REVISION",
        Some("1"),
        "CloudFormation reads secrets only when a function changes, Terraform with every plan",
    ),
    exception(
        Side::Cdk,
        FUNCTION,
        "Environment.Variables.PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED",
        Some("true"),
        EXTENSION,
    ),
    exception(
        Side::Cdk,
        FUNCTION,
        "Environment.Variables.PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE",
        Some("1000"),
        EXTENSION,
    ),
    exception(
        Side::Cdk,
        FUNCTION,
        "Environment.Variables.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT",
        Some("2773"),
        EXTENSION,
    ),
    exception(
        Side::Cdk,
        FUNCTION,
        "Environment.Variables.PARAMETERS_SECRETS_EXTENSION_LOG_LEVEL",
        Some("info"),
        EXTENSION,
    ),
    exception(
        Side::Cdk,
        FUNCTION,
        "Environment.Variables.PARAMETERS_SECRETS_EXTENSION_MAX_CONNECTIONS",
        Some("3"),
        EXTENSION,
    ),
    exception(Side::Cdk, FUNCTION, "Environment.Variables.SECRETS_MANAGER_TIMEOUT_MILLIS", Some("0"), EXTENSION),
    exception(Side::Cdk, FUNCTION, "Environment.Variables.SECRETS_MANAGER_TTL", Some("300"), EXTENSION),
    exception(Side::Cdk, FUNCTION, "Environment.Variables.SSM_PARAMETER_STORE_TIMEOUT_MILLIS", Some("0"), EXTENSION),
    exception(Side::Cdk, FUNCTION, "Environment.Variables.SSM_PARAMETER_STORE_TTL", Some("300"), EXTENSION),
    exception(
        Side::Cdk,
        "AWS::CloudWatch::Dashboard",
        "Tags.perennial",
        None,
        "the provider's dashboards take no tags",
    ),
    exception(
        Side::Terraform,
        FUNCTION,
        "LoggingConfig.LogFormat",
        Some("Text"),
        "the provider wants it said; it is what Lambda does where nobody says",
    ),
];

/// The exceptions, and which of them were needed.
#[derive(Debug, Default)]
pub struct Exceptions {
    needed: BTreeSet<usize>,
}

impl Exceptions {
    /// Returns whether only `side` may have `value` there.
    pub(crate) fn allow(&mut self, side: Side, kind: &str, path: &str, value: &Json) -> bool {
        let fits = |exception: &Exception| {
            exception.side == side
                && exception.kind == kind
                && exception.path == path
                && exception.value.is_none_or(|only| value == only)
        };
        let found = EXCEPTIONS.iter().position(fits);
        self.needed.extend(found);
        found.is_some()
    }

    /// Returns unused exceptions: they could hide drift one day.
    #[must_use]
    pub fn idle(&self) -> Vec<String> {
        let idle = EXCEPTIONS.iter().enumerate().filter(|(at, _)| !self.needed.contains(at));
        idle.map(|(_, Exception { kind, path, reason, .. })| {
            format!("no exception is needed for {kind} {path} ({reason})")
        })
        .collect()
    }
}
