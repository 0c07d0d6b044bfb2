//! The project's containers, as Docker knows them.

use crate::docker::docker;
use crate::project::Stack;

impl Stack {
    /// What everything of this project has and nothing else, as Docker's lists filter by it.
    pub(crate) fn label(&self) -> String {
        format!("label=com.docker.compose.project={}", self.project)
    }

    /// Those that the files describe, without the ACME server, which is the test's own.
    pub(crate) fn services(&self) -> Vec<String> {
        let format = "{{ .Label \"com.docker.compose.service\" }}";
        let found = docker(&["ps", "-a", "--filter", &self.label(), "--format", format]);
        let mut all: Vec<String> =
            found.lines().filter(|name| *name != "pebble").map(str::to_owned).collect();
        all.sort();
        all.dedup();
        all
    }

    fn containers(&self, service: &str) -> Vec<String> {
        let service = format!("label=com.docker.compose.service={service}");
        let found = docker(&["ps", "-aq", "--filter", &self.label(), "--filter", &service]);
        found.lines().map(str::to_owned).collect()
    }

    pub(crate) fn container(&self, service: &str) -> String {
        let found = self.containers(service);
        assert_eq!(found.len(), 1, "{service}: {found:?}");
        found.into_iter().next().unwrap()
    }

    pub(crate) fn address(&self, service: &str, network: &str) -> String {
        let network = format!("{}_{network}", self.project);
        let format = format!(
            "{{{{ with index .NetworkSettings.Networks \"{network}\" }}}}{{{{ .IPAddress }}}}{{{{ end }}}}"
        );
        docker(&["inspect", "--format", &format, &self.container(service)])
    }

    pub(crate) fn is_healthy(&self, service: &str) -> bool {
        let format =
            "{{ .State.Status }} {{ if .State.Health }}{{ .State.Health.Status }}{{ end }}";
        let found = self.containers(service);
        found
            .first()
            .is_some_and(|one| docker(&["inspect", "--format", format, one]) == "running healthy")
    }
}
