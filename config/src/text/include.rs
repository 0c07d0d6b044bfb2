//! Patterns of files.

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// A pattern of files to include. Nothing is looked up.
pub(crate) fn parse_include(text: &str) -> Result<String, Complaint> {
    let flaw = if text.is_empty() || text.contains('\0') {
        "it names no file".to_owned()
    } else if text.contains("**") {
        // Whether a file is part of the configuration should be seen from its folder.
        "`**` would look into every folder".to_owned()
    } else if let Err(error) = glob::Pattern::new(text) {
        error.msg.to_owned()
    } else {
        return Ok(text.to_owned());
    };
    let message = format!("{} is no pattern of files: {flaw}", quoted(text));
    Err(Complaint::new(Code::BadFile, message)
        .help("write a pattern such as \"sites/*.toml\"; `*` is any part of a name, and a relative pattern begins at the folder of the configuration file"))
}
