//! nginx, as Debian has it.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::harness::within;

/// Where `.ci/prepare compare` puts what it takes out of packages, and what may be left off a path.
const TOOLS: [&str; 3] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/usr/sbin"),
    "/usr/sbin",
    "/usr/local/sbin",
];

/// How often another pair of ports is tried: somebody else may take one before nginx does.
const ATTEMPTS: usize = 5;

/// A running nginx. Dropping it ends it.
pub(super) struct Nginx {
    child: Child,
    dir: TempDir,
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
}

/// Whether it is there.
pub(super) fn is_installed() -> bool {
    found().is_some()
}

fn found() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(TOOLS.map(PathBuf::from));
    folders.map(|folder| folder.join("nginx")).find(|file| file.is_file())
}

impl Nginx {
    /// Starts it in a folder and waits until it listens. `@http@` and `@https@` in the configuration
    /// become its addresses.
    pub(super) async fn start(dir: TempDir, config: &str) -> Self {
        let mut dir = dir;
        for _ in 0..ATTEMPTS {
            match Self::try_start(dir, config).await {
                Ok(nginx) => return nginx,
                Err(kept) => dir = kept,
            }
        }
        let log = std::fs::read_to_string(dir.path().join("error.log")).unwrap_or_default();
        panic!("nginx does not start:\n{log}");
    }

    async fn try_start(dir: TempDir, config: &str) -> Result<Self, TempDir> {
        let [http, https] = free();
        let mut child = spawn(&dir, config, http, https);
        let listens = within("nginx to listen or to end", async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                pause.tick().await;
                if child.try_wait().unwrap().is_some() {
                    return false;
                }
                if TcpStream::connect(https).await.is_ok() {
                    return true;
                }
            }
        })
        .await;
        if listens { Ok(Self { child, dir, http, https }) } else { Err(dir) }
    }

    /// Starts one that must end by itself, and returns what it said.
    pub(super) async fn fail(dir: TempDir, config: &str) -> String {
        let [http, https] = free();
        let mut child = spawn(&dir, config, http, https);
        let ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
        let status = within("the end of an nginx that cannot start", ended).await.unwrap();
        assert!(!status.success(), "nginx ended with {status}");
        std::fs::read_to_string(dir.path().join("error.log")).unwrap()
    }

    /// What it has complained about.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default()
    }
}

/// Two addresses that nobody listens on.
fn free() -> [SocketAddr; 2] {
    let [one, other] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    [one.local_addr().unwrap(), other.local_addr().unwrap()]
}

fn spawn(dir: &TempDir, config: &str, http: SocketAddr, https: SocketAddr) -> Child {
    // Workers of root's nginx are nobody's otherwise, who may not look into the folder.
    let is_roots = std::fs::metadata(dir.path()).unwrap().uid() == 0;
    let user = if is_roots { "user root;" } else { "" };
    let config = config
        .replace("@user@", user)
        .replace("@http@", &http.to_string())
        .replace("@https@", &https.to_string());
    std::fs::write(dir.path().join("nginx.conf"), config).unwrap();
    let log = File::create(dir.path().join("error.log")).unwrap();
    Command::new(found().unwrap())
        // Without -e it opens the log of its package first, which only root may.
        .args(["-e", "stderr", "-p", ".", "-c", "nginx.conf"])
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("nginx: {}", self.log());
        }
        // The master takes its workers with it where it is asked to end, and not where it is killed.
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
