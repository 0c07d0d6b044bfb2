//! Huffman codes of HPACK (RFC 7541, section 5.2 and appendix B).

use std::sync::LazyLock;

/// How many bits the code of each byte has. The code is canonical: bytes of one length have
/// consecutive codes in their own order, so that the lengths say it all.
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30,
    28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5,
    5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6,
    6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
    22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23,
    24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22,
    23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27,
    26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21,
    22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27,
    27, 27, 27, 27, 26,
];

const LONGEST: usize = 30;

/// Most text has codes of up to so many bits, and is found by looking once.
const SHORT: u32 = 8;

struct Codes {
    /// By the next [`SHORT`] bits: the byte, and how long its code is; 0 where it is longer.
    short: [(u8, u8); 1 << SHORT],
    /// By length: the first code behind the last one of this length, left-aligned in 32 bits.
    ends: [u32; LONGEST + 1],
    /// By length: where the bytes of this length begin in `sorted`, and their first code.
    firsts: [(usize, u32); LONGEST + 1],
    /// Bytes by the length of their code.
    sorted: Vec<u8>,
}

static CODES: LazyLock<Codes> = LazyLock::new(Codes::new);

/// A text that is no Huffman code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotHuffman;

impl Codes {
    fn new() -> Self {
        let mut sorted: Vec<u8> = (0..=255).collect();
        sorted.sort_by_key(|byte| LENGTHS[usize::from(*byte)]);
        let mut codes = Self {
            short: [(0, 0); 1 << SHORT],
            ends: [0; LONGEST + 1],
            firsts: [(0, 0); LONGEST + 1],
            sorted: Vec::new(),
        };
        let (mut code, mut index) = (0_u32, 0);
        for length in 1..=LONGEST {
            code <<= 1;
            codes.firsts[length] = (index, code);
            while sorted
                .get(index)
                .is_some_and(|byte| usize::from(LENGTHS[usize::from(*byte)]) == length)
            {
                codes.fill_short(sorted[index], length, code);
                code += 1;
                index += 1;
            }
            codes.ends[length] = code << (32 - length);
        }
        codes.sorted = sorted;
        codes
    }

    fn fill_short(&mut self, byte: u8, length: usize, code: u32) {
        let Some(spare) = (SHORT as usize).checked_sub(length) else { return };
        let first = (code << spare) as usize;
        // A length is at most 30.
        let length = u8::try_from(length).unwrap_or_default();
        self.short[first..first + (1 << spare)].fill((byte, length));
    }

    /// The byte whose code the next 32 bits begin with, and the code's length.
    fn next(&self, bits: u32) -> Option<(u8, u32)> {
        let (byte, length) = self.short[(bits >> (32 - SHORT)) as usize];
        if length > 0 {
            return Some((byte, u32::from(length)));
        }
        let length = (SHORT as usize + 1..=LONGEST).find(|length| bits < self.ends[*length])?;
        let (index, first) = self.firsts[length];
        let nth = (bits >> (32 - length)) - first;
        let byte = self.sorted.get(index + nth as usize)?;
        Some((*byte, u32::try_from(length).ok()?))
    }
}

/// Appends the decoded text.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), NotHuffman> {
    let codes = &*CODES;
    // The next bits, left-aligned, and how many they are.
    let (mut bits, mut count) = (0_u64, 0_u32);
    let mut rest = text.iter();
    loop {
        while count <= 56 {
            let Some(byte) = rest.next() else { break };
            bits |= u64::from(*byte) << (56 - count);
            count += 8;
        }
        if count == 0 {
            return Ok(());
        }
        // Behind the text there are ones, as in its padding.
        let padded = bits | u64::MAX.checked_shr(count).unwrap_or(0);
        match codes.next((padded >> 32) as u32) {
            Some((byte, length)) if length <= count => {
                out.push(byte);
                bits <<= length;
                count -= length;
            }
            // The padding is the beginning of the longest code, which is all ones, and is shorter
            // than a byte.
            _ if count < 8 && padded == u64::MAX => return Ok(()),
            _ => return Err(NotHuffman),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits of a text, padded with ones.
    fn encode(text: &[u8]) -> Vec<u8> {
        let codes = &*CODES;
        let mut bits = String::new();
        for byte in text {
            let length = usize::from(LENGTHS[usize::from(*byte)]);
            let (index, first) = codes.firsts[length];
            let nth = codes.sorted[index..].iter().position(|other| other == byte).unwrap();
            let code = first + u32::try_from(nth).unwrap();
            bits.push_str(&format!("{code:0length$b}"));
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        let bytes = bits.as_bytes().chunks(8);
        bytes.map(|bits| u8::from_str_radix(str::from_utf8(bits).unwrap(), 2).unwrap()).collect()
    }

    #[test]
    fn the_codes_of_appendix_b_are_found() {
        // '0', 'z', '&', '\\', 0 and 249, which has one of the longest.
        for (byte, code, length) in [
            (b'0', 0x0, 5),
            (b'z', 0x7b, 7),
            (b'&', 0xf8, 8),
            (b'\\', 0x7fff0, 19),
            (0, 0x1ff8, 13),
            (249, 0xffffffe, 28),
            (b'\n', 0x3ffffffc, 30),
        ] {
            assert_eq!(CODES.next(code << (32 - length)), Some((byte, length)), "{byte}");
        }
    }

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).chain(0..=255).collect();
        for text in [&all[..], &all[..7], b"www.example.com", b"", b"Mon, 21 Oct 2013 20:13:21 GMT"]
        {
            let mut out = Vec::new();
            decode(&encode(text), &mut out).unwrap();
            assert_eq!(out, text);
        }
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        for wrong in [&[0xff][..], &[0xff, 0xff, 0xff, 0xff], &[0x00], &[0x07, 0xff]] {
            assert_eq!(decode(wrong, &mut Vec::new()), Err(NotHuffman), "{wrong:x?}");
        }
        // '0' is 00000.
        assert_eq!(decode(&[0b0000_0111], &mut Vec::new()), Ok(()));
    }
}
