//! How many invocations the AWS account runs at once, and what of that should be reserved.
//!
//! One call of Lambda's API, signed here: a client of the SDK for it would double what the command takes to build.
//! [`GetAccountSettings`](https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html).

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use http_body_util::BodyExt;
use indicatif::HumanCount;
use jiff::Timestamp;
use perennial_config::deployment::Deployment;
use serde::Deserialize;
use std::fmt::Display;

/// Invocations that Lambda does not let anybody reserve.
const NEVER_RESERVED: u32 = 100;
/// Invocations at once that suffice `ingest` for some thousand requests a second.
const INGEST: u32 = 50;
/// Invocations at once that suffice `api`.
const API: u32 = 20;
/// Invocations at once that suffice `dashboard`.
const DASHBOARD: u32 = 10;

/// Invocations at once that the account is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Quota {
    /// All.
    #[serde(rename = "ConcurrentExecutions")]
    pub(crate) all: u32,
    /// Those that are not reserved for a function.
    #[serde(rename = "UnreservedConcurrentExecutions")]
    pub(crate) unreserved: u32,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(rename = "AccountLimit")]
    limit: Quota,
}

/// Asks Lambda for the account's quota, over `http`, by the credentials, region and endpoint of `aws`.
///
/// # Errors
/// The reason for a missing answer, or Lambda's refusal.
pub(crate) async fn quota(aws: &SdkConfig, http: &SharedHttpConnector, now: Timestamp) -> Result<Quota, String> {
    let text = |error: &dyn Display| error.to_string();
    let region = aws.region().ok_or("no AWS region is set")?.as_ref();
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let base = aws.endpoint_url().map_or_else(|| format!("https://lambda.{region}.{domain}"), str::to_owned);
    let url = format!("{}/2016-08-19/account-settings/", base.trim_end_matches('/'));
    let credentials = aws.credentials_provider().ok_or("there are no AWS credentials")?;
    let identity = credentials.provide_credentials().await.map_err(|error| text(&error))?.into();
    let settings = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("lambda")
        .time(now.into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| text(&error))?
        .into();
    let signable = SignableRequest::new("GET", &*url, std::iter::empty(), SignableBody::Bytes(&[]));
    let signed = signable.and_then(|request| sign(request, &settings)).map_err(|error| text(&error))?;
    let mut request = http::Request::get(&url).body(SdkBody::empty()).map_err(|error| text(&error))?;
    signed.into_parts().0.apply_to_request_http1x(&mut request);
    let request = HttpRequest::try_from(request).map_err(|error| text(&error))?;
    let answer = http.call(request).await.map_err(|error| format!("Lambda does not answer: {error}"))?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.map_err(|error| text(&error))?.to_bytes();
    if status != 200 {
        return Err(format!("Lambda answers {status}: {}", String::from_utf8_lossy(&body)));
    }
    let settings: Settings = serde_json::from_slice(&body).map_err(|_| "Lambda's answer cannot be read".to_owned())?;
    Ok(settings.limit)
}

/// Returns advice on limits for the public functions, by the quota of the account; `None` if both have a limit of their
/// own. Function URLs have no other rate limit: without one, a flood of requests takes the invocations that the other
/// functions need.
pub(crate) fn advice(quota: Quota, deployment: &Deployment) -> Option<String> {
    let open = [
        ("ingest", deployment.ingest, INGEST),
        ("api", deployment.api, API),
        ("dashboard", deployment.dashboard, DASHBOARD),
    ];
    let open: Vec<_> = open.into_iter().filter(|(_, function, _)| function.concurrency.is_none()).collect();
    if open.is_empty() {
        return None;
    }
    let all = HumanCount(u64::from(quota.all));
    let wanted: u32 = open.iter().map(|(.., most)| most).sum();
    if quota.unreserved < NEVER_RESERVED + wanted {
        return Some(format!(
            "the account allows {all} concurrent invocations, too few to reserve {wanted} for functions that are called from outside: \
             `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000` asks for more"
        ));
    }
    let settings: Vec<String> =
        open.iter().map(|(name, _, most)| format!("`concurrency = {most}` under [functions.{name}]")).collect();
    Some(format!(
        "the account allows {all} concurrent invocations, which a flood of requests could take from all functions: set {} in deployment.toml, and deploy",
        settings.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_types::region::Region;
    use axum::Router;
    use axum::extract::Request;
    use axum::routing::get;
    use perennial_lambda_kit::{Env, aws};

    #[test]
    fn concurrency_is_recommended_where_the_quota_allows_it_and_nothing_is_set() {
        let quota = |all, unreserved| Quota { all, unreserved };
        let mut deployment = Deployment::default();
        let both = advice(quota(1000, 1000), &deployment).unwrap();
        assert!(
            both.contains("allows 1,000") && both.contains("`concurrency = 50` under [functions.ingest]"),
            "{both}"
        );
        assert!(advice(quota(10, 10), &deployment).unwrap().contains("request-service-quota-increase"));
        assert!(advice(quota(1000, 179), &deployment).unwrap().contains("reserve 80"));
        assert!(advice(quota(1000, 180), &deployment).unwrap().contains("deployment.toml"));
        deployment.ingest.concurrency = Some(80);
        let api = advice(quota(1000, 130), &deployment).unwrap();
        assert!(api.contains("`concurrency = 20` under [functions.api]") && !api.contains("ingest"), "{api}");
        deployment.api.concurrency = Some(10);
        let dashboard = advice(quota(1000, 120), &deployment).unwrap();
        assert!(dashboard.contains("set `concurrency = 10` under [functions.dashboard] in"), "{dashboard}");
        deployment.dashboard.concurrency = Some(5);
        assert_eq!(advice(quota(1000, 120), &deployment), None);
    }

    #[tokio::test]
    async fn quota_is_asked_for_in_a_signed_request() {
        let answer = |request: Request| async move {
            let signature = request.headers()["authorization"].to_str().unwrap().to_owned();
            let scope = "AWS4-HMAC-SHA256 Credential=key/20260302/eu-central-1/lambda/aws4_request, ";
            if signature.starts_with(scope) && request.headers().contains_key("x-amz-security-token") {
                r#"{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":900,"TotalCodeSize":1},"AccountUsage":{}}"#
            } else {
                "{}"
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/2016-08-19/account-settings/", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let credentials = Credentials::new("key", "secret", Some("token".to_owned()), None, "test");
        let config = |base: &str| {
            SdkConfig::builder()
                .region(Region::new("eu-central-1"))
                .endpoint_url(base)
                .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
                .build()
        };
        let http = aws::http_connector(&Env::from_pairs([] as [(&str, &str); 0])).unwrap();
        let now = "2026-03-02T08:00:00Z".parse().unwrap();
        assert_eq!(quota(&config(&base), &http, now).await, Ok(Quota { all: 1000, unreserved: 900 }));
        let refused = quota(&config(&format!("{base}/elsewhere")), &http, now).await;
        assert!(refused.unwrap_err().starts_with("Lambda answers 404"));
    }
}
