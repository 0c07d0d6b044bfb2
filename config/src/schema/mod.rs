//! The language's description, for editors and for people.

mod json;
mod reference;

pub use json::json_schema;
pub use reference::reference_markdown;
