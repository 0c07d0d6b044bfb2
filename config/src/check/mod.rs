//! What is right line by line and wrong together.

mod hosts;
mod listeners;
mod redirects;

pub(crate) use hosts::hosts;
pub(crate) use listeners::{Listeners, listeners};
pub(crate) use redirects::redirects;
