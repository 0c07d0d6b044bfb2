//! A backend that is replaced while it is asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::docker::text;
use crate::project::Stack;
use crate::visitor::DOMAIN;

/// As many GETs each visitor still sends when `deploy/up` has ended, to the new backend alone.
const FURTHER: u32 = 10;

pub(crate) fn a_backend_changes_under_load(stack: &Stack) {
    stack.step("a new backend under load");
    let before = (stack.container("backend"), stack.address("backend", "application"));
    let has_changed = AtomicBool::new(false);
    let answers = thread::scope(|scope| {
        let visitors = [(); 3].map(|()| scope.spawn(|| ask(stack, &has_changed)));
        let output = stack.up(&["--renew"]);
        has_changed.store(true, Ordering::Relaxed);
        assert!(output.status.success(), "{}", text(&output));
        visitors.map(|one| one.join().unwrap()).concat()
    });
    let after = (stack.container("backend"), stack.address("backend", "application"));
    let asked = answers.len();
    let failed: Vec<_> = answers.into_iter().filter(|(status, _)| *status != 200).collect();
    eprintln!("{} -> {}: {asked} GETs, {} failed", before.1, after.1, failed.len());
    assert_ne!(before.0, after.0, "the backend's container is still the old one");
    assert_ne!(before.1, after.1, "the backend's address is still the old one");
    assert!(asked > 40, "only {asked} requests");
    assert!(failed.is_empty(), "{failed:?}");
}

/// Sends one GET after the other until the backend has changed, and some further ones; every answer.
fn ask(stack: &Stack, has_changed: &AtomicBool) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    let mut further = 0;
    while further < FURTHER {
        // Read before the request is sent: one that was under way at the change is no further one.
        further += u32::from(has_changed.load(Ordering::Relaxed));
        answers.push(stack.visit(DOMAIN, "/api/v1/lists", &[]));
        // Together below the limit of the API, which is ten a second.
        thread::sleep(Duration::from_millis(320));
    }
    answers
}
