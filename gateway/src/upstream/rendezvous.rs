//! Rendezvous hashing: every server has a score for every key, and the key goes to the best one. A
//! server that leaves moves only the keys for which it was the best, and one that comes takes only
//! those for which it is.

/// A hash of what identifies a key or a server; the same in every process and version, so that
/// gateways side by side agree.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    // FNV-1a, and then the finaliser of SplitMix64, because FNV's upper bits are poor.
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// How good a server is for a key. The best of several is each of them as often as their weights say.
pub(super) fn score(key: u64, server: u64, weight: u32) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
    let unit = ((mix(key ^ server) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
    -f64::from(weight) / unit.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best(key: u64, servers: &[(u64, u32)]) -> u64 {
        let scored = servers.iter().map(|(server, weight)| (score(key, *server, *weight), *server));
        scored.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1
    }

    #[test]
    fn a_server_that_leaves_moves_only_its_own_keys() {
        let servers: Vec<(u64, u32)> =
            (1..=5).map(|number| (hash(format!("10.0.0.{number}:80").as_bytes()), 1)).collect();
        let gone = servers[2].0;
        let left: Vec<_> = servers.iter().copied().filter(|(server, _)| *server != gone).collect();
        let mut moved = 0;
        for key in 0..10_000_u64 {
            let key = hash(&key.to_le_bytes());
            let (before, after) = (best(key, &servers), best(key, &left));
            if before == gone {
                moved += 1;
            } else {
                assert_eq!(before, after);
            }
        }
        assert!((1_700..2_300).contains(&moved), "a fifth of 10,000 keys is not {moved}");
    }

    #[test]
    fn weights_count() {
        let servers = [(hash(b"a"), 3), (hash(b"b"), 1)];
        let keys = (0..10_000_u64).map(|key| hash(&key.to_le_bytes()));
        let of_first = keys.filter(|key| best(*key, &servers) == servers[0].0).count();
        assert!((7_200..7_800).contains(&of_first), "three quarters of 10,000 are not {of_first}");
    }
}
