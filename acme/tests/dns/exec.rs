//! Programs that change records.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gateway_acme::dns::{DnsError, ExecError, Provider};
use gateway_config::model::DnsProvider;
use tempfile::TempDir;

use crate::{ONE, TWO, record};

const NAME: &str = "_acme-challenge.example.test";

fn provider(command: &[&str]) -> Provider {
    let command = command.iter().map(ToString::to_string).collect();
    Provider::new(&DnsProvider::Exec { command }, &[]).unwrap()
}

/// A script, run by the shell so that no other test's fork can hold it open for writing.
fn script(dir: &TempDir, text: &str) -> Provider {
    let path = dir.path().join("script");
    fs::write(&path, text).unwrap();
    provider(&["/bin/sh", path.to_str().unwrap(), "first"])
}

async fn failed(provider: &Provider) -> ExecError {
    match provider.set(&record(NAME, ONE)).await.unwrap_err() {
        DnsError::Exec(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn it_gets_its_arguments_and_little_else() {
    let dir = TempDir::new().unwrap();
    let to = dir.path().display();
    let provider =
        script(&dir, &format!("echo \"$# $*\" >> {to}/arguments; env > {to}/environment"));
    provider.set(&record(NAME, ONE)).await.unwrap();
    provider.remove(&record(NAME, TWO)).await.unwrap();
    let arguments = fs::read_to_string(dir.path().join("arguments")).unwrap();
    assert_eq!(arguments, format!("4 first set {NAME} {ONE}\n4 first remove {NAME} {TWO}\n"));
    let environment = fs::read_to_string(dir.path().join("environment")).unwrap();
    let mut names: Vec<_> =
        environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.sort_unstable();
    // The shell's own are among them.
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    let expected: Vec<_> =
        ["HOME", "PATH"].into_iter().filter(|name| std::env::var_os(name).is_some()).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn it_fails_and_says_why() {
    let dir = TempDir::new().unwrap();
    let provider = script(&dir, "for n in 1 2 3 4; do echo \"line $n\" >&2; done; exit 7");
    let ExecError::Failed { action, ended, stderr, .. } = failed(&provider).await else { panic!() };
    assert_eq!((action, ended.as_str()), ("set", "ended with status 7"));
    assert_eq!(stderr, " saying `line 2 / line 3 / line 4`");
    let ExecError::Failed { ended, stderr, .. } = failed(&script(&dir, "kill -9 $$")).await else {
        panic!()
    };
    assert_eq!((ended.as_str(), stderr.as_str()), ("was ended by signal 9", ""));
}

#[tokio::test]
async fn it_writes_more_than_a_pipe_holds() {
    let dir = TempDir::new().unwrap();
    let provider = script(&dir, "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1");
    let ExecError::Failed { stderr, .. } = failed(&provider).await else { panic!() };
    assert!(stderr.len() < 3000, "{} bytes", stderr.len());
}

#[tokio::test]
async fn it_leaves_somebody_behind() {
    let dir = TempDir::new().unwrap();
    let pid = dir.path().join("pid");
    // The one that stays holds standard error open.
    let provider = script(&dir, &format!("sleep 1000 & echo $! > {}", pid.display()));
    provider.set(&record(NAME, ONE)).await.unwrap();
    let pid = fs::read_to_string(pid).unwrap();
    assert!(is_alive(&pid));
    std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
}

#[tokio::test]
async fn it_hangs_and_is_killed_with_its_children() {
    let dir = TempDir::new().unwrap();
    let pid = dir.path().join("pid");
    let text =
        format!("echo hm >&2; sleep 1000 & echo $! > {}.new; mv {0}.new {0}; wait", pid.display());
    let provider = script(&dir, &text);
    let hanging = async {
        // Dropped in the middle, as at the gateway's end.
        tokio::select! {
            error = failed(&provider) => panic!("{error:?}"),
            () = until(|| pid.exists()) => {}
        }
        fs::read_to_string(&pid).unwrap()
    };
    let sleeper = hanging.await;
    until(|| !is_alive(&sleeper)).await;

    fs::remove_file(&pid).unwrap();
    let limited = script(&dir, &text).with_time_limit(Duration::from_secs(1));
    let ExecError::Hung { stderr, limit, .. } = failed(&limited).await else { panic!() };
    assert_eq!((stderr.as_str(), limit), (" saying `hm`", Duration::from_secs(1)));
    let sleeper = fs::read_to_string(&pid).unwrap();
    until(|| !is_alive(&sleeper)).await;
}

#[tokio::test]
async fn it_cannot_be_started() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("program");
    let program = path.to_str().unwrap();
    for (exists, word) in [(false, "must exist"), (true, "chmod +x")] {
        if exists {
            fs::write(&path, "#!/bin/sh\n").unwrap();
        }
        let ExecError::Start { advice, .. } = failed(&provider(&[program])).await else { panic!() };
        assert!(advice.contains(word), "{advice}");
    }
    let ExecError::Start { .. } = failed(&provider(&[])).await else { panic!() };
}

/// Waits for a condition that is sure to come.
async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether the process is there and no zombie.
fn is_alive(pid: &str) -> bool {
    let stat = Path::new("/proc").join(pid.trim()).join("stat");
    fs::read_to_string(stat).is_ok_and(|stat| !stat.contains(") Z "))
}
