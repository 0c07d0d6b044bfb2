//! `deploy/test-images/build`, on a folder of its own with one small image: it replaces and removes what
//! it made itself, and nothing else.
//!
//! Needs a Docker Engine: `make stack`, or `cargo test -p gateway-deploy --test test_images`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const LABEL: &str = r#""org.gateway.test-image":"true""#;

fn docker_runs() -> bool {
    let engine = Command::new("docker").arg("version").output();
    let runs = engine.is_ok_and(|ran| ran.status.success());
    if !runs {
        // Past the test harness, which would keep it to itself.
        let said = "\n*** SKIPPED: the test of test images: no Docker Engine answers here\n\n";
        std::io::stderr().write_all(said.as_bytes()).unwrap();
    }
    runs
}

/// A copy of the script, beside one folder `probe`.
struct Folder {
    dir: TempDir,
    image: String,
}

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-images/build");
        fs::copy(script, dir.path().join("build")).unwrap();
        fs::create_dir(dir.path().join("probe")).unwrap();
        let name =
            dir.path().file_name().unwrap().to_string_lossy().replace('.', "").to_lowercase();
        let image = format!("image-test-probe:{name}");
        let folder = Self { dir, image };
        folder.write("image", &format!("# the name\n{}\n", folder.image));
        folder.write("Dockerfile", "FROM scratch\nCOPY file /file\n");
        folder.write("file", "one");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join("probe").join(name), text).unwrap();
    }

    fn build(&self, args: &[&str]) -> Output {
        Command::new(self.dir.path().join("build")).args(args).output().unwrap()
    }

    /// What the script says, which has to succeed.
    fn says(&self, args: &[&str]) -> String {
        let ran = self.build(args);
        assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// The image's id and its labels among the rest, if it is there.
    fn image(&self) -> Option<String> {
        let args = ["image", "inspect", "--format", "{{ .Id }} {{ json .Config }}", &self.image];
        let ran = Command::new("docker").args(args).output().unwrap();
        ran.status.success().then(|| String::from_utf8(ran.stdout).unwrap())
    }

    /// An image of the same name that the script did not make.
    fn real_image(&self) {
        let tar = self.dir.path().join("empty.tar");
        // Two blocks of zeros: an archive of nothing.
        fs::write(&tar, [0; 1024]).unwrap();
        let ran = Command::new("docker").arg("import").arg(tar).arg(&self.image).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(Command::new("docker").args(["rmi", "--force", &self.image]).output());
    }
}

#[test]
fn only_what_it_made_is_replaced_or_removed() {
    if !docker_runs() {
        return;
    }
    let folder = Folder::new();
    assert!(folder.says(&["--list"]).contains("not there"));

    assert!(folder.says(&[]).contains("made in"));
    let first = folder.image().unwrap();
    assert!(first.contains(LABEL), "no label: {first}");
    assert!(folder.says(&["probe"]).contains("is there"), "made again without a change");
    folder.write("file", "two");
    assert!(folder.says(&[]).contains("made in"), "not made again after a change");
    assert_ne!(folder.image().unwrap(), first);
    assert!(folder.says(&["--remove"]).contains("removed"));
    assert_eq!(folder.image(), None);

    folder.real_image();
    let real = folder.image().unwrap();
    let refused = folder.build(&[]);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains(&folder.image) && said.contains("docker rmi"), "{said}");
    assert!(folder.says(&["--remove"]).contains("was not made here"));
    assert_eq!(folder.image().unwrap(), real, "the real image is another now");

    let unknown = folder.build(&["prob"]);
    assert_eq!(unknown.status.code(), Some(1));
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.contains("prob") && said.contains("--list"), "{said}");
}

#[test]
fn an_image_that_cannot_be_made_says_why() {
    if !docker_runs() {
        return;
    }
    let folder = Folder::new();
    folder.write("Dockerfile", "FROM scratch\nCOPY missing /\n");
    let failed = folder.build(&[]);
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(said.contains("missing") && said.contains("probe"), "{said}");
}
