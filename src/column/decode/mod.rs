//! Decoders of Parquet's encodings for values that are bytes.
//!
//! Numbers of 32 and 64 bits go through the Parquet crate's own decoders. Strings, binary, fixed-length values and
//! decimals in bytes are decoded here, because the crate's low-level reader makes an object with a reference count of
//! every value, and its arrays copy every string. Here a page of a dictionary is a list of codes, and a plain page a
//! list of slices into it.

mod bytes;
mod delta;
mod hybrid;

pub(crate) use bytes::{ByteSink, Dictionary, read_bytes};
