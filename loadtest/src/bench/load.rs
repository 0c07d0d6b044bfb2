//! The loads that are put on servers, as scenarios of `loadtest run`.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// What speaks to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2 {
        streams: u32,
    },
    /// Messages of this many bytes.
    WebSocket {
        message: u32,
    },
}

/// When it speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// When the last answer is there.
    Closed,
    /// So many times a second, whatever the answers do.
    Open { per_second: f64 },
    /// Once, and then it holds the connection.
    Idle,
}

/// Which handshakes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshakes {
    /// One a connection, and connections are kept.
    Once,
    /// A full one for each request.
    FullEach,
    /// A resumed one for each request, after the first.
    ResumedEach,
}

/// A load, in the terms of the rows that it is for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Load {
    pub(crate) protocol: Protocol,
    pub(crate) pace: Pace,
    pub(crate) handshakes: Handshakes,
    pub(crate) connections: u32,
    /// GET these, in turn.
    pub(crate) paths: Vec<String>,
    /// Instead of GET, POST so many bytes.
    pub(crate) upload: Option<u64>,
}

impl Load {
    /// So many connections that are kept and each GET `/` as fast as it is answered.
    pub(crate) fn of(protocol: Protocol, connections: u32) -> Self {
        Self {
            protocol,
            pace: Pace::Closed,
            handshakes: Handshakes::Once,
            connections,
            paths: vec!["/".into()],
            upload: None,
        }
    }

    /// The scenario that puts this load on the server at `address` for `duration`. The key exchange
    /// is the one that all servers know.
    pub(crate) fn scenario(
        &self,
        address: SocketAddr,
        server_name: &str,
        ca: &Path,
        duration: Duration,
    ) -> String {
        let mut text = format!(
            "target = \"https://{address}\"\nconnections = {}\nduration = \"{}ms\"\n",
            self.connections,
            duration.as_millis(),
        );
        self.protocol(&mut text);
        self.pace(&mut text);
        self.handshakes(&mut text);
        // Writing to a String cannot fail.
        _ = write!(
            text,
            "[tls]\nca = '{}'\nserver_name = \"{server_name}\"\nresumption = {}\n",
            ca.display(),
            self.handshakes == Handshakes::ResumedEach,
        );
        self.requests(&mut text);
        text
    }

    fn protocol(&self, text: &mut String) {
        _ = match self.protocol {
            Protocol::Http1 => writeln!(text, "protocol = \"h1\""),
            Protocol::Http2 { streams } => writeln!(text, "protocol = \"h2\"\nstreams = {streams}"),
            Protocol::WebSocket { .. } => writeln!(text, "protocol = \"ws\""),
        };
    }

    fn pace(&self, text: &mut String) {
        _ = match self.pace {
            Pace::Closed => writeln!(text, "mode = \"closed\""),
            Pace::Open { per_second } => {
                writeln!(text, "mode = \"open\"\nrate = \"{per_second:.0}/s\"")
            }
            Pace::Idle => writeln!(text, "mode = \"idle\""),
        };
        if self.connections > 10_000 {
            // One address of the client has 28,000 ports.
            let sources: Vec<_> = (2..6).map(|last| format!("\"127.0.0.{last}\"")).collect();
            _ = writeln!(text, "sources = [{}]", sources.join(", "));
        }
    }

    fn handshakes(&self, text: &mut String) {
        if self.handshakes != Handshakes::Once {
            text.push_str("requests_per_connection = 1\n");
        }
    }

    fn requests(&self, text: &mut String) {
        for path in &self.paths {
            _ = writeln!(text, "[[request]]\npath = \"{path}\"");
            if let Some(bytes) = self.upload {
                _ = writeln!(text, "method = \"POST\"\nbody_size = \"{bytes}B\"");
            }
        }
        if let Protocol::WebSocket { message } = self.protocol {
            _ = writeln!(text, "[websocket]\nmessage_size = \"{message}B\"");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::certificate::{Certificate, NAME};

    #[test]
    fn every_kind_of_load_is_a_scenario_that_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::make(folder.path(), &[NAME]).unwrap();
        let http1 = || Load::of(Protocol::Http1, 32);
        for load in [
            http1(),
            Load::of(Protocol::Http2 { streams: 16 }, 16),
            Load::of(Protocol::WebSocket { message: 128 }, 32),
            Load { pace: Pace::Open { per_second: 1234.5 }, ..http1() },
            Load { pace: Pace::Idle, ..Load::of(Protocol::Http1, 20_000) },
            Load { handshakes: Handshakes::FullEach, ..http1() },
            Load { handshakes: Handshakes::ResumedEach, ..http1() },
            Load { upload: Some(10 << 20), ..http1() },
            Load { paths: vec!["/a".into(), "/b".into()], ..http1() },
        ] {
            let address = SocketAddr::from(([127, 0, 0, 1], 8443));
            let duration = Duration::from_millis(1500);
            let text = load.scenario(address, NAME, &certificate.chain, duration);
            let file = folder.path().join("scenario.toml");
            std::fs::write(&file, &text).unwrap();
            let read = crate::scenario::load(&file, &Default::default());
            assert!(read.is_ok(), "{text}\n{}", read.unwrap_err());
        }
    }
}
