//! What to do next: decided from what is known, without doing it.
//!
//! [`Planner`] holds what the ledger holds, is asked for [`Step`]s, and told what came of them. It
//! reads no clock, draws no numbers and touches neither network nor disk, so years of it can be tried
//! in seconds.

mod backoff;
mod ca;
mod planner;
mod record;
mod renewal;

pub use backoff::wait;
pub use ca::{Ca, CaRecord, Limits, Rate};
pub use planner::{Planned, Planner, Stage, Step, Steps};
pub use record::{Begun, Record, RenewalInfo, Tries};
pub use renewal::{Lifetime, Window};
