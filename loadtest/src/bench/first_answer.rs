//! Waiting for a server's first answer.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::certificate::{Certificate, NAME};
use super::error::Error;
use super::process::Process;

/// How long an answer may take once there is a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client that asks one server the same thing again and again until it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    config: Arc<ClientConfig>,
}

impl Asker {
    /// Trusts `certificate` and nothing else.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn trusting(certificate: &Certificate) -> io::Result<Self> {
        let chain = CertificateDer::from_pem_file(&certificate.chain).map_err(io::Error::other)?;
        let mut roots = RootCertStore::empty();
        roots.add(chain).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config) })
    }

    /// Asks until there is an answer, at most for `limit` from `began`; says how long that took.
    ///
    /// # Errors
    /// [`Error::Ended`] where the process has ended, [`Error::Silent`] where the time is over.
    pub(crate) fn until_answered(
        &self,
        name: &'static str,
        process: &mut Process,
        address: SocketAddr,
        began: std::time::Instant,
        limit: Duration,
    ) -> Result<Duration, Error> {
        loop {
            let refused = match self.ask(address) {
                Ok(()) => return Ok(began.elapsed()),
                Err(refused) => refused,
            };
            if let Some(status) = process.ended().map_err(Error::own("a process"))? {
                return Err(Error::Ended { name, status, last_words: process.last_words() });
            }
            if began.elapsed() > limit {
                let last_words = process.last_words();
                return Err(Error::Silent { name, limit, refused, last_words });
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    fn ask(&self, address: SocketAddr) -> io::Result<()> {
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let tls = ClientConnection::new(self.config.clone(), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(tls, socket);
        write!(stream, "GET / HTTP/1.1\r\nhost: {NAME}\r\nconnection: close\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        if line.starts_with("HTTP/1.1 200 ") {
            return Ok(());
        }
        Err(io::Error::other(format!("it answered {:?}", line.trim_end())))
    }
}
