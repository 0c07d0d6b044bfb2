//! What a measurement of servers stands on: cores, processes, their time and memory, and the load.

pub(crate) mod certificate;
pub(crate) mod cores;
pub(crate) mod cpu;
pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod first_answer;
pub(crate) mod generator;
pub(crate) mod ground;
pub(crate) mod interrupt;
pub(crate) mod load;
pub(crate) mod machine;
pub(crate) mod memory;
pub(crate) mod number;
pub(crate) mod process;
pub(crate) mod progress;
pub(crate) mod server;
pub(crate) mod statistics;
