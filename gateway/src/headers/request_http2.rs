//! The request's head as an upstream sees it that is spoken to in HTTP/2.

use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};

use super::request::{Forwarding, Sink, fields_for_upstream};
use crate::fault::Fault;
use crate::h1::has_token;
use crate::head::{Known, RequestHead};

/// The head for the upstream (RFC 9113 section 8.3.1): what HTTP/1.1 says in its first line and in
/// `Host` stands in pseudo-fields, and how the body is framed is said by the frames.
///
/// # Errors
/// [`Fault::Malformed`], where the target holds what a URI cannot.
pub(crate) fn request_for_upstream(
    asked: &RequestHead,
    forwarding: &Forwarding<'_>,
) -> Result<Request<()>, Fault> {
    let uri = Uri::builder()
        .scheme("http")
        .authority(forwarding.authority)
        .path_and_query(forwarding.target)
        .build()
        .map_err(|_| Fault::Malformed("its target cannot stand in HTTP/2"))?;
    let mut fields = Http2Fields::default();
    fields_for_upstream(asked, forwarding, &mut fields);
    if has_token(asked.fields.all(Known::Te), b"trailers") {
        // The one word that `TE` may say in HTTP/2 (section 8.2.2). gRPC insists on it.
        fields.0.insert(http::header::TE, HeaderValue::from_static("trailers"));
    }
    let mut request = Request::new(());
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = fields.0;
    Ok(request)
}

#[derive(Default)]
struct Http2Fields(HeaderMap);

impl Sink for Http2Fields {
    fn field(&mut self, name: &[u8], value: &[u8]) {
        let of_http1 = matches!(
            Known::of(name),
            Known::Host
                | Known::TransferEncoding
                | Known::Expect
                | Known::Connection
                | Known::Upgrade
        );
        if of_http1 {
            return;
        }
        // Both have been checked when they came in.
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        {
            self.0.append(name, value);
        }
    }
}
