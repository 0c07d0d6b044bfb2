//! CAs that speak ACME.

use super::service_url::{self, Service};
use crate::complaint::{Complaint, quoted};
use crate::model::AcmeCa;
use crate::problem::Code;
use crate::suggest::nearest;

const DIRECTORY: Service = Service {
    code: Code::BadDirectory,
    what: "the URL of a CA's directory",
    example: "https://acme.example.com/directory",
};

/// A CA by its name or by the URL of its directory, and what is to be warned about. The URL of one
/// that has a name is that one.
pub(crate) fn parse_directory(text: &str) -> Result<(AcmeCa, Option<Complaint>), Complaint> {
    let mut named = AcmeCa::NAMED.into_iter();
    if let Some(ca) = named.find(|ca| ca.name() == Some(text) || ca.url() == text) {
        return Ok((ca, None));
    }
    if !text.contains(':') {
        return Err(unknown(text));
    }
    let url = service_url::parse(text, &DIRECTORY)?;
    let warning = (url.path() == "/" && url.query().is_none()).then(|| {
        Complaint::new(Code::DirectoryPath, format!("{} names a server and no directory", quoted(text)))
            .help("write the whole URL that the CA gives out, with its path, for instance \"https://acme.example.com/acme/acme/directory\" for step-ca")
    });
    let mut named = AcmeCa::NAMED.into_iter();
    let ca = named.find(|ca| ca.url() == url.as_str());
    Ok((ca.unwrap_or_else(|| AcmeCa::Url(url.into())), warning))
}

fn unknown(text: &str) -> Complaint {
    let names = AcmeCa::NAMED.iter().filter_map(AcmeCa::name);
    let help = match nearest(text, names.clone()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None if text.contains('.') => {
            format!("write the whole URL of its directory, for instance \"https://{text}\"")
        }
        None => {
            let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
            format!("write {}, or the URL of another CA's directory", names.join(", "))
        }
    };
    Complaint::new(Code::BadDirectory, format!("no CA is known as {}", quoted(text))).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_ca_is_the_same_by_its_url() {
        for ca in AcmeCa::NAMED {
            for text in [ca.to_string(), ca.url().to_owned()] {
                let read = parse_directory(&text).map(|(ca, warning)| (ca, warning.is_some()));
                assert_eq!(read.ok(), Some((ca.clone(), false)), "{text}");
            }
        }
        let upper = parse_directory("HTTPS://ACME.ZeroSSL.com/v2/DV90").map(|(ca, _)| ca);
        assert_eq!(upper.ok(), Some(AcmeCa::ZeroSsl));
    }

    #[test]
    fn a_server_without_a_path_is_worth_a_word() {
        let read = |text| parse_directory(text).map(|(_, warning)| warning.is_some()).ok();
        assert_eq!(read("https://acme.example.com"), Some(true));
        assert_eq!(read("https://acme.example.com/directory"), Some(false));
        assert_eq!(read("http://127.0.0.1:14000/dir"), Some(false));
        assert_eq!(read("http://acme.example.com/directory"), None);
        assert_eq!(read("acme.example.com/directory"), None);
    }
}
