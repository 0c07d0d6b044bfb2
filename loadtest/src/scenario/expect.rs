//! What a good answer is, and what has been seen of one.

use memchr::memmem;

/// What a request's answer must be.
#[derive(Debug)]
pub(crate) struct Expect {
    /// Empty for 200 to 399.
    pub(crate) statuses: Vec<u16>,
    /// The value has this text in it. Names are in lower case; at most 32.
    pub(crate) headers: Vec<(http::HeaderName, String)>,
    pub(crate) body_contains: Option<String>,
    pub(crate) min_bytes: u64,
}

/// What has been seen of an answer so far: just as much as is needed to judge it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    /// A bit for each header of `Expect` that was there as it should be.
    headers: u32,
    /// Of the body.
    pub(crate) bytes: u64,
    contains: bool,
    /// The end of the body so far, where the text that is looked for may have begun.
    tail: Vec<u8>,
}

/// Why an answer is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unexpected {
    Status,
    /// The index of the header.
    Header(usize),
    Body,
    Length,
}

impl Seen {
    /// The beginning of an answer.
    pub(crate) fn of_status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }
}

impl Expect {
    /// Sees a header of the answer, whatever the case of its name.
    pub(crate) fn see_header(&self, seen: &mut Seen, name: &[u8], value: &[u8]) {
        for (index, (wanted, text)) in self.headers.iter().enumerate() {
            let is_it = wanted.as_str().as_bytes().eq_ignore_ascii_case(name);
            if is_it && memmem::find(value, text.as_bytes()).is_some() {
                seen.headers |= 1 << index;
            }
        }
    }

    /// Sees a piece of the answer's body.
    pub(crate) fn see_body(&self, seen: &mut Seen, piece: &[u8]) {
        seen.bytes += piece.len() as u64;
        let Some(wanted) = &self.body_contains else { return };
        if seen.contains {
            return;
        }
        if seen.tail.is_empty() {
            seen.contains = memmem::find(piece, wanted.as_bytes()).is_some();
        }
        if !seen.contains {
            seen.tail.extend_from_slice(piece);
            seen.contains = memmem::find(&seen.tail, wanted.as_bytes()).is_some();
            let over = seen.tail.len().saturating_sub(wanted.len().saturating_sub(1));
            seen.tail.drain(..over);
        }
    }

    /// Judges an answer that is there as a whole.
    pub(crate) fn judge(&self, seen: &Seen) -> Result<(), Unexpected> {
        let is_good = match self.statuses.as_slice() {
            [] => (200..400).contains(&seen.status),
            statuses => statuses.contains(&seen.status),
        };
        if !is_good {
            return Err(Unexpected::Status);
        }
        let missing = (0..self.headers.len()).find(|index| seen.headers & (1 << index) == 0);
        match missing {
            Some(index) => Err(Unexpected::Header(index)),
            None if self.body_contains.is_some() && !seen.contains => Err(Unexpected::Body),
            None if seen.bytes < self.min_bytes => Err(Unexpected::Length),
            None => Ok(()),
        }
    }

    /// A sentence for people about an answer that is no good.
    pub(crate) fn explain(&self, unexpected: Unexpected, seen: &Seen) -> String {
        match unexpected {
            Unexpected::Status => format!("status {}", seen.status),
            Unexpected::Header(index) => match self.headers.get(index) {
                Some((name, text)) => format!("no header `{name}` with `{text}` in it"),
                None => "a header is missing".into(),
            },
            Unexpected::Body => {
                let wanted = self.body_contains.as_deref().unwrap_or_default();
                format!("`{wanted}` is not in the body of {} bytes", seen.bytes)
            }
            Unexpected::Length => {
                format!("the body has {} bytes, which is less than {}", seen.bytes, self.min_bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(body: &str) -> Expect {
        let header = (http::header::CONTENT_TYPE, "json".to_owned());
        let body_contains = Some(body.to_owned());
        Expect { statuses: vec![], headers: vec![header], body_contains, min_bytes: 4 }
    }

    #[test]
    fn a_text_is_found_across_pieces() {
        let expect = expect("needle");
        for pieces in [vec!["a needle"], vec!["a nee", "dle b"], vec!["n", "e", "e", "d", "l", "e"]]
        {
            let mut seen = Seen { status: 200, ..Seen::default() };
            expect.see_header(&mut seen, b"Content-Type", b"application/json; charset=utf-8");
            for piece in pieces {
                expect.see_body(&mut seen, piece.as_bytes());
            }
            assert_eq!(expect.judge(&seen), Ok(()));
        }
    }

    #[test]
    fn each_expectation_is_judged() {
        let expect = expect("x");
        let mut seen = Seen { status: 503, ..Seen::default() };
        assert_eq!(expect.judge(&seen), Err(Unexpected::Status));
        seen.status = 204;
        assert_eq!(expect.judge(&seen), Err(Unexpected::Header(0)));
        expect.see_header(&mut seen, b"content-type", b"json");
        assert_eq!(expect.judge(&seen), Err(Unexpected::Body));
        expect.see_body(&mut seen, b"x");
        assert_eq!(expect.judge(&seen), Err(Unexpected::Length));
    }
}
