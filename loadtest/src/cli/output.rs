//! What commands print, and how they end.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Nothing could be judged: wrong arguments, a scenario with errors, a target out of reach.
pub(super) const UNUSABLE: u8 = 2;

/// Prints what a command was asked for, and ends with `code`. A reader that has seen enough (`| head`)
/// is no failure.
pub(super) fn print(text: &str, code: ExitCode) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("error: cannot write to stdout: {error}\n"));
            ExitCode::from(UNUSABLE)
        }
        _ => code,
    }
}

/// Says on stderr what is wrong. Where stderr is closed, nobody wants to know.
pub(super) fn complain(text: &str) {
    drop(io::stderr().lock().write_all(text.as_bytes()));
}

/// Whether a stream may be coloured: on a terminal that can, unless NO_COLOR (no-color.org) says no.
pub(super) fn may_be_coloured(stream: &impl IsTerminal) -> bool {
    let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    stream.is_terminal()
        && said("NO_COLOR").is_none()
        && said("TERM").is_none_or(|term| term != "dumb")
}
