//! The operations of SES by their paths.

use http::Method;

const OUTBOUND: &str = "/v2/email/outbound-emails";
const ACCOUNT: &str = "/v2/email/account";
const IDENTITIES: &str = "/v2/email/identities";
const SUPPRESSION: &str = "/v2/email/suppression/addresses";
/// Below a configuration set.
const DESTINATIONS: &str = "/event-destinations";
const CONFIGURATION_SETS: &str = "/v2/email/configuration-sets";

/// Returns the name of the operation for a method and path.
pub(crate) fn of(method: &Method, path: &str) -> &'static str {
    let below = |prefix: &str| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    match method.as_str() {
        "POST" if path == OUTBOUND => "SendEmail",
        "GET" if path == ACCOUNT => "GetAccount",
        "GET" if below(IDENTITIES) => "GetEmailIdentity",
        "PUT" if path == SUPPRESSION => "PutSuppressedDestination",
        "GET" if path == SUPPRESSION => "ListSuppressedDestinations",
        "GET" if below(SUPPRESSION) => "GetSuppressedDestination",
        "DELETE" if below(SUPPRESSION) => "DeleteSuppressedDestination",
        "POST" if path == CONFIGURATION_SETS => "CreateConfigurationSet",
        "GET" if path == CONFIGURATION_SETS => "ListConfigurationSets",
        "GET" if below(CONFIGURATION_SETS) && path.ends_with(DESTINATIONS) => "GetConfigurationSetEventDestinations",
        "GET" if below(CONFIGURATION_SETS) => "GetConfigurationSet",
        "DELETE" if below(CONFIGURATION_SETS) => "DeleteConfigurationSet",
        _ => "Unknown",
    }
}
