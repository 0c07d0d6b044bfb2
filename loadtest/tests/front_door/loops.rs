//! Open and closed loops, and what they hide or show.

use std::io::{BufReader, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::harness::origin::Origin;
use crate::harness::{Folder, number, raw};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// How long the origin stalls, once.
const STALL: Duration = Duration::from_millis(1_500);

/// An origin that stalls at its twentieth request and answers all others at once.
fn stalling() -> std::net::SocketAddr {
    let count = Arc::new(AtomicUsize::new(0));
    raw::start(move |stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while raw::read_head(&mut reader) {
            if count.fetch_add(1, Ordering::AcqRel) == 20 {
                // The stall is what is measured; nothing waits for it to be over.
                std::thread::sleep(STALL);
            }
            if (&stream).write_all(ANSWER).is_err() {
                return;
            }
        }
    })
}

/// Requests are due while the origin stalls, and each of them was late, whenever it was sent: a stall
/// of 1.5 s in 3 s of one connection is seen by half of the requests.
#[test]
fn an_open_loop_counts_from_when_requests_were_due() {
    let scenario = format!(
        "target = \"http://{}\"\nmode = \"open\"\nrate = \"100/s\"\nduration = \"3s\"\n",
        stalling()
    );
    let result = Folder::new().result(&scenario, &[]);
    assert_eq!(number(&result, "/requests"), 300.0);
    assert_eq!(number(&result, "/errors/total"), 0.0);
    assert!(number(&result, "/latency_ms/max") >= 1_400.0, "{}", result["latency_ms"]);
    assert!(number(&result, "/latency_ms/p99") >= 1_000.0, "{}", result["latency_ms"]);
    assert!(number(&result, "/latency_ms/p90") >= 500.0, "{}", result["latency_ms"]);
}

/// The same stall in a closed loop is one slow request among many: that is what the open loop is for.
#[test]
fn a_closed_loop_sees_a_stall_once() {
    let scenario = format!("target = \"http://{}\"\nduration = \"3s\"\n", stalling());
    let result = Folder::new().result(&scenario, &[]);
    assert!(number(&result, "/latency_ms/max") >= 1_400.0, "{}", result["latency_ms"]);
    let slow = result["histogram_us"].as_array().unwrap();
    let slow = slow.iter().filter(|bucket| bucket[0].as_u64().unwrap() >= 1_400_000);
    assert_eq!(slow.map(|bucket| bucket[1].as_u64().unwrap()).sum::<u64>(), 1);
}

#[test]
fn a_ramp_makes_as_many_requests_as_its_rates_add_up_to() {
    let origin = Origin::http1();
    let scenario = format!(
        "target = \"http://{}\"\nmode = \"open\"\nconnections = 4\n\
         ramp = [{{ to = \"200/s\", over = \"1s\" }}, {{ hold = \"500ms\" }}]\n",
        origin.address
    );
    let result = Folder::new().result(&scenario, &[]);
    assert_eq!(number(&result, "/requests"), 200.0);
    assert_eq!(origin.requests(), 200);
    assert_eq!(number(&result, "/duration_s"), 1.5);
}

#[test]
fn several_threads_share_the_schedule_and_the_counter() {
    let origin = Origin::http1();
    let scenario = format!(
        "target = \"http://{}\"\nmode = \"open\"\nrate = \"300/s\"\nduration = \"1s\"\nconnections = 5\n\
         [[request]]\npath = \"/items?n={{n}}\"\nexpect = {{ body_contains = \"ok /items?n=\" }}\n",
        origin.address
    );
    let result = Folder::new().result(&scenario, &["--threads", "3"]);
    assert_eq!(number(&result, "/requests"), 300.0);
    assert_eq!(number(&result, "/errors/total"), 0.0, "{result:#}");
    assert_eq!(origin.requests(), 300);
}

#[test]
fn the_warm_up_is_made_and_not_counted() {
    let origin = Origin::http1();
    let scenario = format!(
        "target = \"http://{}\"\nmode = \"open\"\nrate = \"100/s\"\nwarmup = \"500ms\"\nduration = \"1s\"\n",
        origin.address
    );
    let result = Folder::new().result(&scenario, &[]);
    assert_eq!(number(&result, "/requests"), 100.0);
    assert_eq!(origin.requests(), 150);
}

/// Two connections that pause for 300 ms behind each answer make few requests in a second, however
/// quick the origin is.
#[test]
fn thinking_holds_a_closed_loop_back() {
    let origin = Origin::http1();
    let scenario = format!(
        "target = \"http://{}\"\nconnections = 2\nthink = \"300ms\"\nduration = \"1s\"\n",
        origin.address
    );
    let requests = number(&Folder::new().result(&scenario, &[]), "/requests");
    assert!((2.0..=8.0).contains(&requests), "{requests}");
}

#[test]
fn the_command_line_replaces_what_the_scenario_says() {
    let origin = Origin::http1();
    let scenario = format!(
        "target = \"http://{}\"\nname = \"old\"\nmode = \"open\"\nrate = \"1/s\"\nduration = \"1h\"\n",
        origin.address
    );
    let more = ["--rate", "100/s", "--duration", "500ms", "--connections", "2", "--name", "new"];
    let result = Folder::new().result(&scenario, &more);
    assert_eq!(number(&result, "/requests"), 50.0);
    assert_eq!(number(&result, "/connections/opened"), 2.0);
    assert_eq!(result["name"], "new");
}
