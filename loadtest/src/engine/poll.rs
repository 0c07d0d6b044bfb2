//! Waiting for sockets, with time-outs as short as the gaps between requests.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::Timespec;

/// As many as are worth taking at once.
const EVENTS: usize = 512;

/// The sockets of one event loop.
pub(super) struct Poll {
    epoll: OwnedFd,
    events: Vec<Event>,
}

/// What a socket is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interest {
    Read,
    Write,
    Both,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Self::Read => EventFlags::IN,
            Self::Write => EventFlags::OUT,
            Self::Both => EventFlags::IN | EventFlags::OUT,
        }
    }
}

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS) })
    }

    /// Events of the socket come with its number, until it is closed.
    pub(super) fn add(
        &self,
        stream: &TcpStream,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, stream, EventData::new_u64(number as u64), interest.flags())?)
    }

    pub(super) fn change(
        &self,
        stream: &TcpStream,
        number: usize,
        interest: Interest,
    ) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, stream, EventData::new_u64(number as u64), interest.flags())?)
    }

    /// Waits, and appends the numbers of the sockets with which something can be done.
    pub(super) fn wait(&mut self, most: Duration, ready: &mut Vec<usize>) -> io::Result<()> {
        let timeout = Timespec {
            tv_sec: i64::try_from(most.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: most.subsec_nanos().into(),
        };
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        ready.extend(self.events.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()));
        Ok(())
    }
}
