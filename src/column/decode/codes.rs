//! Pages of dictionary codes, as codes.

use parquet::column::page::{Page, PageReader};
use parquet::encodings::rle::RleDecoder;
use parquet::schema::types::ColumnDescPtr;

use super::BATCH;
use super::levels::Levels;
use super::numbers::Shelved;
use super::parts::Part;
use crate::source::{Fault, guard};
use crate::vector::vectorized;

/// The widest code.
const MOST_BITS: u8 = 32;

/// Reads the codes of rows.
///
/// The crate's own reader of columns puts the value in the place of each code. Its decoder of codes stops before that.
pub(super) struct Codes {
    pages: Part,
    nullable: bool,
    /// Values of the dictionary.
    n: u32,
    page: Option<Open>,
    codes: Vec<i32>,
}

/// A page that was begun.
struct Open {
    rows_left: usize,
    levels: Option<Levels>,
    /// Absent until the first code is asked for: a page of nulls may end before it.
    decoder: Option<RleDecoder>,
    values: bytes::Bytes,
}

impl Codes {
    /// A reader of `pages`, whose codes stand for `n` values in a column of `descriptor`.
    pub(super) fn new(descriptor: &ColumnDescPtr, n: u32, pages: Part) -> Result<Self, Fault> {
        if i32::try_from(n).is_err() {
            return Err(Fault::corrupt("a dictionary of more than 2^31 values"));
        }
        Ok(Self { pages, nullable: descriptor.max_def_level() > 0, n, page: None, codes: i32::take() })
    }

    /// Shows `take` the codes of the next rows; see [`ValueReader::next`](super::ValueReader::next).
    pub(super) fn next<E: From<Fault>>(
        &mut self,
        mut take: impl FnMut(&[i32], u64) -> Result<(), E>,
    ) -> Result<usize, E> {
        let page = match &mut self.page {
            Some(page) if page.rows_left > 0 => page,
            none => match self.pages.get_next_page().map_err(Fault::from)? {
                Some(page) => none.insert(Open::new(&page, self.nullable)?),
                None => return Ok(0),
            },
        };
        let rows = page.rows_left.min(BATCH);
        page.rows_left -= rows;
        let values = page.levels.as_mut().map_or(Ok(rows), |levels| levels.values(rows))?;
        self.codes.resize(values, 0);
        page.read(&mut self.codes)?;
        let highest = highest(&self.codes);
        if highest >= self.n && values > 0 {
            return Err(Fault::corrupt(format!("code {highest} of a dictionary of {} values", self.n)).into());
        }
        take(&self.codes, (rows - values) as u64)?;
        Ok(rows)
    }
}

impl Open {
    fn new(page: &Page, nullable: bool) -> Result<Self, Fault> {
        let (levels, values) = Levels::split(page, nullable)?;
        Ok(Self { rows_left: page.num_values() as usize, levels, decoder: None, values })
    }

    /// Fills `codes` with the next ones.
    fn read(&mut self, codes: &mut [i32]) -> Result<(), Fault> {
        if codes.is_empty() {
            return Ok(());
        }
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => {
                let bits = *self.values.first().ok_or_else(short)?;
                if bits > MOST_BITS {
                    return Err(Fault::corrupt(format!("codes of {bits} bits")));
                }
                let mut decoder = RleDecoder::new(bits);
                guard(|| decoder.set_data(self.values.slice(1..)))?;
                none.insert(decoder)
            }
        };
        let read = guard(|| decoder.get_batch(codes))?;
        if read < codes.len() { Err(short()) } else { Ok(()) }
    }
}

fn short() -> Fault {
    Fault::corrupt("a page of codes ends before its rows do")
}

impl Drop for Codes {
    fn drop(&mut self) {
        i32::put(std::mem::take(&mut self.codes));
    }
}

vectorized! {
    /// The highest code, where negative ones are higher than any other.
    fn highest(codes: &[i32]) -> u32 {
        let mut highest = 0;
        for &code in codes {
            highest = highest.max(code.cast_unsigned());
        }
        highest
    }
}
