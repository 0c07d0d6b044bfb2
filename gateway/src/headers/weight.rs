//! How much a client wants what it names in an `Accept…` field (RFC 9110 section 12.4.2).

/// A weight of 0.001 to 1, in thousandths; 0 is refused.
pub(crate) type Weight = u16;

/// The weight among the parameters of one member; without one, 1.
pub(crate) fn weight<'p>(mut parameters: impl Iterator<Item = &'p [u8]>) -> Weight {
    parameters.find_map(of_parameter).unwrap_or(1000)
}

/// The weight in a parameter `q=0.5`; what is no weight refuses.
fn of_parameter(parameter: &[u8]) -> Option<Weight> {
    let (name, value) = parameter.split_at_checked(2)?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let (whole, fraction) = match value {
        [whole] => (*whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (*whole, fraction),
        _ => return Some(0),
    };
    let digits = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(3);
    let mut weight: Weight = match whole {
        b'0' => 0,
        b'1' => 1,
        _ => return Some(0),
    };
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Some(0);
        }
        weight = weight * 10 + Weight::from(digit - b'0');
    }
    Some(if weight <= 1000 { weight } else { 0 })
}
