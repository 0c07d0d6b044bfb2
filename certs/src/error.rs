//! What can be wrong with a certificate that was given as files.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use rustls_pki_types::pem;
use thiserror::Error;

use crate::timestamp::Timestamp;

/// Which of the two files of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PemFile {
    /// The chain.
    Certificate,
    /// The private key.
    PrivateKey,
}

impl fmt::Display for PemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate file",
            Self::PrivateKey => "private key file",
        })
    }
}

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum CertError {
    /// A file is not there.
    #[error("the {file} `{}` does not exist. Check the path: a relative one starts at the folder of the configuration file.", path.display())]
    Missing {
        /// Which of the two.
        file: PemFile,
        /// Its path.
        path: PathBuf,
    },
    /// A file is there and cannot be read.
    #[error("the {file} `{}` cannot be read ({source}). Make it a file that the gateway's user may read.", path.display())]
    Unreadable {
        /// Which of the two.
        file: PemFile,
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file without a PEM block.
    #[error("the {file} `{}` holds no PEM block (`-----BEGIN …-----`). {}", path.display(), no_pem_advice(*.file, *.der))]
    NotPem {
        /// Which of the two.
        file: PemFile,
        /// Its path.
        path: PathBuf,
        /// It starts like DER, the binary form.
        der: bool,
    },
    /// PEM blocks, but none of the kind that belongs here.
    #[error("the {file} `{}` holds a `{found}` block where a {} should be. {}", path.display(), wanted_block(*.file), wrong_block_advice(*.file))]
    WrongBlock {
        /// Which of the two.
        file: PemFile,
        /// Its path.
        path: PathBuf,
        /// The label of the first block.
        found: String,
    },
    /// A key under a passphrase.
    #[error("the private key in `{}` is encrypted, and nobody can type its passphrase while the gateway starts. Write a decrypted copy with `openssl pkey -in ENCRYPTED -out KEY`, give it mode 0600 and name that one.", path.display())]
    EncryptedKey {
        /// The key file.
        path: PathBuf,
    },
    /// A PEM block that cannot be decoded.
    #[error("the {file} `{}` is damaged: {}. Copy it again from where it came from.", path.display(), source)]
    BadPem {
        /// Which of the two.
        file: PemFile,
        /// Its path.
        path: PathBuf,
        /// What is wrong with the block.
        source: PemDamage,
    },
    /// A block that is no X.509 version 3 certificate.
    #[error("certificate {position} in `{}` is not a usable X.509 certificate ({source}). Replace the file with the chain that the authority issued.", path.display())]
    BadCertificate {
        /// The certificate file.
        path: PathBuf,
        /// Which certificate of the file, from 1.
        position: usize,
        /// What the parser said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A key of an unknown kind, or damaged.
    #[error("the private key in `{}` cannot be used ({source}). It must be an ECDSA (P-256, P-384, P-521), RSA (2048 to 8192 bits) or Ed25519 key.", path.display())]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What the cryptography library said.
        source: rustls::Error,
    },
    /// The key belongs to no certificate of the chain.
    #[error("the private key `{}` does not belong to the certificate `{}`. Name the key that the certificate was requested with.", key.display(), cert.display())]
    KeyMismatch {
        /// The certificate file.
        cert: PathBuf,
        /// The key file.
        key: PathBuf,
    },
    /// The key belongs to a later certificate of the chain.
    #[error("the private key belongs to certificate {position} in `{}`, but a site's own certificate must be the first. Put it at the top of the file and the authority's below it.", path.display())]
    LeafNotFirst {
        /// The certificate file.
        path: PathBuf,
        /// Where the site's certificate stands, from 1.
        position: usize,
    },
    /// No name at all, or only a common name.
    #[error("the certificate `{}` names no host: it has no subjectAltName with a DNS name or an IP address, and clients ignore the common name. Have it issued again with its hosts as subjectAltName.", path.display())]
    NoNames {
        /// The certificate file.
        path: PathBuf,
    },
    /// Its time has not come.
    #[error("the certificate `{}` is not valid before {}, and it is {} now. Check this machine's clock, or use the certificate from then on.", path.display(), Timestamp(*.not_before), Timestamp(*.now))]
    NotYetValid {
        /// The certificate file.
        path: PathBuf,
        /// When it begins to be valid.
        not_before: SystemTime,
        /// The time it was checked against.
        now: SystemTime,
    },
    /// Its time is over.
    #[error("the certificate `{}` expired at {}, and it is {} now. Renew it.", path.display(), Timestamp(*.not_after), Timestamp(*.now))]
    Expired {
        /// The certificate file.
        path: PathBuf,
        /// The last second of its validity.
        not_after: SystemTime,
        /// The time it was checked against.
        now: SystemTime,
    },
}

fn no_pem_advice(file: PemFile, der: bool) -> &'static str {
    match (file, der) {
        (PemFile::Certificate, true) => {
            "It looks like DER, the binary form: `openssl x509 -inform der -in FILE -out FILE.pem` converts it."
        }
        (PemFile::PrivateKey, true) => {
            "It looks like DER, the binary form: `openssl pkey -inform der -in FILE -out FILE.pem` converts it."
        }
        (PemFile::Certificate, false) => "Name the PEM file with the certificate chain.",
        (PemFile::PrivateKey, false) => "Name the PEM file with the private key.",
    }
}

fn wanted_block(file: PemFile) -> &'static str {
    match file {
        PemFile::Certificate => "`CERTIFICATE`",
        PemFile::PrivateKey => "`PRIVATE KEY`",
    }
}

fn wrong_block_advice(file: PemFile) -> &'static str {
    match file {
        PemFile::Certificate => "Name the chain as `cert` and the key as `key`.",
        PemFile::PrivateKey => "Name the private key as `key` and the chain as `cert`.",
    }
}

/// What is wrong with a PEM block. Says nothing of its content, which may be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PemDamage {
    /// `-----BEGIN X-----` without `-----END X-----`.
    #[error("a block has no END line")]
    NoEnd,
    /// A line that starts like a BEGIN line and is none.
    #[error("a BEGIN line does not end in five dashes")]
    BadBegin,
    /// The content is not base64.
    #[error("a block is not base64")]
    NotBase64,
    /// A block of hundreds of megabytes.
    #[error("a block is too large")]
    TooLarge,
}

impl From<pem::Error> for PemDamage {
    fn from(error: pem::Error) -> Self {
        match error {
            pem::Error::MissingSectionEnd { .. } => Self::NoEnd,
            pem::Error::IllegalSectionStart { .. } => Self::BadBegin,
            pem::Error::SectionTooLarge => Self::TooLarge,
            // The others (I/O, nothing found) cannot come from bytes that are read section by section.
            _ => Self::NotBase64,
        }
    }
}

/// What is not right, but no reason to stay down.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Warning {
    /// Everybody on the machine can read a private key.
    #[error("the private key `{}` can be read by every user of this machine (mode {mode:04o}). Run `chmod 600` on it.", path.display())]
    KeyReadableByOthers {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A certificate of the chain was not issued by the one after it.
    #[error("the chain in `{}` is out of order: certificate {position} was not issued by the one after it. Some clients will refuse it: put each authority right below what it issued.", path.display())]
    ChainOutOfOrder {
        /// The certificate file.
        path: PathBuf,
        /// The first certificate that is not followed by its issuer, from 1.
        position: usize,
    },
    /// A certificate that is given for a site and covers none of its hosts.
    #[error("the certificate `{}` of the site `{site}` covers none of its hosts and is never used. Remove it, or name the right one.", path.display())]
    Unused {
        /// The certificate file.
        path: PathBuf,
        /// The site that names it.
        site: String,
    },
}
