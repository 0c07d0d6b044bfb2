//! What is seen from outside: the admin listener, the metrics, the access log.

mod access_log;
mod admin;
mod metrics;
mod privacy;
