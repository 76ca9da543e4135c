//! Page bodies, decompressed into buffers of known size.
//!
//! The Parquet crate's codecs let some formats (gzip, brotli, LZ4 frames) produce as much as the bytes ask for, so a
//! few kilobytes can fill the memory. Here the declared size is checked against what the format can reach, and no
//! codec ever writes past it.

use std::io::Read;

use parquet::basic::Compression;

use super::error::Fault;

/// The largest page, uncompressed, that is read. Writers make pages of some megabytes.
pub(crate) const MAX_PAGE_BYTES: usize = 1 << 30;

/// Most output a byte of input can stand for, with room for tiny pages, where the format has such a bound.
fn most_from(codec: Compression, compressed: usize) -> usize {
    let ratio = match codec {
        // A copy of 64 bytes takes three; a gzip match of 258 bytes takes two bits; LZ4 adds 255 a byte.
        Compression::SNAPPY => 64,
        Compression::GZIP(_) => 1040,
        Compression::LZ4 | Compression::LZ4_RAW => 256,
        _ => return MAX_PAGE_BYTES,
    };
    compressed.saturating_mul(ratio).saturating_add(64)
}

/// Decompressors are reused: making one for every page costs more than a small page.
#[derive(Default)]
pub(crate) struct Decompressor {
    snappy: snap::raw::Decoder,
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl Decompressor {
    /// Fails when a page cannot have `uncompressed` bytes after `codec` took them to `compressed` bytes.
    pub(crate) fn check_size(codec: Compression, compressed: usize, uncompressed: usize) -> Result<(), Fault> {
        if uncompressed > MAX_PAGE_BYTES {
            return Err(Fault::Unsupported(format!(
                "a page of {uncompressed} bytes is over the limit of {MAX_PAGE_BYTES}"
            )));
        }
        if uncompressed > most_from(codec, compressed) {
            return Err(Fault::Corrupt(format!(
                "a page declares {uncompressed} bytes, which {compressed} bytes of {codec} cannot hold"
            )));
        }
        Ok(())
    }

    /// `input` decompressed; fails unless that gives exactly `size` bytes.
    pub(crate) fn decompress(&mut self, codec: Compression, input: &[u8], out: &mut [u8]) -> Result<(), Fault> {
        let size = out.len();
        if size == 0 {
            return Ok(()); // Writers differ in what they leave of a page without values.
        }
        let got = match codec {
            Compression::UNCOMPRESSED => {
                if input.len() == size {
                    out.copy_from_slice(input);
                }
                input.len()
            }
            Compression::SNAPPY => {
                let declared = snap::raw::decompress_len(input).map_err(|e| bad(codec, &e))?;
                if declared == size {
                    self.snappy.decompress(input, out).map_err(|e| bad(codec, &e))?;
                }
                declared
            }
            Compression::ZSTD(_) => {
                let decoder = match &mut self.zstd {
                    Some(decoder) => decoder,
                    none => none.insert(zstd::bulk::Decompressor::new()?),
                };
                decoder.decompress_to_buffer(input, out).map_err(|e| bad(codec, &e))?
            }
            Compression::LZ4_RAW => lz4_flex::block::decompress_into(input, out).map_err(|e| bad(codec, &e))?,
            Compression::LZ4 => return lz4_of_any_age(input, out),
            Compression::GZIP(_) => {
                read_exactly(flate2::read::MultiGzDecoder::new(input), out).map_err(|e| bad(codec, &e))?
            }
            Compression::BROTLI(_) => {
                read_exactly(brotli::Decompressor::new(input, 4096), out).map_err(|e| bad(codec, &e))?
            }
            Compression::LZO => return Err(Fault::Unsupported("the LZO codec is not supported".into())),
        };
        if got == size {
            return Ok(());
        }
        Err(Fault::Corrupt(format!("a {codec} page holds {got} bytes where its header declares {size}")))
    }
}

fn bad(codec: Compression, error: &dyn std::fmt::Display) -> Fault {
    Fault::Corrupt(format!("a {codec} page does not decompress: {error}"))
}

/// Fills `out` from `reader` and tells how many bytes there were; one more than fit counts as one more.
fn read_exactly(mut reader: impl Read, out: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < out.len() {
        match reader.read(&mut out[filled..])? {
            0 => return Ok(filled),
            n => filled += n,
        }
    }
    let mut extra = [0];
    Ok(filled + reader.read(&mut extra)?)
}

/// The codec that Parquet deprecated: Hadoop's blocks by specification, but files with LZ4 frames and with bare blocks
/// carry the same name.
fn lz4_of_any_age(input: &[u8], out: &mut [u8]) -> Result<(), Fault> {
    if hadoop_blocks(input, out).is_some()
        || matches!(read_exactly(lz4_flex::frame::FrameDecoder::new(input), out), Ok(n) if n == out.len())
        || matches!(lz4_flex::block::decompress_into(input, out), Ok(n) if n == out.len())
    {
        return Ok(());
    }
    Err(Fault::Corrupt("an LZ4 page is neither Hadoop blocks, nor a frame, nor a block".into()))
}

/// Blocks of Hadoop: both lengths as big-endian u32, uncompressed first, then the block.
fn hadoop_blocks(mut input: &[u8], mut out: &mut [u8]) -> Option<()> {
    while !input.is_empty() {
        let (uncompressed, rest) = input.split_first_chunk::<4>()?;
        let (compressed, rest) = rest.split_first_chunk::<4>()?;
        let block = rest.get(..usize::try_from(u32::from_be_bytes(*compressed)).ok()?)?;
        let size = usize::try_from(u32::from_be_bytes(*uncompressed)).ok()?;
        let (here, later) = out.split_at_mut_checked(size)?;
        if lz4_flex::block::decompress_into(block, here).ok()? != size {
            return None;
        }
        input = &rest[block.len()..];
        out = later;
    }
    out.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn unpacked(codec: Compression, input: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        Decompressor::check_size(codec, input.len(), size)?;
        let mut out = vec![0; size];
        Decompressor::default().decompress(codec, input, &mut out)?;
        Ok(out)
    }

    #[test]
    fn a_bomb_is_cut_at_the_declared_size() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![0; 10 << 20]).unwrap();
        let packed = packed.finish().unwrap();
        let gzip = Compression::GZIP(Default::default());
        let refused = unpacked(gzip, &packed, 1000);
        assert!(matches!(refused, Err(Fault::Corrupt(words)) if words.contains("1001 bytes")));
        assert!(unpacked(gzip, &packed, 10 << 20).is_ok());
    }

    #[test]
    fn a_size_that_the_codec_cannot_reach_is_refused_before_memory_is_taken() {
        let refused = Decompressor::check_size(Compression::SNAPPY, 20, 500 << 20);
        assert!(matches!(refused, Err(Fault::Corrupt(_))));
        let refused = Decompressor::check_size(Compression::UNCOMPRESSED, 20, 2 << 30);
        assert!(matches!(refused, Err(Fault::Unsupported(_))));
    }

    #[test]
    fn all_three_kinds_of_lz4_are_read() {
        let text = b"drift drift drift drift drift drift drift".repeat(10);
        let block = lz4_flex::block::compress(&text);
        let mut hadoop = Vec::new();
        hadoop.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        hadoop.extend(u32::try_from(block.len()).unwrap().to_be_bytes());
        hadoop.extend(&block);
        let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
        frame.write_all(&text).unwrap();
        for packed in [block, hadoop, frame.finish().unwrap()] {
            let out = unpacked(Compression::LZ4, &packed, text.len()).unwrap();
            assert_eq!(out, text);
        }
    }
}
