//! A copy of `deploy/` that is a Compose project of its own, and its scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::docker::{bounded, docker, free_networks, free_ports, text};

/// The longest that any one script may take, in seconds.
const LONGEST: u64 = 400;

/// A copy of `deploy/` that is a project of its own, and is taken away at the end, however it comes.
pub(crate) struct Stack {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) project: String,
    pub(crate) https: u16,
    pub(crate) has_runners: bool,
    began: Instant,
}

impl Stack {
    pub(crate) fn new() -> Self {
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

    /// A file below the copy of `deploy/`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("deploy").join(name)
    }

    fn copy(&self) {
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR"));
        let to = self.folder.path();
        let status = Command::new("cp").arg("-a").arg(deploy).arg(to).status().unwrap();
        assert!(status.success(), "deploy/ cannot be copied to {}", to.display());
        for made in ["secrets", "state", "env/uat.env", "backups", "docker-compose.local.yml"] {
            drop(fs::remove_dir_all(self.path(made)));
            drop(fs::remove_file(self.path(made)));
        }
        fs::copy(self.path("tests/pebble.yml"), self.path("docker-compose.local.yml")).unwrap();
    }

    /// Ports and networks that are free here, the ACME server for the CA, and secrets.
    fn settle(&self, http: u16) {
        let (monitoring, application) = free_networks();
        self.settle_environment(http, &monitoring, &application);
        self.settle_gateway(&monitoring);
        self.settle_secrets();
    }

    fn settle_environment(&self, http: u16, monitoring: &str, application: &str) {
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
    }

    fn settle_gateway(&self, monitoring: &str) {
        let toml = fs::read_to_string(self.path("gateway/uat/gateway.toml")).unwrap();
        let ours = toml.replace("172.30.10.2:9180", &format!("{monitoring}.2:9180")).replace(
            "directory = \"letsencrypt\"\n",
            "directory = \"https://pebble:14000/dir\"\nca = \"pebble.pem\"\n",
        );
        assert!(ours.contains("pebble.pem"), "the configuration names its CA in another way now");
        fs::write(self.path("gateway/uat/gateway.toml"), ours).unwrap();
        let root = docker(&["run", "--rm", "pebble-test:1", "cat", "/etc/pebble/ca.pem"]);
        fs::write(self.path("gateway/uat/pebble.pem"), root + "\n").unwrap();
    }

    fn settle_secrets(&self) {
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

    pub(crate) fn script(&self, name: &str, arguments: &[&str]) -> Output {
        let path = self.path(name);
        bounded(LONGEST, path.to_str().unwrap(), arguments).output().unwrap()
    }

    /// A script that succeeds.
    pub(crate) fn good(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.script(name, arguments);
        let said = text(&output);
        assert!(output.status.success(), "deploy/{name} {arguments:?}:\n{said}");
        said
    }

    pub(crate) fn up(&self, further: &[&str]) -> Output {
        let mut arguments = vec!["uat"];
        if !self.has_runners {
            arguments.extend(["--without", "runners"]);
        }
        arguments.extend(further);
        self.script("up", &arguments)
    }

    /// Says what comes now, and how long everything took until here.
    pub(crate) fn step(&self, what: &str) {
        eprintln!("\n=== {:>3} s  {what}", self.began.elapsed().as_secs());
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
