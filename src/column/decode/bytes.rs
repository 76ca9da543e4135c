//! Values that are bytes: BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY, page by page.

use bytes::Bytes;
use parquet::basic::{Encoding, Type as Physical};
use parquet::column::page::Page;
use parquet::schema::types::ColumnDescriptor;

use super::delta;
use super::hybrid::Hybrid;
use crate::source::{Fault, Pages};

/// Codes handed on at a time.
const CODES: usize = 8192;
/// Slices handed on at a time.
const SLICES: usize = 1024;
/// Bytes of values put together before they are handed on.
const ARENA_BYTES: usize = 1 << 20;

/// The values of a dictionary page.
pub(crate) struct Dictionary {
    page: Bytes,
    values: Vec<(usize, usize)>,
}

impl Dictionary {
    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value that `code`, below [`Dictionary::len`], stands for.
    pub(crate) fn value(&self, code: usize) -> &[u8] {
        let (start, end) = self.values[code];
        &self.page[start..end]
    }
}

/// Takes the values of a column chunk in the order of the rows.
pub(crate) trait ByteSink {
    /// What taking them can fail with.
    type Error: From<Fault>;
    /// So many nulls, somewhere among the values of a page.
    fn nulls(&mut self, n: usize);
    /// The dictionary that later codes refer to; at most one a chunk.
    fn dictionary(&mut self, dictionary: &Dictionary) -> Result<(), Self::Error>;
    /// Values as codes, each below the dictionary's length.
    fn codes(&mut self, dictionary: &Dictionary, codes: &[u32]) -> Result<(), Self::Error>;
    /// Values as they are.
    fn values(&mut self, values: &[&[u8]]) -> Result<(), Self::Error>;
}

/// Reads all pages of a column chunk of bytes into `sink`.
pub(crate) fn read_bytes<S: ByteSink>(
    pages: &mut Pages,
    descriptor: &ColumnDescriptor,
    sink: &mut S,
) -> Result<(), S::Error> {
    let width = match descriptor.physical_type() {
        Physical::FIXED_LEN_BYTE_ARRAY => {
            let width = usize::try_from(descriptor.type_length()).ok().filter(|&width| width > 0);
            Some(width.ok_or_else(|| Fault::corrupt("values of fixed length have no bytes"))?)
        }
        _ => None,
    };
    let nullable = descriptor.max_def_level() > 0;
    let mut dictionary = None;
    let mut codes = Vec::new();
    while let Some(page) = pages.next_page()? {
        if let Page::DictionaryPage { buf, num_values, encoding, .. } = page {
            if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
                return Err(
                    Fault::Unsupported(format!("a dictionary page of encoding {encoding} is not supported")).into()
                );
            }
            let mut values = Vec::with_capacity(num_values as usize);
            Plain { bytes: &buf, at: 0, width }.next(num_values as usize, &mut values)?;
            let read = Dictionary { page: buf, values };
            sink.dictionary(&read)?;
            dictionary = Some(read);
            continue;
        }
        let body = Body::of(&page, nullable)?;
        sink.nulls(body.nulls);
        match body.encoding {
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => {
                let dictionary =
                    dictionary.as_ref().ok_or_else(|| Fault::corrupt("codes without a dictionary page"))?;
                read_codes(body.values, body.count, dictionary, &mut codes, sink)?;
            }
            Encoding::PLAIN => {
                // Range by range, so that a page of a billion bytes does not need a list of as many places.
                let mut plain = Plain { bytes: body.values, at: 0, width };
                let mut ranges = Vec::new();
                for from in (0..body.count).step_by(SLICES) {
                    ranges.clear();
                    plain.next(SLICES.min(body.count - from), &mut ranges)?;
                    hand_on(body.values, &ranges, sink)?;
                }
            }
            Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                let ranges = delta_length(body.values, body.count, 0)?;
                hand_on(body.values, &ranges, sink)?;
            }
            Encoding::DELTA_BYTE_ARRAY => delta_bytes(body.values, body.count, width, sink)?,
            Encoding::BYTE_STREAM_SPLIT if width.is_some() => {
                byte_stream_split(body.values, body.count, width.unwrap_or(1), sink)?;
            }
            other => return Err(Fault::Unsupported(format!("encoding {other} of bytes is not supported")).into()),
        }
    }
    Ok(())
}

/// A data page, taken apart.
struct Body<'p> {
    encoding: Encoding,
    values: &'p [u8],
    count: usize,
    nulls: usize,
}

impl<'p> Body<'p> {
    fn of(page: &'p Page, nullable: bool) -> Result<Self, Fault> {
        let rows = page.num_values() as usize;
        let buffer: &[u8] = page.buffer();
        let (levels, values, packed) = match page {
            Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
                let from = *rep_levels_byte_len as usize;
                let to = from + *def_levels_byte_len as usize;
                let levels = buffer.get(from..to).ok_or_else(short)?;
                (levels, &buffer[to..], false)
            }
            Page::DataPage { .. } if !nullable => (&[][..], buffer, false),
            #[expect(deprecated, reason = "old files have it")]
            Page::DataPage { def_level_encoding: Encoding::BIT_PACKED, .. } => {
                let (levels, values) = buffer.split_at_checked(rows.div_ceil(8)).ok_or_else(short)?;
                (levels, values, true)
            }
            _ => {
                let (length, rest) = buffer.split_first_chunk::<4>().ok_or_else(short)?;
                let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?;
                let (levels, values) = rest.split_at_checked(length).ok_or_else(short)?;
                (levels, values, false)
            }
        };
        let count = if !nullable {
            rows
        } else if packed {
            // One bit a row, the highest bit of a byte first.
            (0..rows).filter(|row| levels[row / 8] >> (7 - row % 8) & 1 == 1).count()
        } else {
            Hybrid::new(levels, 1)?.count_ones(rows)?
        };
        Ok(Self { encoding: page.encoding(), values, count, nulls: rows - count })
    }
}

fn short() -> Fault {
    Fault::corrupt("a page ends before its values do")
}

/// Walks over the values of a plain page.
struct Plain<'p> {
    bytes: &'p [u8],
    at: usize,
    width: Option<usize>,
}

impl Plain<'_> {
    /// Appends where the next `count` values lie.
    fn next(&mut self, count: usize, ranges: &mut Vec<(usize, usize)>) -> Result<(), Fault> {
        for _ in 0..count {
            let (start, length) = match self.width {
                Some(width) => (self.at, width),
                None => {
                    let length = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<4>).ok_or_else(short)?;
                    (self.at + 4, usize::try_from(u32::from_le_bytes(*length)).map_err(|_| short())?)
                }
            };
            self.at = start.checked_add(length).filter(|&end| end <= self.bytes.len()).ok_or_else(short)?;
            ranges.push((start, self.at));
        }
        Ok(())
    }
}

/// Where the values of a DELTA_LENGTH_BYTE_ARRAY section, which begins at `from`, lie.
fn delta_length(bytes: &[u8], count: usize, from: usize) -> Result<Vec<(usize, usize)>, Fault> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let (lengths, taken) = delta::lengths(&bytes[from..], count)?;
    if lengths.len() < count {
        return Err(short());
    }
    let mut at = from + taken;
    lengths
        .into_iter()
        .map(|length| {
            let start = at;
            at = start.checked_add(length).filter(|&end| end <= bytes.len()).ok_or_else(short)?;
            Ok((start, at))
        })
        .collect()
}

fn hand_on<S: ByteSink>(bytes: &[u8], ranges: &[(usize, usize)], sink: &mut S) -> Result<(), S::Error> {
    let mut slices: Vec<&[u8]> = Vec::with_capacity(SLICES.min(ranges.len()));
    for ranges in ranges.chunks(SLICES) {
        slices.clear();
        slices.extend(ranges.iter().map(|&(start, end)| &bytes[start..end]));
        sink.values(&slices)?;
    }
    Ok(())
}

fn read_codes<S: ByteSink>(
    bytes: &[u8],
    mut count: usize,
    dictionary: &Dictionary,
    codes: &mut Vec<u32>,
    sink: &mut S,
) -> Result<(), S::Error> {
    if count == 0 {
        return Ok(());
    }
    let (&width, packed) = bytes.split_first().ok_or_else(short)?;
    let mut hybrid = Hybrid::new(packed, u32::from(width))?;
    while count > 0 {
        let take = count.min(CODES);
        codes.clear();
        hybrid.read(take, codes)?;
        let highest = codes.iter().copied().max().unwrap_or(0);
        if highest as usize >= dictionary.len() {
            return Err(Fault::Corrupt(format!("code {highest} of a dictionary of {} values", dictionary.len())).into());
        }
        sink.codes(dictionary, codes)?;
        count -= take;
    }
    Ok(())
}

/// DELTA_BYTE_ARRAY: every value begins with the first bytes of the one before it.
fn delta_bytes<S: ByteSink>(bytes: &[u8], count: usize, width: Option<usize>, sink: &mut S) -> Result<(), S::Error> {
    if count == 0 {
        return Ok(());
    }
    let (prefixes, taken) = delta::lengths(bytes, count)?;
    let suffixes = delta_length(bytes, count, taken)?;
    if prefixes.len() < count {
        return Err(short().into());
    }
    let mut arena: Vec<u8> = Vec::new();
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    let mut previous = (0, 0);
    for (prefix, (start, end)) in prefixes.into_iter().zip(suffixes) {
        if ranges.len() >= SLICES || arena.len() >= ARENA_BYTES {
            hand_on(&arena, &ranges, sink)?;
            let last = previous.1 - previous.0;
            arena.copy_within(previous.0..previous.1, 0);
            arena.truncate(last);
            ranges.clear();
            previous = (0, last);
        }
        if prefix > previous.1 - previous.0 {
            return Err(Fault::corrupt("a value begins with more bytes than the one before it has").into());
        }
        let at = arena.len();
        arena.extend_from_within(previous.0..previous.0 + prefix);
        arena.extend_from_slice(&bytes[start..end]);
        previous = (at, arena.len());
        if width.is_some_and(|width| width != previous.1 - previous.0) {
            return Err(Fault::corrupt("a value of fixed length has another length").into());
        }
        ranges.push(previous);
    }
    hand_on(&arena, &ranges, sink)
}

/// BYTE_STREAM_SPLIT: the first bytes of all values, then the second bytes, and so on.
fn byte_stream_split<S: ByteSink>(bytes: &[u8], count: usize, width: usize, sink: &mut S) -> Result<(), S::Error> {
    let stride = bytes.len() / width;
    if stride < count {
        return Err(short().into());
    }
    let mut arena = vec![0; SLICES * width];
    let ranges: Vec<_> = (0..SLICES).map(|index| (index * width, (index + 1) * width)).collect();
    for from in (0..count).step_by(SLICES) {
        let n = SLICES.min(count - from);
        for index in 0..n {
            for byte in 0..width {
                arena[index * width + byte] = bytes[byte * stride + from + index];
            }
        }
        hand_on(&arena, &ranges[..n], sink)?;
    }
    Ok(())
}
