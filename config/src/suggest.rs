//! "Did you mean".

/// The candidate that was probably meant by a word that is none of them, or `None` where nothing is
/// near: at most one letter in three is wrong, and at most three.
#[must_use]
pub fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (distance(&written, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn distance(written: &str, candidate: &str) -> usize {
    let candidate = candidate.to_lowercase();
    // `trusted-proxies` and `trustedProxies` are `trusted_proxies` to whoever wrote them.
    let bare = |text: &str| text.replace(['-', '_'], "");
    if bare(written) == bare(&candidate) {
        return 0;
    }
    strsim::damerau_levenshtein(written, &candidate)
}

/// "`a`, `b` or `c`".
pub(crate) fn either<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_find_their_word() {
        let words = ["connect", "first_byte", "servers", "ca"];
        assert_eq!(nearest("conect", words), Some("connect"));
        assert_eq!(nearest("first-byte", words), Some("first_byte"));
        assert_eq!(nearest("firstByte", words), Some("first_byte"));
        assert_eq!(nearest("Server", words), Some("servers"));
        assert_eq!(nearest("colour", words), None);
    }

    #[test]
    fn words_are_joined_as_in_a_sentence() {
        assert_eq!(either(["a"]), "`a`");
        assert_eq!(either(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
