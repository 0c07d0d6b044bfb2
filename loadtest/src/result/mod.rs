//! What came of a run: gathered from the event loops, and written as JSON.

mod gather;
mod json;
mod read;

pub(crate) use gather::Gathering;
pub(crate) use json::{Percentiles, RunResult, Second, Verdict, milliseconds};
pub(crate) use read::read_result;
