//! `auth = { basic }`: a user's name and password (RFC 7617).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateway_config::model::{BasicAuth, PasswordHash, PasswordHashError};
use http::HeaderName;

use super::{Challenge, Denied};
use crate::head::{Fields, Known};

/// Longer credentials are nobody's, in bytes.
const LONGEST: usize = 1024;

/// Why a file of users is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsersError {
    /// It cannot be read.
    #[error("the file of users `{}` cannot be read ({source}). Put it there, readable for the gateway's user.", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A line is no user.
    #[error("line {line} of the file of users `{}` is not `user:hash`. Run `gateway hash-password` for the hash.", path.display())]
    Line { path: PathBuf, line: usize },
    /// A hash is none.
    #[error("line {line} of the file of users `{}` has no hash that could be trusted: {source}. Run `gateway hash-password` for one.", path.display())]
    Hash {
        path: PathBuf,
        line: usize,
        #[source]
        source: PasswordHashError,
    },
    /// A user is there twice.
    #[error("line {line} of the file of users `{}` names a user for the second time. Keep one.", path.display())]
    Twice { path: PathBuf, line: usize },
    /// Nobody is there.
    #[error("the file of users `{}` names nobody. Add lines `user:hash`.", .0.display())]
    Empty(PathBuf),
}

/// What a client has said about itself.
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// One route's users.
pub(crate) struct Basic {
    users: HashMap<String, PasswordHash>,
    /// Compared with where the user is unknown, so that it takes as long.
    decoy: PasswordHash,
    challenge: Challenge,
    pub(crate) user_header: Option<HeaderName>,
}

impl Basic {
    /// Reads the users.
    ///
    /// # Errors
    /// [`UsersError`] of the file.
    pub(crate) fn new(basic: &BasicAuth) -> Result<Self, UsersError> {
        let mut users: HashMap<_, _> = basic.users.clone().into_iter().collect();
        if let Some(path) = &basic.file {
            read_file(path, &mut users)?;
        }
        let decoy = users.values().next().cloned();
        let decoy =
            decoy.ok_or_else(|| UsersError::Empty(basic.file.clone().unwrap_or_default()))?;
        let challenge = challenge(&basic.realm);
        Ok(Self { users, decoy, challenge, user_header: basic.user_header.clone() })
    }

    /// [`credentials`].
    pub(crate) fn credentials(&self, fields: &Fields) -> Result<Credentials, Denied> {
        credentials(fields, &self.challenge)
    }

    /// The hash that a user's password is to be compared with.
    pub(crate) fn hash_of(&self, user: &str) -> Option<&PasswordHash> {
        self.users.get(user)
    }

    /// A hash for those who are no users.
    pub(crate) fn decoy(&self) -> &PasswordHash {
        &self.decoy
    }

    /// The password was not the user's, or there is no such user; which of the two is not said.
    pub(crate) fn wrong(&self, why: &'static str) -> Denied {
        Denied::Wrong(why, self.challenge.clone())
    }
}

/// What a client is told to answer.
pub(crate) fn challenge(realm: &str) -> Challenge {
    let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
    format!("Basic realm=\"{realm}\", charset=\"UTF-8\"").into()
}

/// What a request says about its client.
///
/// # Errors
/// [`Denied::Nobody`], and [`Denied::Wrong`] for what is no name and password.
pub(crate) fn credentials(fields: &Fields, challenge: &Challenge) -> Result<Credentials, Denied> {
    let mut values = fields.all(Known::Authorization);
    let Some(value) = values.next() else { return Err(Denied::Nobody(challenge.clone())) };
    let read = value
        .split_at_checked(b"basic ".len())
        .filter(|(scheme, rest)| scheme.eq_ignore_ascii_case(b"basic ") && rest.len() < LONGEST)
        .filter(|_| values.next().is_none())
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim_ascii()).ok())
        .and_then(|plain| String::from_utf8(plain).ok());
    let pair = read.as_deref().and_then(|plain| plain.split_once(':'));
    let wrong = || Denied::Wrong("it is no name and password", challenge.clone());
    let (user, password) = pair.ok_or_else(wrong)?;
    Ok(Credentials { user: user.to_owned(), password: password.to_owned() })
}

fn read_file(path: &Path, users: &mut HashMap<String, PasswordHash>) -> Result<(), UsersError> {
    let path = || path.to_owned();
    let text = std::fs::read_to_string(path())
        .map_err(|source| UsersError::Read { path: path(), source })?;
    for (index, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), index + 1);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let is_name = |user: &str| !user.is_empty() && !user.contains(char::is_control);
        let pair = line.split_once(':').filter(|(user, _)| is_name(user));
        let Some((user, hash)) = pair else {
            return Err(UsersError::Line { path: path(), line: number });
        };
        let hash = PasswordHash::parse(hash).map_err(|source| UsersError::Hash {
            path: path(),
            line: number,
            source,
        })?;
        if users.insert(user.to_owned(), hash).is_some() {
            return Err(UsersError::Twice { path: path(), line: number });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe";

    fn basic() -> Basic {
        let users = [("alice".to_owned(), PasswordHash::parse(HASH).unwrap())].into();
        let realm = "a \"b\"".to_owned();
        Basic::new(&BasicAuth { users, file: None, realm, user_header: None }).unwrap()
    }

    fn read(value: &str) -> Result<(String, String), Denied> {
        let mut fields = Fields::default();
        fields.add(b"authorization", value.as_bytes());
        basic().credentials(&fields).map(|it| (it.user, it.password))
    }

    #[test]
    fn names_and_passwords_are_read_as_the_rfc_writes_them() {
        let pair = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        let aladdin = read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!(aladdin, pair("Aladdin", "open sesame"));
        assert_eq!(read("bAsIc dGVzdDoxMjPCow==").unwrap(), pair("test", "123\u{a3}"));
        assert_eq!(read("Basic YTpiOmM=").unwrap(), pair("a", "b:c"));
        let long = format!("Basic {}", "A".repeat(5000));
        for text in
            ["", "Basic", "Basic ", "Bearer x", "Basic !!", "Basic YQ==", "Basic //8=", &long]
        {
            assert!(matches!(read(text), Err(Denied::Wrong(..))), "{text}");
        }
        let nobody = basic().credentials(&Fields::default()).err().unwrap();
        assert_eq!(nobody.challenge(), Some("Basic realm=\"a \\\"b\\\"\", charset=\"UTF-8\""));
    }

    #[test]
    fn a_file_of_users_is_read_line_by_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let (users, realm) = (std::collections::BTreeMap::new(), "a".to_owned());
            let path = Some(file.path().to_owned());
            Basic::new(&BasicAuth { users, file: path, realm, user_header: None })
        };
        let good = read(&format!("# users\n\nalice:{HASH}\r\nbob:{HASH}\n")).unwrap();
        let is_known = |user| good.hash_of(user).is_some();
        assert!(is_known("alice") && is_known("bob") && !is_known("carol"));
        for (text, expected) in [
            ("", "names nobody"),
            ("alice", "line 1 of the file"),
            (&format!("a:{HASH}\n:{HASH}"), "line 2 of the file"),
            ("alice:hunter2", "it is no hash, and may be the password itself"),
            ("alice:$apr1$a$b", "MD5"),
            (&format!("a:{HASH}\na:{HASH}"), "for the second time"),
        ] {
            let error = read(text).err().unwrap().to_string();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }
}
