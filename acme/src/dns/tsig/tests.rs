//! RFC 8945 has no example with a MAC; this one was recorded between an update of ours and BIND 9.18.

use std::time::Duration;

use super::*;
use crate::dns::Change;
use crate::dns::record::fqdn;
use crate::dns::rfc2136::update;

const SECRET: &str = "cGxlYXNlLWRvLW5vdC10ZWxsLWFueWJvZHktYXQtYWw=";
const VALUE: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";
const SIGNED: u64 = 0x6b05_4aa5;

const REQUEST: &str = "0c8f28000001000000010001\
    076578616d706c6504746573740000060001\
    0f5f61636d652d6368616c6c656e6765c00c001000010000003c002c2b\
    4c6f71586359563871354f4e624a5178626d52375343544e6f337469415844666f77796a78416a45755830\
    04656467650000fa00ff00000000003d0b686d61632d7368613235360000006b054aa5012c0020\
    2ae442248ba8c138d4db2c10145c54af373e7a3ecf5b8e5e55e05cbeff9d74980c8f00000000";

const ANSWER: &str = "0c8fa8000001000000000001\
    076578616d706c6504746573740000060001\
    04656467650000fa00ff00000000003d0b686d61632d7368613235360000006b054aa5012c0020\
    bea518cdd39f36857be925290b9a3a1b1a2fb78c9e898bcb24e40f776fe875b50c8f00000000";

/// Where the TSIG record begins in the answer.
const TSIG_AT: usize = 12 + 18;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn key(name: &str, secret: &str) -> Key {
    Key::new(fqdn(name).unwrap(), Configured::HmacSha256, secret).unwrap()
}

fn request() -> Signed {
    let zone = fqdn("example.test").unwrap();
    let name = fqdn("_acme-challenge.example.test").unwrap();
    let mut message = update(&zone, &name, VALUE, Change::Set);
    message.metadata.id = 0x0c8f;
    key("edge", SECRET).sign(&message, at(SIGNED)).unwrap()
}

#[test]
fn a_request_is_signed_as_bind_wants_it() {
    assert_eq!(request().bytes, bytes(REQUEST));
}

#[test]
fn an_answer_of_bind_is_verified() {
    let (request, answer) = (request(), bytes(ANSWER));
    let key = key("edge", SECRET);
    for now in [SIGNED - 300, SIGNED, SIGNED + 300] {
        key.verify(&request, &answer, at(now)).unwrap();
    }
    for now in [0, SIGNED - 301, SIGNED + 301] {
        let error = key.verify(&request, &answer, at(now)).unwrap_err();
        assert!(matches!(error, Unverified::Time), "{error:?}");
    }
    // Signed for another request.
    let other = Signed { mac: vec![0; 32], ..request };
    assert!(matches!(key.verify(&other, &answer, at(SIGNED)), Err(Unverified::Mac)));
}

#[test]
fn another_key_proves_nothing() {
    let (request, answer) = (request(), bytes(ANSWER));
    let error = |key: Key| key.verify(&request, &answer, at(SIGNED)).unwrap_err();
    assert!(matches!(error(key("edge", "AAAA")), Unverified::Mac));
    assert!(matches!(error(key("other", SECRET)), Unverified::OtherKey));
    let name = fqdn("edge").unwrap();
    let longer = Key::new(name.clone(), Configured::HmacSha512, SECRET).unwrap();
    assert!(matches!(error(longer), Unverified::OtherKey));
    assert!(Key::new(name, Configured::HmacSha256, "no base64").is_none());
}

#[test]
fn what_was_changed_on_the_way_proves_nothing() {
    let (key, request, answer) = (key("edge", SECRET), request(), bytes(ANSWER));
    let verify = |answer: &[u8]| key.verify(&request, answer, at(SIGNED));
    for length in 0..answer.len() {
        assert!(verify(&answer[..length]).is_err(), "cut to {length} bytes");
    }
    for place in 0..answer.len() {
        for bit in 0..8 {
            let mut changed = answer.clone();
            changed[place] ^= 1 << bit;
            let verified = verify(&changed);
            // The id that was signed is in the record; of that, some fields must be as they are.
            let is_covered = (2..TSIG_AT).contains(&place);
            assert!(verified.is_err() || !is_covered, "bit {bit} of {place}");
        }
    }
}

#[test]
fn what_a_server_says_of_a_signature_needs_none() {
    let (key, request) = (key("edge", SECRET), request());
    for (error, code) in [(TsigError::BadSig, 16), (TsigError::BadKey, 17)] {
        let tsig = TSIG::new(
            TsigAlgorithm::HmacSha256,
            SIGNED,
            FUDGE,
            Vec::new(),
            1,
            Some(TsigError::from(code)),
            Vec::new(),
        );
        let mut encoded = Vec::new();
        let record = make_tsig_record(fqdn("edge").unwrap(), tsig);
        record.emit(&mut BinEncoder::new(&mut encoded)).unwrap();
        let mut answer = bytes(ANSWER)[..TSIG_AT].to_vec();
        answer.extend(encoded);
        let refused = key.verify(&request, &answer, at(SIGNED)).unwrap_err();
        assert!(matches!(refused, Unverified::Refused(said) if said == error), "{refused:?}");
    }
}
