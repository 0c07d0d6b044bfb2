//! Programs and their arguments.

use crate::complaint::Complaint;
use crate::problem::Code;

/// One argument, or the program itself: anything that a process can be given.
pub(crate) fn parse_argument(text: &str) -> Result<String, Complaint> {
    if text.contains('\0') {
        return Err(Complaint::new(Code::BadCommand, "no program can be given a NUL character")
            .help("remove it"));
    }
    Ok(text.to_owned())
}
