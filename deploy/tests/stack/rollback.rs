//! An image that is no good, and the way back.

use std::fs;

use crate::docker::{docker, text};
use crate::project::Stack;
use crate::visitor::DOMAIN;

pub(crate) fn a_bad_image_is_taken_back(stack: &Stack, list: &str) {
    stack.step("an image that never becomes healthy, and deploy/rollback uat");
    let env = stack.path("env/uat.env");
    let before = fs::read_to_string(&env).unwrap();
    let line = before.lines().find(|line| line.starts_with("BACKEND_IMAGE=")).unwrap();
    build_broken_image(stack, line.split_once('=').unwrap().1);
    fs::write(&env, before.replace(line, &format!("BACKEND_IMAGE={}", broken_image(stack))))
        .unwrap();

    let output = stack.up(&["--timeout", "45"]);
    let said = text(&output);
    eprintln!("{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("backend is not healthy"), "{said}");
    let path = format!("/api/v1/lists/{list}");
    assert_eq!(stack.get(DOMAIN, &path), 200, "the old backend does not serve");

    eprintln!("{}", stack.good("rollback", &["uat"]));
    let now = fs::read_to_string(&env).unwrap();
    assert!(now.contains(line), "the env file does not name the old image again: {now}");
    assert_eq!(stack.get(DOMAIN, &path), 200, "the backend does not serve after the rollback");
    let image =
        docker(&["inspect", "--format", "{{ .Config.Image }}", &stack.container("backend")]);
    assert_eq!(format!("BACKEND_IMAGE={image}"), line, "the backend runs another image");
}

/// A backend that runs and does nothing.
fn build_broken_image(stack: &Stack, good: &str) {
    let folder = stack.folder.path().join("broken");
    fs::create_dir(&folder).unwrap();
    let dockerfile = format!("FROM {good}\nENTRYPOINT []\nCMD [\"sleep\", \"600\"]\n");
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
    docker(&["build", "--quiet", "--tag", &broken_image(stack), folder.to_str().unwrap()]);
}

/// Its name, which goes away with the stack.
pub(crate) fn broken_image(stack: &Stack) -> String {
    format!("{}-broken:1", stack.project)
}
