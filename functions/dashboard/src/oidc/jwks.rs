//! The public keys of a provider, and signatures by them. RFC 7517 and 7518.

use data_encoding::BASE64URL_NOPAD;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The most keys that are kept. Providers publish two to ten.
const MAX_KEYS: usize = 50;

/// The algorithms of signatures that we accept. `none` and those with shared secrets are none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
}

impl Algorithm {
    /// Returns the algorithm of a header's `alg`, whose case matters.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            _ => return None,
        })
    }

    /// Returns the parameters of an RSA signature of at least 2,048 bits; `None` for another kind of key.
    fn rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            Self::Es256 | Self::Es384 => return None,
        })
    }

    /// Returns the curve of an elliptic signature, and how to verify one.
    fn curve(self) -> Option<(Curve, &'static dyn VerificationAlgorithm)> {
        match self {
            Self::Es256 => Some((Curve::P256, &signature::ECDSA_P256_SHA256_FIXED)),
            Self::Es384 => Some((Curve::P384, &signature::ECDSA_P384_SHA384_FIXED)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    Elliptic {
        curve: Curve,
        point: Vec<u8>,
    },
}

/// A key.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it may be used with, if it says so.
    only: Option<Algorithm>,
    material: Material,
}

/// The keys of a provider.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct KeySet(Vec<Key>);

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({})", self.0.len())
    }
}

#[derive(Deserialize)]
struct Raw {
    kty: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Parses a set, and leaves out keys that cannot verify ID tokens. `None` if it is no set of keys.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let mut set: Value = serde_json::from_slice(body).ok()?;
        let Some(Value::Array(keys)) = set.get_mut("keys").map(Value::take) else { return None };
        // A key of a kind that nobody knows yet must not hide the others.
        let keys = keys.into_iter().filter_map(|key| read(serde_json::from_value(key).ok()?));
        Some(Self(keys.take(MAX_KEYS).collect()))
    }

    /// Returns whether it has a key with this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Returns whether a key made `signature` over `message`: the one called `id`, or any if the token names none.
    pub(crate) fn is_signed(&self, algorithm: Algorithm, id: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        let may = |key: &&Key| {
            id.is_none_or(|id| key.id.as_deref() == Some(id)) && key.only.is_none_or(|only| only == algorithm)
        };
        self.0.iter().filter(may).any(|key| key.is_signed(algorithm, message, signature))
    }
}

impl Key {
    fn is_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { n, e } => algorithm.rsa().is_some_and(|parameters| {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }),
            Material::Elliptic { curve, point } => algorithm.curve().is_some_and(|(own, verify)| {
                own == *curve && UnparsedPublicKey::new(verify, point).verify(message, signature).is_ok()
            }),
        }
    }
}

/// Returns a key that verifies signatures; `None` for others.
fn read(raw: Raw) -> Option<Key> {
    if raw.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let bytes = |text: Option<String>| BASE64URL_NOPAD.decode(text?.trim_end_matches('=').as_bytes()).ok();
    let material = match raw.kty.as_deref()? {
        "RSA" => {
            // ring takes numbers without leading zeros.
            let number =
                |text| bytes(text).map(|all| all.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>());
            Material::Rsa { n: number(raw.n)?, e: number(raw.e)? }
        }
        "EC" => {
            let (curve, length) = match raw.crv.as_deref()? {
                "P-256" => (Curve::P256, 32),
                "P-384" => (Curve::P384, 48),
                _ => return None,
            };
            let (x, y) = (bytes(raw.x)?, bytes(raw.y)?);
            if x.len() != length || y.len() != length {
                return None;
            }
            Material::Elliptic { curve, point: [vec![4], x, y].concat() }
        }
        _ => return None,
    };
    let only = match raw.alg.as_deref() {
        None => None,
        Some(name) => Some(Algorithm::parse(name)?),
    };
    Some(Key { id: raw.kid, only, material })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::test_support::provider::{JWKS, VECTORS};
    use serde_json::json;

    #[test]
    fn signatures_of_another_library_are_verified_with_the_right_key_and_algorithm_only() {
        let keys = KeySet::parse(JWKS.as_bytes()).unwrap();
        for (name, kid, message, signature) in VECTORS {
            let (algorithm, signature) =
                (Algorithm::parse(name).unwrap(), BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap());
            let is_signed =
                |id, message: &str, signature: &[u8]| keys.is_signed(algorithm, id, message.as_bytes(), signature);
            assert!(is_signed(Some(kid), message, &signature), "{name}");
            assert!(is_signed(None, message, &signature), "{name}, of a token that names no key");
            assert!(!is_signed(Some("other"), message, &signature), "{name}");
            assert!(!is_signed(Some(kid), &message[1..], &signature), "{name}");
            assert!(!is_signed(Some(kid), message, &signature[1..]), "{name}");
            for other in ["RS256", "RS384", "PS256", "ES256", "ES384"].iter().filter(|other| **other != name) {
                let other = Algorithm::parse(other).unwrap();
                assert!(!keys.is_signed(other, Some(kid), message.as_bytes(), &signature), "{name} as {other:?}");
            }
        }
    }

    #[test]
    fn unsafe_algorithms_have_no_name_here() {
        for name in
            ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "rs256", "RS1", "EdDSA", "ES256K", "RSA-OAEP"]
        {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn keys_of_other_kinds_and_uses_are_left_out() {
        let set: Value = serde_json::from_str(JWKS).unwrap();
        let count = |keys: Value| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap().0.len();
        let with = |name: &str, value: Value| {
            let mut key = set["keys"][0].clone();
            key[name] = value;
            json!([key])
        };
        assert_eq!(count(with("kid", json!("renamed"))), 1);
        assert_eq!(count(with("use", json!("enc"))), 0);
        assert_eq!(count(with("alg", json!("HS256"))), 0);
        assert_eq!(count(with("kty", json!("oct"))), 0);
        assert_eq!(count(with("n", json!("?"))), 0);
        assert_eq!(count(json!([{ "kty": "oct", "k": "AAAA" }, 7, null, { "kty": "OKP" }])), 0);
        let many = vec![set["keys"][0].clone(); 80];
        assert_eq!(count(json!(many)), MAX_KEYS);
        assert!(KeySet::parse(b"{}").is_none() && KeySet::parse(b"[]").is_none() && KeySet::parse(b"").is_none());
    }

    #[test]
    fn short_rsa_key_verifies_nothing() {
        let keys = KeySet::parse(crate::test_support::provider::SHORT_JWKS.as_bytes()).unwrap();
        let (message, signature) = crate::test_support::provider::SHORT_VECTOR;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        assert!(!keys.is_signed(Algorithm::Rs256, None, message.as_bytes(), &signature));
    }
}
