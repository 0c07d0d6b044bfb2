//! What a user is told who got something wrong, in one file to be read as a whole.
//!
//! `BLESS=1 cargo test -p gateway-acme --test keeper texts` writes it anew.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use gateway_config::model::{AcmeCa, ChallengeKind, ExternalAccount, Secret};

use crate::pebble::{self, Options, Pebble};
use crate::rig::{Rig, directory};
use crate::small_ca::{Answer, Flaw, Kind, Problem, RetryAfter, Settings, SmallCa, Trouble};

/// The sentences so far.
#[derive(Default)]
struct Golden(String);

impl Golden {
    /// What the first failure tells, without what differs in each run.
    async fn failure(&mut self, title: &str, rig: &Rig, ca: &str) {
        rig.run(rig.told("acme_failed", 1)).await;
        let text = rig.told.last("acme_failed").unwrap();
        let (text, _) = text.rsplit_once(" The next attempt is at ").unwrap();
        self.say(title, &text.replace(ca, "https://ca.test/directory"));
    }

    fn say(&mut self, title: &str, text: &str) {
        assert!(text.ends_with('.') && !text.contains('\n'), "no sentence: {text}");
        writeln!(self.0, "# {title}\n{}\n", without_ports(text)).unwrap();
    }
}

/// Addresses of loopback are on other ports in each run.
fn without_ports(text: &str) -> String {
    ["127.0.0.1:", "127.0.0.9:"].into_iter().fold(text.to_owned(), |text, address| {
        let mut parts = text.split(address);
        let mut masked = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            masked.push_str(address);
            masked.push_str("PORT");
            masked.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        masked
    })
}

fn held_against(file: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} differs from what is told now:\n{text}", path.display());
}

async fn refusing(kind: Kind, trouble: Trouble) -> (Rig, SmallCa) {
    let ca = SmallCa::start(Settings::default()).await;
    ca.always(kind, trouble);
    let rig = Rig::new(vec![directory(ca.directory_url(), None)]);
    (rig, ca)
}

fn problem(status: u16, kind: &str, detail: &str) -> Trouble {
    Trouble::Answer(Answer::from(Problem::new(status, kind, detail)))
}

#[tokio::test]
async fn what_a_ca_refuses() {
    let mut golden = Golden::default();
    let limited =
        Problem::new(429, "rateLimited", "too many certificates already issued for \"a.test\"");
    let limited = Answer::from(limited).with_retry_after(Some(RetryAfter::Seconds(3600)));
    let cases = [
        (
            "no e-mail where the CA wants one",
            Kind::NewAccount,
            problem(400, "invalidContact", "a contact is needed"),
        ),
        (
            "an address that the CA does not write to",
            Kind::NewAccount,
            problem(400, "unsupportedContact", "only mailto: is supported"),
        ),
        (
            "new terms to agree to",
            Kind::NewOrder,
            problem(403, "userActionRequired", "agree to https://ca.test/terms first"),
        ),
        ("a limit", Kind::NewOrder, Trouble::Answer(limited)),
        ("a limit without a word", Kind::NewOrder, Trouble::Answer(Answer::empty(429))),
        ("busy", Kind::NewOrder, Trouble::Answer(Answer::unavailable(RetryAfter::Seconds(60)))),
        ("broken", Kind::NewOrder, Trouble::Answer(Answer::html(502))),
        (
            "a name that nobody certifies",
            Kind::NewOrder,
            problem(400, "rejectedIdentifier", "the domain \"a.test\" is not in a public suffix"),
        ),
        (
            "CAA",
            Kind::Finalize,
            Trouble::Invalid(Problem::new(403, "caa", "CAA record for a.test prevents issuance")),
        ),
        (
            "a profile that is not there",
            Kind::NewOrder,
            problem(400, "invalidProfile", "no profile \"fast\""),
        ),
        ("another name on the certificate", Kind::Finalize, Trouble::Certificate(Flaw::OtherName)),
        ("another key on the certificate", Kind::Finalize, Trouble::Certificate(Flaw::OtherKey)),
        ("no certificate at all", Kind::Finalize, Trouble::Certificate(Flaw::NoPem)),
        (
            "a name that has no address",
            Kind::Challenge,
            Trouble::Invalid(Problem::new(400, "dns", "no valid A records found for a.test")),
        ),
        (
            "port 80 is closed",
            Kind::Challenge,
            Trouble::Invalid(Problem::new(
                400,
                "connection",
                "Fetching http://a.test/.well-known/acme-challenge/x: Connection refused",
            )),
        ),
        (
            "DNS leads elsewhere",
            Kind::Challenge,
            Trouble::Invalid(Problem::new(
                403,
                "unauthorized",
                "Invalid response from http://a.test/.well-known/acme-challenge/x: 404",
            )),
        ),
        ("something new", Kind::NewOrder, problem(418, "teapot", "short and stout")),
    ];
    for (title, kind, trouble) in cases {
        let (rig, ca) = refusing(kind, trouble).await;
        golden.failure(title, &rig, &ca.directory_url()).await;
    }
    held_against("refused.txt", &golden.0);
}

#[tokio::test]
async fn what_cannot_be_reached_or_is_no_ca() {
    let mut golden = Golden::default();
    let page = SmallCa::start(Settings::default()).await;
    page.always(Kind::Directory, Trouble::Answer(Answer::html(200)));
    let elsewhere = page.directory_url().replace("/directory", "/nothing");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        ("a directory URL that is a web page", page.directory_url()),
        ("a directory URL where nothing is", elsewhere),
        ("a port where nothing listens", format!("http://{closed}/directory")),
        ("a name that does not exist", "http://ca.invalid/directory".into()),
    ];
    for (title, url) in cases {
        let rig = Rig::new(vec![directory(url.clone(), None)]);
        golden.failure(title, &rig, &url).await;
    }
    held_against("unreachable.txt", &golden.0.replace(&closed.to_string(), "127.0.0.1:PORT"));
}

#[tokio::test]
async fn what_is_wrong_with_an_external_account() {
    let mut golden = Golden::default();
    let mut settings = Settings::default();
    settings.external_accounts.insert("kid-1".into(), vec![7; 32]);
    let ca = SmallCa::start(settings).await;
    let with = |eab| {
        let mut directory = directory(ca.directory_url(), None);
        directory.eab = eab;
        Rig::new(vec![directory])
    };
    golden.failure("none where the CA wants one", &with(None), &ca.directory_url()).await;
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        Some(ExternalAccount { key_id: "kid-1".into(), key: Secret::File(file) })
    };
    golden
        .failure("a key that is not of this id", &with(key("other", "AAAA")), &ca.directory_url())
        .await;
    golden
        .failure("a key that is no base64url", &with(key("odd", "no key!")), &ca.directory_url())
        .await;
    let missing =
        ExternalAccount { key_id: "kid-1".into(), key: Secret::File(folder.path().join("none")) };
    golden.failure("a key that is not there", &with(Some(missing)), &ca.directory_url()).await;
    let text = golden.0.replace(folder.path().to_str().unwrap(), "<dir>");
    held_against("external-account.txt", &text);
}

#[tokio::test]
async fn a_storage_that_cannot_be_written_to() {
    let mut golden = Golden::default();
    let mut rig = Rig::new(vec![directory("http://127.0.0.1:9/directory".into(), None)]);
    std::fs::write(rig.dir.path().join("acme"), "in the way").unwrap();
    let error = rig.keeper().err().unwrap().to_string();
    golden.say("a file is in the way", &error.replace(rig.dir.path().to_str().unwrap(), "<dir>"));
    std::fs::remove_file(rig.dir.path().join("acme")).unwrap();
    let roots = rig.dir.path().join("roots.pem");
    rig.acme.directories[0].roots = Some(roots);
    let error = rig.keeper().err().unwrap().to_string();
    golden
        .say("roots that are not there", &error.replace(rig.dir.path().to_str().unwrap(), "<dir>"));
    rig.acme.directories[0].roots = None;
    rig.acme.directories[0].ca = AcmeCa::Url("http://127.0.0.1:9/directory".into());
    rig.acme.challenges = Some(vec![ChallengeKind::Dns01]);
    rig.hosts = vec!["192.0.2.1"];
    golden.failure("no challenge is possible", &rig, "http://127.0.0.1:9/directory").await;
    held_against("storage.txt", &golden.0);
}

#[tokio::test]
async fn what_pebble_says_when_it_cannot_see_us() {
    if !pebble::is_installed("what pebble says when it cannot see the gateway") {
        return;
    }
    let mut golden = Golden::default();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = Options { http_port: Some(closed), ..Options::default() };
    let pebble = Pebble::start(options).await;
    let url = pebble.directory_url();
    let rig = || Rig::new(vec![directory(url.clone(), Some(&pebble.ca_file()))]);
    golden.failure("nothing listens at port 80", &rig(), &url).await;
    pebble.set_a("a.test", &[Ipv4Addr::new(127, 0, 0, 9)]).await;
    golden.failure("the name leads to another machine", &rig(), &url).await;
    pebble.set_servfail("a.test", true).await;
    golden.failure("its name servers fail", &rig(), &url).await;
    let strict = Rig::new(vec![directory(url.clone(), None)]);
    golden.failure("the CA's own certificate is not trusted", &strict, &url).await;
    let text = mask_tokens(&golden.0);
    held_against("unseen.txt", &text);
}

/// Tokens and ports of pebble's differ in each run.
fn mask_tokens(text: &str) -> String {
    let mut parts = text.split("/acme-challenge/");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
        masked.push_str("/acme-challenge/TOKEN");
        masked.push_str(rest);
    }
    let mut ports = masked.split("a.test:");
    let mut out = ports.next().unwrap_or_default().to_owned();
    for part in ports {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str(if rest.len() < part.len() { "a.test:PORT" } else { "a.test:" });
        out.push_str(rest);
    }
    out
}
