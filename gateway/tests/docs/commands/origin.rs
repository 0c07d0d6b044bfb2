//! What the documents' gateways stand in front of: a server that answers every request with 200.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 22\r\n\r\nHello from behind it.\n";

/// Starts one on a free port, for as long as the test runs, and says which.
pub(super) fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(&stream));
        }
    });
    port
}

/// Answers one request after the other. The documents send none that has a body.
fn serve(stream: &TcpStream) {
    // A gateway that forgot about the connection must not keep the thread for ever.
    let limited = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let mut lines = BufReader::new(stream).lines();
    while limited.is_ok() {
        match lines.next() {
            Some(Ok(line)) if !line.is_empty() => {}
            Some(Ok(_end_of_head)) => {
                if (&mut &*stream).write_all(ANSWER).is_err() {
                    return;
                }
            }
            Some(Err(_)) | None => return,
        }
    }
}
