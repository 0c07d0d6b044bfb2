//! Rules, alerts, dashboards and what they are provisioned by: that the programs which read them accept
//! them, that each alert is tested and explained, and that no query asks for a metric that nobody has.
//!
//! promtool and amtool are Debian's and Ubuntu's packages prometheus and prometheus-alertmanager. Where
//! one is missing, its tests say loudly that they were skipped.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn deploy() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&read(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = deploy().join(folder);
    let mut found: Vec<PathBuf> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|found| found == extension));
    found.sort();
    assert!(!found.is_empty(), "{} holds no .{extension}", folder.display());
    found
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// Says so on the terminal itself, which the harness does not swallow.
fn skipped(what: &str, why: &str) {
    let line = format!("\nSKIPPED: {what}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Runs a program in a folder. None where it is not installed, which has been said then.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<(bool, String)> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            skipped(&format!("{program} {}", arguments.join(" ")), "it is not installed");
            None
        }
        Err(error) => panic!("{program} could not be started: {error}"),
    }
}

#[test]
fn promtool_accepts_the_configuration_and_its_rules() {
    let folder = deploy().join("monitoring/prometheus");
    if let Some((good, said)) = run("promtool", &["check", "config", "prometheus.yml"], &folder) {
        assert!(good, "{said}");
    }
}

#[test]
fn each_alert_fires_when_it_should_and_only_then() {
    let folder = deploy().join("monitoring/prometheus/tests");
    for file in files("monitoring/prometheus/tests", "yml") {
        let Some((good, said)) =
            run("promtool", &["test", "rules", file.to_str().unwrap()], &folder)
        else {
            return;
        };
        assert!(good, "{said}");
    }
}

#[test]
fn amtool_accepts_who_is_told() {
    let folder = deploy().join("monitoring/alertmanager");
    let (good, said) = if has_image(&alertmanager_image()) {
        let mount = format!("{}:/configuration:ro", folder.display());
        let (image, file) = (alertmanager_image(), "/configuration/alertmanager.yml");
        let arguments = ["run", "--rm", "--entrypoint", "amtool", "--volume", &mount, &image];
        run("docker", &[&arguments[..], &["check-config", file]].concat(), &folder).unwrap()
    } else {
        let Some((_, version)) = run("amtool", &["--version"], &folder) else { return };
        // `url_file` of a webhook came with 0.26.
        let minor = version.split("version 0.").nth(1).and_then(|rest| rest.split('.').next());
        if minor.and_then(|minor| minor.parse::<u32>().ok()).is_some_and(|minor| minor < 26) {
            let why = "this amtool is older than 0.26 and does not know url_file; `make stack` takes \
                       the image's";
            return skipped("amtool check-config", why);
        }
        run("amtool", &["check-config", "alertmanager.yml"], &folder).unwrap()
    };
    assert!(good, "{said}");
}

fn has_image(image: &str) -> bool {
    let inspected = Command::new("docker").args(["image", "inspect", image]).output();
    inspected.is_ok_and(|output| output.status.success())
}

/// What the Compose file runs, which has the amtool of its version.
fn alertmanager_image() -> String {
    let file = yaml(&deploy().join("docker-compose.monitoring.yml"));
    let image = file["services"]["alertmanager"]["image"].as_str().unwrap();
    let (_, default) = image.split_once(":-").unwrap();
    default.trim_end_matches('}').to_owned()
}

/// Every rule of every file, with the file's name.
fn rules() -> Vec<(String, Value)> {
    let mut rules = Vec::new();
    for file in files("monitoring/prometheus/rules", "yml") {
        for group in yaml(&file)["groups"].as_array().unwrap() {
            let all = group["rules"].as_array().unwrap();
            rules.extend(all.iter().map(|rule| (name(&file).to_owned(), rule.clone())));
        }
    }
    rules
}

#[test]
fn each_alert_is_explained_and_tested_both_ways() {
    let guide = read(&deploy().join("../docs/deploy-monitoring.md"));
    let mut tests = BTreeMap::new();
    for file in files("monitoring/prometheus/tests", "yml") {
        let all = yaml(&file)["tests"].as_array().unwrap().clone();
        let names = all.iter().map(|test| test["name"].as_str().unwrap().to_owned());
        tests.insert(name(&file).to_owned(), names.collect::<BTreeSet<_>>());
    }
    let mut count = 0;
    for (file, rule) in rules() {
        let Some(alert) = rule["alert"].as_str() else { continue };
        count += 1;
        for key in ["summary", "description"] {
            let text = rule["annotations"][key].as_str().unwrap_or_default();
            assert!(!text.trim().is_empty(), "{alert} has no {key}");
        }
        assert!(rule["for"].is_string(), "{alert} has no `for`");
        let severity = rule["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["critical", "warning"].contains(&severity), "{alert}: severity {severity:?}");
        let pointer = format!("docs/deploy-monitoring.md#{}", alert.to_lowercase());
        assert_eq!(rule["annotations"]["runbook_url"], pointer, "{alert}");
        assert!(guide.contains(&format!("\n#### {alert}\n")), "the guide does not explain {alert}");
        for way in ["fires", "stays quiet"] {
            let test = format!("{alert} {way}");
            assert!(tests[&file].contains(&test), "tests/{file}.yml has no test {test:?}");
        }
    }
    assert!(count > 40, "only {count} alerts were found");
}

/// The names in a query that are metrics: what is neither a function, nor a keyword, nor a label, nor in
/// quotes. Good enough for queries that promtool has accepted.
fn metrics_of(query: &str) -> BTreeSet<String> {
    const WORDS: [&str; 13] = [
        "and",
        "or",
        "unless",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "offset",
        "bool",
        "inf",
        "nan",
    ];
    let mut bare = String::new();
    let (mut quote, mut braces, mut brackets) = (None, 0, 0);
    for character in query.chars() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '{') => braces += 1,
            (None, '}') => braces -= 1,
            (None, '[') => brackets += 1,
            (None, ']') => brackets -= 1,
            (None, _) if braces == 0 && brackets == 0 => bare.push(character),
            _ => {}
        }
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut metrics = BTreeSet::new();
    let mut rest = bare.as_str();
    let mut before = String::new();
    while let Some(start) = rest.find(is_part) {
        let word: String = rest[start..].chars().take_while(|c| is_part(*c)).collect();
        rest = rest[start + word.len()..].trim_start();
        let lists_labels = ["by", "without", "on", "ignoring", "group_left", "group_right"]
            .contains(&word.to_lowercase().as_str());
        if lists_labels && rest.starts_with('(') {
            rest = &rest[rest.find(')').unwrap() + 1..];
        } else if !word.starts_with(|c: char| c.is_ascii_digit())
            && !["(", "by (", "without ("].iter().any(|after| rest.starts_with(after))
            && !WORDS.contains(&word.to_lowercase().as_str())
            && before != "offset"
        {
            metrics.insert(word.clone());
        }
        before = word;
    }
    metrics
}

#[test]
fn metrics_are_found_in_queries() {
    let found = metrics_of(
        "sum by (a, b) (rate(x_total{c=~\"d(e)\"}[5m])) / on (f) group_left () y:z > 1e3 offset 6h \
         or 0 * time() unless on (q) (w)",
    );
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["w", "x_total", "y:z"]);
}

/// What there is: the gateway's by its source, the exporters' as kept in `metrics`, those of rules.
fn known_metrics() -> BTreeSet<String> {
    let mut known: BTreeSet<String> = [
        "up",
        "process_start_time_seconds",
        "process_open_fds",
        "process_max_fds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
    ]
    .map(str::to_owned)
    .into();
    let mut add = |name: &str, kind: &str| {
        known.insert(name.to_owned());
        if kind == "histogram" {
            known.extend(["bucket", "sum", "count"].map(|part| format!("{name}_{part}")));
        }
    };
    let source = read(&deploy().join("../gateway/src/metrics.rs"));
    for name in source.split('"').filter(|text| text.starts_with("gateway_")) {
        add(name, if name.ends_with("_seconds") { "histogram" } else { "" });
    }
    for file in files("tests/metrics", "txt") {
        for line in read(&file).lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let (name, kind) = line.split_once(' ').unwrap_or((line, ""));
            add(name, kind);
        }
    }
    for (_, rule) in rules() {
        if let Some(record) = rule["record"].as_str() {
            add(record, "");
        }
    }
    known
}

/// The queries of a dashboard for one kind of data source, each with its panel's title.
fn queries(dashboard: &Value, kind: &str) -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            if target["datasource"]["type"] == kind {
                let title = panel["title"].as_str().unwrap().to_owned();
                queries.push((title, target["expr"].as_str().unwrap().to_owned()));
            }
        }
    }
    queries
}

fn dashboards() -> Vec<(PathBuf, Value)> {
    let files = files("monitoring/grafana/dashboards", "json");
    files
        .into_iter()
        .map(|path| {
            let dashboard = json(&path);
            (path, dashboard)
        })
        .collect()
}

#[test]
fn no_query_asks_for_a_metric_that_nobody_has() {
    let known = known_metrics();
    let check = |place: &str, query: &str| {
        let metrics = metrics_of(query);
        assert!(!metrics.is_empty(), "{place}: no metric in {query}");
        for metric in metrics {
            assert!(known.contains(&metric), "{place}: nobody has the metric {metric}: {query}");
        }
    };
    for (file, rule) in rules() {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).unwrap();
        check(&format!("rules/{file}.yml, {name}"), rule["expr"].as_str().unwrap());
    }
    for (path, dashboard) in dashboards() {
        for (title, query) in queries(&dashboard, "prometheus") {
            check(&format!("{}, {title}", path.display()), &query);
        }
    }
}

#[test]
fn promtool_understands_the_queries_of_the_dashboards() {
    let mut groups = Vec::new();
    for (path, dashboard) in dashboards() {
        let rules: Vec<Value> = queries(&dashboard, "prometheus")
            .into_iter()
            .enumerate()
            .map(|(index, (_, query))| {
                let query = query.replace("$__rate_interval", "5m").replace("$site", ".*");
                assert!(!query.contains('$'), "{}: a variable is left in {query}", path.display());
                serde_json::json!({ "record": format!("query_{index}"), "expr": query })
            })
            .collect();
        groups.push(serde_json::json!({ "name": name(&path), "rules": rules }));
    }
    // JSON is YAML.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("queries-of-dashboards.yml");
    std::fs::write(&file, serde_json::json!({ "groups": groups }).to_string()).unwrap();
    let arguments = ["check", "rules", "--lint=none", file.to_str().unwrap()];
    if let Some((good, said)) = run("promtool", &arguments, deploy()) {
        assert!(good, "{said}");
    }
}

#[test]
fn dashboards_are_whole_and_ask_sources_that_are_provisioned() {
    let provisioned =
        yaml(&deploy().join("monitoring/grafana/provisioning/datasources/datasources.yaml"));
    let sources: BTreeMap<&str, &str> = provisioned["datasources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| (source["uid"].as_str().unwrap(), source["type"].as_str().unwrap()))
        .collect();
    let provider =
        yaml(&deploy().join("monitoring/grafana/provisioning/dashboards/dashboards.yaml"));
    assert_eq!(provider["providers"][0]["options"]["path"], "/etc/grafana/dashboards");
    let mut titles = BTreeSet::new();
    for (path, dashboard) in dashboards() {
        let place = path.display();
        assert_eq!(dashboard["uid"], name(&path), "{place}: the file is named after the uid");
        assert!(titles.insert(dashboard["title"].as_str().unwrap().to_owned()), "{place}: title");
        let mut ids = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{place}, {title}: its id is taken");
            let place_of_it = &panel["gridPos"];
            let right = place_of_it["x"].as_u64().unwrap() + place_of_it["w"].as_u64().unwrap();
            assert!(right <= 24, "{place}, {title}: wider than the page");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{place}, {title}: no query");
            for target in panel["targets"].as_array().unwrap() {
                let source = &target["datasource"];
                let kind = sources.get(source["uid"].as_str().unwrap());
                assert_eq!(source["type"].as_str(), kind.copied(), "{place}, {title}: {source}");
            }
        }
        assert!(!ids.is_empty(), "{place} has no panels");
    }
}

#[test]
fn logs_have_few_labels_and_an_end() {
    let vector = yaml(&deploy().join("monitoring/vector/vector.yaml"));
    let labels = vector["sinks"]["loki"]["labels"].as_object().unwrap();
    let mut labels: Vec<&str> = labels.keys().map(String::as_str).collect();
    labels.sort_unstable();
    // A container's id, a path or a client would make a stream of each.
    assert_eq!(labels, ["level", "project", "service", "stream"]);
    let loki = yaml(&deploy().join("monitoring/loki/loki.yml"));
    assert_eq!(loki["compactor"]["retention_enabled"], true);
    assert_eq!(loki["limits_config"]["retention_period"], "${LOKI_RETENTION:-168h}");
}
