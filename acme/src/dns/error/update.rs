//! What goes wrong with updates by RFC 2136.

use std::io;
use std::net::SocketAddr;

use gateway_config::model::Secret;
use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::serialize::binary::DecodeError;

use crate::dns::tsig::Unverified;

/// Why a name server did not take an update.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The key's name is none.
    #[error(
        "`{key}` cannot be the name of a TSIG key. Write it as in the name server's configuration."
    )]
    KeyName {
        /// What was given.
        key: String,
    },
    /// The key is not base64.
    #[error(
        "the secret of the TSIG key `{key}` ({secret}) is not base64. Copy it from the name server's configuration, without quotes."
    )]
    KeySecret {
        /// The key's name.
        key: String,
        /// Where the secret comes from.
        secret: Secret,
    },
    /// No connection, or one that broke.
    #[error(
        "the name server {server} cannot be reached over TCP ({source}). Check that it runs, and that it and the firewalls let the gateway connect."
    )]
    Unreachable {
        /// The server.
        server: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The answer is no DNS message.
    #[error(
        "the answer of the name server {server} is no DNS message ({source}). Check that the address is that of a name server."
    )]
    Garbled {
        /// The server.
        server: SocketAddr,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The server has none of the zones in question.
    #[error(
        "the name server {server} serves no zone that `{name}` is in. Configure the zone's primary server, or delegate the name with a CNAME to a zone that this one serves."
    )]
    NoZone {
        /// The server.
        server: SocketAddr,
        /// The record's name.
        name: String,
    },
    /// TSIG error BADKEY.
    #[error(
        "the name server {server} does not know the TSIG key `{key}` (BADKEY). Use the name and the algorithm that its configuration gives the key."
    )]
    UnknownKey {
        /// The server.
        server: SocketAddr,
        /// The key's name.
        key: String,
    },
    /// TSIG error BADSIG.
    #[error(
        "the name server {server} has another secret for the TSIG key `{key}` (BADSIG). Put the server's into {secret}."
    )]
    WrongSecret {
        /// The server.
        server: SocketAddr,
        /// The key's name.
        key: String,
        /// Where the secret comes from.
        secret: Secret,
    },
    /// TSIG error BADTIME.
    #[error(
        "the clocks of this machine and of the name server {server} differ too much (BADTIME). Set both by NTP."
    )]
    Clock {
        /// The server.
        server: SocketAddr,
    },
    /// Another error in the TSIG record.
    #[error(
        "the name server {server} refuses the TSIG key `{key}` with error {code}. Look it up in the server's log."
    )]
    Tsig {
        /// The server.
        server: SocketAddr,
        /// The key's name.
        key: String,
        /// The error's number, by IANA's registry.
        code: u16,
    },
    /// The answer claims to be of the server and does not prove it.
    #[error(
        "the answer of the name server {server} cannot be believed: {source}. Check that no proxy changes DNS messages on the way."
    )]
    Unverified {
        /// The server.
        server: SocketAddr,
        /// What is wrong with its signature.
        source: Unverified,
    },
    /// The server understood and does not want to.
    #[error(
        "the name server {server} does not change `{name}` in the zone `{zone}`: {code}. {}",
        advice(*code)
    )]
    Refused {
        /// The server.
        server: SocketAddr,
        /// The record's name.
        name: String,
        /// The zone's name.
        zone: String,
        /// What the server answered.
        code: ResponseCode,
    },
    /// A message cannot be made: a mistake of the gateway's.
    #[error(
        "the update of `{name}` cannot be written. This is a mistake in the gateway; please report it."
    )]
    Encode {
        /// The record's name.
        name: String,
        /// What is wrong with it.
        source: ProtoError,
    },
}

fn advice(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::Refused => {
            "Allow the key to change this TXT record (BIND: `update-policy`; Knot: `acl`)."
        }
        ResponseCode::NotAuth => "Configure the zone's primary server.",
        ResponseCode::NotImp => "Configure a server that takes dynamic updates (RFC 2136).",
        ResponseCode::ServFail => {
            "Look into its log; often it may not write the zone's file or journal."
        }
        _ => "Look into its log.",
    }
}
