//! Containers that are killed, one after the other and all at once.

use std::fmt::Write;

use serde_json::Value;

use crate::docker::{bounded, docker, text};
use crate::project::Stack;
use crate::until::until;
use crate::visitor::{DOMAIN, GRAFANA};

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

pub(crate) fn everybody_is_killed_in_turn(stack: &Stack, list: &str) {
    stack.step("each container killed in turn");
    let mut table =
        String::from("| killed | page | API | Grafana | what else |\n|---|---|---|---|---|\n");
    let services = stack.services();
    for service in &services {
        let container = stack.container(service);
        docker(&["kill", &container]);
        until(&format!("{service} does not run after it was killed"), 20, || {
            docker(&["inspect", "--format", "{{ .State.Running }}", &container]) == "false"
        });
        // The gateway notices at once, by a connection that is refused, or at the next health check.
        let what = format!("it is noticed that {service} was killed");
        until(&what, 45, || is_noticed(stack, service, list));
        let seen = Seen::now(stack, list);
        let further = only_what_needs_it_fails(stack, service, &seen);
        let [page, api, grafana] = [seen.page, seen.api, seen.grafana].map(shown);
        writeln!(table, "| {service} | {page} | {api} | {grafana} | {further} |").unwrap();
        docker(&["start", &container]);
        let what = format!("all is well again after {service} was killed");
        until(&what, 45, || Seen::now(stack, list).is_all_well());
    }
    for service in &services {
        until(&format!("{service} is healthy again"), 90, || stack.is_healthy(service));
    }
    assert_eq!(stack.ready(), "200", "the backend is not ready after all were killed");
    eprintln!("\nWhat a user sees while a container is away:\n\n{table}");
}

/// Whether that a service is away shows where it must.
fn is_noticed(stack: &Stack, service: &str, list: &str) -> bool {
    let api = || stack.get(DOMAIN, &format!("/api/v1/lists/{list}"));
    match service {
        "frontend" => is_away(stack.get(DOMAIN, "/")),
        "backend" => is_away(api()),
        "postgres" => api() >= 500 && stack.ready() == "503",
        "redis" => stack.ready() == "503",
        "gateway" => stack.get(DOMAIN, "/") == 0,
        "grafana" => is_away(stack.get(GRAFANA, "/login")),
        // The others may be away without anybody seeing it.
        _ => true,
    }
}

/// What the gateway answers in the place of a server that does not.
fn is_away(status: u16) -> bool {
    [502, 503, 504].contains(&status)
}

/// Holds what was seen against what a service's absence may do; what else there is to say about it.
fn only_what_needs_it_fails(stack: &Stack, service: &str, seen: &Seen) -> String {
    let &Seen { page, api, grafana } = seen;
    match service {
        "frontend" => {
            assert!(is_away(page), "page: {page}");
            let (_, body) = stack.visit(DOMAIN, "/", &["--header", "Accept: text/html"]);
            assert!(body.contains("<html") && !body.contains("nginx"), "{body}");
            assert_eq!((api, grafana), (200, 200), "API, Grafana");
            "a page that says so".into()
        }
        "backend" => {
            assert!(is_away(api), "API: {api}");
            assert_eq!((page, grafana), (200, 200), "page, Grafana");
            let (_, body) = stack.visit(DOMAIN, "/api/v1/lists", &[]);
            assert!(serde_json::from_str::<Value>(&body).is_ok(), "no JSON: {body}");
            "an error as JSON".into()
        }
        "postgres" | "redis" => {
            assert!(service == "redis" || api >= 500, "API: {api}");
            assert_eq!((page, grafana), (200, 200), "page, Grafana");
            assert_eq!(stack.ready(), "503", "/ready of the backend without {service}");
            "/ready says 503".into()
        }
        "gateway" => {
            assert_eq!((page, api, grafana), (0, 0, 0), "page, API, Grafana");
            "no answer at all".into()
        }
        "grafana" => {
            assert_eq!((page, api), (200, 200), "page, API");
            assert!(is_away(grafana), "Grafana: {grafana}");
            String::new()
        }
        "runner-webhook" => {
            assert!(seen.is_all_well(), "{page} {api} {grafana}");
            let id = "00000000-0000-4000-8000-000000000003";
            let status = stack.deliver(&stack.signature(), id);
            assert!(status == 401 || is_away(status), "{status}");
            format!("a delivery gets {status}, and GitHub keeps it to deliver again")
        }
        _ => {
            assert!(seen.is_all_well(), "{service}: {page} {api} {grafana}");
            String::new()
        }
    }
}

fn shown(status: u16) -> String {
    if status == 0 { "nothing".into() } else { status.to_string() }
}

/// The main process of every container ends at the same moment, as after a power cut; nobody starts
/// them but Docker.
pub(crate) fn everybody_crashes_at_once(stack: &Stack) {
    stack.step("every process ended at once");
    let services = stack.services();
    let containers: Vec<String> = services.iter().map(|service| stack.container(service)).collect();
    let before = processes(&containers);
    // A container without a process has the number 0, which `kill` takes for its own group.
    let running = before.iter().map(String::as_str).filter(|process| *process != "0");
    let arguments: Vec<&str> = ["-KILL"].into_iter().chain(running).collect();
    let killed = bounded(20, "kill", &arguments).output().unwrap();
    assert!(killed.status.success(), "{}", text(&killed));
    // Docker calls a container healthy until it has seen its process end; a new process has yet to
    // become so.
    until("every container has a new process", 120, || {
        let now = processes(&containers);
        before.iter().zip(&now).all(|(before, now)| now != before && now != "0")
    });
    for service in &services {
        until(&format!("{service} comes back by itself"), 120, || stack.is_healthy(service));
    }
}

/// The main process of each container, 0 where it does not run.
fn processes(containers: &[String]) -> Vec<String> {
    let mut arguments = vec!["inspect", "--format", "{{ .State.Pid }}"];
    arguments.extend(containers.iter().map(String::as_str));
    docker(&arguments).lines().map(str::to_owned).collect()
}
