//! What can be reached from where.

use std::thread;

use crate::docker::{bounded, docker};
use crate::project::Stack;

pub(crate) fn isolation_holds(stack: &Stack) {
    stack.step("isolation, tried");
    the_frontend_reaches_nobody_else(stack);
    only_the_gateway_publishes_ports(stack);
}

fn the_frontend_reaches_nobody_else(stack: &Stack) {
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

/// HTTP and HTTPS, and nothing else.
fn only_the_gateway_publishes_ports(stack: &Stack) {
    let format = "{{ .Label \"com.docker.compose.service\" }} {{ .Ports }}";
    let published = docker(&["ps", "--filter", &stack.label(), "--format", format]);
    let publishing: Vec<&str> = published.lines().filter(|line| line.contains("->")).collect();
    assert_eq!(publishing.len(), 1, "{published}");
    assert!(publishing[0].starts_with("gateway "), "{published}");
    assert_eq!(publishing[0].matches("->").count(), 2, "{published}");
}
