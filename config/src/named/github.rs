//! The ranges that GitHub delivers webhooks from.

use super::NamedNetworks;

/// As published under `hooks` at <https://api.github.com/meta>, with the ranges that were added on
/// 2026-10-29
/// (<https://github.blog/changelog/2026-10-29-webhook-ip-ranges-added-to-the-meta-api>). GitHub
/// changes them from time to time, and is no proxy: it says nothing about clients.
pub(crate) static GITHUB_HOOKS: NamedNetworks = NamedNetworks {
    name: "github-hooks",
    blocks: &[
        "192.30.252.0/22",
        "185.199.108.0/22",
        "140.82.112.0/20",
        "143.55.64.0/20",
        "9.234.98.160/28",
        "9.234.98.176/28",
        "9.234.106.48/28",
        "2a0a:a440::/29",
        "2606:50c0::/32",
    ],
    client_header: None,
};
