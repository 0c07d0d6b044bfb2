//! `limit`: how many requests of one client are served, in a time ([`rate`]) or at one time
//! ([`concurrency`]). What counts as one client is its [`key`].

mod concurrency;
mod key;
mod rate;

use std::net::IpAddr;

use gateway_config::model::{Counting, Limit, Measure};

use super::Refused;
use crate::head::RequestHead;
use concurrency::Concurrency;
use key::Keys;
use rate::Rate;

pub(crate) use concurrency::Place;
pub(crate) use key::ClientKey;
pub(crate) use rate::{Allowance, Exceeded};

/// A limit, and who has used how much of it.
pub(crate) struct Limiter {
    pub(crate) name: String,
    /// What is over the limit is served all the same.
    pub(crate) dry_run: bool,
    keys: Keys,
    count: Count,
}

enum Count {
    Rate(Rate),
    Concurrency {
        places: Concurrency,
        /// Whether open WebSockets keep their places.
        open_websockets: bool,
    },
}

/// A request that is within a limit.
pub(crate) enum Within<'l> {
    /// Nobody need know.
    Silent,
    /// Its client is told what remains.
    Rate(Allowance<'l>),
    /// It has this place until it ends.
    Place(Place<'l>),
}

impl Limiter {
    pub(crate) fn new(limit: &Limit) -> Self {
        let (count, websockets) = match limit.measure {
            Measure::Rate { rate, burst } => {
                (Count::Rate(Rate::new(&limit.name, rate, burst)), limit.websockets)
            }
            Measure::Concurrent(most) => {
                let open_websockets = limit.websockets != Counting::Skip;
                let places = Concurrency::new(most);
                // One that is not open yet is a request like any other, whatever it calls itself.
                let counting = if open_websockets { limit.websockets } else { Counting::Together };
                (Count::Concurrency { places, open_websockets }, counting)
            }
        };
        let keys = Keys::new(limit, websockets);
        Self { name: limit.name.clone(), dry_run: limit.dry_run, keys, count }
    }

    /// Counts a request of `client` for a normalised path.
    ///
    /// # Errors
    /// [`Refused`], where it is over the limit.
    pub(crate) fn check(
        &self,
        asked: &RequestHead,
        client: IpAddr,
        path: &str,
    ) -> Result<Within<'_>, Refused> {
        let Some(key) = self.keys.of(asked, client, path) else { return Ok(Within::Silent) };
        match &self.count {
            Count::Rate(rate) => match rate.check(key) {
                Ok(_) if self.dry_run => Ok(Within::Silent),
                Ok(allowance) => Ok(Within::Rate(allowance)),
                Err(over) => Err(Refused::Rate(over)),
            },
            Count::Concurrency { places, open_websockets } => {
                let place = places.enter(key, *open_websockets);
                place.map(Within::Place).ok_or_else(|| Refused::Concurrency(self.name.clone()))
            }
        }
    }

    /// What a request is counted with; `None` where it does not count.
    pub(crate) fn key_of(
        &self,
        asked: &RequestHead,
        client: IpAddr,
        path: &str,
    ) -> Option<ClientKey> {
        self.keys.of(asked, client, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway_config::model::{LimitKey, Rate};
    use http::Method;
    use std::num::NonZeroU32;
    use std::time::Duration;

    fn limit(measure: Measure, websockets: Counting) -> Limit {
        Limit {
            name: "x".into(),
            measure,
            key: LimitKey::ClientIp,
            assets: Counting::Apart,
            websockets,
            asset_suffixes: vec![".js".into()],
            dry_run: false,
        }
    }

    fn get(fields: &[(&str, &str)]) -> RequestHead {
        let mut head = RequestHead::default();
        head.begin(Method::GET, http::Version::HTTP_11);
        for (name, value) in fields {
            head.fields.add(name.as_bytes(), value.as_bytes());
        }
        head
    }

    fn client() -> IpAddr {
        [192, 0, 2, 1].into()
    }

    #[test]
    fn a_page_that_is_used_up_leaves_its_assets_and_websockets_their_own() {
        let rate = Rate { count: NonZeroU32::MIN, per: Duration::from_secs(3600) };
        let measure = Measure::Rate { rate, burst: NonZeroU32::MIN };
        let limiter = Limiter::new(&limit(measure, Counting::Apart));
        let socket = get(&[("upgrade", "websocket")]);
        let served = |asked: &RequestHead, path| limiter.check(asked, client(), path).is_ok();
        assert!(served(&get(&[]), "/"));
        assert!(!served(&get(&[]), "/other"));
        assert!(served(&get(&[]), "/app.js"));
        assert!(!served(&get(&[]), "/other.js"), "they are not unlimited");
        assert!(served(&socket, "/ws"));
        assert!(!served(&socket, "/ws"));
    }

    #[test]
    fn whoever_says_websocket_has_a_place_like_anyone_until_it_is_open() {
        let measure = Measure::Concurrent(NonZeroU32::MIN);
        let limiter = Limiter::new(&limit(measure, Counting::Skip));
        let socket = get(&[("upgrade", "websocket")]);
        let Ok(Within::Place(place)) = limiter.check(&socket, client(), "/ws") else {
            panic!("no place")
        };
        assert!(!place.outlives_opening);
        assert!(limiter.check(&get(&[]), client(), "/").is_err());
        drop(place);
        assert!(limiter.check(&get(&[]), client(), "/").is_ok());
    }
}
