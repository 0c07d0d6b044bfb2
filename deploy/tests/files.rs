//! The files that deploy are right, as far as that shows without a Docker Engine: Compose reads every
//! combination of them, every service keeps the rules, the gateway takes its configurations, the scripts
//! are clean, and `validate-env` says what is wrong in the words of a golden file.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a panic is how it fails, and what was skipped is said aloud"
)]

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const ENVIRONMENTS: [&str; 3] = ["dev", "uat", "prod"];

/// What may be given in addition, in every combination.
const PARTS: [&[&str]; 4] = [&[], &["monitoring"], &["runners"], &["monitoring", "runners"]];

fn deploy() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn root() -> &'static Path {
    deploy().parent().unwrap()
}

fn skipped(what: &str, why: &str) {
    eprintln!("\n*** SKIPPED: {what}: {why}\n");
}

fn is_installed(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Compose v2 where Docker has it, otherwise docker-compose.
fn compose() -> Option<Command> {
    if is_installed("docker-compose", "version") {
        return Some(Command::new("docker-compose"));
    }
    let v2 = Command::new("docker").args(["compose", "version"]).output();
    v2.is_ok_and(|output| output.status.success()).then(|| {
        let mut command = Command::new("docker");
        command.arg("compose");
        command
    })
}

/// The Compose files of an environment, in their order.
fn files(environment: &str, parts: &[&str]) -> Vec<PathBuf> {
    let own = (environment != "uat").then_some(environment);
    let names = std::iter::once("uat").chain(own).chain(parts.iter().copied());
    names.map(|name| deploy().join(format!("docker-compose.{name}.yml"))).collect()
}

/// What Compose makes of them, or what it says against them.
fn merged(environment: &str, parts: &[&str]) -> Option<Result<Value, String>> {
    let mut command = compose()?;
    let example = deploy().join(format!("env/{environment}.env.example"));
    command.arg("--project-directory").arg(deploy()).arg("--env-file").arg(example);
    for file in files(environment, parts) {
        command.arg("-f").arg(file);
    }
    let output = command.arg("config").env("ENVIRONMENT", environment).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || said.contains("WARN") || said.contains("not set") {
        return Some(Err(said));
    }
    let text = String::from_utf8(output.stdout).unwrap();
    Some(serde_saphyr::from_str(&text).map_err(|error| error.to_string()))
}

#[test]
fn compose_reads_every_combination_of_files() {
    for environment in ENVIRONMENTS {
        for parts in PARTS {
            match merged(environment, parts) {
                None => return skipped("whether Compose reads the files", "there is no Compose"),
                Some(Err(said)) => panic!("{environment} with {parts:?}: {said}"),
                Some(Ok(file)) => {
                    let services = file["services"].as_object().unwrap();
                    assert!(services.len() >= 5, "{environment} with {parts:?}: {services:?}");
                }
            }
        }
    }
}

/// Which rule a service need not keep, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("vector", "user", "Docker's log files are root's alone; it has one capability, to read"),
    ("vector", "cap_add", "DAC_READ_SEARCH: reads files of others and writes none"),
    ("docker-1", "security_opt", "rootless Docker makes user namespaces by newuidmap"),
    ("docker-2", "security_opt", "rootless Docker makes user namespaces by newuidmap"),
    ("docker-1", "cap_drop", "rootless Docker makes user namespaces by newuidmap"),
    ("docker-2", "cap_drop", "rootless Docker makes user namespaces by newuidmap"),
    ("docker-1", "read_only", "a Docker writes its images and sockets"),
    ("docker-2", "read_only", "a Docker writes its images and sockets"),
    ("docker-1", "cap_add", "newuidmap needs SETUID and SETGID"),
    ("docker-2", "cap_add", "newuidmap needs SETUID and SETGID"),
    ("docker-1", "privileged", "docs/deploy-runners.md says what it means"),
    ("docker-2", "privileged", "docs/deploy-runners.md says what it means"),
    (
        "runner-1",
        "read_only",
        "a job installs and writes where it wants; the container is thrown away",
    ),
    (
        "runner-2",
        "read_only",
        "a job installs and writes where it wants; the container is thrown away",
    ),
];

/// The rules that a service does not keep.
fn broken_rules(name: &str, service: &Value) -> Vec<&'static str> {
    let list = |key: &str| -> Vec<String> {
        let items = service[key].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
    };
    let has_number = |key: &str| !service[key].is_null();
    let user = service["user"].as_str().map(str::to_owned);
    let user = user.or_else(|| service["user"].as_u64().map(|id| id.to_string()));
    let is_plain = user.is_some_and(|user| {
        let id = user.split(':').next().unwrap_or_default();
        id.parse::<u32>().is_ok_and(|id| id != 0)
    });
    let options = &service["logging"]["options"];
    let rules = [
        ("user", is_plain),
        ("cap_drop", list("cap_drop") == ["ALL"]),
        ("cap_add", list("cap_add").is_empty()),
        ("privileged", service["privileged"].as_bool() != Some(true)),
        (
            "security_opt",
            list("security_opt").iter().any(|option| option.starts_with("no-new-privileges")),
        ),
        ("read_only", service["read_only"].as_bool() == Some(true)),
        ("restart", service["restart"].as_str() == Some("unless-stopped")),
        ("healthcheck", !service["healthcheck"]["test"].is_null()),
        ("mem_limit", has_number("mem_limit")),
        ("cpus", has_number("cpus")),
        ("pids_limit", has_number("pids_limit")),
        ("logging", !options["max-size"].is_null() && !options["max-file"].is_null()),
        ("ports", name == "gateway" || list("ports").is_empty() && service["ports"].is_null()),
        ("network_mode", service["network_mode"].is_null()),
        ("docker.sock", !service["volumes"].to_string().contains("docker.sock")),
    ];
    rules.into_iter().filter(|(_, kept)| !kept).map(|(rule, _)| rule).collect()
}

#[test]
fn every_service_keeps_the_rules() {
    let mut used = std::collections::BTreeSet::new();
    for environment in ENVIRONMENTS {
        let Some(file) = merged(environment, &["monitoring", "runners"]) else {
            return skipped("whether services keep the rules", "there is no Compose");
        };
        let file = file.unwrap();
        for (name, service) in file["services"].as_object().unwrap() {
            for rule in broken_rules(name, service) {
                let excepted =
                    EXCEPTIONS.iter().find(|(who, what, _)| who == name && *what == rule);
                assert!(
                    excepted.is_some(),
                    "{environment}: {name} does not keep the rule `{rule}`, and no exception says why"
                );
                used.insert((name.clone(), rule));
            }
        }
    }
    for (name, rule) in &used {
        eprintln!("exception used: {name}: {rule}");
    }
}

#[test]
fn an_exception_is_known_by_its_rule() {
    let bare: Value = serde_json::json!({ "image": "x", "ports": ["80:80"], "privileged": true });
    let broken = broken_rules("x", &bare);
    for rule in ["user", "cap_drop", "privileged", "read_only", "mem_limit", "ports", "logging"] {
        assert!(broken.contains(&rule), "{rule}: {broken:?}");
    }
}

#[test]
fn secrets_are_files() {
    for environment in ENVIRONMENTS {
        let Some(file) = merged(environment, &["monitoring", "runners"]) else {
            return skipped("whether secrets are files", "there is no Compose");
        };
        for (name, service) in file.unwrap()["services"].as_object().unwrap() {
            for (key, value) in service["environment"].as_object().into_iter().flatten() {
                let secret = ["PASSWORD", "TOKEN", "SECRET", "_KEY", "CREDENTIAL"];
                let is_named_so = secret.iter().any(|word| key.contains(word));
                let leads_to_a_file =
                    value.as_str().is_some_and(|value| value.starts_with("/run/"));
                assert!(
                    !is_named_so || leads_to_a_file || is_a_switch(value),
                    "{environment}: {name} has {key} in its environment"
                );
            }
        }
    }
}

/// A setting about secrets that is none, such as `GF_..._PUBLIC_KEY_RETRIEVAL_DISABLED: "true"`.
fn is_a_switch(value: &Value) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    ["true", "false", "0", "1", ""].contains(&text.as_str())
}

#[test]
fn networks_are_as_they_are_drawn() {
    let Some(file) = merged("uat", &["monitoring", "runners"]) else {
        return skipped("who is in which network", "there is no Compose");
    };
    let file = file.unwrap();
    for internal in ["data", "hooks"] {
        assert_eq!(file["networks"][internal]["internal"], true, "{internal}");
    }
    let services = file["services"].as_object().unwrap();
    let networks = |name: &str| -> Vec<String> {
        let networks = &services[name]["networks"];
        let keys = networks.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        let list = |items: &Vec<Value>| {
            items.iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        keys.or_else(|| networks.as_array().map(list)).unwrap_or_default()
    };
    assert_eq!(networks("frontend"), ["edge"]);
    assert_eq!(networks("postgres"), ["data"]);
    assert_eq!(networks("redis"), ["data"]);
    assert_eq!(networks("gateway"), ["application", "edge", "hooks", "monitoring"]);
    for name in services.keys().filter(|name| *name != "gateway" && *name != "frontend") {
        assert!(!networks(name).contains(&"edge".to_owned()), "{name} is next to the frontend");
    }
}

#[test]
fn the_gateway_takes_its_configurations() {
    for environment in ENVIRONMENTS {
        // What Compose makes of the files and of the environment's variables; JSON is YAML too.
        let Some(file) = merged(environment, &["monitoring", "runners"]) else {
            return skipped("whether gateway.toml agrees with the services", "there is no Compose");
        };
        let folder = tempfile::tempdir().unwrap();
        let compose = folder.path().join("compose.yml");
        fs::write(&compose, file.unwrap().to_string()).unwrap();
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(root()).args(["run", "--quiet", "--package", "gateway", "--"]);
        command.arg("check-config").arg(format!("deploy/gateway/{environment}/gateway.toml"));
        let output = command.arg("--compose").arg(&compose).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{environment}: {said}");
    }
}

/// Every file below a folder, those apart that are made when something runs.
fn all_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["state", "secrets", "backups", "__pycache__", ".venv"].contains(&name)
        {
            all_files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn scripts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    all_files(deploy(), &mut found);
    all_files(&root().join(".ci"), &mut found);
    found.retain(|path| {
        let begins = fs::read(path).unwrap_or_default();
        let first = String::from_utf8_lossy(&begins[..begins.len().min(80)]).into_owned();
        let first = first.lines().next().unwrap_or_default();
        let is_shell = first.starts_with("#!") && (first.ends_with("sh") || first.contains("bash"));
        is_shell || first.starts_with("# shellcheck shell=")
    });
    found
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if !is_installed("shellcheck", "--version") {
        return skipped("scripts", "shellcheck is not installed");
    }
    let scripts = scripts();
    assert!(scripts.len() >= 12, "{scripts:?}");
    let relative: Vec<&Path> =
        scripts.iter().map(|path| path.strip_prefix(root()).unwrap()).collect();
    let output = Command::new("shellcheck")
        .args(["-x", "-P", "SCRIPTDIR", "-P", "."])
        .args(&relative)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn every_command_has_a_help() {
    for script in ["up", "down", "status", "validate", "rollback", "make-secrets", "validate-env"] {
        let path = deploy().join(script);
        let output = Command::new(&path).arg("--help").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{script} --help");
        assert!(said.starts_with(&format!("deploy/{script} ENV")), "{script}: {said}");
        let wrong = Command::new(&path).arg("staging").output().unwrap();
        let said = String::from_utf8_lossy(&wrong.stderr);
        assert_eq!(wrong.status.code(), Some(1), "{script} staging: {said}");
        assert!(said.contains("there is no environment 'staging'"), "{script}: {said}");
    }
}

#[test]
fn hadolint_has_nothing_to_say() {
    if !is_installed("hadolint", "--version") {
        return skipped("Dockerfiles", "hadolint is not installed");
    }
    let mut found = Vec::new();
    all_files(deploy(), &mut found);
    // Images for testing are made of Debian's packages of the day.
    found.retain(|path| {
        path.file_name().unwrap() == "Dockerfile" && !path.starts_with(deploy().join("test-images"))
    });
    assert!(!found.is_empty());
    let output =
        Command::new("hadolint").arg("--failure-threshold=warning").args(&found).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A copy of what `validate-env` reads, with an environment of its own.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path();
        let mut names: Vec<PathBuf> =
            ["lib.sh", "validate-env", "make-secrets"].map(Into::into).into();
        names.extend(
            ["uat", "prod", "dev", "monitoring", "runners"]
                .map(|name| PathBuf::from(format!("docker-compose.{name}.yml"))),
        );
        for environment in ENVIRONMENTS {
            names.push(format!("env/{environment}.env.example").into());
            names.push(format!("gateway/{environment}/gateway.toml").into());
        }
        for name in names {
            fs::create_dir_all(to.join(&name).parent().unwrap()).unwrap();
            if deploy().join(&name).exists() {
                fs::copy(deploy().join(&name), to.join(&name)).unwrap();
            }
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The example with lines in other lines' places.
    fn env(&self, changes: &[(&str, &str)]) {
        let example = fs::read_to_string(self.path("env/uat.env.example")).unwrap();
        let text = changes.iter().fold(example, |text, (old, new)| {
            assert!(text.contains(old), "the example has no {old}");
            text.replace(old, new)
        });
        fs::write(self.path("env/uat.env"), text).unwrap();
    }

    fn secret(&self, name: &str, value: &str, mode: u32) {
        let path = self.path("secrets/uat").join(name);
        drop(fs::remove_file(&path));
        fs::write(&path, value).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What a script says: its exit code, and both its streams.
    fn run(&self, script: &str, arguments: &[&str]) -> String {
        // Without a Docker there is no container of ours that could have a port.
        let output = Command::new(self.path(script))
            .args(arguments)
            .env("DOCKER_HOST", "unix:///nowhere.sock")
            .output()
            .unwrap();
        format!(
            "$ deploy/{script} {}\n{}{}# exit code: {}\n\n",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            output.status.code().unwrap()
        )
    }
}

/// Two ports that nothing listens on, and one that this test does.
fn ports() -> (u16, u16, TcpListener) {
    let free: Vec<TcpListener> =
        (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    (port(&free[0]), port(&free[1]), taken)
}

#[test]
fn validate_env_says_what_is_wrong_where_and_what_to_do() {
    let copy = Copy::new();
    let (http, https, taken) = ports();
    let taken = taken.local_addr().unwrap().port();
    let (http_line, https_line) = (format!("HTTP_PORT={http}"), format!("HTTPS_PORT={https}"));
    let yours: [(&str, &str); 4] = [
        ("GITHUB_OWNER=CHANGE_ME", "GITHUB_OWNER=familycart"),
        ("GITHUB_REPOSITORY=CHANGE_ME", "GITHUB_REPOSITORY=familycart"),
        ("HTTP_PORT=80", &http_line),
        ("HTTPS_PORT=443", &https_line),
    ];

    let mut said = String::new();
    said += "# Nothing is there yet.\n";
    said += &copy.run("validate-env", &["uat"]);

    said += "# The example as it is, without secrets.\n";
    copy.env(&yours[2..]);
    said += &copy.run("validate-env", &["uat"]);

    said += "# Everything is said.\n";
    copy.env(&yours);
    said += &copy.run("make-secrets", &["uat"]);
    copy.secret("alertmanager_webhook_url", "https://chat.familycart.app/hooks/1", 0o444);
    copy.secret("github_token", "github_pat_0123456789abcdefghijkl", 0o444);
    said += &copy.run("validate-env", &["uat"]);

    said += "# The runners are left out, so nothing of theirs is asked for.\n";
    copy.env(&yours[2..]);
    said += &copy.run("validate-env", &["uat", "--without", "runners"]);

    said += "# Everything is wrong.\n";
    let busy = format!("HTTP_PORT={taken}");
    copy.env(&[
        yours[0],
        ("GITHUB_REPOSITORY=CHANGE_ME", "GITHUB_REPOSITORY="),
        ("ENVIRONMENT=uat", "ENVIRONMENT=prod"),
        ("COMPOSE_PROJECT_NAME=familycart-uat", "COMPOSE_PROJECT_NAME=FamilyCart UAT"),
        ("DOMAIN=uat.familycart.app", "DOMAIN=uat.example.com"),
        ("GATEWAY_ADMIN_ADDRESS=172.30.10.2", "GATEWAY_ADMIN_ADDRESS=172.30.10.200"),
        ("REDIS_IMAGE=redis:7.4.5-bookworm\n", ""),
        (
            "LOKI_RETENTION=168h",
            "LOKI_RETENTION=168h\nPOSTGRES_PASSWORD=geheim\nPROMETHEUS_RETENTOIN=1d",
        ),
        ("HTTP_PORT=80", &busy),
        ("HTTPS_PORT=443", "HTTPS_PORT=https"),
    ]);
    copy.secret("postgres_password", "hunter2", 0o444);
    copy.secret("redis_password", "familycart-password-of-redis-0123", 0o444);
    let webhook = fs::read_to_string(copy.path("secrets/uat/github_webhook")).unwrap();
    copy.secret("app_db_password", &webhook, 0o444);
    copy.secret("exporter_db_password", "", 0o444);
    copy.secret("alertmanager_webhook_url", "chat.familycart.app", 0o400);
    fs::set_permissions(copy.path("secrets/uat"), fs::Permissions::from_mode(0o755)).unwrap();
    said += &copy.run("validate-env", &["uat"]);

    let shown = said.replace(&taken.to_string(), "[PORT]");
    let golden = deploy().join("tests/golden/validate-env.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(&golden, &shown).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(shown, expected, "BLESS=1 writes {} anew", golden.display());
}

#[test]
fn secrets_are_random_and_stay() {
    let copy = Copy::new();
    copy.run("make-secrets", &["uat"]);
    let read = || -> BTreeMap<String, String> {
        let entries = fs::read_dir(copy.path("secrets/uat")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .map(|path| {
                let mode = path.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o444, "{}", path.display());
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect()
    };
    let first = read();
    assert!(first.len() >= 4, "{:?}", first.keys());
    for (name, value) in &first {
        assert_eq!(value.len(), 64, "{name}");
        assert_eq!(first.values().filter(|other| *other == value).count(), 1, "{name}");
    }
    let folder = copy.path("secrets/uat").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(folder, 0o700);
    let said = copy.run("make-secrets", &["uat"]);
    assert_eq!(first, read(), "{said}");
    assert!(!first.values().any(|value| said.contains(value)), "a secret was printed");
    copy.run("make-secrets", &["uat", "--again", "redis_password"]);
    assert_ne!(first["redis_password"], read()["redis_password"]);
}
