//! An issuer's keys (RFC 7517): which are there, how old they are, and when they may be asked for.

use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::sync::Arc;

/// Keys of one issuer that are looked at; no issuer has nearly so many.
const MOST: usize = 256;

/// How long keys are fresh: what the issuer says, within these bounds, and an hour where it says
/// nothing.
const SHORTEST: Duration = Duration::from_secs(300);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const USUAL: Duration = Duration::from_secs(3600);

/// How often keys are asked for, whatever tokens come: while there are some, and while there are none.
const AGAIN: Duration = Duration::from_secs(10);
const AGAIN_WITHOUT: Duration = Duration::from_secs(1);

/// Why a text is no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("it is not a JSON Web Key Set")]
    Json,
    #[error("it holds no public key that signs")]
    Empty,
}

/// One key.
pub(crate) struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    pub(crate) decoding: DecodingKey,
}

/// An issuer's keys at one time.
pub(crate) struct KeySet {
    keys: Vec<Key>,
    fresh_until: Option<Instant>,
}

/// An issuer's keys over time. It outlives configurations, so that a reload does not need the issuer.
#[derive(Default)]
pub(crate) struct KeyStore {
    current: ArcSwapOption<KeySet>,
    /// Held by whoever asks; when the last attempt ended, and what came of it.
    pub(crate) attempt: tokio::sync::Mutex<Option<Attempt>>,
}

/// An attempt to get keys.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) ended: Instant,
    pub(crate) failure: Option<String>,
}

impl KeySet {
    /// Reads keys. `fresh_for`: how long the issuer lets them be kept; `None`: for ever.
    ///
    /// # Errors
    /// [`KeySetError`].
    pub(crate) fn read(text: &[u8], fresh_until: Option<Instant>) -> Result<Self, KeySetError> {
        let set = serde_json::from_slice::<JwkSet>(text).map_err(|_| KeySetError::Json)?;
        let keys: Vec<Key> = set.keys.iter().filter_map(Key::of).take(MOST).collect();
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys, fresh_until }) }
    }

    /// The keys that a token may be signed with.
    pub(crate) fn candidates<'k>(
        &'k self,
        id: Option<&'k str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'k Key> {
        let name = format!("{algorithm:?}");
        self.keys.iter().filter(move |key| {
            let named = match (id, &key.id) {
                (Some(wanted), Some(id)) => wanted == id,
                _ => true,
            };
            named
                && key.decoding.family() == algorithm.family()
                && key.algorithm.as_ref().is_none_or(|own| *own == name)
        })
    }

    /// Whether the issuer's word has not run out.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        self.fresh_until.is_none_or(|until| now < until)
    }
}

impl Key {
    /// Public keys that sign; whatever else an issuer lists is for others.
    fn of(jwk: &Jwk) -> Option<Self> {
        let is_public = matches!(
            jwk.algorithm,
            AlgorithmParameters::RSA(_)
                | AlgorithmParameters::EllipticCurve(_)
                | AlgorithmParameters::OctetKeyPair(_)
        );
        let signs = !matches!(
            jwk.common.public_key_use,
            Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_))
        );
        let decoding = DecodingKey::from_jwk(jwk).ok().filter(|_| is_public && signs)?;
        let algorithm = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        Some(Self { id: jwk.common.key_id.clone(), algorithm, decoding })
    }
}

impl KeyStore {
    /// The last good keys.
    pub(crate) fn current(&self) -> Option<Arc<KeySet>> {
        self.current.load_full()
    }

    pub(crate) fn put(&self, keys: Arc<KeySet>) {
        self.current.store(Some(keys));
    }

    /// Whether the issuer may be asked again, after the last attempt.
    pub(crate) fn may_ask(&self, last: Option<&Attempt>, now: Instant) -> bool {
        let pause = if self.current.load().is_some() { AGAIN } else { AGAIN_WITHOUT };
        last.is_none_or(|last| now.saturating_duration_since(last.ended) >= pause)
    }
}

/// How long keys are fresh that came with this `Cache-Control`.
pub(crate) fn freshness(cache_control: Option<&[u8]>) -> Duration {
    let directives = cache_control.unwrap_or_default().split(|byte| *byte == b',');
    let said = directives.filter_map(|directive| {
        let text = str::from_utf8(directive.trim_ascii()).ok()?.to_ascii_lowercase();
        text.strip_prefix("max-age=")?.trim_matches('"').parse::<u64>().ok()
    });
    said.map(Duration::from_secs).next().unwrap_or(USUAL).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_sign_are_taken_and_others_left() {
        let key = |more: &str| {
            format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"{more}}}"#
            )
        };
        let set = |keys: &[String]| {
            KeySet::read(format!("{{\"keys\":[{}]}}", keys.join(",")).as_bytes(), None)
        };
        let keys = set(&[
            key(r#","kid":"a","use":"sig""#),
            key(r#","kid":"b","use":"enc""#),
            r#"{"kty":"oct","k":"c2VjcmV0","kid":"c"}"#.into(),
            r#"{"kty":"future","kid":"d"}"#.into(),
            key(r#","kid":"e","alg":"EdDSA""#),
        ]);
        let keys = keys.unwrap();
        let found = |id, algorithm| keys.candidates(id, algorithm).count();
        assert_eq!(found(Some("a"), Algorithm::EdDSA), 1);
        assert_eq!(found(Some("e"), Algorithm::EdDSA), 1);
        assert_eq!(found(None, Algorithm::EdDSA), 2);
        for id in ["b", "c", "d", "?"] {
            assert_eq!(found(Some(id), Algorithm::EdDSA), 0, "{id}");
        }
        assert_eq!(found(Some("a"), Algorithm::RS256), 0);
        assert_eq!(set(&[key(r#","use":"enc""#)]).err(), Some(KeySetError::Empty));
        assert!(keys.is_fresh(Instant::now()), "keys of a file stay");
        let until = Instant::now() + USUAL;
        let text = format!("{{\"keys\":[{}]}}", key(""));
        let fetched = KeySet::read(text.as_bytes(), Some(until)).unwrap();
        assert!(fetched.is_fresh(until - SHORTEST) && !fetched.is_fresh(until));
        for text in ["", "{}", "[]", "<html>", r#"{"keys":{}}"#] {
            assert_eq!(
                KeySet::read(text.as_bytes(), None).err(),
                Some(KeySetError::Json),
                "{text}"
            );
        }
    }

    #[test]
    fn the_issuer_says_how_long_within_bounds() {
        for (header, seconds) in [
            (None, 3600),
            (Some("public, max-age=7200"), 7200),
            (Some("Max-Age=\"600\", must-revalidate"), 600),
            (Some("max-age=0"), 300),
            (Some("no-store"), 3600),
            (Some("max-age=99999999999"), 86_400),
            (Some("max-age=x"), 3600),
        ] {
            assert_eq!(freshness(header.map(str::as_bytes)).as_secs(), seconds, "{header:?}");
        }
    }

    #[test]
    fn the_issuer_is_not_asked_too_often() {
        let (store, now) = (KeyStore::default(), Instant::now());
        let last = Attempt { ended: now, failure: None };
        assert!(store.may_ask(None, now));
        assert!(!store.may_ask(Some(&last), now));
        assert!(store.may_ask(Some(&last), now + AGAIN_WITHOUT));
        store.put(Arc::new(KeySet { keys: Vec::new(), fresh_until: None }));
        assert!(!store.may_ask(Some(&last), now + AGAIN_WITHOUT));
        assert!(store.may_ask(Some(&last), now + AGAIN));
    }
}
