//! Messages signed by TSIG (RFC 8945).
//!
//! hickory-proto has the record, and signs and verifies with it only together with all of DNSSEC. Its
//! verification also loses what an unsigned refusal says (BADKEY, BADSIG), and some messages make it
//! panic where debug assertions are on. So the few lines upon the record are here.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway_config::model::TsigAlgorithm as Configured;
use hickory_resolver::proto::ProtoError;
use hickory_resolver::proto::op::{Header, Message, Query};
use hickory_resolver::proto::rr::rdata::tsig::{TSIG, TsigAlgorithm, TsigError, make_tsig_record};
use hickory_resolver::proto::rr::{Name, RData, Record};
use hickory_resolver::proto::serialize::binary::{
    BinDecodable, BinDecoder, BinEncodable, BinEncoder, DecodeError,
};

/// By how much clocks may differ, in seconds; what RFC 8945 section 10 recommends.
const FUDGE: u16 = 300;

/// A key, ready to sign.
pub(super) struct Key {
    name: Name,
    algorithm: TsigAlgorithm,
    key: hmac::Key,
}

/// A signed message, and what its answer will be held against.
pub(super) struct Signed {
    pub(super) bytes: Vec<u8>,
    mac: Vec<u8>,
}

/// Why an answer's signature proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// There is none.
    #[error("it is not signed")]
    Unsigned,
    /// It was made with another key.
    #[error("it is signed with another key or algorithm")]
    OtherKey,
    /// It is not the key's.
    #[error("its signature is wrong")]
    Mac,
    /// It is too old, or from the future.
    #[error("it was signed at another time")]
    Time,
    /// The server refused the request's signature.
    #[error("the server refused the signature of the request")]
    Refused(TsigError),
    /// It cannot be read.
    #[error("it is no DNS message")]
    Decode(#[from] DecodeError),
    /// What was signed cannot be written anew.
    #[error("its signature cannot be computed")]
    Encode(#[from] ProtoError),
}

impl Key {
    /// The key of this name; `None` where `secret` is not base64.
    pub(super) fn new(name: Name, algorithm: Configured, secret: &str) -> Option<Self> {
        let secret = STANDARD.decode(secret.trim()).ok()?;
        let (algorithm, hmac) = match algorithm {
            Configured::HmacSha256 => (TsigAlgorithm::HmacSha256, hmac::HMAC_SHA256),
            Configured::HmacSha384 => (TsigAlgorithm::HmacSha384, hmac::HMAC_SHA384),
            Configured::HmacSha512 => (TsigAlgorithm::HmacSha512, hmac::HMAC_SHA512),
        };
        Some(Self { name, algorithm, key: hmac::Key::new(hmac, &secret) })
    }

    /// The message with a TSIG record at its end (section 5.1).
    pub(super) fn sign(&self, message: &Message, now: SystemTime) -> Result<Signed, ProtoError> {
        let mut bytes = message.to_vec()?;
        let algorithm = self.algorithm.clone();
        let time = seconds(now);
        let tsig = TSIG::new(algorithm, time, FUDGE, Vec::new(), message.id, None, Vec::new());
        let mut signed = bytes.clone();
        signed.extend(variables(&tsig, &self.name)?);
        let mac = hmac::sign(&self.key, &signed).as_ref().to_vec();

        let record = make_tsig_record(self.name.clone(), tsig.set_mac(mac.clone()));
        let mut encoded = Vec::new();
        record.emit(&mut BinEncoder::new(&mut encoded))?;
        bytes.extend(encoded);
        set_additionals(&mut bytes, |count| count.checked_add(1));
        Ok(Signed { bytes, mac })
    }

    /// The answer to `request`, once its signature is proved (section 5.3).
    ///
    /// # Errors
    /// [`Unverified`]. What the server says of the request's signature comes before all else, since
    /// such an answer cannot be signed.
    pub(super) fn verify(
        &self,
        request: &Signed,
        answer: &[u8],
        now: SystemTime,
    ) -> Result<Message, Unverified> {
        let message = Message::from_vec(answer)?;
        let (record, begin) = last_record(answer)?;
        let RData::TSIG(tsig) = &record.data else { return Err(Unverified::Unsigned) };
        if let Some(error @ (TsigError::BadKey | TsigError::BadSig)) = tsig.error {
            return Err(Unverified::Refused(error));
        }
        if record.name != self.name || tsig.algorithm != self.algorithm {
            return Err(Unverified::OtherKey);
        }
        let signed = self.signed_of_answer(request, answer, begin, tsig)?;
        // A truncated MAC is shorter and fails here; no server truncates unless it is told to.
        hmac::verify(&self.key, &signed, &tsig.mac).map_err(|_| Unverified::Mac)?;
        if let Some(error) = tsig.error {
            return Err(Unverified::Refused(error));
        }
        if tsig.time.abs_diff(seconds(now)) > u64::from(tsig.fudge) {
            return Err(Unverified::Time);
        }
        Ok(message)
    }

    /// What the MAC of an answer is over: the request's MAC, the answer as it was before it was
    /// signed, and the record's fields (section 4.3).
    fn signed_of_answer(
        &self,
        request: &Signed,
        answer: &[u8],
        begin: usize,
        tsig: &TSIG,
    ) -> Result<Vec<u8>, Unverified> {
        let length = u16::try_from(request.mac.len()).unwrap_or(u16::MAX);
        let mut unsigned = answer.get(..begin).unwrap_or_default().to_vec();
        set_additionals(&mut unsigned, |count| count.checked_sub(1));
        if let Some(id) = unsigned.first_chunk_mut::<2>() {
            *id = tsig.oid.to_be_bytes();
        }
        let parts = [&length.to_be_bytes()[..], &request.mac, &unsigned];
        let mut signed = parts.concat();
        signed.extend(variables(tsig, &self.name)?);
        Ok(signed)
    }
}

/// The fields of the record that are signed (section 4.3.3).
fn variables(tsig: &TSIG, key: &Name) -> Result<Vec<u8>, ProtoError> {
    let mut bytes = Vec::new();
    tsig.emit_tsig_for_mac(&mut BinEncoder::new(&mut bytes), key)?;
    Ok(bytes)
}

/// Changes ARCOUNT, which is in bytes 10 and 11 of every message.
fn set_additionals(message: &mut [u8], change: impl Fn(u16) -> Option<u16>) {
    if let Some(count) = message.get_mut(10..).and_then(|rest| rest.first_chunk_mut::<2>())
        && let Some(changed) = change(u16::from_be_bytes(*count))
    {
        *count = changed.to_be_bytes();
    }
}

/// The last record of a message, where TSIG must be, and where in the message it begins.
fn last_record(message: &[u8]) -> Result<(Record, usize), Unverified> {
    let mut decoder = BinDecoder::new(message);
    let counts = Header::read(&mut decoder)?.counts;
    for _ in 0..counts.queries {
        Query::read(&mut decoder)?;
    }
    let others = [counts.answers, counts.authorities, counts.additionals.saturating_sub(1)];
    for _ in 0..others.into_iter().map(usize::from).sum() {
        Record::<RData>::read(&mut decoder)?;
    }
    if counts.additionals == 0 {
        return Err(Unverified::Unsigned);
    }
    let begin = decoder.index();
    Ok((Record::read(&mut decoder)?, begin))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
