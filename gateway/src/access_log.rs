//! The access log: one record a request, on stdout, in one stream with the site as a field.
//!
//! Each worker only appends to a buffer of its own; one thread writes them out, some milliseconds of each
//! in turn. A stdout that blocks therefore stops no request: past [`CAPACITY`] records are dropped, and
//! counted.

use std::io::Write;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use gateway_config::model::AccessLog as Format;
use parking_lot::{Condvar, Mutex};
use prometheus::IntCounter;

use crate::shard::Shards;
use crate::time::{Clf, write_rfc3339};

/// Bytes that may wait to be written, of all workers.
const CAPACITY: usize = 8 * 1024 * 1024;

/// How long the writer lets records gather: it is woken once for many.
const GATHER: Duration = Duration::from_millis(5);

/// What is written about one request. Queries, cookies and authorisations never are.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    pub(crate) at: SystemTime,
    pub(crate) client: &'r str,
    pub(crate) site: &'r str,
    pub(crate) route: &'r str,
    pub(crate) method: &'r str,
    pub(crate) host: &'r str,
    pub(crate) path: &'r str,
    pub(crate) proto: &'static str,
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) duration: Duration,
    pub(crate) upstream: Option<&'r str>,
    pub(crate) upstream_duration: Option<Duration>,
    pub(crate) upstream_status: Option<u16>,
    pub(crate) tls: Option<&'static str>,
    pub(crate) kx: Option<&'static str>,
    pub(crate) resumed: Option<bool>,
    pub(crate) request_id: &'r str,
    pub(crate) trace_id: &'r str,
    /// The limit that the request was over, whether it was refused for it or not.
    pub(crate) over_limit: Option<&'r str>,
    pub(crate) error: Option<&'r str>,
    /// For the combined format only, as the next.
    pub(crate) referer: &'r str,
    pub(crate) user_agent: &'r str,
}

impl Record<'_> {
    pub(crate) fn json(&self, out: &mut Vec<u8>) {
        let mut object = Object::begin(out);
        object.time("time", self.at);
        object.text("client", self.client);
        object.text("site", self.site);
        object.text("route", self.route);
        object.text("method", self.method);
        object.text("host", self.host);
        object.text("path", self.path);
        object.text("proto", self.proto);
        object.number("status", self.status.into());
        object.number("bytes_in", self.bytes_in);
        object.number("bytes_out", self.bytes_out);
        object.millis("duration_ms", Some(self.duration));
        object.maybe_text("upstream", self.upstream);
        object.millis("upstream_ms", self.upstream_duration);
        match self.upstream_status {
            Some(status) => object.number("upstream_status", status.into()),
            None => object.plain("upstream_status", b"null"),
        }
        object.maybe_text("tls", self.tls);
        object.maybe_text("kx", self.kx);
        let resumed =
            self.resumed.map(|resumed| if resumed { b"true".as_slice() } else { b"false" });
        object.plain("resumed", resumed.unwrap_or(b"null"));
        object.text("request_id", self.request_id);
        object.text("trace_id", self.trace_id);
        object.maybe_text("over_limit", self.over_limit);
        object.maybe_text("error", self.error);
        object.end();
    }

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

/// One JSON object, written as it goes. A record is written for every request, and all but its few
/// texts need no escaping.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    separator: u8,
}

impl<'o> Object<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        Self { out, separator: b'{' }
    }

    fn key(&mut self, key: &str) {
        self.out.extend_from_slice(&[self.separator, b'"']);
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.separator = b',';
    }

    fn plain(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(value);
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
        if value.bytes().all(is_plain) {
            self.out.push(b'"');
            self.out.extend_from_slice(value.as_bytes());
            self.out.push(b'"');
        } else {
            // Writing text into memory does not fail.
            drop(serde_json::to_writer(&mut *self.out, value));
        }
    }

    fn maybe_text(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.plain(key, b"null"),
        }
    }

    fn number(&mut self, key: &str, value: u64) {
        self.plain(key, itoa::Buffer::new().format(value).as_bytes());
    }

    fn time(&mut self, key: &str, at: SystemTime) {
        self.key(key);
        self.out.push(b'"');
        write_rfc3339(at, self.out);
        self.out.push(b'"');
    }

    /// Milliseconds with microseconds as their fraction.
    fn millis(&mut self, key: &str, duration: Option<Duration>) {
        let Some(duration) = duration else { return self.plain(key, b"null") };
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.number(key, micros / 1000);
        let digit = |place: u64| b"0123456789"[(micros / place % 10) as usize];
        self.out.extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
    }

    fn end(self) {
        self.out.push(b'}');
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

/// What is to be written.
struct Queue {
    /// Locked by its worker, and by the writer for as long as it takes to exchange it for an empty one.
    buffers: Shards<Mutex<Vec<u8>>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// A buffer that was empty is not any more.
    filled: bool,
    closed: bool,
}

impl Queue {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.changed.notify_one();
    }

    /// Waits until there is something to write, and a little longer, for more to gather. Whether the log
    /// has been closed.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| !state.filled && !state.closed);
        if !state.closed {
            self.changed.wait_while_for(&mut state, |state| !state.closed, GATHER);
        }
        state.filled = false;
        state.closed
    }
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
        workers: usize,
        dropped: IntCounter,
        out: impl Write + Send + 'static,
    ) -> std::io::Result<Self> {
        let buffers = Shards::new(workers);
        let queue = Arc::new(Queue { buffers, state: Mutex::default(), changed: Condvar::new() });
        let theirs = queue.clone();
        let writer = std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_out(&theirs, out))?;
        Ok(Self { format, queue, dropped, writer: Some(writer) })
    }

    /// Writes one record.
    pub(crate) fn write(&self, record: &Record<'_>) {
        let buffers = &self.queue.buffers;
        let mut buffer = buffers.mine().lock();
        if buffer.len() >= CAPACITY / buffers.len() {
            self.dropped.inc();
            return;
        }
        let was_empty = buffer.is_empty();
        match self.format {
            Format::Json => record.json(&mut buffer),
            // Writing into memory does not fail.
            Format::Combined => drop(record.combined(&mut buffer)),
            Format::Off => return,
        }
        buffer.push(b'\n');
        drop(buffer);
        if was_empty {
            self.queue.change(|state| state.filled = true);
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.queue.change(|state| state.closed = true);
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has already said so.
            drop(writer.join());
        }
    }
}

fn write_out(queue: &Queue, mut out: impl Write) {
    let mut batch = Vec::new();
    loop {
        let closed = queue.wait();
        for buffer in queue.buffers.iter() {
            std::mem::swap(&mut batch, &mut *buffer.lock());
            if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                // Whoever read the log has gone. Serving goes on without it.
                return;
            }
            batch.clear();
        }
        if closed {
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
            client: "192.0.2.1",
            site: "example.com",
            route: "/*",
            method: "GET",
            host: "example.com",
            path,
            proto: "HTTP/2",
            status: 200,
            bytes_in: 0,
            bytes_out: 5,
            duration: Duration::from_micros(1500),
            upstream: None,
            upstream_duration: None,
            upstream_status: None,
            tls: Some("TLSv1.3"),
            kx: Some("X25519MLKEM768"),
            resumed: Some(false),
            request_id: "r",
            trace_id: "t",
            over_limit: None,
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
        let log = AccessLog::start(format, 2, dropped, Out(sender)).unwrap();
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
        assert_eq!(value["duration_ms"], 1.5);
        assert_eq!(value["upstream"], serde_json::Value::Null);
        assert_eq!(value["resumed"], false);
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
