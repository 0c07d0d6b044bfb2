//! An explanation for people: the end first, then the way to it.

use std::fmt::Write as _;

use super::super::style::Style;
use crate::explain::{
    ActionFacts, Answerer, CacheControlFacts, ClientFacts, CompressFacts, CorsFacts, Decision,
    ErrorFacts, ErrorPageFacts, Explanation, FilesFacts, HeaderFact, HeaderOrigin, LimitFacts,
    Outcome, PolicyFacts, ProxyFacts, ResponseHeaderFacts, RouteFacts, SiteFacts, UpstreamRequest,
    Verdict, WebhookFacts,
};

/// The width of the column of names.
const NAMES: usize = 12;

/// Lines of names and values, aligned.
struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn line(&mut self, name: &str, value: &str) {
        let Style { name: colour, off, .. } = self.style;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{colour}{name:<NAMES$}{off}{value}");
    }

    /// Something below the last line.
    fn below(&mut self, value: &str) {
        let _ = writeln!(self.text, "{:NAMES$}{value}", "");
    }

    /// Several values of one name; none leave no trace.
    fn list(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        for (index, value) in values.into_iter().enumerate() {
            if index == 0 { self.line(name, &value) } else { self.below(&value) }
        }
    }

    fn heading(&mut self, title: &str) {
        let Style { strong, off, .. } = self.style;
        let _ = writeln!(self.text, "\n{strong}{title}{off}");
    }
}

/// Writes an explanation down.
///
/// `assumed`: nobody said where the request comes from.
pub(super) fn render(told: &Explanation, assumed: bool, colour: bool) -> String {
    let style = Style::new(colour);
    let mut page = Page { text: String::new(), style };
    request(&mut page, told);
    client(&mut page, &told.client, assumed);
    if let Some(site) = &told.site {
        self::site(&mut page, site, told.request.listener == "https");
    }
    if let Some(path) = told.path.as_ref().filter(|path| path.compared != path.sent) {
        page.line("path", &format!("{}{}", path.compared, style.aside("decoded and normalised")));
    }
    if !told.routes.is_empty() {
        page.heading("Routes, the most specific first");
        routes(&mut page, &told.routes);
    }
    if let Some(policy) = &told.policy {
        page.heading("Policy of the route, with what server and site add");
        self::policy(&mut page, policy, matches!(told.action, Some(ActionFacts::Proxy(_))));
        if told.outcome.answered_by == Answerer::Upstream {
            response_headers(&mut page, &policy.response_headers);
        }
    }
    if let Some(action) = &told.action {
        self::action(&mut page, action);
    }
    if told.outcome.status.is_some() {
        answer(&mut page, &told.outcome);
    }
    page.text
}

fn request(page: &mut Page, told: &Explanation) {
    let asked = &told.request;
    let Style { strong, good, bad, off, .. } = page.style;
    let url = format!("{}://{}{}", asked.listener, asked.host, asked.target);
    let _ = writeln!(page.text, "{strong}{} {url}{off}", asked.method);
    let outcome = &told.outcome;
    let colour = if outcome.reason.is_some() { bad } else { good };
    let status = outcome.status.and_then(|status| http::StatusCode::from_u16(status).ok());
    let what = match (outcome.answered_by, status) {
        (Answerer::Gateway, Some(status)) => format!("{status}: {}", outcome.because),
        (Answerer::Nobody, _) => format!("no answer: {}", outcome.because),
        _ => outcome.because.clone(),
    };
    let _ = writeln!(page.text, "{colour}→ {what}{off}\n");
}

fn client(page: &mut Page, client: &ClientFacts, assumed: bool) {
    let ClientFacts { ip, peer, .. } = client;
    let how = match (&client.trusted_as, &client.header) {
        (Some(source), Some(header)) if ip == peer => {
            format!("a trusted proxy, {source}, whose {header} names nobody else")
        }
        (Some(source), Some(header)) => {
            format!("by the {header} of {peer}, a trusted proxy: {source}")
        }
        _ if assumed => "a stranger; --from says another address".into(),
        _ => String::new(),
    };
    page.line("client", &format!("{ip}{}", page.style.aside(&how)));
}

fn site(page: &mut Page, site: &SiteFacts, over_tls: bool) {
    let how = match site.rank {
        "exact" if site.pattern == site.name => String::new(),
        "exact" => format!("by its alias {}", site.pattern),
        _ if site.pattern == site.name => "no site has exactly this host".into(),
        _ => format!("by its alias {}: no site has exactly this host", site.pattern),
    };
    page.line("site", &format!("{}{}", site.name, page.style.aside(&how)));
    if over_tls {
        page.line("certificate", &site.certificates.join(", "));
    }
}

fn routes(page: &mut Page, routes: &[RouteFacts]) {
    let width = routes.iter().map(|route| route.path.chars().count()).max().unwrap_or(0);
    let Style { good, dim, off, .. } = page.style;
    for RouteFacts { path, verdict, why } in routes {
        let (mark, colour) = match verdict {
            Verdict::Won => ("→", good),
            Verdict::Lost | Verdict::NoMatch => (" ", dim),
        };
        let _ = writeln!(page.text, "{colour}{mark} {path:<width$}  {why}{off}");
    }
}

fn policy(page: &mut Page, policy: &PolicyFacts, passes_on: bool) {
    if let Some(under_work) = &policy.maintenance {
        page.line("maintenance", &decision(page.style, under_work));
    }
    page.line("access", &decision(page.style, &policy.access));
    page.line("deny_paths", &decision(page.style, &policy.deny_paths));
    page.list("limit", policy.limits.iter().map(limit));
    if policy.limits.is_empty() {
        page.line("limit", "none");
    }
    if let Some(pace) = policy.bandwidth.as_ref().filter(|_| passes_on) {
        page.line("bandwidth", &format!("{}, {} at once", pace.rate, pace.burst));
    }
    if let Some(auth) = &policy.auth {
        page.line("auth", &format!("{}: asks {}", auth.kind, auth.asks));
    }
    if let Some(webhook) = &policy.webhook {
        self::webhook(page, webhook);
    }
    if passes_on || policy.webhook.is_some() {
        page.line("body", &format!("at most {}", policy.body));
        let PolicyFacts { body_idle, stream_idle, .. } = policy;
        page.line(
            "idle",
            &format!("{body_idle} in a body, {stream_idle} in a stream or WebSocket"),
        );
    }
    page.list("errors", errors(&policy.errors));
    page.line("log", if policy.log { "yes" } else { "no" });
    page.list("cache", policy.cache_control.iter().map(cache_control));
    if let Some(compress) = &policy.compress {
        self::compress(page, compress);
    }
    if let Some(cors) = &policy.cors {
        self::cors(page, cors);
    }
}

fn cache_control(entry: &CacheControlFacts) -> String {
    let CacheControlFacts { suffixes, value, applies } = entry;
    let applies = if *applies { ", which this path is one of" } else { "" };
    format!("{value}: for {}{applies}", suffixes.join(", "))
}

fn compress(page: &mut Page, compress: &CompressFacts) {
    let CompressFacts { algorithms, min, types, chosen } = compress;
    let chosen = chosen.map_or("not for this client".to_owned(), |name| format!("{name} here"));
    page.line("compress", &format!("{} from {min}; {chosen}", algorithms.join(", ")));
    if let Some(types) = types {
        page.below(&format!("only {}", types.join(", ")));
    }
}

fn cors(page: &mut Page, cors: &CorsFacts) {
    let with = if cors.credentials { ", with credentials" } else { "" };
    page.line("cors", &format!("{} may read the answer{with}", cors.origins.join(", ")));
    match &cors.origin {
        Some(origin) if cors.readable => page.below(&format!("{origin} is one of them")),
        Some(origin) => page.below(&format!("{origin} is none of them")),
        None => page.below("the request names no origin"),
    }
    let headers = cors.headers.as_ref().map(|headers| headers.join(", "));
    let headers = headers.map_or("every header".to_owned(), |list| format!("headers {list}"));
    page.below(&format!("preflights: {} with {headers}", cors.methods.join(", ")));
    if let Some(age) = &cors.max_age {
        page.below(&format!("remembered for {age}"));
    }
    if !cors.expose.is_empty() {
        page.below(&format!("scripts may read {}", cors.expose.join(", ")));
    }
}

fn errors(errors: &ErrorFacts) -> Vec<String> {
    let form = match errors.format {
        "json" => "as JSON",
        _ => "as HTML, JSON or plain text, by the request's Accept",
    };
    let whose = if errors.intercept { ", the upstream's too" } else { "" };
    let page = |page: &ErrorPageFacts| format!("{} by {}{whose}", page.status, page.file);
    std::iter::once(form.to_owned()).chain(errors.pages.iter().map(page)).collect()
}

fn webhook(page: &mut Page, webhook: &WebhookFacts) {
    let WebhookFacts { provider, secrets, events, remember } = webhook;
    page.line("webhook", &format!("signed by {provider} with {}", secrets.join(" or ")));
    page.below(&match events.as_slice() {
        [] => "every event goes on".to_owned(),
        some => format!("{} go on, other events are answered with 204", some.join(", ")),
    });
    page.below(&match remember {
        Some(time) => format!("what went well is refused again for {time}"),
        None => "may come again".to_owned(),
    });
}

fn decision(style: Style, decision: &Decision) -> String {
    let Style { good, bad, off, .. } = style;
    let (colour, word) = if decision.allowed { (good, "allowed") } else { (bad, "refused") };
    format!("{colour}{word}{off}: {}", decision.why)
}

fn limit(limit: &LimitFacts) -> String {
    let LimitFacts { name, rate, burst, concurrent, counted_with, dry_run, .. } = limit;
    let measure = match (rate, burst, concurrent) {
        (Some(rate), Some(burst), _) => format!("{rate}, {burst} at once"),
        (_, _, Some(concurrent)) => format!("{concurrent} at one time"),
        _ => String::new(),
    };
    let dry = if *dry_run { "; a dry run, nobody is refused" } else { "" };
    format!("{name}: {measure}, counted for {counted_with}{dry}")
}

fn response_headers(page: &mut Page, headers: &ResponseHeaderFacts) {
    page.heading(&format!("Headers of the answer, preset {}", headers.preset));
    page.list("set", headers.set.iter().map(written));
    page.list("default", headers.default.iter().map(written));
    if !headers.remove.is_empty() {
        page.line("remove", &headers.remove.join(", "));
    }
    page.line("always", &headers.added.join(", "));
}

fn written(header: &HeaderFact) -> String {
    format!("{}: {}", header.name, header.value)
}

fn action(page: &mut Page, action: &ActionFacts) {
    let passed = match action {
        ActionFacts::Proxy(passed) => passed,
        ActionFacts::Files(found) => return files(page, found),
        ActionFacts::Respond { .. } | ActionFacts::Redirect { .. } => return,
    };
    let ProxyFacts { upstream, rewrite, request } = &**passed;
    page.heading(&format!("Upstream {}", upstream.name));
    page.line("servers", &format!("{} ({})", upstream.servers.join(", "), upstream.protocol));
    page.line(
        "wait",
        &format!("{} to connect, {} for the first byte", upstream.connect, upstream.first_byte),
    );
    if upstream.protocol == "https" {
        page.line("verified", upstream.ca.as_deref().unwrap_or("with the system's roots"));
    }
    page.line("path", rewrite);
    match request {
        Some(request) => upstream_request(page, request),
        None => page.line("request", "never gets there"),
    }
}

fn files(page: &mut Page, files: &FilesFacts) {
    page.heading(&format!("Files below {}", files.dir));
    page.line("file", files.file.as_deref().unwrap_or("none: dotfiles are never served"));
    if files.precompressed {
        page.below("or its sibling .br, .zst or .gz");
    }
    if let Some(page_for_all) = &files.spa {
        page.line("spa", &format!("{page_for_all} for pages that are not there"));
    }
}

fn upstream_request(page: &mut Page, request: &UpstreamRequest) {
    page.line("request", &format!("{} {} HTTP/1.1", request.method, request.target));
    for sent in &request.headers {
        let origin = match sent.origin {
            HeaderOrigin::Client => "the client's",
            HeaderOrigin::Gateway => "",
        };
        page.below(&format!("{}{}", written(&sent.header), page.style.aside(origin)));
    }
    if !request.dropped.is_empty() {
        page.line("dropped", &request.dropped.join(", "));
    }
}

fn answer(page: &mut Page, outcome: &Outcome) {
    page.heading("The gateway's answer");
    page.list("headers", outcome.headers.iter().map(written));
    page.list("body", outcome.body.iter().flat_map(|body| body.lines()).map(printable));
}

/// A body must not be able to steer a terminal.
fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
