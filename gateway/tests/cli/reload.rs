//! `gateway reload`, where there is nobody who could.

use std::net::TcpListener;

use crate::harness::Folder;

fn config(admin: &str) -> String {
    format!(
        "[server]\nadmin = \"{admin}\"\n\n\
         [site.\"a.test\"]\ntls = \"self-signed\"\nredirect = \"https://b.test\"\n"
    )
}

#[test]
fn no_gateway_runs() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut folder = Folder::with_config(&config(&address.to_string()));
    folder.hide(&address.port().to_string(), "PORT");
    folder.run(&["reload"]).exits_with(1).is("reload/nobody");
    let named = folder.run(&["reload", "--json", "--admin", &address.to_string()]);
    named.exits_with(1).is("reload/nobody-named");
}

#[test]
fn nobody_knows_where_to_ask() {
    let folder = Folder::with_config(&config("off"));
    folder.run(&["reload"]).exits_with(1).is("reload/off");
    folder.run(&["reload", "--config", "missing.toml"]).exits_with(1).is("reload/missing");
    folder.run(&["reload", "--admin", "127.0.0.1:0"]).exits_with(1).is("reload/no-port");
    folder.run(&["reload", "--admin", "here"]).exits_with(2).is("reload/no-address");
}

#[test]
fn something_else_listens_there() {
    let address = crate::harness::server::answering("SSH-2.0-OpenSSH_9.9\r\n");
    let mut folder = Folder::with_config(&config(&address.to_string()));
    folder.hide(&address.port().to_string(), "PORT");
    folder.run(&["reload"]).exits_with(1).is("reload/garbage");
}
