//! Do the upstreams agree with the services of a Compose file? `--compose`.

mod file;
mod ports;
mod services;

use std::path::PathBuf;

use gateway_config::model::{Config, Endpoint, Host, Upstream};
use gateway_config::{Place, Problem, Problems, Severity};

use super::finding::Finding;
use super::places::Places;
use gateway_config::nearest;
use services::{Service, Services};

/// What is said of every admin listener beyond loopback.
const PUBLIC_ADMIN: &str = "public-admin";

/// Compares upstreams with what the files name, where they are Compose files at all. Whether every
/// file could be read.
pub(super) fn check(
    files: &[PathBuf],
    config: &Config,
    places: &Places<'_>,
    problems: &mut Problems,
) -> bool {
    let mut services = Services::default();
    let failed: Vec<Problem> =
        files.iter().filter_map(|path| services.read(path).err()).map(|problem| *problem).collect();
    if !failed.is_empty() {
        let readable = failed.iter().all(|problem| problem.code != "cannot-read");
        failed.into_iter().for_each(|problem| problems.push(problem));
        return readable;
    }
    if config.server.admin.is_some_and(|admin| services.keep_inside(admin.0)) {
        problems.retain(|problem| problem.code != PUBLIC_ADMIN);
    }
    for upstream in &config.upstreams {
        for server in &upstream.servers {
            let Endpoint::Name { host, port } = &server.endpoint else { continue };
            // A name with a dot is one of the world's DNS, not of a Compose network.
            if !host.as_str().contains('.') {
                let upstream = Asked {
                    upstream,
                    host,
                    port: *port,
                    place: places.endpoint(upstream, &server.endpoint),
                };
                problems_of(&services, &upstream).for_each(|problem| problems.push(problem));
            }
        }
    }
    true
}

/// A server of an upstream, as it is looked for.
struct Asked<'a> {
    upstream: &'a Upstream,
    host: &'a Host,
    port: u16,
    place: Option<Place>,
}

fn problems_of<'a>(
    services: &'a Services,
    asked: &'a Asked<'_>,
) -> impl Iterator<Item = Problem> + 'a {
    let found: Vec<&Service> = services.called(asked.host.as_str()).collect();
    let unknown = found.is_empty().then(|| unknown(services, asked));
    // Several services may share an alias; one that listens is enough.
    let listens = found.iter().any(|service| wrong_port(service, asked).is_none());
    let port = found.first().filter(|_| !listens).and_then(|service| wrong_port(service, asked));
    unknown.into_iter().chain(port)
}

fn unknown(services: &Services, asked: &Asked<'_>) -> Problem {
    let (host, files) = (asked.host, services.files());
    let message = format!(
        "{files} has no service `{host}`, which the upstream `{}` names",
        asked.upstream.name
    );
    let names: Vec<&str> = services.names().collect();
    let help = match nearest(host.as_str(), names.iter().copied()) {
        _ if host.as_str() == "localhost" => {
            "in a container, localhost is that container alone: name the service that is meant"
                .into()
        }
        Some(meant) => format!("did you mean `{meant}`?"),
        None if names.is_empty() => "it names no service at all".into(),
        None => format!("its services are {}", quoted(&names)),
    };
    let mut problem = Finding::UnknownService.problem(message, help, asked.place.clone());
    if services.incomplete {
        // The name may be what a variable stands for.
        problem.severity = Severity::Warning;
        problem.help = problem
            .help
            .map(|help| format!("{help}; what the file's variables stand for is not known here"));
    }
    problem
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What is wrong with the port, where the file says enough to know.
fn wrong_port(service: &Service, asked: &Asked<'_>) -> Option<Problem> {
    let Asked { host, port, .. } = asked;
    if service.listens_on(*port) {
        return None;
    }
    if let Some((published, place)) = service.published(*port) {
        let message = format!(
            "`{}` listens on port {published}; {port} is only where the host reaches it",
            service.name
        );
        let help = format!(
            "between containers the published port does not count: write `{host}:{published}`"
        );
        let mut problem = Finding::PublishedPort.problem(message, help, asked.place.clone());
        problem.related.push((place.clone(), "published here".into()));
        return Some(problem);
    }
    let (exposed, place) = service.exposed()?;
    let message = format!("the service `{}` does not expose port {port}", service.name);
    let help = format!("it exposes {exposed}: name that port, or add {port} to its `expose`");
    let mut problem = Finding::UnexposedPort.problem(message, help, asked.place.clone());
    problem.related.push((place.clone(), "exposed here".into()));
    Some(problem)
}
