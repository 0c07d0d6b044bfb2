//! Flow control (RFC 9113 section 5.2).

/// What every window is before anybody says otherwise (section 6.9.2).
pub(crate) const DEFAULT_WINDOW: u32 = 65_535;

/// No window may be larger (section 6.9.1).
pub(crate) const MAX_WINDOW: u32 = 0x7fff_ffff;

/// What a client may have on its way to us without our having taken it: for one stream, and for all
/// of a connection.
pub(crate) const STREAM_WINDOW: u32 = 256 * 1024;
pub(crate) const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// What the client may still send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReceiveWindow {
    size: u32,
    left: u32,
    /// Bytes that have been taken, of which the client has not been told.
    taken: u32,
}

impl ReceiveWindow {
    pub(crate) fn new(size: u32) -> Self {
        Self { size, left: size, taken: 0 }
    }

    /// The client has sent so much. `false`: more than it might.
    pub(crate) fn receive(&mut self, length: u32) -> bool {
        let left = self.left.checked_sub(length);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    /// So much of it has been taken. What to tell the client, once it is worth a frame.
    pub(crate) fn take(&mut self, length: u32) -> Option<u32> {
        self.taken += length;
        if self.taken < self.size / 2 {
            return None;
        }
        self.left += self.taken;
        Some(std::mem::take(&mut self.taken))
    }
}

/// What we may still send. Changed settings can make it negative (section 6.9.2).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SendWindow(i64);

impl SendWindow {
    pub(crate) fn new(size: u32) -> Self {
        Self(i64::from(size))
    }

    pub(crate) fn left(self) -> usize {
        usize::try_from(self.0).unwrap_or_default()
    }

    pub(crate) fn send(&mut self, length: usize) {
        self.0 -= length as i64;
    }

    /// Makes it larger, or smaller. `false`: it would be larger than a window may be.
    pub(crate) fn change(&mut self, by: i64) -> bool {
        self.0 += by;
        self.0 <= i64::from(MAX_WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_is_told_by_halves() {
        let mut window = ReceiveWindow::new(100);
        assert!(window.receive(100));
        assert!(!window.receive(1));
        assert_eq!(window.take(49), None);
        assert_eq!(window.take(1), Some(50));
        assert!(window.receive(50));
        assert!(!window.receive(1));
    }

    #[test]
    fn a_window_can_be_owed() {
        let mut window = SendWindow::new(10);
        window.send(10);
        assert!(window.change(-5));
        assert_eq!(window.left(), 0);
        assert!(window.change(6));
        assert_eq!(window.left(), 1);
        assert!(!window.change(i64::from(MAX_WINDOW)));
    }
}
