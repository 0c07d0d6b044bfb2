//! The backend's server-sent events: a tick at once and each second, and the list's changes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http::header::CACHE_CONTROL;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::clock::unix_millis;
use super::reply::{Reply, set, with_body};
use super::shopping_list::{Change, Follower, ShoppingList};

/// How often a tick is sent.
const TICK: Duration = Duration::from_secs(1);

/// An endless stream of events numbered from `last_id + 1`; each is a piece of the body of its own
/// and is written as it comes.
pub(super) fn stream(list: &Arc<ShoppingList>, last_id: u64) -> Reply {
    let feed = Feed::new(list, last_id);
    let frames = stream::unfold(feed, |mut feed| async move {
        let event = feed.next().await;
        Some((Ok::<_, Infallible>(Frame::data(event)), feed))
    });
    let body = StreamBody::new(frames);
    let mut reply = with_body(StatusCode::OK, "text/event-stream", body);
    set(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

struct Feed {
    last_id: u64,
    ticks: Interval,
    changes: Follower,
    list: Arc<ShoppingList>,
}

#[derive(Serialize)]
struct Tick {
    time_unix_ms: u64,
    items: usize,
    followers: usize,
}

impl Feed {
    fn new(list: &Arc<ShoppingList>, last_id: u64) -> Self {
        let mut ticks = interval(TICK);
        // A reader that was slow gets the next tick, not all those it missed.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (_, changes) = list.follow();
        Self { last_id, ticks, changes, list: Arc::clone(list) }
    }

    async fn next(&mut self) -> Bytes {
        tokio::select! {
            // Under constant change, and at the very start, a tick that is due still goes out.
            biased;
            _ = self.ticks.tick() => {
                let tick = Tick {
                    time_unix_ms: unix_millis(),
                    items: self.list.len(),
                    followers: self.list.followers(),
                };
                self.event("tick", &tick)
            }
            change = self.changes.next() => self.event::<Change>("change", &change),
        }
    }

    /// One event. JSON has no line feed outside its strings and escapes those within, so the data
    /// is always one line.
    fn event<T: Serialize>(&mut self, name: &str, data: &T) -> Bytes {
        self.last_id = self.last_id.wrapping_add(1);
        let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
        Bytes::from(format!("id: {}\nevent: {name}\ndata: {data}\n\n", self.last_id))
    }
}
