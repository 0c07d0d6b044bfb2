//! What terminals show.

use std::io::IsTerminal;

/// Whether a stream may be coloured: on a terminal that can, unless NO_COLOR (no-color.org) says no.
pub(crate) fn may_be_coloured(stream: &impl IsTerminal) -> bool {
    let said = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    stream.is_terminal()
        && said("NO_COLOR").is_none()
        && said("TERM").is_none_or(|term| term != "dumb")
}
