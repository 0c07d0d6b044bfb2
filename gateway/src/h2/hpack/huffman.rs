//! The Huffman code (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length are consecutive and in the order of their symbols, and
//! the shorter ones come first. The lengths of appendix B therefore say everything, and all tables
//! here are made of them when the program is compiled.

use super::Error;

/// How many bits each symbol's code has (appendix B). The last is the end of the string.
const LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, //
    28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, //
    10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, //
    15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, //
    6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, //
    7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, //
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, //
    23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, //
    26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, //
    28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];

const SYMBOLS: usize = 257;
const END_OF_STRING: u16 = 256;
const MAX_LENGTH: usize = 30;

/// Codes of up to so many bits are found with one look: all letters and digits, and most of what else
/// stands in fields.
const QUICK_BITS: u32 = 10;

/// A symbol and the length of its code; length zero where the code is longer than [`QUICK_BITS`].
#[derive(Clone, Copy)]
struct Quick {
    symbol: u8,
    length: u8,
}

/// The codes of one length: the first of them, and which symbols they stand for.
#[derive(Clone, Copy)]
struct Row {
    first_code: u32,
    count: u32,
    first_symbol: usize,
}

struct Tables {
    quick: [Quick; 1 << QUICK_BITS],
    rows: [Row; MAX_LENGTH + 1],
    /// All symbols, ordered by their codes.
    symbols: [u16; SYMBOLS],
}

static TABLES: Tables = tables();

const fn tables() -> Tables {
    let mut quick = [Quick { symbol: 0, length: 0 }; 1 << QUICK_BITS];
    let mut rows = [Row { first_code: 0, count: 0, first_symbol: 0 }; MAX_LENGTH + 1];
    let mut symbols = [0; SYMBOLS];
    let (mut code, mut placed, mut length) = (0_u32, 0, 1);
    while length <= MAX_LENGTH {
        code <<= 1;
        rows[length] = Row { first_code: code, count: 0, first_symbol: placed };
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == length {
                symbols[placed] = symbol as u16;
                fill_quick(&mut quick, code, length as u32, symbol as u8);
                rows[length].count += 1;
                placed += 1;
                code += 1;
            }
            symbol += 1;
        }
        length += 1;
    }
    Tables { quick, rows, symbols }
}

/// Enters a code at every place that begins with it.
const fn fill_quick(quick: &mut [Quick; 1 << QUICK_BITS], code: u32, length: u32, symbol: u8) {
    if length > QUICK_BITS {
        return;
    }
    let free = QUICK_BITS - length;
    let mut rest = 0;
    while rest < 1 << free {
        quick[((code << free) | rest) as usize] = Quick { symbol, length: length as u8 };
        rest += 1;
    }
}

/// Decodes a string, and adds it to `out`.
pub(super) fn decode(mut text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    out.reserve(text.len() * 8 / 5 + 1);
    // The bits that are at hand stand at the top of `bits`.
    let (mut bits, mut count) = (0_u64, 0_u32);
    loop {
        while count <= 56
            && let Some((&octet, rest)) = text.split_first()
        {
            bits |= u64::from(octet) << (56 - count);
            count += 8;
            text = rest;
        }
        let Quick { symbol, length } = TABLES.quick[(bits >> (64 - QUICK_BITS)) as usize];
        let (symbol, length) = match u32::from(length) {
            0 => long(bits)?,
            length => (symbol, length),
        };
        if length > count {
            return padding(bits, count);
        }
        out.push(symbol);
        bits <<= length;
        count -= length;
        if count == 0 && text.is_empty() {
            return Ok(());
        }
    }
}

/// A symbol whose code has more than [`QUICK_BITS`].
fn long(bits: u64) -> Result<(u8, u32), Error> {
    let candidates = TABLES.rows.iter().enumerate().skip(QUICK_BITS as usize + 1);
    for (length, row) in candidates {
        let code = (bits >> (64 - length)) as u32;
        let place = code.wrapping_sub(row.first_code);
        if place < row.count {
            let symbol = TABLES.symbols[row.first_symbol + place as usize];
            // A string that spells its own end is an error; padding that looks like its beginning is
            // shorter than any code, and `padding` sees to it.
            let length = length as u32;
            return Ok((
                u8::try_from(symbol).unwrap_or(u8::MAX),
                match symbol {
                    END_OF_STRING => u32::MAX,
                    _ => length,
                },
            ));
        }
    }
    Err(Error::NotHuffman)
}

/// What is left is the end of the code of the string's end: fewer than eight bits, all of them ones.
fn padding(bits: u64, count: u32) -> Result<(), Error> {
    let ones = !(u64::MAX >> count.min(8));
    if count < 8 && bits & ones == ones { Ok(()) } else { Err(Error::NotHuffman) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code_of(symbol: usize) -> (u32, u8) {
        let length = LENGTHS[symbol];
        let row = TABLES.rows[usize::from(length)];
        let place = LENGTHS[..symbol].iter().filter(|other| **other == length).count();
        (row.first_code + place as u32, length)
    }

    pub(in crate::h2::hpack) fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits = String::new();
        for &octet in text {
            let (code, length) = code_of(usize::from(octet));
            bits.push_str(&format!("{code:0width$b}", width = usize::from(length)));
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('1');
        }
        bits.as_bytes()
            .chunks(8)
            .map(|octet| u8::from_str_radix(str::from_utf8(octet).unwrap(), 2).unwrap())
            .collect()
    }

    fn decoded(text: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        decode(text, &mut out).map(|()| out)
    }

    #[test]
    fn codes_are_those_of_the_appendix() {
        let samples = [
            (0, 0x1ff8, 13),
            (10, 0x3fff_fffc, 30),
            (usize::from(b' '), 0x14, 6),
            (usize::from(b'0'), 0x0, 5),
            (usize::from(b'\\'), 0x7_fff0, 19),
            (usize::from(b'~'), 0x1ffd, 13),
            (128, 0xf_ffe6, 20),
            (255, 0x3ff_ffee, 26),
            (256, 0x3fff_ffff, 30),
        ];
        for (symbol, code, length) in samples {
            assert_eq!(code_of(symbol), (code, length), "{symbol}");
        }
    }

    #[test]
    fn bad_ends_are_errors() {
        // `0` is 00000: filled up with zeros, by a whole octet, with the code of the end.
        for bad in [&[0x00][..], &[0x07, 0xff], &[0xff, 0xff, 0xff, 0xff], &[0xff], &[0xfe]] {
            assert_eq!(decoded(bad), Err(Error::NotHuffman), "{bad:?}");
        }
        assert_eq!(decoded(&[0x07]), Ok(b"0".to_vec()));
        assert_eq!(decoded(&[]), Ok(Vec::new()));
    }

    #[test]
    fn every_symbol_is_read() {
        for octet in 0..=u8::MAX {
            let text = [octet, b'a', octet];
            assert_eq!(decoded(&encode(&text)), Ok(text.to_vec()), "{octet}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text: Vec<u8>) {
            prop_assert_eq!(decoded(&encode(&text)), Ok(text));
        }

        #[test]
        fn any_bytes_are_read_or_refused(text: Vec<u8>) {
            let _ = decoded(&text);
        }
    }
}
