//! What the demo prints is documentation too: every line that it tells its reader to type works.

use std::time::{Duration, Instant};

use crate::commands::Session;

/// curl's statuses where `--max-time` ended a stream that has no end, and where an answer was 4xx.
const TIME_WAS_UP: i32 = 28;
const REFUSED: i32 = 22;

#[test]
fn every_line_that_the_demo_prints_works() {
    let mut session = Session::begin();
    session.run("gateway demo", "the demo");
    let printed = session.said();
    let lines: Vec<&str> =
        printed.lines().filter_map(|line| line.strip_prefix("  curl ")).collect();
    assert!(lines.len() > 5, "{printed}");
    for line in lines {
        let asked = Instant::now();
        let answer = session.run(&format!("curl {line}"), "the demo");
        let streams = line.contains("--max-time") && answer.status == TIME_WAS_UP;
        // The one that asks for more than the limit allows; not where the machine is so busy that
        // the allowance comes back meanwhile.
        let exceeds = line.contains("[1-30]") && answer.output.is_some();
        if exceeds && asked.elapsed() < Duration::from_secs(1) {
            assert_eq!(answer.status, REFUSED, "curl {line}: {answer:?}");
        } else if !exceeds {
            assert!(answer.status == 0 || streams, "curl {line}: {answer:?}");
        }
    }
    session.end();
}
