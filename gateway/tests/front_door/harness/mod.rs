//! What stands around the gateway in its tests: its process, the origins behind it, the clients in
//! front of it, a name server and a certificate authority. Everything is real and on loopback.

pub(crate) mod certs;
pub(crate) mod dns;
pub(crate) mod gateway;
pub(crate) mod h2_frames;
pub(crate) mod hpack;
pub(crate) mod http_client;
pub(crate) mod memory;
pub(crate) mod origin;
pub(crate) mod output;
pub(crate) mod pattern;
pub(crate) mod raw_client;
pub(crate) mod replies;
pub(crate) mod tls_client;
pub(crate) mod tokens;
pub(crate) mod ws_client;

use std::future::Future;
use std::io::Write;
use std::time::Duration;

/// How long anything that must happen may take. Long, because the machine may be busy; a test that
/// passes never waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// The future's output.
///
/// # Panics
/// Where it takes longer than [`DEADLINE`]; `what` says in the message what was waited for.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    within_time(what, DEADLINE, future).await
}

/// [`within`], for what may take longer.
pub(crate) async fn within_time<T>(
    what: &str,
    time: Duration,
    future: impl Future<Output = T>,
) -> T {
    match tokio::time::timeout(time, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited {time:?} in vain: {what}"),
    }
}

/// Asks again and again until the answer is `Some`: for what becomes true without telling anyone.
///
/// # Panics
/// Where it takes longer than [`DEADLINE`].
pub(crate) async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(what, async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    })
    .await
}

/// Says that a test could not be run, past the test runner's capture, so that it is seen.
pub(crate) fn skipped(what: &str, why: &str) {
    let line = format!("\nSKIPPED: {what}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A configuration with every listener on a free port of loopback: `server` is appended to the keys
/// of `[server]`, `rest` is everything after it.
pub(crate) fn config(server: &str, rest: &str) -> String {
    format!(
        "[server]\n\
         http = [\"127.0.0.1:0\"]\n\
         https = [\"127.0.0.1:0\"]\n\
         admin = \"127.0.0.1:0\"\n\
         storage = \"storage\"\n\
         {server}\n\n{rest}\n"
    )
}

/// One site, `app.test`, whose every path goes to `to`; `keys` are further keys of the site.
pub(crate) fn one_site(to: impl std::fmt::Display, keys: &str) -> String {
    format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n{keys}\n\
         routes = [ {{ path = \"/*\", to = \"{to}\" }} ]\n"
    )
}

/// A site that answers every path with its own name.
pub(crate) fn answering_site(name: &str) -> String {
    answering_site_with(name, "tls = \"self-signed\"")
}

/// [`answering_site`] with further keys, `tls` among them.
pub(crate) fn answering_site_with(name: &str, keys: &str) -> String {
    format!(
        "[site.\"{name}\"]\n{keys}\n\
         routes = [ {{ path = \"/*\", respond = {{ status = 200, body = \"{name}\" }} }} ]\n"
    )
}
