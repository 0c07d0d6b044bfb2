//! `bandwidth`: the burst goes out at once, and what is behind it waits.
//!
//! What nginx did: nothing; one download could take the whole line.

use http_body_util::BodyExt;
use serde_json::Value;

use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get};
use crate::harness::origin::Origin;
use crate::harness::replies::{check_pattern, patterned};
use crate::harness::{config, within};

const LARGE: u64 = 8 * 1024 * 1024;
const BURST: usize = 200_000;

async fn gateway(bandwidth: &str) -> (Origin, Gateway) {
    let origin = Origin::http(async |_| hyper::Response::new(patterned(LARGE))).await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\nroutes = [\n\
         {{ path = \"/slow\", to = \"{0}\", bandwidth = {bandwidth} }},\n\
         {{ path = \"/*\", to = \"{0}\" }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    (origin, gateway)
}

/// At a byte a second the rest would take months, so what has been sent when the client leaves is the
/// burst and no more, however quick or slow this machine is.
#[tokio::test]
async fn no_more_than_the_burst_is_sent_before_the_rate_counts() {
    let (_origin, gateway) = gateway("{ rate = \"1B/s\", burst = \"200KB\" }").await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = format!("{:?}", http.version());
        let mut response = http.send(get("/slow")).await.unwrap();
        let mut received = 0;
        while received < BURST {
            let frame = within("a piece of the burst", response.body_mut().frame()).await;
            received += frame.unwrap().unwrap().into_data().unwrap().len();
        }
        drop((response, http));
        let slow = |record: &Value| record["path"] == "/slow" && version.contains(proto(record));
        let record = gateway.record("the record of the slow answer", slow).await;
        let sent = usize::try_from(record["bytes_out"].as_u64().unwrap()).unwrap();
        assert!((BURST..BURST + 1000).contains(&sent), "{sent} bytes were sent over {version}");
    }
}

fn proto(record: &Value) -> &str {
    match record["proto"].as_str() {
        Some("HTTP/2") => "HTTP/2.0",
        other => other.unwrap_or("none"),
    }
}

/// The same for a file, whose client is seen to leave while nothing may be sent.
#[tokio::test]
async fn files_are_slowed_down_too() {
    let dir = folder();
    std::fs::write(dir.path().join("file.bin"), vec![7; LARGE as usize]).unwrap();
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nfiles = \".\"\n\
                bandwidth = { rate = \"1B/s\", burst = \"200KB\" }\n";
    let gateway = Gateway::start_in(dir, &config("", toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let version = format!("{:?}", http.version());
        let mut response = http.send(get("/file.bin")).await.unwrap();
        let mut received = 0;
        while received < BURST {
            let frame = within("a piece of the burst", response.body_mut().frame()).await;
            received += frame.unwrap().unwrap().into_data().unwrap().len();
        }
        drop((response, http));
        let slow =
            |record: &Value| record["path"] == "/file.bin" && version.contains(proto(record));
        let record = gateway.record("the record of the slow file", slow).await;
        let sent = usize::try_from(record["bytes_out"].as_u64().unwrap()).unwrap();
        assert!((BURST..BURST + 1000).contains(&sent), "{sent} bytes were sent over {version}");
    }
}

#[tokio::test]
async fn what_is_within_the_rate_is_whole_and_other_routes_are_not_slowed_down() {
    let (_origin, gateway) = gateway("\"1GiB/s\"").await;
    for mut http in Http::both(&gateway, "app.test").await {
        for path in ["/slow", "/quick"] {
            let mut response = http.send(get(path)).await.unwrap();
            assert_eq!(check_pattern(response.body_mut()).await.unwrap(), LARGE, "{path}");
        }
    }
}

/// Many waits, and nothing is lost or doubled at any of them; and a wait that `bandwidth` brings about
/// is not the silence that `idle` is about.
#[tokio::test]
async fn a_slowed_answer_arrives_whole_and_is_not_taken_for_a_silent_one() {
    let origin = Origin::http(async |_| hyper::Response::new(patterned(300_000))).await;
    let toml = format!(
        "[site.\"app.test\"]\ntls = \"self-signed\"\nidle = \"50ms\"\nroutes = [\n\
         {{ path = \"/*\", to = \"{}\", bandwidth = {{ rate = \"200KB/s\", burst = \"1B\" }} }},\n]\n",
        origin.addr()
    );
    let gateway = Gateway::start(&config("", &toml)).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let mut response = http.send(get("/")).await.unwrap();
        assert_eq!(check_pattern(response.body_mut()).await.unwrap(), 300_000);
    }
}
