//! "Did you mean".

/// The candidate that was probably meant by a word that is none of them, or `None` where nothing is
/// near: at most one letter in three is wrong, and at most three.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).clamp(1, 3);
    let distance = |candidate: &str| {
        let bare = |text: &str| text.to_lowercase().replace(['-', '_'], "");
        strsim::damerau_levenshtein(&bare(written), &bare(candidate))
    };
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let near = near.filter(|(distance, _)| *distance <= allowed);
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// "`a`, `b` and `c`".
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((one, [])) => one.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_find_their_word() {
        let words = ["connections", "min_bytes", "rate"];
        assert_eq!(nearest("conections", words), Some("connections"));
        assert_eq!(nearest("minBytes", words), Some("min_bytes"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(listed(words, "and"), "`connections`, `min_bytes` and `rate`");
    }
}
