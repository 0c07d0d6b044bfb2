//! `gateway hash-password` and `gateway webhooks`: what is made by hand.

use std::io::Write;
use std::process::{Output, Stdio};

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use gateway_config::model::PasswordHash;

use crate::harness::Folder;

/// Runs a command that is given something on stdin.
fn given(folder: &Folder, arguments: &[&str], stdin: &str) -> Output {
    let mut command = folder.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that has seen enough may be gone.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn what_hash_password_prints_is_a_hash_of_the_line() {
    let folder = Folder::new();
    for (stdin, password) in [("hunter2\n", "hunter2"), ("a b\r\nc\n", "a b"), ("päss", "päss")] {
        let (code, hash, stderr) = said(&given(&folder, &["hash-password"], stdin));
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        let hash = PasswordHash::parse(hash.strip_suffix('\n').unwrap()).unwrap();
        let verified = Argon2::default().verify_password(password.as_bytes(), hash.as_str());
        assert!(verified.is_ok(), "{password}");
    }
    let (code, stdout, stderr) = said(&given(&folder, &["hash-password"], "\n"));
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert_eq!(stderr, "error: there is no password on stdin; write it on one line\n");
}

#[test]
fn a_payload_is_signed_as_github_does() {
    let folder = Folder::new();
    folder.write("secret", "It's a Secret to Everybody\n");
    let sign = ["webhooks", "sign", "--secret-file", "secret"];
    let (code, signature, _) = said(&given(&folder, &sign, "Hello, World!"));
    let documented = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!((code, signature.trim_end()), (Some(0), documented));

    let verify = ["webhooks", "verify", "--secret-file", "secret", "--signature", documented];
    let good = said(&given(&folder, &verify, "Hello, World!"));
    assert_eq!(good, (Some(0), "the signature is good\n".into(), String::new()));
    let (code, stdout, stderr) = said(&given(&folder, &verify, "Hello, World!\n"));
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert_eq!(stderr, "the signature is not by this secret, or not of this payload\n");

    let missing = ["webhooks", "sign", "--secret-file", "no-secret"];
    let (code, _, stderr) = said(&given(&folder, &missing, ""));
    assert_eq!(code, Some(2));
    assert!(stderr.starts_with("error: the secret's file `no-secret` cannot be read"), "{stderr}");
    let (code, _, stderr) = said(&given(&folder, &["webhooks", "sign"], ""));
    assert!(code == Some(2) && stderr.contains("--secret-file"), "{stderr}");
}
