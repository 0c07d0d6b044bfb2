//! Names of files and folders.

use std::path::{Path, PathBuf};

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// A path, resolved against the folder of the configuration file. Nothing is looked up.
pub(crate) fn parse_file(text: &str, base: &Path) -> Result<PathBuf, Complaint> {
    if text.is_empty() || text.contains('\0') {
        return Err(Complaint::new(Code::BadFile, "this names no file or folder")
            .help("write a path; a relative one begins at the folder of the configuration file"));
    }
    Ok(base.join(text))
}

/// A file below a folder, as a path that a client could ask for.
pub(crate) fn parse_file_below(text: &str) -> Result<String, Complaint> {
    let good = !text.is_empty()
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
        && !text.contains(|c: char| c == '\\' || c.is_control());
    if good {
        return Ok(text.to_owned());
    }
    let message = format!("{} is not a file below a folder", quoted(text));
    Err(Complaint::new(Code::BadFile, message).help(
        "write its name, for instance \"index.html\", or a path below the folder, without `.` and `..`",
    ))
}
