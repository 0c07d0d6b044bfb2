//! Static files: what a request gets of a folder.
//!
//! The path becomes a name below the folder ([`name`]), the name a file that is open
//! ([`open::look_up`], on a thread that may wait for a disk), the request's conditions decide how much
//! of it is asked for ([`conditions`]), and the pieces go to the client ([`body`]).

mod body;
mod conditions;
mod name;
mod open;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway_config::model::{Bandwidth, Files, PathPattern};
use http::{Method, StatusCode};
use tokio::time::Instant;

use crate::downstream::Downstream;
use crate::encoder::Encoder;
use crate::fault::Fault;
use crate::head::{Known, RequestHead, ResponseHead};
use crate::headers::accept_encoding::AcceptEncoding;
use crate::headers::response::Dress;
use crate::headers::trace::Trace;
use crate::headers::vary;
use crate::path::{self, Path};
use crate::policy::bandwidth::Pace;
use crate::policy::limit::Allowance;
use crate::reply::{self, Answer};
use crate::route::own_length;
use crate::time::write_http_date;
use body::{FileBody, Outlet};
use conditions::Verdict;
use open::{Found, Lookup, Wanted};

pub(crate) use name::name_below;

/// Silence that a client is allowed where the route does not say.
const IDLE: Duration = crate::exchange::BODY_IDLE;

/// A route's `files`.
pub(crate) struct Folder {
    files: Arc<Files>,
    /// The length of the route's own prefix, which is no part of the files' names.
    prefix: usize,
}

/// What a request gets.
pub(crate) enum Reply {
    /// An answer without a file's bytes.
    Answer(Answer),
    /// A file, or a part of one.
    File(Box<FileAnswer>),
}

/// A file on its way to a client.
pub(crate) struct FileAnswer {
    head: ResponseHead,
    body: FileBody,
}

/// What the route says about how a file is sent.
pub(crate) struct Terms<'t> {
    pub(crate) allowances: &'t [Allowance<'t>],
    pub(crate) idle: Option<Duration>,
    pub(crate) bandwidth: Option<Bandwidth>,
}

/// Checks that a method is one that files answer to.
///
/// # Errors
/// [`Fault::MethodNotAllowed`].
pub(crate) fn check_method(method: &Method) -> Result<(), Fault> {
    let good = matches!(*method, Method::GET | Method::HEAD);
    if good { Ok(()) } else { Err(Fault::MethodNotAllowed("GET, HEAD")) }
}

impl Folder {
    pub(crate) fn new(files: &Files, pattern: &PathPattern) -> Self {
        let prefix = match pattern {
            PathPattern::Prefix(_) => own_length(pattern),
            PathPattern::Exact(_) => 0,
        };
        Self { files: Arc::new(files.clone()), prefix }
    }

    /// Looks for what a request asks for.
    ///
    /// # Errors
    /// [`Fault::MethodNotAllowed`], [`Fault::NoFile`], [`Fault::Unreadable`].
    pub(crate) async fn find(&self, asked: &RequestHead, path: &Path<'_>) -> Result<Reply, Fault> {
        check_method(&asked.method)?;
        let wanted = self.wanted(asked, path)?;
        let files = self.files.clone();
        let looked = tokio::task::spawn_blocking(move || open::look_up(&files, &wanted));
        let found = looked.await.map_err(std::io::Error::other).and_then(|found| found);
        match found.map_err(Fault::Unreadable)? {
            Lookup::File(found) => Ok(self.answer(asked, found)),
            Lookup::Folder => Ok(Reply::Answer(moved_to_folder(asked, path)?)),
            Lookup::Nothing => Err(Fault::NoFile),
        }
    }

    fn wanted(&self, asked: &RequestHead, path: &Path<'_>) -> Result<Wanted, Fault> {
        let name = name_below(&path.normal, self.prefix).ok_or(Fault::NoFile)?.to_owned();
        let codings = match self.files.precompressed {
            true => AcceptEncoding::of(&asked.fields).wanted(&open::SIBLINGS),
            false => smallvec::SmallVec::new(),
        };
        let is_page = reply::prefers_html(asked);
        // Who asks with a condition has the file already, mostly.
        let conditions: [&[u8]; 3] = [b"if-none-match", b"if-modified-since", b"range"];
        let reads = asked.method == Method::GET
            && !conditions.iter().any(|name| asked.fields.has_named(name));
        Ok(Wanted { name, codings, is_page, reads })
    }

    /// The answer with a file, as the request's conditions have it (RFC 9110 section 13).
    fn answer(&self, asked: &RequestHead, found: Found) -> Reply {
        let verdict = conditions::judge(asked, &found.facts);
        let length = found.facts.length;
        let (status, range) = match &verdict {
            Verdict::Whole => (StatusCode::OK, 0..length),
            Verdict::Part(range) => (StatusCode::PARTIAL_CONTENT, range.clone()),
            Verdict::NotModified => (StatusCode::NOT_MODIFIED, 0..0),
            Verdict::Failed => (StatusCode::PRECONDITION_FAILED, 0..0),
            Verdict::NoSuchPart => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0),
        };
        let mut head = ResponseHead { status, ..ResponseHead::default() };
        describe(&found, self.files.precompressed, &mut head);
        match verdict {
            Verdict::Whole | Verdict::Part(_) => {}
            Verdict::NotModified => return Reply::Answer(Answer::of_head(head)),
            Verdict::Failed => return Reply::Answer(Answer::empty(status)),
            Verdict::NoSuchPart => {
                let all = format!("bytes */{length}");
                let answer = Answer::empty(status);
                return Reply::Answer(answer.with_named(b"content-range", all.as_bytes()));
            }
        }
        if status == StatusCode::PARTIAL_CONTENT {
            let (first, last) = (range.start, range.end.saturating_sub(1));
            let part = format!("bytes {first}-{last}/{length}");
            head.fields.add(b"content-range", part.as_bytes());
        }
        let mut digits = itoa::Buffer::new();
        let length = digits.format(range.end - range.start);
        head.fields.add_known(Known::ContentLength, length.as_bytes());
        Reply::File(Box::new(FileAnswer { head, body: FileBody::new(found, range) }))
    }
}

/// What a head says about a file, whatever part of it is sent.
fn describe(found: &Found, precompressed: bool, head: &mut ResponseHead) {
    let fields = &mut head.fields;
    if head.status != StatusCode::NOT_MODIFIED {
        fields.add_known(Known::ContentType, content_type(&found.name).as_bytes());
        fields.add(b"accept-ranges", b"bytes");
    }
    fields.add_known(Known::Etag, found.facts.etag.as_bytes());
    if let Some(modified) = found.facts.modified {
        fields.add_written(Known::LastModified, |out| write_http_date(modified, out));
    }
    if let Some(coding) = found.coding {
        fields.add_known(Known::ContentEncoding, coding.as_str().as_bytes());
    }
    if precompressed {
        vary::add(fields, "Accept-Encoding");
    }
    if found.stands_in {
        // Another file will be at this path one day, or has been.
        fields.add_known(Known::CacheControl, b"no-cache");
        vary::add(fields, "Accept");
    }
}

/// The type that a file's name stands for. Text is UTF-8 nowadays.
fn content_type(name: &str) -> String {
    match mime_guess::from_path(name).first_raw() {
        // RFC 9239 section 6.
        Some("application/javascript") => "text/javascript; charset=utf-8".to_owned(),
        Some(kind) if kind.starts_with("text/") => format!("{kind}; charset=utf-8"),
        Some(kind) => kind.to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// A folder is asked for with a slash, so that what its page names is found below it. The path is the
/// normalised one: a browser takes what begins with two slashes for another host.
fn moved_to_folder(asked: &RequestHead, path: &Path<'_>) -> Result<Answer, Fault> {
    let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}/{query}", path::encode(&path.normal));
    Answer::moved(StatusCode::PERMANENT_REDIRECT, &location)
}

impl FileAnswer {
    pub(crate) fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Sends the file.
    ///
    /// # Errors
    /// [`Fault::Unreadable`], [`Fault::NotCompressed`], [`Fault::ClientGone`].
    pub(crate) async fn send(
        self,
        request: &mut impl Downstream,
        method: &Method,
        dress: Dress<'_>,
        trace: &Trace,
        terms: Terms<'_>,
    ) -> Result<(), Fault> {
        let Self { mut head, body } = self;
        reply::add_rate_limits(terms.allowances, &mut head.fields);
        let encoding = dress.apply(trace, &mut head);
        reply::add_date(&mut head.fields, SystemTime::now());
        let ended = body.is_empty() || *method == Method::HEAD;
        let encoder = encoding.filter(|_| !ended).map(Encoder::new).transpose();
        let encoder = encoder.map_err(Fault::NotCompressed)?;
        request.send_head(&head, ended);
        if ended {
            return Ok(());
        }
        let pace = terms.bandwidth.map(|bandwidth| Pace::begin(bandwidth, Instant::now()));
        let outlet = Outlet::new(request, terms.idle.unwrap_or(IDLE), pace);
        body.send(outlet, encoder).await
    }
}

#[cfg(test)]
mod tests {
    use super::content_type;

    #[test]
    fn types_are_those_that_browsers_want() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("STYLE.CSS", "text/css; charset=utf-8"),
            ("data.json", "application/json"),
            ("app.wasm", "application/wasm"),
            ("logo.svg", "image/svg+xml"),
            ("font.woff2", "font/woff2"),
            ("photo.avif", "image/avif"),
            ("app.webmanifest", "application/manifest+json"),
            ("unknown", "application/octet-stream"),
            ("x.unknown-ending", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }
}
