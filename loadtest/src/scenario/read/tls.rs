//! `[tls]`.

use std::fs;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use super::Context;
use super::table::Table;
use super::value::Value;
use crate::scenario::Tls;
use crate::scenario::target::Host;

/// How an `https://` target is spoken to; `None` for `http://`.
pub(super) fn read(root: &Table<'_>, context: &Context<'_>) -> Option<Tls> {
    let given = root.get("tls");
    if !context.target.tls {
        root.refuse(
            "tls",
            "[tls] is for https:// targets",
            "write https:// in `target`, or remove [tls]",
        );
        return None;
    }
    let by_host = match &context.target.host {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(address) => Some(ServerName::from(*address)),
    };
    let default = Tls { roots: None, server_name: by_host?, resumption: true, verify: true };
    match given.and_then(|value| value.table("[tls]")) {
        Some(table) => Some(read_table(table, default, context)),
        None => Some(default),
    }
}

fn read_table(table: Table<'_>, default: Tls, context: &Context<'_>) -> Tls {
    let tls = Tls {
        roots: table.read("ca", None, |value| Some(Some(read_roots(value, context)?))),
        server_name: table.read("server_name", default.server_name, read_server_name),
        resumption: table.read("resumption", true, Value::bool),
        verify: table.read("verify", true, Value::bool),
    };
    if !tls.verify {
        table.only_one_of(&["verify", "ca"]);
    }
    table.finish();
    tls
}

fn read_server_name(value: &Value<'_>) -> Option<ServerName<'static>> {
    let text = value.text()?;
    let name = ServerName::try_from(text.to_ascii_lowercase()).ok();
    if name.is_none() {
        value.complain(
            format!("\"{text}\" is not a name that a certificate can have"),
            "write a host name",
        );
    }
    name
}

fn read_roots(value: &Value<'_>, context: &Context<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let name = value.text()?;
    let pem = match fs::read(context.folder.join(name)) {
        Ok(pem) => pem,
        Err(error) => {
            value.complain(
                format!("cannot read {name}: {error}"),
                "name a PEM file; a relative path begins at the scenario's folder",
            );
            return None;
        }
    };
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.ok().filter(|list| !list.is_empty());
    if certificates.is_none() {
        value.complain(
            format!("{name} holds no certificate in PEM"),
            "name the file of the root certificate",
        );
    }
    certificates
}
