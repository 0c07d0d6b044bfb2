//! `gateway check-config --compose`.

use crate::harness::Folder;

fn gateway(target: &str) -> Folder {
    Folder::with_config(&format!(
        "[site.\"app.example.com\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", to = \"{target}\" }}]\n"
    ))
}

const SERVICES: &str = r#"
x-defaults: &defaults
  restart: unless-stopped
  expose: [8000]
services:
  gateway:
    image: gateway
    ports: ["443:443"]
  backend:
    <<: *defaults
    build: ./backend
  frontend:
    expose:
      - "3000-3002"   # several
  monitoring:
    container_name: grafana
    ports:
      - "127.0.0.1:3100:3000"
  webhooks:
    image: ${IMAGE}
    networks:
      default:
        aliases: [hooks]
    ports:
      - { target: 9000, published: "9443" }
  quiet:
"#;

#[test]
fn names_ports_aliases_and_container_names_are_found() {
    for target in [
        "backend:8000",
        "frontend:3001",
        "monitoring:3000",
        "grafana:3000",
        "hooks:9000",
        "quiet:1234",
        "backend.example.com:80",
        "192.0.2.7:80",
        "unix:/run/app.sock",
    ] {
        let folder = gateway(target);
        folder.write("compose.yml", SERVICES);
        let run = folder.run(&["check-config", "--compose", "compose.yml"]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{target}");
        let good = "gateway.toml: good: 1 site, 1 route, 1 upstream; agrees with compose.yml\n";
        assert_eq!(run.stdout, good, "{target}");
    }
}

/// A gateway whose admin listener has an address in a network of Docker's.
fn inside(ports: &str) -> (i32, String) {
    let folder = Folder::with_config(
        "[server]\nadmin = \"172.30.10.2:9180\"\n[site.\"app.example.com\"]\ntls = \"self-signed\"\n\
         routes = [{ path = \"/*\", to = \"backend:8000\" }]\n",
    );
    folder.write(
        "compose.yml",
        &format!(
            "services:\n  backend:\n  gateway:\n    ports: {ports}\n    networks:\n      edge:\n      \
             monitoring:\n        ipv4_address: \"${{ADMIN:-172.30.10.2}}\"\n"
        ),
    );
    let run = folder.run(&["check-config", "--compose", "compose.yml"]);
    (run.code.unwrap(), run.stderr)
}

#[test]
fn an_admin_listener_inside_a_network_of_compose_is_not_public() {
    for ports in [r#"["443:443"]"#, r#"["${HTTPS_PORT:-443}:443"]"#, "[]"] {
        assert_eq!(inside(ports), (0, String::new()), "{ports}");
    }
    for ports in [r#"["9180:9180"]"#, r#"["443:443", "${ADMIN:-1}:9180"]"#, r#"["${PORTS}"]"#] {
        let (code, said) = inside(ports);
        assert_eq!(code, 0, "{ports}: {said}");
        assert!(said.contains("warning[public-admin]"), "{ports}: {said}");
    }
}

#[test]
fn what_does_not_agree_says_how_it_would() {
    for (name, target, code) in [
        ("misspelt", "fronted:3000", 1),
        ("unknown", "database:5432", 1),
        ("localhost", "localhost:3000", 1),
        ("published", "grafana:3100", 0),
        ("published-long", "hooks:9443", 0),
        ("unexposed", "frontend:8080", 0),
    ] {
        let folder = gateway(target);
        folder.write("compose.yml", SERVICES);
        let run = folder.run(&["check-config", "--compose", "compose.yml"]);
        run.exits_with(code).is(&format!("compose/{name}"));
    }
}

#[test]
fn scripts_get_the_same() {
    let folder = Folder::with_config(
        "[upstream.api]\nservers = [\"backend:8000\", \"backnd:8000\"]\n\n[site.\"a.example.com\"]\n\
         tls = \"self-signed\"\nroutes = [{ path = \"/*\", to = \"api\" }]\n",
    );
    folder.write("compose.yml", SERVICES);
    for format in ["json", "github"] {
        let run = folder.run(&["check-config", "--compose", "compose.yml", "--format", format]);
        run.exits_with(1).is(&format!("compose/{format}"));
    }
}

#[test]
fn several_files_and_included_ones_are_one_set_of_services() {
    let folder = gateway("backend:8000");
    folder.write("compose.yml", "include:\n  - path: [more.yml]\nservices:\n  frontend: {}\n");
    folder.write("more.yml", "include: [compose.yml]\nservices:\n  backend: {}\n");
    folder.run(&["check-config", "--compose", "compose.yml"]).exits_with(0);
    folder.write("compose.yml", "services:\n  frontend: {}\n");
    folder
        .run(&["check-config", "--compose", "compose.yml", "--compose", "more.yml"])
        .exits_with(0);
    folder.run(&["check-config", "--compose", "compose.yml"]).exits_with(1);
}

#[test]
fn what_a_variable_decides_is_not_called_an_error() {
    let folder = gateway("web:3000");
    folder.write("compose.yml", "services:\n  app:\n    container_name: ${NAME}\n");
    folder
        .run(&["check-config", "--compose", "compose.yml"])
        .exits_with(0)
        .is("compose/variable-name");
    let folder = gateway("web:3000");
    folder.write("compose.yml", "services:\n  web:\n    expose: [\"${PORT:-8080}\"]\n");
    let run = folder.run(&["check-config", "--compose", "compose.yml"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn files_that_are_missing_or_no_compose_files() {
    let folder = gateway("web:3000");
    folder.run(&["check-config", "--compose", "missing.yml"]).exits_with(2).is("compose/missing");
    for (name, text) in [
        ("no-yaml", "services:\n  web: {\n"),
        ("no-compose", "services:\n  web:\n    expose: everything\n"),
        ("empty", ""),
    ] {
        folder.write("compose.yml", text);
        let run = folder.run(&["check-config", "--compose", "compose.yml"]);
        run.exits_with(1).is(&format!("compose/{name}"));
    }
}
