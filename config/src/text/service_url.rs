//! URLs of services that the gateway itself asks: a CA's directory, an API.

use url::{Host, Url};

use crate::complaint::{Complaint, quoted};
use crate::problem::Code;

/// What a service's URL is for: how problems are called.
pub(super) struct Service {
    pub(super) code: Code,
    /// "the directory of a CA"
    pub(super) what: &'static str,
    pub(super) example: &'static str,
}

const API: Service = Service {
    code: Code::BadUrl,
    what: "the URL of an API",
    example: "https://api.cloudflare.com/client/v4",
};

/// Where an API is, without a slash at its end.
pub(crate) fn parse_api(text: &str) -> Result<String, Complaint> {
    let url = parse(text, &API)?;
    if url.query().is_some() {
        return Err(wrong(text, &API, "holds a query").help("remove it"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// An https URL without user name and fragment; http where the host is this machine, because there
/// nobody listens in between.
pub(super) fn parse(text: &str, service: &Service) -> Result<Url, Complaint> {
    let no_url = || {
        Complaint::new(service.code, format!("{} is not {}", quoted(text), service.what))
            .help(format!("write an https URL such as \"{}\"", service.example))
    };
    let url = Url::parse(text).map_err(|_| no_url())?;
    let Some(host) = url.host() else { return Err(no_url()) };
    if text.trim() != text || text.contains('\\') {
        return Err(no_url());
    }
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&host) => {}
        "http" => {
            let rest = url.as_str().trim_start_matches("http://");
            return Err(wrong(
                text,
                service,
                "is not https, and what is sent there could be read and changed on its way",
            )
            .help(format!(
                "write \"https://{rest}\"; http is for this machine alone, as in tests"
            )));
        }
        _ => return Err(no_url()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        // What stands there is a secret, and is not repeated.
        return Err(Complaint::new(
            service.code,
            format!("{} cannot hold a user name or password", service.what),
        )
        .help("remove it"));
    }
    match url.fragment() {
        Some(_) => {
            Err(wrong(text, service, "holds a fragment").help("remove the `#` and the rest"))
        }
        None => Ok(url),
    }
}

fn wrong(text: &str, service: &Service, how: &str) -> Complaint {
    Complaint::new(service.code, format!("{} {how}", quoted(text)))
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_alone() {
        for text in [
            "https://api.example.com/v4/",
            "http://127.0.0.1:8080/v4",
            "http://[::1]/v4",
            "http://localhost:1/v4",
            "http://cf.localhost/v4",
        ] {
            assert_eq!(parse_api(text).ok().as_deref(), Some(text.trim_end_matches('/')), "{text}");
        }
        for text in [
            "http://api.example.com/v4",
            "http://localhost.example.com/v4",
            "http://10.0.0.1/v4",
            "ftp://example.com/",
            "https://user:password@example.com/",
            "https://example.com/#x",
            "https://example.com/?x",
            " https://example.com/",
            "api.example.com",
            "",
        ] {
            assert!(parse_api(text).is_err(), "{text}");
        }
    }
}
