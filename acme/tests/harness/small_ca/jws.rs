//! JSON Web Signatures as ACME uses them (RFC 8555, section 6.2): flattened, ES256.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::answer::Problem;

/// A public key of P-256.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    /// The uncompressed point.
    pub(crate) point: Vec<u8>,
    thumbprint: String,
}

impl Key {
    /// From a JWK (RFC 7517).
    pub(crate) fn from_jwk(jwk: &Value) -> Result<Self, Problem> {
        let bad = || Problem::new(400, "badPublicKey", "only EC keys of P-256 are known here");
        if jwk["kty"] != "EC" || jwk["crv"] != "P-256" {
            return Err(bad());
        }
        let [x, y] = ["x", "y"].map(|name| jwk[name].as_str().unwrap_or_default());
        let point = [vec![4], decode(x)?, decode(y)?].concat();
        if point.len() != 65 {
            return Err(bad());
        }
        // RFC 7638: the members that are needed, in this order, without spaces.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = encode(digest::digest(&digest::SHA256, members.as_bytes()));
        Ok(Self { point, thumbprint })
    }

    /// What answers a challenge with this token.
    pub(crate) fn authorization(&self, token: &str) -> String {
        format!("{token}.{}", self.thumbprint)
    }
}

/// A message, not yet verified.
pub(crate) struct Message {
    pub(crate) header: Value,
    signed: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Message {
    pub(crate) fn from_json(json: &Value) -> Result<Self, Problem> {
        let part = |name: &str| {
            json[name].as_str().ok_or_else(|| Problem::malformed(format!("JWS without {name}")))
        };
        let (protected, payload) = (part("protected")?, part("payload")?);
        let header = serde_json::from_slice(&decode(protected)?)
            .map_err(|_| Problem::malformed("the protected header is no JSON"))?;
        Ok(Self {
            header,
            signed: format!("{protected}.{payload}"),
            payload: decode(payload)?,
            signature: decode(part("signature")?)?,
        })
    }

    /// Whether this key made the signature.
    pub(crate) fn verify(&self, key: &Key) -> Result<(), Problem> {
        if self.header["alg"] != "ES256" {
            let detail = format!("{} is no algorithm for this", self.header["alg"]);
            return Err(Problem::new(400, "badSignatureAlgorithm", detail));
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.point)
            .verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| Problem::malformed("the signature is wrong"))
    }

    /// Whether this MAC key made the signature: external accounts (RFC 8555, section 7.3.4).
    pub(crate) fn verify_mac(&self, key: &[u8]) -> Result<(), Problem> {
        if self.header["alg"] != "HS256" {
            let detail = format!("{} is no MAC algorithm", self.header["alg"]);
            return Err(Problem::new(400, "badSignatureAlgorithm", detail));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::verify(&key, self.signed.as_bytes(), &self.signature)
            .map_err(|_| Problem::unauthorized("the external account's MAC is wrong"))
    }

    /// What was signed; null for POST-as-GET, whose payload is empty.
    pub(crate) fn payload(&self) -> Result<Value, Problem> {
        if self.payload.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.payload)
            .map_err(|_| Problem::malformed("the payload is no JSON"))
    }
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of base64url without padding.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Problem> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Problem::malformed(format!("no base64url: {text:?}")))
}

/// So many random bytes, as base64url.
pub(crate) fn random<const N: usize>() -> String {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    encode(bytes)
}
