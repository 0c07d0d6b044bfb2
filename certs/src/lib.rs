//! The gateway's certificates: loaded and checked, or made by a local CA.
