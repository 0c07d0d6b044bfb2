//! Which core does what: what is measured has one of its own, the load has the others.

use std::io;
use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Numbers of cores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CoreList(Vec<usize>);

impl CoreList {
    /// Starts a command on these cores. A child inherits the affinity of the thread that starts it,
    /// so a thread is made for this and pinned first; nothing has to happen between fork and exec.
    ///
    /// # Errors
    /// The kernel's, and that of a program that cannot be started.
    pub(crate) fn start(&self, command: &mut Command) -> io::Result<Child> {
        let mut set = CpuSet::new();
        self.0.iter().for_each(|core| set.set(*core));
        std::thread::scope(|scope| {
            let starter = scope.spawn(move || {
                sched_setaffinity(None, &set)?;
                command.spawn()
            });
            starter.join().unwrap_or_else(|_| Err(io::Error::other("the starting thread panicked")))
        })
    }
}

impl std::fmt::Display for CoreList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join(", "))
    }
}

/// How the cores are divided.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    pub(crate) server: CoreList,
    pub(crate) client: CoreList,
}

impl Cores {
    /// One core for the server and the rest for the client and the origin. Where there is only one,
    /// they share it: CPU per request is still right, latency is not.
    ///
    /// # Errors
    /// The kernel's.
    pub(crate) fn one_for_the_server() -> io::Result<Self> {
        let all = available()?;
        let (server, rest) = all.split_at(1.min(all.len()));
        let client = if rest.is_empty() { server } else { rest };
        Ok(Self { server: CoreList(server.to_vec()), client: CoreList(client.to_vec()) })
    }

    /// The first `count` cores for the server, and the same ones for the client: where there are too
    /// few for both, sharing them hurts every count alike.
    ///
    /// # Errors
    /// The kernel's; there are fewer cores than that.
    pub(crate) fn shared(count: usize) -> io::Result<Self> {
        let all = available()?;
        let these = all.get(..count).ok_or_else(|| {
            io::Error::other(format!("{count} cores are needed and {} are here", all.len()))
        })?;
        Ok(Self { server: CoreList(these.to_vec()), client: CoreList(these.to_vec()) })
    }
}

fn available() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_runs_where_it_was_put() {
        let cores = Cores::one_for_the_server().unwrap();
        let mut command = Command::new("cat");
        command.arg("/proc/self/status").stdout(std::process::Stdio::piped());
        let output = cores.server.start(&mut command).unwrap().wait_with_output().unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        assert_eq!(list.map(str::trim), Some(cores.server.to_string().as_str()));
    }
}
