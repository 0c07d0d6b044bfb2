//! A program with a gateway inside: a configuration from wherever the program has it, the gateway in
//! a thread, and a stop when the program says so.
//!
//! `cargo run --package gateway --example embed`, then ask one of the addresses that it prints.

#![expect(clippy::print_stdout, reason = "it talks to whoever started it")]

use std::error::Error;
use std::thread;

use gateway::Gateway;

const CONFIGURATION: &str = r#"
[server]
http = ["127.0.0.1:0"]
https = ["127.0.0.1:0"]
admin = "off"
storage = "gateway-embed"

[site."localhost"]
tls = "self-signed"
routes = [{ path = "/*", respond = { status = 200, body = "Hello from inside.\n" } }]
"#;

fn main() -> Result<(), Box<dyn Error>> {
    // Relative paths in the configuration begin at this folder.
    let folder = std::env::temp_dir();
    let loaded = gateway_config::parse("the built-in configuration", CONFIGURATION, &folder)?;

    // Certificates are loaded and sockets bound here; what is wrong with them is told here too.
    let gateway = Gateway::bind(loaded.config)?;
    for (listener, address) in gateway.addresses() {
        println!("{listener} on {address}");
    }
    if let Some(ca) = gateway.local_ca() {
        println!("signed by {}", ca.root_path().display());
    }

    // `run` serves until the handle stops it. It brings runtimes of its own, one a core.
    let handle = gateway.handle();
    let serving = thread::spawn(move || gateway.run());

    println!("Enter stops.");
    std::io::stdin().read_line(&mut String::new())?;
    handle.stop();
    serving.join().map_err(|_| "the gateway panicked")??;
    Ok(())
}
