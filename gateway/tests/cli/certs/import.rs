//! `gateway certs import`.

use std::os::unix::fs::symlink;

use rcgen::KeyPair;

use super::{BY_ACME, keep, kept_in};
use crate::harness::Folder;
use crate::harness::certs::{issue, issue_for, issue_rsa};

const LONG: &str = "a-much-longer-name.shop.example.com";

/// certbot's folder: the files of `live` lead to `archive`.
fn by_certbot(folder: &Folder, name: &str, (cert, key): &(String, String)) {
    let root = "letsencrypt";
    folder.write(&format!("{root}/live/README"), "This directory contains your keys");
    folder.write(&format!("{root}/archive/{name}/fullchain1.pem"), cert);
    folder.write(&format!("{root}/archive/{name}/privkey1.pem"), key);
    let live = folder.path().join(root).join("live").join(name);
    std::fs::create_dir_all(&live).unwrap();
    for file in ["fullchain", "privkey"] {
        let target = format!("../../archive/{name}/{file}1.pem");
        symlink(target, live.join(format!("{file}.pem"))).unwrap();
    }
}

fn by_caddy(folder: &Folder, ca: &str, name: &str, (cert, key): &(String, String)) {
    let stem = format!("caddy/certificates/{ca}/{name}/{name}");
    folder.write(&format!("{stem}.crt"), cert);
    folder.write(&format!("{stem}.key"), key);
    folder.write(&format!("{stem}.json"), "{}");
}

#[test]
fn from_certbot() {
    let folder = Folder::with_config(BY_ACME);
    let names = ["example.com", "www.example.com"];
    by_certbot(&folder, "example.com", &issue(&names, 2999));
    let best = issue(&names, 3000);
    by_certbot(&folder, "example.com-0001", &best);
    by_certbot(&folder, "example.com-0002", &issue(&names, 2001));
    by_certbot(&folder, "only-www", &issue(&["www.example.com"], 3001));
    by_certbot(&folder, "rsa", &issue_rsa(&[LONG], 3000));
    let staging = issue_for(&KeyPair::generate().unwrap(), "(STAGING) Pear", &names, 3002);
    by_certbot(&folder, "try", &staging);

    let dry = ["certs", "import", "--from", "letsencrypt", "--dry-run"];
    folder.run(&dry).on_any_day().exits_with(1).is("certs/import-certbot-dry");
    let real = &dry[..4];
    folder.run_freely(real).on_any_day().exits_with(1).is("certs/import-certbot");

    let file = folder.path().join(&kept_in(&folder)[0]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{}{}", best.1, best.0));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let run = folder.run_freely(real).on_any_day();
    run.exits_with(1).is("certs/import-again");
    folder.run(&["certs", "list"]).on_any_day().exits_with(0).is("certs/import-list");
}

#[test]
fn from_caddy() {
    let folder = Folder::with_config(BY_ACME);
    let ca = "acme-v02.api.letsencrypt.org-directory";
    by_caddy(&folder, ca, "example.com", &issue(&["example.com"], 3000));
    by_caddy(&folder, ca, LONG, &issue(&[LONG], 3000));
    by_caddy(&folder, "acme.zerossl.com-v2-DV90", LONG, &issue_rsa(&[LONG], 3000));
    let key = KeyPair::generate().unwrap();
    let own = issue_for(&key, "Caddy Local Authority - ECC Intermediate", &["example.com"], 3000);
    by_caddy(&folder, "local", "example.com", &own);

    for from in ["caddy", ".", "caddy/certificates"] {
        let run = folder.run(&["certs", "import", "--from", from, "--dry-run"]);
        assert!(
            run.exits_with(1).stdout.contains("Caddy's, with 4 certificates"),
            "{}",
            run.stdout
        );
    }
    let run = folder.run_freely(&["certs", "import", "--from", "caddy"]);
    run.on_any_day().exits_with(1).is("certs/import-caddy");
}

#[test]
fn what_lasts_longer_stays_and_what_failed_is_forgotten() {
    let folder = Folder::with_config(BY_ACME);
    let files = kept_in(&folder);
    keep(&folder, &files[0], &issue(&["example.com", "www.example.com"], 3000));
    keep(&folder, &files[1], &issue(&[LONG], 2999));
    let ledger = files[1].replace(".pem", ".json");
    folder.write(&ledger, r#"{ "failures": 7, "issued": [1780000000] }"#);
    by_certbot(&folder, "a", &issue(&["example.com", "www.example.com"], 2999));
    by_certbot(&folder, "b", &issue(&[LONG], 3000));
    by_certbot(&folder, "c", &issue_rsa(&[LONG], 3000));
    let run = folder.run_freely(&["certs", "import", "--from", "letsencrypt/live"]);
    run.on_any_day().exits_with(0).is("certs/import-longer");
    let ledger = std::fs::read_to_string(folder.path().join(ledger)).unwrap();
    assert!(ledger.contains("\"failures\": 0") && ledger.contains("1780000000"), "{ledger}");
}

#[test]
fn nothing_to_import_and_wrong_folders() {
    let folder = Folder::with_config(BY_ACME);
    folder.write("letsencrypt/live/README", "nothing yet");
    let from = |name| ["certs", "import", "--from", name, "--dry-run"];
    folder.run(&from("letsencrypt")).exits_with(1).is("certs/import-nothing");
    folder.write("elsewhere/file", "");
    folder.run(&from("elsewhere")).exits_with(2).is("certs/import-wrong-folder");
    folder.run(&from("missing")).exits_with(2).is("certs/import-missing-folder");
    let none = BY_ACME.replace("\"acme\"", "\"self-signed\"");
    let none =
        Folder::with_config(&none.replace("{ acme = { keys = \"both\" } }", "\"self-signed\""));
    none.run(&from("missing")).exits_with(0).is("certs/import-no-acme");
}
