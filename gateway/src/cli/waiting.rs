//! Commands that wait for somebody else's answer.

use std::io;

/// Waits for an answer, on a runtime that is there for nothing else.
pub(super) fn wait_for<T>(answer: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(answer))
}
