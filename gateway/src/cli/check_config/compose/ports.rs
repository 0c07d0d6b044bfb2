//! The ports of a service: where it listens, and where the host reaches it.

use std::ops::RangeInclusive;

use super::file::Published;

/// One port, or several in a row.
type Ports = RangeInclusive<u16>;

/// A published port, or a row of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// On the host; none where the system chooses.
    host: Option<Ports>,
    /// In the container.
    pub(super) target: Ports,
}

impl Mapping {
    /// Where the container listens for what reaches the host at `port`.
    pub(super) fn target_of(&self, port: u16) -> Option<u16> {
        let host = self.host.as_ref().filter(|host| host.contains(&port))?;
        let target = self.target.start() + (port - host.start());
        self.target.contains(&target).then_some(target)
    }

    /// Reads an entry of `ports`. `None` where a variable decides, or where it is no port.
    pub(super) fn read(entry: &Published) -> Option<Self> {
        match entry {
            Published::Long { target, published } => {
                let host = match published {
                    Some(published) => Some(ports(&published.text())?),
                    None => None,
                };
                Some(Self { host, target: ports(&target.text())? })
            }
            Published::Short(text) => {
                let text = text.text();
                let text = text.split('/').next()?;
                // `[::1]:8080:80`, `127.0.0.1:8080:80`, `8080:80`, `80`
                let mut parts = text.rsplit(':');
                let target = ports(parts.next()?)?;
                let host = match parts.next().filter(|host| !host.is_empty()) {
                    Some(host) => Some(ports(host)?),
                    None => None,
                };
                Some(Self { host, target })
            }
        }
    }
}

/// Where in the container a published port leads, whatever it is on the host. `None` where a variable
/// decides.
pub(super) fn target(entry: &Published) -> Option<Ports> {
    match entry {
        Published::Long { target, .. } => ports(&target.text()),
        Published::Short(text) => ports(text.text().rsplit(':').next()?),
    }
}

/// Reads `80`, `80/tcp` or `8000-8010`.
pub(super) fn ports(text: &str) -> Option<Ports> {
    let text = text.split('/').next()?;
    match text.split_once('-') {
        Some((first, last)) => Some(first.parse().ok()?..=last.parse().ok()?),
        None => text.parse().ok().map(|port| port..=port),
    }
}

/// As it is written.
pub(super) fn written(ports: &Ports) -> String {
    if ports.start() == ports.end() {
        ports.start().to_string()
    } else {
        format!("{}-{}", ports.start(), ports.end())
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::Scalar;
    use super::*;

    #[test]
    fn every_way_to_publish_a_port_is_read() {
        let read = |text: &str| Mapping::read(&Published::Short(Scalar::Text(text.into())));
        for (text, host, target) in [
            ("80", None, 80..=80),
            ("8080:80", Some(8080..=8080), 80..=80),
            ("127.0.0.1:8080:80/tcp", Some(8080..=8080), 80..=80),
            ("[::1]:8080:80", Some(8080..=8080), 80..=80),
            ("127.0.0.1::80", None, 80..=80),
            ("9090-9091:8080-8081", Some(9090..=9091), 8080..=8081),
        ] {
            assert_eq!(read(text), Some(Mapping { host, target }), "{text}");
        }
        for unclear in ["${PORT}:80", "8080:${PORT:-80}", "", "http"] {
            assert_eq!(read(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn where_a_port_leads_is_known_without_the_hosts() {
        let target = |text: &str| target(&Published::Short(Scalar::Text(text.into())));
        assert_eq!(target("${PORT:-80}:8080"), Some(8080..=8080));
        assert_eq!(target("80"), Some(80..=80));
        assert_eq!(target("8080:${PORT:-80}"), None);
    }

    #[test]
    fn a_row_is_mapped_one_to_one() {
        let mapping = Mapping { host: Some(9090..=9092), target: 80..=81 };
        assert_eq!(mapping.target_of(9091), Some(81));
        assert_eq!(mapping.target_of(9092), None);
        assert_eq!(mapping.target_of(80), None);
    }
}
