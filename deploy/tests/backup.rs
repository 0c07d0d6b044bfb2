//! Backup and restore, tried by restoring: PostgreSQL, Redis and a volume of a Compose project of its
//! own, with the configuration, the scripts and the initialisation that `deploy/up` uses.
//!
//! `cargo test --package gateway-deploy --test backup`; needs a Docker Engine and the images that
//! `deploy/test-images/build postgres redis` makes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a panic is how it fails, and what was skipped is said aloud"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROJECT: &str = "gateway-backup-test";

/// As in the stack, with a container in place of the gateway that only holds its volume.
const COMPOSE: &str = r#"
x-hardened: &hardened
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
services:
  gateway:
    <<: *hardened
    image: "${REDIS_IMAGE:-redis:7.4.5-bookworm}"
    user: "65532:65532"
    entrypoint: ["sleep", "100000"]
    stop_signal: SIGKILL
    volumes: ["gateway-state:/var/lib/gateway"]
  postgres:
    <<: *hardened
    image: "${POSTGRES_IMAGE:-postgres:17.6-bookworm}"
    user: "999:999"
    command: ["postgres", "-c", "config_file=/etc/postgresql/dev.conf"]
    environment: { POSTGRES_DB: app, POSTGRES_USER: postgres, POSTGRES_PASSWORD_FILE: /run/secrets/postgres_password }
    secrets: [postgres_password, app_db_password, exporter_db_password]
    networks: [data]
    volumes:
      - "./postgres:/etc/postgresql:ro"
      - "./postgres/init:/docker-entrypoint-initdb.d:ro"
      - "postgres-data:/var/lib/postgresql/data"
    tmpfs: ["/var/run/postgresql:size=1m,uid=999,gid=999,mode=0775", "/tmp:size=16m,mode=1777"]
    mem_limit: 256m
  redis:
    <<: *hardened
    image: "${REDIS_IMAGE:-redis:7.4.5-bookworm}"
    user: "999:999"
    command: ["sh", "/etc/redis/start", "/etc/redis/dev.conf"]
    secrets: [redis_password]
    networks: [data]
    volumes: ["./redis:/etc/redis:ro", "redis-data:/data"]
    tmpfs: ["/tmp:size=1m,uid=999,gid=999,mode=0700"]
    mem_limit: 64m
networks:
  data:
    internal: true
volumes:
  gateway-state:
  postgres-data:
  redis-data:
secrets:
  postgres_password: { file: "./secrets/uat/postgres_password" }
  app_db_password: { file: "./secrets/uat/app_db_password" }
  exporter_db_password: { file: "./secrets/uat/exporter_db_password" }
  redis_password: { file: "./secrets/uat/redis_password" }
"#;

/// A copy of what is tried, and the project; both are gone in the end.
struct Stack {
    deploy: PathBuf,
}

impl Stack {
    fn up() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let deploy = source.join("../target/backup-test/deploy");
        let _ = fs::remove_dir_all(&deploy);
        fs::create_dir_all(deploy.join("env")).unwrap();
        for name in ["lib.sh", "containers.sh", "backup", "restore", "postgres", "redis"] {
            let copied = Command::new("cp").arg("-r").arg(source.join(name)).arg(&deploy).status();
            assert!(copied.unwrap().success(), "{name}");
        }
        fs::write(deploy.join("docker-compose.uat.yml"), COMPOSE).unwrap();
        fs::write(deploy.join("env/uat.env"), format!("COMPOSE_PROJECT_NAME={PROJECT}\n")).unwrap();
        let secrets = deploy.join("secrets/uat");
        fs::create_dir_all(&secrets).unwrap();
        for name in
            ["postgres_password", "app_db_password", "exporter_db_password", "redis_password"]
        {
            fs::write(secrets.join(name), format!("a secret of the tests: {name}'s")).unwrap();
        }
        let stack = Self { deploy };
        stack.compose("down --volumes --timeout 1");
        let up = stack.compose("up -d");
        assert!(up.status.success(), "{}", text(&up));
        stack.until_ready();
        stack
    }

    fn until_ready(&self) {
        self.until("postgres", "pg_isready -q -h 127.0.0.1");
        self.until(
            "redis",
            "REDISCLI_AUTH=$(cat /tmp/operator) redis-cli --user operator ping | grep -q PONG",
        );
    }

    fn until(&self, service: &str, script: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.exec(service, script).status.success() {
            let log = || text(&self.compose(&format!("logs {service}")));
            assert!(Instant::now() < end, "{service} does not answer: {}", log());
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn shell(&self, script: &str) -> Output {
        let mut command = Command::new("bash");
        command.arg("-c").arg(script).current_dir(&self.deploy).stdin(Stdio::null());
        command.output().unwrap()
    }

    fn compose(&self, arguments: &str) -> Output {
        self.shell(&format!("set -euo pipefail; . ./lib.sh; compose uat {arguments}"))
    }

    fn container(&self, service: &str) -> String {
        let found = self.compose(&format!("ps -q {service}"));
        String::from_utf8(found.stdout).unwrap().trim().to_owned()
    }

    fn exec(&self, service: &str, script: &str) -> Output {
        let container = self.container(service);
        Command::new("docker").args(["exec", &container, "sh", "-c", script]).output().unwrap()
    }

    fn sql(&self, statement: &str) -> String {
        let container = self.container("postgres");
        let psql = ["exec", &container, "psql", "-U", "postgres", "-At", "app", "-c", statement];
        let said = Command::new("docker").args(psql).output().unwrap();
        assert!(said.status.success(), "{statement}: {}", text(&said));
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    }

    /// What one of the roles gets, by TCP and with a password.
    fn sql_as(&self, role: &str, password: &str, database: &str, statement: &str) -> Output {
        let script = format!(
            "PGPASSWORD={password} psql -h 127.0.0.1 -U {role} -v ON_ERROR_STOP=1 -At {database} -c \"{statement}\""
        );
        self.exec("postgres", &script)
    }

    fn redis(&self, command: &str) -> String {
        let script =
            format!("REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli {command}");
        String::from_utf8(self.exec("redis", &script).stdout).unwrap().trim().to_owned()
    }

    fn archives(&self, folder: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.deploy.join(folder)) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut found: Vec<_> =
            paths.filter(|path| path.extension().is_some_and(|e| e == "tar")).collect();
        found.sort();
        found
    }

    fn backup(&self, arguments: &str) -> PathBuf {
        let said = self.shell(&format!("./backup uat {arguments}"));
        assert!(said.status.success(), "{}", text(&said));
        self.archives("backups/uat").pop().unwrap()
    }

    fn restore(&self, archive: &Path, arguments: &str) -> Output {
        self.shell(&format!("./restore uat {} {arguments}", archive.display()))
    }

    fn refused(&self, archive: &Path, arguments: &str, words: &str) {
        let said = self.restore(archive, arguments);
        assert!(!said.status.success(), "{}", text(&said));
        let said = text(&said);
        assert!(said.contains(words) && said.contains("nothing was changed"), "{said}");
        // No half-made database either.
        assert_eq!(
            self.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'app_restored%'"),
            "0"
        );
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.compose("down --volumes --timeout 1");
        let _ = fs::remove_dir_all(self.deploy.parent().unwrap());
    }
}

fn text(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn docker_is_here() -> bool {
    let answers = |arguments: &[&str]| {
        Command::new("docker").args(arguments).output().is_ok_and(|said| said.status.success())
    };
    let image = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    if !answers(&["info"]) {
        eprintln!("\n*** SKIPPED: backup and restore were not tried: no Docker Engine answers\n");
        return false;
    }
    for image in [
        image("POSTGRES_IMAGE", "postgres:17.6-bookworm"),
        image("REDIS_IMAGE", "redis:7.4.5-bookworm"),
    ] {
        if !answers(&["image", "inspect", &image]) {
            eprintln!(
                "\n*** SKIPPED: backup and restore were not tried: no image {image}; deploy/test-images/build postgres redis\n"
            );
            return false;
        }
    }
    true
}

/// One test, since all of it is about one project, from the first row to the last restore.
#[test]
fn what_was_backed_up_comes_back() {
    if !docker_is_here() {
        return;
    }
    let stack = Stack::up();
    roles_may_do_what_they_need_and_no_more(&stack);
    let archive = everything_comes_back(&stack);
    nothing_is_lost_by_an_archive_that_is_broken(&stack, &archive);
    a_backup_that_cannot_be_whole_is_none(&stack);
    old_archives_go(&stack);
    a_changed_password_is_taken_up(&stack);
    the_former_database_can_be_had_back(&stack);
    an_empty_stack_needs_no_word(&stack);
    no_secret_is_said(&stack);
}

fn roles_may_do_what_they_need_and_no_more(stack: &Stack) {
    let app = |database: &str, statement: &str| {
        stack.sql_as("app", "$(cat /run/secrets/app_db_password)", database, statement)
    };
    let made = app(
        "app",
        "CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items VALUES (1, 'milk')",
    );
    assert!(made.status.success(), "{}", text(&made));
    for (database, statement, words) in [
        ("app", "CREATE ROLE other", "permission denied"),
        ("app", "CREATE DATABASE other", "permission denied"),
        ("app", "COPY items TO PROGRAM 'id'", "permission denied"),
        ("app", "SELECT pg_read_file('/run/secrets/postgres_password')", "permission denied"),
        ("postgres", "SELECT 1", "permission denied for database"),
    ] {
        let said = app(database, statement);
        assert!(
            !said.status.success() && text(&said).contains(words),
            "{statement}: {}",
            text(&said)
        );
    }
    let wrong = stack.sql_as("app", "wrong", "app", "SELECT 1");
    assert!(text(&wrong).contains("password authentication failed"), "{}", text(&wrong));
    let exporter = |statement: &str| {
        stack.sql_as("exporter", "$(cat /run/secrets/exporter_db_password)", "app", statement)
    };
    assert_eq!(text(&exporter("SELECT count(*) > 0 FROM pg_stat_activity")).trim(), "t");
    assert!(text(&exporter("SELECT * FROM public.items")).contains("permission denied"));

    assert_eq!(stack.redis("SET once:1 kept EX 86400"), "OK");
    for command in
        ["FLUSHALL", "CONFIG SET dir /tmp", "REPLICAOF NO ONE", "SHUTDOWN", "KEYS '*'", "ACL LIST"]
    {
        assert!(stack.redis(command).contains("NOPERM"), "{command}");
    }
    let unknown = stack.exec("redis", "redis-cli ping; REDISCLI_AUTH=wrong redis-cli ping");
    assert!(
        text(&unknown).contains("NOAUTH") && !text(&unknown).contains("PONG"),
        "{}",
        text(&unknown)
    );
    // The superuser does not come by the network, whatever it knows.
    let network = "PGPASSWORD=$(cat /run/secrets/postgres_password) psql -h $(hostname -i) -U postgres -c 'SELECT 1'";
    let said = stack.exec("postgres", network);
    assert!(text(&said).contains("pg_hba.conf rejects"), "{}", text(&said));
}

fn everything_comes_back(stack: &Stack) -> PathBuf {
    let state = stack.exec("gateway", "id -u");
    assert_eq!(text(&state).trim(), "65532");
    stack.shell(&format!(
        "docker run --rm --user 0 --entrypoint sh -v {PROJECT}_gateway-state:/v redis:7.4.5-bookworm -c \
         'mkdir -p /v/acme && echo account > /v/acme/account.json && chmod 600 /v/acme/account.json && chown -R 65532:65532 /v'"
    ));
    let archive = stack.backup("");
    assert_eq!(fs::metadata(&archive).unwrap().permissions().mode() & 0o777, 0o600);

    let metrics = stack.deploy.join("state/textfile/backup.prom");
    assert_eq!(fs::metadata(&metrics).unwrap().permissions().mode() & 0o777, 0o644);
    let metrics = fs::read_to_string(metrics).unwrap();
    assert!(
        metrics.contains("backup_last_success_timestamp_seconds{kind=\"postgres\"} 1"),
        "{metrics}"
    );

    stack.sql("INSERT INTO items VALUES (2, 'written after the backup')");
    stack.redis("SET once:2 later");
    stack.redis("DEL once:1");
    let changed = stack.exec(
        "gateway",
        "echo changed > /var/lib/gateway/acme/account.json; touch /var/lib/gateway/new",
    );
    assert!(changed.status.success(), "{}", text(&changed));

    stack.refused(&archive, "", "has rows");
    assert_eq!(stack.sql("SELECT count(*) FROM items"), "2");
    let said = stack.restore(&archive, "--replace");
    assert!(said.status.success(), "{}", text(&said));
    stack.until_ready();
    assert_eq!(stack.sql("SELECT string_agg(name, ',') FROM items"), "milk");
    assert_eq!(stack.redis("GET once:1"), "kept");
    assert!(stack.redis("TTL once:1").parse::<u32>().unwrap() > 80_000);
    assert_eq!(stack.redis("EXISTS once:2"), "0");
    let state = stack.exec(
        "gateway",
        "cd /var/lib/gateway && cat acme/account.json && stat -c '%u %a' acme/account.json && ls",
    );
    assert_eq!(text(&state), "account\n65532 600\nacme\n");
    // The application owns its tables as before, and the rights are there.
    let app = "$(cat /run/secrets/app_db_password)";
    let owned = stack.sql_as(
        "app",
        app,
        "app",
        "INSERT INTO items VALUES (3, 'x'); ALTER TABLE items ADD n int",
    );
    assert!(owned.status.success(), "{}", text(&owned));
    let elsewhere = stack.sql_as("app", app, "postgres", "SELECT 1");
    assert!(!elsewhere.status.success());
    // What was there is still there, by its other name.
    let old = stack.sql("SELECT datname FROM pg_database WHERE datname LIKE 'app_before_%'");
    let kept = stack
        .exec("postgres", &format!("psql -U postgres -At {old} -c 'SELECT count(*) FROM items'"));
    assert_eq!(text(&kept).trim(), "2");
    // The keys outlive a restart, so they are in the append-only file and not in memory alone.
    stack.compose("restart redis");
    stack.until_ready();
    assert_eq!(stack.redis("GET once:1"), "kept");
    archive
}

fn nothing_is_lost_by_an_archive_that_is_broken(stack: &Stack, archive: &Path) {
    let before = stack.sql("SELECT string_agg(name, ',' ORDER BY id) FROM items");
    let whole = fs::read(archive).unwrap();
    let broken = stack.deploy.join("broken.tar");

    // tar pads the end with zeros, and without some of them nothing is missing; hence the half.
    for part in [2, 3, 10] {
        fs::write(&broken, &whole[..whole.len() / part]).unwrap();
        stack.refused(&broken, "--replace", "broken");
    }
    fs::write(&broken, b"").unwrap();
    stack.refused(&broken, "--replace", "broken");

    // One byte of the dump, which pg_restore alone might not notice.
    let mut changed = whole.clone();
    let dump = whole.windows(5).position(|window| window == b"PGDMP").unwrap();
    changed[dump + 900] ^= 1;
    fs::write(&broken, &changed).unwrap();
    stack.refused(&broken, "--replace", "checksum is wrong");

    // Files that the archive has no business with.
    let foreign = stack.shell(&format!(
        "rm -rf foreign && mkdir foreign && tar -x -C foreign -f {} && touch foreign/more && tar -c -C foreign -f broken.tar . ",
        archive.display()
    ));
    assert!(foreign.status.success(), "{}", text(&foreign));
    stack.refused(&broken, "--replace", "no archive of deploy/backup");

    // A dump that is broken and whose checksum says otherwise: the last line of defence is that the
    // database is swapped only when all of it is in.
    let forged = stack.shell(
        "set -e; rm foreign/more; size=$(stat -c %s foreign/postgres.dump); truncate -s $((size - 200)) foreign/postgres.dump; \
         cd foreign; sha256sum MANIFEST postgres.dump redis.rdb gateway-state.tar >SHA256SUMS; \
         tar -c -f ../broken.tar SHA256SUMS MANIFEST postgres.dump redis.rdb gateway-state.tar",
    );
    assert!(forged.status.success(), "{}", text(&forged));
    stack.refused(&broken, "--replace", "dump");
    assert_eq!(stack.sql("SELECT string_agg(name, ',' ORDER BY id) FROM items"), before);
    assert_eq!(stack.redis("GET once:1"), "kept");
}

fn a_backup_that_cannot_be_whole_is_none(stack: &Stack) {
    let before = stack.archives("backups/uat");
    let fails = |words: &str| {
        let said = stack.shell("./backup uat");
        assert!(!said.status.success() && text(&said).contains(words), "{}", text(&said));
        assert_eq!(stack.archives("backups/uat"), before);
        let left = stack.shell("ls -A backups/uat | grep partial");
        assert!(text(&left).is_empty(), "{}", text(&left));
    };
    stack.exec("redis", "cp /tmp/operator /tmp/right && echo wrong >/tmp/operator");
    fails("there is no archive");
    stack.exec("redis", "mv /tmp/right /tmp/operator");
    stack.compose("stop postgres");
    fails("the container of postgres is stopped");
    let restore = stack.restore(&before[0], "--replace");
    assert!(text(&restore).contains("the container of postgres is stopped"), "{}", text(&restore));
    stack.compose("start postgres");
    stack.until_ready();
}

fn old_archives_go(stack: &Stack) {
    fs::write(stack.deploy.join("backups/uat/notes.tar"), "of a person").unwrap();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1100));
        stack.backup("--keep 2");
    }
    let left = stack.archives("backups/uat");
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().any(|path| path.ends_with("notes.tar")));
    let elsewhere = stack.shell("./backup uat --to ../elsewhere && ls ../elsewhere/uat-*.tar");
    assert!(elsewhere.status.success(), "{}", text(&elsewhere));
    let zero = stack.shell("./backup uat --keep 0");
    assert!(text(&zero).contains("--keep wants a number"), "{}", text(&zero));
}

/// As the guide says: the file is written, and the script of the roles is run again.
fn a_changed_password_is_taken_up(stack: &Stack) {
    let file = stack.deploy.join("secrets/uat/app_db_password");
    let old = fs::read_to_string(&file).unwrap();
    fs::write(&file, "another secret of the tests").unwrap();
    let said = stack.exec("postgres", "sh /docker-entrypoint-initdb.d/10-roles.sh");
    assert!(said.status.success(), "{}", text(&said));
    let by_new = stack.sql_as("app", "$(cat /run/secrets/app_db_password)", "app", "SELECT 1");
    assert!(by_new.status.success(), "{}", text(&by_new));
    let by_old = stack.sql_as("app", &format!("\"{old}\""), "app", "SELECT 1");
    assert!(text(&by_old).contains("password authentication failed"), "{}", text(&by_old));
}

/// The statements of the guide, which undo a restore.
fn the_former_database_can_be_had_back(stack: &Stack) {
    let old = stack.sql("SELECT datname FROM pg_database WHERE datname LIKE 'app_before_%'");
    let script = format!(
        "psql -U postgres -v ON_ERROR_STOP=1 postgres <<'END'
         ALTER DATABASE app ALLOW_CONNECTIONS false;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'app';
         BEGIN;
         ALTER DATABASE app RENAME TO app_wrong;
         ALTER DATABASE {old} RENAME TO app;
         COMMIT;\nEND"
    );
    let said = stack.exec("postgres", &script);
    assert!(said.status.success(), "{}", text(&said));
    assert_eq!(
        stack.sql("SELECT string_agg(name, ',' ORDER BY id) FROM items"),
        "milk,written after the backup"
    );
}

/// As after the loss of the machine: a stack from nothing, and the archive.
fn an_empty_stack_needs_no_word(stack: &Stack) {
    let archive = stack.archives("../elsewhere").pop().unwrap();
    stack.compose("down --volumes --timeout 5");
    stack.compose("up -d");
    stack.until_ready();
    let said = stack.restore(&archive, "");
    assert!(said.status.success(), "{}", text(&said));
    stack.until_ready();
    assert_eq!(stack.sql("SELECT string_agg(name, ',' ORDER BY id) FROM items"), "milk,x");
    assert_eq!(stack.redis("GET once:1"), "kept");
    assert_eq!(stack.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'app_%'"), "0");
}

/// Neither arguments, nor environments, nor logs have a password.
fn no_secret_is_said(stack: &Stack) {
    for service in ["postgres", "redis"] {
        let container = stack.container(service);
        let said = stack.shell(&format!(
            "docker inspect {container}; docker logs {container}; docker top {container} -eo args"
        ));
        assert!(!text(&said).contains("secret of the tests"), "{service}");
    }
}
