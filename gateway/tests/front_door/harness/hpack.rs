//! As much of HPACK (RFC 7541) as a test needs that writes HTTP/2 frames by hand: fields without
//! compression, and the status of a response.

/// Fields as literals without indexing and without Huffman coding, so that any bytes can be sent.
pub(crate) fn encode(fields: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    block
}

fn string(block: &mut Vec<u8>, text: &[u8]) {
    let length = text.len();
    match u8::try_from(length) {
        Ok(short @ 0..127) => block.push(short),
        _ => {
            block.push(127);
            integer_rest(block, length - 127);
        }
    }
    block.extend_from_slice(text);
}

fn integer_rest(block: &mut Vec<u8>, mut value: usize) {
    while value >= 128 {
        block.push(0x80 | u8::try_from(value % 128).unwrap());
        value /= 128;
    }
    block.push(u8::try_from(value).unwrap());
}

/// The status of a response, whose first field `:status` is (RFC 9113, section 8.3). The sender must
/// have been told that its dynamic table holds nothing.
pub(crate) fn status(block: &[u8]) -> u16 {
    let fields = block.iter().position(|byte| byte & 0xe0 != 0x20).unwrap();
    let block = &block[fields..];
    match block[0] {
        0x88 => 200,
        0x89 => 204,
        0x8a => 206,
        0x8b => 304,
        0x8c => 400,
        0x8d => 404,
        0x8e => 500,
        // A literal of any kind whose name is the static table's entry of `:status`.
        0x08..=0x0e | 0x18..=0x1e | 0x48..=0x4e => digits(&block[1..]),
        other => panic!("the first field of a response is not :status, but begins with {other:#x}"),
    }
}

fn digits(string: &[u8]) -> u16 {
    let length = usize::from(string[0] & 0x7f);
    let bytes = &string[1..=length];
    let text = if string[0] & 0x80 == 0 {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        huffman_digits(bytes)
    };
    text.parse().unwrap()
}

/// Digits in the Huffman code of RFC 7541, appendix B: 0, 1 and 2 take five bits, the others six.
fn huffman_digits(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let mut rest = bits.as_str();
    let mut text = String::new();
    while text.len() < 3 {
        let (five, six) = (&rest[..5], rest.get(..6).unwrap_or(""));
        let (digit, length) = match (five, six) {
            ("00000", _) => ('0', 5),
            ("00001", _) => ('1', 5),
            ("00010", _) => ('2', 5),
            (_, "011001") => ('3', 6),
            (_, "011010") => ('4', 6),
            (_, "011011") => ('5', 6),
            (_, "011100") => ('6', 6),
            (_, "011101") => ('7', 6),
            (_, "011110") => ('8', 6),
            (_, "011111") => ('9', 6),
            _ => panic!("this is no digit: {rest}"),
        };
        text.push(digit);
        rest = &rest[length..];
    }
    text
}
