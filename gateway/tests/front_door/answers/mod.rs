//! What is done to answers on their way back, and answers that come from a folder.

mod cache_control;
mod compression;
mod compression_streams;
mod cors;
mod static_files;
mod static_ranges;
