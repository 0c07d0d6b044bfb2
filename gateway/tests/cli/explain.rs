//! `gateway explain`.

use serde_json::Value;

use crate::harness::server::Running;
use crate::harness::{Folder, UAT};

fn explain(arguments: &[&str]) -> crate::harness::Run {
    let all: Vec<&str> = std::iter::once("explain").chain(arguments.iter().copied()).collect();
    Folder::with_config(UAT).run(&all)
}

#[test]
fn requests_that_are_passed_on() {
    for (name, arguments) in [
        (
            "proxied",
            &["https://uat.example.com/api/v1/items?n=1", "-H", "X-Forwarded-For: 203.0.113.9"][..],
        ),
        ("wildcard", &["one.apps.example.com/app/x"]),
        ("alias", &["https://UAT2.example.com:8443/"]),
        ("rewritten", &["https://uat.example.com/old/a%20b?c"]),
        (
            "stripped",
            &[
                "https://uat.example.com/billing/invoices",
                "--method",
                "POST",
                "-H",
                "Content-Length: 5",
            ],
        ),
        (
            "websocket",
            &[
                "https://uat.example.com/api/v1/ws/room",
                "-H",
                "Upgrade: websocket",
                "-H",
                "Connection: Upgrade",
            ],
        ),
        (
            "cloudflare",
            &[
                "https://uat.example.com/api/",
                "--from",
                "173.245.48.9",
                "-H",
                "CF-Connecting-IP: 2001:db8:1:2:3::4",
            ],
        ),
        (
            "traced",
            &[
                "https://uat.example.com/",
                "--from",
                "10.1.1.1",
                "-H",
                "X-Request-Id: abc",
                "-H",
                "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ],
        ),
        ("normalised", &["https://uat.example.com/x/..//api/%76%31"]),
        ("allowed", &["https://uat.example.com/metrics", "--from", "172.20.0.5"]),
    ] {
        explain(arguments).exits_with(0).is(&format!("explain/{name}"));
    }
}

#[test]
fn requests_that_the_gateway_answers() {
    for (name, arguments) in [
        ("respond", &["https://uat.example.com/health"][..]),
        ("redirect", &["https://uat.example.com/docs?x"]),
        ("site-redirect", &["https://example.org/a/b?c=d"]),
        ("plain", &["http://uat.example.com/a?b"]),
        ("plain-with-port", &["http://uat.example.com:8080/a"]),
        ("plain-health", &["http://anything.example/healthz"]),
        ("forbidden-address", &["https://uat.example.com/metrics"]),
        ("denied-address", &["https://one.apps.example.com/app/", "--from", "198.51.100.7"]),
        ("forbidden-path", &["https://uat.example.com/%2egit/config"]),
        ("forbidden-suffix", &["https://uat.example.com/app.js.MAP"]),
        ("no-route", &["https://one.apps.example.com/other"]),
        ("too-large", &["https://uat.example.com/", "-X", "PUT", "-H", "Content-Length: 99999999"]),
        ("misdirected", &["https://uat.example.com/", "-H", "Host: example.org"]),
        ("bad-path", &["https://uat.example.com/%zz"]),
        ("connect", &["https://uat.example.com/", "-X", "CONNECT"]),
    ] {
        explain(arguments).exits_with(0).is(&format!("explain/{name}"));
    }
}

/// A site whose answers are looked after.
const ANSWERS: &str = "[site.\"app.example.com\"]
tls = \"self-signed\"
compress = { algorithms = [\"br\", \"gzip\"], types = [\"text/*\"] }
cors = { origins = [\"https://web.example.com\"], credentials = true, max_age = \"1h\", expose = [\"X-Total\"] }
routes = [
  { path = \"/api/*\", to = \"backend:8000\", cache_control = [
    { suffixes = [\".js\", \".css\"], value = \"public\" },
    { suffixes = [\".png\"], value = \"private\" },
  ] },
  { path = \"/app/*\", files = { dir = \"/srv/app\", spa = \"index.html\", precompressed = true } },
  { path = \"/plain/*\", to = \"backend:8000\", cors = { origins = [\"*\"], headers = [\"X-A\"] } },
]
";

#[test]
fn answers_that_are_looked_after() {
    let preflight: [&str; 8] = [
        "-X",
        "OPTIONS",
        "-H",
        "Access-Control-Request-Method: PUT",
        "-H",
        "Access-Control-Request-Headers: X-A, X-B",
        "-H",
        "Origin: https://web.example.com",
    ];
    let url = "https://app.example.com/";
    for (name, path, arguments) in [
        (
            "answers",
            "api/a.css",
            &["-H", "Accept-Encoding: gzip", "-H", "Origin: https://evil.example"][..],
        ),
        ("answers-json", "api/a.css", &["--json", "-H", "Origin: https://web.example.com"]),
        ("preflight", "api/a", &preflight),
        ("preflight-denied", "plain/a", &preflight),
        ("files", "app/lists/", &[]),
        ("files-json", "app/a.js", &["--json"]),
        ("files-hidden", "app/.well-known/../x/.well-known/a", &[]),
        ("files-post", "app/a", &["-X", "POST"]),
    ] {
        let url = format!("{url}{path}");
        let all: Vec<&str> =
            ["explain", &url].into_iter().chain(arguments.iter().copied()).collect();
        Folder::with_config(ANSWERS).run(&all).exits_with(0).is(&format!("explain/{name}"));
    }
}

#[test]
fn requests_that_nobody_answers() {
    explain(&["https://uat.exmple.com/"]).exits_with(0).is("explain/unknown-host");
    explain(&["http://other.test/"]).exits_with(0).is("explain/plain-unknown-host");
}

#[test]
fn scripts_get_the_same_in_json() {
    for (name, arguments) in [
        (
            "proxied-json",
            &["https://uat.example.com/api/v1/items?n=1", "--from", "192.0.2.9", "--json"][..],
        ),
        ("forbidden-json", &["https://uat.example.com/metrics", "--json"]),
        ("redirect-json", &["https://example.org/a", "--json"]),
        ("unknown-host-json", &["https://nobody.test/", "--json"]),
        ("plain-json", &["http://uat.example.com/", "--json"]),
    ] {
        let run = explain(arguments);
        run.exits_with(0).is(&format!("explain/{name}"));
        let told: Value = serde_json::from_str(&run.stdout).unwrap();
        assert!(told["outcome"]["answered_by"].is_string());
    }
}

#[test]
fn what_cannot_be_asked() {
    for (name, arguments) in [
        ("no-host", &["https://"][..]),
        ("bad-host", &["https://a..b/"]),
        ("other-scheme", &["ftp://uat.example.com/"]),
        ("unsendable-path", &["https://uat.example.com/a b"]),
        ("no-header", &["uat.example.com", "-H", "Accept"]),
        ("bad-header-name", &["uat.example.com", "-H", "A b: c"]),
        ("bad-address", &["uat.example.com", "--from", "somewhere"]),
        ("no-url", &[]),
    ] {
        explain(arguments).exits_with(2).is(&format!("explain/{name}"));
    }
}

#[test]
fn configurations_that_explain_nothing() {
    let folder = Folder::new();
    folder.run(&["explain", "a.test"]).exits_with(2).is("explain/no-config");
    folder.write("gateway.toml", "[server]\nstorag = \"x\"\n");
    folder.run(&["explain", "a.test", "--json"]).exits_with(1).is("explain/broken-config");
}

#[test]
fn a_running_gateway_does_what_is_explained() {
    let config = |listen: [String; 3]| {
        let [http, https, admin] = listen;
        format!(
            "[server]\nhttp = [\"{http}\"]\nhttps = [\"{https}\"]\nadmin = \"{admin}\"\nstorage = \"state\"\n\
             unknown_host = 421\n\n[site.\"a.test\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", respond = {{ status = 200 }} }}]\n"
        )
    };
    let folder = Folder::with_config(&config(["127.0.0.1:0"; 3].map(String::from)));
    let running = Running::start(&folder);
    let listen = ["http", "https", "admin"].map(|listener| running.address(listener).to_string());
    let explained = Folder::with_config(&config(listen));
    for (host, target) in [
        ("a.test", "/x?y"),
        ("A.test:8080", "/%20/"),
        ("b.test", "/"),
        ("b.test", "/healthz"),
        ("a.test.", "/.."),
    ] {
        let told = explained.run(&[
            "explain",
            &format!("http://{host}{target}"),
            "-H",
            &format!("Host: {host}"),
            "--json",
        ]);
        let told: Value = serde_json::from_str(&told.exits_with(0).stdout).unwrap();
        let answer = running.plain(target, host);
        let status = told["outcome"]["status"].as_u64().unwrap().to_string();
        assert_eq!(answer.split(' ').nth(1), Some(status.as_str()), "{host}{target}\n{answer}");
        for header in told["outcome"]["headers"].as_array().unwrap() {
            let line = format!(
                "{}: {}",
                header["name"].as_str().unwrap(),
                header["value"].as_str().unwrap()
            );
            let found = answer.lines().any(|found| found.eq_ignore_ascii_case(&line));
            assert!(found, "{host}{target}: {line} is missing in\n{answer}");
        }
    }
}

#[test]
fn certificates_by_acme_are_told_by_their_name() {
    let folder = Folder::with_config(
        "[acme]\ndns = { provider = \"cloudflare\", token = { file = \"missing\" } }\n\
         [site.\"*.example.com\"]\ntls = { acme = { keys = \"both\" } }\n\
         routes = [{ path = \"/*\", to = \"app:3000\" }]\n",
    );
    folder.run(&["explain", "https://a.example.com/"]).exits_with(0).is("explain/acme");
}

/// Limits of every kind, errors, and a service that is being worked on.
const POLICIES: &str = "
[limit]
key   = { rate = \"10/min\", burst = 5, key = { header = \"X-Api-Key\" } }
login = { rate = \"5/h\", burst = 3, key = { cookie = \"session\" }, assets = \"skip\", dry_run = true }
once  = { concurrent = 4 }

[site.\"a.example.com\"]
tls = \"self-signed\"
headers = \"app\"
limit = [\"key\", \"login\", \"once\"]
bandwidth = { rate = \"1MiB/s\", burst = \"4MiB\" }
errors = { 404 = \"errors/404.html\", 5xx = \"errors/50x.html\", intercept = true }
routes = [
  { path = \"/app/*\", to = \"app:3000\" },
  { path = \"/json\", to = \"app:3000\", errors = \"json\", maintenance = true },
  { path = \"/work/*\", to = \"app:3000\", maintenance = { allow = [\"203.0.113.0/24\"], retry_after = \"30m\", page = \"work.html\" } },
]
";

#[test]
fn limits_errors_and_maintenance() {
    let folder = Folder::with_config(POLICIES);
    let key = ["-H", "X-Api-Key: s3cret", "-H", "Cookie: session=s3cret"];
    for (name, arguments) in [
        ("limits-by-value", &["https://a.example.com/app/", key[0], key[1], key[2], key[3]][..]),
        ("limits-by-address", &["https://a.example.com/app/main.js"]),
        ("no-route-with-page", &["https://a.example.com/", "-H", "Accept: text/html"]),
        ("no-route-as-json", &["https://a.example.com/", "-H", "Accept: application/json"]),
        ("maintenance", &["https://a.example.com/work/", "--from", "192.0.2.1"]),
        ("maintenance-allowed", &["https://a.example.com/work/", "--from", "203.0.113.7"]),
        ("maintenance-json", &["https://a.example.com/json", "--json"]),
    ] {
        let all: Vec<&str> = std::iter::once("explain").chain(arguments.iter().copied()).collect();
        folder.run(&all).exits_with(0).is(&format!("explain/{name}"));
    }
}

#[test]
fn who_may_come_in() {
    let text = "
[site.\"app.example.com\"]
tls = \"self-signed\"
routes = [
  { path = \"/basic\", to = \"a:1\", auth = { basic = { users = { alice = \"$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe\" }, file = \"htpasswd\" } } },
  { path = \"/forward\", to = \"a:1\", auth = { forward = { to = \"authelia:9091\", path = \"/api/authz/forward-auth\" } } },
  { path = \"/jwt\", to = \"a:1\", auth = { jwt = { jwks = \"https://id.example.com/jwks.json\", issuer = \"https://id.example.com\", audience = [], on_error = \"allow\" } } },
  { path = \"/github\", to = \"hooks:9000\", webhook = { provider = \"github\", secrets = [{ file = \"a\" }, { env = \"B\" }], events = [\"ping\", \"workflow_job.queued\"] } },
]
";
    let folder = Folder::with_config(text);
    for name in ["basic", "forward", "jwt", "github"] {
        let url = format!("https://app.example.com/{name}");
        folder.run(&["explain", &url]).exits_with(0).is(&format!("explain/guard-{name}"));
    }
    let signature = format!("X-Hub-Signature-256: sha256={}", "0".repeat(64));
    let run = folder.run(&["explain", "https://app.example.com/github", "-H", &signature]);
    run.exits_with(0).is("explain/guard-github-signed");
}
