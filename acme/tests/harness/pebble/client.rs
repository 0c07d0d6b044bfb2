//! One request on a connection of its own, plain or over TLS.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What was answered: the status and the whole body.
pub(crate) type Answer = Result<(StatusCode, Bytes), Box<dyn Error + Send + Sync>>;

/// A plain POST.
pub(crate) async fn post(addr: SocketAddr, path: &str, body: String) -> Answer {
    let request = Request::post(path).header(HOST, addr.to_string());
    let stream = TcpStream::connect(addr).await?;
    send(stream, request.body(Full::from(body))?).await
}

/// A GET by https, trusting the root in a file.
pub(crate) async fn get_https(addr: SocketAddr, path: &str, ca: &Path) -> Answer {
    let request = Request::get(path).header(HOST, addr.to_string());
    let connector = TlsConnector::from(Arc::new(trusting(ca)?));
    let stream = TcpStream::connect(addr).await?;
    let stream = connector.connect(ServerName::from(addr.ip()), stream).await?;
    send(stream, request.body(Full::default())?).await
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    Ok((status, body))
}

fn trusting(ca: &Path) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
