//! `files`: large ones, ranges and conditions.

use std::fs;
use std::os::unix::fs::FileExt;

use http_body_util::BodyExt;
use hyper::StatusCode;

use crate::harness::gateway::{Gateway, folder};
use crate::harness::http_client::{Http, get, get_with};
use crate::harness::memory::{self, MIB};
use crate::harness::pattern;
use crate::harness::replies::check_pattern;
use crate::harness::{config, within};

/// A gateway that serves one file, of so many bytes of the pattern.
async fn gateway(total: u64) -> Gateway {
    let dir = folder();
    fs::create_dir(dir.path().join("dist")).unwrap();
    let file = fs::File::create(dir.path().join("dist/file.bin")).unwrap();
    let mut position = 0;
    while position < total {
        let piece = pattern::piece(position, total);
        file.write_all_at(&piece, position).unwrap();
        position += piece.len() as u64;
    }
    let toml = "[site.\"app.test\"]\ntls = \"self-signed\"\nfiles = \"dist\"\n";
    Gateway::start_in(dir, &config("", toml)).await
}

fn bytes(start: u64, end: u64) -> Vec<u8> {
    let mut all = Vec::new();
    while start + (all.len() as u64) < end {
        all.extend_from_slice(&pattern::piece(start + all.len() as u64, end));
    }
    all
}

#[tokio::test]
async fn one_range_at_a_time() {
    let total = 1_000_000;
    let gateway = gateway(total).await;
    for mut http in Http::both(&gateway, "app.test").await {
        for (range, start, end) in [
            ("bytes=0-0", 0, 1),
            ("bytes=0-99999", 0, 100_000),
            ("bytes=400000-799999", 400_000, 800_000),
            ("bytes=999999-", 999_999, total),
            ("bytes=-500", total - 500, total),
            ("bytes=999000-5000000", 999_000, total),
        ] {
            let reply = http.request(get_with("/file.bin", &[("range", range)])).await;
            assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT, "{range}");
            let said = format!("bytes {start}-{}/{total}", end - 1);
            assert_eq!(reply.header("content-range"), Some(said), "{range}");
            assert_eq!(reply.header("content-length"), Some((end - start).to_string()), "{range}");
            assert!(reply.body == bytes(start, end), "{range}: other bytes than these");
        }
        let reply = http.request(get_with("/file.bin", &[("range", "bytes=1000000-")])).await;
        assert_eq!(reply.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(reply.header("content-range").as_deref(), Some("bytes */1000000"));
        for range in ["bytes=0-1,5-6", "bytes=9-0", "lines=1-2", "bytes=x"] {
            let reply = http.request(get_with("/file.bin", &[("range", range)])).await;
            assert_eq!(reply.status, StatusCode::OK, "{range}");
            assert_eq!(reply.body.len() as u64, total, "{range}");
            assert_eq!(reply.header("accept-ranges").as_deref(), Some("bytes"));
        }
    }
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_stopped() {
    let total = 300_000;
    let gateway = gateway(total).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let whole = http.get("/file.bin").await;
        let (tag, date) = (whole.header("etag").unwrap(), whole.header("last-modified").unwrap());
        for condition in [&tag, &date] {
            let rest = [("range", "bytes=200000-"), ("if-range", condition.as_str())];
            let reply = http.request(get_with("/file.bin", &rest)).await;
            assert_eq!(reply.status, StatusCode::PARTIAL_CONTENT, "{condition}");
            assert!(reply.body == bytes(200_000, total));
        }
        for condition in ["\"another\"", "Mon, 23 Nov 2020 16:00:00 GMT"] {
            let rest = [("range", "bytes=200000-"), ("if-range", condition)];
            let reply = http.request(get_with("/file.bin", &rest)).await;
            assert_eq!((reply.status, reply.body.len() as u64), (StatusCode::OK, total));
        }
        for (name, value, expected) in [
            ("if-none-match", tag.as_str(), StatusCode::NOT_MODIFIED),
            ("if-none-match", "\"another\"", StatusCode::OK),
            ("if-modified-since", date.as_str(), StatusCode::NOT_MODIFIED),
            ("if-modified-since", "Mon, 23 Nov 2020 16:00:00 GMT", StatusCode::OK),
            ("if-match", tag.as_str(), StatusCode::OK),
            ("if-match", "\"another\"", StatusCode::PRECONDITION_FAILED),
            (
                "if-unmodified-since",
                "Mon, 23 Nov 2020 16:00:00 GMT",
                StatusCode::PRECONDITION_FAILED,
            ),
        ] {
            let reply = http.request(get_with("/file.bin", &[(name, value)])).await;
            assert_eq!(reply.status, expected, "{name}: {value}");
            if expected == StatusCode::NOT_MODIFIED {
                assert!(reply.body.is_empty());
                assert_eq!(reply.header("etag").as_deref(), Some(tag.as_str()));
                assert_eq!(reply.header("content-length"), None);
            }
        }
    }
}

#[tokio::test]
async fn a_large_file_takes_no_memory() {
    let total = 128 * MIB;
    let gateway = gateway(total).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let before = memory::resident(gateway.pid());
        let response = http.send(get("/file.bin")).await.unwrap();
        assert_eq!(check_pattern(&mut response.into_body()).await.unwrap(), total);
        let grown = memory::peak(gateway.pid()).saturating_sub(before);
        assert!(grown < 64 * MIB, "memory grew by {} KiB", grown / 1024);
    }
}

#[tokio::test]
async fn a_file_that_becomes_shorter_breaks_its_answer_off() {
    let total = 64 * MIB;
    let gateway = gateway(total).await;
    for mut http in Http::both(&gateway, "app.test").await {
        let file = fs::OpenOptions::new().write(true).open(gateway.dir().join("dist/file.bin"));
        let file = file.unwrap();
        file.set_len(total).unwrap();
        let response = http.send(get("/file.bin")).await.unwrap();
        let mut body = response.into_body();
        within("the first piece", body.frame()).await.unwrap().unwrap();
        file.set_len(1000).unwrap();
        let end = within("the end", body.collect()).await;
        assert!(end.is_err(), "{:?}: it looks whole", http.version());
    }
    let record = gateway.record_of("/file.bin").await;
    assert!(record["error"].as_str().unwrap().contains("the file cannot be read"), "{record}");
}
