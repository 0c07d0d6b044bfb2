//! What came of a run: gathered from the event loops, and written as JSON.

mod gather;
mod json;

pub(crate) use gather::Gathering;
pub(crate) use json::{
    Connections, Errors, Idle, Messages, Percentiles, RequestResult, RunResult, Second, Verdict,
};
