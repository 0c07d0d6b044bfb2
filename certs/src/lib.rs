//! The gateway's certificates: loaded and checked, or made by a local CA.
//!
//! The way through: [`build_store`] takes the sites of a configuration, loads each certificate
//! ([`load_files`]) or has it made ([`LocalCa`]), and puts them all into one immutable [`CertStore`];
//! [`server_config()`] turns that store into what a TLS handshake is run with.
//!
//! Nothing here reads the clock on its own: time is an argument, or a [`Clock`] that was handed in.

mod build;
mod certificate;
mod clients;
mod error;
mod folder;
mod load;
mod local_ca;
mod on_demand;
mod pem;
mod server_config;
mod slot;
mod store;
mod subject_name;
mod timestamp;

pub use build::{Built, CertProblem, CertificateFacts, CertificateSource, Problem, build_store};
pub use certificate::{Certificate, KeyKind, LeafFacts};
pub use clients::{ClientCertsError, ClientVerification, client_verifier, subject};
pub use error::{CertError, PemDamage, PemFile, Warning};
pub use folder::{Folder, FolderAction, FolderError, Kept, Lock};
pub use load::{Loaded, load_bundle, load_client_files, load_files, read_bundle};
pub use local_ca::{IssueError, LocalCa, Note, Remade, StorageError};
pub use server_config::{
    UNRECOGNIZED_NAME_ALERT, challenge_config, config_for_address, provider, server_config,
    server_config_for_clients, ticketer,
};
pub use slot::{Served, Slot, Slots};
pub use store::{CertStore, CertStoreBuilder, NotCovered, Resolved};
pub use subject_name::SubjectName;

/// Where the time comes from for what happens after the start: `SystemTime::now`, or a test's own.
pub type Clock = fn() -> std::time::SystemTime;
