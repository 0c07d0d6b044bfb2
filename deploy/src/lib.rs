//! Holds nothing. What is deployed are the files in this folder; the crate is the tests of them.
