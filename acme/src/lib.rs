//! Certificates by ACME (RFC 8555), from the first issue to renewal, and never a lapse.
//!
//! [`Keeper`] is the whole of it: it has every wanted certificate issued and renewed, and puts what it
//! wins where handshakes find it. The listeners ask the [`Responder`] what to show a CA that comes to
//! look.

mod authority;
pub mod dns;
pub mod doctor;
mod failure;
pub mod https;
mod keeper;
mod moment;
mod names;
pub mod plan;
mod responder;
pub mod storage;

pub use authority::name as ca_name;
pub use failure::{Blame, Failed, Failure};
pub use keeper::{
    About, Clock, Event, Keeper, KeeperError, LONGEST_SLEEP, Observer, Settings, State, Urgency,
    Wanted,
};
pub use moment::{Moment, Wait};
pub use names::{KeyType, certificate_id};
pub use responder::{ACME_TLS, HTTP_01_PATH, Responder};
