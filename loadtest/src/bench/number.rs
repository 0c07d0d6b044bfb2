//! Numbers as people read them.

/// Three digits, or more before the point.
pub(crate) fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_the_fewer_decimals() {
        let shown = [0.123, 9.876, 12.34, 1234.5].map(three_digits);
        assert_eq!(shown, ["0.12", "9.88", "12.3", "1234"]);
    }
}
