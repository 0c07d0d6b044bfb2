//! DNS: names resolved, and TXT records changed for `dns-01`.

pub(crate) mod resolver;
