//! The end: what a failed test leaves to read, and nothing else of it.

use std::thread;

use crate::docker::{bounded, text};
use crate::project::Stack;
use crate::rollback::broken_image;

// Nothing here may panic: this runs while the test does.
impl Drop for Stack {
    fn drop(&mut self) {
        if thread::panicking() {
            self.tell_about_the_unwell();
        }
        self.remove();
    }
}

impl Stack {
    fn tell_about_the_unwell(&self) {
        let label = self.label();
        let all = ["ps", "-a", "--filter", &label, "--format", "{{ .Names }} {{ .Status }}"];
        let listed =
            bounded(20, "docker", &all).output().map(|said| text(&said)).unwrap_or_default();
        eprintln!("\n{listed}");
        for line in listed.lines().filter(|line| !line.contains("(healthy)")) {
            let name = line.split(' ').next().unwrap_or_default();
            let said = bounded(20, "docker", &["logs", "--tail", "30", name]).output();
            eprintln!("\n--- {name}\n{}", said.map(|said| text(&said)).unwrap_or_default());
        }
    }

    fn remove(&self) {
        let label = self.label();
        let kept = format!("{}-kept/*:*", self.project);
        let all: [(&[&str], &[&str]); 4] = [
            (&["ps", "-aq", "--filter", &label], &["rm", "--force", "--volumes"]),
            (&["network", "ls", "-q", "--filter", &label], &["network", "rm"]),
            (&["volume", "ls", "-q", "--filter", &label], &["volume", "rm", "--force"]),
            (&["images", "--format", "{{ .Repository }}:{{ .Tag }}", &kept], &["rmi", "--force"]),
        ];
        for (list, remove) in all {
            let Ok(found) = bounded(60, "docker", list).output() else { continue };
            let found = String::from_utf8_lossy(&found.stdout).into_owned();
            let names: Vec<&str> = found.lines().collect();
            if !names.is_empty() {
                drop(bounded(120, "docker", &[remove, &names].concat()).output());
            }
        }
        drop(bounded(30, "docker", &["rmi", "--force", &broken_image(self)]).output());
    }
}
