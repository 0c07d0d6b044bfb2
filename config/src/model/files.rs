//! Static files.

use std::path::PathBuf;

/// A folder whose files are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The folder. A relative path has been resolved against the folder of the configuration file.
    pub dir: PathBuf,
    /// The file that stands for its folder.
    pub index: String,
    /// The file that is served for pages that are no files, as a single-page application wants it;
    /// below `dir`.
    pub spa: Option<String>,
    /// Whether `x.js.br`, `x.js.zst` and `x.js.gz` are served for `x.js` to clients that take them.
    pub precompressed: bool,
}
