//! Good files, and what is read in them.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails by panicking")]

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway_config::model::Counting::{Apart, Skip, Together};
use gateway_config::model::{
    AccessLog, Acme, AcmeCa, AcmeCertificate, AcmeKeys, Action, Auth, Balance, CertificatePer,
    ChallengeKind, Compress, CompressLevels, Config, ContentCoding, CorsOrigins, DnsProvider,
    Endpoint, ErrorFormat, HashKey, HeaderPreset, HealthCheck, Host, HostPattern, KeySource,
    LimitKey, Maintenance, Measure, OnError, PageKind, PathPattern, Policy, Protocol, Redirect,
    Rewrite, Route, Secret, Site, Target, Tls, TsigAlgorithm, UnknownHost,
};
use gateway_config::{load, parse};
use http::StatusCode;

fn config(name: &str) -> Config {
    let path = Path::new("tests/good").join(name).with_extension("toml");
    let loaded = load(&path).unwrap_or_else(|error| panic!("{error}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    loaded.config
}

fn site<'a>(config: &'a Config, name: &str) -> &'a Site {
    let mut sites = config.sites.iter();
    sites.find(|site| site.name.to_string() == name).expect(name)
}

fn route<'a>(site: &'a Site, path: &str) -> &'a Route {
    let mut routes = site.routes.iter();
    routes.find(|route| route.path.to_string() == path).expect(path)
}

fn target(route: &Route) -> &Target {
    match &route.action {
        Action::Proxy(target) => target,
        other => panic!("{} does {other:?}", route.path),
    }
}

fn redirect(route: &Route) -> &Redirect {
    match &route.action {
        Action::Redirect(redirect) => redirect,
        other => panic!("{} does {other:?}", route.path),
    }
}

fn header<'a>(policy: &'a Policy, name: &str) -> Option<&'a str> {
    let headers = policy.headers.set.iter().chain(&policy.headers.default);
    let mut found = headers.filter(|(found, _)| found == name);
    found.next().and_then(|(_, value)| value.to_str().ok())
}

#[test]
fn who_may_come_in() {
    let config = config("guards");
    let app = site(&config, "app.example.com");
    let clients = app.client_certs.as_ref().expect("client_certs");
    assert_eq!(clients.ca, Path::new("tests/good/clients.pem"));
    assert_eq!(clients.crls, ["tests/good/clients.crl", "/etc/other.crl"].map(Path::new));
    assert_eq!((clients.required, clients.header.is_some()), (false, true));
    let auth = |path| route(app, path).policy.auth.as_deref();
    let Some(Auth::Basic(basic)) = auth("/*") else { panic!("no basic") };
    assert!(basic.users["alice"].is_bcrypt() && basic.file.is_some());
    assert_eq!(basic.realm, "Staging");
    assert!(auth("/open").is_none());
    let Some(Auth::Forward(forward)) = auth("/forward") else { panic!("no forward") };
    assert_eq!(
        (forward.upstream.name.as_str(), forward.path.as_str()),
        ("authelia", "/api/authz?x=y")
    );
    assert_eq!((forward.timeout, forward.on_error), (Duration::from_secs(2), OnError::Allow));
    let Some(Auth::Forward(least)) = auth("/forward-least") else { panic!("no forward") };
    assert_eq!((least.path.as_str(), least.timeout), ("/", Duration::from_secs(5)));
    assert_eq!((least.on_error, least.copy_headers.len()), (OnError::Deny, 0));
    let Some(Auth::Jwt(jwt)) = auth("/jwt") else { panic!("no jwt") };
    let KeySource::Url { upstream, authority, path } = &jwt.keys else { panic!("no URL") };
    assert_eq!((authority.as_str(), path.as_str()), ("id.example.com:8443", "/keys?v=1"));
    assert!(upstream.protocol == Protocol::Https && config.upstreams.contains(upstream));
    assert_eq!((jwt.audience.len(), jwt.leeway, jwt.on_error), (2, Duration::ZERO, OnError::Allow));
    let Some(Auth::Jwt(least)) = auth("/jwt-least") else { panic!("no jwt") };
    assert_eq!(least.keys, KeySource::File("tests/good/keys.json".into()));
    let algorithms = least.algorithms.iter().map(|algorithm| algorithm.name());
    assert!(algorithms.eq(["RS256", "ES256", "EdDSA"]));
    assert_eq!((least.leeway, least.on_error), (Duration::from_secs(60), OnError::Deny));
}

#[test]
fn webhooks() {
    let config = config("guards");
    let hooks = site(&config, "hooks.example.com");
    let policy = |path| &route(hooks, path).policy;
    let all = policy("/*").webhook.as_ref().expect("webhook");
    assert_eq!(all.secrets.len(), 2);
    assert_eq!((all.events.len(), all.remember), (0, Some(Duration::from_secs(3 * 86_400))));
    assert!(policy("/open").webhook.is_none());
    let small = policy("/small").webhook.as_ref().expect("webhook");
    let events: Vec<String> = small.events.iter().map(ToString::to_string).collect();
    assert_eq!((events, small.remember), (vec!["ping".into(), "workflow_job.queued".into()], None));
    // What is held in memory has an end, whatever the file says.
    let bodies = ["/*", "/open", "/small", "/large"].map(|path| policy(path).body);
    assert_eq!(bodies, [25 << 20, 1 << 30, 1 << 20, 25 << 20]);
}

#[test]
fn the_uat_sites() {
    let config = config("uat");
    let proxies = &config.server.trusted_proxies.sources;
    assert_eq!(proxies[0].name, "cloudflare");
    assert_eq!(proxies[0].header.as_ref().map(|name| name.as_str()), Some("cf-connecting-ip"));
    assert_eq!((proxies[0].networks.len(), proxies[1].networks.len()), (22, 1));
    assert!(proxies[1].header.is_none());

    let uat = site(&config, "uat.familycart.app");
    let Tls::Files(files) = &uat.tls else { panic!("{:?}", uat.tls) };
    assert_eq!(files[0].cert, Path::new("tests/good/certs/uat.pem"));
    assert_eq!(files[0].key, Path::new("/etc/keys/uat.key"));
    let hosts: Vec<String> = uat.hosts().map(ToString::to_string).collect();
    assert_eq!(hosts, ["uat.familycart.app", "uat2.familycart.app"]);
    assert_eq!(uat.routes.len(), 5);

    let websocket = route(uat, "/api/v1/ws/*");
    assert_eq!(websocket.policy.idle, Some(Duration::from_secs(86_400)));
    assert_eq!(websocket.policy.limits[0].name, "web");
    assert_eq!(websocket.policy.headers.preset, HeaderPreset::App);
    let api = route(uat, "/api/*");
    assert_eq!(api.policy.limits.len(), 1);
    let Measure::Rate { rate, burst } = api.policy.limits[0].measure else { panic!("no rate") };
    assert_eq!((rate.to_string().as_str(), burst.get()), ("10/s", 20));
    assert!(Arc::ptr_eq(&target(api).upstream, &target(websocket).upstream));
    assert_eq!(target(api).upstream.first_byte, Duration::from_secs(30));
    let metrics = &route(uat, "/metrics").policy.access;
    assert_eq!(metrics[0].allow.len(), 2);
    let Action::Respond(health) = &route(uat, "/health").action else { panic!("no answer") };
    assert_eq!((health.status.as_u16(), health.body.as_str()), (200, "ok\n"));
    assert_eq!(health.content_type, "text/plain; charset=utf-8");
    assert!(!route(uat, "/health").policy.log && api.policy.log);

    let Tls::Files(pairs) = &site(&config, "familycart.cz").tls else { panic!("no files") };
    assert_eq!(pairs.len(), 2);
    let moved = redirect(route(site(&config, "familycart.cz"), "/*"));
    assert_eq!((moved.to.as_str(), moved.keep_path), ("https://uat.familycart.app", true));
    assert_eq!(moved.status.as_u16(), 308);

    let upstreams: Vec<&str> = config.upstreams.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(upstreams, ["backend", "frontend:3000", "grafana:3000", "runner-webhook:9000"]);
    let sites: Vec<String> = config.sites.iter().map(|site| site.name.to_string()).collect();
    assert_eq!(
        sites,
        ["uat.familycart.app", "grafana.familycart.app", "hooks.familycart.app", "familycart.cz"]
    );
}

#[test]
fn defaults() {
    let config = config("smallest");
    let server = &config.server;
    assert_eq!(server.http[0].to_string(), "[::]:80");
    assert_eq!(server.https[0].to_string(), "[::]:443");
    assert_eq!(server.admin.map(|addr| addr.to_string()).as_deref(), Some("127.0.0.1:9180"));
    assert_eq!(server.storage, Path::new("/var/lib/gateway"));
    assert_eq!((server.unknown_host, server.access_log), (UnknownHost::Close, AccessLog::Json));
    assert_eq!(server.connections.total.get(), 10_000);
    assert_eq!(server.connections.per_client.get(), 256);
    let timeouts = server.timeouts;
    let seconds = [timeouts.handshake, timeouts.header, timeouts.keepalive, server.drain];
    assert_eq!(seconds.map(|time| time.as_secs()), [10, 10, 75, 30]);
    assert!(server.workers.is_none() && server.dns.is_empty());
    assert!(server.trusted_proxies.sources.is_empty());

    let route = &config.sites[0].routes[0];
    let policy = &route.policy;
    assert_eq!(format!("{policy:?}"), format!("{:?}", Policy::default()));
    assert_eq!(policy.headers.preset, HeaderPreset::Standard);
    assert_eq!(header(policy, "referrer-policy"), Some("strict-origin-when-cross-origin"));
    assert_eq!((policy.body, policy.log, policy.idle), (10 << 20, true, None));
    assert!(policy.deny_paths.dotfiles);
    assert_eq!(policy.deny_paths.suffixes, [".env", ".log", ".sql", ".bak"]);
    let upstream = &target(route).upstream;
    assert_eq!((upstream.connect.as_secs(), upstream.first_byte.as_secs()), (5, 60));
    assert_eq!((&upstream.balance, upstream.retries), (&Balance::RoundRobin, 3));
    let fail = upstream.fail.expect("failing servers are left out");
    assert_eq!((fail.max.get(), fail.within.as_secs()), (3, 30));
    assert!(upstream.health.is_none() && upstream.max_requests.is_none());
}

#[test]
fn how_requests_are_shared() {
    let config = config("balance");
    let upstream = |name: &str| {
        let found = config.upstreams.iter().find(|upstream| upstream.name == name);
        Arc::clone(found.expect(name))
    };
    let app = upstream("app");
    let servers: Vec<String> = app.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["app-1:80", "app-2:80 (weight 3)", "app-3:80 (backup)"]);
    assert_eq!(app.balance, Balance::LeastConnections);
    assert_eq!((app.retries, app.fail.is_none()), (0, true));
    let health = app.health.as_ref().expect("it is checked");
    let HealthCheck::Http { path, host, status } = &health.check else { panic!("{health:?}") };
    assert_eq!(
        (path.as_str(), host.as_ref().map(Host::as_str)),
        ("/up?deep=1", Some("app.example"))
    );
    assert_eq!(status.iter().map(|status| status.as_u16()).collect::<Vec<_>>(), [200, 401]);
    assert_eq!((health.every.as_secs(), health.timeout.as_secs()), (1, 2));
    assert_eq!((health.unhealthy_after.get(), health.healthy_after.get()), (3, 5));
    assert_eq!(app.slow_start, Some(Duration::from_secs(30)));
    assert_eq!(app.max_requests.map(|most| most.get()), Some(10));
    let queue = app.queue.expect("requests wait");
    assert_eq!((queue.max.get(), queue.wait.as_secs()), (20, 5));

    let hashes = ["by-ip", "by-path", "by-header", "by-cookie"].map(|name| {
        let Balance::Hash(key) = &upstream(name).balance else { panic!("{name}") };
        key.clone()
    });
    let header = HashKey::Header("x-tenant".parse().expect("a name"));
    let cookie = HashKey::Cookie("session".into());
    assert_eq!(hashes, [HashKey::ClientIp, HashKey::Path, header, cookie]);
    assert_eq!(upstream("sticky").balance, Balance::Sticky("__Host-server".into()));
    assert_eq!(upstream("sticky").health.as_ref().map(|it| &it.check), Some(&HealthCheck::Tcp));
    let secure = upstream("secure");
    assert_eq!(secure.sni.as_ref().map(Host::as_str), Some("inner.example"));
    let shown = secure.client_cert.as_ref().expect("a client certificate");
    assert_eq!(shown.cert, Path::new("tests/good/client.pem"));
}

#[test]
fn levels_add_up() {
    let config = config("levels");
    let site = site(&config, "example.com");
    let outer = &route(site, "/*").policy;
    assert_eq!(outer.headers.preset, HeaderPreset::Api);
    assert_eq!(header(outer, "x-served-by"), Some("edge"));
    assert_eq!(header(outer, "x-runtime"), Some("site"));
    assert!(!outer.headers.remove.iter().any(|name| name == "x-runtime"));
    assert_eq!(outer.access.len(), 2);
    assert_eq!((outer.access[0].deny.len(), outer.access[1].allow.len()), (1, 7));
    let limits: Vec<&str> = outer.limits.iter().map(|limit| limit.name.as_str()).collect();
    assert_eq!(limits, ["all", "api"]);
    assert_eq!(outer.deny_paths.suffixes, [".env", ".log", ".sql", ".bak", ".old"]);
    assert_eq!(
        (outer.body, outer.idle, outer.log),
        (1 << 20, Some(Duration::from_secs(60)), false)
    );

    let inner = &route(site, "/open/*").policy;
    assert_eq!(inner.headers.preset, HeaderPreset::Off);
    assert!(inner.headers.set.is_empty(), "{:?}", inner.headers);
    assert_eq!(header(inner, "x-runtime"), Some("route"));
    assert_eq!(inner.headers.remove, ["x-served-by"]);
    assert_eq!(inner.access.len(), 3);
    assert_eq!(inner.access[2].allow[0].to_string(), "198.51.100.7/32");
    assert!(inner.limits.is_empty() && !inner.deny_paths.dotfiles && inner.log);
    assert_eq!((inner.body, inner.idle), (0, Some(Duration::from_secs(3_600))));
}

#[test]
fn errors_and_maintenance() {
    let config = config("errors");
    let site = site(&config, "pages.example.com");
    let page = |policy: &Policy, status: u16| {
        let page = policy.errors.page(StatusCode::from_u16(status).expect("a status"))?;
        Some((page.path.display().to_string(), page.kind))
    };
    let good = |path: &str, kind| Some((format!("tests/good/{path}"), kind));
    let all = &route(site, "/*").policy;
    assert_eq!(page(all, 404), good("errors/404.html", PageKind::Html));
    assert_eq!(page(all, 403), None);
    assert_eq!(page(all, 502), good("bad.json", PageKind::Json));
    assert_eq!(page(all, 503), good("other.htm", PageKind::Html));
    assert_eq!((all.errors.format, all.errors.intercept), (ErrorFormat::Json, false));
    let work = all.maintenance.as_ref().expect("maintenance");
    assert_eq!((work.allow.len(), work.retry_after.as_secs()), (2, 600));
    let text = work.page.as_ref().map(|page| (page.path.as_path(), page.kind));
    assert_eq!(text, Some((Path::new("/srv/work.txt"), PageKind::Text)));

    let open = &route(site, "/open").policy;
    assert!(open.maintenance.is_none());
    assert_eq!((open.errors.format, open.errors.intercept), (ErrorFormat::Auto, true));
    assert_eq!(route(site, "/always").policy.maintenance, Some(Maintenance::default()));
    assert_eq!(page(&site.policy, 404), good("errors/404.html", PageKind::Html));
}

#[test]
fn limits_of_every_kind() {
    let config = config("limits");
    let site = site(&config, "example.com");
    let policy = &route(site, "/*").policy;
    let [plain, keyed, downloads, sockets] = policy.limits.as_slice() else { panic!("limits") };
    assert_eq!((&plain.key, plain.assets, plain.websockets), (&LimitKey::ClientIp, Apart, Apart));
    assert!(plain.asset_suffixes.contains(&".woff2".to_owned()) && !plain.dry_run);
    assert_eq!(keyed.key, LimitKey::Header(http::HeaderName::from_static("x-api-key")));
    assert_eq!((keyed.assets, keyed.websockets, keyed.dry_run), (Skip, Together, true));
    assert_eq!(downloads.measure, Measure::Concurrent(NonZeroU32::MIN.saturating_add(3)));
    assert_eq!(downloads.key, LimitKey::Cookie("session".into()));
    assert_eq!(downloads.asset_suffixes, [".zip", ".iso"]);
    assert_eq!((downloads.websockets, sockets.websockets), (Skip, Apart));
    let bytes = |policy: &Policy| {
        policy.bandwidth.map(|bandwidth| (bandwidth.rate.get(), bandwidth.burst.get()))
    };
    assert_eq!(bytes(policy), Some((1 << 20, 1 << 20)));
    assert_eq!(bytes(&route(site, "/large").policy), Some((512_000, 4 << 20)));
}

#[test]
fn everything_that_a_route_can_do() {
    let config = config("targets");
    let site = site(&config, "*.example.com");
    let secure = target(route(site, "/secure/*"));
    assert_eq!(secure.rewrite, Rewrite::StripPrefix("/secure".into()));
    assert_eq!(secure.upstream.protocol, Protocol::Https);
    let servers: Vec<String> = secure.upstream.servers.iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["one.example:443", "[2001:db8::1]:8443"]);
    assert_eq!(secure.upstream.ca.as_deref(), Some(Path::new("tests/good/../ca.pem")));

    let (one, two) = (target(route(site, "/one")), target(route(site, "/two/*")));
    assert_eq!(one.rewrite, Rewrite::To("/new%20path".into()));
    assert_eq!(two.rewrite, Rewrite::Below("/v2".into()));
    assert!(Arc::ptr_eq(&one.upstream, &two.upstream), "`App:3000` and `app:3000` are one");
    let socket = target(route(site, "/socket/*"));
    assert_eq!(socket.upstream.servers[0].endpoint, Endpoint::Unix("/run/app.sock".into()));
    assert_eq!(socket.rewrite, Rewrite::StripPrefix("/socket".into()));
    let address = &target(route(site, "/address")).upstream.servers[0];
    assert!(matches!(address.endpoint, Endpoint::Addr(addr) if addr.port() == 8080), "{address:?}");

    let old = redirect(route(site, "/old"));
    assert_eq!(
        (old.to.as_str(), old.status.as_u16(), old.keep_path),
        ("/new?from=old", 308, false)
    );
    let moved = redirect(route(site, "/moved/*"));
    assert_eq!((moved.to.as_str(), moved.status.as_u16()), ("https://example.org/base", 302));
    assert!(moved.keep_path);
    let exact = site.routes.iter().find(|route| matches!(route.action, Action::Respond(_)));
    assert_eq!(exact.map(|route| &route.path), Some(&PathPattern::Exact("/über".into())));

    let any = self::site(&config, "*");
    let hosts: Vec<String> = any.hosts().map(ToString::to_string).collect();
    assert_eq!(hosts, ["*", "xn--bcher-kva.example", "192.0.2.1", "2001:db8::1"]);
    let host = Host::parse("WWW.Example.com.").expect("a host");
    assert!(site.name.matches(&host));
    assert_eq!(any.name, HostPattern::Any);
}

#[test]
fn every_key_of_the_server() {
    let config = config("every-server-key");
    let server = &config.server;
    assert!(server.http.is_empty() && server.admin.is_none());
    assert_eq!(server.https.len(), 3);
    assert_eq!(server.unknown_host, UnknownHost::Misdirected);
    assert_eq!(server.storage, Path::new("tests/good/state"));
    assert_eq!(server.workers.map(usize::from), Some(2));
    assert_eq!(usize::from(server.connections.total), 1_000);
    assert_eq!(usize::from(server.connections.per_client), 16);
    assert_eq!(server.timeouts.handshake, Duration::from_secs(5));
    assert_eq!(server.timeouts.header, Duration::from_millis(250));
    assert_eq!(server.timeouts.keepalive, Duration::from_secs(5_400));
    assert_eq!(server.drain, Duration::ZERO);
    assert_eq!(server.access_log, AccessLog::Combined);
    let dns: Vec<String> = server.dns.iter().map(ToString::to_string).collect();
    assert_eq!(dns, ["1.1.1.1:53", "127.0.0.11:5353", "[2606:4700:4700::1111]:53", "[::1]:53"]);
    assert_eq!(server.trusted_proxies.sources.len(), 4);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_file() {
    let text = "\u{feff}x = 1\n";
    let problems = parse("bom.toml", text, Path::new("")).expect_err("an unknown key");
    let place = problems.iter().find_map(|problem| problem.place.clone()).expect("a place");
    assert_eq!((place.line, place.column, place.source_line.as_str()), (1, 1, "x = 1"));
}

#[test]
fn warnings_do_not_stop_anyone() {
    let loaded = load(Path::new("tests/golden/warnings.toml")).expect("a good file");
    assert_eq!((loaded.warnings.errors(), loaded.warnings.warnings()), (0, 4));
    assert_eq!(loaded.config.limits.len(), 1);
    assert_eq!(loaded.config.upstreams.len(), 1);
}

#[test]
fn everything_about_answers() {
    let config = config("answers");
    let uat = site(&config, "uat.familycart.app");
    let api = &route(uat, "/api/*").policy;
    let cors = api.cors.as_ref().expect("cors");
    let CorsOrigins::Listed(origins) = &cors.origins else { panic!("{cors:?}") };
    let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    assert_eq!(origins, ["https://uat.familycart.app", "https://*.preview.example:8443"]);
    assert!(cors.credentials && cors.headers.as_ref().is_some_and(Vec::is_empty));
    assert_eq!(cors.methods, ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
    assert_eq!(cors.expose, ["x-request-id"]);
    assert_eq!(cors.max_age, Some(Duration::from_secs(86_400)));
    assert_eq!(api.compress, Some(Compress::default()));

    let plain = &route(uat, "/plain/*").policy;
    assert!(plain.cors.is_none() && plain.compress.is_none() && plain.cache_control.is_empty());
    let more = route(uat, "/more/*").policy.compress.as_ref().expect("compress");
    assert_eq!(more.codings, [ContentCoding::Gzip]);
    assert_eq!((more.min, more.levels), (0, CompressLevels { zstd: 3, br: 4, gzip: 9 }));
    let types = more.types.as_ref().expect("types");
    assert!(types[0].matches("text/html") && !types[0].matches("application/json"));

    let all = &route(uat, "/*").policy;
    let cors = all.cors.as_ref().expect("the server's");
    assert_eq!((&cors.origins, &cors.headers), (&CorsOrigins::Any, &None));
    assert_eq!(all.cache_control[0].suffixes, [".js", ".css"]);
    let Action::Files(files) = &route(uat, "/static/*").action else { panic!("no files") };
    assert_eq!(
        (files.dir.as_path(), files.index.as_str()),
        (Path::new("tests/good/dist/"), "index.html")
    );
    assert!(files.spa.is_none() && !files.precompressed);
    let app = route(site(&config, "app.example.com"), "/*");
    let Action::Files(files) = &app.action else { panic!("no files") };
    assert_eq!(
        (files.dir.as_path(), files.spa.as_deref()),
        (Path::new("/srv/app"), Some("app/index.html"))
    );
    assert!(files.precompressed);
}

#[test]
fn every_key_of_acme() {
    let config = config("acme");
    let acme = &config.acme;
    assert_eq!(acme.contact, ["mailto:ops@example.com", "mailto:admin@example.com"]);
    let cas: Vec<String> = acme.directories.iter().map(|one| one.ca.to_string()).collect();
    assert_eq!(cas, ["letsencrypt", "zerossl", "https://ca.example.net/acme/directory"]);
    let roots: Vec<_> = acme.directories.iter().map(|one| one.roots.as_deref()).collect();
    let (shared, own) = (Path::new("tests/good/../ca.pem"), Path::new("tests/good/own.pem"));
    assert_eq!(roots, [Some(shared), Some(shared), Some(own)]);
    let eab = acme.directories[1].eab.as_ref().expect("an account");
    assert_eq!((eab.key_id.as_str(), &eab.key), ("kid-1", &Secret::Env("EAB_KEY".into())));
    use ChallengeKind::{Dns01, Http01, TlsAlpn01};
    assert_eq!(acme.challenges.as_deref(), Some([TlsAlpn01, Http01, Dns01].as_slice()));
    let expected = DnsProvider::Rfc2136 {
        server: ([192, 0, 2, 53], 53).into(),
        key: "acme-key".into(),
        algorithm: TsigAlgorithm::HmacSha512,
        secret: Secret::File("tests/good/acme.key".into()),
    };
    assert_eq!(acme.dns, Some(expected));

    let profile = Some("shortlived".to_owned());
    let all = AcmeCertificate { profile, keys: AcmeKeys::Both, per: CertificatePer::Host };
    assert_eq!(site(&config, "example.com").tls, Tls::Acme(all.clone()));
    assert_eq!(site(&config, "example.com").acme_groups().len(), 3);
    let own = AcmeCertificate { keys: AcmeKeys::Rsa, per: CertificatePer::Site, ..all };
    assert_eq!(site(&config, "old.example.com").tls, Tls::Acme(own));
}

#[test]
fn acme_without_a_word_about_it() {
    let config = config("acme-none");
    assert_eq!(config.acme, Acme::default());
    let site = site(&config, "example.com");
    assert_eq!(site.tls, Tls::Acme(AcmeCertificate::default()));
}

#[test]
fn providers_of_dns() {
    let cloudflare = config("acme-cloudflare").acme;
    let (token, api) = (Secret::Env("CF_TOKEN".into()), "http://localhost:8787/v4".into());
    assert_eq!(cloudflare.dns, Some(DnsProvider::Cloudflare { token, api }));
    assert_eq!(cloudflare.directories[0].ca, AcmeCa::Url("http://127.0.0.1:14000/dir".into()));

    let exec = config("acme-exec").acme;
    let command = ["/usr/local/bin/dns-hook", "--zone", "example.com", ""];
    let command = command.map(str::to_owned).into();
    assert_eq!(exec.dns, Some(DnsProvider::Exec { command }));
    assert_eq!(exec.directories[0].ca, AcmeCa::LetsEncryptStaging);
}
