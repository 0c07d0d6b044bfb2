//! What is right line by line and wrong together.

mod acme;
mod hosts;
mod listeners;
mod public_ca;
mod redirects;

pub(crate) use acme::acme;
pub(crate) use hosts::hosts;
pub(crate) use listeners::{Listeners, listeners};
pub(crate) use redirects::redirects;
