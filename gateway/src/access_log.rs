//! The access log: one record a request, on stdout, in one stream with the site as a field.
//!
//! Workers only append to a buffer; one thread writes it out. A stdout that blocks therefore stops
//! no request: past [`CAPACITY`] records are dropped, and counted.

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use gateway_config::model::AccessLog as Format;
use parking_lot::{Condvar, Mutex};
use prometheus::IntCounter;
use serde::Serialize;

use crate::time::{Clf, Rfc3339};

/// Bytes that may wait to be written.
const CAPACITY: usize = 8 * 1024 * 1024;

/// How long the writer lets records gather: it is woken once for many.
const GATHER: Duration = Duration::from_millis(5);

/// What is written about one request. Queries, cookies and authorisations never are.
#[derive(Debug, Serialize)]
pub(crate) struct Record<'r> {
    pub(crate) time: String,
    pub(crate) client: IpAddr,
    pub(crate) site: &'r str,
    pub(crate) route: &'r str,
    pub(crate) method: &'r str,
    pub(crate) host: &'r str,
    pub(crate) path: &'r str,
    pub(crate) proto: &'static str,
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) duration_ms: f64,
    pub(crate) upstream: Option<&'r str>,
    pub(crate) upstream_ms: Option<f64>,
    pub(crate) upstream_status: Option<u16>,
    pub(crate) tls: Option<&'static str>,
    pub(crate) kx: Option<&'static str>,
    pub(crate) resumed: Option<bool>,
    pub(crate) request_id: &'r str,
    pub(crate) trace_id: &'r str,
    pub(crate) error: Option<&'r str>,
    /// For the combined format only.
    #[serde(skip)]
    pub(crate) referer: &'r str,
    #[serde(skip)]
    pub(crate) user_agent: &'r str,
    #[serde(skip)]
    pub(crate) at: SystemTime,
}

impl Record<'_> {
    fn combined(&self, out: &mut Vec<u8>) -> std::io::Result<()> {
        write!(
            out,
            "{} - - [{}] \"{} {} {}\" {} {} \"{}\" \"{}\"",
            self.client,
            Clf(self.at),
            Quoted(self.method),
            Quoted(self.path),
            self.proto,
            self.status,
            self.bytes_out,
            Quoted(self.referer),
            Quoted(self.user_agent),
        )
    }
}

/// Text between quotation marks: what would end it, or the line, is escaped as Apache does.
struct Quoted<'t>(&'t str);

impl std::fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                control if control.is_control() => write!(f, "\\x{:02x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// `time` of a record.
pub(crate) fn timestamp(at: SystemTime) -> String {
    Rfc3339(at).to_string()
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    buffer: Mutex<Buffer>,
    filled: Condvar,
}

/// The log that workers write to. Dropping it writes out what waits.
pub(crate) struct AccessLog {
    format: Format,
    queue: Arc<Queue>,
    dropped: IntCounter,
    writer: Option<JoinHandle<()>>,
}

impl AccessLog {
    /// Starts the writer.
    pub(crate) fn start(
        format: Format,
        dropped: IntCounter,
        out: impl Write + Send + 'static,
    ) -> std::io::Result<Self> {
        let queue = Arc::<Queue>::default();
        let theirs = queue.clone();
        let writer = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_out(&theirs, out))?;
        Ok(Self { format, queue, dropped, writer: Some(writer) })
    }

    /// Writes one record.
    pub(crate) fn write(&self, record: &Record<'_>) {
        let mut line = Vec::with_capacity(640);
        let written = match self.format {
            Format::Json => serde_json::to_writer(&mut line, record).map_err(Into::into),
            Format::Combined => record.combined(&mut line),
            Format::Off => return,
        };
        line.push(b'\n');
        let mut buffer = self.queue.buffer.lock();
        if written.is_err() || buffer.bytes.len() + line.len() > CAPACITY {
            self.dropped.inc();
            return;
        }
        let was_empty = buffer.bytes.is_empty();
        buffer.bytes.extend_from_slice(&line);
        drop(buffer);
        if was_empty {
            self.queue.filled.notify_one();
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.queue.buffer.lock().closed = true;
        self.queue.filled.notify_one();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already said so.
            drop(writer.join());
        }
    }
}

fn write_out(queue: &Queue, mut out: impl Write) {
    let mut batch = Vec::new();
    loop {
        let mut buffer = queue.buffer.lock();
        while buffer.bytes.is_empty() {
            if buffer.closed {
                return;
            }
            queue.filled.wait(&mut buffer);
        }
        if !buffer.closed {
            // Others append meanwhile; being closed ends the wait early.
            queue.filled.wait_for(&mut buffer, GATHER);
        }
        batch.clear();
        std::mem::swap(&mut batch, &mut buffer.bytes);
        drop(buffer);
        if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
            // Whoever read the log has gone. Serving goes on without it.
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn record(path: &str) -> Record<'_> {
        Record {
            time: timestamp(SystemTime::UNIX_EPOCH),
            client: IpAddr::from([192, 0, 2, 1]),
            site: "example.com",
            route: "/*",
            method: "GET",
            host: "example.com",
            path,
            proto: "HTTP/2",
            status: 200,
            bytes_in: 0,
            bytes_out: 5,
            duration_ms: 1.5,
            upstream: None,
            upstream_ms: None,
            upstream_status: None,
            tls: Some("TLSv1.3"),
            kx: Some("X25519MLKEM768"),
            resumed: Some(false),
            request_id: "r",
            trace_id: "t",
            error: None,
            referer: "",
            user_agent: "curl \"x\"\n",
            at: SystemTime::UNIX_EPOCH,
        }
    }

    fn logged(format: Format, path: &str) -> String {
        let (sender, receiver) = mpsc::channel();
        struct Out(mpsc::Sender<Vec<u8>>);
        impl Write for Out {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let dropped = IntCounter::new("dropped", "dropped").unwrap();
        let log = AccessLog::start(format, dropped, Out(sender)).unwrap();
        log.write(&record(path));
        drop(log);
        String::from_utf8(receiver.iter().flatten().collect()).unwrap()
    }

    #[test]
    fn nothing_that_waits_is_lost_at_the_end_and_no_path_breaks_the_line() {
        let line = logged(Format::Json, "/a\"b\nc");
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["path"], "/a\"b\nc");
        assert_eq!(value["kx"], "X25519MLKEM768");
        assert!(value.get("user_agent").is_none());
    }

    #[test]
    fn combined_is_what_log_readers_expect() {
        assert_eq!(
            logged(Format::Combined, "/a\"b"),
            "192.0.2.1 - - [01/Jan/1970:00:00:00 +0000] \"GET /a\\\"b HTTP/2\" 200 5 \"\" \
             \"curl \\\"x\\\"\\x0a\"\n"
        );
    }
}
