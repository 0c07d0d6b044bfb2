//! Runners as containers, started by the Compose file, against a stand-in of GitHub and with a stand-in of
//! its runner program. Run by `make stack`; says so loudly where no Docker Engine is.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a panic is how it fails, and what was skipped is said aloud"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const IMAGES: [&str; 2] = ["reference-runner:0.1.0", "reference-runner-webhook:0.1.0"];

fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn succeeds(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn docker_is_there() -> bool {
    let there =
        Command::new("docker").arg("version").output().is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("SKIPPED: no Docker Engine answers, so runners as containers were NOT tested");
    }
    there
}

/// The services of the Compose file under a project of their own; gone when this is dropped.
struct Stack {
    project: String,
    secrets: PathBuf,
}

impl Stack {
    fn up() -> Self {
        for image in IMAGES {
            if !run(Command::new("docker").args(["image", "inspect", image])).status.success() {
                succeeds(
                    Command::new(deploy().join("test-images/build"))
                        .args(["runner", "runner-webhook"]),
                );
            }
        }
        let project = format!("runners-test-{}", std::process::id());
        let secrets = deploy().join("secrets").join(&project);
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(secrets.join("github_token"), "github_pat_of_the_tests_0123456789").unwrap();
        std::fs::write(secrets.join("github_webhook"), format!("webhook-secret-of-{project}"))
            .unwrap();
        let stack = Self { project, secrets };
        succeeds(stack.compose().args(["up", "-d", "--no-build"]));
        stack
    }

    fn compose(&self) -> Command {
        let plugin = Command::new("docker")
            .args(["compose", "version"])
            .output()
            .is_ok_and(|output| output.status.success());
        let mut command = Command::new(if plugin { "docker" } else { "docker-compose" });
        if plugin {
            command.arg("compose");
        }
        command.current_dir(deploy()).args(["--project-directory", "."]);
        command.args([
            "-p",
            &self.project,
            "-f",
            "docker-compose.runners.yml",
            "-f",
            "runners/tests/docker-compose.test.yml",
        ]);
        for (name, value) in [
            ("COMPOSE_PROJECT_NAME", self.project.as_str()),
            ("ENVIRONMENT", &self.project),
            ("GITHUB_OWNER", "familycart"),
            ("GITHUB_REPOSITORY", "shop"),
            ("GITHUB_URL", "http://github-stand-in:8080"),
            ("GITHUB_API_URL", "http://github-stand-in:8080"),
            ("RUNNER_MEMORY", "512m"),
            ("RUNNER_WORK_SIZE", "64m"),
        ] {
            command.env(name, value);
        }
        command
    }

    fn container(&self, service: &str) -> String {
        let number = succeeds(self.compose().args(["ps", "-q", service]));
        assert!(!number.trim().is_empty(), "{service} has no container");
        number.trim().to_owned()
    }

    fn python(&self, service: &str, program: &str, argument: &str) -> String {
        succeeds(Command::new("docker").args([
            "exec",
            &self.container(service),
            "python3",
            "-c",
            program,
            argument,
        ]))
    }

    /// What a test asks of the stand-in of GitHub.
    fn control(&self, path: &str, body: &serde_json::Value) -> serde_json::Value {
        let program = "import sys, urllib.request as r; path, body = sys.argv[1].split(' ', 1); \
            print(r.urlopen('http://127.0.0.1:8080/_control/' + path, body.encode()).read().decode())";
        serde_json::from_str(&self.python("github-stand-in", program, &format!("{path} {body}")))
            .unwrap()
    }

    fn job(&self, script: &str) -> u64 {
        self.control("job", &serde_json::json!({ "script": script }))["id"].as_u64().unwrap()
    }

    fn done(&self, job: u64) -> serde_json::Value {
        let mut found = serde_json::Value::Null;
        self.until(&format!("job {job} is done"), || {
            let state = self.control("state", &serde_json::json!({}));
            found = state["jobs"]
                .as_array()
                .unwrap()
                .iter()
                .find(|entry| entry["id"] == job)
                .unwrap()
                .clone();
            found["status"] == "completed"
        });
        found
    }

    fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let began = Instant::now();
        while !condition() {
            if began.elapsed() > Duration::from_secs(90) {
                let logs = run(self.compose().args(["logs", "--no-color", "--tail=60"]));
                panic!("not within 90 s: {what}\n{}", String::from_utf8_lossy(&logs.stdout));
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn healthy(&self, service: &str) -> bool {
        let format = "{{.State.Health.Status}}";
        run(Command::new("docker").args(["inspect", "--format", format, &self.container(service)]))
            .stdout
            == b"healthy\n"
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        run(self.compose().args(["down", "--volumes", "--timeout", "5"]));
        std::fs::remove_dir_all(&self.secrets).ok();
        std::fs::remove_dir(Path::new(&self.secrets).parent().unwrap()).ok();
    }
}

/// What a job tries. Each line that it prints is a wall that stood or did not.
const TRY: &str = r#"
hostname
test ! -e /var/run/docker.sock && echo 'no socket of the host'
test ! -e /run/secrets/github_token && echo 'no token'
touch /usr/bin/mine 2>/dev/null || echo 'the image cannot be written'
test "$(grep CapBnd /proc/self/status | tr -d '[:space:]')" = CapBnd:0000000000000000 && echo 'no capabilities'
grep -q 'NoNewPrivs:.1' /proc/self/status && echo 'no new privileges'
cat /proc/1/environ 2>/dev/null || echo 'the first process cannot be read'
getent hosts database-stand-in || echo 'the database has no name here'
timeout 3 bash -c 'exec 3<>/dev/tcp/@DATABASE@/5432' 2>/dev/null || echo 'nor an address'
curl -s -o /dev/null -w 'next %{http_code}\n' -d '{"container":"runner-1"}' http://runner-webhook:9000/next -m 3 || true
curl -s -o /dev/null -w 'other %{http_code}\n' -d '{"container":"runner-2"}' http://runner-webhook:9000/next -m 3 || true
curl -s -o /dev/null -w 'forged %{http_code}\n' -d '{"action":"completed"}' -H 'X-GitHub-Event: workflow_job' http://runner-webhook:9000/github
echo left > left; echo left > /tmp/left; echo left > "$HOME/left"
"#;

#[test]
fn one_event_one_job_and_a_clean_container() {
    if !docker_is_there() {
        return;
    }
    let stack = Stack::up();
    stack.until("the runners are healthy", || {
        stack.healthy("runner-1") && stack.healthy("runner-2")
    });

    let state = stack.control("state", &serde_json::json!({}));
    assert_eq!(
        state["runners"].as_array().unwrap().len(),
        0,
        "runners that wait are registered: {state}"
    );

    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let database = succeeds(Command::new("docker").args([
        "inspect",
        "--format",
        format,
        &stack.container("database-stand-in"),
    ]));
    // What the job must not reach does answer where it may be reached.
    let reach = "import sys, socket; socket.create_connection((sys.argv[1], 5432), 3)";
    stack.python("database-stand-in", reach, database.trim());
    let job = stack.done(stack.job(&TRY.replace("@DATABASE@", database.trim())));
    let output = job["output"].as_str().unwrap();
    assert_eq!(job["conclusion"], "success", "{output}");
    for wall in [
        "no socket of the host",
        "no token",
        "the image cannot be written",
        "no capabilities",
        "no new privileges",
        "the first process cannot be read",
        "the database has no name here",
        "nor an address",
        "forged 401",
    ] {
        assert!(output.lines().any(|line| line == wall), "not seen: {wall}\n{output}");
    }
    // Whichever of the two it ran in: one name is taken, and the other is another's.
    let mut asked: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("next ") || line.starts_with("other "))
        .collect();
    asked.sort_unstable_by_key(|line| line.split(' ').nth(1).unwrap());
    let codes: Vec<_> = asked.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(codes, ["403", "409"], "{output}");

    // Both containers again, each once, as both jobs run at the same time.
    stack.until("both wait again", || stack.healthy("runner-1") && stack.healthy("runner-2"));
    let look = "hostname; ls -A . /tmp \"$HOME\"; sleep 4";
    let jobs = [stack.job(look), stack.job(look)];
    let outputs = jobs.map(|job| stack.done(job)["output"].as_str().unwrap().to_owned());
    let host = output.lines().next().unwrap();
    assert!(
        outputs.iter().any(|output| output.starts_with(host)),
        "none ran where the first one did: {outputs:?}"
    );
    for output in &outputs {
        assert!(
            !output.lines().any(|line| line == "left"),
            "something of the first job is there: {output}"
        );
    }
    stack.until("no registration is left", || {
        stack.control("state", &serde_json::json!({}))["runners"].as_array().unwrap().is_empty()
    });

    // A runner that is killed while its job runs leaves a registration; the receiver sees it go.
    stack.job("sleep 60");
    stack.until("the job runs", || {
        stack.control("state", &serde_json::json!({}))["runners"]
            .as_array()
            .unwrap()
            .iter()
            .any(|runner| runner["busy"] == true)
    });
    for runner in ["runner-1", "runner-2"] {
        run(Command::new("docker").args(["kill", &stack.container(runner)]));
    }
    stack.until("the receiver says so", || {
        let logs = succeeds(stack.compose().args(["logs", "--no-color", "runner-webhook"]));
        logs.contains("it is removed later")
    });
}

/// What is made for one test, and removed when this is dropped.
struct Engine {
    name: String,
}

impl Drop for Engine {
    fn drop(&mut self) {
        run(Command::new("docker").args(["rm", "-f", "-v", &self.name]));
        for volume in ["socket", "data"] {
            run(Command::new("docker").args(["volume", "rm", &format!("{}-{volume}", self.name)]));
        }
    }
}

/// `docker-1` by hand, with the options of the Compose file and the one that docker-compose 1.29 cannot
/// give: an engine without root and without `privileged`, used by a user like the runner's.
#[test]
fn an_engine_without_root_runs_containers_for_a_runner() {
    if !docker_is_there() {
        return;
    }
    let image = "reference-runner-docker:0.1.0";
    if !run(Command::new("docker").args(["image", "inspect", image])).status.success() {
        succeeds(Command::new(deploy().join("test-images/build")).arg("runner-docker"));
    }
    let engine = Engine { name: format!("runners-test-engine-{}", std::process::id()) };
    let (socket, data) = (format!("{}-socket:/pair", engine.name), format!("{}-data", engine.name));
    let data = format!("{data}:/home/rootless/.local/share/docker");
    // It waits for /dev/net/tun, which on some machines is root's alone; Compose does without.
    let program = "until [ -w /dev/net/tun ] && [ -w /dev/fuse ]; do sleep 0.1; done; \
        exec dockerd-rootless.sh --host=unix:///pair/docker.sock --group=root";
    let mut start = Command::new("docker");
    start.args(["run", "-d", "--name", &engine.name, "--user", "1000:1000", "--read-only"]);
    start.args(["--cap-drop", "ALL", "--cap-add", "SETUID", "--cap-add", "SETGID"]);
    for option in ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"] {
        start.args(["--security-opt", option]);
    }
    start.args(["--device", "/dev/net/tun", "--device", "/dev/fuse"]);
    start.args(["--tmpfs", "/run/user/1000:size=64m,uid=1000,gid=1000,mode=0700,exec"]);
    start.args(["--tmpfs", "/tmp:size=256m,mode=1777,exec", "-v", &socket, "-v", &data]);
    succeeds(start.args(["--entrypoint", "sh", image, "-c", program]));
    let open = ["exec", "-u", "0", &engine.name, "chmod", "666", "/dev/net/tun", "/dev/fuse"];
    succeeds(Command::new("docker").args(open));

    let began = Instant::now();
    let docker = ["exec", &engine.name, "docker", "--host=unix:///pair/docker.sock"];
    while !run(Command::new("docker").args(docker).arg("info")).status.success() {
        if began.elapsed() > Duration::from_secs(60) {
            let logs = run(Command::new("docker").args(["logs", "--tail=20", &engine.name]));
            panic!("the engine does not start: {}", String::from_utf8_lossy(&logs.stderr));
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    // An image of one program and what it is linked with, so that nothing has to be downloaded.
    let import = "cd / && tar -ch $(ldd /usr/bin/busybox | grep -o '/[^ ]*') /usr/bin/busybox 2>/dev/null \
        | docker --host=unix:///pair/docker.sock import - tiny";
    succeeds(Command::new("docker").args(["exec", &engine.name, "sh", "-c", import]));
    let mut client = Command::new("docker");
    client.args(["run", "--rm", "--user", "1001:1001", "--group-add", "1000", "--cap-drop", "ALL"]);
    client.args([
        "--security-opt",
        "no-new-privileges",
        "-e",
        "DOCKER_HOST=unix:///pair/docker.sock",
    ]);
    client.args(["-v", &socket, "--entrypoint", "docker", IMAGES[0]]);
    client.args(["run", "--rm", "tiny", "/usr/bin/busybox", "cat", "/proc/self/uid_map"]);
    let map = succeeds(&mut client);
    // Root in there is user 1000 in the engine's container, and nobody at all on the machine.
    assert_eq!(map.split_whitespace().take(3).collect::<Vec<_>>(), ["0", "1000", "1"], "{map}");
}
