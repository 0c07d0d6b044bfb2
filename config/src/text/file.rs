//! Names of files and folders.

use std::path::{Path, PathBuf};

use crate::complaint::Complaint;
use crate::problem::Code;

/// A path, resolved against the folder of the configuration file. Nothing is looked up.
pub(crate) fn parse_file(text: &str, base: &Path) -> Result<PathBuf, Complaint> {
    if text.is_empty() || text.contains('\0') {
        return Err(Complaint::new(Code::BadFile, "this names no file or folder")
            .help("write a path; a relative one begins at the folder of the configuration file"));
    }
    Ok(base.join(text))
}
