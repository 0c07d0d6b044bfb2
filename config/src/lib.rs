//! The gateway's configuration: TOML text in, checked domain types out.
//!
//! [`load()`] reads a file or folder, [`parse`] a text. Both are hermetic: nothing but the text, and
//! that of the files which it includes, decides the result; no name is resolved, no certificate
//! opened, no environment asked. Everything that is
//! wrong is reported at once, as [`Problems`] with places.
//!
//! ```
//! use std::path::Path;
//!
//! let text = r#"
//!     [site."example.com"]
//!     tls = "self-signed"
//!     routes = [{ path = "/*", to = "frontend:3000" }]
//! "#;
//! let loaded = gateway_config::parse("gateway.toml", text, Path::new("/etc/gateway"))?;
//! assert_eq!(loaded.config.sites[0].name.to_string(), "example.com");
//! # Ok::<(), gateway_config::Problems>(())
//! ```

mod check;
mod complaint;
mod files;
mod hidden;
mod host;
mod level;
mod load;
pub mod model;
mod named;
pub mod path;
mod presets;
mod problem;
mod read;
pub mod schema;
mod source;
mod spec;
mod suggest;
mod syntax;
mod text;

pub use files::Files;
pub use host::HostError;
pub use load::{DEFAULT_FILES, LoadError, Loaded, find_default, load, parse};
pub use named::is_cloudflare;
pub use problem::{Place, Problem, Problems, Severity, codes};
pub use suggest::nearest;
pub use text::duration::format_duration;
pub use text::size::format_size;
