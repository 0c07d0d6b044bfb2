//! `gateway healthcheck`.

use std::net::{SocketAddr, TcpListener};

use crate::harness::Folder;
use crate::harness::server::{Running, answering};

const READY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nready\n";
const NOT_READY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 53\r\n\r\n\
                         not ready\n1 of 2 workers accept connections.\nAnd more\n";

fn folder_for(address: SocketAddr) -> Folder {
    let mut folder = Folder::new();
    folder.hide(&address.port().to_string(), "PORT");
    folder
}

fn check(name: &str, answer: &'static str, code: i32) {
    let address = answering(answer);
    let folder = folder_for(address);
    let url = format!("http://{address}/readyz");
    let run = folder.run(&["healthcheck", "--url", &url, "--timeout", "1s"]);
    run.exits_with(code).is(&format!("healthcheck/{name}"));
}

#[test]
fn answers_decide() {
    check("ready", READY, 0);
    check("no-content", "HTTP/1.1 204 No Content\r\n\r\n", 0);
    check("not-ready", NOT_READY, 1);
    check("moved", "HTTP/1.1 308 Permanent Redirect\r\nContent-Length: 0\r\n\r\n", 1);
    check("head-only", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 9\r\n\r\nha", 1);
    check("garbage", "SSH-2.0-OpenSSH_9.9\r\n", 1);
    check("silence", "", 1);
}

#[test]
fn nobody_there() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = folder_for(address);
    let url = format!("http://localhost:{}/readyz", address.port());
    folder.run(&["healthcheck", "--url", &url]).exits_with(1).is("healthcheck/refused");
}

#[test]
fn what_cannot_be_asked() {
    let folder = Folder::new();
    for (name, arguments) in [
        ("https", ["--url", "https://127.0.0.1/"]),
        ("no-url", ["--url", "127.0.0.1:80"]),
        ("no-duration", ["--timeout", "3"]),
    ] {
        let run = folder.run(&["healthcheck", arguments[0], arguments[1]]);
        run.exits_with(2).is(&format!("healthcheck/{name}"));
    }
}

fn config(admin: &str) -> String {
    format!(
        "[server]\nhttp = [\"127.0.0.1:0\"]\nhttps = [\"127.0.0.1:0\"]\nadmin = \"{admin}\"\nstorage = \"state\"\n\n\
         [site.\"a.test\"]\ntls = \"self-signed\"\nroutes = [{{ path = \"/*\", respond = {{ status = 200 }} }}]\n"
    )
}

#[test]
fn the_configuration_says_where_to_ask() {
    let running = Running::start(&Folder::with_config(&config("127.0.0.1:0")));
    let port = running.address("admin").port();
    for admin in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}"), format!("[::]:{port}")] {
        let mut folder = Folder::with_config(&config(&admin));
        folder.hide(&port.to_string(), "PORT");
        folder.run(&["healthcheck"]).exits_with(0).is("healthcheck/configured");
    }
    // A file that is being edited must not end a gateway that runs well.
    let mut folder =
        Folder::with_config(&config(&format!("127.0.0.1:{port}")).replace("tls", "tsl"));
    folder.hide(&port.to_string(), "PORT");
    folder.run(&["healthcheck"]).exits_with(0).is("healthcheck/configured");
}

#[test]
fn configurations_that_do_not_say_where() {
    let folder = Folder::with_config(&config("off"));
    folder.run(&["healthcheck"]).exits_with(1).is("healthcheck/no-admin");
    let missing = folder.run(&["healthcheck", "--config", "missing.toml"]);
    missing.exits_with(1).is("healthcheck/missing-config");
}
