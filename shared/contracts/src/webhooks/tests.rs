#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]
use super::*;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

const NOW: i64 = 1_736_935_200;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn secret(text: &str) -> Vec<Secret> {
    Secret::list(text)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect()
}

fn check(
    scheme: Scheme,
    key: &str,
    pairs: &[(&'static str, &str)],
    body: &[u8],
    at: Timestamp,
) -> Result<(), Rejection> {
    let headers = headers(pairs);
    let request = Signed { method: "POST", uri: "https://hooks.example.com/hooks/x?a=b%3Ac", headers: &headers, body };
    verify(scheme, &secret(key), request, at)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &parts.concat()).as_ref().to_vec()
}

#[test]
fn stripe_takes_any_of_several_signatures_but_no_other_version() {
    let sign = |t: &str, body: &[u8]| HEXLOWER.encode(&mac(b"whsec_x", &[t.as_bytes(), b".", body]));
    let good = sign("1736935200", b"{}");
    let verify = |header: &str, body: &[u8], at: i64| {
        check(Scheme::Stripe, "whsec_x", &[("stripe-signature", header)], body, Timestamp::from_second(at).unwrap())
    };
    let zeros = "0".repeat(64);
    assert_eq!(verify(&format!("t={NOW},v1={good}"), b"{}", NOW), Ok(()));
    assert_eq!(verify(&format!("t={NOW},v0={zeros},v1={zeros},v1={good}"), b"{}", NOW), Ok(()));
    assert_eq!(verify(&format!("t={NOW},v1={zeros}"), b"{}", NOW), Err(Rejection::WrongSignature));
    assert_eq!(verify(&format!("t={NOW},v1={good}"), b"{ }", NOW), Err(Rejection::WrongSignature));
    assert_eq!(
        verify(&format!("t={NOW},v0={good}"), b"{}", NOW),
        Err(Rejection::UnsupportedVersion("stripe-signature"))
    );
    assert_eq!(verify(&format!("v1={good}"), b"{}", NOW), Err(Rejection::MalformedHeader("stripe-signature")));
    assert_eq!(verify(&format!("t={NOW},v1=zz"), b"{}", NOW), Err(Rejection::MalformedHeader("stripe-signature")));
    assert_eq!(verify(&format!("t={NOW},v1={good}"), b"{}", NOW + 300), Ok(()));
    assert_eq!(verify(&format!("t={NOW},v1={good}"), b"{}", NOW + 301), Err(Rejection::TooOld));
    assert_eq!(verify(&format!("t={NOW},v1={good}"), b"{}", NOW - 310), Ok(()), "as Stripe's own libraries");
    assert_eq!(check(Scheme::Stripe, "whsec_x", &[], b"", now()), Err(Rejection::MissingHeader("stripe-signature")));
}

#[test]
fn github_signs_the_body_alone() {
    let good = format!("sha256={}", HEXLOWER.encode(&mac(b"It's a Secret to Everybody", &[b"Hello, World!"])));
    // The example of GitHub's documentation.
    assert_eq!(good, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    let verify = |value: &str, body: &[u8]| {
        let headers = headers(&[("x-hub-signature-256", value)]);
        let request = Signed { method: "POST", uri: "/", headers: &headers, body };
        super::verify(Scheme::GitHub, &[Secret::new("It's a Secret to Everybody").unwrap()], request, now())
    };
    assert_eq!(verify(&good, b"Hello, World!"), Ok(()));
    assert_eq!(verify(&good, b"Hello, World"), Err(Rejection::WrongSignature));
    assert_eq!(verify("sha1=00", b""), Err(Rejection::UnsupportedVersion("x-hub-signature-256")));
    assert_eq!(verify("sha256=0", b""), Err(Rejection::MalformedHeader("x-hub-signature-256")));
}

#[test]
fn hubspot_signs_method_uri_body_and_time() {
    let millis = (NOW * 1000).to_string();
    let uri = b"https://hooks.example.com/hooks/x?a=b:c";
    let good = BASE64.encode(&mac(b"s", &[b"POST", uri, b"[]", millis.as_bytes()]));
    let verify = |body: &[u8], at| {
        check(
            Scheme::HubSpot,
            "s",
            &[("x-hubspot-signature-v3", &good), ("x-hubspot-request-timestamp", &millis)],
            body,
            Timestamp::from_second(at).unwrap(),
        )
    };
    assert_eq!(verify(b"[]", NOW), Ok(()));
    assert_eq!(verify(b"[{}]", NOW), Err(Rejection::WrongSignature));
    assert_eq!(verify(b"[]", NOW + 301), Err(Rejection::TooOld));
    assert_eq!(verify(b"[]", NOW - 301), Err(Rejection::TooNew));
}

#[test]
fn zendesk_signs_time_and_body() {
    let time = "2025-01-15T10:00:00Z";
    let good = BASE64.encode(&mac(b"s", &[time.as_bytes(), b"{}"]));
    let verify = |time: &str, body: &[u8], at: Timestamp| {
        check(
            Scheme::Zendesk,
            "s",
            &[("x-zendesk-webhook-signature", &good), ("x-zendesk-webhook-signature-timestamp", time)],
            body,
            at,
        )
    };
    assert_eq!(verify(time, b"{}", now()), Ok(()));
    assert_eq!(verify("2025-01-15T10:00:01Z", b"{}", now()), Err(Rejection::WrongSignature));
    assert_eq!(verify(time, b"{}", now() + SignedDuration::from_hours(25)), Err(Rejection::TooOld));
    assert_eq!(
        verify("yesterday", b"{}", now()),
        Err(Rejection::MalformedHeader("x-zendesk-webhook-signature-timestamp"))
    );
}

#[test]
fn any_of_several_secrets_verifies_while_one_is_rotated() {
    let good = format!("sha256={}", HEXLOWER.encode(&mac(b"new", &[b"x"])));
    assert_eq!(check(Scheme::GitHub, "old new", &[("x-hub-signature-256", &good)], b"x", now()), Ok(()));
    assert_eq!(
        check(Scheme::GitHub, "old", &[("x-hub-signature-256", &good)], b"x", now()),
        Err(Rejection::WrongSignature)
    );
    assert_eq!(
        check(Scheme::GitHub, "", &[("x-hub-signature-256", &good)], b"x", now()),
        Err(Rejection::WrongSignature),
        "no secret, no trust"
    );
}

#[test]
fn a_secret_does_not_print_itself() {
    assert!(!format!("{:?}", secret("whsec_abc")).contains("abc"));
    assert_eq!(Secret::new("  "), None);
}

/// Vectors that the official libraries made and checked; see `tests/captures/README.md`.
fn vectors() -> Option<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/captures/webhooks/vectors.json");
    match std::fs::read_to_string(path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) => {
            eprintln!("skipped: tests/captures/webhooks/vectors.json is not there");
            None
        }
    }
}

fn verify_vector(scheme: Scheme, vector: &Value, at: i64) -> Result<(), Rejection> {
    let pairs = vector.get("headers").or_else(|| vector.get("header")).unwrap().as_object().unwrap();
    let headers =
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.as_str().unwrap().parse().unwrap())).collect();
    let body = vector["body"].as_str().unwrap().as_bytes();
    let request = Signed { method: "POST", uri: "/", headers: &headers, body };
    verify(scheme, &secret(vector["secret"].as_str().unwrap()), request, Timestamp::from_second(at).unwrap())
}

#[test]
fn the_official_libraries_vectors_hold() {
    let Some(vectors) = vectors() else { return };
    for (name, scheme) in
        [("standardwebhooks", Scheme::Standard), ("svix", Scheme::Standard), ("stripe", Scheme::Stripe)]
    {
        for vector in vectors[name].as_array().unwrap() {
            let invalid = vector["expect"].as_str().is_some_and(|expect| expect.starts_with("invalid"))
                || vector["name"].as_str().unwrap().ends_with("must_fail");
            let verdict = verify_vector(scheme, vector, NOW);
            assert_eq!(verdict.is_err(), invalid, "{name} {}: {verdict:?}", vector["name"]);
        }
    }
}

#[test]
fn timestamps_are_held_to_what_the_official_libraries_accept() {
    let Some(vectors) = vectors() else { return };
    let standard = |offset: i64| verify_vector(Scheme::Standard, &vectors["standardwebhooks"][0], NOW - offset);
    assert_eq!((standard(-299), standard(299)), (Ok(()), Ok(())));
    assert_eq!((standard(-301), standard(310)), (Err(Rejection::TooOld), Err(Rejection::TooNew)));
    let stripe = |offset: i64| verify_vector(Scheme::Stripe, &vectors["stripe"][0], NOW - offset);
    assert_eq!((stripe(-299), stripe(-301), stripe(310)), (Ok(()), Err(Rejection::TooOld), Ok(())));
}

/// Signed by Python's `hmac` over the sample of Zoom's documentation.
#[test]
fn zoom_signature_covers_time_and_body_and_a_validation_is_answered_with_the_secret_that_signed_it() {
    const BODY: &[u8] = br#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#;
    const SIGNATURE: &str = "v0=fc968dc17e8059b51dc04de30ae9969f89257012ecebf4c56dd5322ca0bfc2f9";
    let signed = |signature: &str, at: &str, body: &[u8], now: i64| {
        let pairs = [("x-zm-signature", signature), ("x-zm-request-timestamp", at)];
        check(Scheme::Zoom, "old zoom-secret", &pairs, body, Timestamp::from_second(now).unwrap())
    };
    assert_eq!(signed(SIGNATURE, "1736935200", BODY, NOW), Ok(()));
    assert_eq!(signed(&SIGNATURE.to_uppercase().replace("V0", "v0"), "1736935200", BODY, NOW), Ok(()));
    assert_eq!(signed(SIGNATURE, "1736935200", b"{}", NOW), Err(Rejection::WrongSignature));
    assert_eq!(signed(SIGNATURE, "1736935201", BODY, NOW), Err(Rejection::WrongSignature));
    assert_eq!(signed(SIGNATURE, "1736935200", BODY, NOW + 301), Err(Rejection::TooOld));
    assert_eq!(signed(&SIGNATURE[3..], "1736935200", BODY, NOW), Err(Rejection::UnsupportedVersion("x-zm-signature")));
    assert_eq!(signed("v0=xy", "1736935200", BODY, NOW), Err(Rejection::MalformedHeader("x-zm-signature")));
    assert_eq!(signed(SIGNATURE, "soon", BODY, NOW), Err(Rejection::MalformedHeader("x-zm-request-timestamp")));

    let answer = |signature: &str, body: &[u8]| {
        let headers = headers(&[("x-zm-signature", signature), ("x-zm-request-timestamp", "1736935200")]);
        let request = Signed { method: "POST", uri: "https://hooks.example.com/hooks/zoom", headers: &headers, body };
        zoom::validation(&secret("old zoom-secret"), request, now())
    };
    let validation = answer(SIGNATURE, BODY).unwrap();
    let expected = serde_json::json!({
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "b17f0320a1322a509340a1a835b3d9edbc491f0b0790ed2d20d0604d39dfe922"
    });
    assert_eq!(serde_json::to_value(&validation).unwrap(), expected);
    // Anyone could otherwise get a signature for any body, by asking for the HMAC of `v0:TIME:BODY`.
    assert_eq!(answer(&format!("v0={}", "0".repeat(64)), BODY), None);
    assert_eq!(answer(SIGNATURE, b"{}"), None);
}
