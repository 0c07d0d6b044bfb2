//! The whole stack on a Docker Engine, from nothing: `deploy/up`, certificates from an ACME server of
//! its own, `deploy/validate`, a backend that changes under load, every container killed in turn, what
//! can be reached from where, `down` and `up`, and a rollback. `make stack` builds the images and runs
//! this; without an engine it says that it was skipped.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a panic is how it fails, and what it sees is what it is for"
)]

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

const DOMAIN: &str = "uat.familycart.app";
const GRAFANA: &str = "grafana.uat.familycart.app";
const HOOKS: &str = "hooks.uat.familycart.app";

/// The longest that any one command may take, in seconds.
const LONGEST: u64 = 400;

fn deploy() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn docker(arguments: &[&str]) -> String {
    let output = bounded(60, "docker", arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A command that ends by itself or is ended.
fn bounded(seconds: u64, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg(seconds.to_string()).arg(program).args(arguments);
    command.stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr];
    both.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// A copy of `deploy/` that is a project of its own, and is taken away at the end, however it comes.
struct Stack {
    folder: tempfile::TempDir,
    project: String,
    https: u16,
    has_runners: bool,
    began: Instant,
}

impl Stack {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let project = format!("stack-test-{}", std::process::id());
        let [http, https] = free_ports();
        // For a quick trial of the rest, as the runners' images take a while to build.
        let has_runners = std::env::var_os("STACK_TEST_WITHOUT_RUNNERS").is_none();
        let stack = Self { folder, project, https, has_runners, began: Instant::now() };
        stack.copy();
        stack.settle(http);
        stack
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("deploy").join(name)
    }

    fn copy(&self) {
        let to = self.folder.path();
        let status = Command::new("cp").arg("-a").arg(deploy()).arg(to).status().unwrap();
        assert!(status.success());
        for made in ["secrets", "state", "env/uat.env", "backups", "docker-compose.local.yml"] {
            drop(fs::remove_dir_all(self.path(made)));
            drop(fs::remove_file(self.path(made)));
        }
        fs::copy(self.path("tests/pebble.yml"), self.path("docker-compose.local.yml")).unwrap();
    }

    /// Ports and networks that are free here, and the ACME server for the CA.
    fn settle(&self, http: u16) {
        let (monitoring, application) = free_networks();
        let env = fs::read_to_string(self.path("env/uat.env.example")).unwrap();
        let env = env
            .replace(
                "COMPOSE_PROJECT_NAME=familycart-uat",
                &format!("COMPOSE_PROJECT_NAME={}", self.project),
            )
            .replace("HTTP_PORT=80", &format!("HTTP_PORT=127.0.0.1:{http}"))
            .replace("HTTPS_PORT=443", &format!("HTTPS_PORT=127.0.0.1:{}", self.https))
            .replace("172.30.10.", &format!("{monitoring}."))
            .replace("172.30.11.", &format!("{application}."))
            .replace("CHANGE_ME", "stack-test");
        fs::write(self.path("env/uat.env"), with_other_images(env)).unwrap();

        let toml = fs::read_to_string(self.path("gateway/uat/gateway.toml")).unwrap();
        let ours = toml.replace("172.30.10.2:9180", &format!("{monitoring}.2:9180")).replace(
            "directory = \"letsencrypt\"\n",
            "directory = \"https://pebble:14000/dir\"\nca = \"pebble.pem\"\n",
        );
        assert!(ours.contains("pebble.pem"), "the configuration names its CA in another way now");
        fs::write(self.path("gateway/uat/gateway.toml"), ours).unwrap();
        let root = docker(&["run", "--rm", "pebble-test:1", "cat", "/etc/pebble/ca.pem"]);
        fs::write(self.path("gateway/uat/pebble.pem"), root + "\n").unwrap();

        self.good("make-secrets", &["uat"]);
        for (name, value) in [
            ("alertmanager_webhook_url", "http://127.0.0.1:9/nobody"),
            ("github_token", "github_pat_of_nobody_0123456789"),
        ] {
            let file = self.path("secrets/uat").join(name);
            fs::write(&file, value).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        }
    }

    fn script(&self, name: &str, arguments: &[&str]) -> Output {
        let path = self.path(name);
        bounded(LONGEST, path.to_str().unwrap(), arguments).output().unwrap()
    }

    /// A script that succeeds.
    fn good(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.script(name, arguments);
        let said = text(&output);
        assert!(output.status.success(), "deploy/{name} {arguments:?}:\n{said}");
        said
    }

    fn up(&self, further: &[&str]) -> Output {
        let mut arguments = vec!["uat"];
        if !self.has_runners {
            arguments.extend(["--without", "runners"]);
        }
        arguments.extend(further);
        self.script("up", &arguments)
    }

    fn step(&self, what: &str) {
        eprintln!("\n=== {:>3} s  {what}", self.began.elapsed().as_secs());
    }

    fn containers(&self, service: &str) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        let found = docker(&["ps", "-aq", "--filter", &project, "--filter", &service]);
        found.lines().map(str::to_owned).collect()
    }

    fn container(&self, service: &str) -> String {
        let found = self.containers(service);
        assert_eq!(found.len(), 1, "{service}: {found:?}");
        found.into_iter().next().unwrap()
    }

    fn address(&self, service: &str, network: &str) -> String {
        let network = format!("{}_{network}", self.project);
        let format = format!(
            "{{{{ with index .NetworkSettings.Networks \"{network}\" }}}}{{{{ .IPAddress }}}}{{{{ end }}}}"
        );
        docker(&["inspect", "--format", &format, &self.container(service)])
    }

    fn is_healthy(&self, service: &str) -> bool {
        let format =
            "{{ .State.Status }} {{ if .State.Health }}{{ .State.Health.Status }}{{ end }}";
        let found = self.containers(service);
        found
            .first()
            .is_some_and(|one| docker(&["inspect", "--format", format, one]) == "running healthy")
    }

    fn services(&self) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let format = "{{ .Label \"com.docker.compose.service\" }}";
        let found = docker(&["ps", "-a", "--filter", &project, "--format", format]);
        let mut all: Vec<String> =
            found.lines().filter(|name| *name != "pebble").map(str::to_owned).collect();
        all.sort();
        all.dedup();
        all
    }

    fn roots(&self) -> PathBuf {
        self.folder.path().join("roots.pem")
    }

    /// curl as a visitor of a site: the status, 0 where there was no answer, and the body.
    fn visit(&self, host: &str, path: &str, further: &[&str]) -> (u16, String) {
        let resolve = format!("{host}:{}:127.0.0.1", self.https);
        let url = format!("https://{host}:{}{path}", self.https);
        let roots = self.roots();
        let mut arguments = vec![
            "--silent",
            "--max-time",
            "12",
            "--resolve",
            &resolve,
            "--cacert",
            roots.to_str().unwrap(),
        ];
        arguments.extend(["--write-out", "\n%{http_code}"]);
        arguments.extend(further);
        arguments.push(&url);
        let output = bounded(20, "curl", &arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = said.rsplit_once('\n').unwrap_or(("", "0"));
        (status.parse().unwrap_or(0), body.to_owned())
    }

    fn get(&self, host: &str, path: &str) -> u16 {
        self.visit(host, path, &[]).0
    }

    fn post(&self, path: &str, json: &str) -> Value {
        let (status, body) = self.visit(
            DOMAIN,
            path,
            &["--header", "Content-Type: application/json", "--data-binary", json],
        );
        assert_eq!(status, 201, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// `/ready` of the backend, which is no route of the gateway's, from beside it.
    fn ready(&self) -> String {
        let url = format!("http://{}:8000/ready", self.address("backend", "application"));
        let arguments = [
            "--silent",
            "--max-time",
            "8",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            &url,
        ];
        String::from_utf8_lossy(&bounded(15, "curl", &arguments).output().unwrap().stdout)
            .into_owned()
    }

    /// A delivery of a webhook: its status.
    fn deliver(&self, signature: &str, id: &str) -> u16 {
        let delivery = format!("X-GitHub-Delivery: {id}");
        let signed = format!("X-Hub-Signature-256: {signature}");
        let further = [
            "--header",
            "X-GitHub-Event: ping",
            "--header",
            "Content-Type: application/json",
            "--header",
            &delivery,
            "--header",
            &signed,
            "--data-binary",
            PING,
        ];
        self.visit(HOOKS, "/github", &further).0
    }

    fn signature(&self) -> String {
        let gateway = self.container("gateway");
        let arguments = [
            "exec",
            "-i",
            &gateway,
            "/gateway",
            "webhooks",
            "sign",
            "--secret-file",
            "/run/secrets/github_webhook",
        ];
        let mut child = Command::new("docker")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), PING.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    }

    /// The serials of all certificates.
    fn serials(&self) -> Vec<String> {
        let gateway = self.container("gateway");
        let listed = docker(&[
            "exec",
            &gateway,
            "/gateway",
            "certs",
            "list",
            "--json",
            "--config",
            "/etc/gateway/gateway.toml",
        ]);
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let certificates = listed["certificates"].as_array().unwrap();
        certificates.iter().filter_map(|one| one["serial"].as_str().map(str::to_owned)).collect()
    }
}

const PING: &str = r#"{"zen":"Keep it logically awesome.","hook_id":1}"#;

impl Drop for Stack {
    fn drop(&mut self) {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let kept = format!("{}-kept/*:*", self.project);
        // Nothing here may panic: this runs while the test does.
        if thread::panicking() {
            let unwell =
                ["ps", "-a", "--filter", &project, "--format", "{{ .Names }} {{ .Status }}"];
            let listed =
                bounded(20, "docker", &unwell).output().map(|said| text(&said)).unwrap_or_default();
            eprintln!("\n{listed}");
            for line in listed.lines().filter(|line| !line.contains("(healthy)")) {
                let name = line.split(' ').next().unwrap_or_default();
                let said = bounded(20, "docker", &["logs", "--tail", "30", name]).output();
                eprintln!("\n--- {name}\n{}", said.map(|said| text(&said)).unwrap_or_default());
            }
        }
        let all: [(&[&str], &[&str]); 4] = [
            (&["ps", "-aq", "--filter", &project], &["rm", "--force", "--volumes"]),
            (&["network", "ls", "-q", "--filter", &project], &["network", "rm"]),
            (&["volume", "ls", "-q", "--filter", &project], &["volume", "rm", "--force"]),
            (&["images", "--format", "{{ .Repository }}:{{ .Tag }}", &kept], &["rmi", "--force"]),
        ];
        for (list, remove) in all {
            let Ok(found) = bounded(60, "docker", list).output() else { continue };
            let found = String::from_utf8_lossy(&found.stdout).into_owned();
            let names: Vec<&str> = found.lines().collect();
            if !names.is_empty() {
                drop(bounded(120, "docker", &[remove, &names].concat()).output());
            }
        }
        drop(bounded(30, "docker", &["rmi", "--force", &self.broken_image()]).output());
    }
}

impl Stack {
    fn broken_image(&self) -> String {
        format!("{}-broken:1", self.project)
    }
}

/// `STACK_TEST_IMAGES="BACKEND_IMAGE=mine:1 FRONTEND_IMAGE=mine:2"` tries other images than the example's.
fn with_other_images(env: String) -> String {
    let others = std::env::var("STACK_TEST_IMAGES").unwrap_or_default();
    others.split_whitespace().fold(env, |env, line| {
        let name = format!("{}=", line.split('=').next().unwrap());
        let kept = env.lines().filter(|old| !old.starts_with(&name));
        kept.chain([line]).map(|line| format!("{line}\n")).collect()
    })
}

fn free_ports() -> [u16; 2] {
    let held = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|one| one.local_addr().unwrap().port())
}

/// Two networks, as the first three numbers of their addresses, that no network of Docker's has.
fn free_networks() -> (String, String) {
    let ids = docker(&["network", "ls", "-q"]);
    let mut arguments =
        vec!["network", "inspect", "--format", "{{ range .IPAM.Config }}{{ .Subnet }} {{ end }}"];
    arguments.extend(ids.lines());
    let taken = docker(&arguments);
    let mut free = (20..250).map(|third| format!("172.31.{third}")).filter(|network| {
        !taken.contains(&format!("{network}.")) && !taken.contains("172.31.0.0/16")
    });
    (free.next().unwrap(), free.next().unwrap())
}

/// Waits for something to become so.
fn until(what: &str, seconds: u64, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(seconds), "{what}: not within {seconds} s");
        thread::sleep(Duration::from_millis(500));
    }
}

fn has_engine() -> bool {
    bounded(20, "docker", &["info"]).output().is_ok_and(|output| output.status.success())
}

#[test]
fn the_stack_stands_from_nothing_and_stays() {
    if !has_engine() {
        eprintln!("\n*** SKIPPED: the whole stack: no Docker Engine answers here\n");
        return;
    }
    let stack = Stack::new();

    stack.step("deploy/up uat, from nothing");
    let output = stack.up(&[]);
    eprintln!("{}", text(&output));
    assert!(output.status.success());

    certificates_come(&stack);
    it_is_valid(&stack);
    let list = traffic_flows(&stack);
    a_backend_changes_under_load(&stack);
    a_configuration_is_read_again(&stack);
    isolation_holds(&stack);
    everybody_is_killed_in_turn(&stack, &list);
    everybody_crashes_at_once(&stack);
    nothing_is_lost(&stack, &list);
    a_bad_image_is_taken_back(&stack, &list);

    stack.step("deploy/status uat");
    eprintln!("{}", stack.good("status", &["uat"]));
    let json: Value = serde_json::from_str(&stack.good("status", &["uat", "--json"])).unwrap();
    assert_eq!(json["healthy"], true, "{json}");
    stack.step("the end");
}

fn certificates_come(stack: &Stack) {
    stack.step("certificates from the ACME server");
    let url = format!("https://{}:15000/roots/0", stack.address("pebble", "edge"));
    let output = bounded(20, "curl", &["--silent", "--insecure", &url]).output().unwrap();
    assert!(output.stdout.starts_with(b"-----BEGIN"), "{}", text(&output));
    fs::write(stack.roots(), output.stdout).unwrap();
    for host in [DOMAIN, GRAFANA, HOOKS] {
        until(&format!("a certificate of {host}"), 90, || stack.get(host, "/health") != 0);
    }
    assert_eq!(stack.serials().len(), 3);
}

/// Prometheus has asked everybody after half a minute, and alerts of the start have gone after a while.
fn it_is_valid(stack: &Stack) {
    stack.step("deploy/validate uat");
    let roots = stack.roots();
    let began = Instant::now();
    let said = loop {
        let output = stack.script("validate", &["uat", "--cacert", roots.to_str().unwrap()]);
        let said = text(&output);
        if output.status.success() {
            break said;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "deploy/validate:\n{said}");
        thread::sleep(Duration::from_secs(5));
    };
    eprintln!("{said}");
    for check in
        ["frontend cannot reach postgres", "frontend cannot reach gateway", "traffic to Grafana"]
    {
        assert!(said.contains(check), "{check} was not tried");
    }
}

/// A list with an item in it, whose number is given back.
fn traffic_flows(stack: &Stack) -> String {
    stack.step("traffic through TLS");
    let (status, page) = stack.visit(DOMAIN, "/", &["--http2"]);
    assert_eq!(status, 200);
    assert!(page.contains("<html"), "{page}");

    let list = stack.post("/api/v1/lists", r#"{"name":"kept over everything"}"#);
    let list = list["id"].to_string();

    // What the server says over a WebSocket is not masked, so it can be read in what curl writes.
    let file = stack.folder.path().join("websocket");
    let resolve = format!("{DOMAIN}:{}:127.0.0.1", stack.https);
    let url = format!("https://{DOMAIN}:{}/api/v1/ws/lists/{list}", stack.https);
    let arguments = [
        "--silent",
        "--http1.1",
        "--no-buffer",
        "--include",
        "--max-time",
        "8",
        "--resolve",
        &resolve,
        "--cacert",
        stack.roots().to_str().unwrap(),
        "--output",
        file.to_str().unwrap(),
        "--header",
        "Connection: Upgrade",
        "--header",
        "Upgrade: websocket",
        "--header",
        "Sec-WebSocket-Version: 13",
        "--header",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "--header",
        &format!("Origin: https://{DOMAIN}"),
        &url,
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // curl writes the file when it ends.
    let mut listener = bounded(15, "curl", &arguments).spawn().unwrap();
    thread::sleep(Duration::from_secs(3));
    stack.post(&format!("/api/v1/lists/{list}/items"), r#"{"name":"bread-of-the-test"}"#);
    listener.wait().unwrap();
    let heard = String::from_utf8_lossy(&fs::read(&file).unwrap_or_default()).into_owned();
    assert!(heard.contains("101 Switching"), "the WebSocket does not open: {heard}");
    assert!(heard.contains("bread-of-the-test"), "the update does not arrive: {heard}");

    let signature = stack.signature();
    assert_eq!(
        stack
            .deliver(&format!("sha256={}", "0".repeat(64)), "00000000-0000-4000-8000-000000000001"),
        401
    );
    if stack.has_runners {
        let status = stack.deliver(&signature, "00000000-0000-4000-8000-000000000002");
        assert!((200..300).contains(&status), "a signed delivery: {status}");
        assert_eq!(
            stack.deliver(&signature, "00000000-0000-4000-8000-000000000002"),
            409,
            "replayed"
        );
    } else {
        eprintln!("*** SKIPPED: a signed delivery: STACK_TEST_WITHOUT_RUNNERS is set");
    }
    list
}

fn a_backend_changes_under_load(stack: &Stack) {
    stack.step("a new backend under load");
    let before = (stack.container("backend"), stack.address("backend", "application"));
    let is_over = Arc::new(AtomicBool::new(false));
    let (asked, failed) = thread::scope(|scope| {
        let load: Vec<_> = (0..3)
            .map(|_| {
                let is_over = Arc::clone(&is_over);
                scope.spawn(move || {
                    let (mut asked, mut failed) = (0, Vec::new());
                    while !is_over.load(Ordering::Relaxed) {
                        let (status, body) = stack.visit(DOMAIN, "/api/v1/lists", &[]);
                        asked += 1;
                        if status != 200 {
                            failed.push(format!("{status}: {body}"));
                        }
                        // Together below the limit of the API, which is ten a second.
                        thread::sleep(Duration::from_millis(320));
                    }
                    (asked, failed)
                })
            })
            .collect();
        let output = stack.up(&["--renew"]);
        thread::sleep(Duration::from_secs(3));
        is_over.store(true, Ordering::Relaxed);
        assert!(output.status.success(), "{}", text(&output));
        load.into_iter().map(|one| one.join().unwrap()).fold((0, Vec::new()), |mut all, one| {
            all.0 += one.0;
            all.1.extend(one.1);
            all
        })
    });
    let after = (stack.container("backend"), stack.address("backend", "application"));
    eprintln!("{} -> {}: {asked} GETs, {} failed", before.1, after.1, failed.len());
    assert_ne!(before.0, after.0);
    assert_ne!(before.1, after.1);
    assert!(asked > 40, "only {asked} requests");
    assert!(failed.is_empty(), "{failed:?}");
}

/// A change of gateway.toml reaches the gateway by `deploy/up`, without a new container.
fn a_configuration_is_read_again(stack: &Stack) {
    stack.step("a changed gateway.toml");
    let file = stack.path("gateway/uat/gateway.toml");
    let toml = fs::read_to_string(&file).unwrap();
    let container = stack.container("gateway");
    let path = "{ path = \"/health\", respond = { status = 200, body = \"ok\\n\" }";
    assert!(toml.contains(path));
    // Written beside and renamed, as editors do.
    let beside = stack.path("gateway/uat/.gateway.toml.new");
    fs::write(
        &beside,
        toml.replace(path, "{ path = \"/health\", respond = { status = 200, body = \"well\\n\" }"),
    )
    .unwrap();
    fs::rename(&beside, &file).unwrap();
    let output = stack.up(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(stack.visit(DOMAIN, "/health", &[]).1.trim(), "well", "{}", text(&output));
    assert_eq!(stack.container("gateway"), container);

    fs::write(&file, "[server\n").unwrap();
    let output = stack.up(&[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    fs::write(&file, toml).unwrap();
    assert_eq!(stack.visit(DOMAIN, "/health", &[]).0, 200);
    let output = stack.up(&[]);
    assert!(output.status.success(), "{}", text(&output));
}

/// Whether a TCP connection can be made from the frontend's network, by a shell that is not the
/// stack's.
fn reaches(stack: &Stack, host: &str, port: u16) -> bool {
    let network = format!("container:{}", stack.container("frontend"));
    let attempt = format!("timeout 2 bash -c 'exec 3<>/dev/tcp/{host}/{port}'");
    let arguments = [
        "run",
        "--rm",
        "--network",
        &network,
        "--cap-drop",
        "ALL",
        "debian:bookworm-slim",
        "bash",
        "-c",
        &attempt,
    ];
    bounded(30, "docker", &arguments).output().unwrap().status.success()
}

fn isolation_holds(stack: &Stack) {
    stack.step("isolation, tried");
    let gateway = stack.address("gateway", "edge");
    assert!(reaches(stack, &gateway, 443), "the attempt itself does not work");
    assert!(reaches(stack, "gateway", 443), "names do not resolve in the attempt");
    let mut targets: Vec<(String, u16)> = vec![(gateway, 9180), ("gateway".into(), 9180)];
    for (service, network, port) in [
        ("postgres", "data", 5432),
        ("redis", "data", 6379),
        ("backend", "application", 8000),
        ("gateway", "monitoring", 9180),
        ("prometheus", "monitoring", 9090),
        ("alertmanager", "monitoring", 9093),
        ("grafana", "monitoring", 3000),
        ("loki", "monitoring", 3100),
        ("node-exporter", "monitoring", 9100),
        ("postgres-exporter", "monitoring", 9187),
    ] {
        targets.push((stack.address(service, network), port));
        if service != "gateway" {
            targets.push((service.into(), port));
        }
    }
    thread::scope(|scope| {
        for (host, port) in &targets {
            scope.spawn(move || {
                assert!(!reaches(stack, host, *port), "the frontend reaches {host}:{port}");
            });
        }
    });
    eprintln!("{} attempts from the frontend's network, none of which arrived", targets.len());

    let project = format!("label=com.docker.compose.project={}", stack.project);
    let format = "{{ .Label \"com.docker.compose.service\" }} {{ .Ports }}";
    let published = docker(&["ps", "--filter", &project, "--format", format]);
    let publishing: Vec<&str> = published.lines().filter(|line| line.contains("->")).collect();
    assert_eq!(publishing.len(), 1, "{published}");
    assert!(publishing[0].starts_with("gateway "), "{published}");
    assert_eq!(publishing[0].matches("->").count(), 2, "{published}");
}

/// What a user gets while one service is away.
struct Seen {
    page: u16,
    api: u16,
    grafana: u16,
}

impl Seen {
    fn now(stack: &Stack, list: &str) -> Self {
        let path = format!("/api/v1/lists/{list}");
        Self {
            page: stack.get(DOMAIN, "/"),
            api: stack.get(DOMAIN, &path),
            grafana: stack.get(GRAFANA, "/login"),
        }
    }

    fn is_all_well(&self) -> bool {
        self.page == 200 && self.api == 200 && self.grafana == 200
    }
}

fn everybody_is_killed_in_turn(stack: &Stack, list: &str) {
    stack.step("each container killed in turn");
    let mut table =
        String::from("| killed | page | API | Grafana | what else |\n|---|---|---|---|---|\n");
    let mut killed: Vec<String> = Vec::new();
    for service in stack.services() {
        let container = stack.container(&service);
        docker(&["kill", &container]);
        // The gateway notices at once, by a connection that is refused, or at the next health check.
        thread::sleep(Duration::from_secs(1));
        let seen = Seen::now(stack, list);
        let Seen { page, api, grafana } = seen;
        let mut further = String::new();
        match service.as_str() {
            "frontend" => {
                assert!([502, 503, 504].contains(&page), "page: {page}");
                let (_, body) = stack.visit(DOMAIN, "/", &["--header", "Accept: text/html"]);
                assert!(body.contains("<html") && !body.contains("nginx"), "{body}");
                assert_eq!((api, grafana), (200, 200));
                further += "a page that says so";
            }
            "backend" => {
                assert!([502, 503, 504].contains(&api), "API: {api}");
                assert_eq!((page, grafana), (200, 200));
                let (_, body) = stack.visit(DOMAIN, "/api/v1/lists", &[]);
                assert!(serde_json::from_str::<Value>(&body).is_ok(), "no JSON: {body}");
                further += "an error as JSON";
            }
            "postgres" => {
                assert!(api >= 500, "API: {api}");
                assert_eq!((page, grafana), (200, 200));
                let ready = stack.ready();
                assert_eq!(ready, "503");
                further += "/ready says 503";
            }
            "redis" => {
                assert_eq!((page, grafana), (200, 200));
                let ready = stack.ready();
                assert_eq!(ready, "503");
                further += "/ready says 503";
            }
            "gateway" => {
                assert_eq!((page, api, grafana), (0, 0, 0));
                further += "no answer at all";
            }
            "grafana" => {
                assert_eq!((page, api), (200, 200));
                assert!([502, 503, 504].contains(&grafana), "Grafana: {grafana}");
            }
            "runner-webhook" => {
                assert!(seen.is_all_well(), "{page} {api} {grafana}");
                let status = stack
                    .deliver(&signature_without(stack), "00000000-0000-4000-8000-000000000003");
                write!(further, "a delivery gets {status}, and GitHub keeps it to deliver again")
                    .unwrap();
                assert!([401, 502, 503, 504].contains(&status), "{status}");
            }
            _ => assert!(seen.is_all_well(), "{service}: {page} {api} {grafana}"),
        }
        writeln!(
            table,
            "| {service} | {} | {} | {} | {further} |",
            shown(page),
            shown(api),
            shown(grafana)
        )
        .unwrap();
        docker(&["start", &container]);
        let what = format!("all is well again after {service} was killed");
        until(&what, 45, || Seen::now(stack, list).is_all_well());
        killed.push(service);
    }
    for service in killed {
        until(&format!("{service} is healthy again"), 90, || stack.is_healthy(&service));
    }
    assert_eq!(stack.ready(), "200");
    eprintln!("\nWhat a user sees while a container is away:\n\n{table}");
}

fn signature_without(stack: &Stack) -> String {
    stack.signature()
}

fn shown(status: u16) -> String {
    if status == 0 { "nothing".into() } else { status.to_string() }
}

/// The main process of every container ends at the same moment, as after a power cut; nobody starts
/// them but Docker.
fn everybody_crashes_at_once(stack: &Stack) {
    stack.step("every process ended at once");
    let services = stack.services();
    let containers: Vec<String> = services.iter().map(|service| stack.container(service)).collect();
    let mut arguments = vec!["inspect", "--format", "{{ .State.Pid }}"];
    arguments.extend(containers.iter().map(String::as_str));
    let processes = docker(&arguments);
    let processes: Vec<&str> = processes.lines().filter(|pid| *pid != "0").collect();
    let killed =
        bounded(20, "kill", &[&["-KILL"], processes.as_slice()].concat()).output().unwrap();
    assert!(killed.status.success(), "{}", text(&killed));
    thread::sleep(Duration::from_secs(3));
    for service in &services {
        until(&format!("{service} comes back by itself"), 120, || stack.is_healthy(service));
    }
}

fn nothing_is_lost(stack: &Stack, list: &str) {
    stack.step("deploy/down uat, then deploy/up uat");
    let path = format!("/api/v1/lists/{list}");
    let before = stack.visit(DOMAIN, &path, &[]);
    assert_eq!(before.0, 200);
    assert!(before.1.contains("bread-of-the-test"), "{}", before.1);
    let serials = stack.serials();
    stack.good("down", &["uat"]);
    assert_eq!(stack.services(), Vec::<String>::new());
    let output = stack.up(&[]);
    assert!(output.status.success(), "{}", text(&output));
    until("the list is there", 30, || stack.get(DOMAIN, &path) == 200);
    assert_eq!(stack.visit(DOMAIN, &path, &[]).1, before.1);
    // The ACME server began anew and would have other roots: what is served was not ordered again.
    assert_eq!(stack.serials(), serials);
    eprintln!("the list and {} certificates are as they were", serials.len());
}

fn a_bad_image_is_taken_back(stack: &Stack, list: &str) {
    stack.step("an image that never becomes healthy, and deploy/rollback uat");
    let env = stack.path("env/uat.env");
    let before = fs::read_to_string(&env).unwrap();
    let line = before.lines().find(|line| line.starts_with("BACKEND_IMAGE=")).unwrap();
    let folder = stack.folder.path().join("broken");
    fs::create_dir(&folder).unwrap();
    let dockerfile = format!(
        "FROM {}\nENTRYPOINT []\nCMD [\"sleep\", \"600\"]\n",
        line.split_once('=').unwrap().1
    );
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    docker(&["build", "--quiet", "--tag", &stack.broken_image(), folder.to_str().unwrap()]);
    fs::write(&env, before.replace(line, &format!("BACKEND_IMAGE={}", stack.broken_image())))
        .unwrap();

    let output = stack.up(&["--timeout", "45"]);
    let said = text(&output);
    eprintln!("{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("backend is not healthy"), "{said}");
    let path = format!("/api/v1/lists/{list}");
    assert_eq!(stack.get(DOMAIN, &path), 200, "the old backend does not serve");

    eprintln!("{}", stack.good("rollback", &["uat"]));
    assert!(fs::read_to_string(&env).unwrap().contains(line));
    assert_eq!(stack.get(DOMAIN, &path), 200);
    let image =
        docker(&["inspect", "--format", "{{ .Config.Image }}", &stack.container("backend")]);
    assert_eq!(format!("BACKEND_IMAGE={image}"), line);
}
