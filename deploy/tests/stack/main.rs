//! The whole stack on a Docker Engine, from nothing: `deploy/up`, certificates from an ACME server of
//! its own, `deploy/validate`, a backend that changes under load, every container killed in turn, what
//! can be reached from where, `down` and `up`, and a rollback. `make stack` builds the images and runs
//! this; without an engine it says that it was skipped.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test: a panic is how it fails, and what it sees is what it is for"
)]

mod certificates;
mod containers;
mod crashes;
mod docker;
mod down;
mod isolation;
mod load;
mod project;
mod reload;
mod removal;
mod rollback;
mod traffic;
mod until;
mod visitor;
mod websocket;

use serde_json::Value;

use crate::certificates::{certificates_come, it_is_valid};
use crate::crashes::{everybody_crashes_at_once, everybody_is_killed_in_turn};
use crate::docker::{has_engine, text};
use crate::down::nothing_is_lost;
use crate::isolation::isolation_holds;
use crate::load::a_backend_changes_under_load;
use crate::project::Stack;
use crate::reload::a_configuration_is_read_again;
use crate::rollback::a_bad_image_is_taken_back;
use crate::traffic::traffic_flows;

#[test]
fn the_stack_stands_from_nothing_and_stays() {
    if !has_engine() {
        eprintln!("\n*** SKIPPED: the whole stack: no Docker Engine answers here\n");
        return;
    }
    let stack = Stack::new();

    stack.step("deploy/up uat, from nothing");
    let output = stack.up(&[]);
    eprintln!("{}", text(&output));
    assert!(output.status.success(), "deploy/up does not succeed from nothing");

    certificates_come(&stack);
    it_is_valid(&stack);
    let list = traffic_flows(&stack);
    a_backend_changes_under_load(&stack);
    a_configuration_is_read_again(&stack);
    isolation_holds(&stack);
    everybody_is_killed_in_turn(&stack, &list);
    everybody_crashes_at_once(&stack);
    nothing_is_lost(&stack, &list);
    a_bad_image_is_taken_back(&stack, &list);

    stack.step("deploy/status uat");
    eprintln!("{}", stack.good("status", &["uat"]));
    let json: Value = serde_json::from_str(&stack.good("status", &["uat", "--json"])).unwrap();
    assert_eq!(json["healthy"], true, "{json}");
    stack.step("the end");
}
