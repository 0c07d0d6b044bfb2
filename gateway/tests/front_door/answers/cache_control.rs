//! PARITY: "nested `location ~* \.(js|css|png|…)$`: `Cache-Control: public, immutable`, expires 1 year, no
//! access log". Wrong in the old one: a 404 asset was cached for a year, and in one site the nested
//! location had lost its upstream.

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};

use crate::harness::gateway::Gateway;
use crate::harness::http_client::Http;
use crate::harness::origin::Origin;
use crate::harness::replies::{Body, full};
use crate::harness::{config, one_site};

const YEAR: &str = "public, max-age=31536000, immutable";

/// Answers `/STATUS/HEADER/VALUE/…` with that status, and that header where it is not `-`.
async fn answer(request: Request<Incoming>) -> Response<Body> {
    let parts: Vec<&str> = request.uri().path()[1..].split('/').collect();
    let mut response = Response::new(full("asset"));
    *response.status_mut() = parts[0].parse().unwrap();
    if parts[1] != "-" {
        let name: HeaderName = parts[1].parse().unwrap();
        response.headers_mut().insert(name, HeaderValue::from_str(parts[2]).unwrap());
    }
    response
}

#[tokio::test]
async fn files_that_were_found_may_be_kept_and_nothing_else() {
    let origin = Origin::http(answer).await;
    let keys = format!(
        "cache_control = [{{ suffixes = [\".js\", \".css\"], value = \"{YEAR}\" }}, \
         {{ suffixes = [\".png\", \".min.js\"], value = \"public\" }}]"
    );
    let gateway = Gateway::start(&config("", &one_site(origin.addr(), &keys))).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (path, expected) in [
            ("/200/-/app.js", Some(YEAR)),
            ("/200/-/app.JS?v=1", Some(YEAR)),
            ("/200/-/a%2Ejs", Some(YEAR)),
            ("/200/-/app.min.js", Some(YEAR)),
            ("/200/-/logo.png", Some("public")),
            ("/304/-/app.js", Some(YEAR)),
            ("/206/-/app.js", Some(YEAR)),
            ("/404/-/app.js", None),
            ("/500/-/app.js", None),
            ("/302/-/app.js", None),
            ("/200/-/page.html", None),
            ("/200/-/page?x=.js", None),
            ("/200/-/app.js/page", None),
            ("/200/cache-control/no-store/app.js", Some("no-store")),
            ("/200/expires/0/app.js", None),
        ] {
            let reply = http.get(path).await;
            assert_eq!(reply.header("cache-control").as_deref(), expected, "{path}");
        }
    }
}

#[tokio::test]
async fn the_nearest_level_decides_and_headers_have_the_last_word() {
    let origin = Origin::text("asset").await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\n\
         cache_control = [{{ suffixes = [\".js\"], value = \"public\" }}]\nroutes = [\n\
         {{ path = \"/off/*\", to = \"{0}\", cache_control = [] }},\n\
         {{ path = \"/own/*\", to = \"{0}\", cache_control = [{{ suffixes = [\".css\"], value = \"private\" }}] }},\n\
         {{ path = \"/set/*\", to = \"{0}\", headers = {{ set = {{ Cache-Control = \"no-store\" }} }} }},\n\
         {{ path = \"/default/*\", to = \"{0}\", headers = {{ default = {{ Cache-Control = \"no-cache\" }} }} }},\n\
         {{ path = \"/fixed.js\", respond = {{ status = 200, body = \"x\" }} }},\n\
         {{ path = \"/*\", to = \"{0}\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    let mut http = Http::http2(&gateway, "app.test").await;
    for (path, expected) in [
        ("/a.js", Some("public")),
        ("/off/a.js", None),
        ("/own/a.js", None),
        ("/own/a.css", Some("private")),
        ("/set/a.js", Some("no-store")),
        ("/default/a.js", Some("public")),
        ("/default/a", Some("no-cache")),
        ("/fixed.js", Some("public")),
    ] {
        let reply = http.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.header("cache-control").as_deref(), expected, "{path}");
    }
}
