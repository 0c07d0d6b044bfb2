//! What a client may do that costs us and gets nobody anywhere.

/// Requests that a client may take back before they are answered, beyond one for each that was
/// (CVE-2023-44487).
pub(crate) const RESETS: u32 = 128;

/// Errors of streams that one connection may cause, which make us reset them (CVE-2025-8671).
pub(crate) const MALFORMED: u32 = 32;

/// Frames that carry nothing: settings, pings, empty ones, and those for streams that are no more.
pub(crate) const IDLE_FRAMES: u32 = 1024;

/// How many of the last a request, and a frame of data in either direction, make up for.
pub(crate) const IDLE_FRAMES_A_REQUEST: u32 = 16;
pub(crate) const IDLE_FRAMES_A_DATA_FRAME: u32 = 2;

/// So much of something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    left: u32,
    most: u32,
}

impl Budget {
    pub(crate) fn new(most: u32) -> Self {
        Self { left: most, most }
    }

    /// Uses one up. `false`: there was none left.
    pub(crate) fn spend(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    pub(crate) fn refund(&mut self, by: u32) {
        self.left = self.most.min(self.left + by);
    }

    pub(crate) fn refill(&mut self) {
        self.left = self.most;
    }
}
