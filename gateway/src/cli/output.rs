//! What commands print, and how they end.

use std::io::{self, Write};
use std::process::ExitCode;

use gateway_config::Problems;

use crate::terminal::may_be_coloured;

/// Nothing could be judged: the file cannot be read. Also what wrong arguments end with.
pub(super) const UNREADABLE: u8 = 2;

/// Prints what a command was asked for, and ends with `code`. A reader that has seen enough (`| head`)
/// is no failure.
pub(super) fn print(text: &str, code: ExitCode) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("error: cannot write to stdout: {error}\n"));
            ExitCode::FAILURE
        }
        _ => code,
    }
}

/// Says on stderr what is wrong. Where stderr is closed, nobody wants to know.
pub(super) fn complain(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Shows problems to people.
pub(super) fn show(problems: &Problems) {
    complain(&problems.render_human(may_be_coloured(&io::stderr())));
}
