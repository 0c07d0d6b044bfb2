//! The examples of RFC 7541, appendix C.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let pair = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<String>, Broken> {
    let mut fields = Vec::new();
    decoder.decode(block, |name, value| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        fields.push(format!("{}: {}", text(name), text(value)));
    })?;
    Ok(fields)
}

fn run(decoder: &mut Decoder, examples: &[(&str, &[&str])]) {
    for (block, fields) in examples {
        assert_eq!(decoded(decoder, &bytes(block)).unwrap(), *fields);
    }
}

const FIRST: [&str; 4] =
    [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const SECOND: [&str; 5] = [
    ":method: GET",
    ":scheme: http",
    ":path: /",
    ":authority: www.example.com",
    "cache-control: no-cache",
];
const THIRD: [&str; 5] = [
    ":method: GET",
    ":scheme: https",
    ":path: /index.html",
    ":authority: www.example.com",
    "custom-key: custom-value",
];

#[test]
fn c_3_requests_without_huffman_coding() {
    run(
        &mut Decoder::new(),
        &[
            ("828684410f7777772e6578616d706c652e636f6d", &FIRST),
            ("828684be58086e6f2d6361636865", &SECOND),
            ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", &THIRD),
        ],
    );
}

#[test]
fn c_4_requests_with_huffman_coding() {
    run(
        &mut Decoder::new(),
        &[
            ("828684418cf1e3c2e5f23a6ba0ab90f4ff", &FIRST),
            ("828684be5886a8eb10649cbf", &SECOND),
            ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", &THIRD),
        ],
    );
}

const CREATED: &str = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const LATER: &str = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const LOCATION: &str = "location: https://www.example.com";
const COOKIE: &str = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

/// The examples have a table of 256 bytes, so that entries leave it.
fn small() -> Decoder {
    Decoder { table: DynamicTable::new(256), ..Decoder::new() }
}

#[test]
fn c_5_responses_without_huffman_coding() {
    run(
        &mut small(),
        &[
            (
                "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a32\
                 3120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                &[":status: 302", "cache-control: private", CREATED, LOCATION],
            ),
            ("4803333037c1c0bf", &[":status: 307", "cache-control: private", CREATED, LOCATION]),
            (
                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738\
                 666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d33\
                 3630303b2076657273696f6e3d31",
                &[
                    ":status: 200",
                    "cache-control: private",
                    LATER,
                    LOCATION,
                    "content-encoding: gzip",
                    COOKIE,
                ],
            ),
        ],
    );
}

#[test]
fn c_6_responses_with_huffman_coding() {
    run(
        &mut small(),
        &[
            (
                "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863\
                 c78f0b97c8e9ae82ae43d3",
                &[":status: 302", "cache-control: private", CREATED, LOCATION],
            ),
            ("4883640effc1c0bf", &[":status: 307", "cache-control: private", CREATED, LOCATION]),
            (
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b3\
                 35dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
                &[
                    ":status: 200",
                    "cache-control: private",
                    LATER,
                    LOCATION,
                    "content-encoding: gzip",
                    COOKIE,
                ],
            ),
        ],
    );
}

#[test]
fn what_is_written_is_read() {
    let mut block = Vec::new();
    write_field(b"x-long", &[b'v'; 300], &mut block);
    write_named(4, b"/items", &mut block);
    let fields = decoded(&mut Decoder::new(), &block).unwrap();
    assert_eq!(fields, [format!("x-long: {}", "v".repeat(300)), ":path: /items".into()]);
}

#[test]
fn what_refers_to_nothing_is_refused() {
    // No entry 0 and 62, a table larger than was allowed, texts that are not there as a whole.
    for wrong in ["80", "be", "3fe21f", "4005ab", "40", "0f"] {
        assert_eq!(decoded(&mut Decoder::new(), &bytes(wrong)), Err(Broken), "{wrong}");
    }
}
