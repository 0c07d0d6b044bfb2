//! What somebody outside asks for, and GitHub; and what the backend says of itself.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::docker::bounded;
use crate::project::Stack;

pub(crate) const DOMAIN: &str = "uat.familycart.app";
pub(crate) const GRAFANA: &str = "grafana.uat.familycart.app";
pub(crate) const HOOKS: &str = "hooks.uat.familycart.app";

/// What every delivery carries.
const PING: &str = r#"{"zen":"Keep it logically awesome.","hook_id":1}"#;

impl Stack {
    /// The ACME server's root certificates, which visitors trust.
    pub(crate) fn roots(&self) -> PathBuf {
        self.folder.path().join("roots.pem")
    }

    /// curl's arguments that lead to a site of this stack.
    pub(crate) fn arguments(&self, host: &str, path: &str, further: &[&str]) -> Vec<String> {
        let resolve = format!("{host}:{}:127.0.0.1", self.https);
        let url = format!("https://{host}:{}{path}", self.https);
        let roots = self.roots();
        let mut arguments =
            vec!["--silent", "--resolve", &resolve, "--cacert", roots.to_str().unwrap()];
        arguments.extend(further);
        arguments.push(&url);
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// curl as a visitor of a site: the status, 0 where there was no answer, and the body.
    pub(crate) fn visit(&self, host: &str, path: &str, further: &[&str]) -> (u16, String) {
        let always = ["--max-time", "12", "--write-out", "\n%{http_code}"];
        let arguments = self.arguments(host, path, &[&always, further].concat());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = bounded(20, "curl", &arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = said.rsplit_once('\n').unwrap_or(("", "0"));
        (status.parse().unwrap_or(0), body.to_owned())
    }

    pub(crate) fn get(&self, host: &str, path: &str) -> u16 {
        self.visit(host, path, &[]).0
    }

    /// Makes something, and gives back what the backend says that it is.
    pub(crate) fn post(&self, path: &str, json: &str) -> Value {
        let (status, body) = self.visit(
            DOMAIN,
            path,
            &["--header", "Content-Type: application/json", "--data-binary", json],
        );
        assert_eq!(status, 201, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// `/ready` of the backend, which is no route of the gateway's, from beside it.
    pub(crate) fn ready(&self) -> String {
        let url = format!("http://{}:8000/ready", self.address("backend", "application"));
        let arguments = [
            "--silent",
            "--max-time",
            "8",
            "--output",
            "/dev/null",
            "--write-out",
            "%{http_code}",
            &url,
        ];
        String::from_utf8_lossy(&bounded(15, "curl", &arguments).output().unwrap().stdout)
            .into_owned()
    }

    /// A delivery of a webhook: its status.
    pub(crate) fn deliver(&self, signature: &str, id: &str) -> u16 {
        let delivery = format!("X-GitHub-Delivery: {id}");
        let signed = format!("X-Hub-Signature-256: {signature}");
        let further = [
            "--header",
            "X-GitHub-Event: ping",
            "--header",
            "Content-Type: application/json",
            "--header",
            &delivery,
            "--header",
            &signed,
            "--data-binary",
            PING,
        ];
        self.visit(HOOKS, "/github", &further).0
    }

    /// What GitHub would sign a delivery with.
    pub(crate) fn signature(&self) -> String {
        let gateway = self.container("gateway");
        let arguments = [
            "exec",
            "-i",
            &gateway,
            "/gateway",
            "webhooks",
            "sign",
            "--secret-file",
            "/run/secrets/github_webhook",
        ];
        let mut child = Command::new("docker")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(PING.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    }
}
