//! Compressing a body, piece by piece. Bytes go in and bytes come out; nothing here waits for
//! anything.

use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::write::GzEncoder;
use gateway_config::model::ContentCoding;

use crate::policy::compress::Encoding;

/// The window of brotli and zstd, as a power of two: 512 KiB. A larger one finds little more in what
/// is sent to browsers, and every body that is under way has one. RFC 9659 allows zstd 8 MiB.
const WINDOW: u32 = 19;

/// Brotli's own buffer for what it has made.
const BROTLI_PIECE: usize = 16 * 1024;

/// A body that is being compressed. It keeps its window and what it has made of one piece, no more.
pub(crate) struct Encoder {
    /// Gone when the body has ended.
    stream: Option<Stream>,
    made: Vec<u8>,
    /// So many bytes of what was made have been taken.
    taken: usize,
    /// Whether it keeps something that nobody has seen.
    unflushed: bool,
}

enum Stream {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

/// No larger than the body, where its length is known; and no smaller than zstd and brotli have it.
fn window(length: Option<u64>) -> u32 {
    let needed = length.map_or(WINDOW, |length| u64::BITS - length.leading_zeros());
    needed.clamp(10, WINDOW)
}

impl Stream {
    fn new(Encoding { coding, level, length }: Encoding) -> io::Result<Self> {
        let (out, window) = (Vec::new(), window(length));
        Ok(match coding {
            ContentCoding::Gzip => {
                Self::Gzip(GzEncoder::new(out, flate2::Compression::new(level.into())))
            }
            ContentCoding::Brotli => {
                let writer = CompressorWriter::new(out, BROTLI_PIECE, level.into(), window);
                Self::Brotli(Box::new(writer))
            }
            ContentCoding::Zstd => {
                let mut encoder = zstd::Encoder::new(out, level.into())?;
                encoder.window_log(window)?;
                encoder.set_pledged_src_size(length)?;
                Self::Zstd(encoder)
            }
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn made(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Encoder {
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn new(encoding: Encoding) -> io::Result<Self> {
        let stream = Some(Stream::new(encoding)?);
        Ok(Self { stream, made: Vec::new(), taken: 0, unflushed: false })
    }

    /// Compresses a whole body.
    ///
    /// # Errors
    /// There is no memory for it.
    pub(crate) fn whole(encoding: Encoding, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder = Self::new(encoding)?;
        encoder.write(body)?;
        encoder.finish()?;
        Ok(encoder.made)
    }

    /// Takes a piece of the body.
    ///
    /// # Errors
    /// The library gives up; the body cannot go on.
    pub(crate) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        stream.writer().write_all(piece)?;
        self.made.append(stream.made());
        self.unflushed = true;
        Ok(())
    }

    /// Makes everything that has been taken come out, where something is kept.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(stream) = self.stream.as_mut().filter(|_| self.unflushed) else { return Ok(()) };
        stream.writer().flush()?;
        self.made.append(stream.made());
        self.unflushed = false;
        Ok(())
    }

    /// Ends the body. Once is enough.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if let Some(stream) = self.stream.take() {
            self.made.append(&mut stream.finish()?);
        }
        self.unflushed = false;
        Ok(())
    }

    /// What was made and has not been taken.
    pub(crate) fn output(&self) -> &[u8] {
        self.made.get(self.taken..).unwrap_or_default()
    }

    /// So many bytes of the output have been taken.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.taken = self.made.len().min(self.taken + bytes);
        if self.taken == self.made.len() {
            self.made.clear();
            self.taken = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    use proptest::prelude::*;

    fn encodings() -> impl Iterator<Item = Encoding> {
        ContentCoding::ALL
            .into_iter()
            .flat_map(|coding| [1, 4, 9].map(|level| Encoding { coding, level, length: None }))
    }

    /// Everything that can be read of what has come so far, which need not be whole.
    fn decoded(coding: ContentCoding, bytes: &[u8]) -> Vec<u8> {
        let mut reader: Box<dyn Read + '_> = match coding {
            ContentCoding::Gzip => Box::new(flate2::read::GzDecoder::new(bytes)),
            ContentCoding::Brotli => Box::new(brotli::Decompressor::new(bytes, 4096)),
            ContentCoding::Zstd => Box::new(zstd::Decoder::new(bytes).unwrap()),
        };
        let (mut out, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = reader.read(&mut piece) {
            out.extend_from_slice(&piece[..read]);
        }
        out
    }

    #[test]
    fn what_was_flushed_can_be_read_before_the_end() {
        for encoding in encodings() {
            let mut encoder = Encoder::new(encoding).unwrap();
            let (mut sent, mut expected) = (Vec::new(), Vec::new());
            for number in 0..20 {
                let line = format!("line {number}\n");
                expected.extend_from_slice(line.as_bytes());
                encoder.write(line.as_bytes()).unwrap();
                encoder.flush().unwrap();
                sent.extend_from_slice(encoder.output());
                encoder.consume(usize::MAX / 2);
                assert_eq!(decoded(encoding.coding, &sent), expected, "{encoding:?}");
            }
            encoder.flush().unwrap();
            assert!(encoder.output().is_empty(), "{encoding:?}: a flush of nothing makes nothing");
        }
    }

    #[test]
    fn a_body_of_nothing_is_a_body() {
        for encoding in encodings() {
            let whole = Encoder::whole(encoding, b"").unwrap();
            assert!(!whole.is_empty());
            assert_eq!(decoded(encoding.coding, &whole), b"");
        }
    }

    #[test]
    fn a_window_is_as_large_as_it_has_to_be() {
        for (length, expected) in [
            (None, WINDOW),
            (Some(0), 10),
            (Some(1024), 11),
            (Some(65_535), 16),
            (Some(1 << 40), WINDOW),
            (Some(u64::MAX), WINDOW),
        ] {
            assert_eq!(window(length), expected, "{length:?}");
        }
    }

    /// Many times the window goes through, and none of it stays.
    #[test]
    fn a_long_body_leaves_nothing_behind() {
        for coding in ContentCoding::ALL {
            let mut encoder = Encoder::new(Encoding { coding, level: 1, length: None }).unwrap();
            let (mut most, mut total) = (0, 0);
            fastrand::seed(7);
            for _ in 0..800 {
                let piece: Vec<u8> =
                    std::iter::repeat_with(|| fastrand::u8(..)).take(16 * 1024).collect();
                encoder.write(&piece).unwrap();
                most = most.max(encoder.made.capacity());
                total += encoder.output().len();
                encoder.consume(encoder.output().len());
            }
            assert!(total > 12_000_000, "{coding}: {total}");
            assert!(most < 2 << 20, "{coding} kept {most} bytes");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn bodies_survive_in_any_pieces(
            pieces in proptest::collection::vec("[a-d]{0,400}", 0..20),
            flushes in proptest::collection::vec(any::<bool>(), 20),
            takes in 1_usize..300,
        ) {
            let length: usize = pieces.iter().map(String::len).sum();
            let known = encodings().map(|it| Encoding { length: Some(length as u64), ..it });
            for encoding in encodings().chain(known) {
                let mut encoder = Encoder::new(encoding).unwrap();
                let mut sent = Vec::new();
                let mut take = |encoder: &mut Encoder| while !encoder.output().is_empty() {
                    let taken = takes.min(encoder.output().len());
                    sent.extend_from_slice(&encoder.output()[..taken]);
                    encoder.consume(taken);
                };
                for (piece, flush) in pieces.iter().zip(&flushes) {
                    encoder.write(piece.as_bytes()).unwrap();
                    if *flush {
                        encoder.flush().unwrap();
                    }
                    take(&mut encoder);
                }
                encoder.finish().unwrap();
                take(&mut encoder);
                prop_assert_eq!(decoded(encoding.coding, &sent), pieces.concat().into_bytes());
            }
        }
    }
}
