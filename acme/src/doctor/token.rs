//! A challenge token that only the doctor can ask for and only this installation can answer.
//!
//! Both have a key from the storage folder, which is made for nothing else and never leaves the
//! machine. A token is a time, a random number and a MAC of both; the answer is another MAC. So the
//! gateway keeps nothing, reads nothing from disk when it is asked, and says to everybody else what it
//! says about any unknown token: nobody can have something signed, or find out by asking that two
//! addresses are the same gateway. Whoever overhears a token can ask with it again, for two minutes, and
//! learns what he has overheard already.

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use crate::moment::Moment;

/// Where the key is kept.
pub(crate) const KEY: &str = "doctor.key";

/// What the doctor's tokens begin with.
const PREFIX: &str = "doctor-";

/// How old a token may be, and by how much clocks may differ, in seconds.
const GOOD_FOR: u64 = 120;

/// The time and the random number, in bytes.
const NONCE: usize = 8 + 16;

/// A MAC, in bytes.
const MAC: usize = 32;

/// A token in characters, without the prefix.
const LENGTH: usize = ((NONCE + MAC) * 4).div_ceil(3);

/// The key that both have.
#[derive(Debug)]
pub(crate) struct Password(Box<hmac::Key>);

/// A token, and what this installation answers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) token: String,
    pub(crate) answer: String,
}

impl Password {
    /// A new key as it is kept; `None` where the system gives no random numbers.
    pub(crate) fn make() -> Option<String> {
        let mut key = [0; MAC];
        rand::fill(&mut key).ok()?;
        Some(BASE64URL.encode(key))
    }

    /// A kept key; `None` where it is damaged.
    pub(crate) fn read(kept: &[u8]) -> Option<Self> {
        let key = BASE64URL.decode(kept.trim_ascii()).ok()?;
        (key.len() == MAC).then(|| Self(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &key))))
    }

    /// A new token; `None` where the system gives no random numbers.
    pub(crate) fn ask(&self, now: Moment) -> Option<Question> {
        let mut message = [0; NONCE];
        let (time, random) = message.split_at_mut(8);
        time.copy_from_slice(&now.0.to_be_bytes());
        rand::fill(random).ok()?;
        let mac = self.mac(b"ask", &message);
        let token = BASE64URL.encode([&message[..], mac.as_ref()].concat());
        let answer = self.mac(b"answer", &message);
        let answer = BASE64URL.encode(answer.as_ref());
        Some(Question { token: format!("{PREFIX}{token}"), answer })
    }

    /// The answer to a token, where it is one of the doctor's.
    pub(crate) fn answer(&self, token: &str, now: Moment) -> Option<String> {
        let token = token.strip_prefix(PREFIX).filter(|token| token.len() == LENGTH)?;
        let bytes = BASE64URL.decode(token).ok()?;
        let (message, mac) = bytes.split_at_checked(NONCE)?;
        let (time, _) = message.split_first_chunk()?;
        if u64::from_be_bytes(*time).abs_diff(now.0) > GOOD_FOR {
            return None;
        }
        let asked = [&b"ask"[..], message].concat();
        hmac::verify(&self.0, &asked, mac).ok()?;
        Some(BASE64URL.encode(self.mac(b"answer", message).as_ref()))
    }

    fn mac(&self, what_for: &[u8], message: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, &[what_for, message].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password() -> Password {
        Password::read(Password::make().unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn only_the_same_installation_answers_and_not_for_long() {
        let (ours, other) = (password(), password());
        let Question { token, answer } = ours.ask(Moment(1_000_000)).unwrap();
        assert_eq!(ours.answer(&token, Moment(1_000_100)), Some(answer));
        assert_eq!(ours.answer(&token, Moment(1_000_121)), None, "too old");
        assert_eq!(ours.answer(&token, Moment(999_879)), None, "from the future");
        assert_eq!(other.answer(&token, Moment(1_000_000)), None);
    }

    #[test]
    fn nothing_else_is_answered() {
        let ours = password();
        let now = Moment(1_000_000);
        let Question { token, .. } = ours.ask(now).unwrap();
        let (most, last) = token.split_at(token.len() - 2);
        let forged = format!("{most}{}", if last == "AA" { "BA" } else { "AA" });
        let long = format!("{token}A");
        for token in [&forged, &long, "doctor-", "doctor", "", "doctor-\u{e9}", most] {
            assert_eq!(ours.answer(token, now), None, "{token}");
        }
        assert_eq!(ours.ask(now).unwrap().answer.len(), 43);
    }

    #[test]
    fn a_damaged_key_is_none() {
        for kept in ["", "x", "AAAA", "not base64url!"] {
            assert!(Password::read(kept.as_bytes()).is_none());
        }
    }
}
