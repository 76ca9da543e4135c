//! Pages of dictionary codes, as codes.

use std::cell::RefCell;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Encoding, Repetition, Type as Physical};
use parquet::column::page::Page;
use parquet::data_type::Int32Type;
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor, Type};

use super::ValueReader;
use super::numbers::Numbers;
use super::parts::Part;
use crate::source::Fault;

/// Reads the codes of rows.
///
/// The crate's reader hands out the values that codes stand for. It is told that the column is one of integers, and that
/// value number i of its dictionary is the number i; so the values are the codes, and the reader checks that each is below
/// the number of values.
pub(super) struct Codes(Numbers<Int32Type>);

impl Codes {
    /// A reader of `pages`, whose codes stand for `n` values in a column of `descriptor`.
    pub(super) fn new(descriptor: &ColumnDescPtr, n: u32, pages: Part) -> Result<Self, Fault> {
        let n = i32::try_from(n).map_err(|_| Fault::corrupt("a dictionary of more than 2^31 values"))?;
        let buf = numbers_below(n);
        let dictionary =
            Page::DictionaryPage { buf, num_values: n.cast_unsigned(), encoding: Encoding::PLAIN, is_sorted: true };
        let nullable = descriptor.max_def_level() > 0;
        Numbers::new(&integers(nullable)?, pages.after(dictionary)).map(Self)
    }

    /// Shows `take` the codes of the next rows; see [`ValueReader::next`].
    pub(super) fn next<E: From<Fault>>(&mut self, take: impl FnMut(&[i32], u64) -> Result<(), E>) -> Result<usize, E> {
        self.0.next(take)
    }
}

/// Dictionaries up to this length share their numbers, a thread.
const SHARED: i32 = 1 << 18;

thread_local! {
    static NUMBERS: RefCell<Bytes> = const { RefCell::new(Bytes::new()) };
}

/// The numbers from 0 to below `n`, as they lie in a page.
fn numbers_below(n: i32) -> Bytes {
    let make = |n: i32| -> Bytes {
        let numbers: Vec<i32> = (0..n).map(i32::to_le).collect();
        Bytes::from_owner(Numbered(numbers))
    };
    if n > SHARED {
        return make(n);
    }
    NUMBERS.with_borrow_mut(|numbers| {
        let length = n.cast_unsigned() as usize * size_of::<i32>();
        if numbers.len() < length {
            *numbers = make(n.cast_unsigned().next_power_of_two().cast_signed());
        }
        numbers.slice(..length)
    })
}

/// Integers as bytes.
struct Numbered(Vec<i32>);

impl AsRef<[u8]> for Numbered {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(&self.0)
    }
}

/// A column of integers.
fn integers(nullable: bool) -> Result<ColumnDescPtr, Fault> {
    let repetition = if nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let codes = Type::primitive_type_builder("codes", Physical::INT32).with_repetition(repetition).build()?;
    Ok(Arc::new(ColumnDescriptor::new(Arc::new(codes), i16::from(nullable), 0, vec!["codes".to_owned()].into())))
}
