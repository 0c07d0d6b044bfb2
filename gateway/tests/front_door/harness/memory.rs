//! The memory of the gateway's process, as the kernel counts it.

use nix::unistd::Pid;

/// One mebibyte.
pub(crate) const MIB: u64 = 1024 * 1024;

/// The resident memory now, in bytes.
pub(crate) fn resident(pid: Pid) -> u64 {
    status_field(pid, "VmRSS:")
}

/// The most memory that was ever resident, in bytes.
pub(crate) fn peak(pid: Pid) -> u64 {
    status_field(pid, "VmHWM:")
}

fn status_field(pid: Pid, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
    kibibytes * 1024
}
