//! `loadtest compare`, `scale` and `origin` through the front door.

mod ends;
mod harness;
mod real;
mod refusals;
mod shown;
