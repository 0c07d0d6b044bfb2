//! The requests, as `requests.txt` has them.
//!
//! A section for each row of the old front door: `[row]`, then, where the old one is wrong about it,
//! `mistake: …` (or `mistake everywhere: …`, where every answer of the site shows it, so that one is
//! enough), then a request a line: method, URL, and what else, behind `|`:
//!
//! - `Name: value`: a header field
//! - `h2`: over HTTP/2
//! - `body 11MiB`, `chunked 11MiB`: a body of so many bytes
//! - `from 127.99.0.1`: from this address
//! - `sni example.com`, `sni none`: another name in the handshake than the URL's
//! - `websocket`: an opening handshake, and a message that is to come back
//! - `until refused`: again and again, until there were too many
//! - `behind /app.js`: by a client whose requests for that path have just been refused for their number

/// One row.
pub(super) struct Section {
    pub(super) row: String,
    pub(super) mistake: Option<Mistake>,
    pub(super) requests: Vec<Request>,
}

/// What the old front door does wrong.
pub(super) struct Mistake {
    pub(super) text: String,
    /// Whether every answer of its sites shows it.
    pub(super) everywhere: bool,
}

/// One request.
#[derive(Clone)]
pub(super) struct Request {
    /// The line.
    pub(super) text: String,
    pub(super) method: String,
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) http2: bool,
    pub(super) body: Option<Body>,
    pub(super) source: Option<String>,
    /// `None` without one.
    pub(super) sni: Option<String>,
    pub(super) websocket: bool,
    pub(super) until_refused: bool,
    pub(super) behind: Option<String>,
}

/// A body of a length, which is announced or not.
#[derive(Clone, Copy)]
pub(super) struct Body {
    pub(super) length: usize,
    pub(super) chunked: bool,
}

/// Reads the file.
///
/// # Panics
/// Where it is not written as above.
pub(super) fn read(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(row) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push(Section { row: row.to_owned(), mistake: None, requests: Vec::new() });
            continue;
        }
        let section = sections.last_mut().expect("a file begins with a [row]");
        match line.strip_prefix("mistake").and_then(|rest| rest.split_once(": ")) {
            Some((extent, text)) => {
                let (text, everywhere) = (text.to_owned(), extent == " everywhere");
                section.mistake = Some(Mistake { text, everywhere });
            }
            None => section.requests.push(Request::read(line)),
        }
    }
    sections
}

impl Request {
    fn read(line: &str) -> Self {
        let mut parts = line.split(" | ");
        let (method, url) = parts.next().and_then(|part| part.split_once(' ')).expect(line);
        let (scheme, rest) = url.split_once("://").expect(line);
        let (host, target) = rest.split_at(rest.find('/').expect(line));
        let mut request = Self {
            text: line.to_owned(),
            method: method.to_owned(),
            secure: scheme == "https",
            host: host.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            http2: false,
            body: None,
            source: None,
            sni: Some(host.to_owned()),
            websocket: false,
            until_refused: false,
            behind: None,
        };
        parts.for_each(|part| request.add(part.trim()));
        request
    }

    fn add(&mut self, part: &str) {
        match part.split_once(' ') {
            None if part == "h2" => self.http2 = true,
            None if part == "websocket" => self.websocket = true,
            Some(("until", "refused")) => self.until_refused = true,
            Some(("behind", target)) => self.behind = Some(target.to_owned()),
            Some(("body", size)) => self.body = Some(Body { length: bytes(size), chunked: false }),
            Some(("chunked", size)) => {
                self.body = Some(Body { length: bytes(size), chunked: true })
            }
            Some(("from", address)) => self.source = Some(address.to_owned()),
            Some(("sni", "none")) => self.sni = None,
            Some(("sni", name)) => self.sni = Some(name.to_owned()),
            _ => {
                let (name, value) = part.split_once(": ").expect(&self.text);
                self.headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

fn bytes(size: &str) -> usize {
    let (number, unit) = size.split_at(size.find(|c: char| !c.is_ascii_digit()).expect(size));
    number.parse::<usize>().unwrap()
        * match unit {
            "B" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            other => panic!("no unit: {other}"),
        }
}
