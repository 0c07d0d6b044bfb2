//! HTTP/2.
use crate::connection::Connection;
use crate::stream::GatheringStream;
use std::sync::Arc;
pub(crate) async fn http2(_stream: GatheringStream, _connection: Arc<Connection>) {}
