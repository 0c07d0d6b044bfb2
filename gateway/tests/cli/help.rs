//! Help, version and usage errors.

use crate::harness::Folder;

#[test]
fn every_command_has_its_help() {
    let folder = Folder::new();
    folder.run(&["--help"]).exits_with(0).is("help/gateway");
    for command in [
        "run",
        "reload",
        "demo",
        "check-config",
        "explain",
        "schema",
        "healthcheck",
        "hash-password",
    ] {
        let run = folder.run(&[command, "--help"]);
        run.exits_with(0).is(&format!("help/{command}"));
        assert!(command == "demo" || run.stdout.contains("Example"), "{}", run.stdout);
    }
    folder.run(&["acme", "--help"]).exits_with(0).is("help/acme");
    folder.run(&["acme", "doctor", "--help"]).exits_with(0).is("help/acme-doctor");
}

#[test]
fn the_commands_below_commands_have_their_help() {
    let folder = Folder::new();
    for (command, below) in [
        ("certs", &["list", "revoke", "import"][..]),
        ("acme", &["status", "rotate-key"]),
        ("webhooks", &["sign", "verify"]),
    ] {
        folder.run(&[command, "--help"]).exits_with(0).is(&format!("help/{command}"));
        for name in below {
            let run = folder.run(&[command, name, "--help"]);
            run.exits_with(0).is(&format!("help/{command}-{name}"));
            assert!(run.stdout.contains("Examples"), "{}", run.stdout);
        }
    }
}

#[test]
fn without_a_command_the_help_is_shown_and_nothing_succeeds() {
    let folder = Folder::new();
    let run = folder.run(&[]);
    run.exits_with(2);
    assert_eq!(run.stderr, folder.run(&["--help"]).stdout);
}

#[test]
fn the_version_is_the_packages() {
    let run = Folder::new().run(&["--version"]);
    run.exits_with(0);
    assert_eq!(run.stdout, concat!("gateway ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_command_that_is_none_is_a_usage_error() {
    Folder::new().run(&["explian", "https://a.test/"]).exits_with(2).is("help/misspelt");
}
