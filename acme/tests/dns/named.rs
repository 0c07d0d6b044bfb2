//! BIND on a free port of loopback, with zones of the test's own, for as long as it is held.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use gateway_acme::dns::Provider;
use gateway_config::model::{DnsProvider, TsigAlgorithm};
use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tempfile::TempDir;

use crate::secret;

/// The keys that it knows: name, algorithm, secret. The last may change nothing.
pub(crate) const KEYS: [(&str, &str, &str); 4] = [
    ("edge", "hmac-sha256", "cGxlYXNlLWRvLW5vdC10ZWxsLWFueWJvZHktYXQtYWw="),
    ("edge-384", "hmac-sha384", "d2hhdC1pcy1sb25nZXItaXMtbm90LWFsd2F5cy1iZXR0ZXItYnV0LWhlcmUtaXQ="),
    (
        "edge-512",
        "hmac-sha512",
        "aGFsZi1hLWh1bmRyZWQtYW5kLXR3ZWx2ZS1iaXRzLW9mLXNlY3JlY3ktYW5kLW1vcmU=",
    ),
    ("reader", "hmac-sha256", "b25seS1yZWFkaW5nLWlzLWFsbG93ZWQtZm9yLXRoaXM="),
];

/// A server with its zones.
pub(crate) struct Named {
    pub(crate) address: SocketAddr,
    pub(crate) dir: TempDir,
    process: Child,
}

impl Named {
    /// Serves these zones (name, records besides SOA) on `127.0.0.1`; `None`, said loudly, where there
    /// is no BIND.
    pub(crate) fn start(zones: &[(&str, &str)]) -> Option<Self> {
        // Somebody else may take the port between here and there.
        let Some(program) = program() else {
            skipped();
            return None;
        };
        let started = (0..10).find_map(|_| Self::start_at(&program, free_port(), zones));
        Some(started.expect("no port is free for TCP and UDP"))
    }

    fn start_at(program: &Path, address: SocketAddr, zones: &[(&str, &str)]) -> Option<Self> {
        let dir = TempDir::new().unwrap();
        let config = dir.path().join("named.conf");
        fs::write(&config, configuration(address, dir.path(), zones)).unwrap();
        let process = Command::new(program)
            .args(["-g", "-n", "1", "-c"])
            .arg(&config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut named = Self { address, dir, process };
        let mut log = BufReader::new(named.process.stderr.take().unwrap());
        match named.is_running(&mut log) {
            true => {
                // It must be able to write on.
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                Some(named)
            }
            false => None,
        }
    }

    /// Reads the log until the server runs, or says that the port is taken.
    fn is_running(&mut self, log: &mut BufReader<ChildStderr>) -> bool {
        let (mut line, mut said) = (String::new(), String::new());
        while log.read_line(&mut line).unwrap() > 0 {
            if line.contains("address in use") {
                return false;
            }
            if line.trim_end().ends_with(" running") {
                return true;
            }
            said.push_str(&line);
            line.clear();
        }
        panic!("named did not start:\n{said}")
    }

    /// A provider with one of [`KEYS`], that resolves with `nameserver`.
    pub(crate) fn provider(&self, key: &str, nameserver: SocketAddr) -> Provider {
        let (_, algorithm, value) = KEYS.into_iter().find(|(name, ..)| *name == key).unwrap();
        self.provider_with(key, algorithm, value, nameserver)
    }

    /// A provider with any key.
    pub(crate) fn provider_with(
        &self,
        key: &str,
        algorithm: &str,
        value: &str,
        nameserver: SocketAddr,
    ) -> Provider {
        provider(self.address, self.dir.path(), (key, algorithm, value), nameserver)
    }

    /// The texts at a name, sorted.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), RecordType::TXT));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(self.address).unwrap();
        socket.send(&query.to_vec().unwrap()).unwrap();
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).unwrap();
        let answer = Message::from_vec(&buffer[..length]).unwrap();
        let text = |data: &RData| match data {
            RData::TXT(text) => Some(String::from_utf8(text.txt_data.concat()).unwrap()),
            _ => None,
        };
        let mut texts: Vec<_> =
            answer.answers.iter().filter_map(|record| text(&record.data)).collect();
        texts.sort();
        texts
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A provider that changes what is at `server`; its secret is in a file of the folder.
pub(crate) fn provider(
    server: SocketAddr,
    dir: &Path,
    (key, algorithm, value): (&str, &str, &str),
    nameserver: SocketAddr,
) -> Provider {
    let algorithm = match algorithm {
        "hmac-sha256" => TsigAlgorithm::HmacSha256,
        "hmac-sha384" => TsigAlgorithm::HmacSha384,
        _ => TsigAlgorithm::HmacSha512,
    };
    let secret = secret(dir, &format!("{key}.secret"), value);
    let configured = DnsProvider::Rfc2136 { server, key: key.to_owned(), algorithm, secret };
    Provider::new(&configured, &[nameserver]).unwrap()
}

/// A port of loopback that is free for TCP and UDP.
pub(crate) fn free_port() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

fn skipped() {
    let text = "\nSKIPPED: DNS updates: named is not here; `.ci/prepare test` or the package bind9 \
                brings it\n";
    // Past the test's own capture of what it prints.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// BIND from the system, or where `.ci/prepare` puts it.
fn program() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/usr/sbin/named");
    let places = [PathBuf::from("named"), PathBuf::from("/usr/sbin/named"), tools];
    let runs = |program: &PathBuf| {
        let mut command = Command::new(program);
        let version = command.arg("-v").stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    places.into_iter().find(runs)
}

fn configuration(address: SocketAddr, dir: &Path, zones: &[(&str, &str)]) -> String {
    let (ip, port, dir) = (address.ip(), address.port(), dir.display());
    let mut text = format!(
        "options {{\n directory \"{dir}\";\n pid-file none;\n lock-file none;\n \
         session-keyfile none;\n listen-on port {port} {{ {ip}; }};\n listen-on-v6 {{ none; }};\n \
         recursion no;\n notify no;\n dnssec-validation no;\n empty-zones-enable no;\n}};\n\
         controls {{ }};\n"
    );
    for (name, algorithm, value) in KEYS {
        writeln!(text, "key \"{name}\" {{ algorithm {algorithm}; secret \"{value}\"; }};").unwrap();
    }
    for (zone, records) in zones {
        let soa = "@ SOA ns1 hostmaster 1 3600 600 86400 1";
        fs::write(format!("{dir}/{zone}.zone"), format!("$TTL 60\n{soa}\n{records}\n")).unwrap();
        let grants: String =
            KEYS[..3].iter().map(|(name, ..)| format!("grant {name} zonesub TXT; ")).collect();
        writeln!(
            text,
            "zone \"{zone}\" {{ type primary; file \"{zone}.zone\"; update-policy {{ {grants}}}; }};"
        )
        .unwrap();
    }
    text
}
