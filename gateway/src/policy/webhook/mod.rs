//! `webhook`: only what its provider has signed goes on.
//!
//! GitHub signs the body and nothing else. So the id of a delivery proves nothing, and neither does the
//! name of its event: whoever has recorded a delivery can send it again under another id. It is the
//! signature that is remembered.

mod deliveries;
mod event;

use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context as Digest, SHA256};
use aws_lc_rs::hmac;
use gateway_config::model::{SecretError, Webhook, WebhookEvent};

use crate::head::Fields;

pub(crate) use deliveries::{Deliveries, Delivery, Key};

/// Where GitHub puts its signature.
const SIGNATURE: &[u8] = b"x-hub-signature-256";

/// What stands before the signature itself.
const SCHEME: &[u8] = b"sha256=";

/// Why a delivery does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejected {
    /// It has no signature, or nothing that could be one.
    #[error("the delivery has no signature")]
    Unsigned,
    /// Its signature is not by any of the secrets.
    #[error("the delivery's signature is none of the secrets'")]
    Forged,
    /// It was here before.
    #[error("the delivery was answered before")]
    Replayed,
    /// Too many are being held.
    #[error("too many bodies are held in memory")]
    Crowded,
}

/// A SHA-256 HMAC.
type Tag = [u8; 32];

/// One route's `webhook`, with its secrets at hand.
pub(crate) struct Verifier {
    keys: Vec<hmac::Key>,
    events: Vec<WebhookEvent>,
    pub(crate) remember: Option<Duration>,
    /// The same delivery may go to two routes.
    place: String,
}

impl Verifier {
    /// Reads the secrets. `place` tells one route from another.
    ///
    /// # Errors
    /// [`SecretError`] of the first that cannot be had.
    pub(crate) fn new(webhook: &Webhook, place: String) -> Result<Self, SecretError> {
        let key = |secret: &gateway_config::model::Secret| {
            Ok(hmac::Key::new(hmac::HMAC_SHA256, secret.read()?.as_bytes()))
        };
        Ok(Self {
            keys: webhook.secrets.iter().map(key).collect::<Result<_, SecretError>>()?,
            events: webhook.events.clone(),
            remember: webhook.remember,
            place,
        })
    }

    /// Begins to verify a delivery, whose body follows.
    ///
    /// # Errors
    /// [`Rejected::Unsigned`], before anything of the body is read.
    pub(crate) fn begin(&self, fields: &Fields) -> Result<Verification<'_>, Rejected> {
        let claimed = claimed(fields).ok_or(Rejected::Unsigned)?;
        let contexts = self.keys.iter().map(hmac::Context::with_key).collect();
        Ok(Verification { verifier: self, claimed, contexts })
    }

    /// Whether a delivery is one of those that go on.
    pub(crate) fn wants(&self, fields: &Fields, body: &[u8]) -> bool {
        self.events.is_empty() || event::is_one_of(&self.events, fields, body)
    }
}

/// A delivery that is being verified.
pub(crate) struct Verification<'v> {
    verifier: &'v Verifier,
    claimed: Tag,
    /// One for each secret.
    contexts: Vec<hmac::Context>,
}

impl Verification<'_> {
    /// Takes a piece of the body.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.contexts.iter_mut().for_each(|context| context.update(piece));
    }

    /// Compares, every secret in the same time, and names the delivery.
    ///
    /// # Errors
    /// [`Rejected::Forged`].
    pub(crate) fn finish(self) -> Result<Key, Rejected> {
        let by = |context: hmac::Context| {
            verify_slices_are_equal(context.sign().as_ref(), &self.claimed).is_ok()
        };
        let good = self.contexts.into_iter().fold(false, |good, context| by(context) | good);
        if !good {
            return Err(Rejected::Forged);
        }
        let mut name = Digest::new(&SHA256);
        name.update(&self.claimed);
        name.update(self.verifier.place.as_bytes());
        let mut key = Key::default();
        key.copy_from_slice(name.finish().as_ref());
        Ok(key)
    }
}

/// The signature that a delivery carries: one, in lower case as GitHub writes it, so that nothing but
/// what GitHub sends is taken for good.
pub(crate) fn claimed(fields: &Fields) -> Option<Tag> {
    let mut values = fields.named(SIGNATURE);
    let (value, None) = (values.next()?, values.next()) else { return None };
    let digits = value.strip_prefix(SCHEME)?;
    let mut tag = Tag::default();
    if digits.len() != 2 * tag.len() {
        return None;
    }
    for (byte, pair) in tag.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(tag)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Whether this is the signature of a body.
pub(crate) fn is_signed_by(secret: &str, body: &[u8], signature: &str) -> bool {
    verify_slices_are_equal(sign(secret, body).as_bytes(), signature.as_bytes()).is_ok()
}

/// The signature of a body, as GitHub writes it into its header.
pub(crate) fn sign(secret: &str, body: &[u8]) -> String {
    use std::fmt::Write as _;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut text = String::from("sha256=");
    for byte in hmac::sign(&key, body).as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of GitHub's documentation.
    const SECRET: &str = "It's a Secret to Everybody";
    const PAYLOAD: &[u8] = b"Hello, World!";
    const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn verifier(secrets: &[&str]) -> Verifier {
        let keys = secrets.iter().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()));
        let place = "hooks.example.com/github".into();
        Verifier { keys: keys.collect(), events: Vec::new(), remember: None, place }
    }

    fn verify(verifier: &Verifier, signature: &[u8], body: &[u8]) -> Result<Key, Rejected> {
        let mut fields = Fields::default();
        fields.add(SIGNATURE, signature);
        let mut verification = verifier.begin(&fields)?;
        body.chunks(5).for_each(|piece| verification.update(piece));
        verification.finish()
    }

    #[test]
    fn the_documented_example_is_good_by_any_of_the_secrets() {
        assert_eq!(sign(SECRET, PAYLOAD), SIGNED);
        for secrets in [&[SECRET][..], &["old", SECRET], &[SECRET, "new"]] {
            assert!(verify(&verifier(secrets), SIGNED.as_bytes(), PAYLOAD).is_ok());
        }
        let other = verify(&verifier(&["old", "new"]), SIGNED.as_bytes(), PAYLOAD);
        assert_eq!(other, Err(Rejected::Forged));
    }

    #[test]
    fn no_bit_of_it_can_be_changed() {
        let verifier = verifier(&[SECRET]);
        for bit in 0..SIGNED.len() * 8 {
            let mut signature = SIGNED.as_bytes().to_vec();
            signature[bit / 8] ^= 1 << (bit % 8);
            let outcome = verify(&verifier, &signature, PAYLOAD);
            assert!(matches!(outcome, Err(Rejected::Unsigned | Rejected::Forged)), "bit {bit}");
        }
        for bit in 0..PAYLOAD.len() * 8 {
            let mut body = PAYLOAD.to_vec();
            body[bit / 8] ^= 1 << (bit % 8);
            let outcome = verify(&verifier, SIGNED.as_bytes(), &body);
            assert_eq!(outcome, Err(Rejected::Forged), "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_signature_is_known_before_the_body() {
        let verifier = verifier(&[SECRET]);
        let longer = format!("{SIGNED}0");
        let upper = SIGNED.replace('a', "A");
        for text in ["", "sha256=", &SIGNED[7..], &SIGNED[..70], &longer, &upper, "sha1=00"] {
            let outcome = verify(&verifier, text.as_bytes(), PAYLOAD);
            assert_eq!(outcome, Err(Rejected::Unsigned), "{text}");
        }
        let mut twice = Fields::default();
        twice.add(SIGNATURE, SIGNED.as_bytes());
        twice.add(SIGNATURE, SIGNED.as_bytes());
        assert!(verifier.begin(&twice).is_err());
        assert!(verifier.begin(&Fields::default()).is_err());
    }

    #[test]
    fn one_body_is_another_delivery_at_another_place() {
        let here = verifier(&[SECRET]);
        let there = Verifier { place: "hooks.example.com/other".into(), ..verifier(&[SECRET]) };
        let key = |verifier| verify(verifier, SIGNED.as_bytes(), PAYLOAD);
        assert_eq!(key(&here), key(&here));
        assert_ne!(key(&here), key(&there));
    }
}
