//! `gateway demo`: the gateway in front of sample applications, with nothing to install or write.

use std::io::Write;
use std::net::{Ipv6Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;

use super::run::{Hangup, heed_signals};
use crate::demo::{self, Origins};
use crate::{Gateway, descriptors, journal};

/// Arguments of `gateway demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Port for plain http
    #[arg(long, default_value_t = 8080)]
    http_port: u16,
    /// Port for https
    #[arg(long, default_value_t = 8443)]
    https_port: u16,
    /// Port for /livez, /readyz and /metrics
    #[arg(long, default_value_t = 9180)]
    admin_port: u16,
    /// Folder for the local CA [default: gateway-demo in the user's state folder]
    #[arg(long, value_name = "DIR")]
    storage: Option<PathBuf>,
    /// Print the configuration that the demo runs with, and do nothing else
    #[arg(long)]
    print_config: bool,
}

pub(super) fn main(arguments: &Arguments) -> ExitCode {
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            journal::error("demo", error, &[]);
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let storage = arguments.storage.clone().unwrap_or_else(default_storage);
    std::fs::create_dir_all(&storage).map_err(|error| {
        format!(
            "cannot make the folder {}: {error}; choose another with --storage",
            storage.display()
        )
    })?;
    let storage = storage.canonicalize()?;
    let origins = start_origins()?;
    let text = configuration(arguments, &origins, &storage.to_string_lossy());
    if arguments.print_config {
        return Ok(std::io::stdout().write_all(text.as_bytes())?);
    }
    let loaded = gateway_config::parse("the demo's configuration", &text, &storage)
        .map_err(|problems| problems.render_human(false))?;
    descriptors::raise_limit();
    let gateway = Gateway::bind(loaded.config)?;
    heed_signals(gateway.handle(), Hangup::Ends)?;
    let ca = gateway.local_ca().ok_or("the local CA was not made")?;
    let port = |listener| {
        gateway.addresses().iter().find(|(name, _)| *name == listener).map(|(_, a)| a.port())
    };
    let ports = Ports {
        http: port("http").unwrap_or(arguments.http_port),
        https: port("https").unwrap_or(arguments.https_port),
        admin: port("admin").unwrap_or(arguments.admin_port),
    };
    let banner = ports.banner(&ca.root_path().to_string_lossy(), &ca.trust_command());
    std::io::stdout().write_all(banner.as_bytes())?;
    gateway.run()?;
    Ok(())
}

/// `$XDG_STATE_HOME/gateway-demo`, so that a CA that was trusted once is found again.
fn default_storage() -> PathBuf {
    let absolute =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("gateway-demo")
}

/// Starts the sample applications in a thread of their own. They end with the process.
fn start_origins() -> Result<Origins, Failure> {
    let (started, starting) = mpsc::channel();
    std::thread::Builder::new().name("demo-origins".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Err(error) => drop(started.send(Err(error))),
            Ok(runtime) => runtime.block_on(async {
                // The receiver waits for exactly this message.
                drop(started.send(demo::start().await));
                std::future::pending::<()>().await;
            }),
        }
    })?;
    Ok(starting.recv()??)
}

fn configuration(arguments: &Arguments, origins: &Origins, storage: &str) -> String {
    let Arguments { http_port, https_port, admin_port, .. } = arguments;
    let Origins { frontend, backend, grafana, webhook, .. } = origins;
    let listen = |port: &u16| {
        let v6 =
            if has_ipv6() && *port != 0 { format!(", \"[::1]:{port}\"") } else { String::new() };
        format!("[\"127.0.0.1:{port}\"{v6}]")
    };
    format!(
        r#"[server]
http = {http}
https = {https}
admin = "127.0.0.1:{admin_port}"
storage = '{storage}'
access_log = "combined"

[limit.api]
rate = "10/s"
burst = 20

[limit.web]
rate = "30/s"
burst = 50

[upstream.backend]
servers = ["{backend}"]

[site."localhost"]
tls = "self-signed"
aliases = ["127.0.0.1", "::1"]
# A browser that remembered HSTS for localhost would refuse every other development server.
headers = {{ preset = "app", remove = ["Strict-Transport-Security"] }}
limit = "web"
routes = [
  {{ path = "/health", respond = {{ status = 200, body = "ok\n" }} }},
  {{ path = "/api/*", to = "backend", limit = "api" }},
  {{ path = "/api/v1/ws/*", to = "backend", limit = [] }},
  {{ path = "/api/v1/events", to = "backend", limit = [] }},
  {{ path = "/api/v1/bytes/*", to = "backend", limit = [] }},
  {{ path = "/api/v1/upload", to = "backend", limit = [], body = "2GiB" }},
  {{ path = "/metrics", to = "backend", allow = ["127.0.0.1", "::1"] }},
  {{ path = "/*", to = "{frontend}" }},
]

[site."grafana.localhost"]
tls = "self-signed"
headers = {{ preset = "grafana", remove = ["Strict-Transport-Security"] }}
routes = [{{ path = "/*", to = "{grafana}" }}]

[site."hooks.localhost"]
tls = "self-signed"
headers = "off"
body = "1MiB"
routes = [{{ path = "/*", to = "{webhook}" }}]
"#,
        http = listen(http_port),
        https = listen(https_port),
    )
}

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

struct Ports {
    http: u16,
    https: u16,
    admin: u16,
}

impl Ports {
    /// What to open and what to type. Every line has been made to work as it stands.
    fn banner(&self, ca: &str, trust: &str) -> String {
        let Self { http, https, admin } = self;
        let on = |name: &str| format!("--resolve {name}:{https}:127.0.0.1 https://{name}:{https}");
        let (grafana, hooks) = (on("grafana.localhost"), on("hooks.localhost"));
        format!(
            "
The gateway is running in front of four sample applications.

  shopping list   https://localhost:{https}/
  Grafana-like    https://grafana.localhost:{https}/
  status          http://127.0.0.1:{admin}/readyz  http://127.0.0.1:{admin}/metrics

Try, in another terminal:

  curl --cacert {ca} --http2   https://localhost:{https}/api/v1/echo
  curl --cacert {ca} --http1.1 https://localhost:{https}/api/v1/echo
  curl --cacert {ca} -i http://localhost:{http}/health
  curl --cacert {ca} -N --max-time 3 https://localhost:{https}/api/v1/events
  curl --cacert {ca} -d '{{\"name\":\"Oat milk\"}}' https://localhost:{https}/api/v1/items
  curl --cacert {ca} {grafana}/api/health
  curl --cacert {ca} -d '{{\"zen\":\"Keep it simple.\"}}' {hooks}/github
  curl --cacert {ca} -s -o /dev/null -w '%{{http_code}}\\n' 'https://localhost:{https}/api/v1/items?n=[1-30]'
  curl --cacert {ca} -o /dev/null https://localhost:{https}/api/v1/bytes/1073741824

The certificates are of a local CA. To trust it in this system's programs:

  {trust}

See the configuration: gateway demo --print-config      Ctrl-C ends the demo.

"
        )
    }
}
