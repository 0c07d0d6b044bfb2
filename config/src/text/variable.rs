//! Names of environment variables.

use crate::complaint::Complaint;
use crate::problem::Code;

/// Whether the text can be the name of a variable: letters, digits and `_`, no digit in front.
pub(crate) fn is_variable(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(plain) && text.starts_with(|c: char| !c.is_ascii_digit())
}

/// The name of a variable. What is none is not repeated: it may be the secret itself.
pub(crate) fn parse_variable(text: &str) -> Result<String, Complaint> {
    if is_variable(text) {
        return Ok(text.to_owned());
    }
    Err(Complaint::new(Code::BadVariable, "this is not the name of an environment variable")
        .help("write the variable's name, not what it holds: letters, digits and `_`, as in { env = \"CF_TOKEN\" }"))
}
