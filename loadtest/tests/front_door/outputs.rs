//! What a run writes: the summary, JSON, HTML, objectives, a comparison.

use std::fs::File;
use std::process::{Command, Stdio};

use nix::pty::openpty;

use crate::harness::origin::Origin;
use crate::harness::{Folder, Run};

fn scenario(origin: &Origin, more: &str) -> String {
    format!(
        "name = \"<shop> & 'co'\"\ntarget = \"http://{}\"\nconnections = 2\nduration = \"300ms\"\n{more}",
        origin.address
    )
}

fn run(arguments: &[&str], more: &str) -> (Run, Folder) {
    let origin = Origin::http1();
    let folder = Folder::new();
    folder.write("scenario.toml", &scenario(&origin, more));
    let run = folder.run(&[&["run", "scenario.toml"], arguments].concat());
    (run, folder)
}

#[test]
fn the_summary_goes_to_stdout_without_colours_and_without_progress() {
    let (run, _) = run(&[], "");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert!(run.stdout.starts_with("<shop> & 'co'\n  requests     "), "{}", run.stdout);
    assert!(run.stdout.contains(", no errors\n"), "{}", run.stdout);
    assert!(!run.stdout.contains('\x1b'), "{}", run.stdout);
}

#[test]
fn objectives_decide_the_status() {
    let (good, _) = run(&["--slo", "p99<60s", "--slo", "errors<=0%", "--slo", "rate>1/s"], "");
    assert_eq!(good.code, Some(0), "{}", good.stdout);
    assert_eq!(good.stdout.matches("SLO met").count(), 3, "{}", good.stdout);
    let (bad, _) = run(&["--slo", "p99<60s", "--slo", "rate>9000000/s", "--quiet"], "");
    assert_eq!((bad.code, bad.stdout.as_str()), (Some(1), ""));
    let (failing, _) = run(&["--slo", "errors<50%"], "[[request]]\npath = \"/status/500\"\n");
    assert_eq!(failing.code, Some(1));
    assert!(failing.stdout.contains("SLO missed   errors<50%: 100.000 %"), "{}", failing.stdout);
    assert!(failing.stdout.contains("status: status 500"), "{}", failing.stdout);
}

#[test]
fn the_report_needs_no_other_file_and_says_nothing_unescaped() {
    let (run, folder) = run(&["--html", "report.html", "--slo", "p99<60s"], "");
    assert_eq!(run.code, Some(0));
    let html = folder.read("report.html");
    assert!(html.contains("<h1>&lt;shop&gt; &amp; &#39;co&#39;</h1>"));
    assert_eq!(html.matches("<svg ").count(), 4);
    for outside in ["<script", "<link", "<img", "@import", "url(", "https://"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for opened in ["figure", "section", "table", "svg", "main", "dl"] {
        let count = |tag: &str| html.matches(tag).count();
        let begun = count(&format!("<{opened}>")) + count(&format!("<{opened} "));
        assert_eq!(begun, count(&format!("</{opened}>")), "{opened}");
    }
}

#[test]
fn a_run_is_compared_with_an_earlier_one() {
    let origin = Origin::http1();
    let folder = Folder::new();
    let longer = scenario(&origin, "mode = \"open\"\nrate = \"50/s\"\n");
    folder.write("scenario.toml", &longer);
    let short = ["run", "scenario.toml", "--json", "short.json"];
    assert_eq!(folder.run(&short).code, Some(0));
    let run = folder.run(&[&short[..2], &["--compare", "short.json"]].concat());
    assert_eq!(run.code, Some(0));
    assert!(run.stdout.contains("no intervals: 1 and 1 seconds are too few, 10 each are needed"));
    assert!(run.stdout.contains("too short to tell"), "{}", run.stdout);
    let run = folder.run(&[&short[..2], &["--compare", "short.json", "--rate", "60/s"]].concat());
    assert!(run.stdout.contains("note: asked differently: rate: 50/s, now 60/s"), "{}", run.stdout);
}

#[test]
fn what_is_no_result_is_not_compared_with() {
    let origin = Origin::http1();
    for (text, expected) in [
        ("{}", "is not a result of `loadtest run --json`: missing field `version`"),
        ("{\"version\": 99}", "its version is 99, and this program knows 1"),
    ] {
        let folder = Folder::new();
        folder.write("scenario.toml", &scenario(&origin, ""));
        folder.write("old.json", text);
        let run = folder.run(&["run", "scenario.toml", "--compare", "old.json"]);
        assert_eq!(run.code, Some(2));
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
    assert_eq!(origin.requests(), 0, "nothing is sent for a comparison that cannot be");
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let (run, _) = run(&["--json", "no/such/folder.json"], "");
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.starts_with("error: cannot write no/such/folder.json: "), "{}", run.stderr);
}

/// Runs with a terminal for stderr, and returns what it shows.
fn on_a_terminal(variable: Option<(&str, &str)>) -> String {
    let origin = Origin::http1();
    let folder = Folder::new();
    folder.write("scenario.toml", &scenario(&origin, ""));
    let pty = openpty(None, None).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadtest"));
    command.args(["run", "scenario.toml", "--duration", "1s"]).current_dir(folder.path());
    command.env_remove("NO_COLOR").env("TERM", "xterm").envs(variable);
    command.stdin(Stdio::null()).stdout(pty.slave.try_clone().unwrap()).stderr(pty.slave);
    let mut child = command.spawn().unwrap();
    // Without this, the terminal would have an end that is still open.
    drop(command);
    let mut shown = Vec::new();
    // A terminal whose other end is closed ends with an error.
    let _ = std::io::Read::read_to_end(&mut File::from(pty.master), &mut shown);
    assert!(child.wait().unwrap().success());
    String::from_utf8(shown).unwrap()
}

#[test]
fn a_terminal_shows_progress_and_colours() {
    let shown = on_a_terminal(None);
    assert!(shown.contains("s left\x1b[K"), "{shown:?}");
    assert!(shown.contains("\x1b[1m<shop>"), "{shown:?}");
    let plain = on_a_terminal(Some(("NO_COLOR", "1")));
    assert!(plain.contains("s left") && !plain.contains("\x1b[1m"), "{plain:?}");
}
