//! Every sentence about DNS and HTTPS, in one file to be read as a whole.
//!
//! `BLESS=1 cargo test -p gateway-acme --test dns golden` writes the file anew.

use std::fmt::{Display, Write};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_acme::dns::{CloudflareError, DnsError, ExecError, TxtRecord, Unverified, UpdateError};
use gateway_acme::https::HttpsError;
use gateway_config::model::Secret;
use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::tsig::TsigError;
use rustls_pki_types::pem;

#[derive(Default)]
struct Golden(String);

impl Golden {
    fn say(&mut self, title: &str, sentence: impl Display) {
        let sentence = sentence.to_string();
        assert!(sentence.ends_with('.') && !sentence.contains('\n'), "no sentence: {sentence}");
        writeln!(self.0, "# {title}\n{sentence}\n").unwrap();
    }
}

#[test]
fn every_sentence_is_as_it_was_read() {
    let mut golden = Golden::default();
    records(&mut golden);
    updates(&mut golden);
    refusals(&mut golden);
    cloudflare(&mut golden);
    programs(&mut golden);
    https(&mut golden);

    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/dns-errors.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &golden.0).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden.0 == expected,
        "the sentences differ from {}; run with BLESS=1 and read the difference. Now:\n{}",
        path.display(),
        golden.0
    );
}

fn server() -> SocketAddr {
    ([192, 0, 2, 53], 53).into()
}

fn name() -> String {
    "_acme-challenge.example.com".into()
}

fn secret() -> Secret {
    Secret::File("/etc/gateway/dns.secret".into())
}

fn refused() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

fn records(golden: &mut Golden) {
    golden.say("no name", TxtRecord::new("a b", "a").unwrap_err());
    golden.say("no value", TxtRecord::new(&name(), "a b").unwrap_err());
    golden.say("secret missing", DnsError::from(Secret::Env("".into()).read().unwrap_err()));
    let limit = Duration::from_secs(60);
    golden.say("change takes too long", DnsError::TimedOut { name: name(), limit });
    golden.say("aliases without end", DnsError::Aliases { name: name() });
    let missing =
        vec!["ns1.example.com (192.0.2.1:53)".into(), "the primary (192.0.2.53:53)".into()];
    let waited = Duration::from_secs(120);
    golden.say("not visible", DnsError::NotVisible { name: name(), missing, waited });
}

fn updates(golden: &mut Golden) {
    let (server, key, secret) = (server(), "edge", secret());
    let mut say = |title: &str, error: UpdateError| golden.say(title, DnsError::from(error));
    say("key without a name", UpdateError::KeyName { key: "a..b".into() });
    say("key not base64", UpdateError::KeySecret { key: key.into(), secret: secret.clone() });
    say("server unreachable", UpdateError::Unreachable { server, source: refused() });
    let source = Message::from_vec(b"220 mail").unwrap_err();
    say("server no name server", UpdateError::Garbled { server, source });
    say("zone not served", UpdateError::NoZone { server, name: name() });
    say("key unknown", UpdateError::UnknownKey { server, key: key.into() });
    say("key with another secret", UpdateError::WrongSecret { server, key: key.into(), secret });
    say("clocks differ", UpdateError::Clock { server });
    say("key refused", UpdateError::Tsig { server, key: key.into(), code: 22 });
    let source = ProtoError::Message("no reason");
    say("update not written", UpdateError::Encode { name: name(), source });
}

fn refusals(golden: &mut Golden) {
    let server = server();
    let mut say = |title: &str, error: UpdateError| golden.say(title, DnsError::from(error));
    for code in [
        ResponseCode::Refused,
        ResponseCode::NotAuth,
        ResponseCode::NotImp,
        ResponseCode::ServFail,
        ResponseCode::FormErr,
    ] {
        let zone = "example.com".into();
        let title = format!("update refused with {}", u16::from(code));
        say(&title, UpdateError::Refused { server, name: name(), zone, code });
    }
    let garbled = Message::from_vec(b"220 mail").unwrap_err();
    for (title, source) in [
        ("answer unsigned", Unverified::Unsigned),
        ("answer signed with another key", Unverified::OtherKey),
        ("answer signed wrongly", Unverified::Mac),
        ("answer signed long ago", Unverified::Time),
        ("answer says that the request was signed wrongly", Unverified::Refused(TsigError::BadSig)),
        ("answer with a garbled signature", Unverified::Decode(garbled)),
        (
            "answer whose signature cannot be computed",
            Unverified::Encode(ProtoError::Message("no reason")),
        ),
    ] {
        say(title, UpdateError::Unverified { server, source });
    }
}

fn cloudflare(golden: &mut Golden) {
    let api = || "https://api.cloudflare.com/client/v4".to_owned();
    let mut say = |title: &str, error: CloudflareError| golden.say(title, DnsError::from(error));
    let unreachable = HttpsError::TimedOut { server: "api.cloudflare.com".into() };
    say("Cloudflare unreachable", unreachable.into());
    say("Cloudflare's address", CloudflareError::Address { api: "https://".into() });
    say("token malformed", CloudflareError::Malformed { token: secret() });
    let said = "status 403; 10000: Authentication error".into();
    let what = "add the record";
    say("token may not", CloudflareError::Forbidden { token: secret(), what, said });
    say("zone not seen", CloudflareError::NoZone { token: secret(), name: name() });
    say("rate limited", CloudflareError::RateLimited { after: None });
    let after = Some(Duration::from_secs(17));
    say("rate limited for a while", CloudflareError::RateLimited { after });
    let said = "status 400; 1004: DNS Validation Error".into();
    say("another error", CloudflareError::Api { what, said });
    let source = serde_json::from_str::<()>("<html>").unwrap_err();
    say("not Cloudflare", CloudflareError::Garbled { api: api(), status: 200, source });
}

fn programs(golden: &mut Golden) {
    let (program, action) = (|| "/usr/local/bin/dns".to_owned(), "set");
    let mut say = |title: &str, error: ExecError| golden.say(title, DnsError::from(error));
    for kind in
        [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::InvalidInput]
    {
        say(&format!("program not started: {kind}"), ExecError::start(program(), kind.into()));
    }
    let (ended, stderr) = ("ended with status 7".into(), " saying `no such zone`".into());
    say(
        "program failed",
        ExecError::Failed { program: program(), action, name: name(), ended, stderr },
    );
    let (limit, stderr) = (Duration::from_secs(120), String::new());
    say(
        "program hung",
        ExecError::Hung { program: program(), action, name: name(), limit, stderr },
    );
}

fn https(golden: &mut Golden) {
    let server = || "acme.example".to_owned();
    let path = || Path::new("/etc/gateway/roots.pem").to_owned();
    golden.say(
        "roots unreadable",
        HttpsError::Roots { path: path(), source: pem::Error::NoItemsFound },
    );
    let source = rustls::Error::General("no reason".into());
    golden.say("root refused", HttpsError::Root { path: path(), source: source.clone() });
    golden.say("TLS not set up", HttpsError::Setup(source));
    golden.say("no host", HttpsError::NoHost { uri: "/directory".into() });
    let reason = "the name servers know no address for it".into();
    golden.say("name unknown", HttpsError::Unresolved { server: server(), reason });
    let source = Box::new(refused());
    golden.say("connection refused", HttpsError::Refused { server: server(), source });
    golden.say("no answer", HttpsError::TimedOut { server: server() });
    let reason = "invalid peer certificate: UnknownIssuer";
    let source = reason.into();
    let reason = reason.into();
    golden.say("not trusted", HttpsError::NotTrusted { server: server(), reason, source });
    golden.say("no roots", HttpsError::NoRoots { server: server() });
    golden.say("body too large", HttpsError::BodyTooLarge { server: server() });
    let source = "connection closed".into();
    let reason = "connection closed".into();
    golden.say("connection failed", HttpsError::Failed { server: server(), reason, source });
}
