//! Integers (RFC 7541 section 5.1).

use super::Error;

/// Octets that may follow the prefix: five carry 35 bits, more than any number that makes sense.
const MAX_CONTINUATION: u32 = 5;

/// Reads an integer whose prefix is the low bits of `first`, as many as `mask` has. What follows it
/// is taken from `block`.
pub(super) fn decode(first: u8, mask: u8, block: &mut &[u8]) -> Result<usize, Error> {
    let prefix = first & mask;
    if prefix < mask {
        return Ok(usize::from(prefix));
    }
    let mut value = u64::from(mask);
    for position in 0..MAX_CONTINUATION {
        let (&octet, rest) = block.split_first().ok_or(Error::Truncated)?;
        *block = rest;
        value += u64::from(octet & 0x7f) << (7 * position);
        if octet & 0x80 == 0 {
            return u32::try_from(value)
                .map_or(Err(Error::IntegerOverflow), |value| Ok(value as usize));
        }
    }
    Err(Error::IntegerOverflow)
}

/// Writes an integer with a prefix as `mask` has it, behind the bits of `pattern`.
pub(super) fn encode(pattern: u8, mask: u8, value: usize, out: &mut Vec<u8>) {
    if value < usize::from(mask) {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | mask);
    let mut rest = value - usize::from(mask);
    while rest >= 0x80 {
        out.push(0x80 | (rest & 0x7f) as u8);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(pattern: u8, mask: u8, value: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encode(pattern, mask, value, &mut out);
        out
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 7541, appendix C.1.
        for (mask, value, bytes) in
            [(0x1f, 10, &[0x0a][..]), (0x1f, 1337, &[0x1f, 0x9a, 0x0a]), (0xff, 42, &[0x2a])]
        {
            assert_eq!(encoded(0, mask, value), bytes);
            assert_eq!(decode(bytes[0], mask, &mut &bytes[1..]), Ok(value));
        }
    }

    #[test]
    fn what_is_too_long_or_too_short_is_an_error() {
        assert_eq!(decode(0x1f, 0x1f, &mut &[][..]), Err(Error::Truncated));
        assert_eq!(decode(0x1f, 0x1f, &mut &[0x80, 0x80][..]), Err(Error::Truncated));
        let zeros = [0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
        assert_eq!(decode(0x1f, 0x1f, &mut &zeros[..]), Err(Error::IntegerOverflow));
        let ones = [0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(decode(0x1f, 0x1f, &mut &ones[..]), Err(Error::IntegerOverflow));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in 0..=u32::MAX as usize, bits in 4..=7_u32) {
            let mask = ((1_u16 << bits) - 1) as u8;
            let bytes = encoded(0, mask, value);
            let mut rest = &bytes[1..];
            prop_assert_eq!(decode(bytes[0], mask, &mut rest), Ok(value));
            prop_assert!(rest.is_empty());
        }
    }
}
