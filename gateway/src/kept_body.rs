//! A request's body, kept while it is sent, in case that it must be sent once more.

use bytes::Bytes;

use crate::downstream::{Framing, Piece};

/// The longest body that is kept, in bytes. A longer one is sent once.
const LONGEST: usize = 64 * 1024;

/// What has been sent of a body.
#[derive(Debug, Default)]
pub(crate) struct KeptBody {
    pieces: Vec<Bytes>,
    length: usize,
    /// The end has come.
    is_whole: bool,
    /// Something has been sent that is not kept.
    is_lost: bool,
    /// The next piece to be sent once more; none where that is the number of pieces.
    next: usize,
    /// The end is to be told once more.
    ends: bool,
}

impl KeptBody {
    /// What keeps a body of this length; `None` where there is none or it is too long.
    pub(crate) fn of(framing: Framing) -> Option<Box<Self>> {
        let short = |length| usize::try_from(length).is_ok_and(|length| length <= LONGEST);
        match framing {
            Framing::Empty => None,
            Framing::Length(length) => short(length).then(Box::default),
            Framing::Open => Some(Box::default()),
        }
    }

    /// Whether it cannot be sent once more.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// From here on, [`Self::next`] begins at its beginning.
    pub(crate) fn rewind(&mut self) {
        self.next = 0;
        self.ends = self.is_whole;
    }

    /// What is to be sent once more; nothing while the client's own pieces are sent.
    pub(crate) fn next(&mut self) -> Option<Piece> {
        if let Some(piece) = self.pieces.get(self.next) {
            self.next += 1;
            return Some(Piece::Data(piece.clone()));
        }
        std::mem::take(&mut self.ends).then_some(Piece::End(None))
    }

    /// Keeps a piece that the client has sent.
    pub(crate) fn keep(&mut self, piece: &Piece) {
        match piece {
            Piece::End(trailers) => {
                self.is_whole = true;
                // They are seldom, and to be kept they would have to be copied.
                self.is_lost |= trailers.is_some();
            }
            Piece::Data(bytes) if !self.is_lost && self.length + bytes.len() <= LONGEST => {
                self.length += bytes.len();
                self.pieces.push(bytes.clone());
                self.next = self.pieces.len();
            }
            Piece::Data(_) => {
                self.is_lost = true;
                self.pieces.clear();
                self.next = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(piece: Option<Piece>) -> Option<String> {
        piece.map(|piece| match piece {
            Piece::Data(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
            Piece::End(_) => "the end".into(),
        })
    }

    #[test]
    fn what_has_been_sent_is_sent_again_and_then_the_client_goes_on() {
        let mut body = KeptBody::of(Framing::Open).unwrap();
        body.rewind();
        assert_eq!(text(body.next()), None);
        body.keep(&Piece::Data("one".into()));
        assert_eq!(text(body.next()), None, "it has just been sent");
        body.rewind();
        assert_eq!(text(body.next()).as_deref(), Some("one"));
        assert_eq!(text(body.next()), None);
        body.keep(&Piece::Data("two".into()));
        body.keep(&Piece::End(None));
        assert_eq!(text(body.next()), None);
        body.rewind();
        let again: Vec<_> = std::iter::from_fn(|| text(body.next())).collect();
        assert_eq!(again, ["one", "two", "the end"]);
        assert!(!body.is_lost());
    }

    #[test]
    fn a_long_body_is_not_kept() {
        assert!(KeptBody::of(Framing::Empty).is_none());
        assert!(KeptBody::of(Framing::Length(LONGEST as u64 + 1)).is_none());
        let mut body = KeptBody::of(Framing::Length(LONGEST as u64)).unwrap();
        body.keep(&Piece::Data(vec![0; LONGEST].into()));
        assert!(!body.is_lost());
        body.keep(&Piece::Data("x".into()));
        assert!(body.is_lost());
        body.keep(&Piece::Data("y".into()));
        body.rewind();
        assert_eq!(text(body.next()), None);
        let mut trailed = KeptBody::of(Framing::Open).unwrap();
        trailed.keep(&Piece::End(Some(Box::default())));
        assert!(trailed.is_lost());
    }
}
