//! The sample frontend: a page that uses the backend as a browser's application does, its assets,
//! and a page for everything else.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::reply::{Outcome, full, only_get, set};
use super::server::{App, Tasks};

const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Stands for the version in the page's links to its assets, which may be cached for a year.
const VERSION_MARK: &str = "{version}";

/// The application.
#[derive(Debug)]
pub(super) struct Frontend {
    page: Bytes,
    not_found: Bytes,
}

impl Frontend {
    /// The pages, with links to this version's assets.
    pub(super) fn new() -> Self {
        let versioned =
            |page: &str| Bytes::from(page.replace(VERSION_MARK, env!("CARGO_PKG_VERSION")));
        Self {
            page: versioned(include_str!("page.html")),
            not_found: versioned(include_str!("not_found.html")),
        }
    }
}

impl App for Frontend {
    async fn handle(self: Arc<Self>, request: Request<Incoming>, _: &Tasks) -> Outcome {
        only_get(request.method())?;
        let (status, content_type, body) = match request.uri().path() {
            "/" => (StatusCode::OK, HTML, self.page.clone()),
            // Nothing is said about caching the assets: that is for the gateway's `cache_control`.
            "/app.js" => return Ok(asset(JAVASCRIPT, include_str!("app.js"))),
            "/app.css" => return Ok(asset(CSS, include_str!("app.css"))),
            "/favicon.svg" => return Ok(asset(SVG, include_str!("favicon.svg"))),
            _ => (StatusCode::NOT_FOUND, HTML, self.not_found.clone()),
        };
        let mut reply = full(status, content_type, body);
        set(&mut reply, CACHE_CONTROL, "no-cache");
        Ok(reply)
    }
}

fn asset(content_type: &'static str, text: &'static str) -> super::reply::Reply {
    full(StatusCode::OK, content_type, text)
}
