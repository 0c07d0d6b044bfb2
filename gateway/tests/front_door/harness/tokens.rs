//! An issuer of tokens: its keys, and tokens that it signs, right and wrong. Nothing here is of the
//! library that the gateway verifies with.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKey, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// One of an issuer's keys.
pub(crate) struct Signer {
    id: String,
    key: Key,
}

enum Key {
    Rsa(RsaKey),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// What stands in a token unless a test says otherwise.
pub(crate) const ISSUER: &str = "https://id.test";
pub(crate) const AUDIENCE: &str = "api";

impl Signer {
    pub(crate) fn rsa(id: &str) -> Self {
        Self { id: id.to_owned(), key: Key::Rsa(RsaKey::generate(KeySize::Rsa2048).unwrap()) }
    }

    pub(crate) fn ec(id: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { id: id.to_owned(), key: Key::Ec(key) }
    }

    pub(crate) fn ed(id: &str) -> Self {
        Self { id: id.to_owned(), key: Key::Ed(Ed25519KeyPair::generate().unwrap()) }
    }

    fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
        }
    }

    /// The key as an issuer publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Rsa(key) => {
                let public = key.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                let (n, e) =
                    (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
                json!({ "kty": "RSA", "n": encoded(n), "e": encoded(e) })
            }
            Key::Ec(key) => {
                let point = key.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(&point[1..33]), "y": encoded(&point[33..]) })
            }
            Key::Ed(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key().as_ref()) })
            }
        };
        jwk["kid"] = self.id.as_str().into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.algorithm().into();
        jwk
    }

    /// The public key's bytes, for those who would use them as a shared secret.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match &self.key {
            Key::Rsa(key) => {
                AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(key.public_key())
                    .unwrap()
                    .as_ref()
                    .to_vec()
            }
            Key::Ec(key) => key.public_key().as_ref().to_vec(),
            Key::Ed(key) => key.public_key().as_ref().to_vec(),
        }
    }

    /// A good token; `change` changes what it says.
    pub(crate) fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let header = json!({ "typ": "JWT", "alg": self.algorithm(), "kid": self.id });
        self.token_with(&header, change)
    }

    /// [`Signer::token`] under another header.
    pub(crate) fn token_with(&self, header: &Value, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": now() + 300, "nbf": now() - 5,
        });
        change(&mut claims);
        self.sign(header, &claims)
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = unsigned(header, claims);
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Key::Ec(key) => key.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(text.as_bytes()).as_ref().to_vec(),
        };
        format!("{text}.{}", encoded(&signature))
    }
}

/// A set of keys as issuers publish it.
pub(crate) fn key_set<'s>(signers: impl IntoIterator<Item = &'s Signer>) -> String {
    let keys: Vec<Value> = signers.into_iter().map(Signer::jwk).collect();
    json!({ "keys": keys }).to_string()
}

/// Header and claims without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| encoded(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

/// base64url without padding, as tokens have it.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Unix time, in seconds.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}
