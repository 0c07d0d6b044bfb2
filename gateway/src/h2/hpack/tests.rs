//! The examples of RFC 7541, appendix C, and what no encoder should send.

use proptest::prelude::*;

use super::huffman::tests::encode as huffman;
use super::*;
use crate::head::Fields;

type List = Vec<(String, String)>;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<List, Error> {
    let mut list = List::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    decoder.decode(block, |field| list.push((text(field.name), text(field.value))))?;
    Ok(list)
}

fn list(fields: &[(&str, &str)]) -> List {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const FIRST: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];

#[test]
fn single_fields() {
    // C.2.
    let cases = [
        (
            "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
            ("custom-key", "custom-header"),
        ),
        ("040c 2f73 616d 706c 652f 7061 7468", (":path", "/sample/path")),
        ("1008 7061 7373 776f 7264 0673 6563 7265 74", ("password", "secret")),
        ("82", (":method", "GET")),
    ];
    for (hex, field) in cases {
        assert_eq!(decode(&mut Decoder::new(), &bytes(hex)), Ok(list(&[field])), "{hex}");
    }
}

#[test]
fn requests() {
    // C.3 without Huffman coding, C.4 with it.
    let second = [&FIRST[..], &[("cache-control", "no-cache")]].concat();
    let third = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ];
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::new();
        for (hex, fields) in blocks.into_iter().zip([&FIRST[..], &second, &third]) {
            assert_eq!(decode(&mut decoder, &bytes(hex)), Ok(list(fields)));
        }
    }
}

#[test]
fn answers_that_evict() {
    // C.5 and C.6, with a table of 256 octets.
    let with = |status, date: &'static str, more: &[(&'static str, &'static str)]| {
        let mut fields = vec![(":status", status), ("cache-control", "private"), ("date", date)];
        fields.push(("location", "https://www.example.com"));
        fields.extend_from_slice(more);
        list(&fields)
    };
    let cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
    let expected = [
        with("302", "Mon, 21 Oct 2013 20:13:21 GMT", &[]),
        with("307", "Mon, 21 Oct 2013 20:13:21 GMT", &[]),
        with(
            "200",
            "Mon, 21 Oct 2013 20:13:22 GMT",
            &[("content-encoding", "gzip"), ("set-cookie", cookie)],
        ),
    ];
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a \
         3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 \
         677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 \
         553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ];
    let coded = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e \
         919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 \
         821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed \
         4ee5 b106 3d50 07",
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::new();
        assert_eq!(decode(&mut decoder, &bytes("3fe101")), Ok(Vec::new()));
        for (hex, fields) in blocks.into_iter().zip(&expected) {
            assert_eq!(decode(&mut decoder, &bytes(hex)).as_ref(), Ok(fields));
        }
    }
}

#[test]
fn blocks_that_are_none() {
    let cases = [
        ("80", Error::NoSuchEntry),
        ("be", Error::NoSuchEntry),
        ("ff00", Error::NoSuchEntry),
        ("ff", Error::Truncated),
        ("ff8080808080", Error::IntegerOverflow),
        ("ffffffffff7f", Error::IntegerOverflow),
        ("7f", Error::Truncated),
        ("40", Error::Truncated),
        ("4001", Error::Truncated),
        ("4001 61", Error::Truncated),
        ("4001 6105 61", Error::Truncated),
        ("0f2f 0161", Error::NoSuchEntry),
        ("0481 00", Error::NotHuffman),
        ("0482 07ff", Error::NotHuffman),
        ("0484 ffff ffff", Error::NotHuffman),
        ("3fe21f", Error::TableTooLarge),
        ("8220", Error::LateResize),
        ("8220 82", Error::LateResize),
    ];
    for (hex, error) in cases {
        assert_eq!(decode(&mut Decoder::new(), &bytes(hex)), Err(error), "{hex}");
    }
    // As large as our settings say is not too large, and two at the start are in order.
    assert_eq!(decode(&mut Decoder::new(), &bytes("20 3fe11f 82")), Ok(list(&FIRST[..1])));
}

#[test]
fn an_entry_that_evicts_its_own_name() {
    // RFC 7541, section 4.4: the new entry may refer to the name of one that it drives out.
    let mut decoder = Decoder::new();
    decode(&mut decoder, &bytes("3f0f")).unwrap();
    decode(&mut decoder, &bytes("4001 6101 62")).unwrap();
    assert_eq!(decode(&mut decoder, &bytes("7e03 636465")), Ok(list(&[("a", "cde")])));
    assert_eq!(decode(&mut decoder, &bytes("be")), Ok(list(&[("a", "cde")])));
    assert_eq!(decode(&mut decoder, &bytes("bf")), Err(Error::NoSuchEntry));
}

fn fields_of(list: &[(String, String)]) -> Fields {
    let mut fields = Fields::default();
    list.iter().for_each(|(name, value)| fields.add(name.as_bytes(), value.as_bytes()));
    fields
}

#[test]
fn what_every_answer_says_costs_one_octet() {
    let mut encoder = Encoder::new();
    let fields = fields_of(&list(&[
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("content-type", "text/html; charset=utf-8"),
    ]));
    let lengths = [(); 4].map(|()| {
        let mut block = Vec::new();
        encoder.encode(200, &fields, &mut block);
        block.len()
    });
    assert_eq!(lengths[2..], [5, 5], "{lengths:?}");
}

#[test]
fn cookies_are_never_indexed() {
    let mut encoder = Encoder::new();
    let fields = fields_of(&list(&[("set-cookie", "a=b")]));
    for _ in 0..3 {
        let mut block = Vec::new();
        encoder.encode(200, &fields, &mut block);
        assert_eq!(block, bytes("88 1f28 03 613d62"));
    }
}

#[test]
fn http1s_fields_are_not_sent() {
    let mut block = Vec::new();
    let fields = fields_of(&list(&[("connection", "close"), ("transfer-encoding", "chunked")]));
    Encoder::new().encode(200, &fields, &mut block);
    assert_eq!(block, [0x88]);
}

#[test]
fn a_smaller_table_is_obeyed_and_told() {
    let mut encoder = Encoder::new();
    encoder.limit_table(0);
    encoder.limit_table(100_000);
    let mut block = Vec::new();
    encoder.encode(204, &Fields::default(), &mut block);
    assert_eq!(block, bytes("20 3fe11f 89"));
    encoder.limit_table(0);
    for start in ["20 8a", "8a"] {
        let mut block = Vec::new();
        encoder.encode(206, &fields_of(&list(&[("x", "y")])), &mut block);
        assert_eq!(block, [bytes(start), bytes("00 0178 0179")].concat());
    }
}

/// Names and values out of few, so that they come again.
fn few_fields() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof!["[a-d]{1,2}", Just("content-type".to_owned()), Just("etag".to_owned())];
    let value = prop_oneof!["[a-c]{0,2}", "[ -~]{0,40}", "[a-b]{1200}"];
    prop::collection::vec((name, value), 0..12)
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        answers in prop::collection::vec((few_fields(), 100..1000_u16, prop::option::of(0..5000_u32)), 1..30)
    ) {
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
        for (fields, status, limit) in answers {
            if let Some(limit) = limit {
                encoder.limit_table(limit);
            }
            let mut block = Vec::new();
            encoder.encode(status, &fields_of(&fields), &mut block);
            let mut expected = vec![(":status".to_owned(), status.to_string())];
            expected.extend(fields);
            prop_assert_eq!(decode(&mut decoder, &block), Ok(expected));
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(blocks: Vec<Vec<u8>>) {
        let mut decoder = Decoder::new();
        for block in blocks {
            let _ = decode(&mut decoder, &block);
        }
    }

    #[test]
    fn coded_strings_are_read_like_plain_ones(value in "[ -~]{0,100}") {
        let coded = huffman(value.as_bytes());
        prop_assume!(coded.len() < 127);
        let mut block = vec![0x00, 0x01, b'a', 0x80 | coded.len() as u8];
        block.extend_from_slice(&coded);
        prop_assert_eq!(decode(&mut Decoder::new(), &block), Ok(list(&[("a", &value)])));
    }
}
