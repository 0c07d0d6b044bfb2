//! What is answered to which request.

use std::borrow::Cow;

use httparse::Request;

use super::body::Framing;
use super::websocket;

/// `GET /`: as much as a small API answer.
const PAGE: &[u8] =
    b"{\"origin\":\"loadtest\",\"items\":[{\"id\":1,\"name\":\"oat milk, 1 l\",\"quantity\":2},\
{\"id\":2,\"name\":\"rye bread\",\"quantity\":1}],\"next\":null}\n";

/// What `/size/N` repeats.
pub(super) static FILLING: [u8; 256 * 1024] = [b'x'; 256 * 1024];

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// At once.
    Now(Reply),
    /// The number of bytes, when the request's body is there.
    Count(Framing),
    /// An echo, from the end of this head on.
    Echo(Vec<u8>),
}

/// A head with the start of its body, and how many bytes of [`FILLING`] follow.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) bytes: Vec<u8>,
    pub(super) filling: u64,
    /// Whether the connection ends here.
    pub(super) closes: bool,
}

/// Finds the answer to a request that has been parsed.
pub(super) fn to(request: &Request<'_, '_>) -> Answer {
    let method = request.method.unwrap_or_default();
    let path = request.path.unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    match (method, Framing::of(request.headers)) {
        (_, Err(fault)) => Answer::Now(refusal("400 Bad Request", fault)),
        ("POST" | "PUT", Ok(framing)) => Answer::Count(framing),
        ("GET" | "HEAD", Ok(Framing::Empty)) if path == "/ws" => websocket::answer(request.headers),
        ("GET" | "HEAD", Ok(Framing::Empty)) => Answer::Now(get(path, method == "HEAD")),
        ("GET" | "HEAD", Ok(_)) => {
            Answer::Now(refusal("400 Bad Request", "this origin takes no body with GET"))
        }
        _ => Answer::Now(refusal("405 Method Not Allowed", "GET, HEAD, POST and PUT are known")),
    }
}

fn get(path: &str, head_only: bool) -> Reply {
    if path == "/" || path.starts_with("/page") {
        return ok("application/json", Cow::Borrowed(PAGE), head_only);
    }
    let Some(size) = path.strip_prefix("/size/").and_then(|size| size.parse::<u64>().ok()) else {
        return Reply {
            closes: false,
            ..refusal("404 Not Found", "there are /, /page…, /size/BYTES and /ws")
        };
    };
    let bytes = head("200 OK", "application/octet-stream", size, "");
    Reply { bytes, filling: if head_only { 0 } else { size }, closes: false }
}

/// The answer to a body that has been read.
pub(super) fn counted(bytes: u64) -> Reply {
    ok("text/plain", Cow::Owned(format!("{bytes}\n").into_bytes()), false)
}

/// An answer that ends the connection, because what follows could not be understood.
pub(super) fn refusal(status: &str, sentence: &str) -> Reply {
    let body = format!("{sentence}\n");
    let mut bytes = head(status, "text/plain", body.len() as u64, "connection: close\r\n");
    bytes.extend_from_slice(body.as_bytes());
    Reply { bytes, filling: 0, closes: true }
}

fn ok(kind: &str, body: Cow<'_, [u8]>, head_only: bool) -> Reply {
    let mut bytes = head("200 OK", kind, body.len() as u64, "");
    if !head_only {
        bytes.extend_from_slice(&body);
    }
    Reply { bytes, filling: 0, closes: false }
}

/// The fields that a small application sends. The date stands still: to ask for it would cost more
/// than all the rest, and nobody here looks at it.
fn head(status: &str, kind: &str, length: u64, more: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\ncontent-type: {kind}\r\n\
         content-length: {length}\r\netag: \"loadtest-1\"\r\nx-powered-by: loadtest\r\n{more}\r\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut request = Request::new(&mut headers);
        request.parse(text.as_bytes()).unwrap();
        to(&request)
    }

    fn now(text: &str) -> (String, u64, bool) {
        let Answer::Now(reply) = answer(text) else { panic!("no answer to {text:?}") };
        (String::from_utf8(reply.bytes).unwrap(), reply.filling, reply.closes)
    }

    #[test]
    fn the_page_has_130_bytes_whatever_the_query() {
        for target in ["/", "/?n=1", "/page/7"] {
            let (text, filling, closes) = now(&format!("GET {target} HTTP/1.1\r\n\r\n"));
            assert!(text.contains("content-length: 130\r\n"), "{text}");
            assert_eq!(text.split("\r\n\r\n").nth(1).map(str::len), Some(130));
            assert_eq!((filling, closes), (0, false));
        }
    }

    #[test]
    fn a_size_is_filled_and_head_has_no_body() {
        let (text, filling, _) = now("GET /size/102400 HTTP/1.1\r\n\r\n");
        assert!(text.contains("content-length: 102400\r\n") && text.ends_with("\r\n\r\n"));
        assert_eq!(filling, 102_400);
        let (text, filling, _) = now("HEAD /size/102400 HTTP/1.1\r\n\r\n");
        assert!(text.contains("content-length: 102400\r\n"));
        assert_eq!(filling, 0);
    }

    #[test]
    fn what_is_not_there_is_said_and_what_is_unclear_ends_the_connection() {
        let (text, _, closes) = now("GET /x HTTP/1.1\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 404 ") && !closes);
        let (text, _, closes) = now("POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 400 ") && closes);
    }

    #[test]
    fn a_body_is_counted() {
        let sent = "POST /sink HTTP/1.1\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(answer(sent), Answer::Count(Framing::Length(5)));
        assert!(String::from_utf8(counted(5).bytes).unwrap().ends_with("\r\n\r\n5\n"));
    }
}
