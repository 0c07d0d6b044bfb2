//! Every command in the documents is run, document by document, from top to bottom as a reader
//! would: configurations are written to the files that they are named after, `gateway run` and the
//! demo are started and stay up, and what a document shows as output is compared with the output.
//!
//! - `sh` blocks hold commands that succeed.
//! - `console` blocks hold commands behind `$ `, each with its output; `…` stands for any text, and
//!   alone on a line for any lines. A command that fails is followed by `$ echo $?`.
//! - Ports are not the documents' own: whatever listens, listens on free ones, and commands and
//!   outputs are changed to match.

mod origin;
mod output;
mod process;
mod server;
mod session;

pub(crate) use session::Session;

use crate::markdown::{Block, Document};
use crate::project;

/// Runs all commands of one document.
fn run(path: &str) {
    let document = Document::open(path);
    let mut session = Session::begin();
    for block in document.blocks() {
        match (block.language.as_str(), &block.file) {
            (_, Some(file)) => session.write(file, &block.text),
            ("sh", None) => run_script(&mut session, &block),
            ("console", None) => run_dialogue(&mut session, &block),
            _ => {}
        }
    }
    session.end();
}

fn run_script(session: &mut Session, block: &Block) {
    for command in commands(&block.text) {
        let answer = session.run(&command, &block.place);
        assert_eq!(answer.status, 0, "{}: {command}: {answer:?}", block.place);
    }
}

/// The lines of a script, those that end with a backslash joined, comments left out.
fn commands(script: &str) -> Vec<String> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn run_dialogue(session: &mut Session, block: &Block) {
    let Some(dialogue) = block.text.strip_prefix("$ ") else {
        panic!("{}: a console block begins with `$ `", block.place)
    };
    let turns: Vec<&str> = dialogue.split("\n$ ").collect();
    for (index, turn) in turns.iter().enumerate() {
        let (command, expected) = turn.split_once('\n').unwrap_or((turn, ""));
        let answer = session.run(command, &block.place);
        let status_is_shown = turns.get(index + 1).is_some_and(|next| next.starts_with("echo $?"));
        assert!(answer.status == 0 || status_is_shown, "{}: {command}: {answer:?}", block.place);
        if let Some(output) = &answer.output {
            let expected = session.with_ports(expected);
            output::compare(&expected, output, &format!("{}: $ {command}", block.place));
        }
    }
}

/// One test for each document, so that they run side by side.
macro_rules! documents {
    ($($name:ident = $path:literal;)*) => {
        $(#[test] fn $name() { run($path); })*

        #[test]
        fn no_document_is_left_out() {
            let mut documents = project::documents();
            documents.retain(|path| !project::ELSEWHERE.contains(&path.as_str()));
            assert_eq!(documents, [$($path),*]);
        }
    };
}

documents! {
    architecture = "ARCHITECTURE.md";
    changelog = "CHANGELOG.md";
    contributing = "CONTRIBUTING.md";
    readme = "README.md";
    benchmarks = "docs/benchmarks.md";
    certificates_acme = "docs/certificates-acme.md";
    check_config_in_ci = "docs/check-config-in-ci.md";
    configuration = "docs/configuration.md";
    deploy_backup = "docs/deploy-backup.md";
    deploy_cloudflare = "docs/deploy-cloudflare.md";
    deploy_first = "docs/deploy-first.md";
    deploy_from_nginx = "docs/deploy-from-nginx.md";
    deploy_image = "docs/deploy-image.md";
    deploy_kubernetes = "docs/deploy-kubernetes.md";
    deploy_monitoring = "docs/deploy-monitoring.md";
    deploy_runners = "docs/deploy-runners.md";
    deploy_systemd = "docs/deploy-systemd.md";
    embedding = "docs/embedding.md";
    getting_started = "docs/getting-started.md";
    operations = "docs/operations.md";
    reference = "docs/reference.md";
    troubleshooting = "docs/troubleshooting.md";
}
