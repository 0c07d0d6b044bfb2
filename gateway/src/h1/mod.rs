//! HTTP/1.1 as bytes (RFC 9112): heads read and written, bodies framed. Nothing here waits for a
//! socket; both sides of the gateway use it.

mod body;
mod framing;
mod parse;
mod trailers;
mod write;

pub(crate) use body::{BodyError, BodyReader, Next};
pub(crate) use framing::{FramingError, has_token, of_answer, of_request, one_length};
pub(crate) use parse::{HeadError, parse_answer, parse_request};
pub(crate) use write::{BodyWriter, answer_head, informational_head};
