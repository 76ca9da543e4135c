//! Column chunks, read by the Parquet crate's column readers.
//!
//! A chunk is a dictionary page, if any, and data pages, each of codes or of values. The crate's readers make values of
//! both. Here the pages are told [apart](parts), and each kind goes to a reader of its own:
//!
//! ```text
//!     dictionary page ──────────────> values, once
//!     pages of codes ──> Codes ─────> codes, nulls left out
//!     pages of values ─> Numbers ───> dense values of a fixed width, nulls left out
//!                        ByteValues ─> views of bytes, or slices of a fixed length, as Arrow arrays
//! ```
//!
//! So a value of the dictionary is looked at once instead of once a row, and no page is decoded by hand. What is checked
//! here is size alone: a reader is never asked for more values at a time than fit in memory.

mod bytes;
mod codes;
mod delta;
mod levels;
mod numbers;
mod parts;

use parquet::column::page::Page;
use parquet::schema::types::ColumnDescPtr;

use crate::source::{Fault, Pages};

use codes::Codes;
use parts::{Chunk, Kind, Part};

pub(super) use bytes::{ByteBatch, ByteValues};
pub(super) use numbers::{Numbers, Shelved};

/// Rows at a time: as many as stay in the second-level cache.
pub(super) const BATCH: usize = 1 << 15;

/// Takes what a column chunk holds, in the order of its rows. Nulls are somewhere among the rows of a batch.
pub(super) trait Sink<B: ToOwned + ?Sized> {
    /// What taking it can fail with.
    type Error: From<Fault>;
    /// The values that later codes stand for; at most one dictionary a chunk.
    fn dictionary(&mut self, values: B::Owned) -> Result<(), Self::Error>;
    /// Rows as codes, each below the length of the dictionary and never negative.
    fn codes(&mut self, codes: &[i32], nulls: u64) -> Result<(), Self::Error>;
    /// Rows as values.
    fn values(&mut self, values: &B, nulls: u64) -> Result<(), Self::Error>;
}

/// Reads pages of values.
pub(super) trait ValueReader: Sized {
    /// Values of a batch, nulls left out or to be passed over.
    type Batch: ToOwned + ?Sized;

    /// A reader of the pages of values of `chunk`, whose column is `descriptor`'s.
    fn new(descriptor: &ColumnDescPtr, pages: Part) -> Result<Self, Fault>;

    /// Shows `take` the values of the next rows, and the number of nulls among these; returns the number of rows, which
    /// is 0 where no page of values follows.
    fn next<E: From<Fault>>(&mut self, take: impl FnMut(&Self::Batch, u64) -> Result<(), E>) -> Result<usize, E>;

    /// All values of a dictionary page.
    fn dictionary(descriptor: &ColumnDescPtr, page: Page) -> Result<<Self::Batch as ToOwned>::Owned, Fault>;
}

/// Reads a column chunk into `sink`.
pub(super) fn read<V: ValueReader, S: Sink<V::Batch>>(
    pages: Pages,
    descriptor: &ColumnDescPtr,
    sink: &mut S,
) -> Result<(), S::Error> {
    let chunk = Chunk::new(pages);
    let (mut codes, mut values): (Option<Codes>, Option<V>) = (None, None);
    while let Some(kind) = chunk.kind()? {
        // Each reader goes on until its next page is of another kind, or there is none.
        match kind {
            Kind::Dictionary => {
                let page = chunk.take()?;
                codes = Some(Codes::new(descriptor, page.num_values(), chunk.part(Kind::Codes))?);
                sink.dictionary(V::dictionary(descriptor, page)?)?;
            }
            Kind::Codes => {
                let codes = codes.as_mut().ok_or_else(|| Fault::corrupt("codes without a dictionary page"))?;
                while codes.next(|codes, nulls| sink.codes(codes, nulls))? > 0 {}
            }
            Kind::Values => {
                let reader = match &mut values {
                    Some(reader) => reader,
                    none => none.insert(V::new(descriptor, chunk.part(Kind::Values))?),
                };
                while reader.next(|values, nulls| sink.values(values, nulls))? > 0 {}
            }
        }
    }
    Ok(())
}
