//! What is measured.

use crate::bench::load::{Handshakes, Load, Protocol};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// One thing that is measured, by the name that `--only` knows it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Row {
    /// CPU per request with HTTP/1.1 on connections that are kept.
    H1,
    /// CPU per request with HTTP/2.
    H2,
    /// CPU per full handshake with one request.
    Full,
    /// CPU per resumed handshake with one request.
    Resumed,
    /// CPU per GiB of answers of 100 KiB.
    #[value(name = "down-100k")]
    Down100k,
    /// CPU per GiB of requests of 100 KiB.
    #[value(name = "up-100k")]
    Up100k,
    /// CPU per GiB of answers of 10 MiB.
    #[value(name = "down-10m")]
    Down10m,
    /// CPU per GiB of requests of 10 MiB.
    #[value(name = "up-10m")]
    Up10m,
    /// CPU per message of a WebSocket and its echo.
    Ws,
    /// Latency at 70 % of the best peer's peak.
    Latency,
    /// Memory per idle connection.
    Idle,
    /// Time from start to first answer.
    Start,
}

/// One line of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) unit: &'static str,
    /// What gateway / best peer should be at most.
    pub(crate) goal: Option<f64>,
}

/// How a row is measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// CPU while a load runs, divided by what it brought about.
    Cpu {
        load: Load,
        per: Per,
    },
    Latency,
    Idle,
    Start,
}

/// What CPU is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Per {
    /// Microseconds for one.
    Request,
    /// Milliseconds for a GiB of answers.
    GibDown,
    /// Milliseconds for a GiB of requests.
    GibUp,
}

/// Connections of the row `h1`, which is also how the peak is found.
pub(crate) const CONNECTIONS: u32 = 32;

impl Row {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::H1,
        Self::H2,
        Self::Full,
        Self::Resumed,
        Self::Down100k,
        Self::Up100k,
        Self::Down10m,
        Self::Up10m,
        Self::Ws,
        Self::Latency,
        Self::Idle,
        Self::Start,
    ];

    /// The lines that it becomes.
    pub(crate) fn figures(self) -> &'static [Figure] {
        const fn figure(
            id: &'static str,
            title: &'static str,
            unit: &'static str,
            goal: Option<f64>,
        ) -> Figure {
            Figure { id, title, unit, goal }
        }
        const H1: &[Figure] =
            &[figure("h1", "HTTP/1.1, kept connections", "µs CPU/request", Some(1.0))];
        const H2: &[Figure] = &[figure("h2", "HTTP/2", "µs CPU/request", Some(0.85))];
        const FULL: &[Figure] = &[figure("full", "full handshake + request", "µs CPU", Some(0.7))];
        const RESUMED: &[Figure] =
            &[figure("resumed", "resumed handshake + request", "µs CPU", Some(0.9))];
        const DOWN_100K: &[Figure] = &[figure("down-100k", "100 KiB down", "ms CPU/GiB", None)];
        const UP_100K: &[Figure] = &[figure("up-100k", "100 KiB up", "ms CPU/GiB", None)];
        const DOWN_10M: &[Figure] = &[figure("down-10m", "10 MiB down", "ms CPU/GiB", Some(1.0))];
        const UP_10M: &[Figure] = &[figure("up-10m", "10 MiB up", "ms CPU/GiB", Some(1.0))];
        const WS: &[Figure] = &[figure("ws", "WebSocket message + echo", "µs CPU", None)];
        const LATENCY: &[Figure] = &[
            figure("p50", "median latency at 70 % of peak", "ms", None),
            figure("p99", "p99 latency at 70 % of peak", "ms", Some(1.0)),
        ];
        const IDLE: &[Figure] = &[figure("idle", "memory per idle connection", "KiB", Some(1.0))];
        const START: &[Figure] = &[figure("start", "start to first answer", "ms", None)];
        match self {
            Self::H1 => H1,
            Self::H2 => H2,
            Self::Full => FULL,
            Self::Resumed => RESUMED,
            Self::Down100k => DOWN_100K,
            Self::Up100k => UP_100K,
            Self::Down10m => DOWN_10M,
            Self::Up10m => UP_10M,
            Self::Ws => WS,
            Self::Latency => LATENCY,
            Self::Idle => IDLE,
            Self::Start => START,
        }
    }

    pub(crate) fn way(self) -> Way {
        let cpu = |load, per| Way::Cpu { load, per };
        let http1 = |connections| Load::of(Protocol::Http1, connections);
        let each = |handshakes| Load { handshakes, ..http1(16) };
        let down = |size: u64, connections| Load {
            paths: vec![format!("/size/{size}")],
            ..http1(connections)
        };
        let up = |size, connections| Load { upload: Some(size), ..http1(connections) };
        match self {
            Self::H1 => cpu(http1(CONNECTIONS), Per::Request),
            Self::H2 => cpu(Load::of(Protocol::Http2 { streams: 16 }, 16), Per::Request),
            Self::Full => cpu(each(Handshakes::FullEach), Per::Request),
            Self::Resumed => cpu(each(Handshakes::ResumedEach), Per::Request),
            Self::Down100k => cpu(down(100 * KIB, 16), Per::GibDown),
            Self::Up100k => cpu(up(100 * KIB, 16), Per::GibUp),
            Self::Down10m => cpu(down(10 * MIB, 4), Per::GibDown),
            Self::Up10m => cpu(up(10 * MIB, 4), Per::GibUp),
            Self::Ws => {
                let load = Load::of(Protocol::WebSocket { message: 128 }, CONNECTIONS);
                cpu(Load { paths: vec!["/ws".into()], ..load }, Per::Request)
            }
            Self::Latency => Way::Latency,
            Self::Idle => Way::Idle,
            Self::Start => Way::Start,
        }
    }
}
