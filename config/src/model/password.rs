//! Hashes of passwords.

use std::fmt;

/// The most memory that a hash may take to be compared, in KiB.
const MEMORY: u32 = 256 * 1024;

/// The most passes over it.
const PASSES: u32 = 20;

/// The most lanes.
const LANES: u32 = 16;

/// bcrypt's least and greatest cost.
const COSTS: std::ops::RangeInclusive<u32> = 4..=14;

/// The hash of a password by argon2 or bcrypt, that a client cannot make the gateway spend too much
/// on. Whoever has it can try passwords, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Why a text is not a [`PasswordHash`]. None of the sentences repeats it: it may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordHashError {
    /// No hash at all.
    #[error("it is no hash, and may be the password itself")]
    Plain,
    /// A hash that is guessed too fast.
    #[error("it is a hash by {0}, whose passwords are guessed by the billion a second")]
    Weak(&'static str),
    /// A hash by argon2 or bcrypt with a piece missing.
    #[error("it is cut off, or misspelled")]
    Malformed,
    /// A hash that each comparison would take too much for.
    #[error(
        "its cost is above what a gateway should spend on a request: argon2 with at most 256 MiB, 20 passes and 16 lanes, bcrypt with a cost of 4 to 14"
    )]
    Costly,
}

impl PasswordHash {
    /// Reads a hash as `$argon2id$…`, `$argon2i$…` or `$2b$…` (also `$2a$` and `$2y$`).
    ///
    /// # Errors
    /// [`PasswordHashError`].
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        let fields: Vec<&str> = text.split('$').collect();
        match fields.as_slice() {
            ["", "argon2id" | "argon2i", "v=19", costs, salt, hash] => argon2(costs, salt, hash)?,
            ["", "argon2id" | "argon2i" | "argon2d", ..] => {
                return Err(PasswordHashError::Malformed);
            }
            ["", "2a" | "2b" | "2y", cost, hash] => bcrypt(cost, hash)?,
            ["", "2a" | "2b" | "2y" | "2x", ..] => return Err(PasswordHashError::Malformed),
            ["", "apr1" | "1", ..] => return Err(PasswordHashError::Weak("MD5")),
            ["", "5" | "6", ..] => return Err(PasswordHashError::Weak("SHA-2")),
            _ if text.starts_with("{SHA}") || text.starts_with("{SSHA}") => {
                return Err(PasswordHashError::Weak("SHA-1"));
            }
            _ => return Err(PasswordHashError::Plain),
        }
        Ok(Self(text.to_owned()))
    }

    /// The hash as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is by bcrypt; otherwise it is by argon2.
    #[must_use]
    pub fn is_bcrypt(&self) -> bool {
        self.0.starts_with("$2")
    }
}

fn argon2(costs: &str, salt: &str, hash: &str) -> Result<(), PasswordHashError> {
    let malformed = PasswordHashError::Malformed;
    let costs: Vec<&str> = costs.split(',').collect();
    let [memory, passes, lanes] = costs.as_slice() else { return Err(malformed) };
    let number = |text: &str, name: &str| {
        text.strip_prefix(name).and_then(|rest| rest.parse::<u32>().ok()).ok_or(malformed)
    };
    let (memory, passes) = (number(memory, "m=")?, number(passes, "t=")?);
    let lanes = number(lanes, "p=")?;
    let is_base64 = |text: &str, least: usize| {
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
        (least..=86).contains(&text.len()) && text.len() % 4 != 1 && text.chars().all(known)
    };
    if !is_base64(salt, 11) || !is_base64(hash, 22) || passes == 0 || lanes == 0 {
        return Err(malformed);
    }
    if memory < 8 * lanes {
        return Err(malformed);
    }
    match memory <= MEMORY && passes <= PASSES && lanes <= LANES {
        true => Ok(()),
        false => Err(PasswordHashError::Costly),
    }
}

fn bcrypt(cost: &str, hash: &str) -> Result<(), PasswordHashError> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/');
    let number = cost.parse::<u32>().ok().filter(|_| cost.len() == 2);
    match number {
        Some(number) if hash.len() == 53 && hash.chars().all(known) => {
            if COSTS.contains(&number) {
                Ok(())
            } else {
                Err(PasswordHashError::Costly)
            }
        }
        _ => Err(PasswordHashError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PasswordHashError::{Costly, Malformed, Plain, Weak};

    const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$\
                          1k1kUdKsj7LpWUgpA9S3NaYcG5TCqZiMqlD5lTfVRjc";
    const BCRYPT: &str = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

    #[test]
    fn hashes_by_argon2_and_bcrypt_are_taken() {
        for text in [ARGON2, BCRYPT, &BCRYPT.replace("2y", "2b"), &ARGON2.replace("2id", "2i")] {
            let hash = PasswordHash::parse(text).expect(text);
            assert_eq!((hash.as_str(), hash.is_bcrypt()), (text, text.starts_with("$2")));
            assert!(!format!("{hash:?}").contains("19"));
        }
    }

    #[test]
    fn nothing_else_is() {
        for (text, error) in [
            ("", Plain),
            ("hunter2", Plain),
            ("$ecret", Plain),
            ("abJnggxhB/yWI", Plain),
            ("$apr1$abcdefgh$nKjyYhP5oXw5E.uDJ1jTg/", Weak("MD5")),
            ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", Weak("SHA-1")),
            ("$6$salt$hash", Weak("SHA-2")),
            ("$2y$10$short", Malformed),
            ("$2y$1$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", Malformed),
            ("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ", Malformed),
            (&ARGON2.replace("v=19", "v=16"), Malformed),
            (&ARGON2.replace("m=19456", "m=1"), Malformed),
            (&ARGON2.replace("t=2", "t=0"), Malformed),
            (&ARGON2.replace("m=19456", "m=4000000"), Costly),
            (&ARGON2.replace("t=2", "t=2000"), Costly),
            (&BCRYPT.replace("$10$", "$31$"), Costly),
        ] {
            assert_eq!(PasswordHash::parse(text), Err(error), "{text}");
        }
    }
}
