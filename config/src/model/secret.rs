//! What must not stand in the file itself.

use std::fmt;
use std::path::PathBuf;

/// Where a secret is to be read from, when it is needed. The secret itself never passes through the
/// configuration.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The environment variable of this name.
    Env(String),
    /// This file, without its last line end.
    File(PathBuf),
}

/// As the configuration writes it.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "{{ env = \"{name}\" }}"),
            Self::File(path) => write!(f, "{{ file = \"{}\" }}", path.display()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, is empty, or is not text.
    #[error(
        "the environment variable `{0}` is not set, or holds no text. Set it for the gateway's process."
    )]
    Env(String),
    /// The file cannot be read.
    #[error("the secret's file `{}` cannot be read ({source}). Put the secret there, readable for the gateway's user.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is there, and empty.
    #[error("the secret's file `{}` is empty. Put the secret there.", .0.display())]
    Empty(PathBuf),
}

impl Secret {
    /// Reads it.
    ///
    /// # Errors
    /// [`SecretError`]: it is not there, or empty.
    pub fn read(&self) -> Result<String, SecretError> {
        match self {
            Self::Env(name) => match std::env::var(name) {
                Ok(value) if !value.is_empty() => Ok(value),
                _ => Err(SecretError::Env(name.clone())),
            },
            Self::File(path) => {
                let content = std::fs::read_to_string(path)
                    .map_err(|source| SecretError::File { path: path.clone(), source })?;
                let secret = content.strip_suffix('\n').unwrap_or(&content);
                let secret = secret.strip_suffix('\r').unwrap_or(secret);
                match secret.is_empty() {
                    true => Err(SecretError::Empty(path.clone())),
                    false => Ok(secret.to_owned()),
                }
            }
        }
    }
}
