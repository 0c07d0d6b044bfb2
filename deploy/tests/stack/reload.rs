//! A configuration that changes while the gateway serves.

use std::fs;

use crate::docker::text;
use crate::project::Stack;
use crate::visitor::DOMAIN;

/// A change of gateway.toml reaches the gateway by `deploy/up`, without a new container.
pub(crate) fn a_configuration_is_read_again(stack: &Stack) {
    stack.step("a changed gateway.toml");
    let file = stack.path("gateway/uat/gateway.toml");
    let toml = fs::read_to_string(&file).unwrap();
    let container = stack.container("gateway");
    let path = "{ path = \"/health\", respond = { status = 200, body = \"ok\\n\" }";
    assert!(toml.contains(path), "the configuration answers /health in another way now");
    // Written beside and renamed, as editors do.
    let beside = stack.path("gateway/uat/.gateway.toml.new");
    fs::write(
        &beside,
        toml.replace(path, "{ path = \"/health\", respond = { status = 200, body = \"well\\n\" }"),
    )
    .unwrap();
    fs::rename(&beside, &file).unwrap();
    let output = stack.up(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(stack.visit(DOMAIN, "/health", &[]).1.trim(), "well", "{}", text(&output));
    assert_eq!(stack.container("gateway"), container, "the gateway's container was replaced");

    fs::write(&file, "[server\n").unwrap();
    let output = stack.up(&[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    fs::write(&file, toml).unwrap();
    assert_eq!(stack.get(DOMAIN, "/health"), 200, "the old configuration does not serve");
    let output = stack.up(&[]);
    assert!(output.status.success(), "{}", text(&output));
}
