//! "Did you mean".

/// The candidate that was probably meant, or `None` where nothing is near.
pub(super) fn nearest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    let distance = |candidate| strsim::damerau_levenshtein(written, candidate);
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_mistakes_find_their_word() {
        let words = ["backend", "frontend", "db"];
        assert_eq!(nearest("fronted", words), Some("frontend"));
        assert_eq!(nearest("dB", words), Some("db"));
        assert_eq!(nearest("grafana", words), None);
    }
}
