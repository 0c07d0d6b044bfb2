//! Integers of HPACK (RFC 7541, section 5.1).

use super::Broken;

/// Reads one whose first byte has `prefix` bits of it.
pub(super) fn read(block: &mut &[u8], prefix: u32) -> Result<usize, Broken> {
    let (first, mut rest) = block.split_first().ok_or(Broken)?;
    let most = (1_u8 << prefix) - 1;
    let mut value = u32::from(first & most);
    if first & most == most {
        // Four more bytes are more than any size that is taken.
        for shift in [0, 7, 14, 21, 28] {
            let (byte, behind) = rest.split_first().ok_or(Broken)?;
            rest = behind;
            let part = u32::from(byte & 0x7f).checked_shl(shift).ok_or(Broken)?;
            value = value.checked_add(part).ok_or(Broken)?;
            if byte & 0x80 == 0 {
                break;
            }
            if shift == 28 {
                return Err(Broken);
            }
        }
    }
    *block = rest;
    usize::try_from(value).map_err(|_| Broken)
}

/// Writes one behind `head`, whose last `prefix` bits are free.
#[expect(clippy::cast_possible_truncation, reason = "each byte takes the bits that fit")]
pub(in super::super) fn write_integer(head: u8, prefix: u32, value: usize, out: &mut Vec<u8>) {
    let most = (1_usize << prefix) - 1;
    if value < most {
        out.push(head | value as u8);
        return;
    }
    out.push(head | most as u8);
    let mut rest = value - most;
    while rest >= 0x80 {
        out.push(0x80 | rest as u8);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_appendix_c_1() {
        for (value, prefix, bytes) in [
            (10, 5, &[0b0_1010][..]),
            (1337, 5, &[0b1_1111, 0b1001_1010, 0b1010]),
            (42, 8 - 1, &[42]),
        ] {
            let mut out = Vec::new();
            write_integer(0, prefix, value, &mut out);
            assert_eq!(out, bytes);
            let mut block = &out[..];
            assert_eq!(read(&mut block, prefix), Ok(value));
            assert!(block.is_empty());
        }
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for wrong in [&[][..], &[0x7f], &[0x7f, 0xff], &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0]] {
            assert_eq!(read(&mut &*wrong, 7), Err(Broken), "{wrong:x?}");
        }
    }
}
