//! The result for people: a table for terminals, one for pages, a picture.

mod markdown;
mod svg;
mod text;

pub use markdown::markdown;
pub use svg::svg;
pub use text::text;
