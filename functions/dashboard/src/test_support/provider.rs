//! A provider of tests: its keys and signatures, which Python's `cryptography` made, and answers over a stand-in for HTTP.

use crate::oidc::jwks::KeySet;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use futures::future::{BoxFuture, FutureExt};
use perennial_lambda_kit::Redacted;
use perennial_lambda_kit::web::{Answer, Call, Web, WebError};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;

/// The keys, as providers publish them: with and without `alg` and `use`, and one that encrypts among them.
pub(crate) const JWKS: &str = r#"{
 "keys": [
  {
   "kty": "RSA",
   "kid": "rsa",
   "n": "snLPA8m9_Lv2nB7yKJ0a4SgUNDpGU1_0kWnNvi2e7_p7CJXyfNAIMqBvXZu3A3Uc_zJnCnxRbc5WmvRiFEGHLLSZPJ1MN1Z1iVowBoAqFgAtqU9UEiD4fQN_sFNioG3uewPPwlCgh-eutE9HcVPmrWS-QasK5QTl_Og9Z30l8dUMnumva-oDJIbQ_pVOKiZ6Kx8EvlclytC6rg_s42wT0FpE4HOq-DIKqadN6eC58UchgZIW9V-ovC8JZ2McJdveVndAqvueodqsgDcbuFsodfaNnp8kOBpJ-x_IdWVI5zVTXQS98XZ3ieZ-QcZ0BHCduDGkuCtzOLKNgvBbgPTAgw",
   "e": "AQAB",
   "use": "sig"
  },
  {
   "kty": "EC",
   "kid": "ec",
   "crv": "P-256",
   "x": "Dpt2kBS1DBkUT5DdetoK_9JK0sP98Aib_rVN0gL66Pw",
   "y": "lt6qp-bvZkn_NHfPXa__FkTMr03U3XioajURIyHPif8",
   "use": "sig",
   "alg": "ES256"
  },
  {
   "kty": "EC",
   "kid": "ec-384",
   "crv": "P-384",
   "x": "Qjb5RGA3gfo-LAxV2_nBK8zgFNbEZ10kKjimm06tjjaFvmEdVRu2lVKwE9vWlY_j",
   "y": "gTCPdVF0C8K1Y1eGts_6TN3Q4nF6ryj1z1Pg_soh_N4-o8rY8T9Pqra0Lssm8hP3"
  },
  {
   "kty": "RSA",
   "kid": "enc",
   "n": "snLPA8m9_Lv2nB7yKJ0a4SgUNDpGU1_0kWnNvi2e7_p7CJXyfNAIMqBvXZu3A3Uc_zJnCnxRbc5WmvRiFEGHLLSZPJ1MN1Z1iVowBoAqFgAtqU9UEiD4fQN_sFNioG3uewPPwlCgh-eutE9HcVPmrWS-QasK5QTl_Og9Z30l8dUMnumva-oDJIbQ_pVOKiZ6Kx8EvlclytC6rg_s42wT0FpE4HOq-DIKqadN6eC58UchgZIW9V-ovC8JZ2McJdveVndAqvueodqsgDcbuFsodfaNnp8kOBpJ-x_IdWVI5zVTXQS98XZ3ieZ-QcZ0BHCduDGkuCtzOLKNgvBbgPTAgw",
   "e": "AQAB",
   "use": "enc",
   "alg": "RSA-OAEP"
  }
 ]
}"#;
/// Algorithm, key, message and signature.
pub(crate) const VECTORS: [(&str, &str, &str, &str); 5] = [
    (
        "RS256",
        "rsa",
        "header.payload",
        "MJlFo1ob3mmyjAkbc6Y9KEazUEFmbkDHTgDc0HFHjkC2-v-lO4Wl2bVqHsldQ3f5ClsE-7wYWO-srDd-gbx9MZKF91Vaw2crFcdQpM9p0aBgClutFMBwRGQ5EGungXEtYbJpoQAvRZLnMhmAFvsxGaYWnE0nXVKnU0z-KLF_W5zIYrhH2ELNmE5wJfYmTXpIpvpfKVIpwjWjoaKyfv94WMvmw40vjfwzZZGQeoQ1L5guX1cUdhmaQ-vR4NW2dJ9enkoYLWsZtEV0ZLb1JlScQOlEUpneTjgG4Duoy8S0uz_m63rskhMtJuj-Q8dd8KstmQ1Sewj9YWjTqi_oS86B4g",
    ),
    (
        "RS384",
        "rsa",
        "header.payload",
        "gHxUo-rQnWesE_IiP5pLqmB6NJSZ4_Q-O0cLy66Pu6rMG5YxO2p9rHFSeUYso2JhvpkqTjsOVcae7d7T7R-ps5FjD5kcwJcvU-pERIjmn3fg7dtgCHJFNJQP1brZEKnWGhnpdcBpSiMT9nHCL0J8s7WwR-Am-Vj5MO3yX6ceAI2MZHmICzcmlGd2CP-GlSMEFSsI3wOx-YNKnckm3NPNgQdTSEN0U2EL62TvdJkBIm0PB2sj78oKfy_lmXx5SdTYui1WnXW72fwHYKUQMhHd29BHQjR_3f0mq_z0S-2sjNgYrbfciyp4HCP2hDWjaWytWgUaf_YOCfViGhW8oDakpA",
    ),
    (
        "PS256",
        "rsa",
        "header.payload",
        "PmXfiTquojzl9g-Sc8FLLQyQ7G1ba9TY2fQGwpgJqB6ATIWvuo9VYZkdruJ183LS33eC1Kmwt38aJE3yLkue6fzdG7YmcTIwSQQwmraw5dxSrf41YJTWtWe2tOrvhpMTXDSrjTJ2COPTgvS-NOjiuIiCBdCbKvY-20rND7rgyryB0dCkOFuVZjnGwfUN76wWZIKztkCza0yh0BFBOvYF2w67VclU9XzLnB7L2DBlZammK3KE737eSXQCyaW-6wuR0nTl2kZqrLXV0a1HuGC61rIHYCZX29Q15v34Sh-25ldLnBmN-KHwLQryUQYFpMC6gFJYwDnjGHX5jEQD8lx-Ng",
    ),
    (
        "ES256",
        "ec",
        "header.payload",
        "1MlVCNd2njpxgWm3qUmSuzyuaa1KI1EAlGo5WVBDqf6R6pBRsHEeU5wgfb5vQTfvsV7UmGkyW9Ylv3s_cmPjbA",
    ),
    (
        "ES384",
        "ec-384",
        "header.payload",
        "r9C1mQn78FrOKX1CxbrGVkxeqLAdpPCj-Xe2EvpMWbF62Vp3cnisZuqE1rNwB65cjuAwjzetZ9G9VzYEK-uanJiuxQPkt0zKS1twFFxCl8L6lWcuE06nZFt6PldBYlh7",
    ),
];
/// A key of 1,024 bits.
pub(crate) const SHORT_JWKS: &str = r#"{"keys": [{"kty": "RSA", "kid": "short", "n": "24dyG-n9UmNB3kP7FpZw0sWXNmRCeOfd97xllRXqHaZFpCnEbGKT96mCyduYbpRDLuPtZ_Ut8XeNpiwNuew_XIYi82H2olinAbkqbzblmjqj1g2dCugKMGnipq0duYMX5gc3oRqa6WoPi3Tzdhb4ZNVMPvMNb3JbO7HU_3fbNOk", "e": "AQAB"}]}"#;
/// A message and the signature of the short key.
pub(crate) const SHORT_VECTOR: (&str, &str) = (
    "header.payload",
    "1gvYAodTDIIcLzb3li-2Im7EHK6zNR5RyFwv54DloFqu81-bJjiI9f0mnh-Zl9D5lY-47IjzSz_guWldvssByOKJUKEELd360G_sli3ccM6_hrMJDyFIxESR8-iA_wXOlmBCg8X57ydaZCug84v-3jPWquLKG29AUjZg7NwE4VI",
);
/// The private key `ec`, PKCS#8. It signs nothing but these tests' tokens.
const EC: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrH2FR3eSaVorjgAVEGhgUqla1mULqIXibsY/JXu2ujOhRANCAAQOm3aQFLUMGRRPkN162gr/0krSw/3wCJv+tU3SAvro/Jbeqqfm72ZJ/zR3z12v/xZEzK9N1N14qGo1ESMhz4n/";
/// Another private key, which is not in the set.
const OTHER: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPOMpO5aIvDgN8fRkAYb1Bz61tmKPZ7IiRKte+jflmP+hRANCAAS6JfB9VnC2er6qfR0wBvXV8aX6bJPIdofoCoXYKCMOgrDvJRNDUM4Po4I4h3Gj5T0XZ7Ze64ThqKUJmeW7P2bp";

/// The signer of a token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Issued {
    /// The provider's.
    Ours,
    /// Another one, which calls itself the same.
    Others,
}

/// Returns the provider's keys.
pub(crate) fn keys() -> KeySet {
    KeySet::parse(JWKS.as_bytes()).unwrap()
}

/// Returns a token with these claims.
pub(crate) fn sign(by: Issued, claims: &Value) -> String {
    let key = match by {
        Issued::Ours => EC,
        Issued::Others => OTHER,
    };
    let random = SystemRandom::new();
    let key = BASE64.decode(key.as_bytes()).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key, &random).unwrap();
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(&json!({ "alg": "ES256", "kid": "ec", "typ": "JWT" })), encode(claims));
    let signature = key.sign(&random, signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
}

/// Answers to URLs, and the calls that were made.
#[derive(Default)]
pub(crate) struct FakeWeb {
    answers: Mutex<HashMap<String, Vec<(u16, String)>>>,
    calls: Mutex<Vec<Call>>,
}

impl FakeWeb {
    /// Sets the answers to a URL, in their order; the last is repeated.
    pub(crate) fn on(&self, url: &str, answers: &[(u16, String)]) {
        self.answers.lock().unwrap().insert(url.to_owned(), answers.to_vec());
    }

    /// Returns the calls since the last time.
    pub(crate) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Web for FakeWeb {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer, WebError>> {
        let mut answers = self.answers.lock().unwrap();
        let answer = answers.get_mut(&call.url).map(|all| if all.len() > 1 { all.remove(0) } else { all[0].clone() });
        self.calls.lock().unwrap().push(call);
        let answer = answer.ok_or(WebError::NoAnswer);
        let answer = answer.map(|(status, body)| Answer { status, body: Redacted::new(body.into_bytes()) });
        std::future::ready(answer).boxed()
    }
}

/// The issuer of the provider.
pub(crate) const ISSUER: &str = "https://login.example";

/// Returns a provider that publishes its document and its keys.
pub(crate) fn web() -> FakeWeb {
    let web = FakeWeb::default();
    let document = json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.example/authorize?brand=1",
        "token_endpoint": "https://login.example/token",
        "jwks_uri": "https://login.example/keys",
        "end_session_endpoint": "https://login.example/logout",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    web.on("https://login.example/.well-known/openid-configuration", &[(200, document.to_string())]);
    web.on("https://login.example/keys", &[(200, JWKS.to_owned())]);
    web
}
