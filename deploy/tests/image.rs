//! The gateway's image, as `deploy/image` builds it: what is in it, and that it runs with nothing
//! allowed that a container can be denied.
//!
//! Needs a Docker Engine: `make stack`, or `cargo test -p gateway-deploy --test image`. Tests the image
//! that `GATEWAY_IMAGE` names, or gateway:VERSION, which is built first where it is not there.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// What every test of a container denies it.
const DENIED: [&str; 7] = [
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--user=65532:65532",
    "--pids-limit=64",
    "--memory=128m",
    // Asked each second, so that no test waits for the ten of the image.
    "--health-interval=1s",
];

const LARGEST: u64 = 20_000_000;

/// For a container to start or stop, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// What a command prints, which has to succeed.
fn said(program: &str, args: &[&str]) -> String {
    let ran = output(Command::new(program).args(args).current_dir(root()));
    assert!(ran.status.success(), "{program} {args:?}: {}", text(&ran.stderr));
    text(&ran.stdout).trim().to_owned()
}

fn docker(args: &[&str]) -> String {
    said("docker", args)
}

/// The image's name, or nothing where no Docker Engine runs. That is said past the test harness, which
/// would keep it to itself.
fn image() -> Option<&'static str> {
    static IMAGE: LazyLock<Option<String>> = LazyLock::new(|| {
        let engine = Command::new("docker").arg("version").output();
        if !engine.is_ok_and(|ran| ran.status.success()) {
            let said = "\n*** SKIPPED: the tests of the image: no Docker Engine answers here\n\n";
            std::io::stderr().write_all(said.as_bytes()).unwrap();
            return None;
        }
        let name = std::env::var("GATEWAY_IMAGE")
            .unwrap_or_else(|_| concat!("gateway:", env!("CARGO_PKG_VERSION")).to_owned());
        if !output(Command::new("docker").args(["image", "inspect", &name])).status.success() {
            let built = Command::new(root().join("deploy/image")).args(["--tag", &name]).status();
            assert!(built.unwrap().success(), "deploy/image failed");
        }
        Some(name)
    });
    IMAGE.as_deref()
}

macro_rules! image_or_skip {
    () => {
        match image() {
            Some(name) => name,
            None => return,
        }
    };
}

fn inspect(name: &str) -> Value {
    serde_json::from_str::<Value>(&docker(&["inspect", name])).unwrap()[0].take()
}

/// A name for a container, volume or network that no other test has.
fn fresh(what: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("image-test-{what}-{}-{number}", std::process::id())
}

/// The gateway in a container, removed with the test. Its configuration is a folder of the test's.
struct Container {
    name: String,
    etc: TempDir,
}

impl Container {
    fn run(config: &str, args: &[&str]) -> Self {
        let etc = tempfile::tempdir().unwrap();
        // The container's user is not the test's.
        fs::set_permissions(etc.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let container = Self { name: fresh("gateway"), etc };
        container.configure(config);
        let mount = format!("--volume={}:/etc/gateway:ro", container.etc.path().display());
        let name = format!("--name={}", container.name);
        let mut all = vec!["run", "--detach", &name, &mount];
        all.extend(DENIED);
        all.extend(args);
        // One of its own, where the test brings none; it goes with the container.
        if !args.iter().any(|arg| arg.ends_with(":/var/lib/gateway")) {
            all.push("--volume=/var/lib/gateway");
        }
        all.push(image().unwrap());
        docker(&all);
        container
    }

    fn configure(&self, config: &str) {
        fs::write(self.etc.path().join("gateway.toml"), config).unwrap();
    }

    fn logs(&self) -> String {
        let ran = output(Command::new("docker").args(["logs", &self.name]));
        text(&ran.stdout) + &text(&ran.stderr)
    }

    fn state(&self) -> Value {
        inspect(&self.name)["State"].take()
    }

    fn until(&self, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let state = self.state();
            if reached(&state) {
                return state;
            }
            let logs = self.logs();
            assert!(began.elapsed() < PATIENCE, "not {what}: {state}\n{logs}");
            sleep(Duration::from_millis(100));
        }
    }

    fn healthy(self) -> Self {
        let is_healthy = |state: &Value| state["Health"]["Status"] == "healthy";
        let state = self.until("healthy", |state| is_healthy(state) || state["Running"] == false);
        assert!(is_healthy(&state), "it has ended: {}", self.logs());
        self
    }

    /// Waits for its end; the exit status.
    fn ended(&self) -> i64 {
        self.until("ended", |state| state["Running"] == false)["ExitCode"].as_i64().unwrap()
    }

    fn address_of(&self, port: &str) -> String {
        docker(&["port", &self.name, port]).lines().next().unwrap().to_owned()
    }

    /// Where the host finds the certificate of the container's local CA.
    fn local_ca(&self) -> PathBuf {
        let file = self.etc.path().join("root.crt");
        let inside = format!("{}:/var/lib/gateway/local-ca/root.crt", self.name);
        docker(&["cp", &inside, file.to_str().unwrap()]);
        file
    }

    /// The answer's status and body, over verified TLS.
    fn get(&self, path: &str) -> (String, String) {
        let address = self.address_of("443/tcp");
        let port = address.rsplit_once(':').unwrap().1;
        let ran = output(
            Command::new("curl")
                .args(["-sS", "--max-time", "10", "-w", "\n%{http_code}", "--cacert"])
                .arg(self.local_ca())
                .args(["--resolve", &format!("app.test:{port}:127.0.0.1")])
                .arg(format!("https://app.test:{port}{path}")),
        );
        assert!(ran.status.success(), "{}\n{}", text(&ran.stderr), self.logs());
        let all = text(&ran.stdout);
        let (body, status) = all.rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        drop(Command::new("docker").args(["rm", "--force", "--volumes", &self.name]).output());
    }
}

/// A volume or network that goes with the test.
struct Made(&'static str, String);

impl Made {
    fn new(kind: &'static str) -> Self {
        let name = fresh(kind);
        docker(&[kind, "create", &name]);
        Self(kind, name)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        drop(Command::new("docker").args([self.0, "rm", &self.1]).output());
    }
}

fn config(routes: &str) -> String {
    format!(
        "[server]\nhttp  = [\"0.0.0.0:80\"]\nhttps = [\"0.0.0.0:443\"]\nadmin = \"127.0.0.1:9180\"\n\
         drain = \"5s\"\n\n[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n{routes}\n]\n"
    )
}

fn answering(body: &str) -> String {
    config(&format!("{{ path = \"/*\", respond = {{ status = 200, body = \"{body}\" }} }},"))
}

const PORTS: [&str; 2] = ["--publish=127.0.0.1::80", "--publish=127.0.0.1::443"];

/// The files of the image, by their paths, as an archive of one of its containers has them.
fn files() -> (TempDir, BTreeSet<String>) {
    let name = fresh("files");
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("image.tar");
    docker(&["create", "--name", &name, image().unwrap()]);
    docker(&["export", "--output", archive.to_str().unwrap(), &name]);
    docker(&["rm", &name]);
    let listing = said("tar", &["-tf", archive.to_str().unwrap()]);
    said(
        "tar",
        &[
            "-C",
            folder.path().to_str().unwrap(),
            "-xf",
            archive.to_str().unwrap(),
            "gateway",
            "sbom.cdx.json",
        ],
    );
    (folder, listing.lines().map(str::to_owned).collect())
}

#[test]
fn is_small_runs_as_nobody_and_says_what_it_is() {
    let image = inspect(image_or_skip!());
    let size = image["Size"].as_u64().unwrap();
    assert!(size < LARGEST, "{size} bytes");
    let config = &image["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/gateway"]));
    assert_eq!(
        config["Healthcheck"]["Test"],
        serde_json::json!(["CMD", "/gateway", "healthcheck"])
    );
    let ports: Vec<_> = config["ExposedPorts"].as_object().unwrap().keys().collect();
    assert_eq!(ports, ["443/tcp", "80/tcp"]);
    let label = |name: &str| {
        let value = &config["Labels"][format!("org.opencontainers.image.{name}")];
        value.as_str().unwrap_or_else(|| panic!("no label {name}")).to_owned()
    };
    assert_eq!(label("title"), "gateway");
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("licenses"), "Apache-2.0");
    assert_eq!(label("revision").trim_end_matches("-changed").len(), 40, "a commit's id");
}

#[test]
fn holds_four_things_and_no_shell() {
    image_or_skip!();
    let (_folder, files) = files();
    // These the engine puts into every container.
    const OF_THE_ENGINE: [&str; 4] = ["dev/", "proc/", "sys/", ".dockerenv"];
    const OF_THE_NETWORK: [&str; 5] =
        ["etc/", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf"];
    let ours: Vec<&str> = files
        .iter()
        .map(String::as_str)
        .filter(|file| !OF_THE_ENGINE.iter().any(|its| file.starts_with(its)))
        .filter(|file| !OF_THE_NETWORK.contains(file) && !file.ends_with('/'))
        .collect();
    assert_eq!(ours, ["etc/ssl/certs/ca-certificates.crt", "gateway", "sbom.cdx.json"]);
    assert!(files.contains("var/lib/gateway/"), "{files:?}");
}

#[test]
fn the_binary_needs_no_loader() {
    image_or_skip!();
    let (folder, _) = files();
    let program = fs::read(folder.path().join("gateway")).unwrap();
    let number = |place: usize, size: usize| {
        program[place..place + size].iter().rev().fold(0, |n, byte| (n << 8) | usize::from(*byte))
    };
    assert_eq!(program[..5], *b"\x7fELF\x02", "a program of 64 bits");
    let (table, size, count) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    let kinds: Vec<usize> = (0..count).map(|header| number(table + header * size, 4)).collect();
    const LOAD: usize = 1;
    const INTERPRETER: usize = 3;
    assert!(kinds.contains(&LOAD), "{kinds:?}");
    assert!(!kinds.contains(&INTERPRETER), "it names a loader: {kinds:?}");
    const MACHINES: [(usize, &str); 2] = [(62, "amd64"), (183, "arm64")];
    let architecture = inspect(image().unwrap())["Architecture"].as_str().unwrap().to_owned();
    assert!(MACHINES.contains(&(number(0x12, 2), &architecture)), "{architecture}");
}

#[test]
fn the_sbom_lists_what_is_linked_in() {
    image_or_skip!();
    let (folder, _) = files();
    let bytes = fs::read(folder.path().join("sbom.cdx.json")).unwrap();
    let sbom: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(sbom["bomFormat"], "CycloneDX");
    let listed: BTreeSet<String> = sbom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert!(one["purl"].is_string(), "{one}");
            format!("{} v{}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap())
        })
        .collect();
    let target = if cfg!(target_arch = "x86_64") { "x86_64" } else { "aarch64" };
    let target = format!("{target}-unknown-linux-gnu");
    let tree = said(
        "cargo",
        &[
            "tree",
            "--locked",
            "-p",
            "gateway",
            "-e",
            "normal,no-proc-macro",
            "--target",
            &target,
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    );
    // `NAME vVERSION`, and for the workspace's own crates a path.
    let linked: BTreeSet<String> = tree
        .lines()
        .filter(|line| !line.starts_with("gateway v"))
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let missing: Vec<_> = linked.difference(&listed).collect();
    assert!(missing.is_empty(), "not in the SBOM: {missing:?}");
    assert!(listed.iter().any(|one| one.starts_with("glibc v")), "the C library: {listed:?}");
    for tool in ["proptest", "hickory-server", "tempfile"] {
        let prefix = format!("{tool} v");
        assert!(!listed.iter().any(|one| one.starts_with(&prefix)), "{tool} is only for tests");
    }
}

#[test]
fn serves_tls_with_everything_denied() {
    image_or_skip!();
    let gateway = Container::run(&answering("from the image"), &PORTS).healthy();
    assert_eq!(gateway.get("/"), ("200".into(), "from the image".into()));
    let plain = gateway.address_of("80/tcp");
    let healthz = said("curl", &["-sS", "--fail", &format!("http://{plain}/healthz")]);
    assert!(!healthz.is_empty());
    let port = plain.rsplit_once(':').unwrap().1.to_owned();
    let host = format!("app.test:{port}:127.0.0.1");
    let url = format!("http://app.test:{port}/");
    let redirect =
        said("curl", &["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", &host, &url]);
    assert!(redirect.starts_with("30"), "{redirect}");
}

#[test]
fn turns_unhealthy_without_an_admin_listener() {
    image_or_skip!();
    let config = answering("x").replace("admin = \"127.0.0.1:9180\"", "admin = \"off\"");
    let gateway = Container::run(&config, &PORTS);
    let state = gateway.until("unhealthy", |state| state["Health"]["Status"] == "unhealthy");
    assert_eq!(state["Running"], true, "{}", gateway.logs());
    let said = state["Health"]["Log"][0]["Output"].as_str().unwrap();
    assert!(said.contains("admin"), "{said}");
}

#[test]
fn a_mistake_in_the_configuration_is_explained_in_the_log() {
    image_or_skip!();
    let config = "[server]\nhttp = [\"127.0.0.1:0\"]\nhttps = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
                  storag = \"state\"\n\n[site.\"app.example.com\"]\ntls = \"self-signed\"\n\
                  routes = [{ path = \"/*\", respond = { status = 200 } }]\n";
    let gateway = Container::run(config, &[]);
    assert_eq!(gateway.ended(), 1);
    // The same words as on a command line; only the file has another path.
    let golden = root().join("gateway/tests/cli/golden/run/unknown-key.txt");
    let golden = fs::read_to_string(golden).unwrap();
    let (_, first) = golden.split_once("# stderr:\n").unwrap();
    let expected = first.split("\n$ ").next().unwrap();
    let logs = gateway.logs().replace("/etc/gateway/gateway.toml", "gateway.toml");
    assert!(expected.contains("did you mean `storage`?"), "{expected}");
    assert!(expected.starts_with(logs.trim_end()), "{logs}\n--- expected:\n{expected}");
    assert!(logs.contains("1 error in gateway.toml"), "{logs}");
}

#[test]
fn a_container_s_name_is_resolved_by_the_engine() {
    image_or_skip!();
    let network = Made::new("network");
    let on = format!("--network={}", network.1);
    let _origin = Container::run(&answering("x"), &[&on, "--network-alias=origin"]).healthy();
    // Only the plain listener knows /healthz of itself: it is the other container that answers.
    let routes = "{ path = \"/healthz\", to = \"origin:80\" },\n\
                  { path = \"/nobody\", to = \"not-there:80\" },";
    let gateway = Container::run(&config(routes), &[&on, PORTS[0], PORTS[1]]).healthy();
    assert_eq!(gateway.get("/healthz").0, "200");
    assert_eq!(gateway.get("/nobody").0, "502");
}

#[test]
fn reloads_by_signal_and_by_command() {
    image_or_skip!();
    let gateway = Container::run(&answering("first"), &PORTS).healthy();
    assert_eq!(gateway.get("/").1, "first");
    gateway.configure(&answering("second"));
    docker(&["exec", &gateway.name, "/gateway", "reload"]);
    assert_eq!(gateway.get("/").1, "second");
    gateway.configure(&answering("third"));
    docker(&["kill", "--signal=HUP", &gateway.name]);
    let began = Instant::now();
    while gateway.get("/").1 != "third" {
        assert!(began.elapsed() < PATIENCE, "SIGHUP changed nothing:\n{}", gateway.logs());
        sleep(Duration::from_millis(100));
    }
    // What cannot be served leaves what is served as it is, and the command says so.
    gateway.configure("[server]\nstorag = \"x\"\n");
    let refused =
        output(Command::new("docker").args(["exec", &gateway.name, "/gateway", "reload"]));
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("did you mean `storage`?"), "{}", text(&refused.stderr));
    assert_eq!(gateway.get("/").1, "third");
}

#[test]
fn stops_in_order_and_finds_its_state_again() {
    image_or_skip!();
    let volume = Made::new("volume");
    let mount = format!("--volume={}:/var/lib/gateway", volume.1);
    let args = [mount.as_str(), PORTS[0], PORTS[1]];
    let first = Container::run(&answering("x"), &args).healthy();
    let ca = fs::read(first.local_ca()).unwrap();
    assert_eq!(first.get("/").0, "200");
    docker(&["stop", "--time", "30", &first.name]);
    assert_eq!(first.ended(), 0, "after SIGTERM:\n{}", first.logs());
    docker(&["start", &first.name]);
    let first = first.healthy();
    assert_eq!(first.get("/").0, "200");
    assert_eq!(fs::read(first.local_ca()).unwrap(), ca, "another CA after a restart");
    drop(first);
    // And a new container, as after an update of the image.
    let second = Container::run(&answering("x"), &args).healthy();
    assert_eq!(fs::read(second.local_ca()).unwrap(), ca, "another CA in a new container");
}
