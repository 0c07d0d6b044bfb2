//! The steps that every request takes, each alone and as often as wanted, so that their instructions
//! can be counted: `make instructions`. Unlike time, their number does not depend on what else the
//! machine does. No part of the library's interface.

use std::hint::black_box;
use std::net::IpAddr;
use std::task::{Context, Waker};
use std::time::{Duration, SystemTime};

use gateway_config::model::Config;
use http::Method;

use crate::access_log::Record;
use crate::client::Client;
use crate::downstream::Framing;
use crate::h1::{self, BodyWriter};
use crate::h2;
use crate::head::{RequestHead, ResponseHead};
use crate::headers::request::{Forwarding, for_upstream};
use crate::headers::response::Rules;
use crate::headers::trace::Trace;
use crate::metrics::{Metrics, RouteMetrics, SiteMetrics};
use crate::policy::limit::{Limiter, Within};
use crate::reply::add_rate_limits;
use crate::route::{Hosts, Paths};

/// Why there is nothing to count.
type Failure = Box<dyn std::error::Error>;

/// A step, to be taken so many times.
pub type Step = fn(u32) -> Result<(), Failure>;

/// Every step, by name.
pub const STEPS: [(&str, Step); 7] = [
    ("route", route),
    ("request-head", request_head),
    ("answer-head", answer_head),
    ("hundred-limits", hundred_limits),
    ("log", log),
    ("metrics", metrics),
    ("http2", http2),
];

const REQUEST: &[u8] = b"GET /api/v1/items?page=2 HTTP/1.1\r\nHost: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n\
    Accept: application/json\r\nAccept-Language: de,en;q=0.5\r\nAccept-Encoding: gzip, br\r\n\
    Referer: https://shop.example.com/list\r\nCookie: session=0123456789abcdef0123456789abcdef\r\n\r\n";

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ndate: Tue, 24 Nov 2026 04:00:00 GMT\r\n\
    server: uvicorn\r\ncontent-length: 130\r\ncontent-type: application/json\r\n\
    etag: \"abcdef\"\r\nvary: accept-encoding\r\n\r\n";

/// So many sites of ten routes, with headers and a limit.
fn config(sites: usize) -> Result<Config, Failure> {
    let mut text = String::from("[limit.web]\nrate = \"1000000/s\"\nburst = 1000000\n");
    for site in 0..sites {
        let routes: String = (0..10)
            .map(|route| format!("{{ path = \"/api/v{route}/*\", to = \"127.0.0.1:8000\" }},"))
            .collect();
        text += &format!(
            "[site.\"site-{site}.example.com\"]\ntls = \"self-signed\"\nheaders = \"app\"\n\
             limit = \"web\"\nroutes = [{routes}]\n"
        );
    }
    Ok(gateway_config::parse("counted", &text, std::path::Path::new("."))?.config)
}

fn asked() -> Result<RequestHead, Failure> {
    let mut head = RequestHead::default();
    h1::parse_request(REQUEST, &mut head)?;
    Ok(head)
}

fn trace() -> Trace {
    fastrand::seed(7);
    Trace::begin()
}

/// Finding the site and the route.
fn route(times: u32) -> Result<(), Failure> {
    let config = config(1000)?;
    let hosts = Hosts::of(&config.sites);
    let mut paths = Paths::default();
    for (index, route) in config.sites[0].routes.iter().enumerate() {
        paths.add(&route.path, index);
    }
    for _ in 0..times {
        black_box(hosts.find_authority(black_box("site-500.example.com"))?);
        let path = crate::path::normalise(black_box("/api/v7/items/12"))?;
        black_box(paths.find(&path.normal));
    }
    Ok(())
}

/// Reading a request's head, and writing the one for the upstream.
fn request_head(times: u32) -> Result<(), Failure> {
    let (mut head, mut out) = (RequestHead::default(), Vec::new());
    let client = Client { ip: IpAddr::from([192, 0, 2, 1]), via_trusted: false };
    fastrand::seed(7);
    for _ in 0..times {
        h1::parse_request(black_box(REQUEST), &mut head)?;
        let body = h1::of_request(&head)?;
        let trace = Trace::of(&head.fields, false);
        let forwarding = Forwarding {
            client,
            peer: "192.0.2.1",
            authority: "shop.example.com",
            trace: &trace,
            target: head.target(),
            body,
            upgrade: None,
            forwarded: false,
            added: None,
        };
        out.clear();
        for_upstream(&head, &forwarding, &mut out);
        black_box(&out);
    }
    Ok(())
}

/// Reading an answer's head, dressing it, and writing it for the client.
fn answer_head(times: u32) -> Result<(), Failure> {
    let config = config(1)?;
    let rules = Rules::of(&config.sites[0].routes[0].policy);
    let (trace, asked, mut out) = (trace(), RequestHead::default(), Vec::new());
    for _ in 0..times {
        let mut head = ResponseHead::default();
        h1::parse_answer(black_box(ANSWER), &mut head)?;
        h1::of_answer(&head, &Method::GET)?;
        black_box(rules.to(&asked).apply_to_upstreams(&trace, true, &mut head));
        out.clear();
        h1::answer_head(&head, BodyWriter::Length, http::Version::HTTP_11, true, &mut out);
        black_box(&out);
    }
    Ok(())
}

/// Counting a request against a limit, and saying so; a hundred, for the clock behind it takes a while
/// to be set up, and never the same.
fn hundred_limits(times: u32) -> Result<(), Failure> {
    let limiter = Limiter::new(&config(1)?.limits[0]);
    let (asked, client) = (asked()?, IpAddr::from([192, 0, 2, 1]));
    let mut head = ResponseHead::default();
    for _ in 0..u64::from(times) * 100 {
        head.fields.clear();
        let within = limiter.check(&asked, black_box(client), "/api/v1/items");
        let Ok(Within::Rate(allowance)) = within else { return Err("over the limit".into()) };
        add_rate_limits(&[allowance], &mut head.fields);
    }
    Ok(())
}

/// Writing a record of the access log.
fn log(times: u32) -> Result<(), Failure> {
    let (asked, trace, mut line) = (asked()?, trace(), Vec::new());
    for _ in 0..times {
        line.clear();
        let record = Record {
            at: SystemTime::UNIX_EPOCH,
            client: "192.0.2.1",
            site: "shop.example.com",
            route: "/api/*",
            method: asked.method.as_str(),
            host: "shop.example.com",
            path: asked.path(),
            proto: "HTTP/2",
            status: 200,
            bytes_in: 0,
            bytes_out: 130,
            duration: Duration::from_micros(1234),
            upstream: Some("backend"),
            upstream_duration: Some(Duration::from_micros(1000)),
            upstream_status: Some(200),
            upstream_tries: 1,
            tls: Some("TLSv1.3"),
            kx: Some("X25519MLKEM768"),
            resumed: Some(false),
            request_id: trace.request_id.as_str(),
            trace_id: trace.trace_id.as_str(),
            over_limit: None,
            error: None,
            referer: "",
            user_agent: "",
        };
        black_box(record).json(&mut line);
    }
    Ok(())
}

/// Counting a request.
fn metrics(times: u32) -> Result<(), Failure> {
    let metrics = Metrics::new(1)?;
    let (site, route) = (SiteMetrics::new(&metrics, "shop.example.com"), RouteMetrics::new());
    for _ in 0..times {
        site.count(black_box(Duration::from_micros(1234)), 0, 130);
        route.count(&metrics, ("shop.example.com", "/api/*"), &Method::GET, 200);
    }
    Ok(())
}

/// A request of HTTP/2 from its frame to its answer's, as of the second request of a browser.
fn http2(times: u32) -> Result<(), Failure> {
    let mut connection = h2::Connection::new();
    connection.receive(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
    // The connection's window is 2 GiB and not 64 KiB.
    connection.receive(b"\0\0\x04\x08\0\0\0\0\0\x7f\0\0\0")?;
    let mut answer = ResponseHead::default();
    h1::parse_answer(ANSWER, &mut answer)?;
    Rules::of(&config(1)?.sites[0].routes[0].policy)
        .to(&RequestHead::default())
        .apply(&trace(), &mut answer);
    let cx = Context::from_waker(Waker::noop());
    let mut stream = 1_u32;
    for _ in 0..times {
        connection.receive(&headers_frame(stream))?;
        while let Some(event) = connection.next_event() {
            let h2::Event::Request { stream, head, framing } = event else { continue };
            black_box(framing == Framing::Empty);
            connection.send_head(stream, &answer, false);
            black_box(connection.poll_send(stream, &cx, &[b'x'; 130]).is_ready());
            connection.end(stream, None);
            connection.release(stream, head);
        }
        let waiting = connection.output().len();
        connection.written(waiting);
        stream += 2;
    }
    Ok(())
}

/// `GET https://shop.example.com/api/v1/items` in a frame of HEADERS that ends its stream, without the
/// table and without Huffman's code.
fn headers_frame(stream: u32) -> Vec<u8> {
    let mut block = vec![0x82, 0x87];
    for (index, value) in [(1, "shop.example.com"), (4, "/api/v1/items")] {
        block.push(index);
        block.extend_from_slice(&[value.len().try_into().unwrap_or(0)]);
        block.extend_from_slice(value.as_bytes());
    }
    let length = block.len().try_into().unwrap_or(0);
    let mut frame = vec![0, 0, length, 1, 5];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(&block);
    frame
}
