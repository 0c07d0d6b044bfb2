//! What a request is about, by its path.

/// The resources of the API.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Directory,
    NewNonce,
    NewAccount,
    /// An update of an account.
    Account,
    NewOrder,
    /// A look at an order.
    Order,
    Authorization,
    /// The word that a challenge can be validated, or a look at it.
    Challenge,
    Finalize,
    /// The download of a certificate.
    Certificate,
    RevokeCert,
    KeyChange,
    RenewalInfo,
    /// Anything else.
    Unknown,
}

impl Kind {
    /// The kind of a path, and what follows in the path.
    pub(crate) fn of(path: &str) -> (Self, &str) {
        let path = path.strip_prefix('/').unwrap_or(path);
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let kind = match first {
            "directory" => Self::Directory,
            "new-nonce" => Self::NewNonce,
            "new-account" => Self::NewAccount,
            "account" => Self::Account,
            "new-order" => Self::NewOrder,
            "order" => Self::Order,
            "authorization" => Self::Authorization,
            "challenge" => Self::Challenge,
            "finalize" => Self::Finalize,
            "certificate" => Self::Certificate,
            "revoke-cert" => Self::RevokeCert,
            "key-change" => Self::KeyChange,
            "renewal-info" => Self::RenewalInfo,
            _ => Self::Unknown,
        };
        (kind, rest)
    }
}
