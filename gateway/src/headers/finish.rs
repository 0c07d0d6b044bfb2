//! What a route does to its answers before its `headers` have the last word. Few routes do anything.

use gateway_config::model::{CacheControl, Policy};

use crate::head::{RequestHead, ResponseHead};
use crate::policy::cache_control;
use crate::policy::compress::{Compress, Encoding};
use crate::policy::cors::Cors;

/// The policies of answers, made ready.
#[derive(Debug)]
pub(crate) struct Finish {
    cache_control: Vec<CacheControl>,
    compress: Option<Compress>,
    cors: Option<Cors>,
}

impl Finish {
    /// `None` where a route has none of them.
    pub(super) fn of(policy: &Policy) -> Option<Box<Self>> {
        let Policy { cache_control, compress, cors, .. } = policy;
        let nothing = cache_control.is_empty() && compress.is_none() && cors.is_none();
        (!nothing).then(|| {
            Box::new(Self {
                cache_control: cache_control.clone(),
                compress: compress.as_ref().map(Compress::of),
                cors: cors.as_ref().map(Cors::of),
            })
        })
    }

    pub(super) fn cors(&self) -> Option<&Cors> {
        self.cors.as_ref()
    }

    /// Does them, in their order. How the body is to be compressed, where it is.
    pub(super) fn apply(&self, asked: &RequestHead, head: &mut ResponseHead) -> Option<Encoding> {
        cache_control::apply(&self.cache_control, asked, head);
        let encoding = self.compress.as_ref().and_then(|compress| compress.apply(asked, head));
        if let Some(cors) = &self.cors {
            cors.apply(asked, &mut head.fields);
        }
        encoding
    }
}
