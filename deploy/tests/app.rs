//! The reference backend's own tests, against PostgreSQL and Redis that they start themselves.
//!
//! They are Python's and are run by pytest from a virtual environment below `target/`, which is made
//! from the lock file, every package by its hash, and kept until the lock changes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test: a panic is how it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What the tests need, and the Debian packages that bring it.
const NEEDED: [(&str, &[&str]); 3] = [
    ("python3.11", &["-c", "import venv, ensurepip"]),
    ("redis-server", &["--version"]),
    ("sh", &["-c", "ls /usr/lib/postgresql/*/bin/initdb"]),
];
const PACKAGES: &str = "sudo apt-get install -y python3.11 python3.11-venv redis-server postgresql";

fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], folder: &Path) -> Option<Output> {
    Command::new(program).args(arguments).current_dir(folder).output().ok()
}

fn text(output: &Output) -> String {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn checked(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], folder: &Path) {
    let said = run(program, arguments, folder).expect("it can be started");
    assert!(said.status.success(), "{arguments:?}: {}", text(&said));
}

/// The environment's Python, made where it is not there or of another lock.
fn python(backend: &Path) -> PathBuf {
    let target = backend.join("../../../target");
    fs::create_dir_all(&target).unwrap();
    let environment = target.canonicalize().unwrap().join("backend-venv");
    let python = environment.join("bin/python");
    let lock = fs::read_to_string(backend.join("poetry.lock")).unwrap();
    let installed = environment.join("installed.lock");
    if fs::read_to_string(&installed).is_ok_and(|of| of == lock) {
        return python;
    }
    let _ = fs::remove_dir_all(&environment);
    checked("python3.11", &["-m", "venv", environment.to_str().unwrap()], backend);
    let requirements = environment.join("requirements.txt");
    fs::write(&requirements, requirements_of(&lock)).unwrap();
    let file = requirements.to_str().unwrap();
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-r",
        file,
    ];
    checked(&python, &pip, backend);
    fs::write(installed, lock).unwrap();
    python
}

/// The lock's packages as pip takes them. Poetry would do the same, and bring forty packages to do it.
fn requirements_of(lock: &str) -> String {
    let mut requirements = String::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key))?;
            Some(line.trim_start_matches([' ', '=']).trim_matches('"').to_owned())
        };
        let (name, version) = (value("name ").unwrap(), value("version ").unwrap());
        // Of other systems and older Pythons.
        if package.contains("markers = ") && !holds_here(&value("markers ").unwrap_or_default()) {
            continue;
        }
        requirements += &format!("{name}=={version}");
        for hash in
            package.split("hash = \"sha256:").skip(1).filter_map(|rest| rest.split('"').next())
        {
            requirements += &format!(" --hash=sha256:{hash}");
        }
        requirements.push('\n');
    }
    requirements
}

/// Whether a package is wanted here. The lock is for Python 3.11, so what its markers leave out are
/// packages for Windows.
fn holds_here(markers: &str) -> bool {
    !markers.contains("sys_platform == \\\"win32")
}

#[test]
fn the_backends_own_tests_pass() {
    let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("app/backend");
    for (program, arguments) in NEEDED {
        if !run(program, arguments, &backend).is_some_and(|said| said.status.success()) {
            eprintln!(
                "\n*** SKIPPED: the backend's tests: not all of this is installed: {PACKAGES}\n"
            );
            return;
        }
    }
    let pytest = Command::new(python(&backend))
        .args(["-m", "pytest", "-q", "-rs"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&backend)
        .output()
        .unwrap();
    let said = text(&pytest);
    assert!(pytest.status.success(), "{said}");
    // What pytest skips itself is no pass.
    assert!(!said.contains("SKIPPED"), "{said}");
}

#[test]
fn every_package_of_the_lock_has_hashes() {
    let lock = include_str!("../app/backend/poetry.lock");
    let requirements = requirements_of(lock);
    assert!(requirements.lines().count() > 20, "{requirements}");
    assert!(requirements.lines().all(|line| line.contains(" --hash=sha256:")), "{requirements}");
    assert!(
        !requirements.contains("colorama") && !requirements.contains("tzdata"),
        "{requirements}"
    );
}
